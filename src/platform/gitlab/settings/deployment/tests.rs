//! Tests of what guards environments.

use serde_json::{Value, json};

use super::guards::Protected;
use super::*;
use crate::facts::{DeployableRefs, Environment};
use crate::platform::gitlab::settings::testing::{pages, refused};

fn protected(value: Value) -> Read<Vec<Protected>> {
    Ok((serde_json::from_value(value).unwrap(), Vec::new()))
}

fn hidden() -> Read<Vec<Protected>> {
    Err(Unknown::new("x", Why::NotPermitted, "403"))
}

fn guards(project: Read<Vec<Protected>>, groups: Vec<Read<Vec<Protected>>>) -> Guards {
    Guards {
        project,
        groups,
        starter_approves: Fact::known_without_source(false),
    }
}

fn production(guards: &Guards) -> Environment {
    guarded("live".to_owned(), Some("production".to_owned()), guards)
}

fn two_approvals() -> Value {
    json!([{
        "name": "live",
        "deploy_access_levels": [{"access_level": 40, "access_level_description": "Maintainers",
                                  "user_id": null, "group_id": null}],
        "required_approval_count": 0,
        "approval_rules": [
            {"group_id": 7, "access_level_description": "release-managers", "required_approvals": 2},
            {"user_id": 3, "access_level_description": "Ana", "required_approvals": 1},
            {"access_level": 40, "access_level_description": "Maintainers", "required_approvals": 1}
        ]
    }])
}

#[test]
fn an_environment_with_approval_rules_says_who_and_how_many() {
    let found = production(&guards(protected(two_approvals()), Vec::new()));
    assert_eq!(
        found.reviewers.known().unwrap(),
        &["Maintainers", "group release-managers", "user Ana"].map(str::to_owned)
    );
    assert_eq!(found.approvals.known(), Ok(&2));
    assert_eq!(found.self_review_prevented.known(), Ok(&true));
    assert_eq!(found.administrators_exempt.known(), Ok(&false));
}

#[test]
fn an_environment_that_nothing_guards_is_open_to_everybody() {
    let found = production(&guards(protected(json!([{"name": "other"}])), Vec::new()));
    assert_eq!(found.reviewers.known(), Ok(&Vec::new()));
    assert_eq!(found.approvals.known(), Ok(&0));
    assert_eq!(found.self_review_prevented.known(), Ok(&false));
    assert_eq!(found.administrators_exempt.known(), Ok(&true));
    assert_eq!(found.refs.known(), Ok(&DeployableRefs::Anything));
}

#[test]
fn a_number_without_rules_means_whoever_may_deploy() {
    let older = json!([{"name": "live", "required_approval_count": 1, "deploy_access_levels":
        [{"access_level": 30, "access_level_description": "Developers + Maintainers"}]}]);
    let found = production(&guards(protected(older), Vec::new()));
    assert_eq!(found.approvals.known(), Ok(&1));
    assert_eq!(
        found.reviewers.known().unwrap(),
        &["Developers + Maintainers".to_owned()]
    );
    assert_eq!(found.refs.known(), Ok(&DeployableRefs::Anything));
}

#[test]
fn an_entry_of_a_group_guards_by_tier() {
    let group = json!([{"name": "production", "deploy_access_levels": [{"access_level": 40}],
        "approval_rules": [{"access_level": 40, "required_approvals": 3}]}]);
    let guards = guards(protected(json!([])), vec![protected(group)]);
    assert_eq!(production(&guards).approvals.known(), Ok(&3));
    let staging = guarded("live".to_owned(), Some("staging".to_owned()), &guards);
    assert_eq!(staging.approvals.known(), Ok(&0));
}

#[test]
fn hidden_entries_leave_open_what_was_not_seen_and_take_nothing_away() {
    let bare = production(&guards(protected(json!([])), vec![hidden()]));
    assert!(!bare.approvals.is_known() && !bare.reviewers.is_known());
    assert!(!bare.self_review_prevented.is_known() && !bare.refs.is_known());
    assert!(!bare.administrators_exempt.is_known());
    let seen = production(&guards(protected(two_approvals()), vec![hidden()]));
    assert_eq!(seen.approvals.known(), Ok(&2));
    let nothing = production(&guards(hidden(), Vec::new()));
    assert!(!nothing.approvals.is_known());
}

#[test]
fn whether_the_starter_may_approve_decides_only_where_somebody_has_to() {
    let with = |starter| Guards {
        starter_approves: starter,
        ..guards(protected(two_approvals()), Vec::new())
    };
    let prevented = |starter| production(&with(starter)).self_review_prevented;
    assert_eq!(
        prevented(Fact::known_without_source(true)).known(),
        Ok(&false)
    );
    let unknown = Fact::Unknown(Unknown::new("x", Why::HiddenOrAbsent, "left out"));
    assert!(!prevented(unknown).is_known());
}

#[test]
fn maintainers_alone_are_not_the_same_as_protected_branches_alone() {
    let of = |levels: Value| {
        let entry = json!([{"name": "live", "deploy_access_levels": levels,
                            "required_approval_count": 0}]);
        production(&guards(protected(entry), Vec::new())).refs
    };
    let why = of(json!([{"access_level": 40}])).known().unwrap_err().why;
    assert_eq!(why, Why::NotSupported);
    for open in [
        json!([{"access_level": 40}, {"access_level": 30}]),
        json!([{"access_level": 40, "user_id": 9}]),
        json!([{"access_level": 40, "group_id": 9}]),
        json!([]),
    ] {
        assert_eq!(of(open).known(), Ok(&DeployableRefs::Anything));
    }
    assert_eq!(
        of(Value::Null).known().unwrap_err().why,
        Why::HiddenOrAbsent
    );
}

#[test]
fn an_entry_without_a_number_of_approvals_is_unknown() {
    for odd in [
        json!([{"name": "live"}]),
        json!([{"name": "live", "required_approval_count": 0, "approval_rules": [{"user_id": 3}]}]),
        json!([{"required_approval_count": 2}]),
    ] {
        let found = production(&guards(protected(odd), Vec::new()));
        assert!(!found.approvals.is_known());
    }
}

#[test]
fn the_environments_are_listed_by_name_and_a_nameless_one_makes_the_list_unknown() {
    let none = guards(protected(json!([])), Vec::new());
    let of = |list| translated(&list, vec![NOT_SOLD.to_owned()], &none);
    let found = of(pages(
        json!([{"name": "staging", "tier": "staging"}, {"name": "live", "tier": "other"}]),
    ));
    let found = found.known().unwrap();
    assert_eq!(found.list[0].name, "live");
    assert_eq!(found.list[1].tier.as_deref(), Some("staging"));
    assert_eq!(found.not_in_plan, [NOT_SOLD]);
    assert!(!of(pages(json!([{"tier": "production"}]))).is_known());
    assert!(!of(refused(403)).is_known());
}

/// The trick: production under another name, where its tier is not told.
#[test]
fn an_environment_whose_tier_is_not_told_makes_the_list_unknown() {
    let none = guards(protected(json!([])), Vec::new());
    for odd in [
        json!([{"name": "live"}]),
        json!([{"name": "live", "tier": null}]),
    ] {
        assert!(!translated(&pages(odd), Vec::new(), &none).is_known());
    }
}
