//! Tests of who belongs to a group.

use serde_json::{Value, json};

use super::*;
use crate::facts::{AccountKind, Why};
use crate::platform::gitlab::settings::testing::{pages, refused};

fn rows(value: Value) -> Read<Vec<Row>> {
    Ok((serde_json::from_value(value).unwrap(), Vec::new()))
}

fn hidden() -> Read<Vec<Row>> {
    Err(Unknown::new("x", Why::NotPermitted, "403"))
}

fn group() -> Read<Vec<Row>> {
    rows(json!([
        {"id": 1, "username": "ana", "state": "active", "access_level": 50,
         "membership_state": "active", "two_factor_enabled": true},
        {"id": 2, "username": "ben", "state": "active", "access_level": 30,
         "two_factor_enabled": false},
        {"id": 3, "username": "gone", "state": "blocked", "access_level": 50},
        {"id": 4, "username": "group_7_bot_ab", "state": "active", "access_level": 50,
         "two_factor_enabled": false}
    ]))
}

fn logins(fact: &Fact<Vec<Account>>) -> Vec<&str> {
    match fact {
        Fact::Known { value, .. } => value.iter().map(|who| who.login.as_str()).collect(),
        Fact::Unknown(_) => panic!("it should be known"),
    }
}

#[test]
fn members_and_owners_are_those_whose_membership_is_in_force() {
    let members = accounts("x", &group(), |_| Ok(true));
    assert_eq!(logins(&members), ["ana", "ben", "group_7_bot_ab"]);
    assert_eq!(members.known().unwrap()[2].kind, AccountKind::Bot);
    assert_eq!(
        logins(&accounts("x", &group(), owns)),
        ["ana", "group_7_bot_ab"]
    );
}

#[test]
fn a_state_that_is_not_known_is_in_force_and_one_that_is_left_out_is_unknown() {
    let odd = rows(json!([{"id": 1, "username": "ana", "state": "sleeping", "access_level": 50}]));
    assert_eq!(logins(&accounts("x", &odd, owns)), ["ana"]);
    for row in [
        json!({"id": 1, "username": "ana", "access_level": 50}),
        json!({"id": 1, "username": "ana", "state": "active"}),
        json!({"id": 1, "state": "active", "access_level": 50}),
    ] {
        assert!(!accounts("x", &rows(json!([row])), owns).is_known());
    }
    assert!(!accounts("x", &hidden(), owns).is_known());
}

#[test]
fn whoever_reaches_the_project_and_is_not_in_the_group_is_outside() {
    let project = || {
        rows(json!([
            {"id": 1, "username": "ana", "state": "active", "access_level": 50},
            {"id": 3, "username": "gone", "state": "active", "access_level": 30},
            {"id": 9, "username": "zoe", "state": "active", "access_level": 20}
        ]))
    };
    assert_eq!(
        logins(&outsiders("x", &group(), project())),
        ["gone", "zoe"]
    );
    assert!(!outsiders("x", &hidden(), project()).is_known());
    assert!(!outsiders("x", &group(), hidden()).is_known());
}

#[test]
fn who_has_no_second_factor_is_known_only_if_it_is_told_of_everybody() {
    let found = without_two_factor("x", &group());
    assert_eq!(
        logins(&found.known().unwrap().disabled),
        ["ben", "group_7_bot_ab"]
    );
    let silent = rows(json!([
        {"id": 1, "username": "ana", "state": "active", "access_level": 50},
        {"id": 2, "username": "ben", "state": "active", "access_level": 30,
         "two_factor_enabled": true}
    ]));
    let found = without_two_factor("x", &silent);
    let unknown = found.known().unwrap().disabled.known().unwrap_err();
    assert_eq!(unknown.needs.as_deref(), Some(permissions::GROUP_OWNER));
    assert!(!without_two_factor("x", &hidden()).is_known());
}

#[test]
fn a_name_like_a_bots_spares_nobody_the_second_factor() {
    let row = |bot: bool| {
        json!([{"id": 7, "username": "service_account_eve", "state": "active", "bot": bot,
            "membership_state": "active", "access_level": 30, "two_factor_enabled": false}])
    };
    for (bot, human) in [(false, true), (true, false)] {
        let found = without_two_factor("x", &rows(row(bot)));
        let disabled = &found.known().unwrap().disabled;
        assert_eq!(disabled.known().unwrap()[0].is_human(), human);
    }
}

#[test]
fn the_last_activity_is_a_day_or_never_or_unknown() {
    let found = last_active(&pages(json!([
        {"username": "ana", "last_activity_on": "2026-05-01"},
        {"username": "ben", "last_activity_on": null},
        {"username": "cyd"},
        {"username": "dov", "last_activity_on": "lately"}
    ])));
    let found = found.known().unwrap();
    let at = "2026-05-01T00:00:00Z".parse().unwrap();
    assert_eq!(found[0].last_active.known(), Ok(&Some(at)));
    assert_eq!(found[1].last_active.known(), Ok(&None));
    assert!(!found[2].last_active.is_known() && !found[3].last_active.is_known());
    assert!(!last_active(&refused(404)).is_known());
    assert!(!last_active(&pages(json!([{"last_activity_on": null}]))).is_known());
}

#[test]
fn a_custom_role_counts_as_administrator() {
    let row: Row = serde_json::from_value(json!({
        "access_level": 20, "member_role": {"id": 3, "name": "releaser", "base_access_level": 20}
    }))
    .unwrap();
    assert!(row.role().unwrap().is_admin());
    assert!(Row::default().role().is_err());
}
