//! What an outage lets pass, and what somebody would like to pass off as one.

use super::*;
use crate::controls::Verdict;
use crate::facts::{Comment, Fact};
use crate::gate::record::override_id;
use crate::gate::testing::{
    ABOUT_THE_GATE, FIRST, REASON, SECOND, THIRD, at, command, comment, control, decision, facts,
    fail, pass, policy, record_context, unknown,
};
use crate::gate::{Decision, Disposition, OVERRIDE_RECORD_TYPE, Outcome, OverrideState, records};
use crate::policy::Policy;

fn unanswered() -> Unknown {
    Unknown::new("change.checks", Why::Failed, "the platform answered 503")
        .at("GET /repos/acme/app/rules/branches/main", Some(503))
}

fn away() -> Result<Verdict, Unknown> {
    Err(unanswered())
}

/// What @lead, who may override and had no hand in the change, asks for.
fn request() -> Comment {
    let body = format!("/ccgate override gate_unavailable INC-482 {REASON}");
    comment("901", "lead", "2026-06-01T11:00:00Z", &body)
}

fn approval(by: &str, of: &str) -> Comment {
    let facts = facts();
    let id = override_id(&facts.subject, of, &facts.subject.head);
    let body = format!("/ccgate approve {id}");
    comment("902", by, "2026-06-01T11:10:00Z", &body)
}

fn decided(policy: &Policy, comments: Vec<Comment>) -> Decision {
    let mut facts = facts();
    facts.comments = Fact::known_without_source(comments);
    decision(policy, &facts)
}

fn approved(policy: &Policy) -> Decision {
    decided(policy, vec![request(), approval("sec", "901")])
}

fn dispositions(decision: &Decision) -> Vec<Option<Disposition>> {
    let controls = decision.controls.iter();
    controls.map(|control| control.disposition).collect()
}

#[test]
fn what_the_platform_did_not_answer_passes_once_two_people_say_so_and_stands_on_record() {
    let policy = policy(vec![
        control(&FIRST, away()),
        control(&SECOND, pass()),
        control(&THIRD, away()),
    ]);
    let decision = approved(&policy);
    assert_eq!(decision.outcome, Outcome::Allow);
    let report = &decision.overrides[0];
    assert_eq!(report.state, OverrideState::Accepted, "{}", report.why);
    assert_eq!(report.covers, ["TST-01", "TST-03"]);
    let records = records(&decision, &record_context());
    let given = records
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .unwrap();
    assert_eq!(given["predicate"]["kind"], "gate_unavailable");
    assert_eq!(given["predicate"]["verdict"], "unknown");
    assert_eq!(given["predicate"]["controls"][1], "TST-03");
    assert_eq!(given["predicate"]["control_ids"][0], "first-thing-done");
}

/// The trick: a control failed, and the outage is to cover it as well.
#[test]
fn a_control_that_failed_is_never_covered_and_keeps_the_gate_closed() {
    let policy = policy(vec![control(&FIRST, away()), control(&SECOND, fail())]);
    let decision = approved(&policy);
    assert_eq!(decision.outcome, Outcome::Block);
    assert_eq!(
        dispositions(&decision),
        [Some(Disposition::Overridden), Some(Disposition::Open)]
    );
    let failing = super::super::super::testing::policy(vec![control(&FIRST, fail())]);
    let decision = approved(&failing);
    assert_eq!(decision.outcome, Outcome::Block);
    assert_eq!(decision.overrides[0].state, OverrideState::Unmatched);
    assert!(decision.overrides[0].why.contains("did not answer"));
}

/// The trick: make something unknown in another way, and call that an outage.
#[test]
fn what_is_unknown_for_any_other_reason_is_no_outage() {
    for other in [
        unknown().unwrap_err(),
        Unknown::new(
            "change.commits",
            Why::Failed,
            "the change moved while it was read",
        ),
        unanswered().at("GET /x", Some(429)),
        unanswered().at("GET /x", Some(200)),
        unanswered().at("GET /x", None),
        Unknown {
            why: Why::NotSupported,
            ..unanswered()
        },
        Unknown {
            endpoint: None,
            ..unanswered()
        },
    ] {
        let policy = policy(vec![control(&FIRST, Err(other.clone()))]);
        let decision = approved(&policy);
        assert_eq!(decision.outcome, Outcome::Undecided, "{other:?}");
        assert_eq!(dispositions(&decision), [Some(Disposition::Open)]);
    }
}

#[test]
fn what_is_never_overridden_is_not_covered_by_an_outage_either() {
    let mut policy = policy(vec![
        control(&FIRST, away()),
        control(&ABOUT_THE_GATE, away()),
    ]);
    let decision = approved(&policy);
    assert_eq!(decision.outcome, Outcome::Undecided);
    assert_eq!(decision.overrides[0].covers, ["TST-01"]);
    policy.overrides.never = vec!["first-thing-done".to_owned()];
    let decision = approved(&policy);
    assert_eq!(decision.overrides[0].state, OverrideState::Unmatched);
}

#[test]
fn it_always_takes_two_people_whatever_the_policy_says() {
    let policy = policy(vec![control(&FIRST, away())]);
    assert!(!policy.overrides.second_person);
    let alone = decided(&policy, vec![request()]);
    assert_eq!(alone.outcome, Outcome::Undecided);
    assert_eq!(alone.overrides[0].state, OverrideState::Requested);
    let why = &alone.overrides[0].why;
    assert!(why.contains("takes two people"), "{why}");
    assert!(why.contains("it covers TST-01 and waits"), "{why}");
    for by in ["lead", "tom"] {
        let decision = decided(&policy, vec![request(), approval(by, "901")]);
        assert_eq!(
            decision.outcome,
            Outcome::Undecided,
            "@{by} approves nothing"
        );
    }
}

/// The trick: an approval that was given for one control is to count for all of them.
#[test]
fn an_approval_of_another_override_does_not_count_for_it() {
    let policy = policy(vec![control(&FIRST, away())]);
    let mut asked = command();
    asked.id = "900".to_owned();
    let decision = decided(&policy, vec![asked, approval("sec", "900"), request()]);
    let outage = decision
        .overrides
        .iter()
        .find(|report| report.kind == Kind::GateUnavailable)
        .unwrap();
    assert_eq!(outage.state, OverrideState::Requested);
    let single = decision
        .overrides
        .iter()
        .find(|one| one.kind == Kind::BreakGlass);
    assert_eq!(single.unwrap().covers, ["TST-01"]);
}

#[test]
fn it_ends_with_its_time_is_revoked_by_its_name_and_ends_with_the_outage() {
    let policy = policy(vec![control(&FIRST, away())]);
    let mut late = facts();
    late.comments = Fact::known_without_source(vec![request(), approval("sec", "901")]);
    late.observed_at = at("2026-06-01T15:00:01Z");
    let over = decision(&policy, &late);
    assert_eq!(over.overrides[0].state, OverrideState::Expired);
    let revoked = comment(
        "903",
        "sec",
        "2026-06-01T11:20:00Z",
        "/ccgate revoke gate_unavailable",
    );
    let taken_back = decided(&policy, vec![request(), approval("sec", "901"), revoked]);
    assert_eq!(taken_back.overrides[0].state, OverrideState::Refused);
    let answered = super::super::super::testing::policy(vec![control(&FIRST, pass())]);
    assert_eq!(
        approved(&answered).overrides[0].state,
        OverrideState::Unmatched
    );
}
