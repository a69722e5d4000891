//! CHG-17: which areas are touched, and whose approvals they need.

use super::*;
use crate::controls::testing::{
    approval, changed, hidden, moved, reviewed, seen, untied, verdict_of,
};
use crate::facts::{Fact, FactKey, PushKind, Review, TeamMembers};
use serde_json::{Value, json};

fn control(parameters: Value) -> SensitivePathsApproved {
    serde_json::from_value(parameters).unwrap()
}

fn two_areas() -> SensitivePathsApproved {
    control(json!({"areas": [
        {"paths": ["migrations/**"], "owners": ["@acme/dba"], "min": 2},
        {"paths": ["auth/**"], "owners": ["@sam"]},
    ]}))
}

fn with(paths: &[&str], reviews: Vec<Review>) -> Snapshot {
    let mut facts = reviewed(reviews);
    facts.files = seen(paths.iter().map(|path| changed(path)).collect());
    facts.teams = seen(vec![TeamMembers {
        team: "@acme/dba".to_owned(),
        members: seen(vec!["dan".to_owned(), "dora".to_owned()]),
    }]);
    facts
}

fn verdict(paths: &[&str], reviewers: &[&str]) -> String {
    let reviews = reviewers.iter().map(|login| approval(login)).collect();
    verdict_of(&two_areas(), &with(paths, reviews))
}

#[test]
fn every_area_that_is_touched_needs_its_own_approvals() {
    assert_eq!(verdict(&["migrations/1.sql"], &["dan", "dora"]), "pass");
    assert_eq!(
        verdict(&["migrations/1.sql"], &["dan", "bob"]),
        "fail pending"
    );
    let both = ["migrations/1.sql", "auth/login.rs"];
    assert_eq!(verdict(&both, &["dan", "dora"]), "fail pending");
    assert_eq!(verdict(&both, &["sam"]), "fail pending");
    assert_eq!(verdict(&both, &["dan", "dora", "sam"]), "pass");
}

#[test]
fn a_change_of_other_paths_only_is_none_of_its_business() {
    assert_eq!(verdict(&["src/lib.rs"], &[]), "not_applicable");
    assert_eq!(verdict(&[], &[]), "not_applicable");
}

#[test]
fn the_defaults_know_the_usual_places_and_ask_for_one_more_approval() {
    for path in [
        "db/migrations/1.sql",
        "main.tf",
        "infra/vpc.tf",
        "src/auth/mod.rs",
        "auth/a",
    ] {
        let one = with(&[path], vec![approval("bob")]);
        assert_eq!(
            verdict_of(&SensitivePathsApproved::default(), &one),
            "fail pending",
            "{path}"
        );
        let two = with(&[path], vec![approval("bob"), approval("li")]);
        assert_eq!(
            verdict_of(&SensitivePathsApproved::default(), &two),
            "pass",
            "{path}"
        );
    }
}

#[test]
fn a_file_moved_out_of_an_area_touches_it() {
    let mut facts = with(&[], vec![approval("bob")]);
    facts.files = seen(vec![moved(seen(Some("auth/a.rs".to_owned())), "misc/a.rs")]);
    assert_eq!(verdict_of(&two_areas(), &facts), "fail pending");
    facts.files = seen(vec![moved(hidden(), "misc/a.rs")]);
    assert_eq!(verdict_of(&two_areas(), &facts), "unknown");
}

#[test]
fn an_approval_in_the_same_second_as_the_push_does_not_cover_it() {
    let pushed = crate::controls::testing::push(PushKind::Push, "2026-06-01T10:00:00Z", "ana");
    for (when, wanted) in [
        ("2026-06-01T10:00:01Z", "pass"),
        ("2026-06-01T10:00:00Z", "fail pending"),
        ("2026-06-01T09:59:59Z", "fail pending"),
    ] {
        let mut facts = with(&["auth/a.rs"], vec![untied("sam", when)]);
        facts.pushes = seen(vec![pushed.clone()]);
        assert_eq!(verdict_of(&two_areas(), &facts), wanted);
    }
}

#[test]
fn a_hidden_team_matters_only_where_it_owns() {
    let mut facts = with(&["auth/a.rs"], vec![approval("sam")]);
    facts.teams = hidden();
    assert_eq!(verdict_of(&two_areas(), &facts), "pass");
    facts.files = seen(vec![changed("migrations/1.sql")]);
    facts.reviews = seen(vec![approval("dan"), approval("dora")]);
    assert_eq!(verdict_of(&two_areas(), &facts), "unknown");
}

#[test]
fn what_is_proven_missing_fails_whatever_else_is_hidden() {
    let mut facts = with(&["migrations/1.sql", "auth/a.rs"], vec![approval("bob")]);
    facts.teams = hidden();
    assert_eq!(verdict_of(&two_areas(), &facts), "fail pending");
    facts.files = Fact::Unknown(Unknown::not_collected(FactKey::ChangeFiles.name()));
    assert_eq!(verdict_of(&two_areas(), &facts), "unknown");
}

#[test]
fn a_policy_without_the_area_or_with_less_of_it_is_weaker() {
    let base = two_areas();
    assert!(control(json!({"areas": []})).weaker_than(&base).is_some());
    let fewer = control(json!({"areas": [
        {"paths": ["migrations/**"], "owners": ["@acme/dba"]},
        {"paths": ["auth/**"], "owners": ["@sam"]},
    ]}));
    assert!(fewer.weaker_than(&base).is_some());
    let more = control(json!({"areas": [
        {"paths": ["auth/**", "login/**"], "owners": ["@sam"], "min": 2},
        {"paths": ["migrations/**"], "owners": ["@acme/dba"], "min": 2},
    ]}));
    assert_eq!(more.weaker_than(&base), None);
    assert_eq!(base.teams(), ["@acme/dba"]);
}

#[test]
fn a_broken_pattern_or_an_area_without_paths_is_refused() {
    for area in [
        json!({"paths": ["a{"]}),
        json!({"owners": ["@sam"]}),
        json!({"path": []}),
    ] {
        let given = json!({"areas": [area]});
        assert!(serde_json::from_value::<SensitivePathsApproved>(given).is_err());
    }
}
