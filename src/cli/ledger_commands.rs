//! `ccgate ledger`: reads the files that the command names, hands texts to
//! `ledger.rs`, and prints what comes back.

use std::io::Write as _;
use std::path::Path;

use anyhow::anyhow;

use crate::gate::CHANGE_RECORD_TYPE;

use super::args::{LedgerArgs, LedgerCommand, LedgerVerifyArgs};
use super::check::read_whole;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::ledger::{self, VerifyInput};
use super::world::World;

pub(super) fn run(arguments: &LedgerArgs, world: &mut World) -> CommandResult {
    let (text, code) = match &arguments.command {
        LedgerCommand::Verify(arguments) => verify(arguments, world)?,
        LedgerCommand::Show { url } => {
            ledger::show(&absolute(url, world)).map_err(CommandError::ledger)?
        }
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(if code == ExitStatus::Allow.code() {
        ExitStatus::Allow
    } else {
        ExitStatus::Ledger
    })
}

fn verify(arguments: &LedgerVerifyArgs, world: &World) -> Result<(String, u8), CommandError> {
    let text = |path: &Option<std::path::PathBuf>| -> Result<Option<String>, CommandError> {
        path.as_ref()
            .map(|path| read_text(&world.folder.join(path)))
            .transpose()
            .map_err(CommandError::usage)
    };
    let allowed_signers = text(&arguments.allowed_signers)?;
    let trusted = text(&arguments.trusted_checkpoint)?;
    let population: Option<Vec<String>> = text(&arguments.population)?.map(|text| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    });
    let input = VerifyInput {
        origin: arguments.origin.as_deref(),
        allowed_signers: allowed_signers.as_deref(),
        population: population.as_deref(),
        predicate_type: Some(CHANGE_RECORD_TYPE),
        trusted: trusted.as_deref(),
    };
    ledger::verify(&absolute(&arguments.url, world), &input).map_err(CommandError::ledger)
}

/// The address with a relative folder resolved against the working folder.
pub(super) fn absolute(url: &str, world: &World) -> String {
    match url.strip_prefix("dir:") {
        Some(path) if !path.is_empty() => format!("dir:{}", world.folder.join(path).display()),
        Some(_) | None => url.to_owned(),
    }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read_whole(path)?).map_err(|_| anyhow!("{} is not UTF-8", path.display()))
}
