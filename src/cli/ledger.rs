//! `ccgate ledger verify` and `ccgate ledger show`: files in, text and exit code out. The
//! caller prints. Everything from the ledger is untrusted and shown with its control
//! characters escaped.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::Value;

use crate::ledger::{self, AllowedSigners, Population, State, Verdict, VerifyOptions};

/// What the command line brings, as texts that were already read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct VerifyInput<'a> {
    /// `ccgate/PLATFORM/REPOSITORY`, if it must be that ledger.
    pub(super) origin: Option<&'a str>,
    /// The text of an `allowed_signers` file.
    pub(super) allowed_signers: Option<&'a str>,
    /// Commit ids or change names that must each have exactly one record.
    pub(super) population: Option<&'a [String]>,
    /// The predicate type which counts for the population.
    pub(super) predicate_type: Option<&'a str>,
    /// The text of an older checkpoint.
    pub(super) trusted: Option<&'a str>,
}

/// Text for stdout and the exit code: 0, or 5 when the ledger does not hold.
pub(super) fn verify(url: &str, input: &VerifyInput<'_>) -> anyhow::Result<(String, u8)> {
    let path = ledger::directory(url)?;
    let allowed = input
        .allowed_signers
        .map(AllowedSigners::parse)
        .transpose()?;
    let options = VerifyOptions {
        origin: input.origin,
        allowed_signers: allowed.as_ref(),
        population: input.population.map(|members| Population {
            members,
            predicate_type: input.predicate_type,
        }),
        trusted: input.trusted,
    };
    let verification = ledger::verify(&path, &options);
    let mut text = String::new();
    let origin = verification.origin.as_deref().unwrap_or("no ledger");
    let _ = writeln!(text, "{}: {} records", plain(origin), verification.size);
    if let Some(root) = &verification.root {
        let _ = writeln!(text, "root {root}");
    }
    for (name, verdict) in [
        ("integrity", &verification.integrity),
        ("completeness", &verification.completeness),
        ("anchored", &verification.anchored),
    ] {
        line(&mut text, name, verdict);
    }
    for note in &verification.notes {
        let _ = writeln!(text, "note: {}", plain(note));
    }
    Ok((text, verification.exit_code()))
}

/// One line a record: number, time, decision, overrides, type, subject.
pub(super) fn show(url: &str) -> anyhow::Result<(String, u8)> {
    let checkpoint = ledger::checkpoint_at(url)?;
    let store = ledger::open(url, &checkpoint.origin, None)?;
    let mut text = String::new();
    let leaves = store
        .read(0..checkpoint.size)
        .context("the ledger cannot be read; run `ccgate ledger verify`")?;
    for (number, leaf) in leaves.iter().enumerate() {
        let statement = ledger::Leaf::parse(leaf)
            .with_context(|| format!("entry {number}"))?
            .statement;
        let _ = writeln!(text, "{number:>6}  {}", describe(&statement));
    }
    let _ = writeln!(
        text,
        "{} records of {}; not verified here, run `ccgate ledger verify`",
        checkpoint.size,
        plain(&checkpoint.origin)
    );
    Ok((text, 0))
}

fn line(text: &mut String, name: &str, verdict: &Verdict) {
    let state = match verdict.state {
        State::Ok => "ok",
        State::Failed => "FAILED",
        State::Unknown => "unknown",
    };
    let _ = writeln!(text, "{name:<13} {state:<8} {}", plain(&verdict.says));
    for problem in verdict.problems.iter().skip(1).take(20) {
        let _ = writeln!(text, "{:22} {}", "", plain(problem));
    }
    if verdict.problems.len() > 21 {
        let _ = writeln!(text, "{:22} and {} more", "", verdict.problems.len() - 21);
    }
}

/// One line about a record: when, what it decided or who overrode what, about which commit.
fn describe(statement: &Value) -> String {
    let text = |pointer: &str| statement.pointer(pointer).and_then(Value::as_str);
    let mut words: Vec<String> = Vec::new();
    // The last part of the type, e.g. `change-record/v1`.
    let kind = text("/predicateType").map(|kind| {
        let parts: Vec<&str> = kind.rsplitn(3, '/').collect();
        parts
            .iter()
            .take(2)
            .rev()
            .copied()
            .collect::<Vec<_>>()
            .join("/")
    });
    words.extend(text("/predicate/observed_at").map(str::to_owned));
    words.extend(kind);
    words.extend(text("/predicate/decision").map(str::to_owned));
    for (label, pointer) in [
        ("", "/predicate/controls/0"),
        ("by @", "/predicate/approver/login"),
        ("", "/predicate/ticket/key"),
        ("until ", "/predicate/expires_at"),
        ("", "/subject/0/name"),
    ] {
        words.extend(text(pointer).map(|value| format!("{label}{value}")));
    }
    plain(&words.join("  "))
}

/// Control and direction characters become visible escapes; the rest stays.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let hidden = character.is_control()
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            let escaped = hidden.then(|| character.escape_unicode());
            let shown = (!hidden).then_some(character);
            escaped.into_iter().flatten().chain(shown)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_hostile_subject_cannot_write_on_the_terminal() {
        let statement = json!({
            "subject": [{"name": "a\u{1b}[2Jb\n::set-output\u{202e}"}],
            "predicateType": "t",
            "predicate": {"decision": "allow\r", "overrides": [1, 2]},
        });
        assert_eq!(
            describe(&statement),
            "t  allow\\u{d}  a\\u{1b}[2Jb\\u{a}::set-output\\u{202e}"
        );
    }
}
