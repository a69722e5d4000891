//! CHG-03: what was approved, and what was pushed afterwards.

use super::ApprovalCoversHead;
use crate::controls::change::approver_is_independent::ApproverIsIndependent;
use crate::controls::control::Control as _;
use crate::controls::testing::{
    approval, commit, head, hidden, identity, older, person, push, reviewed, seen, stale, untied,
    verdict_of,
};
use crate::facts::{ChangeState, PushKind, Review, Snapshot};

const BEFORE: &str = "2026-06-01T10:00:00Z";
const THEN: &str = "2026-06-01T11:00:00Z";
const AFTER: &str = "2026-06-01T11:30:00Z";

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ApprovalCoversHead::default(), facts)
}

fn strict() -> ApprovalCoversHead {
    ApprovalCoversHead {
        min: 1,
        allow_carried_forward: false,
    }
}

/// Carol wrote a part of the change that ana opened.
fn with_carol(mut facts: Snapshot) -> Snapshot {
    let mut commit = commit(head(), "ana");
    commit.co_authors.push(person("carol"));
    facts.commits = seen(vec![commit]);
    facts
}

#[test]
fn an_approval_of_the_head_passes() {
    assert_eq!(verdict(&reviewed(vec![approval("bob")])), "pass");
}

#[test]
fn no_approval_fails_and_waits_for_one() {
    assert_eq!(verdict(&reviewed(vec![])), "fail pending");
}

/// F15, F21: approved, then the author pushed more.
#[test]
fn f15_f21_an_approval_of_an_older_commit_fails() {
    assert_eq!(
        verdict(&reviewed(vec![stale("bob")])),
        "fail stale_approval pending"
    );
}

/// F15 where approvals are tied to no commit: the platform's clock decides.
#[test]
fn f15_f21_an_approval_before_the_last_push_fails_where_only_the_clock_tells() {
    let mut facts = reviewed(vec![untied("bob", THEN)]);
    facts.pushes = seen(vec![
        push(PushKind::Push, BEFORE, "ana"),
        push(PushKind::Push, AFTER, "ana"),
    ]);
    assert_eq!(verdict(&facts), "fail stale_approval pending");
    facts.pushes = seen(vec![push(PushKind::Push, BEFORE, "ana")]);
    assert_eq!(verdict(&facts), "pass");
}

/// The cheat: commit dates are the author's to choose, so there is nothing to look at them with.
#[test]
fn an_approval_whose_time_is_hidden_is_unknown_where_only_the_clock_tells() {
    let mut facts = reviewed(vec![Review {
        submitted_at: hidden(),
        ..untied("bob", THEN)
    }]);
    facts.pushes = seen(vec![push(PushKind::Push, BEFORE, "ana")]);
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_change_without_any_listed_push_is_unknown_where_only_the_clock_tells() {
    assert_eq!(verdict(&reviewed(vec![untied("bob", THEN)])), "unknown");
}

#[test]
fn an_approval_speaks_for_no_head_that_the_change_has_left() {
    let mut facts = reviewed(vec![untied("bob", AFTER)]);
    facts.pushes = seen(vec![push(PushKind::Push, BEFORE, "ana")]);
    let mut moved = identity("ana");
    moved.head = older();
    facts.identity = seen(moved);
    assert_eq!(verdict(&facts), "fail stale_approval pending");
}

#[test]
fn a_commit_that_the_platform_does_not_tell_is_unknown() {
    let facts = reviewed(vec![Review {
        commit: hidden(),
        ..approval("bob")
    }]);
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn an_approval_carried_over_a_later_force_push_passes_unless_the_policy_refuses_it() {
    let mut facts = reviewed(vec![approval("bob")]);
    facts.pushes = seen(vec![push(PushKind::ForcePush, AFTER, "ana")]);
    assert_eq!(verdict(&facts), "pass");
    assert_eq!(verdict_of(&strict(), &facts), "fail stale_approval pending");
    facts.pushes = seen(vec![push(PushKind::ForcePush, BEFORE, "ana")]);
    assert_eq!(verdict_of(&strict(), &facts), "pass");
}

#[test]
fn whether_it_was_carried_forward_is_unknown_where_pushes_are_hidden() {
    let mut facts = reviewed(vec![approval("bob")]);
    facts.pushes = hidden();
    assert_eq!(verdict_of(&strict(), &facts), "unknown");
    assert_eq!(verdict(&facts), "pass");
}

/// The target merged in: the platform moves the approval to the merge and does not say
/// when that came.
#[test]
fn a_head_that_is_a_merge_is_unknown_to_a_policy_that_refuses_carried_approvals() {
    let mut facts = reviewed(vec![approval("bob")]);
    let mut merge = commit(head(), "ana");
    merge.parents = vec![older(), "0e".repeat(20)];
    facts.commits = seen(vec![merge]);
    assert_eq!(verdict(&facts), "pass");
    assert_eq!(verdict_of(&strict(), &facts), "unknown");
    // Pushed by force before the approval, it was there.
    facts.pushes = seen(vec![push(PushKind::ForcePush, BEFORE, "ana")]);
    assert_eq!(verdict_of(&strict(), &facts), "pass");
    facts.commits = hidden();
    facts.pushes = seen(Vec::new());
    assert_eq!(verdict_of(&strict(), &facts), "unknown");
}

/// The trick: bob's approval is independent but stale, carol's is fresh but she
/// is a co-author. CHG-04 rests on bob; CHG-03 must not rest on carol.
#[test]
fn a_stale_independent_and_a_fresh_dependent_approval_do_not_make_a_pair() {
    let facts = with_carol(reviewed(vec![stale("bob"), approval("carol")]));
    assert_eq!(verdict_of(&ApproverIsIndependent {}, &facts), "pass");
    assert_eq!(verdict(&facts), "fail stale_approval pending");
}

#[test]
fn the_pair_by_the_clock_does_not_make_one_either() {
    let mut facts = with_carol(reviewed(vec![
        untied("bob", BEFORE),
        untied("carol", AFTER),
    ]));
    facts.pushes = seen(vec![push(PushKind::Push, THEN, "ana")]);
    assert_eq!(verdict(&facts), "fail stale_approval pending");
}

#[test]
fn the_pair_stays_shut_when_it_cannot_be_told_who_wrote_the_change() {
    let mut facts = with_carol(reviewed(vec![stale("bob"), approval("carol")]));
    facts.commits = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_carried_approval_and_a_fresh_dependent_one_do_not_make_a_pair_in_a_strict_policy() {
    let early = Review {
        submitted_at: seen(crate::controls::testing::at(BEFORE)),
        ..approval("bob")
    };
    let late = Review {
        submitted_at: seen(crate::controls::testing::at(AFTER)),
        ..approval("carol")
    };
    let mut facts = with_carol(reviewed(vec![early, late]));
    facts.pushes = seen(vec![push(PushKind::ForcePush, THEN, "ana")]);
    assert_eq!(verdict_of(&strict(), &facts), "fail stale_approval pending");
}

/// Who approved is CHG-04's question; overriding that one must be enough.
#[test]
fn a_fresh_approval_passes_here_where_nobody_independent_approved() {
    let facts = with_carol(reviewed(vec![approval("carol")]));
    assert_eq!(verdict(&facts), "pass");
    assert_eq!(
        verdict_of(&ApproverIsIndependent {}, &facts),
        "fail not_independent"
    );
}

#[test]
fn a_single_fresh_approval_needs_no_look_at_the_commits() {
    let mut facts = reviewed(vec![approval("bob")]);
    facts.commits = hidden();
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn of_several_approvals_only_independent_ones_make_up_the_number() {
    let two = ApprovalCoversHead {
        min: 2,
        ..ApprovalCoversHead::default()
    };
    let facts = with_carol(reviewed(vec![approval("bob"), approval("carol")]));
    assert_eq!(verdict_of(&two, &facts), "fail pending");
    let facts = with_carol(reviewed(vec![approval("bob"), approval("dan")]));
    assert_eq!(verdict_of(&two, &facts), "pass");
    let mut facts = with_carol(reviewed(vec![approval("bob"), approval("carol")]));
    facts.commits = hidden();
    assert_eq!(verdict_of(&two, &facts), "unknown");
}

#[test]
fn a_deleted_account_the_opener_and_people_without_the_right_to_write_cover_nothing() {
    let gone = Review {
        reviewer: None,
        ..approval("x")
    };
    let reader = Review {
        can_write: seen(false),
        ..approval("bob")
    };
    let facts = reviewed(vec![gone, reader, approval("ana")]);
    assert_eq!(verdict(&facts), "fail pending");
}

/// After the merge: nobody can have approved the commit that the merge made.
#[test]
fn what_a_merge_left_on_the_branch_is_judged_at_the_head_that_was_merged() {
    let mut facts = reviewed(vec![approval("bob")]);
    facts.subject.head = "5a".repeat(20);
    assert_eq!(verdict(&facts), "fail stale_approval pending");
    let mut merged = identity("ana");
    merged.state = ChangeState::Merged;
    merged.merge_commit = Some(facts.subject.head.clone());
    facts.identity = seen(merged);
    assert_eq!(verdict(&facts), "pass");
    assert_eq!(verdict_of(&ApproverIsIndependent {}, &facts), "pass");
}

#[test]
fn asking_for_less_is_weaker() {
    assert!(
        ApprovalCoversHead::default()
            .weaker_than(&strict())
            .is_some()
    );
    assert!(
        strict()
            .weaker_than(&ApprovalCoversHead::default())
            .is_none()
    );
}
