//! Tests of the policy room by theme, and the few words they share.

mod compensation;
mod concessions;
mod custom;
mod diff;
mod findings;
mod floor;
mod hostile;
mod presets;
mod problems;
mod signers;
mod values;

use jiff::Timestamp;

use crate::facts::{Fact, PolicyDocument, PolicyFacts};

use super::{LoadError, Policy, Problems, load};

/// The moment of every test that does not say otherwise.
const NOW: &str = "2026-06-01T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a literal timestamp")
}

fn document(origin: &str, text: &str) -> PolicyDocument {
    PolicyDocument {
        origin: origin.to_owned(),
        commit: Some("1c".repeat(20)),
        digest: "sha256:unused".to_owned(),
        text: text.to_owned(),
    }
}

/// The policy given by hand: no floor.
fn given(text: &str) -> PolicyFacts {
    PolicyFacts {
        target: Fact::known_without_source(Some(document("p.yml", text))),
        floor: Fact::known_without_source(None),
    }
}

/// A branch's policy over the default branch's.
fn over(target: &str, floor: &str) -> PolicyFacts {
    PolicyFacts {
        target: Fact::known_without_source(Some(document("branch.yml", target))),
        floor: Fact::known_without_source(Some(document("default.yml", floor))),
    }
}

fn loaded(documents: &PolicyFacts) -> Policy {
    loaded_at(documents, NOW)
}

fn loaded_at(documents: &PolicyFacts, now: &str) -> Policy {
    match load(documents, at(now)) {
        Ok(policy) => policy,
        Err(error) => panic!("the policy does not load: {error}"),
    }
}

/// Every problem as `line:column: message (help)`.
fn problems(text: &str) -> Vec<String> {
    match load(&given(text), at(NOW)) {
        Err(LoadError::Invalid(Problems(problems))) => problems
            .iter()
            .map(|problem| problem.to_string().replacen("p.yml:", "", 1))
            .collect(),
        Err(other) => panic!("not invalid but: {other}"),
        Ok(_) => Vec::new(),
    }
}

/// The only problem.
fn problem(text: &str) -> String {
    let mut all = problems(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// The notes as `place: message`.
fn notes(policy: &Policy) -> Vec<String> {
    policy
        .notes
        .iter()
        .map(|note| match &note.place {
            Some(place) => format!("{place}: {}", note.message),
            None => note.message.clone(),
        })
        .collect()
}
