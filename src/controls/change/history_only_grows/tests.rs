//! CHG-22: nothing that stood on the branch is gone.

use super::HistoryOnlyGrows;
use crate::controls::change::arrived_testing::{AFTER, BEFORE, entry, moved, proposal};
use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};
use crate::facts::{Ancestry, Arrivals, MoveKind};

fn verdict(fill: impl FnOnce(&mut Arrivals)) -> String {
    verdict_of(&HistoryOnlyGrows {}, &moved(|arrivals, _| fill(arrivals)))
}

#[test]
fn a_tip_that_continues_the_old_one_passes() {
    assert_eq!(verdict(|_| {}), "pass");
}

#[test]
fn a_force_push_fails_whatever_else_is_hidden() {
    assert_eq!(
        verdict(|arrivals| arrivals.ancestry = seen(Ancestry::Rewritten)),
        "fail history_rewritten"
    );
    assert_eq!(
        verdict(|arrivals| {
            arrivals.ancestry = seen(Ancestry::Rewritten);
            arrivals.moves = hidden();
            arrivals.count = hidden();
        }),
        "fail history_rewritten"
    );
}

/// The cheat: push something away and back again between two looks.
#[test]
fn what_was_pushed_away_and_back_again_fails() {
    let away_and_back = |arrivals: &mut Arrivals| {
        arrivals.moves = seen(vec![
            entry(MoveKind::Push, "e1", AFTER),
            entry(MoveKind::Push, BEFORE, "e1"),
        ]);
    };
    assert_eq!(verdict(away_and_back), "fail history_rewritten");
    assert_eq!(
        verdict(|arrivals| {
            away_and_back(arrivals);
            arrivals.reached = hidden();
        }),
        "unknown"
    );
    assert_eq!(
        verdict(|arrivals| {
            arrivals.moves = seen(vec![entry(MoveKind::ForcePush, BEFORE, AFTER)]);
        }),
        "fail history_rewritten"
    );
}

#[test]
fn several_moves_that_all_stand_in_the_history_pass() {
    assert_eq!(
        verdict(|arrivals| {
            arrivals.moves = seen(vec![
                entry(MoveKind::Merge, "e1", AFTER),
                entry(MoveKind::Push, BEFORE, "e1"),
            ]);
            arrivals.reached = seen(vec![AFTER.to_owned(), "e1".to_owned()]);
        }),
        "pass"
    );
}

/// The cheat: delete the branch and make it anew.
#[test]
fn a_new_branch_passes_unless_the_log_knew_it_before() {
    let new = |arrivals: &mut Arrivals| {
        arrivals.ancestry = seen(Ancestry::New);
        arrivals.before.commit = None;
    };
    assert_eq!(verdict(new), "pass");
    assert_eq!(
        verdict(|arrivals| {
            new(arrivals);
            arrivals.earlier_life = seen(true);
        }),
        "fail history_rewritten"
    );
    assert_eq!(
        verdict(|arrivals| {
            new(arrivals);
            arrivals.earlier_life = hidden();
        }),
        "unknown"
    );
}

#[test]
fn hidden_ancestry_or_a_hidden_log_is_unknown() {
    assert_eq!(verdict(|arrivals| arrivals.ancestry = hidden()), "unknown");
    assert_eq!(verdict(|arrivals| arrivals.moves = hidden()), "unknown");
}

#[test]
fn a_proposal_moves_no_branch_and_a_move_that_was_not_read_is_unknown() {
    assert_eq!(
        verdict_of(&HistoryOnlyGrows {}, &proposal()),
        "not_applicable"
    );
    assert_eq!(verdict_of(&HistoryOnlyGrows {}, &nothing_seen()), "unknown");
}
