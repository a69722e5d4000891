//! Snapshot literals for the tests of controls: everything unknown, and only
//! what the case is about filled in.

use jiff::Timestamp;

use crate::controls::control::{Control, Verdict};
use crate::facts::{
    BranchRules, Demand, Fact, Layer, LayerKind, Platform, Requirement, Snapshot, Subject, Unknown,
};

/// The moment of every test.
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a literal timestamp")
}

/// Nothing has been seen of change 7 in `acme/app`.
pub(crate) fn nothing_seen() -> Snapshot {
    Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: "f1".repeat(20),
            target: "main".to_owned(),
        },
        at(NOW),
        "ccgate test".to_owned(),
    )
}

pub(crate) fn hidden<T>() -> Fact<T> {
    Fact::Unknown(Unknown::not_collected("test.hidden"))
}

pub(crate) fn demand<T>(layer: &str, value: Fact<T>) -> Demand<T> {
    Demand {
        layer: layer.to_owned(),
        value,
    }
}

/// Branch rules of which only one ruleset is known; the case fills in the rest.
pub(crate) fn branch(fill: impl FnOnce(&mut BranchRules)) -> Snapshot {
    fn unseen<T>() -> Requirement<T> {
        Requirement::any_layer(vec![demand("ruleset \"main\"", hidden())])
    }
    let mut rules = BranchRules {
        branch: "main".to_owned(),
        layers: vec![Layer {
            id: "ruleset \"main\"".to_owned(),
            kind: LayerKind::Ruleset,
            bypass: hidden(),
        }],
        not_in_plan: Vec::new(),
        protected: unseen(),
        pull_request_required: unseen(),
        approvals_required: unseen(),
        stale_approvals_dismissed: unseen(),
        required_checks: unseen(),
        skipped_checks_block: unseen(),
        force_push_blocked: unseen(),
        deletion_blocked: unseen(),
    };
    fill(&mut rules);
    let mut facts = nothing_seen();
    facts.branch_rules = Fact::known_without_source(rules);
    facts
}

/// The verdict as a short word: `pass`, `fail`, `fail <reason>`, `fail pending`, `not_applicable`, `unknown`.
pub(crate) fn verdict_of<C: Control>(control: &C, facts: &Snapshot) -> String {
    match control.evaluate(&facts.restricted_to(&C::META.needed())) {
        Ok(Verdict::Pass(_)) => "pass".to_owned(),
        Ok(Verdict::Fail(failure)) => {
            let mut word = "fail".to_owned();
            if let Some(reason) = failure.reason {
                word.push(' ');
                word.push_str(reason.code());
            }
            if failure.awaiting.is_some() {
                word.push_str(" pending");
            }
            word
        }
        Ok(Verdict::NotApplicable(_)) => "not_applicable".to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
