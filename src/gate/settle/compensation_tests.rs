//! When a passing control makes up for one that the plan does not sell.

use super::*;
use crate::gate::OverrideState;
use crate::gate::testing::{
    FIRST, SECOND, THIRD, command, control, decision, evidence, facts, fail, pass, policy, unknown,
    waiver,
};
use crate::policy::Concession;

fn unsold() -> Result<Verdict, Unknown> {
    Ok(Verdict::fail_because(
        FailReason::Plan,
        evidence("nobody can be made to approve"),
    ))
}

/// The first control with this outcome, compensated by the second.
fn compensated(outcome: Result<Verdict, Unknown>) -> BoundControl {
    BoundControl {
        compensated_by: Some(SECOND.code),
        concession: Some(Concession {
            reason: "the tier lacks it".to_owned(),
            owner: "@acme/security".to_owned(),
            expires: "2026-12-31".parse().expect("a literal date"),
            what: "compensated_by TST-02".to_owned(),
        }),
        ..control(&FIRST, outcome)
    }
}

fn decided(controls: Vec<BoundControl>) -> Decision {
    decision(&policy(controls), &facts())
}

fn disposition(decision: &Decision) -> Option<Disposition> {
    decision.controls[0].disposition
}

#[test]
fn a_fail_for_the_plan_opens_the_gate_if_the_named_control_passes_and_stays_a_fail() {
    let decision = decided(vec![compensated(unsold()), control(&SECOND, pass())]);
    assert_eq!(decision.outcome, Outcome::Allow);
    let first = &decision.controls[0];
    assert_eq!(first.verdict, Some(VerdictWord::Fail));
    assert_eq!(first.disposition, Some(Disposition::Compensated));
    assert_eq!(
        first.summary,
        "nobody can be made to approve; compensated by TST-02 second-thing-done, which passes"
    );
    let by = first.compensation.as_deref();
    assert_eq!(
        by,
        Some(
            "compensated by TST-02 second-thing-done until 2026-12-31, @acme/security: the tier \
             lacks it"
        )
    );
}

#[test]
fn what_does_not_pass_by_itself_makes_up_for_nothing() {
    let not_applicable = || Ok(Verdict::NotApplicable(evidence("it has no meaning")));
    for outcome in [fail(), unsold(), unknown(), not_applicable()] {
        let decision = decided(vec![compensated(unsold()), control(&SECOND, outcome)]);
        assert_eq!(decision.outcome, Outcome::Block);
        assert_eq!(disposition(&decision), Some(Disposition::Open));
        assert_eq!(decision.controls[0].compensation, None);
    }
    let alone = decided(vec![compensated(unsold()), control(&THIRD, pass())]);
    assert_eq!(alone.outcome, Outcome::Block);
}

#[test]
fn a_control_that_would_not_close_the_gate_makes_up_for_nothing() {
    for enforcement in [Enforcement::Warn, Enforcement::Off] {
        let mut second = control(&SECOND, pass());
        second.enforcement = enforcement;
        let decision = decided(vec![compensated(unsold()), second]);
        assert_eq!(decision.outcome, Outcome::Block);
        assert_eq!(disposition(&decision), Some(Disposition::Open));
    }
}

#[test]
fn only_a_fail_for_the_plan_can_be_made_up_for() {
    for (outcome, expected) in [
        (fail(), Outcome::Block),
        (Ok(Verdict::fail(evidence("it is off"))), Outcome::Block),
        (unknown(), Outcome::Undecided),
    ] {
        let decision = decided(vec![compensated(outcome), control(&SECOND, pass())]);
        assert_eq!(decision.outcome, expected);
        assert_eq!(disposition(&decision), Some(Disposition::Open));
    }
}

#[test]
fn a_waived_or_overridden_control_makes_up_for_nothing() {
    let mut waived = policy(vec![compensated(unsold()), control(&SECOND, fail())]);
    waived.waivers = vec![waiver(SECOND.id, "*", "2026-12-31")];
    let decision = decision(&waived, &facts());
    assert_eq!(decision.outcome, Outcome::Block);
    assert_eq!(disposition(&decision), Some(Disposition::Open));
}

#[test]
fn two_controls_cannot_make_up_for_each_other() {
    let second = BoundControl {
        compensated_by: Some(FIRST.code),
        ..control(&SECOND, unsold())
    };
    let decision = decided(vec![compensated(unsold()), second]);
    assert_eq!(decision.outcome, Outcome::Block);
}

#[test]
fn an_override_of_what_is_compensated_is_not_needed() {
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![command()]);
    let policy = policy(vec![compensated(unsold()), control(&SECOND, pass())]);
    let decision = decision(&policy, &facts);
    assert_eq!(disposition(&decision), Some(Disposition::Compensated));
    assert_eq!(decision.overrides[0].state, OverrideState::Unmatched);
}
