//! What stands between this gate and its work, from facts alone: what could be
//! read and what the gaps cost, whether the policy holds, whether the gate is
//! required, started, owned and pinned. It reports, it decides nothing, and what
//! was not seen is never called well.

mod guard;
mod owners;
mod plain;
mod sight;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::controls::guarding::POLICY;
use crate::facts::{Account, Fact, Snapshot, Unknown, Why};
use crate::policy::{LoadError, Policy};

use super::integrity::{Integrity, integrity};
pub use sight::{Cost, Gap, OF_A_CHANGE, Unread};

/// The control that names the gate's own check.
const GUARD: &str = "gate-guards-itself";
/// The name of the gate's check unless the policy says otherwise.
const CHECK: &str = "ccgate";

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Which server answers.
    Server,
    /// Whose tokens ask.
    Identity,
    /// The groups of facts that were read.
    CanRead,
    /// What was not read, and what that costs.
    CannotRead,
    /// The policy in force.
    Policy,
    /// Whether a merge waits for the gate.
    Required,
    /// Who can go around the rules of the branch.
    Bypass,
    /// What starts the gate.
    Triggers,
    /// Who owns what the gate is made of.
    CodeOwners,
    /// How hard the gate is to cheat.
    Integrity,
}

impl Area {
    /// The words, as they stand in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Identity => "identity",
            Self::CanRead => "can read",
            Self::CannotRead => "can't read",
            Self::Policy => "policy",
            Self::Required => "required",
            Self::Bypass => "bypass",
            Self::Triggers => "triggers",
            Self::CodeOwners => "code owners",
            Self::Integrity => "integrity",
        }
    }
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Seen, and well.
    Ok,
    /// Seen, and it could be better.
    Weak,
    /// Not seen.
    Unknown,
    /// Seen, and the gate does not hold like this.
    Bad,
}

impl State {
    /// The word, as it stands in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Weak => "weak",
            Self::Unknown => "unknown",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub area: Area,
    /// How it stands.
    pub state: State,
    /// What was seen: lower case, no final period.
    pub sentence: String,
    /// More about it, a line each.
    pub details: Vec<String>,
    /// What would make it better.
    pub next: Option<String>,
}

impl Finding {
    fn new(area: Area, state: State, sentence: impl Into<String>) -> Self {
        Self {
            area,
            state,
            sentence: sentence.into(),
            details: Vec::new(),
            next: None,
        }
    }

    /// Something that was not seen, with its reason and what would mend it.
    fn unseen(area: Area, what: &str, unknown: &Unknown) -> Self {
        Self::new(area, State::Unknown, format!("{what}: {}", reason(unknown)))
            .next_if(unknown.needs.as_ref().map(|needs| format!("grant {needs}")))
    }

    fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    fn next(self, step: impl Into<String>) -> Self {
        self.next_if(Some(step.into()))
    }

    fn next_if(mut self, step: Option<String>) -> Self {
        self.next = step;
        self
    }
}

/// Why something is not known, in words that are true after everything was asked for.
fn reason(unknown: &Unknown) -> String {
    match unknown.why {
        Why::NotCollected => "this version does not ask this platform for it".to_owned(),
        Why::NotPermitted
        | Why::HiddenOrAbsent
        | Why::NotSupported
        | Why::Stale
        | Why::Failed
        | Why::NotComputable => unknown.detail.clone(),
    }
}

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Patient<'a> {
    /// The facts, everything asked for.
    pub facts: &'a Snapshot,
    /// The policy in force, or why there is none.
    pub policy: Result<&'a Policy, &'a LoadError>,
    /// Address of the API.
    pub api: &'a str,
    /// For whom the token of the change acts.
    pub reader: &'a Fact<Account>,
    /// For whom the token of settings acts; `None`: it is the same token.
    pub settings_reader: Option<&'a Fact<Account>>,
}

impl Patient<'_> {
    /// A text parameter of the control about the gate, if a policy is there to say so.
    fn parameter(&self, name: &str, default: &str) -> String {
        self.policy
            .ok()
            .and_then(|policy| {
                policy
                    .controls
                    .iter()
                    .find(|bound| bound.control.meta().id == GUARD)
            })
            .map(|bound| bound.control.parameters())
            .and_then(|parameters| {
                parameters
                    .get(name)
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            })
            .unwrap_or_else(|| default.to_owned())
    }
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Name of the gate's own check.
    pub check: String,
    /// In order of area.
    pub findings: Vec<Finding>,
    /// Names of the groups of facts that were read whole.
    pub read: Vec<&'static str>,
    /// Names of those that were read in part.
    pub in_part: Vec<&'static str>,
    /// What was not read, by what would mend it; what costs most comes first.
    pub gaps: Vec<Gap>,
    /// How hard the gate is to cheat.
    pub integrity: Integrity,
    /// Whether neither the repository nor the rules of its branch could be read.
    pub blind: bool,
}

/// Looks at everything.
pub fn diagnose(patient: Patient<'_>) -> Diagnosis {
    let check = patient.parameter("check", CHECK);
    let gaps = sight::gaps(&patient);
    let (read, in_part) = sight::read(patient.facts, &gaps);
    let integrity = integrity(patient.facts, &check);
    let mut findings = vec![plain::server(&patient), plain::identity(&patient)];
    // Without the branches there is nothing that a decision could rest on.
    let blind = !patient.facts.repository.default_branch.is_known()
        && !patient.facts.branch_rules.is_known();
    if blind {
        // One reason hides everything; what each gap costs would only bury it.
        findings.extend(sight::nothing_read(&patient));
    } else {
        findings.push(sight::can_read(&patient, &read, &in_part));
        findings.extend(gaps.iter().map(sight::cannot_read));
    }
    findings.push(plain::policy(&patient));
    findings.push(guard::required(patient.facts, &check));
    findings.push(guard::bypass(patient.facts));
    findings.push(guard::triggers(patient.facts, &check));
    findings.push(owners::code_owners(
        patient.facts,
        &check,
        &patient.parameter("policy", POLICY),
    ));
    findings.push(plain::level(&integrity));
    Diagnosis {
        check,
        findings,
        read,
        in_part,
        gaps,
        integrity,
        blind,
    }
}
