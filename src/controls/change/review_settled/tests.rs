//! CHG-07: what counts as settled, and who may settle it.

use super::*;
use crate::controls::testing::{
    approval, hidden, identity, nothing_open, reviewed, seen, thread, verdict_of,
};
use crate::facts::Fact;

fn asks(login: &str) -> Review {
    Review {
        state: ReviewState::ChangesRequested,
        ..approval(login)
    }
}

fn with(reviews: Vec<Review>, threads: Vec<Thread>) -> Snapshot {
    let mut facts = reviewed(reviews);
    facts.discussion = seen(Discussion {
        threads: seen(threads),
        ..nothing_open()
    });
    facts
}

fn verdict(reviews: Vec<Review>, threads: Vec<Thread>) -> String {
    verdict_of(&ReviewSettled::default(), &with(reviews, threads))
}

#[test]
fn nothing_open_passes_and_an_objection_or_an_open_thread_fails() {
    assert_eq!(verdict(vec![approval("bob")], vec![thread(true)]), "pass");
    assert_eq!(
        verdict(vec![approval("bob"), asks("li")], Vec::new()),
        "fail"
    );
    assert_eq!(verdict(vec![approval("bob")], vec![thread(false)]), "fail");
}

#[test]
fn only_the_reviewers_own_later_opinion_or_a_dismissal_ends_an_objection() {
    let of = |state| Review {
        state,
        ..approval("li")
    };
    assert_eq!(
        verdict(vec![asks("li"), of(ReviewState::Approved)], Vec::new()),
        "pass"
    );
    assert_eq!(
        verdict(vec![asks("li"), of(ReviewState::Dismissed)], Vec::new()),
        "pass"
    );
    assert_eq!(
        verdict(vec![asks("li"), of(ReviewState::Commented)], Vec::new()),
        "fail"
    );
    let odd = of(ReviewState::Other("NEW".to_owned()));
    assert_eq!(verdict(vec![asks("li"), odd], Vec::new()), "fail");
    assert_eq!(
        verdict(vec![asks("li"), approval("bob")], Vec::new()),
        "fail"
    );
    assert_eq!(
        verdict(vec![approval("li"), asks("LI")], Vec::new()),
        "fail"
    );
}

#[test]
fn an_objection_of_a_deleted_account_stands_and_one_of_a_passer_by_does_not() {
    let gone = Review {
        reviewer: None,
        ..asks("x")
    };
    assert_eq!(verdict(vec![gone, approval("bob")], Vec::new()), "fail");
    let passer_by = Review {
        can_write: seen(false),
        ..asks("eve")
    };
    assert_eq!(verdict(vec![passer_by], Vec::new()), "pass");
    let unseen = Review {
        can_write: hidden(),
        ..asks("eve")
    };
    assert_eq!(verdict(vec![unseen], Vec::new()), "unknown");
}

#[test]
fn what_the_platform_itself_says_is_open_is_open() {
    let mut facts = with(Vec::new(), Vec::new());
    facts.discussion = seen(Discussion {
        held: seen(Some(true)),
        ..nothing_open()
    });
    assert_eq!(verdict_of(&ReviewSettled::default(), &facts), "fail");
    facts.discussion = seen(Discussion {
        requesting_changes: seen(vec![Account::human("li")]),
        ..nothing_open()
    });
    assert_eq!(verdict_of(&ReviewSettled::default(), &facts), "fail");
}

#[test]
fn what_is_hidden_is_unknown_unless_something_is_open_anyway() {
    let hide = |fill: fn(&mut Discussion)| {
        let mut discussion = nothing_open();
        fill(&mut discussion);
        discussion
    };
    let all: [fn(&mut Discussion); 3] = [
        |d| d.threads = hidden(),
        |d| d.held = hidden(),
        |d| d.requesting_changes = hidden(),
    ];
    for fill in all {
        let mut facts = with(vec![approval("bob")], Vec::new());
        facts.discussion = seen(hide(fill));
        assert_eq!(verdict_of(&ReviewSettled::default(), &facts), "unknown");
        facts.reviews = seen(vec![asks("li")]);
        assert_eq!(verdict_of(&ReviewSettled::default(), &facts), "fail");
    }
    let mut facts = with(Vec::new(), Vec::new());
    facts.reviews = hidden();
    assert_eq!(verdict_of(&ReviewSettled::default(), &facts), "unknown");
}

fn resolved_by(author: &str, resolver: Fact<Option<Account>>) -> Thread {
    Thread {
        author: seen(Some(Account::human(author))),
        resolved_by: resolver,
        ..thread(true)
    }
}

#[test]
fn a_strict_policy_does_not_let_the_author_resolve_a_reviewers_thread() {
    let strict = ReviewSettled {
        author_may_resolve: false,
        ..ReviewSettled::default()
    };
    let of = |thread| verdict_of(&strict, &with(Vec::new(), vec![thread]));
    let by = |login: &str| seen(Some(Account::human(login)));
    assert_eq!(of(resolved_by("bob", by("bob"))), "pass");
    assert_eq!(of(resolved_by("bob", by("Ana"))), "fail");
    assert_eq!(of(resolved_by("ana", by("ana"))), "pass", "her own");
    assert_eq!(
        of(resolved_by("bob", seen(None))),
        "fail",
        "nobody who can be named"
    );
    assert_eq!(of(resolved_by("bob", hidden())), "unknown");
    let mut facts = with(Vec::new(), vec![resolved_by("bob", by("li"))]);
    let mut gone = identity("ana");
    gone.author = None;
    facts.identity = seen(gone);
    assert_eq!(verdict_of(&strict, &facts), "unknown");
    assert!(ReviewSettled::default().weaker_than(&strict).is_some());
    assert_eq!(strict.weaker_than(&ReviewSettled::default()), None);
}

#[test]
fn a_policy_without_threads_looks_at_objections_only() {
    let lax = ReviewSettled {
        threads: false,
        ..ReviewSettled::default()
    };
    assert_eq!(
        verdict_of(&lax, &with(Vec::new(), vec![thread(false)])),
        "pass"
    );
    assert_eq!(
        verdict_of(&lax, &with(vec![asks("li")], Vec::new())),
        "fail"
    );
    assert!(lax.weaker_than(&ReviewSettled::default()).is_some());
}
