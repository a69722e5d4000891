//! `ccgate snapshot`: collects facts and writes them down, and compares two
//! settings snapshots. Judges nothing.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::facts::{Direction, Needs, Settings, SettingsSnapshot, Snapshot, drift};
use crate::platform::{Flags, Host};
use crate::policy::{self, LoadError};
use crate::render::escape;

use super::args::{Layout, SnapshotArgs, SnapshotCommand};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::snapshot_bytes;
use super::outputs;
use super::session;
use super::settings_file::SettingsFile;
use super::settings_lane;
use super::world::World;

/// Longest text of a setting that is shown.
const LONGEST: usize = 400;

pub(super) fn run(arguments: &SnapshotArgs, world: &mut World) -> CommandResult {
    if let Some(SnapshotCommand::Diff {
        before,
        after,
        format,
    }) = &arguments.command
    {
        return diff(before, after, *format, world);
    }
    let out = arguments
        .out
        .as_deref()
        .context("say where to write with `--out FILE`")
        .map_err(CommandError::usage)?;
    let bytes = if arguments.settings {
        let snapshots = settings_lane::collect(arguments, world)?;
        for snapshot in &snapshots {
            tell(snapshot, world);
        }
        SettingsFile::write(&snapshots, world).map_err(CommandError::usage)?
    } else {
        let snapshot = change(arguments, world)?;
        snapshot_bytes(&snapshot).map_err(CommandError::usage)?
    };
    outputs::write_file(&world.folder.join(out), &bytes).map_err(CommandError::usage)?;
    Ok(ExitStatus::Allow)
}

/// Says in a line what a snapshot holds and what it could not see.
fn tell(snapshot: &SettingsSnapshot, world: &mut World) {
    let hidden: Vec<&str> = Settings::KEYS
        .iter()
        .filter(|key| {
            snapshot
                .settings
                .unknown(**key)
                .is_some_and(|unknown| unknown.why != crate::facts::Why::NotCollected)
        })
        .map(|key| key.name())
        .collect();
    let mut line = format!(
        "{}: {} in {}, {} requests in {} waves",
        snapshot.repository,
        match snapshot.branches.len() {
            1 => "1 branch".to_owned(),
            count => format!("{count} branches"),
        },
        snapshot.platform.word(),
        snapshot.requests.count,
        snapshot.requests.waves,
    );
    if !hidden.is_empty() {
        line.push_str(&format!("; not seen: {}", hidden.join(", ")));
    }
    // A reader that went away is no reason for another exit code.
    let _ = writeln!(world.stdout, "{}", escape::terminal(&line, 2000));
}

pub(super) fn flags(arguments: &SnapshotArgs, repository: Option<&String>) -> Flags {
    Flags {
        platform: arguments.platform.map(Into::into),
        repository: repository.cloned(),
        change: arguments.change,
        head: None,
        reference: arguments.reference.clone(),
        since: None,
        repository_only: arguments.settings,
    }
}

/// Everything about one change, as `check` would see it.
fn change(arguments: &SnapshotArgs, world: &World) -> Result<Snapshot, CommandError> {
    if arguments.repo.len() > 1 {
        return Err(CommandError::usage(anyhow!(
            "a change is in one repository: give `--repo` once"
        )));
    }
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let export =
        session::ticket_export(arguments.tickets.as_deref(), world).map_err(CommandError::usage)?;
    let runtime = session::runtime()?;
    runtime.block_on(async {
        let flags = flags(arguments, arguments.repo.first());
        let setup = session::setup(&flags, arguments.timeout, world).await?;
        let mut host = Host::new(setup).map_err(CommandError::usage)?;
        let mut snapshot = host.open(&session::policy_wanted(given)).await;
        let needs = needs(&snapshot)?;
        host.collect(&mut snapshot, &needs).await;
        let sources =
            session::ticket_sources(export, &needs, world).map_err(CommandError::usage)?;
        host.collect_tickets(&mut snapshot, &needs, &sources).await;
        Ok(snapshot)
    })
}

/// What the policy in force needs; without one there is nothing to collect by.
pub(super) fn needs(snapshot: &Snapshot) -> Result<Needs, CommandError> {
    match policy::load(&snapshot.policy, snapshot.latest_time()) {
        Ok(policy) => Ok(session::needs(&policy, snapshot)),
        Err(LoadError::Unreadable(unknown)) => Err(CommandError::undecided(anyhow!("{unknown}"))),
        Err(error) => Err(CommandError::usage(error)),
    }
}

/// Compares every repository that stands in both files.
fn diff(before: &Path, after: &Path, format: Layout, world: &mut World) -> CommandResult {
    let read = |file: &Path| -> Result<SettingsFile, CommandError> {
        let read = SettingsFile::read(file, world).map_err(CommandError::usage)?;
        match read.broken() {
            Some(why) => Err(CommandError::usage(anyhow!("`{}`: {why}", file.display()))),
            None => Ok(read),
        }
    };
    let (before, after) = (read(before)?, read(after)?);
    let mut weaker = false;
    let mut text = String::new();
    let mut rows = Vec::new();
    let same = |a: &SettingsSnapshot, b: &SettingsSnapshot| {
        a.platform == b.platform
            && a.api == b.api
            && a.repository.eq_ignore_ascii_case(&b.repository)
    };
    for new in after.snapshots() {
        let Some(old) = before.snapshots().iter().find(|old| same(old, new)) else {
            text.push_str(&format!("{}: only in the newer file\n", new.repository));
            continue;
        };
        let changes = drift(old, new).map_err(CommandError::usage)?;
        text.push_str(&format!(
            "{}: {} -> {}: {}\n",
            new.repository,
            old.observed_at,
            new.observed_at,
            match changes.len() {
                0 => "nothing changed".to_owned(),
                1 => "1 setting changed".to_owned(),
                count => format!("{count} settings changed"),
            }
        ));
        for change in &changes {
            weaker |= change.direction == Direction::Weaker;
            text.push_str(&format!(
                "  {:<8}  {}: {} -> {}\n",
                change.direction.word(),
                change.setting,
                change.before,
                change.after
            ));
            rows.push(json!({
                "repository": new.repository,
                "direction": change.direction.word(),
                "setting": change.setting,
                "before": change.before,
                "after": change.after,
            }));
        }
    }
    for old in before.snapshots() {
        if !after.snapshots().iter().any(|new| same(old, new)) {
            weaker = true;
            text.push_str(&format!(
                "{}: no longer in the newer file\n",
                old.repository
            ));
        }
    }
    let shown = match format {
        Layout::Human => text
            .lines()
            .map(|line| format!("{}\n", escape::terminal(line, LONGEST)))
            .collect(),
        Layout::Json => {
            let document = json!({"schema": "ccgate.drift/v1", "weaker": weaker, "changes": rows});
            format!("{document:#}\n")
        }
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(shown.as_bytes());
    Ok(if weaker {
        ExitStatus::Block
    } else {
        ExitStatus::Allow
    })
}
