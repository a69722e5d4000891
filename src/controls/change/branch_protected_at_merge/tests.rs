use super::*;
use crate::controls::change::arrived_testing::{moved as branch_moved, proposal};
use crate::controls::testing::{at, demand, hidden, identity, nothing_seen, seen, verdict_of};
use crate::facts::{BranchRules, Fact, Layer, LayerKind, RulesBefore, Subject};

const LAYER: &str = "ruleset \"main\"";

fn rules(approvals: Fact<u32>) -> BranchRules {
    let mut rules = BranchRules::unseen(
        "main",
        Layer::of_repository(LAYER, LayerKind::Ruleset, hidden()),
        &Unknown::not_collected("test.hidden"),
    );
    rules.pull_request_required.demands = vec![demand(LAYER, seen(true))];
    rules.approvals_required.demands = vec![demand(LAYER, approvals)];
    rules.force_push_blocked.demands = vec![demand(LAYER, seen(true))];
    rules.deletion_blocked.demands = vec![demand(LAYER, seen(true))];
    rules
}

fn before(when: &str, rules: BranchRules) -> Fact<RulesBefore> {
    seen(RulesBefore {
        seen_at: at(when),
        digest: "sha256:00".to_owned(),
        signed_by: None,
        rules: seen(rules),
    })
}

/// Merged at 11:30, with the same rules a day before and now.
fn protected() -> Snapshot {
    let mut facts = branch_moved(|_, _| {});
    facts.branch_rules = seen(rules(seen(1)));
    facts.rules_before = before("2026-05-31T12:00:00Z", rules(seen(1)));
    facts
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&BranchProtectedAtMerge::default(), facts)
}

#[test]
fn rules_before_and_after_pass_and_a_proposal_is_not_judged() {
    assert_eq!(verdict(&protected()), "pass");
    let mut open = proposal();
    open.identity = seen(identity("ana"));
    assert_eq!(verdict(&open), "not_applicable");
}

#[test]
fn a_single_merged_change_is_judged_by_its_own_time() {
    let mut facts = proposal();
    let mut merged = identity("ana");
    merged.state = ChangeState::Merged;
    merged.merged_at = Some(at("2026-06-01T11:30:00Z"));
    facts.identity = seen(merged.clone());
    facts.branch_rules = seen(rules(seen(1)));
    facts.rules_before = before("2026-06-01T11:00:00Z", rules(seen(1)));
    assert_eq!(verdict(&facts), "pass");
    merged.merged_at = None;
    facts.identity = seen(merged);
    assert_eq!(verdict(&facts), "unknown");
}

/// The cheat: the rules were switched on for the audit, or off after the snapshot.
#[test]
fn a_rule_that_is_missing_at_either_time_fails() {
    let mut late = protected();
    late.rules_before = before("2026-05-31T12:00:00Z", rules(seen(0)));
    assert_eq!(verdict(&late), "fail unprotected");
    let mut off = protected();
    off.branch_rules = seen(rules(seen(0)));
    assert_eq!(verdict(&off), "fail unprotected");
}

/// The cheat: a snapshot of another day.
#[test]
fn a_snapshot_from_after_the_merge_or_from_long_before_proves_nothing() {
    for when in ["2026-06-01T11:30:01Z", "2026-05-25T11:29:59Z"] {
        let mut facts = protected();
        facts.rules_before = before(when, rules(seen(1)));
        assert_eq!(verdict(&facts), "unknown", "{when}");
    }
    let mut facts = protected();
    facts.rules_before = before("2026-05-25T11:30:00Z", rules(seen(1)));
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn what_is_hidden_is_unknown() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    for hide in [
        (|facts| facts.rules_before = hidden()) as fn(&mut Snapshot),
        |facts| facts.branch_rules = hidden(),
        |facts| facts.arrivals = hidden(),
        |facts| facts.arrived_changes = hidden(),
        |facts| facts.branch_rules = seen(rules(hidden())),
        |facts| facts.rules_before = before("2026-05-31T12:00:00Z", rules(hidden())),
    ] {
        let mut facts = protected();
        hide(&mut facts);
        assert_eq!(verdict(&facts), "unknown");
    }
    let subject: Subject = protected().subject;
    assert_eq!(subject.target, "main");
}

#[test]
fn an_older_snapshot_is_weaker() {
    let older = BranchProtectedAtMerge { max_age_hours: 169 };
    let base = BranchProtectedAtMerge::default();
    assert!(older.weaker_than(&base).is_some());
    assert!(base.weaker_than(&older).is_none());
}
