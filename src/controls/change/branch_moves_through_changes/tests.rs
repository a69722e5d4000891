//! CHG-21: every commit of a move is accounted for.

use super::{BranchMovesThroughChanges, reverts};
use crate::controls::change::arrived_testing::{
    AFTER, BEFORE, arrival, entry, late, moved, proposal, pushed, through,
};
use crate::controls::control::{Control as _, Verdict};
use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};
use crate::facts::{Account, Ancestry, ArrivalMethod, Arrivals, MoveKind, Snapshot, Way};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&BranchMovesThroughChanges {}, facts)
}

fn with(fill: impl FnOnce(&mut Arrivals)) -> Snapshot {
    moved(|arrivals, _| fill(arrivals))
}

fn summary(facts: &Snapshot) -> String {
    let control = BranchMovesThroughChanges {};
    match control.evaluate(facts) {
        Ok(Verdict::Pass(evidence) | Verdict::NotApplicable(evidence)) => {
            evidence.summary().to_owned()
        }
        Ok(Verdict::Fail(failure)) => failure.evidence.summary().to_owned(),
        Err(unknown) => unknown.to_string(),
    }
}

#[test]
fn a_commit_that_came_through_a_change_passes_however_the_platform_merged_it() {
    for method in [
        ArrivalMethod::Merge,
        ArrivalMethod::Squash,
        ArrivalMethod::FastForward,
        ArrivalMethod::Queue,
    ] {
        let facts = with(|arrivals| arrivals.commits[0].way = through(7, method));
        assert_eq!(verdict(&facts), "pass");
        assert!(summary(&facts).contains(method.word()));
    }
}

/// F18: the commits of a rebase merge carry other ids than those of the change.
#[test]
fn f18_every_commit_of_a_rebase_passes() {
    let facts = with(|arrivals| {
        arrivals.commits = vec![
            arrival(AFTER, through(7, ArrivalMethod::Rebase)),
            arrival("a0", through(7, ArrivalMethod::Rebase)),
        ];
        arrivals.count = seen(2);
    });
    assert_eq!(verdict(&facts), "pass");
}

/// F17, and the cheat: hide a push under a clean merge.
#[test]
fn f17_a_direct_push_fails_wherever_it_stands_among_the_new_commits() {
    for place in [0, 1] {
        let facts = with(|arrivals| {
            arrivals.commits = vec![arrival(AFTER, through(7, ArrivalMethod::Merge))];
            arrivals
                .commits
                .insert(place, arrival("d1", pushed(Account::human("eve"))));
            arrivals.count = seen(2);
        });
        assert_eq!(verdict(&facts), "fail direct_push");
        assert!(summary(&facts).contains("d1 was pushed by @eve"));
    }
}

/// F19: just after a merge the index is still empty.
#[test]
fn f19_a_merge_that_the_index_does_not_know_yet_is_unknown_and_no_push() {
    let facts = with(|arrivals| arrivals.commits[0].way = late());
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_push_is_a_push_whatever_else_is_hidden() {
    let facts = with(|arrivals| {
        arrivals.commits[0].way = late();
        arrivals
            .commits
            .push(arrival("d1", pushed(Account::human("eve"))));
        arrivals.count = hidden();
    });
    assert_eq!(verdict(&facts), "fail direct_push");
}

/// The cheat: merge by hand with something else in it; the platform calls it merged.
#[test]
fn a_change_that_somebody_pushed_fails_and_one_whose_merger_is_hidden_is_unknown() {
    let facts = with(|arrivals| {
        arrivals.commits[0].way = through(7, ArrivalMethod::Pushed);
        arrivals.moves = seen(vec![entry(MoveKind::Push, BEFORE, AFTER)]);
    });
    assert_eq!(verdict(&facts), "fail direct_push");
    assert!(summary(&facts).contains("by @eve"));
    let facts = with(|arrivals| {
        arrivals.commits[0].way = seen(Way::Change {
            number: 7,
            method: hidden(),
        });
    });
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_push_by_a_bot_and_the_initial_import_fail_and_are_called_so() {
    let facts = with(|arrivals| {
        arrivals.commits[0].way = pushed(Account::bot("release[bot]"));
    });
    assert_eq!(verdict(&facts), "fail direct_push");
    assert!(summary(&facts).contains("by the bot @release[bot]"));
    let facts = with(|arrivals| {
        arrivals.ancestry = seen(Ancestry::New);
        arrivals.before.commit = None;
        arrivals.commits[0].parents.clear();
        arrivals.commits[0].way = pushed(Account::human("ana"));
    });
    assert_eq!(verdict(&facts), "fail direct_push");
    assert!(summary(&facts).contains("initial import"));
}

#[test]
fn a_list_that_was_cut_off_is_unknown() {
    assert_eq!(
        verdict(&with(|arrivals| arrivals.count = hidden())),
        "unknown"
    );
}

#[test]
fn a_move_without_a_new_commit_passes() {
    let facts = with(|arrivals| {
        arrivals.commits.clear();
        arrivals.count = seen(0);
    });
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn a_revert_is_told_and_decides_nothing() {
    let facts = with(|arrivals| {
        arrivals.commits[0].message =
            "Revert \"Do it\"\n\nThis reverts commit 0123456789abcdef.".to_owned();
    });
    assert_eq!(verdict(&facts), "pass");
    assert!(summary(&facts).contains("it reverts 0123456"));
    assert_eq!(reverts("This reverts commit of yesterday"), None);
    assert_eq!(reverts("This reverts commit 0123456"), Some("0123456"));
}

#[test]
fn a_proposal_moves_no_branch_and_a_move_that_was_not_read_is_unknown() {
    assert_eq!(verdict(&proposal()), "not_applicable");
    assert_eq!(verdict(&nothing_seen()), "unknown");
}
