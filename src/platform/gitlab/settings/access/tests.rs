//! Tests of who and what can reach the project.

use serde_json::{Value, json};

use super::*;
use crate::facts::{AccessRole, MergeMethod, Why};

fn project(value: Value) -> Project {
    serde_json::from_value(value).unwrap()
}

fn rows(value: Value) -> Read<Vec<Row>> {
    Ok((serde_json::from_value(value).unwrap(), Vec::new()))
}

fn refused(why: Why) -> Read<Vec<Row>> {
    Err(Unknown::new("x", why, "no"))
}

fn seen(group: Read<Vec<Row>>) -> Seen {
    Seen {
        all: rows(json!([
            {"id": 1, "username": "ana", "state": "active", "access_level": 50},
            {"id": 2, "username": "zoe", "state": "active", "access_level": 30},
            {"id": 3, "username": "out", "state": "blocked", "access_level": 40}
        ])),
        direct: rows(json!([
            {"id": 2, "username": "zoe", "state": "active", "access_level": 30}
        ])),
        group,
    }
}

#[test]
fn the_settings_of_the_project_are_read() {
    let found = settings(
        &project(json!({
            "visibility": "internal", "archived": false, "merge_method": "ff",
            "squash_option": "never", "last_activity_at": "2026-05-01T10:00:00.000Z",
            "public_jobs": true
        })),
        &[],
    );
    assert_eq!(found.visibility.known(), Ok(&Visibility::Internal));
    assert_eq!(found.archived.known(), Ok(&false));
    assert!(found.last_activity.known().unwrap().is_some());
    assert_eq!(
        found.merge_methods.known(),
        Ok(&vec![MergeMethod::FastForward])
    );
    assert_eq!(found.public_pipelines.known(), Ok(&true));
}

#[test]
fn a_setting_that_is_left_out_is_unknown_and_an_older_name_is_understood() {
    let found = settings(&project(json!({"last_activity_at": "lately"})), &[]);
    assert!(!found.visibility.is_known() && !found.archived.is_known());
    assert!(!found.last_activity.is_known() && !found.public_pipelines.is_known());
    let hidden = found.merge_methods.known().unwrap_err();
    assert_eq!(hidden.fact, "repository.settings");
    let older = settings(&project(json!({"public_builds": false})), &[]);
    assert_eq!(older.public_pipelines.known(), Ok(&false));
    let never = settings(&project(json!({"last_activity_at": null})), &[]);
    assert_eq!(never.last_activity.known(), Ok(&None));
}

#[test]
fn people_have_a_role_and_are_inside_or_outside_of_the_group() {
    let group = rows(json!([
        {"id": 1, "username": "ana", "state": "active", "access_level": 50}
    ]));
    let found = people(&Project::default(), &seen(group));
    let found = found.known().unwrap();
    assert_eq!(found.len(), 2);
    assert!(!found[0].outside && found[1].outside);
    assert_eq!(found[0].role, AccessRole::Admin);
    assert_eq!(found[0].direct, None);
    assert_eq!(found[1].direct, Some(AccessRole::Write));
}

#[test]
fn without_the_groups_members_nobody_can_be_told_apart() {
    let found = people(&Project::default(), &seen(refused(Why::NotPermitted)));
    assert!(!found.is_known());
    let mut none_direct = seen(rows(json!([])));
    none_direct.direct = refused(Why::NotPermitted);
    assert!(!people(&Project::default(), &none_direct).is_known());
}

#[test]
fn in_a_persons_own_project_everybody_else_is_from_outside() {
    let own = project(json!({"namespace": {"kind": "user", "full_path": "Ana"}}));
    let found = people(&own, &seen(refused(Why::NotSupported)));
    let found = found.known().unwrap();
    assert!(!found[0].outside && found[1].outside);
    let group = project(json!({"namespace": {"kind": "group", "full_path": "acme"}}));
    assert!(!people(&group, &seen(refused(Why::NotSupported))).is_known());
}

#[test]
fn a_person_without_a_number_or_level_makes_the_list_unknown() {
    for row in [
        json!({"username": "ana", "state": "active", "access_level": 50}),
        json!({"id": 1, "username": "ana", "state": "active"}),
        json!({"id": 1, "username": "ana", "access_level": 50}),
    ] {
        let mut odd = seen(rows(json!([])));
        odd.all = rows(json!([row]));
        assert!(!people(&Project::default(), &odd).is_known());
    }
}

#[test]
fn groups_that_share_the_project_are_teams() {
    let of = |value: Value| teams(&project(json!({ "shared_with_groups": value })), &[]);
    let found = of(json!([{"group_full_path": "acme/ops", "group_access_level": 40}]));
    assert_eq!(
        found.known().unwrap(),
        &[TeamAccess {
            name: "@acme/ops".to_owned(),
            role: AccessRole::Admin
        }]
    );
    assert_eq!(of(json!([])).known(), Ok(&Vec::new()));
    assert!(!of(Value::Null).is_known());
    assert!(!of(json!([{"group_full_path": "acme/ops"}])).is_known());
}
