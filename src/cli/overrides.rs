//! `ccgate override`: the register of what went around the gate, read from a ledger.
//! Everything from the ledger is untrusted and shown with its control characters escaped.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use serde_json::Value;

use crate::gate::{Entry, Standing, register};
use crate::ledger::{self, Place};
use crate::render::{escape, wrap};

use super::args::{Layout, OverrideArgs, OverrideCommand};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::ledger_place::existing;
use super::world::World;

/// Longest text from a ledger that is shown.
const LONGEST: usize = 300;

pub(super) fn run(arguments: &OverrideArgs, world: &mut World) -> CommandResult {
    let OverrideCommand::List { url, open, format } = &arguments.command;
    let statements = statements(&existing(url, world)?).map_err(CommandError::ledger)?;
    let all = register(&statements, world.now);
    let overdue = all.iter().any(|entry| entry.standing == Standing::Overdue);
    let shown: Vec<&Entry> = all
        .iter()
        .filter(|entry| !open || entry.standing.is_open())
        .collect();
    let text = match format {
        Layout::Human => human(&shown, &all, world.width()),
        Layout::Json => json(&shown)?,
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(if overdue {
        ExitStatus::Block
    } else {
        ExitStatus::Allow
    })
}

/// Every statement of the ledger, in order.
fn statements(place: &Place) -> anyhow::Result<Vec<Value>> {
    let (store, checkpoint) = ledger::open_any(place)?;
    let leaves = store
        .read(0..checkpoint.size)
        .context("the ledger cannot be read; run `ccgate ledger verify`")?;
    let parsed = leaves.iter().enumerate().map(|(number, leaf)| {
        let leaf = ledger::Leaf::parse(leaf).with_context(|| format!("entry {number}"))?;
        Ok(leaf.statement)
    });
    parsed.collect()
}

fn json(shown: &[&Entry]) -> Result<String, CommandError> {
    let entries = serde_json::json!({"schema": "ccgate.overrides/v1", "overrides": shown});
    let text = serde_json::to_string_pretty(&entries)
        .context("the list cannot be written as JSON")
        .map_err(CommandError::ledger)?;
    Ok(text + "\n")
}

fn human(shown: &[&Entry], all: &[Entry], width: usize) -> String {
    let mut text = String::new();
    for entry in shown {
        let _ = writeln!(text, "{}", line(entry));
        text.push_str(&wrap("    ", &plain(&about(entry)), width));
    }
    let count = |standing: Standing| all.iter().filter(|one| one.standing == standing).count();
    let foot = format!(
        "{} in all: {} open, {} overdue, {} reviewed in time, {} late; not verified here, run `ccgate ledger verify`",
        all.len(),
        count(Standing::Open),
        count(Standing::Overdue),
        count(Standing::Reviewed),
        count(Standing::ReviewedLate),
    );
    text.push_str(&wrap("", &foot, width));
    text
}

fn line(entry: &Entry) -> String {
    plain(&format!(
        "{:<13} {}  {}",
        entry.standing.words(),
        entry.id,
        entry.controls.join(", ")
    ))
}

fn about(entry: &Entry) -> String {
    let mut words = vec![match entry.change {
        Some(change) => format!("change {change}"),
        None => format!("commit {}", entry.head.get(..12).unwrap_or(&entry.head)),
    }];
    words.extend(entry.by.as_ref().map(|by| format!("by @{by}")));
    words.extend(entry.at.as_ref().map(|at| format!("at {at}")));
    words.extend(entry.ticket.clone());
    words.push(match (&entry.outcome, &entry.reviewer) {
        (Some(outcome), Some(reviewer)) => format!(
            "{outcome} by @{reviewer} at {}",
            entry.reviewed_at.as_deref().unwrap_or("?")
        ),
        _ => format!("to be reviewed by {}", entry.due.as_deref().unwrap_or("?")),
    });
    words.join(", ")
}

/// Control and direction characters become visible escapes; the rest stays.
fn plain(text: &str) -> String {
    escape::terminal(text, LONGEST)
}
