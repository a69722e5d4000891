//! Who is an owner, and which approvals are worth something.

use super::*;
use crate::controls::testing::{
    approval, commit, head, hidden, identity, nothing_seen, older, reviewed, seen, stale,
};
use crate::facts::{Review, TeamMembers};

fn owners(names: &[&str]) -> Owners {
    serde_json::from_value(serde_json::json!(names)).unwrap()
}

fn team(members: Fact<Vec<String>>) -> Snapshot {
    let mut facts = nothing_seen();
    facts.teams = seen(vec![TeamMembers {
        team: "@acme/security".to_owned(),
        members,
    }]);
    facts
}

#[test]
fn only_whole_names_of_users_and_teams_are_accepted() {
    for name in ["ana", "@", "@a b", "@a@b", "@acme/", "@/x", ""] {
        assert!(
            serde_json::from_value::<Owners>(serde_json::json!([name])).is_err(),
            "{name}"
        );
    }
    assert_eq!(
        owners(&["@ana", "@acme/security"]).teams(),
        ["@acme/security"]
    );
}

#[test]
fn a_user_is_an_owner_by_name_in_any_case_and_a_look_alike_is_not() {
    let facts = nothing_seen();
    let named = owners(&["@Ana"]);
    assert_eq!(named.include(&Account::human("ana"), &facts), Ok(true));
    // A Cyrillic letter that looks like an `a`.
    assert_eq!(
        named.include(&Account::human("\u{430}na"), &facts),
        Ok(false)
    );
}

#[test]
fn a_member_of_a_team_is_an_owner_and_a_hidden_team_leaves_it_unknown() {
    let security = owners(&["@ACME/security"]);
    let bob = Account::human("bob");
    assert_eq!(
        security.include(&bob, &team(seen(vec!["Bob".to_owned()]))),
        Ok(true)
    );
    assert_eq!(security.include(&bob, &team(seen(Vec::new()))), Ok(false));
    assert!(security.include(&bob, &team(hidden())).is_err());
    assert!(security.include(&bob, &nothing_seen()).is_err());
    let other = owners(&["@acme/other", "@bob"]);
    assert_eq!(
        other.include(&bob, &team(hidden())),
        Ok(true),
        "named beside it"
    );
    assert!(
        owners(&["@acme/other"])
            .include(&bob, &team(seen(Vec::new())))
            .is_err()
    );
}

fn of(reviews: Vec<Review>) -> (Vec<String>, usize) {
    let facts = reviewed(reviews);
    let hands = Hands::of(&facts);
    let tally = Tally::of(&worthy(&facts, &hands).unwrap());
    (tally.sure, tally.in_doubt.len())
}

#[test]
fn an_approval_of_an_older_head_by_the_opener_or_by_a_reader_is_worth_nothing() {
    let reader = Review {
        can_write: seen(false),
        ..approval("rob")
    };
    let found = of(vec![approval("bob"), stale("li"), approval("ana"), reader]);
    assert_eq!(found, (vec!["@bob".to_owned()], 0));
}

#[test]
fn a_co_author_is_no_owner_of_their_own_change() {
    let mut facts = reviewed(vec![approval("bob")]);
    facts.commits = seen(vec![commit(older(), "bob"), commit(head(), "ana")]);
    let hands = Hands::of(&facts);
    let rulings = worthy(&facts, &hands).unwrap();
    assert_eq!(
        rulings[0].worth,
        Worth::Never(Against::Hand("wrote a commit"))
    );
}

#[test]
fn what_is_hidden_leaves_an_approval_in_doubt_unless_it_is_worth_nothing_anyway() {
    let unseen = Review {
        can_write: hidden(),
        ..approval("bob")
    };
    assert_eq!(of(vec![unseen]), (Vec::new(), 1));
    let stale_and_unseen = Review {
        can_write: hidden(),
        ..stale("bob")
    };
    assert_eq!(of(vec![stale_and_unseen]), (Vec::new(), 0));
    let mut facts = reviewed(vec![approval("bob")]);
    facts.identity = hidden();
    let hands = Hands::of(&facts);
    let doubtful = Tally::of(&worthy(&facts, &hands).unwrap());
    assert!(doubtful.reaches(1).is_err() && doubtful.reaches(2) == Ok(false));
    facts.identity = seen(identity("ana"));
    assert!(worthy(&facts, &Hands::of(&facts)).is_ok());
}

#[test]
fn whoever_lets_more_people_in_is_weaker() {
    let (one, two) = (owners(&["@ana"]), owners(&["@ana", "@bob"]));
    assert_eq!(one.more_than(&two), None);
    assert_eq!(two.more_than(&one), Some("@bob".to_owned()));
    assert!(owners(&[]).more_than(&one).is_some());
    assert_eq!(one.more_than(&owners(&[])), None);
}
