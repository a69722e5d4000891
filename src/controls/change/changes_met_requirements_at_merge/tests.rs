//! CHG-20: what a change was worth when it was merged.

use super::ChangesMetRequirementsAtMerge;
use crate::controls::change::arrived_testing::{
    AFTER, arrival, change, late, moved, proposal, pushed, through,
};
use crate::controls::control::Control as _;
use crate::controls::testing::{approval, at, check, hidden, nothing_seen, seen, verdict_of};
use crate::facts::{
    Account, AccountRef, ArrivalMethod, ArrivedChange, BypassActor, BypassKind, BypassMode,
    CheckConclusion, Fact, Layer, LayerKind, Review, ReviewState, RuleBypass, RuleBypasses,
    Snapshot,
};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ChangesMetRequirementsAtMerge::default(), facts)
}

fn with(fill: impl FnOnce(&mut ArrivedChange)) -> Snapshot {
    moved(|_, change| fill(change))
}

#[test]
fn a_change_that_was_approved_and_green_when_merged_passes() {
    assert_eq!(verdict(&with(|_| {})), "pass");
}

/// F16: merging is no approval, whoever merges.
#[test]
fn f16_a_change_that_nobody_approved_fails_whoever_merged_it() {
    let facts = with(|change| change.reviews = seen(Vec::new()));
    assert_eq!(verdict(&facts), "fail merged_past_gate");
}

/// The cheat: merge as an administrator and have it approved afterwards.
#[test]
fn an_approval_after_the_merge_comes_too_late() {
    let facts = with(|change| {
        change.reviews = seen(vec![Review {
            submitted_at: seen(at("2026-06-01T11:30:01Z")),
            ..approval("li")
        }]);
    });
    assert_eq!(verdict(&facts), "fail merged_past_gate");
}

#[test]
fn a_request_for_changes_that_stood_at_the_merge_takes_the_approval_away() {
    let facts = with(|change| {
        change.reviews = seen(vec![
            approval("li"),
            Review {
                submitted_at: seen(at("2026-06-01T11:10:00Z")),
                state: ReviewState::ChangesRequested,
                ..approval("li")
            },
        ]);
    });
    assert_eq!(verdict(&facts), "fail merged_past_gate");
}

#[test]
fn an_approval_by_somebody_who_wrote_it_or_a_red_check_fails() {
    let facts = with(|change| change.reviews = seen(vec![approval("ana")]));
    assert_eq!(verdict(&facts), "fail merged_past_gate");
    for conclusion in [Some(CheckConclusion::Failure), None] {
        let facts = with(|change| change.checks = seen(vec![check("test", conclusion.clone())]));
        assert_eq!(verdict(&facts), "fail merged_past_gate");
    }
}

/// The cheat: several merges in one push of which only one is clean.
#[test]
fn every_change_of_the_move_is_judged() {
    let mut facts = moved(|arrivals, _| {
        arrivals
            .commits
            .push(arrival("a0", through(8, ArrivalMethod::Squash)));
        arrivals.count = seen(2);
    });
    assert_eq!(verdict(&facts), "unknown", "change 8 was not read");
    let mut eight = ArrivedChange {
        number: 8,
        ..change()
    };
    eight.reviews = seen(Vec::new());
    facts.arrived_changes = seen(Some(vec![change(), eight]));
    assert_eq!(verdict(&facts), "fail merged_past_gate");
}

#[test]
fn a_bypass_that_the_platform_recorded_fails() {
    let with = |after: &str, since: &str| {
        let mut facts = moved(|_, _| {});
        facts.bypasses = seen(Some(RuleBypasses {
            since: at(since),
            found: vec![RuleBypass::of_move(
                after,
                Some(AccountRef::of_login("eve")),
            )],
            early_since: None,
            unseen: None,
        }));
        verdict(&facts)
    };
    let month = "2026-05-04T12:00:00Z";
    assert_eq!(with(AFTER, month), "fail merged_past_gate");
    assert_eq!(with("other", month), "pass");
    assert_eq!(
        with("other", "2026-06-01T11:45:00Z"),
        "unknown",
        "the list begins after the merge"
    );
}

#[test]
fn a_hidden_list_of_bypasses_is_unknown_unless_the_policy_does_without_it() {
    let mut facts = moved(|_, _| {});
    facts.bypasses = hidden();
    assert_eq!(verdict(&facts), "unknown");
    let without = ChangesMetRequirementsAtMerge {
        recorded_bypasses: false,
        ..ChangesMetRequirementsAtMerge::default()
    };
    assert_eq!(verdict_of(&without, &facts), "pass");
    assert!(
        without
            .weaker_than(&ChangesMetRequirementsAtMerge::default())
            .is_some()
    );
    assert!(
        ChangesMetRequirementsAtMerge::default()
            .weaker_than(&without)
            .is_none()
    );
}

/// A clean push under a layer that these can go around.
fn under(kind: LayerKind, bypass: Fact<Vec<BypassActor>>) -> Snapshot {
    let mut facts = moved(|_, _| {});
    if let Fact::Known { value, .. } = &mut facts.branch_rules {
        value
            .layers
            .push(Layer::of_repository("rules", kind, bypass));
    }
    facts
}

/// The cheat: nothing is on the list because nothing is written there.
#[test]
fn a_list_that_somebody_is_exempt_from_is_not_whole() {
    let with = |mode| {
        let actor = BypassActor {
            kind: BypassKind::App,
            name: "app quiet".to_owned(),
            mode,
        };
        under(LayerKind::Ruleset, seen(vec![actor]))
    };
    assert_eq!(verdict(&with(BypassMode::Always)), "pass");
    assert_eq!(verdict(&with(BypassMode::PullRequest)), "pass");
    assert_eq!(
        verdict(&with(BypassMode::Other("new".to_owned()))),
        "unknown"
    );
    let mut facts = with(BypassMode::Exempt);
    let unknown = ChangesMetRequirementsAtMerge::default().evaluate(&facts);
    let said = unknown.unwrap_err().to_string();
    assert!(
        said.contains("app quiet does, who is exempt from rules"),
        "{said}"
    );
    let without = ChangesMetRequirementsAtMerge {
        recorded_bypasses: false,
        ..ChangesMetRequirementsAtMerge::default()
    };
    assert_eq!(verdict_of(&without, &facts), "pass");
    facts.bypasses = seen(Some(RuleBypasses {
        since: at("2026-05-04T12:00:00Z"),
        found: vec![RuleBypass::of_move(AFTER, None)],
        early_since: None,
        unseen: None,
    }));
    assert_eq!(verdict(&facts), "fail merged_past_gate");
    facts.bypasses = seen(None);
    assert_eq!(
        verdict(&facts),
        "pass",
        "where no list is kept none has gaps"
    );
}

#[test]
fn it_has_to_be_seen_who_is_exempt_from_a_ruleset() {
    assert_eq!(verdict(&under(LayerKind::Ruleset, hidden())), "unknown");
    assert_eq!(
        verdict(&under(LayerKind::ClassicProtection, hidden())),
        "pass"
    );
    let mut facts = moved(|_, _| {});
    facts.branch_rules = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_platform_that_keeps_no_such_list_is_judged_by_what_there_is() {
    let mut facts = moved(|_, _| {});
    facts.bypasses = seen(None);
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn what_decides_and_is_hidden_makes_it_unknown() {
    let cases: [fn(&mut ArrivedChange); 5] = [
        |change| change.identity = hidden(),
        |change| change.reviews = hidden(),
        |change| change.commits = hidden(),
        |change| change.checks = hidden(),
        |change| {
            if let Fact::Known { value, .. } = &mut change.identity {
                value.merged_at = None;
            }
        },
    ];
    for case in cases {
        assert_eq!(verdict(&with(case)), "unknown");
    }
    let facts = moved(|arrivals, _| {
        arrivals.commits.push(arrival("a0", late()));
    });
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_move_without_a_change_is_for_others_to_judge() {
    let facts = moved(|arrivals, _| {
        arrivals.commits = vec![arrival(AFTER, pushed(Account::human("eve")))];
    });
    assert_eq!(verdict(&facts), "not_applicable");
    assert_eq!(verdict(&proposal()), "not_applicable");
    assert_eq!(verdict(&nothing_seen()), "unknown");
}
