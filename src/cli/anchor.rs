//! `ccgate ledger checkpoint` and `ccgate ledger anchor`: what of a ledger somebody outside
//! keeps, and the time-stamp that comes back. What a token has to hold is the ledger's to say.

use std::path::Path;
use std::time::Duration;

use crate::ledger::{self, StampRequest, TsaRoots};
use crate::platform::TimeStampAuthority;
use crate::render::wrap;

use super::args::AnchorArgs;
use super::exit::{CommandError, ExitStatus};
use super::files::read_whole;
use super::ledger_place::existing;
use super::session::{PROGRAM, ca_bundle, runtime};
use super::world::World;

/// The newest checkpoint as it lies there, to be mailed or copied.
pub(super) fn checkpoint(url: &str, world: &World) -> Result<String, CommandError> {
    let place = existing(url, world)?;
    let (_, checkpoint) = ledger::open_any(&place).map_err(CommandError::ledger)?;
    Ok(checkpoint.text())
}

/// Has the newest signed note stamped, and keeps the token if it holds.
pub(super) fn anchor(
    arguments: &AnchorArgs,
    world: &World,
) -> Result<(String, ExitStatus), CommandError> {
    let place = existing(&arguments.url, world)?;
    let roots = tsa_roots(&arguments.tsa_roots, world)?;
    let authority = TimeStampAuthority::new(
        &arguments.tsa,
        ca_bundle(world).map_err(CommandError::usage)?.as_deref(),
        Duration::from_secs(arguments.timeout),
        PROGRAM,
    )
    .map_err(CommandError::usage)?;
    let note = ledger::signed_note(&place).map_err(CommandError::ledger)?;
    let say = |text: String| Ok((wrap("", &text, world.width()), ExitStatus::Allow));
    if let Some(token) = &note.token {
        // One of somebody else's would keep this run from having it stamped.
        let time = roots.time_of(token, &note.text).map_err(|error| {
            CommandError::ledger(error.context(format!(
                "there is a time-stamp at `anchors/{}.tsr` that does not hold; find out who put it there and take it away",
                note.size
            )))
        })?;
        return say(format!(
            "{} records were there at {time}, as a time-stamp says that is kept already",
            note.size
        ));
    }
    let request = StampRequest::new(&note.text).map_err(CommandError::undecided)?;
    let answer = runtime()?
        .block_on(authority.answer(request.bytes()))
        .map_err(CommandError::undecided)?;
    let (token, time) = request
        .accept(&answer, &roots, world.now)
        .map_err(|error| {
            CommandError::ledger(error.context("the time-stamp does not hold and is not kept"))
        })?;
    ledger::keep_token(&place, &note, &token).map_err(CommandError::ledger)?;
    say(format!("{} records were there at {time}", note.size))
}

/// The roots in a file.
pub(super) fn tsa_roots(file: &Path, world: &World) -> Result<TsaRoots, CommandError> {
    read_whole(&world.folder.join(file))
        .and_then(|pem| TsaRoots::parse(&pem))
        .map_err(CommandError::usage)
}
