//! CHG-16: which files make the gate, and whose approval they need.

use super::*;
use crate::controls::testing::{
    approval, changed, commit, head, hidden, moved, older, reviewed, seen, stale, verdict_of,
};
use crate::facts::{Account, Fact, Review, ReviewState, TeamMembers};
use serde_json::{Value, json};

fn control(parameters: Value) -> GateChangesApproved {
    serde_json::from_value(parameters).unwrap()
}

fn by_olga() -> GateChangesApproved {
    control(json!({"owners": ["@olga"]}))
}

/// A change of this file by ana with these reviews.
fn with(path: &str, reviews: Vec<Review>) -> Snapshot {
    let mut facts = reviewed(reviews);
    facts.files = seen(vec![changed("src/lib.rs"), changed(path)]);
    facts.teams = seen(Vec::new());
    facts
}

#[test]
fn an_owners_approval_passes_and_any_other_does_not() {
    let facts = with(".ccgate.yml", vec![approval("bob"), approval("olga")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "pass");
    let facts = with(".ccgate.yml", vec![approval("bob"), approval("li")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
}

#[test]
fn without_owners_one_approval_more_than_usual_is_needed() {
    let one = with(".ccgate.yml", vec![approval("bob")]);
    assert_eq!(
        verdict_of(&GateChangesApproved::default(), &one),
        "fail pending"
    );
    let two = with(".ccgate.yml", vec![approval("bob"), approval("li")]);
    assert_eq!(verdict_of(&GateChangesApproved::default(), &two), "pass");
}

#[test]
fn each_file_that_makes_the_gate_counts_and_others_do_not() {
    for path in [
        ".ccgate.yml",
        ".github/workflows/ci.yml",
        ".github/actions/build/action.yml",
        ".gitlab-ci.yml",
        ".gitlab/ci/test.yml",
        "CODEOWNERS",
        ".github/CODEOWNERS",
        "docs/CODEOWNERS",
    ] {
        let facts = with(path, Vec::new());
        assert_eq!(verdict_of(&by_olga(), &facts), "fail pending", "{path}");
    }
    for path in [
        "src/.ccgate.yml.rs",
        "ccgate.yml",
        ".github/ISSUE_TEMPLATE/a.md",
    ] {
        let facts = with(path, Vec::new());
        assert_eq!(verdict_of(&by_olga(), &facts), "not_applicable", "{path}");
    }
}

#[test]
fn moving_a_workflow_away_touches_it() {
    let mut facts = with("a", vec![approval("bob")]);
    facts.files = seen(vec![moved(
        seen(Some(".github/workflows/ci.yml".to_owned())),
        "old/ci.yml",
    )]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
}

#[test]
fn where_a_moved_file_was_decides_and_hidden_it_is_unknown() {
    let mut facts = with("a", vec![approval("olga")]);
    facts.files = seen(vec![moved(hidden(), "old/ci.yml")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
    // Another file settles that the gate is touched.
    facts.files = seen(vec![moved(hidden(), "old/ci.yml"), changed(".ccgate.yml")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "pass");
}

#[test]
fn a_list_of_files_that_is_hidden_is_unknown_whoever_approved() {
    let mut facts = with("a", vec![approval("olga")]);
    facts.files = hidden();
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
}

#[test]
fn an_owner_who_approved_before_the_last_push_or_took_it_back_did_not() {
    let facts = with(".ccgate.yml", vec![stale("olga"), approval("bob")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
    let taken_back = Review {
        state: ReviewState::ChangesRequested,
        ..approval("olga")
    };
    let facts = with(".ccgate.yml", vec![approval("olga"), taken_back]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
}

#[test]
fn an_owner_with_a_hand_in_the_change_cannot_approve_it_and_a_bot_is_no_owner() {
    let mut facts = with(".ccgate.yml", vec![approval("olga")]);
    facts.commits = seen(vec![commit(older(), "olga"), commit(head(), "ana")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
    let bot = Review {
        reviewer: Some(Account::bot("olga")),
        ..approval("olga")
    };
    let facts = with(".ccgate.yml", vec![bot]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
}

fn by_team(members: Fact<Vec<String>>, reviews: Vec<Review>) -> String {
    let mut facts = with(".ccgate.yml", reviews);
    facts.teams = seen(vec![TeamMembers {
        team: "@acme/gate".to_owned(),
        members,
    }]);
    verdict_of(&control(json!({"owners": ["@acme/gate"]})), &facts)
}

#[test]
fn a_team_owns_through_its_members_and_a_hidden_one_is_unknown() {
    let olga = || seen(vec!["olga".to_owned()]);
    assert_eq!(by_team(olga(), vec![approval("Olga")]), "pass");
    assert_eq!(by_team(olga(), vec![approval("bob")]), "fail pending");
    assert_eq!(by_team(hidden(), vec![approval("bob")]), "unknown");
    // Nobody approved, so it does not matter who is in it.
    assert_eq!(by_team(hidden(), Vec::new()), "fail pending");
    assert_eq!(
        control(json!({"owners": ["@acme/gate", "@li"]})).teams(),
        ["@acme/gate"]
    );
}

#[test]
fn hidden_commits_leave_it_unknown_whether_the_owner_is_independent() {
    let mut facts = with(".ccgate.yml", vec![approval("olga")]);
    facts.commits = hidden();
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
}

#[test]
fn fewer_paths_more_owners_and_fewer_approvals_are_weaker() {
    let base = control(json!({"owners": ["@olga"], "min": 2}));
    assert!(
        control(json!({"owners": ["@olga"], "min": 1}))
            .weaker_than(&base)
            .is_some()
    );
    assert!(
        control(json!({"owners": ["@olga", "@li"], "min": 2}))
            .weaker_than(&base)
            .is_some()
    );
    assert!(control(json!({"min": 2})).weaker_than(&base).is_some());
    // Where nobody is named, two are needed; one friend by name is less.
    let friend = control(json!({"owners": ["@friend"], "min": 1}));
    assert!(
        friend
            .weaker_than(&GateChangesApproved::default())
            .is_some()
    );
    let narrow = control(json!({"owners": ["@olga"], "min": 2, "paths": [".ccgate.yml"]}));
    assert!(narrow.weaker_than(&base).is_some());
    assert_eq!(base.weaker_than(&GateChangesApproved::default()), None);
}
