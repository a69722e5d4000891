//! One value of a policy at a time: its type, its bounds, its place. Whatever
//! is wrong goes into the report, and reading goes on with the next value.

use globset::{Glob, GlobBuilder};
use jiff::SignedDuration;
use jiff::civil::Date;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Number, Value};

use super::problem::{Report, Spot};
use super::words::{did_you_mean, quote};
use super::yaml::{Key, Kind, Node};

/// Largest compiled pattern, so that a hostile one costs no memory.
const MAX_PATTERN: usize = 1024 * 1024;

/// Longest time that can be written, in days. Longer ones are mistakes.
const MAX_DAYS: u64 = 3660;

/// A mapping whose keys are all known.
pub(super) struct Fields<'n> {
    /// Where the mapping starts.
    pub(super) spot: Spot,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(key, _)| key.text == name)
            .map(|(_, node)| node)
    }

    /// The value of a key that has to be there.
    pub(super) fn need(&self, name: &str, what: &str, report: &mut Report) -> Option<&'n Node> {
        let found = self.get(name);
        if found.is_none() {
            report.add(self.spot, format!("{what} lacks `{name}`"));
        }
        found
    }
}

/// A mapping with no other keys than these.
pub(super) fn fields<'n>(
    node: &'n Node,
    what: &str,
    known: &[&str],
    report: &mut Report,
) -> Option<Fields<'n>> {
    let entries = entries(node, what, report)?;
    for (key, _) in entries {
        if !known.contains(&key.text.as_str()) {
            report.put(
                key.spot,
                format!("{what} has no key {}", quote(&key.text)),
                did_you_mean(&key.text, known.iter().copied()),
            );
        }
    }
    Some(Fields {
        spot: node.spot,
        entries,
    })
}

/// A mapping with whatever keys.
pub(super) fn entries<'n>(
    node: &'n Node,
    what: &str,
    report: &mut Report,
) -> Option<&'n [(Key, Node)]> {
    if let Kind::Map(entries) = &node.kind {
        return Some(entries);
    }
    wrong(node, what, "a mapping, e.g. `{}`", report);
    None
}

/// A list.
pub(super) fn list<'n>(node: &'n Node, what: &str, report: &mut Report) -> Option<&'n [Node]> {
    if let Kind::List(items) = &node.kind {
        return Some(items);
    }
    wrong(node, what, "a list, e.g. `[]`", report);
    None
}

/// Text that is not empty.
pub(super) fn text(node: &Node, what: &str, report: &mut Report) -> Option<String> {
    match &node.kind {
        Kind::Scalar { text, plain } => match scalar(text, *plain) {
            Value::String(text) if text.trim().is_empty() => {
                report.add(node.spot, format!("{what} is empty"));
                None
            }
            Value::String(text) => Some(text),
            Value::Null => {
                report.add(node.spot, format!("{what} is empty"));
                None
            }
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                report.add_help(
                    node.spot,
                    format!("{what} has to be text, found {}", found(node)),
                    "put it in quotes",
                );
                None
            }
        },
        Kind::List(_) | Kind::Map(_) => {
            wrong(node, what, "text", report);
            None
        }
    }
}

/// An expression: whatever was written, `true` and numbers too.
pub(super) fn source<'n>(node: &'n Node, what: &str, report: &mut Report) -> Option<&'n str> {
    match &node.kind {
        Kind::Scalar { text, .. } if text.trim().is_empty() => {
            report.add(node.spot, format!("{what} is empty"));
            None
        }
        Kind::Scalar { text, .. } => Some(text),
        Kind::List(_) | Kind::Map(_) => {
            wrong(node, what, "an expression", report);
            None
        }
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    node: &Node,
    what: &str,
    known: &[(&str, T)],
    report: &mut Report,
) -> Option<T> {
    let given = text(node, what, report)?;
    let hit = known.iter().find(|(word, _)| *word == given);
    if hit.is_none() {
        report.put(
            node.spot,
            format!("{what} knows no {}", quote(&given)),
            did_you_mean(&given, known.iter().map(|(word, _)| *word)),
        );
    }
    hit.map(|(_, value)| *value)
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node, what: &str, report: &mut Report) -> Option<bool> {
    if let Value::Bool(value) = json(node) {
        return Some(value);
    }
    wrong(node, what, "`true` or `false`", report);
    None
}

/// A whole number, not negative.
pub(super) fn count(node: &Node, what: &str, report: &mut Report) -> Option<u64> {
    let value = json(node).as_u64();
    if value.is_none() {
        wrong(node, what, "a whole number", report);
    }
    value
}

/// `@somebody` or `@org/team`.
pub(super) fn handle(node: &Node, what: &str, report: &mut Report) -> Option<String> {
    let given = text(node, what, report)?;
    let name = given.strip_prefix('@').unwrap_or_default();
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '@') {
        report.add(
            node.spot,
            format!(
                "{what} has to be a user or team such as \"@ana\" or \"@acme/security\", found {}",
                quote(&given)
            ),
        );
        return None;
    }
    Some(given)
}

/// A day, `YYYY-MM-DD`.
pub(super) fn date(node: &Node, what: &str, report: &mut Report) -> Option<Date> {
    let given = raw(node);
    let shaped = given.len() == 10
        && given.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let day = given.parse::<Date>().ok().filter(|_| shaped);
    if day.is_none() {
        report.add_help(
            node.spot,
            format!("{what} is no date: {}", found(node)),
            "write a day of the calendar as YYYY-MM-DD, e.g. 2027-01-31",
        );
    }
    day
}

/// A time such as `30m`, `24h` or `7d`, longer than nothing.
pub(super) fn duration(node: &Node, what: &str, report: &mut Report) -> Option<SignedDuration> {
    let span = parse_duration(raw(node));
    if span.is_none() {
        report.add_help(
            node.spot,
            format!("{what} is no time span: {}", found(node)),
            "write a number and `m`, `h`, `d` or `w`, e.g. `24h`",
        );
    }
    span
}

/// A number and a unit, longer than nothing and not longer than is sensible.
pub fn parse_duration(given: &str) -> Option<SignedDuration> {
    let unit = given.chars().last()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return None,
    };
    let number = &given[..given.len() - unit.len_utf8()];
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let total = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    if total == 0 || total > MAX_DAYS * 24 * 60 * 60 {
        return None;
    }
    i64::try_from(total).ok().map(SignedDuration::from_secs)
}

/// A time for people: `24h`, `3 days`, `1 business day`; kept as written.
pub(super) fn deadline(node: &Node, what: &str, report: &mut Report) -> Option<String> {
    let given = text(node, what, report)?;
    let words: Vec<_> = given.split_whitespace().collect();
    let number = words.first().and_then(|word| word.parse::<u16>().ok());
    let units: &[&str] = match number {
        Some(1) => &["day", "business day", "week", "hour"],
        _ => &["days", "business days", "weeks", "hours"],
    };
    let spelt = number.is_some_and(|number| number > 0)
        && units.contains(&words.get(1..).unwrap_or_default().join(" ").as_str());
    if spelt || parse_duration(&given).is_some() {
        return Some(given);
    }
    report.add_help(
        node.spot,
        format!("{what} is no time span: {}", quote(&given)),
        "e.g. `1 business day`, `3 days` or `24h`",
    );
    None
}

/// A glob over names of branches or paths; `*` stops at `/` only if `stop` says so.
pub(super) fn glob(node: &Node, what: &str, stop: bool, report: &mut Report) -> Option<Glob> {
    let given = text(node, what, report)?;
    match GlobBuilder::new(&given).literal_separator(stop).build() {
        Ok(glob) => Some(glob),
        Err(error) => {
            report.add(
                node.spot,
                format!("{what} is no glob: {}: {}", quote(&given), error.kind()),
            );
            None
        }
    }
}

/// A regular expression that has to match as a whole.
pub(super) fn whole_pattern(node: &Node, what: &str, report: &mut Report) -> Option<Regex> {
    let given = text(node, what, report)?;
    check_pattern(&given, node.spot, what, report)?;
    // Compiled alone first: `a)|(b` would break out of the group.
    build(&format!(r"\A(?:{given})\z")).ok()
}

/// Whether this is a regular expression.
pub(super) fn check_pattern(
    given: &str,
    spot: Spot,
    what: &str,
    report: &mut Report,
) -> Option<()> {
    match build(given) {
        Ok(_) => Some(()),
        Err(error) => {
            let reason = match &error {
                regex::Error::CompiledTooBig(_) => "it is too big".to_owned(),
                // The last line of the message says what; those before draw where.
                error => error
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned(),
            };
            report.add(
                spot,
                format!(
                    "{what} is no regular expression: {}: {reason}",
                    quote(given)
                ),
            );
            None
        }
    }
}

fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build()
}

/// The text as written, whatever it looks like; nothing for a list or a mapping.
pub(super) fn raw(node: &Node) -> &str {
    match &node.kind {
        Kind::Scalar { text, .. } => text,
        Kind::List(_) | Kind::Map(_) => "",
    }
}

/// The value as JSON, typed as YAML 1.2's core schema does it.
pub(super) fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { text, plain } => scalar(text, *plain),
        Kind::List(items) => Value::Array(items.iter().map(json).collect()),
        Kind::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, node)| (key.text.clone(), json(node)))
                .collect::<Map<_, _>>(),
        ),
    }
}

fn scalar(text: &str, plain: bool) -> Value {
    if !plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// Only what reads the same to everybody: no octal, no leading zero, no underscore.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let numeric = |c: char| c.is_ascii_digit() || c == '.';
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(numeric) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// A value in words, for "found …".
pub(super) fn found(node: &Node) -> String {
    match json(node) {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(value) => format!("the number `{value}`"),
        Value::String(value) => quote(&value),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

fn wrong(node: &Node, what: &str, wanted: &str, report: &mut Report) {
    report.add(
        node.spot,
        format!("{what} has to be {wanted}, found {}", found(node)),
    );
}
