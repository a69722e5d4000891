//! `ccgate override notify`: the register as a comment on a change or as an issue, made once
//! and changed in place. No other command posts it, `check` least of all.

use std::io::Write as _;

use anyhow::anyhow;

use crate::gate::register;
use crate::ledger;
use crate::platform::{Flags, Noted, Notice, keep_notice};
use crate::render::{escape, notice_marker, notice_of_change, notice_of_repository};

use super::args::NotifyArgs;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::ledger_place::existing;
use super::record::origin_of;
use super::session;
use super::world::World;

/// Longest answer of a platform that is shown.
const LONGEST: usize = 300;

pub(super) fn notify(arguments: &NotifyArgs, world: &mut World) -> CommandResult {
    let flags = Flags {
        platform: arguments.platform.map(Into::into),
        repository: arguments.repo.clone(),
        change: arguments.change,
        repository_only: arguments.issue,
        ..Flags::default()
    };
    let place = session::place(&flags, world).map_err(CommandError::usage)?;
    let marker = notice_marker(&place.repository, arguments.change)
        .map_err(|why| CommandError::usage(anyhow!(why)))?;
    let ledger = existing(&arguments.url, world)?;
    let (checkpoint, statements) = ledger::statements_at(&ledger).map_err(CommandError::ledger)?;
    // What happened elsewhere must not be told here, nor hide what happened here.
    let wanted = origin_of(place.platform, &place.repository);
    if !checkpoint.origin.eq_ignore_ascii_case(&wanted) {
        return Err(CommandError::ledger(anyhow!(
            "the ledger is that of {}, not of {wanted}; nothing was posted",
            checkpoint.origin
        )));
    }
    let all = register(&statements, world.now);
    let told = match arguments.change {
        Some(change) => notice_of_change(&all, &marker, change),
        None => notice_of_repository(&all, &marker),
    };
    if arguments.dry_run {
        // A reader that went away is no reason for another exit code.
        let _ = world.stdout.write_all(told.text.as_bytes());
        return Ok(ExitStatus::Allow);
    }
    // The account of this token is the one whose comment or issue is changed.
    if world.var("CCGATE_TOKEN").is_none() {
        return Err(CommandError::usage(anyhow!(
            "set `CCGATE_TOKEN` to the token that posts, always one of the same account (in a \
             workflow `${{{{ github.token }}}}`); `--dry-run` takes none"
        )));
    }
    let notice = Notice {
        marker,
        title: "ccgate: overrides of this repository".to_owned(),
        text: told.text,
        make: told.tells,
        reopen: told.wanting,
    };
    let noted = session::runtime()?.block_on(async {
        let setup = session::setup(&flags, arguments.timeout, world).await?;
        keep_notice(setup, &notice)
            .await
            .map_err(CommandError::undecided)
    })?;
    let said = match noted {
        Noted::Made(place) => format!("posted: {place}"),
        Noted::Changed(place) => format!("changed: {place}"),
        Noted::Same(place) => format!("it says so already, nothing was written: {place}"),
        Noted::Nothing => "nothing is on record, nothing was written".to_owned(),
    };
    let _ = writeln!(world.stdout, "{}", escape::terminal(&said, LONGEST));
    Ok(ExitStatus::Allow)
}
