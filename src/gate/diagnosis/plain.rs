//! What can be read off directly: the server, whose tokens ask, the policy in
//! force, and the level of integrity.

use crate::facts::{Account, Fact};
use crate::gate::integrity::{Integrity, IntegrityLevel};
use crate::policy::{Enforcement, LoadError, Mode};

use super::{Area, Finding, Patient, State, reason};

pub(super) fn server(patient: &Patient<'_>) -> Finding {
    let api = patient.api;
    match &patient.facts.settings.server {
        Fact::Known { value, .. } => {
            let version = value
                .version
                .as_ref()
                .map_or_else(|| "cloud".to_owned(), Clone::clone);
            let sentence = format!("{} {version}, API {api}", value.product);
            Finding::new(Area::Server, State::Ok, sentence)
        }
        Fact::Unknown(unknown) => Finding::unseen(
            Area::Server,
            &format!("API {api}; product and version are not known"),
            unknown,
        ),
    }
}

pub(super) fn identity(patient: &Patient<'_>) -> Finding {
    let requests = &patient.facts.requests;
    let spent = format!(
        "{} spent in {}",
        counted(requests.count, "request"),
        counted(requests.waves, "wave")
    );
    let readers = [Some(patient.reader), patient.settings_reader];
    let hidden = readers
        .into_iter()
        .flatten()
        .find_map(|reader| reader.known().err());
    let name = |reader: &Fact<Account>| match reader {
        Fact::Known { value, .. } => format!("@{}", value.login),
        Fact::Unknown(_) => "an account that is not known".to_owned(),
    };
    let sentence = match patient.settings_reader {
        None => format!("{} reads the change and the settings", name(patient.reader)),
        Some(settings) => format!(
            "{} reads the change, {} reads the settings",
            name(patient.reader),
            name(settings)
        ),
    };
    let state = if hidden.is_some() {
        State::Unknown
    } else {
        State::Ok
    };
    let mut finding = Finding::new(Area::Identity, state, sentence).detail(spent);
    if let Some(unknown) = hidden {
        finding = finding
            .detail(reason(&unknown))
            .next_if(unknown.needs.map(|needs| format!("grant {needs}")));
    }
    finding
}

pub(super) fn policy(patient: &Patient<'_>) -> Finding {
    let policy = match patient.policy {
        Ok(policy) => policy,
        Err(LoadError::Unreadable(unknown)) => {
            return Finding::unseen(Area::Policy, "the policy could not be read", unknown);
        }
        Err(LoadError::Missing) => {
            return Finding::new(
                Area::Policy,
                State::Bad,
                "neither the target branch nor the default branch has a `.ccgate.yml`",
            )
            .next("write one of two lines: `version: 1` and `extends: [soc2-baseline]`");
        }
        Err(LoadError::Invalid(problems)) => {
            let count = u32::try_from(problems.0.len()).unwrap_or(u32::MAX);
            let mut finding = Finding::new(
                Area::Policy,
                State::Bad,
                format!("the policy is not valid: {}", counted(count, "problem")),
            )
            .next("mend each of them; `ccgate policy lint` checks the file before it is pushed");
            finding.details = problems.0.iter().map(ToString::to_string).collect();
            return finding;
        }
    };
    let count = |enforcement: Enforcement| {
        policy
            .controls
            .iter()
            .filter(|bound| bound.enforcement == enforcement)
            .count()
    };
    let blocking = count(Enforcement::Block);
    let sentence = format!(
        "{}, valid, mode {}: {blocking} controls block, {} warn, {} are off",
        policy.source.origin,
        policy.mode.word(),
        count(Enforcement::Warn),
        count(Enforcement::Off)
    );
    let (state, next) = match (policy.mode, blocking) {
        (_, 0) => (
            State::Weak,
            Some("let at least one control block, or nothing ever closes the gate"),
        ),
        (Mode::Advisory, _) => (
            State::Weak,
            Some("set `mode: enforce`, so that a failure closes the gate"),
        ),
        (Mode::Enforce, _) => (State::Ok, None),
    };
    let mut finding = Finding::new(Area::Policy, state, sentence).next_if(next.map(str::to_owned));
    finding.details = policy
        .notes
        .iter()
        .map(|note| match &note.place {
            Some(place) => format!("{place}: {}", note.message),
            None => note.message.clone(),
        })
        .collect();
    finding
}

pub(super) fn level(integrity: &Integrity) -> Finding {
    let (state, sentence) = match integrity.level {
        IntegrityLevel::G0 => (
            State::Bad,
            "G0: everybody who can push gets around the gate",
        ),
        IntegrityLevel::G1 => (State::Weak, "G1: required and owned"),
        IntegrityLevel::G2 => (State::Ok, "G2: the change cannot edit what judges it"),
        IntegrityLevel::G3 => (State::Ok, "G3: answers under an identity of its own"),
        IntegrityLevel::G4 => (State::Ok, "G4: imposed from above, nobody goes around it"),
    };
    // A level that is not proven may be higher: that is no proof that it is low.
    let (state, sentence) = match (state, integrity.unknown.is_empty()) {
        (State::Ok, _) => (State::Ok, sentence),
        (_, true) => (state, sentence),
        (_, false) => (
            State::Unknown,
            match integrity.level {
                IntegrityLevel::G0 => "G0: nothing higher is proven",
                _ => sentence,
            },
        ),
    };
    let mut finding =
        Finding::new(Area::Integrity, state, sentence).next_if(integrity.next.clone());
    finding.details = integrity
        .unknown
        .iter()
        .map(|unknown| format!("not proven: {}: {}", unknown.fact, reason(unknown)))
        .collect();
    finding.details.dedup();
    finding
}

/// `1 request`, `2 requests`.
fn counted(count: u32, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}
