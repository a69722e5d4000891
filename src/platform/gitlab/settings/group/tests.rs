//! Tests of what groups demand.

use serde_json::{Value, json};

use super::defaults::new_projects;
use super::*;
use crate::facts::Why;

fn seen_with(chain: &[Value], free: bool) -> Seen {
    Seen {
        name: "acme/pay".to_owned(),
        chain: chain
            .iter()
            .map(|value| {
                if value.is_null() {
                    Err(Unknown::new("x", Why::HiddenOrAbsent, "404"))
                } else {
                    Ok((serde_json::from_value(value.clone()).unwrap(), Vec::new()))
                }
            })
            .collect(),
        free: free.then(Vec::new),
    }
}

fn organization_of(chain: &[Value], free: bool) -> Organization {
    let fact = settings(&seen_with(chain, free)).unwrap();
    fact.known().unwrap().clone()
}

fn paid() -> Value {
    json!({
        "full_path": "acme/pay",
        "require_two_factor_authentication": true,
        "two_factor_grace_period": 48,
        "project_creation_level": "maintainer",
        "share_with_group_lock": true,
        "membership_lock": true,
        "prevent_forking_outside_group": true,
        "shared_with_groups": [
            {"group_full_path": "partners", "group_access_level": 20},
            {"group_full_path": "contractors", "group_access_level": 30}
        ],
        "ip_restriction_ranges": "192.0.2.0/24"
    })
}

#[test]
fn a_group_says_what_it_demands_and_lets_people_do() {
    let found = organization_of(&[paid()], false);
    assert_eq!(found.two_factor_required.known(), Ok(&true));
    assert_eq!(found.two_factor_grace_hours.known(), Ok(&48));
    assert_eq!(found.base_permission.known(), Ok(&AccessRole::Write));
    assert_eq!(found.repository_creation.known(), Ok(&Who::Administrators));
    assert_eq!(found.repository_deletion.known(), Ok(&Who::Owners));
    assert_eq!(found.outside_invitation.known(), Ok(&Who::Owners));
    assert_eq!(found.private_forking.known(), Ok(&false));
    assert!(found.not_in_plan.is_empty());
}

#[test]
fn a_setting_that_is_left_out_is_unknown_and_names_the_role() {
    let found = organization_of(&[json!({})], false);
    for unknown in [
        found.two_factor_required.known().unwrap_err(),
        found.two_factor_grace_hours.known().unwrap_err(),
        found.base_permission.known().unwrap_err(),
        found.repository_creation.known().unwrap_err(),
        found.outside_invitation.known().unwrap_err(),
        found.private_forking.known().unwrap_err(),
    ] {
        assert_eq!(unknown.why, Why::HiddenOrAbsent);
        assert_eq!(unknown.needs.as_deref(), Some(NEEDS));
    }
}

#[test]
fn what_the_free_tier_does_not_sell_is_named_and_counts_as_off() {
    let found = organization_of(&[json!({"share_with_group_lock": true})], true);
    assert_eq!(found.private_forking.known(), Ok(&true));
    assert_eq!(found.outside_invitation.known(), Ok(&Who::Administrators));
    assert_eq!(found.not_in_plan, ["private_forking", "outside_invitation"]);
}

#[test]
fn one_open_lock_proves_that_maintainers_bring_in_people_whatever_is_hidden() {
    let of = |value: Value| organization_of(&[value], false).outside_invitation;
    let open = json!({"share_with_group_lock": false});
    assert_eq!(of(open).known(), Ok(&Who::Administrators));
    let open = json!({"membership_lock": false});
    assert_eq!(of(open).known(), Ok(&Who::Administrators));
    assert!(!of(json!({"share_with_group_lock": true})).is_known());
}

#[test]
fn a_parent_that_demands_two_factors_counts_and_a_hidden_one_leaves_it_open() {
    let off = json!({"require_two_factor_authentication": false, "two_factor_grace_period": 0});
    let on = json!({"require_two_factor_authentication": true, "two_factor_grace_period": 24});
    let of = |chain: &[Value]| {
        let found = organization_of(chain, false);
        (found.two_factor_required, found.two_factor_grace_hours)
    };
    let (required, grace) = of(&[off.clone(), on.clone()]);
    assert_eq!((required.known(), grace.known()), (Ok(&true), Ok(&24)));
    let (required, grace) = of(&[off.clone(), Value::Null]);
    assert!(!required.is_known() && !grace.is_known());
    let (required, grace) = of(&[on, Value::Null]);
    assert_eq!(required.known(), Ok(&true));
    assert!(!grace.is_known());
    let (required, _) = of(&[off]);
    assert_eq!(required.known(), Ok(&false));
}

#[test]
fn an_invited_group_with_an_odd_role_counts_as_administrator() {
    let of = |shared: Value| {
        organization_of(&[json!({ "shared_with_groups": shared })], false).base_permission
    };
    assert_eq!(of(json!([])).known(), Ok(&AccessRole::None));
    let odd = of(json!([{"group_access_level": 35}, {"group_access_level": 10}]));
    assert!(odd.known().unwrap().is_admin());
    assert!(!of(json!([{"group_full_path": "x"}])).is_known());
    assert!(!of(Value::Null).is_known());
}

#[test]
fn words_about_who_creates_projects() {
    for (word, who) in [
        ("noone", Who::Nobody),
        ("administrator", Who::Nobody),
        ("owner", Who::Owners),
        ("maintainer", Who::Administrators),
        ("developer", Who::Members),
        ("anybody", Who::Other("anybody".to_owned())),
    ] {
        assert_eq!(creators(word), who);
    }
}

#[test]
fn a_group_that_is_hidden_makes_the_whole_group_of_facts_unknown() {
    assert!(settings(&seen_with(&[Value::Null], true)).is_err());
    assert!(who_gets_in(&seen_with(&[Value::Null], true)).is_err());
    assert!(new_projects(&seen_with(&[Value::Null], true)).is_err());
}

#[test]
fn an_address_list_that_is_empty_is_none_and_one_that_is_left_out_is_unknown() {
    let of = |value: Value, free| {
        let fact = who_gets_in(&seen_with(&[value], free)).unwrap();
        fact.known().unwrap().clone()
    };
    assert_eq!(of(paid(), false).ip_allow_list.known(), Ok(&true));
    for empty in [
        json!({"ip_restriction_ranges": null}),
        json!({"ip_restriction_ranges": ""}),
    ] {
        assert_eq!(of(empty, false).ip_allow_list.known(), Ok(&false));
    }
    assert!(!of(json!({}), false).ip_allow_list.is_known());
    let free = of(json!({}), true);
    assert_eq!(free.ip_allow_list.known(), Ok(&false));
    assert_eq!(free.not_in_plan, ["ip_allow_list"]);
    let sso = free.single_sign_on.known().unwrap_err();
    assert_eq!(sso.why, Why::NotSupported);
}

#[test]
fn a_new_default_branch_is_protected_if_developers_can_neither_push_nor_force() {
    let of = |value: Value| {
        let fact = new_projects(&seen_with(&[value], false)).unwrap();
        fact.known()
            .unwrap()
            .branch_rules
            .map_ref(|rules| !rules.is_empty())
    };
    let defaults = |levels: Value, force: Value| {
        json!({"default_branch_protection_defaults":
            {"allowed_to_push": levels, "allow_force_push": force}})
    };
    let maintainers = json!([{"access_level": 40}]);
    assert_eq!(
        of(defaults(maintainers.clone(), json!(false))).known(),
        Ok(&true)
    );
    assert_eq!(
        of(defaults(json!([{"access_level": 0}]), json!(false))).known(),
        Ok(&true)
    );
    assert_eq!(
        of(defaults(maintainers.clone(), json!(true))).known(),
        Ok(&false)
    );
    assert_eq!(
        of(defaults(json!([{"access_level": 30}]), Value::Null)).known(),
        Ok(&false)
    );
    for odd in [
        defaults(maintainers, Value::Null),
        defaults(json!([]), json!(false)),
        defaults(Value::Null, json!(false)),
        defaults(json!([{}]), json!(false)),
        json!({"default_branch_protection_defaults": {}}),
        json!({"default_branch_protection": 9}),
        json!({}),
    ] {
        assert!(!of(odd).is_known());
    }
    let older = |number: u32| {
        of(json!({"default_branch_protection": number, "default_branch_protection_defaults": {}}))
    };
    assert_eq!(older(2).known(), Ok(&true));
    assert_eq!(older(1).known(), Ok(&false));
}
