//! What the register tells, as a comment on a change or as an issue. It mentions nobody, holds
//! no link, and no line of it is a command: neither the gate's nor the platform's own.

use std::fmt::Write as _;

use crate::gate::{Attempt, Entry, Register, Standing, Use};

use super::escape::posted;

/// GitHub takes 65,536 characters; a byte is never more than one.
const BUDGET: usize = 60_000;
/// Longest piece of text that others wrote.
const LONGEST: usize = 120;
/// Room for the sentence about what is left out.
const SENTENCE: usize = 200;

/// A notice, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideNotice {
    /// The whole text; its first line is the marker.
    pub text: String,
    /// Whether there is anything to tell: an override, a breach or somebody who asks for one.
    pub tells: bool,
    /// Whether somebody has to do something.
    pub wanting: bool,
}

/// The first line of a notice: which tool made it, what it is, and of which place.
///
/// # Errors
/// The path of the repository has characters that no platform takes.
pub fn notice_marker(repository: &str, change: Option<u64>) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if !repository.bytes().all(plain) {
        return Err(format!(
            "`{repository}` is no path of a repository: letters, digits, `.`, `_`, `-` and `/`"
        ));
    }
    let repository = repository.to_ascii_lowercase();
    Ok(match change {
        Some(change) => format!("<!-- ccgate:overrides:{repository}:{change} -->"),
        None => format!("<!-- ccgate:overrides:{repository} -->"),
    })
}

/// The comment on a change: everything that went around the gate there, or should have.
pub fn notice_of_change(register: &Register, marker: &str, change: u64) -> OverrideNotice {
    let of_it = |of: Option<u64>| of == Some(change);
    let entries: Vec<&Entry> = sorted(register)
        .into_iter()
        .filter(|entry| of_it(entry.change))
        .collect();
    let (asking, in_vain): (Vec<&Attempt>, Vec<&Attempt>) = register
        .attempts
        .iter()
        .filter(|attempt| of_it(attempt.change))
        .partition(|attempt| is_asking(attempt));
    let sections = [
        Section::of("Overrides and breaches", entries.iter().map(|one| row(one))),
        Section::of("Waiting for approval", asking.iter().map(|one| asked(one))),
        Section::of("In vain", in_vain.iter().map(|one| failed(one))),
    ];
    OverrideNotice {
        text: fitted(
            &format!("{marker}\n### ccgate: overrides of this change\n\n"),
            &sections,
            BUDGET,
        ),
        tells: !(entries.is_empty() && asking.is_empty()),
        wanting: entries.iter().any(|entry| entry.standing.is_open()) || !asking.is_empty(),
    }
}

/// The issue of a repository: what somebody has to do, then sums.
pub fn notice_of_repository(register: &Register, marker: &str) -> OverrideNotice {
    let entries = sorted(register);
    let rows = |wanted: fn(&Entry) -> bool| {
        let of_it = entries.iter().filter(move |entry| wanted(entry));
        of_it.map(|entry| row(entry)).collect::<Vec<_>>()
    };
    let overdue = rows(|entry| entry.standing == Standing::Overdue && !entry.is_breach());
    let breaches = rows(|entry| entry.standing.is_open() && entry.is_breach());
    let open = rows(|entry| entry.standing == Standing::Open && !entry.is_breach());
    let unused = rows(|entry| !entry.standing.is_open() && entry.used == Some(Use::Waiting));
    let asking: Vec<String> = register
        .attempts
        .iter()
        .filter(|attempt| is_asking(attempt))
        .map(asked)
        .collect();
    let wanting = ![&overdue, &breaches, &open]
        .iter()
        .all(|rows| rows.is_empty());
    let tells = !(entries.is_empty() && asking.is_empty());
    let sums = register.sums();
    let controls = sums.controls.iter().map(|one| {
        format!(
            "{}: {} overrides, {} breaches, {} overdue",
            posted(&one.code, LONGEST),
            one.overrides,
            one.breaches,
            one.overdue
        )
    });
    let people = sums.people.iter().map(|one| {
        format!(
            "{}: asked for {}, answers for {}, reviewed {}, {} in vain",
            posted(&one.login, LONGEST),
            one.asked,
            one.given,
            one.reviewed,
            one.in_vain
        )
    });
    let head = format!(
        "{marker}\n### ccgate: overrides of this repository\n\n{} overdue, {} breaches without \
         review, {} open, {} asked for and not approved, {} on record in all\n\n",
        overdue.len(),
        breaches.len(),
        open.len(),
        asking.len(),
        entries.len()
    );
    let sections = [
        Section::of("Overdue", overdue),
        Section::of("Breaches without review", breaches),
        Section::of("Open", open),
        Section::of("Reviewed, and not used yet", unused),
        Section::of("Per control", controls),
        Section::of("Waiting for approval", asking),
        // Last, because a stranger can make these long.
        Section::of("Per person", people),
    ];
    OverrideNotice {
        text: fitted(&head, &sections, BUDGET),
        tells,
        wanting,
    }
}

/// What is most urgent comes first, and is left out last.
fn sorted(register: &Register) -> Vec<&Entry> {
    let mut entries: Vec<&Entry> = register.entries.iter().collect();
    entries.sort_by_key(|entry| match entry.standing {
        Standing::Overdue => 0,
        Standing::Open => 1,
        Standing::ReviewedLate => 2,
        Standing::Reviewed => 3,
    });
    entries
}

fn is_asking(attempt: &Attempt) -> bool {
    attempt.kind == "override" && attempt.state == "requested"
}

struct Section {
    title: &'static str,
    rows: Vec<String>,
}

impl Section {
    fn of(title: &'static str, rows: impl IntoIterator<Item = String>) -> Self {
        Self {
            title,
            rows: rows.into_iter().collect(),
        }
    }
}

/// All sections that fit, in their order, and how many lines did not.
fn fitted(head: &str, sections: &[Section], budget: usize) -> String {
    const FOOT: &str = "\nWritten by `ccgate override notify` from the ledger, and changed in place; signatures are \
                        not looked at here, `ccgate ledger verify` does. It asks for nothing, approves nothing and \
                        reviews nothing, and an answer counts only as a comment of its own on a change.\n";
    let mut text = head.to_owned();
    let room = budget.saturating_sub(FOOT.len() + SENTENCE);
    let mut left_out = 0_usize;
    for section in sections {
        let mut title = Some(format!("**{}**\n\n", section.title));
        for row in &section.rows {
            let needed = row.len() + 3 + title.as_ref().map_or(0, String::len);
            if text.len() + needed > room {
                left_out += 1;
                continue;
            }
            text.push_str(&title.take().unwrap_or_default());
            let _ = writeln!(text, "- {row}");
        }
        if title.is_none() {
            text.push('\n');
        }
    }
    if sections.iter().all(|section| section.rows.is_empty()) {
        text.push_str("Nothing is on record.\n");
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "**{left_out} more lines did not fit here; `ccgate override list` shows them all.**"
        );
    }
    text + FOOT
}

/// One override or breach.
fn row(entry: &Entry) -> String {
    let codes = entry.controls.join(", ");
    let mut words = vec![format!(
        "**{}** {} {} of {}",
        entry.standing.words(),
        posted(&entry.kind, LONGEST),
        id(&entry.id),
        posted(&codes, LONGEST)
    )];
    words.extend(entry.change.map(|change| format!("change {change}")));
    let name = |login: &str| posted(login, LONGEST);
    if let Some(by) = &entry.requester {
        words.push(format!("asked for by {}", name(&by.login)));
    }
    if let Some(by) = &entry.by {
        let word = if entry.approved_apart {
            "approved by"
        } else {
            "given by"
        };
        words.push(format!("{word} {}", name(&by.login)));
    }
    for one in entry.involved.iter().flatten().take(10) {
        words.push(format!("{} had a hand in it", name(&one.login)));
    }
    words.extend(entry.at.as_ref().map(|at| format!("at {}", name(at))));
    if let (Some(term), Some(used)) = (entry.term, entry.used) {
        let end = entry.expires.as_deref().unwrap_or("?");
        let (term, used) = (term.word(), used.word());
        words.push(format!("{term}, until {}, {used}", name(end)));
    }
    words.extend(entry.evaluated_again.map(|again| {
        let word = if again {
            "answered for since"
        } else {
            "not evaluated again yet"
        };
        word.to_owned()
    }));
    let ticket = entry.ticket.as_ref();
    words.extend(ticket.map(|ticket| format!("ticket {}", name(ticket))));
    let reviewed = entry.outcome.as_ref().zip(entry.reviewer.as_ref());
    words.extend(reviewed.map(|(outcome, by)| {
        format!(
            "{} by {} at {}",
            name(outcome),
            name(&by.login),
            name(entry.reviewed_at.as_deref().unwrap_or("?"))
        )
    }));
    let mut text = words.join(", ");
    if reviewed.is_none() {
        let due = entry.due.as_deref().unwrap_or("?");
        let _ = write!(text, "; to be reviewed by {}", name(due));
        if let Some(id) = own_id(&entry.id) {
            let _ = write!(
                text,
                ": somebody of `allowed_by` with no hand in it comments \
                 `/ccgate review {id} ratified` (or `reverted`, or `follow_up` and a ticket)"
            );
        }
    }
    text
}

/// An override that somebody asked for and nobody approved.
fn asked(attempt: &Attempt) -> String {
    let mut text = attempted(attempt);
    if let Some(id) = own_id(&attempt.id) {
        let _ = write!(
            text,
            "; somebody else of `allowed_by` with no hand in the change comments \
             `/ccgate approve {id}`"
        );
    }
    text
}

/// What opened nothing, and why.
fn failed(attempt: &Attempt) -> String {
    format!(
        "{}, {}{}: {}",
        attempted(attempt),
        posted(&attempt.state, LONGEST),
        if attempt.self_approved {
            ", self-approved"
        } else {
            ""
        },
        posted(&attempt.why, LONGEST)
    )
}

fn attempted(attempt: &Attempt) -> String {
    let by = attempt.by.as_ref().map_or("?", |by| by.login.as_str());
    let what = attempt.control.as_deref().unwrap_or(&attempt.id);
    let change = attempt
        .change
        .map_or_else(String::new, |change| format!(" on change {change}"));
    format!(
        "{} of {}{change} by {}",
        attempt.kind,
        posted(what, LONGEST),
        posted(by, LONGEST)
    )
}

/// An id as ccgate makes them, which may stand in a command that people copy.
fn own_id(id: &str) -> Option<&str> {
    let rest = id
        .strip_prefix("ovr_")
        .or_else(|| id.strip_prefix("byp_"))?;
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (plain && !rest.is_empty() && rest.len() <= 64).then_some(id)
}

fn id(text: &str) -> String {
    own_id(text).map_or_else(|| posted(text, LONGEST), |id| format!("`{id}`"))
}

#[cfg(test)]
mod tests;
