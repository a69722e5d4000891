//! CHG-02 against everybody who might count and does not.

use super::ApprovalsSufficient;
use crate::controls::control::{Control as _, Verdict};
use crate::controls::testing::{approval, hidden, reviewed, seen, stale, verdict_of};
use crate::facts::{Account, AccountKind, Review, ReviewState, Snapshot};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ApprovalsSufficient::default(), facts)
}

fn opinion(login: &str, state: ReviewState) -> Review {
    Review {
        state,
        ..approval(login)
    }
}

#[test]
fn an_approval_by_somebody_who_may_write_passes() {
    assert_eq!(verdict(&reviewed(vec![approval("bob")])), "pass");
}

/// F16: the person who merges is no reviewer.
#[test]
fn f16_a_merge_by_another_person_without_a_review_fails() {
    let mut facts = reviewed(vec![]);
    let mut identity = crate::controls::testing::identity("ana");
    identity.merged_by = Some(Account::human("bob"));
    facts.identity = seen(identity);
    assert_eq!(verdict(&facts), "fail pending");
}

#[test]
fn the_openers_own_approval_in_any_spelling_is_not_counted() {
    assert_eq!(verdict(&reviewed(vec![approval("ANA")])), "fail pending");
}

#[test]
fn a_bot_an_unfamiliar_kind_and_a_deleted_account_never_count() {
    let other = Account {
        login: "helper".to_owned(),
        kind: AccountKind::Other("mannequin".to_owned()),
        id: None,
    };
    let untold = Account::human("helper").untold();
    for reviewer in [
        Some(Account::bot("helper[bot]")),
        Some(other),
        Some(untold),
        None,
    ] {
        let review = Review {
            reviewer,
            ..approval("x")
        };
        assert_eq!(verdict(&reviewed(vec![review])), "fail pending");
    }
}

#[test]
fn an_approval_without_write_access_is_not_counted() {
    let review = Review {
        can_write: seen(false),
        ..approval("bob")
    };
    assert_eq!(verdict(&reviewed(vec![review])), "fail pending");
}

#[test]
fn a_right_to_write_that_could_not_be_read_is_unknown() {
    let review = Review {
        can_write: hidden(),
        ..approval("bob")
    };
    assert_eq!(verdict(&reviewed(vec![review.clone()])), "unknown");
    // Whatever it is, the opener's own approval does not count.
    let own = Review {
        reviewer: Some(Account::human("ana")),
        ..review
    };
    assert_eq!(verdict(&reviewed(vec![own])), "fail pending");
}

#[test]
fn a_later_request_for_changes_a_dismissal_and_an_unfamiliar_state_replace_an_approval() {
    for state in [
        ReviewState::ChangesRequested,
        ReviewState::Dismissed,
        ReviewState::Other("retracted".to_owned()),
    ] {
        let reviews = vec![approval("bob"), opinion("Bob", state)];
        assert_eq!(verdict(&reviewed(reviews)), "fail pending");
    }
}

#[test]
fn a_later_comment_does_not_replace_an_approval_and_is_none() {
    let comment = opinion("bob", ReviewState::Commented);
    assert_eq!(
        verdict(&reviewed(vec![approval("bob"), comment.clone()])),
        "pass"
    );
    assert_eq!(verdict(&reviewed(vec![comment])), "fail pending");
}

#[test]
fn the_same_person_twice_is_one_person() {
    let two = ApprovalsSufficient { min: 2 };
    let facts = reviewed(vec![approval("bob"), approval("BOB")]);
    assert_eq!(verdict_of(&two, &facts), "fail pending");
    let facts = reviewed(vec![approval("bob"), approval("eve")]);
    assert_eq!(verdict_of(&two, &facts), "pass");
}

#[test]
fn what_could_not_be_read_is_only_unknown_if_it_could_make_up_the_number() {
    let three = ApprovalsSufficient { min: 3 };
    let doubtful = Review {
        can_write: hidden(),
        ..approval("bob")
    };
    let facts = reviewed(vec![doubtful, approval("eve")]);
    assert_eq!(verdict_of(&three, &facts), "fail pending");
}

#[test]
fn hidden_reviews_and_a_hidden_opener_are_unknown() {
    let mut facts = reviewed(vec![]);
    facts.reviews = hidden();
    assert_eq!(verdict(&facts), "unknown");
    let mut facts = reviewed(vec![approval("bob")]);
    facts.identity = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn zero_counts_as_one_and_the_next_step_says_how_many_are_missing() {
    let none = ApprovalsSufficient { min: 0 };
    let Ok(Verdict::Fail(failure)) = none.evaluate(&reviewed(vec![])) else {
        panic!("it fails");
    };
    assert_eq!(
        failure.next.as_deref(),
        Some("ask for 1 more approval by somebody with write access")
    );
}

/// Freshness is CHG-03's question.
#[test]
fn a_stale_approval_is_still_an_approval_here() {
    assert_eq!(verdict(&reviewed(vec![stale("bob")])), "pass");
}

#[test]
fn fewer_approvals_are_weaker() {
    let (one, two) = (
        ApprovalsSufficient { min: 1 },
        ApprovalsSufficient { min: 2 },
    );
    assert!(one.weaker_than(&two).is_some());
    assert!(two.weaker_than(&one).is_none());
    assert!(ApprovalsSufficient { min: 0 }.weaker_than(&one).is_none());
}
