//! The section `custom`: controls of the policy's own. Expressions are read here,
//! so that a wrong name is an error with its place, not a surprise at the gate.

use crate::controls::custom::{CODE_PREFIX, CustomControl, Declaration, Expression, Flaw};
use crate::controls::{TABLE, find};
use crate::criteria::Criterion;

use super::choice::{ControlChoice, Definition};
use super::problem::{Report, Spot};
use super::read::{fields, list, source, text};
use super::words::{did_you_mean, quote};
use super::yaml::Node;

/// Keys of one own control.
pub(super) const KEYS: [&str; 11] = [
    "id",
    "title",
    "criteria",
    "when",
    "assert",
    "next",
    "enforce",
    "on_unknown",
    "reason",
    "owner",
    "expires",
];

/// Most own controls of one policy: each may cost time.
pub const MAX_CUSTOM: usize = 50;

/// Longest id.
const MAX_ID: usize = 64;

/// Longest title and next step, in characters.
const MAX_WORDS: usize = 300;

/// Reads the section; `document` is the whole text, to find the place of a word.
pub(super) fn custom_choices(
    node: &Node,
    document: &str,
    report: &mut Report,
) -> Vec<ControlChoice> {
    let mut choices: Vec<ControlChoice> = Vec::new();
    let items = list(node, "`custom`", report).unwrap_or_default();
    if let Some(first) = items.get(MAX_CUSTOM) {
        report.add(
            first.spot,
            format!("there are more than {MAX_CUSTOM} controls under `custom`"),
        );
    }
    for item in items.iter().take(MAX_CUSTOM) {
        let Some(choice) = custom_choice(item, document, report) else {
            continue;
        };
        let id = choice.definition.meta().id;
        match choices.iter().find(|one| one.definition.meta().id == id) {
            Some(first) => report.add_help(
                choice.spot,
                format!("the control `{id}` is given twice"),
                format!("first given in line {}", first.spot.line),
            ),
            None => choices.push(choice),
        }
    }
    choices
}

fn custom_choice(node: &Node, document: &str, report: &mut Report) -> Option<ControlChoice> {
    let what = "a control under `custom`";
    let given = fields(node, what, &KEYS, report)?;
    let id_node = given.need("id", what, report);
    let id = id_node.and_then(|node| id(node, report));
    let title = match given.get("title") {
        Some(node) => words(node, "`title`", report),
        None => id.as_ref().map(|id| id.replace('-', " ")),
    };
    let criteria = given.need("criteria", what, report);
    let criteria = criteria.and_then(|node| criteria_of(node, report));
    let when = match given.get("when") {
        Some(node) => expression(node, "`when`", document, report).map(Some),
        None => Some(None),
    };
    let assert = given.need("assert", what, report);
    let assert = assert.and_then(|node| expression(node, "`assert`", document, report));
    let next = match given.get("next") {
        Some(node) => words(node, "`next`", report).map(Some),
        None => Some(None),
    };
    let declaration = Declaration {
        id: id?,
        title: title?,
        criteria: criteria?,
        when: when?,
        assert: assert?,
        next: next?,
    };
    let spot = id_node.map_or(node.spot, |node| node.spot);
    let mut choice = ControlChoice::of(Definition::Own(CustomControl::new(declaration)), spot);
    for key in ["enforce", "on_unknown", "reason", "owner", "expires"] {
        if let Some(node) = given.get(key) {
            choice.take(key, node, report);
        }
    }
    Some(choice)
}

/// An id that neither is nor ever looks like a built-in one's id or code.
fn id(node: &Node, report: &mut Report) -> Option<String> {
    let id = text(node, "`id`", report)?;
    let kebab = id.len() <= MAX_ID
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
    let like_code = id
        .split_once('-')
        .is_some_and(|(_, rest)| rest.chars().all(|c| c.is_ascii_digit()));
    let prefix = CODE_PREFIX.to_ascii_lowercase();
    if !kebab || like_code || id.starts_with(&prefix) {
        report.add_help(
            node.spot,
            format!("{} is no id for a control of your own", quote(&id)),
            "write what is true when all is well in small letters and dashes, e.g. \
             `release-notes-present`",
        );
        return None;
    }
    if find(&id).is_some() || TABLE.iter().any(|entry| entry.meta.id == id) {
        report.add_help(
            node.spot,
            format!("{} is a control already", quote(&id)),
            "take another id",
        );
        return None;
    }
    Some(id)
}

/// A sentence for people, on one line.
fn words(node: &Node, what: &str, report: &mut Report) -> Option<String> {
    let given = text(node, what, report)?;
    let given = given.trim();
    if given.chars().count() > MAX_WORDS || given.chars().any(char::is_control) {
        report.add(
            node.spot,
            format!("{what} has to be one line of at most {MAX_WORDS} characters"),
        );
        return None;
    }
    Some(given.to_owned())
}

fn criteria_of(node: &Node, report: &mut Report) -> Option<Vec<Criterion>> {
    let items = list(node, "`criteria`", report)?;
    if items.is_empty() {
        report.add_help(
            node.spot,
            "`criteria` is empty".to_owned(),
            "name the criteria that the control serves, e.g. `[CC8.1]`",
        );
        return None;
    }
    let mut criteria = Vec::new();
    for item in items {
        let given = text(item, "an entry of `criteria`", report)?;
        match Criterion::ALL.iter().find(|one| one.id() == given) {
            Some(one) if criteria.contains(one) => {
                report.add(item.spot, format!("{} is given twice", quote(&given)));
            }
            Some(one) => criteria.push(*one),
            None => {
                report.put(
                    item.spot,
                    format!("there is no criterion {}", quote(&given)),
                    did_you_mean(&given, Criterion::ALL.map(Criterion::id)),
                );
                return None;
            }
        }
    }
    Some(criteria)
}

fn expression(node: &Node, what: &str, document: &str, report: &mut Report) -> Option<Expression> {
    let given = source(node, what, report)?;
    match Expression::parse(given) {
        Ok(expression) => Some(expression),
        Err(flaws) => {
            for flaw in flaws {
                let spot = place(&flaw, node.spot, given, document);
                let help = flaw
                    .word
                    .as_ref()
                    .filter(|_| !flaw.known.is_empty())
                    .and_then(|word| did_you_mean(word, flaw.known.iter().map(String::as_str)))
                    .or_else(|| {
                        flaw.known
                            .first()
                            .map(|_| "docs/expressions.md lists the names".to_owned())
                    });
                report.put(spot, format!("{what}: {}", flaw.message), help);
            }
            None
        }
    }
}

/// Where a flaw is in the document, as exactly as the way the text is written allows.
fn place(flaw: &Flaw, start: Spot, given: &str, document: &str) -> Spot {
    let mut lines = document.lines().skip(start.line.saturating_sub(1));
    if let Some(word) = &flaw.word {
        // Folded and quoted texts too: the word stands somewhere behind the start.
        let within = given.lines().count().saturating_add(2);
        for (offset, line) in lines.by_ref().take(within).enumerate() {
            let from = if offset == 0 { start.column } else { 1 };
            if let Some(column) = column_of(word, line, from) {
                return Spot {
                    line: start.line.saturating_add(offset),
                    column,
                };
            }
        }
        return start;
    }
    // A place inside of the text is one in the document if both are a single line.
    let Some((1, column)) = flaw.at else {
        return start;
    };
    let rest: String = lines
        .next()
        .unwrap_or_default()
        .chars()
        .skip(start.column.saturating_sub(1))
        .collect();
    let quoted = usize::from(rest.starts_with(['"', '\'']));
    let unquoted: String = rest.chars().skip(quoted).collect();
    if unquoted.starts_with(given.trim_end()) {
        Spot {
            line: start.line,
            column: start
                .column
                .saturating_add(quoted)
                .saturating_add(column.saturating_sub(1)),
        }
    } else {
        start
    }
}

/// Column, in characters from 1, of a word that stands alone in a line at or behind `from`.
fn column_of(word: &str, line: &str, from: usize) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).find_map(|(at, _)| {
        let column = line[..at].chars().count().saturating_add(1);
        let alone = !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part);
        (alone && column >= from).then_some(column)
    })
}
