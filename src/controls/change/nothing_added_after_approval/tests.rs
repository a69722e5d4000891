//! CHG-19: what was merged is what was approved.

use super::NothingAddedAfterApproval;
use crate::controls::change::arrived_testing::{AFTER, arrival, moved, proposal, pushed, through};
use crate::controls::testing::{
    approval, at, hidden, nothing_seen, older, push, seen, stale, untied, verdict_of,
};
use crate::facts::{Account, ArrivalMethod, Arrivals, ArrivedChange, PushKind, Review, Snapshot};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&NothingAddedAfterApproval::default(), facts)
}

fn with(fill: impl FnOnce(&mut Arrivals, &mut ArrivedChange)) -> String {
    verdict(&moved(fill))
}

#[test]
fn a_change_that_was_merged_as_approved_passes() {
    assert_eq!(with(|_, _| {}), "pass");
}

/// F15: approved, then something else pushed, then merged.
#[test]
fn f15_an_approval_of_an_older_head_fails() {
    assert_eq!(
        with(|_, change| change.reviews = seen(vec![stale("li")])),
        "fail added_after_approval"
    );
}

/// F21: the approval precedes a later commit, by the clock of a platform that ties
/// approvals to no commit.
#[test]
fn f21_an_approval_before_the_last_push_fails_by_the_clock() {
    let pushed_at = |time: &str| {
        with(|_, change| {
            change.reviews = seen(vec![untied("li", "2026-06-01T11:00:00Z")]);
            change.pushes = seen(vec![push(PushKind::Push, time, "ana")]);
        })
    };
    assert_eq!(
        pushed_at("2026-06-01T11:00:01Z"),
        "fail added_after_approval"
    );
    assert_eq!(pushed_at("2026-06-01T10:59:59Z"), "pass");
}

/// The cheat: push to the branch of the change while it is merged.
#[test]
fn a_merge_commit_that_merges_something_else_than_the_last_head_fails() {
    assert_eq!(
        with(|arrivals, _| arrivals.commits[0].parents[1] = older()),
        "fail added_after_approval"
    );
}

#[test]
fn a_squash_is_held_against_the_approval_only() {
    assert_eq!(
        with(|arrivals, _| {
            arrivals.commits[0] = arrival(AFTER, through(7, ArrivalMethod::Squash));
            arrivals.commits[0].parents.truncate(1);
        }),
        "pass"
    );
}

#[test]
fn an_approval_after_the_merge_does_not_count() {
    assert_eq!(
        with(|_, change| {
            change.reviews = seen(vec![Review {
                submitted_at: seen(at("2026-06-01T11:30:01Z")),
                ..approval("li")
            }]);
        }),
        "fail added_after_approval"
    );
}

#[test]
fn an_approval_that_was_carried_forward_counts_unless_the_policy_refuses_it() {
    let facts = moved(|_, change| {
        change.pushes = seen(vec![push(
            PushKind::ForcePush,
            "2026-06-01T11:10:00Z",
            "ana",
        )]);
    });
    assert_eq!(verdict(&facts), "pass");
    let strict = NothingAddedAfterApproval {
        allow_carried_forward: false,
        ..NothingAddedAfterApproval::default()
    };
    assert_eq!(verdict_of(&strict, &facts), "fail added_after_approval");
}

#[test]
fn what_decides_and_is_hidden_makes_it_unknown() {
    assert_eq!(with(|_, change| change.identity = hidden()), "unknown");
    assert_eq!(with(|_, change| change.reviews = hidden()), "unknown");
    assert_eq!(with(|arrivals, _| arrivals.count = hidden()), "unknown");
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
