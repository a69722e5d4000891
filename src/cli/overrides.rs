//! `ccgate override`: the register of what went around the gate, read from a ledger.
//! Everything from the ledger is untrusted and shown with its control characters escaped.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

use crate::facts::Subject;
use crate::gate::{self, Attempt, Entry, Exemption, Register, Standing, Sums, Term, Use, register};
use crate::ledger;
use crate::platform;
use crate::render::{escape, wrap};

use super::args::{Layout, OverrideArgs, OverrideCommand};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::ledger_place::existing;
use super::override_notify::notify;
use super::override_post::{post, print_for_deployment};
use super::world::World;

/// Longest text from a ledger that is shown.
const LONGEST: usize = 300;

pub(super) fn run(arguments: &OverrideArgs, world: &mut World) -> CommandResult {
    match &arguments.command {
        OverrideCommand::List { url, open, format } => list(url, *open, *format, world),
        OverrideCommand::Create {
            control,
            ticket,
            reason,
            expires,
            on,
        } => {
            let text = gate::override_comment(control, ticket, expires.as_deref(), reason);
            post(
                text,
                on,
                "run the gate again: it shows the id, and whether somebody else has to approve it",
                world,
            )
        }
        OverrideCommand::Notify(arguments) => notify(arguments, world),
        OverrideCommand::Approve {
            id,
            for_deployment: true,
            on,
        } => print_for_deployment(id, on, world),
        OverrideCommand::Approve { id, on, .. } => {
            let text = gate::approval_comment(id);
            post(text, on, "the gate has to run again", world)
        }
        OverrideCommand::Statement {
            comment,
            asked,
            platform,
            repo,
            change,
            target,
            head,
        } => {
            // The gate knows no other: a statement about a short one would be refused once it is signed.
            let head = platform::context::commit("`--head`", head).map_err(CommandError::usage)?;
            let subject = Subject {
                platform: (*platform).into(),
                repository: repo.clone(),
                change: Some(*change),
                head,
                target: target.clone(),
            };
            statement(&subject, comment, asked.as_deref(), world)
        }
    }
}

/// Prints what a person signs, and nothing else: it goes into a file.
fn statement(
    subject: &Subject,
    comment: &str,
    asked: Option<&str>,
    world: &mut World,
) -> CommandResult {
    let whole_seconds =
        Timestamp::from_second(world.now.as_second()).map_err(CommandError::usage)?;
    let text = gate::override_statement(subject, whole_seconds, comment, asked)
        .map_err(|why| CommandError::usage(anyhow!(why)))?;
    world
        .stdout
        .write_all(text.as_bytes())
        .context("the statement cannot be written")
        .map_err(CommandError::usage)?;
    Ok(ExitStatus::Allow)
}

fn list(url: &str, open: bool, format: Layout, world: &mut World) -> CommandResult {
    let place = existing(url, world)?;
    let (_, statements) = ledger::statements_at(&place).map_err(CommandError::ledger)?;
    let all = register(&statements, world.now);
    let overdue = all
        .entries
        .iter()
        .any(|entry| entry.standing == Standing::Overdue);
    let shown: Vec<&Entry> = all
        .entries
        .iter()
        .filter(|entry| !open || entry.standing.is_open())
        .collect();
    let text = match format {
        Layout::Human => human(&shown, &all, open, world.width()),
        Layout::Json => json(&shown, &all)?,
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(if overdue {
        ExitStatus::Block
    } else {
        ExitStatus::Allow
    })
}

fn json(shown: &[&Entry], all: &Register) -> Result<String, CommandError> {
    let entries = serde_json::json!({
        "schema": "ccgate.overrides/v1",
        "overrides": shown,
        "attempts": all.attempts,
        "exemptions": all.exemptions,
        "sums": all.sums(),
    });
    let text = serde_json::to_string_pretty(&entries)
        .context("the list cannot be written as JSON")
        .map_err(CommandError::ledger)?;
    Ok(text + "\n")
}

fn human(shown: &[&Entry], all: &Register, only_open: bool, width: usize) -> String {
    let mut text = String::new();
    for entry in shown {
        let _ = writeln!(text, "{}", line(entry));
        text.push_str(&wrap("    ", &plain(&about(entry)), width));
    }
    if !only_open {
        for exemption in &all.exemptions {
            text.push_str(&wrap("", &plain(&of_the_policy(exemption)), width));
        }
        for attempt in &all.attempts {
            text.push_str(&wrap("", &plain(&in_vain(attempt)), width));
        }
        for sentence in sentences(&all.sums()) {
            text.push_str(&wrap("", &plain(&sentence), width));
        }
    }
    let of = |wanted: fn(&Entry) -> bool| all.entries.iter().filter(|one| wanted(one)).count();
    let foot = format!(
        "{} in all: {} open, {} overdue, {} reviewed in time, {} late; {} used, {} unused, {} waiting \
         ({} of them end within the hour), {} orphaned; {} attempts in vain, {} of them self-approved; \
         signatures are not looked at here, run `ccgate ledger verify`",
        all.entries.len(),
        of(|one| one.standing == Standing::Open),
        of(|one| one.standing == Standing::Overdue),
        of(|one| one.standing == Standing::Reviewed),
        of(|one| one.standing == Standing::ReviewedLate),
        of(|one| one.used == Some(Use::Used)),
        of(|one| one.used == Some(Use::Unused)),
        of(|one| one.used == Some(Use::Waiting)),
        of(|one| one.used == Some(Use::Waiting) && one.term == Some(Term::Expiring)),
        of(|one| one.used == Some(Use::Orphaned)),
        all.attempts.len(),
        all.attempts.iter().filter(|one| one.self_approved).count(),
    );
    text.push_str(&wrap("", &foot, width));
    text
}

/// A waiver or an accepted finding, told apart from overrides by its first word.
fn of_the_policy(exemption: &Exemption) -> String {
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let scope = exemption
        .scope
        .as_ref()
        .map_or_else(String::new, |scope| format!(" for `{scope}`"));
    let ticket = exemption
        .ticket
        .as_ref()
        .map_or_else(String::new, |ticket| format!(", {ticket}"));
    format!(
        "{} {}: {}{scope}, {} until {}, answered for by {}, approved by {}{ticket}, covered \
         something on {} changes, {} at {}",
        exemption.kind,
        exemption.id,
        exemption.what,
        exemption.term.word(),
        or_unknown(&exemption.expires),
        or_unknown(&exemption.owner),
        or_unknown(&exemption.approved_by),
        exemption.changes,
        exemption.state,
        or_unknown(&exemption.last),
    )
}

fn in_vain(attempt: &Attempt) -> String {
    let by = attempt.by.as_ref().map_or("?", |by| by.login.as_str());
    let own = if attempt.self_approved {
        ", self-approved"
    } else {
        ""
    };
    let what = attempt.control.as_deref().unwrap_or(&attempt.id);
    let change = attempt
        .change
        .map_or_else(String::new, |change| format!(" on change {change}"));
    format!(
        "in vain: {} of {what}{change} by @{by}, {}{own}: {}",
        attempt.kind, attempt.state, attempt.why
    )
}

fn sentences(sums: &Sums) -> Vec<String> {
    let people = sums.people.iter().map(|one| {
        format!(
            "@{}: asked for {}, answers for {}, reviewed {}, {} in vain",
            one.login, one.asked, one.given, one.reviewed, one.in_vain
        )
    });
    let controls = sums.controls.iter().map(|one| {
        format!(
            "{}: {} overrides, {} breaches, {} overdue",
            one.code, one.overrides, one.breaches, one.overdue
        )
    });
    people.chain(controls).collect()
}

fn line(entry: &Entry) -> String {
    plain(&format!(
        "{:<13} {}  {}  {}",
        entry.standing.words(),
        entry.id,
        entry.kind,
        entry.controls.join(", ")
    ))
}

fn about(entry: &Entry) -> String {
    let mut words = vec![match entry.change {
        Some(change) => format!("change {change}"),
        None => format!("commit {}", entry.head.get(..12).unwrap_or(&entry.head)),
    }];
    words.extend(entry.by.as_ref().map(|by| format!("by @{}", by.login)));
    let asked = entry.requester.as_ref().filter(|_| entry.approved_apart);
    words.extend(asked.map(|by| format!("asked for by @{}", by.login)));
    words.extend(entry.at.as_ref().map(|at| format!("at {at}")));
    let of_both = [
        ("request", &entry.request_signature),
        ("approval", &entry.approval_signature),
    ];
    for (what, key) in of_both {
        words.extend(key.as_ref().map(|key| format!("{what} signed with {key}")));
    }
    if let (Some(term), Some(used)) = (entry.term, entry.used) {
        let end = entry.expires.as_deref().unwrap_or("?");
        words.push(format!("{} until {end}, {}", term.word(), used.word()));
    }
    words.extend(entry.evaluated_again.map(|again| {
        let word = if again {
            "answered for since"
        } else {
            "not evaluated again yet"
        };
        word.to_owned()
    }));
    words.extend(entry.ticket.clone());
    words.push(match (&entry.outcome, &entry.reviewer) {
        (Some(outcome), Some(reviewer)) => format!(
            "{outcome} by @{} at {}",
            reviewer.login,
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
