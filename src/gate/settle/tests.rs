//! How verdicts, waivers and modes become an outcome.

use super::*;
use crate::gate::testing::{
    FIRST, GITLAB_ONLY, SECOND, THIRD, at, awaiting, control, decision, facts, fail, pass, policy,
    unknown, waiver,
};
use crate::gate::{WaiverState, evaluate};
use crate::policy::BranchScope;
use globset::{Glob, GlobSet};

fn outcome_of(controls: Vec<BoundControl>) -> Outcome {
    decision(&policy(controls), &facts()).outcome
}

#[test]
fn the_worst_open_verdict_decides() {
    let pass = || control(&FIRST, pass());
    let fail = || control(&SECOND, fail());
    let unknown = || control(&THIRD, unknown());
    let pending = || control(&GITLAB_ONLY, awaiting(Awaiting::Approval));
    assert_eq!(outcome_of(vec![pass()]), Outcome::Allow);
    assert_eq!(outcome_of(vec![pass(), unknown(), fail()]), Outcome::Block);
    assert_eq!(outcome_of(vec![pass(), unknown()]), Outcome::Undecided);
    // Not a thing of this platform, whatever it would say.
    assert_eq!(outcome_of(vec![pass(), pending()]), Outcome::Allow);
    let waiting = control(&SECOND, awaiting(Awaiting::Approval));
    assert_eq!(outcome_of(vec![waiting, unknown()]), Outcome::Undecided);
    let waiting = control(&SECOND, awaiting(Awaiting::Approval));
    assert_eq!(outcome_of(vec![pass(), waiting]), Outcome::Pending);
}

#[test]
fn warnings_are_shown_and_never_close_the_gate() {
    let mut warned = control(&FIRST, fail());
    warned.enforcement = Enforcement::Warn;
    let mut unseen = control(&SECOND, unknown());
    unseen.on_unknown = OnUnknown::Warn;
    let decision = decision(&policy(vec![warned, unseen]), &facts());
    assert_eq!(decision.outcome, Outcome::Allow);
    for control in &decision.controls {
        assert_eq!(control.disposition, Some(Disposition::Advisory));
    }
}

#[test]
fn an_unknown_that_may_be_warned_about_does_not_soften_a_fail() {
    let mut failed = control(&FIRST, fail());
    failed.on_unknown = OnUnknown::Warn;
    assert_eq!(outcome_of(vec![failed]), Outcome::Block);
}

#[test]
fn advisory_mode_speaks_and_allows() {
    let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, unknown())]);
    policy.mode = Mode::Advisory;
    let decision = decision(&policy, &facts());
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.controls[0].verdict, Some(VerdictWord::Fail));
    assert_eq!(
        decision.controls[0].disposition,
        Some(Disposition::Advisory)
    );
}

#[test]
fn a_control_that_nobody_judged_is_unknown() {
    let policy = policy(vec![control(&FIRST, pass())]);
    assert_eq!(decide(&policy, &facts(), &[]).outcome, Outcome::Undecided);
}

#[test]
fn a_policy_without_controls_lets_nothing_through() {
    let decision = decision(&policy(vec![]), &facts());
    assert_eq!(decision.outcome, Outcome::Undecided);
    assert!(decision.problem.is_some());
}

#[test]
fn a_control_that_is_off_stays_in_the_decision() {
    let mut off = control(&FIRST, fail());
    off.enforcement = Enforcement::Off;
    let decision = decision(&policy(vec![off]), &facts());
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.controls[0].verdict, None);
    assert_eq!(
        decision.notes[0].message,
        "every control of the policy is switched off"
    );
}

#[test]
fn a_branch_out_of_scope_is_recorded_as_such_and_never_green() {
    let mut policy = policy(vec![control(&FIRST, fail())]);
    policy.branches = Some(BranchScope {
        globs: vec!["release/*".to_owned()],
        set: GlobSet::builder()
            .add(Glob::new("release/*").expect("a literal glob"))
            .build()
            .expect("a small set"),
    });
    let seen = decision(&policy, &facts());
    // A green result sticks to the commit, and the change can be retargeted.
    assert_eq!(seen.outcome, Outcome::Undecided);
    assert!(
        seen.problem
            .is_some_and(|problem| problem.contains("`main`"))
    );
    assert_eq!(
        seen.controls[0].summary,
        "branch `main` is not in the policy's scope"
    );

    // The trick: a flag that names another branch than the platform does.
    let mut lied = facts();
    if let Fact::Known { value, .. } = &mut lied.identity {
        value.target_branch = "release/1".to_owned();
    }
    assert_eq!(decision(&policy, &lied).outcome, Outcome::Block);

    let mut nameless = facts();
    nameless.subject.target.clear();
    assert_eq!(decision(&policy, &nameless).outcome, Outcome::Undecided);
}

#[test]
fn what_another_platform_has_is_not_applicable_here() {
    let policy = policy(vec![control(&FIRST, pass()), control(&GITLAB_ONLY, fail())]);
    let evaluations = evaluate(&policy, &mut facts());
    let decision = decide(&policy, &facts(), &evaluations);
    assert_eq!(
        decision.controls[1].verdict,
        Some(VerdictWord::NotApplicable)
    );
}

#[test]
fn every_non_pass_has_a_next_step() {
    let decision = decision(
        &policy(vec![control(&FIRST, fail()), control(&SECOND, unknown())]),
        &facts(),
    );
    let next: Vec<_> = decision
        .controls
        .iter()
        .map(|c| c.next.as_deref())
        .collect();
    assert_eq!(
        next,
        [
            Some("mend it on GitHub"),
            Some("grant `Administration: read` to the token")
        ]
    );
    for why in [
        Why::NotPermitted,
        Why::HiddenOrAbsent,
        Why::NotSupported,
        Why::NotCollected,
        Why::Stale,
        Why::Failed,
    ] {
        assert!(!mend(&Unknown::new("x.y", why, "z")).is_empty());
    }
}

#[test]
fn what_no_token_can_mend_is_not_asked_of_a_token() {
    let report = Unknown::new(
        "scan.results",
        Why::NotSupported,
        "the report says too little",
    );
    let variable = Unknown::new("change.tickets", Why::NotPermitted, "not set").needs("`JIRA_URL`");
    let decision = decision(
        &policy(vec![
            control(&FIRST, Err(report)),
            control(&SECOND, Err(variable)),
        ]),
        &facts(),
    );
    let next = |index: usize| decision.controls[index].next.as_deref();
    assert_eq!(next(0), Some("mend it on GitHub"));
    assert_eq!(next(1), Some("set `JIRA_URL`"));
}

#[test]
fn a_waiver_covers_a_non_pass_and_an_idle_or_expired_one_is_a_finding() {
    let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    policy.waivers = vec![
        waiver("first-thing-done", "ACME/*", "2026-06-01"),
        waiver("second-thing-done", "*", "2026-06-30"),
        waiver("first-thing-done", "*", "2026-05-31"),
        waiver("first-thing-done", "acme/legacy-*", "2026-06-30"),
        waiver("first-thing-done", "*", "2026-08-31"),
    ];
    let decision = decision(&policy, &facts());
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.controls[0].verdict, Some(VerdictWord::Fail));
    assert_eq!(decision.controls[0].disposition, Some(Disposition::Waived));
    let states: Vec<_> = decision.waivers.iter().map(|waiver| waiver.state).collect();
    assert_eq!(
        states,
        [
            WaiverState::Applied,
            WaiverState::Unmatched,
            WaiverState::Expired,
            WaiverState::NotYet
        ]
    );
    assert_eq!(decision.notes.len(), 3);
}

#[test]
fn an_expired_waiver_covers_nothing() {
    let mut policy = policy(vec![control(&FIRST, fail())]);
    policy.waivers = vec![waiver("first-thing-done", "*", "2026-05-31")];
    assert_eq!(decision(&policy, &facts()).outcome, Outcome::Block);
}

#[test]
fn a_slow_clock_of_the_machine_prolongs_no_waiver() {
    let mut policy = policy(vec![control(&FIRST, fail())]);
    policy.waivers = vec![waiver("first-thing-done", "*", "2026-06-01")];
    let mut facts = facts();
    assert_eq!(decision(&policy, &facts).outcome, Outcome::Allow);
    facts.platform_time = Fact::known_without_source(at("2026-06-02T00:00:00Z"));
    assert_eq!(decision(&policy, &facts).outcome, Outcome::Block);
}

#[test]
fn a_waiver_with_a_far_end_covers_nothing_until_its_last_ninety_days() {
    let mut policy = policy(vec![control(&FIRST, fail())]);
    policy.waivers = vec![waiver("first-thing-done", "*", "2026-08-31")];
    let mut facts = facts();
    let outcome = |facts: &Snapshot| decision(&policy, facts).outcome;
    assert_eq!(outcome(&facts), Outcome::Block, "91 days are left");
    // A fast clock of the machine begins nothing.
    facts.platform_time = Fact::known_without_source(facts.observed_at);
    facts.observed_at = at("2026-06-02T00:00:00Z");
    assert_eq!(outcome(&facts), Outcome::Block);
    facts.platform_time = Fact::known_without_source(at("2026-06-02T00:00:00Z"));
    assert_eq!(outcome(&facts), Outcome::Allow);
}
