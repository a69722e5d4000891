//! CHG-04: who had a hand in the change, and who only seems to have none.

use super::ApproverIsIndependent;
use crate::controls::testing::{
    approval, commit, head, hidden, identity, older, person, push, reviewed, seen, verdict_of,
};
use crate::facts::{Account, AccountKind, Commit, Fact, Person, PushKind, Review, Snapshot};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ApproverIsIndependent {}, facts)
}

/// Change 7 by ana, approved by bob, with this as its newest commit.
fn with(fill: impl FnOnce(&mut Commit)) -> Snapshot {
    let mut facts = reviewed(vec![approval("bob")]);
    let mut newest = commit(head(), "ana");
    fill(&mut newest);
    facts.commits = seen(vec![commit(older(), "ana"), newest]);
    facts
}

fn nobody() -> Person {
    Person {
        account: seen(None),
        ..person("b0b")
    }
}

#[test]
fn an_approver_without_a_hand_in_it_passes() {
    assert_eq!(verdict(&with(|_| {})), "pass");
}

#[test]
fn no_approval_fails_and_waits_for_one() {
    assert_eq!(verdict(&reviewed(vec![])), "fail pending");
}

#[test]
fn the_opener_an_author_a_committer_and_a_co_author_are_not_independent() {
    let mut opened = with(|_| {});
    opened.identity = seen(identity("BOB"));
    let cases = [
        opened,
        with(|commit| commit.author = person("Bob")),
        with(|commit| commit.committer = person("bob")),
        with(|commit| commit.co_authors = vec![person("bob")]),
    ];
    for facts in cases {
        assert_eq!(verdict(&facts), "fail not_independent");
    }
}

#[test]
fn whoever_force_pushed_is_not_independent_and_a_hidden_one_is_unknown() {
    let mut facts = with(|_| {});
    let mut forced = push(PushKind::ForcePush, "2026-06-01T10:00:00Z", "bob");
    facts.pushes = seen(vec![forced.clone()]);
    assert_eq!(verdict(&facts), "fail not_independent");
    forced.actor = hidden();
    facts.pushes = seen(vec![forced.clone()]);
    assert_eq!(verdict(&facts), "unknown");
    forced.actor = seen(None);
    facts.pushes = seen(vec![forced]);
    assert_eq!(verdict(&facts), "fail unresolved_identity");
}

/// F20: a commit whose address belongs to no account may be the approver's own.
#[test]
fn f20_an_author_without_an_account_fails() {
    for facts in [
        with(|commit| commit.author = nobody()),
        with(|commit| commit.committer = nobody()),
        with(|commit| commit.co_authors = vec![nobody()]),
    ] {
        assert_eq!(verdict(&facts), "fail unresolved_identity");
    }
}

/// GitLab tells of every push; what the change was opened with is its opener's.
#[test]
fn whoever_pushed_the_commits_of_others_is_not_independent() {
    let mut facts = with(|_| {});
    let mut opening = push(PushKind::Push, "2026-06-01T09:00:00Z", "bob");
    opening.before = None;
    opening.actor = hidden();
    facts.pushes = seen(vec![opening.clone()]);
    assert_eq!(verdict(&facts), "pass");
    let mut later = push(PushKind::Push, "2026-06-01T10:00:00Z", "bob");
    facts.pushes = seen(vec![opening.clone(), later.clone()]);
    assert_eq!(verdict(&facts), "fail not_independent");
    later.actor = hidden();
    facts.pushes = seen(vec![opening, later]);
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn an_opener_whose_account_is_gone_may_be_anybody() {
    let mut facts = with(|_| {});
    let mut gone = identity("ana");
    gone.author = None;
    facts.identity = seen(gone);
    assert_eq!(verdict(&facts), "fail unresolved_identity");
}

/// The trick: wrote a commit as @bob, renamed the account, approved as @robert.
#[test]
fn an_approver_who_was_called_otherwise_when_the_commit_was_made_is_its_author() {
    let renamed = |author: Option<u64>, reviewer: Option<u64>| {
        let mut facts = with(|commit| {
            let bob = Account::human("bob-before").numbered(author);
            commit.co_authors = vec![crate::facts::Person {
                account: seen(Some(bob)),
                ..commit.author.clone()
            }];
        });
        if let crate::facts::Fact::Known { value, .. } = &mut facts.reviews {
            for review in value {
                let by = review.reviewer.take();
                review.reviewer = by.map(|by| by.numbered(reviewer));
            }
        }
        verdict(&facts)
    };
    assert_eq!(renamed(Some(3), Some(4)), "pass");
    assert_eq!(renamed(Some(3), Some(3)), "fail not_independent");
}

#[test]
fn the_platforms_own_committer_is_nobodys_second_person_and_no_obstacle() {
    let web = Account {
        login: "web-flow".to_owned(),
        kind: AccountKind::Platform,
        id: None,
    };
    let facts = with(|commit| commit.committer.account = seen(Some(web)));
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn an_author_that_could_not_be_looked_up_is_unknown() {
    assert_eq!(
        verdict(&with(|commit| commit.author.account = hidden())),
        "unknown"
    );
}

#[test]
fn hidden_commits_pushes_or_opener_are_unknown() {
    let hide: [fn(&mut Snapshot); 4] = [
        |facts| facts.commits = hidden(),
        |facts| facts.pushes = hidden(),
        |facts| facts.identity = hidden(),
        |facts| facts.reviews = hidden(),
    ];
    for hide in hide {
        let mut facts = with(|_| {});
        hide(&mut facts);
        assert_eq!(verdict(&facts), "unknown");
    }
}

#[test]
fn a_known_hand_is_enough_to_fail_whatever_else_is_hidden() {
    let mut facts = with(|commit| commit.co_authors = vec![person("bob")]);
    facts.identity = hidden();
    facts.pushes = hidden();
    assert_eq!(verdict(&facts), "fail not_independent");
}

#[test]
fn a_list_of_commits_that_is_empty_or_does_not_reach_the_head_is_unknown() {
    let mut facts = with(|_| {});
    for commits in [Vec::new(), vec![commit(older(), "ana")]] {
        facts.commits = Fact::known_without_source(commits);
        assert_eq!(verdict(&facts), "unknown");
    }
}

/// Commits beyond a list that was cut off may be the approver's.
#[test]
fn the_head_may_stand_anywhere_in_the_list() {
    let mut facts = with(|_| {});
    facts.commits = seen(vec![commit(head(), "ana"), commit(older(), "ana")]);
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn one_independent_approver_beside_a_co_author_is_enough() {
    let mut facts = with(|commit| commit.co_authors = vec![person("carol")]);
    facts.reviews = seen(vec![approval("carol"), approval("bob")]);
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn bots_readers_and_deleted_accounts_are_no_independent_approvers() {
    let mut facts = with(|_| {});
    facts.reviews = seen(vec![
        Review {
            reviewer: Some(Account::bot("ok[bot]")),
            ..approval("x")
        },
        Review {
            reviewer: None,
            ..approval("x")
        },
        Review {
            can_write: seen(false),
            ..approval("bob")
        },
    ]);
    assert_eq!(verdict(&facts), "fail pending");
}

#[test]
fn a_right_to_write_that_could_not_be_read_is_unknown() {
    let mut facts = with(|_| {});
    facts.reviews = seen(vec![Review {
        can_write: hidden(),
        ..approval("bob")
    }]);
    assert_eq!(verdict(&facts), "unknown");
}
