//! Tests of the translation beside this file: small answers written by hand, shaped as the platform's.

use serde_json::json;

use super::entries::actor;
use super::*;
use crate::facts::{BypassKind, Unknown, Why};

pub(super) fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
    Ok((serde_json::from_value(value).unwrap(), Vec::new()))
}

pub(super) fn refused<T>() -> Read<T> {
    Err(Unknown::new("branch.rules", Why::NotPermitted, "403"))
}

pub(super) fn seen(entries: serde_json::Value) -> Seen {
    Seen {
        branch: "main".to_owned(),
        entries: read(entries),
        flag: None,
        project: read(json!({
            "only_allow_merge_if_pipeline_succeeds": true,
            "allow_merge_on_skipped_pipeline": null
        })),
        setting: read(json!({
            "retain_approvals_on_push": {"value": false},
            "selective_code_owner_removals": {"value": false}
        })),
        rules: read(json!([{"name": "All Members", "rule_type": "any_approver",
            "approvals_required": 2, "protected_branches": []}])),
        push_rule: Ok((Some(None), Vec::new())),
        members: BTreeMap::from([(5, "ana".to_owned())]),
    }
}

pub(super) fn judged(seen: &Seen) -> BranchRules {
    rules(seen).known().unwrap().clone()
}

pub(super) fn is_true(value: &bool) -> bool {
    *value
}

#[test]
fn a_wildcard_covers_what_gitlab_says_it_covers() {
    for (pattern, branch, expected) in [
        ("main", "main", true),
        ("main", "main2", false),
        ("ma*", "main", true),
        ("*", "anything/at/all", true),
        ("release/*", "release/1.0", true),
        ("*-stable", "15-stable", true),
        ("*-stable", "15-stable-ee", false),
        ("a*b*c", "axxbyyc", true),
        ("a*b*b", "ab", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(applies(pattern, branch), expected, "{pattern} {branch}");
    }
}

#[test]
fn an_entry_without_a_name_leaves_all_of_them_unknown() {
    let out = judged(&seen(json!([
        {"name": "main", "push_access_levels": [{"access_level": 0}], "allow_force_push": false},
        {"inherited": true, "push_access_levels": [{"access_level": 0}], "allow_force_push": false}
    ])));
    assert!(out.protected.holds(is_true).known().is_err());
    assert!(out.pull_request_required.holds(is_true).known().is_err());
    assert!(out.layers.iter().all(|layer| layer.id == HIDDEN_LAYER));
}

#[test]
fn one_permissive_wildcard_entry_opens_a_branch_that_its_own_entry_closes() {
    let out = judged(&seen(json!([
        {"name": "main", "push_access_levels": [{"access_level": 0}], "allow_force_push": false},
        {"name": "ma*", "push_access_levels": [{"access_level": 30}], "allow_force_push": true},
        {"name": "other", "push_access_levels": [{"access_level": 0}], "allow_force_push": false}
    ])));
    assert_eq!(out.layers.len(), 2);
    assert_eq!(out.pull_request_required.holds(is_true).known(), Ok(&false));
    assert_eq!(out.force_push_blocked.holds(is_true).known(), Ok(&false));
    assert_eq!(out.layers[0].bypass.known(), Ok(&Vec::new()));
    let open = out.layers[1].bypass.known().unwrap();
    assert!(open.iter().any(|a| a.kind == BypassKind::Administrators));
    assert!(open.iter().any(|a| a.kind == BypassKind::Role));
}

#[test]
fn a_person_group_or_key_on_the_push_list_is_somebody_who_may_push() {
    let out = judged(&seen(json!([{"name": "main", "push_access_levels": [
        {"access_level": 0},
        {"access_level": 40, "user_id": 5},
        {"access_level": 40, "group_id": 6, "access_level_description": "ops"},
        {"access_level": 40, "deploy_key_id": 7, "access_level_description": "ci"},
        {"access_level": 99}
    ], "allow_force_push": false}])));
    assert_eq!(out.pull_request_required.holds(is_true).known(), Ok(&false));
    let who = out.layers[0].bypass.known().unwrap().clone();
    assert!(who.contains(&actor(BypassKind::User, "@ana")));
    assert!(who.contains(&actor(BypassKind::Team, "group ops (6)")));
    assert!(who.contains(&actor(BypassKind::DeployKey, "deploy key ci (7)")));
    assert!(who.iter().any(|a| matches!(a.kind, BypassKind::Other(_))));
}

#[test]
fn f10_f13_a_branch_without_an_entry_has_no_layer_and_fails() {
    let out = judged(&seen(json!([{"name": "release/*"}])));
    assert!(out.layers.is_empty());
    assert_eq!(out.protected.holds(is_true).known(), Ok(&false));
    assert_eq!(out.force_push_blocked.holds(is_true).known(), Ok(&false));
    assert_eq!(out.deletion_blocked.holds(is_true).known(), Ok(&false));
}

#[test]
fn an_entry_that_leaves_its_fields_out_is_unknown_in_them() {
    let out = judged(&seen(json!([{"name": "main"}])));
    assert!(!out.layers[0].bypass.is_known());
    assert!(!out.pull_request_required.holds(is_true).is_known());
    assert!(!out.force_push_blocked.holds(is_true).is_known());
}

#[test]
fn f11_a_token_that_may_not_read_the_settings_gets_unknown_and_never_a_default() {
    let out = judged(&Seen {
        entries: refused(),
        project: refused(),
        setting: refused(),
        rules: refused(),
        ..seen(json!([]))
    });
    assert!(!out.protected.holds(is_true).is_known());
    assert!(!out.pull_request_required.holds(is_true).is_known());
    assert!(!out.stale_approvals_dismissed.holds(is_true).is_known());
    assert!(!out.approvals_required.holds(|n| *n >= 1).is_known());
    assert!(!out.required_checks.holds(|c| !c.is_empty()).is_known());
    assert!(!out.skipped_checks_block.holds(is_true).is_known());
    assert!(!out.layers[0].bypass.is_known());
}

#[test]
fn a_weak_token_can_still_prove_that_a_branch_is_open() {
    let weak = |protected: bool| Seen {
        entries: refused(),
        flag: Some(read(json!({"name": "main", "protected": protected}))),
        ..seen(json!([]))
    };
    let open = judged(&weak(false));
    assert_eq!(open.protected.holds(is_true).known(), Ok(&false));
    assert_eq!(
        open.pull_request_required.holds(is_true).known(),
        Ok(&false)
    );
    let closed = judged(&weak(true));
    assert_eq!(closed.protected.holds(is_true).known(), Ok(&true));
    assert!(!closed.pull_request_required.holds(is_true).is_known());
}

#[test]
fn on_the_free_tier_nothing_demands_approvals_and_the_plan_is_named() {
    let out = judged(&Seen {
        setting: Ok((None, Vec::new())),
        rules: Ok((None, Vec::new())),
        ..seen(json!([]))
    });
    assert_eq!(
        out.approvals_required.holds(|n| *n >= 1).known(),
        Ok(&false)
    );
    assert_eq!(
        out.stale_approvals_dismissed.holds(is_true).known(),
        Ok(&false)
    );
    assert_eq!(
        out.not_in_plan,
        [
            "approval settings",
            "approval rules",
            "pipeline execution policies"
        ]
    );
}

#[test]
fn rules_for_other_branches_and_for_code_owners_demand_nothing_here() {
    let entries = json!([{"name": "main"}]);
    let out = judged(&Seen {
        rules: read(json!([
            {"name": "rel", "rule_type": "regular", "approvals_required": 3,
             "protected_branches": [{"name": "release/*"}]},
            {"name": "owners", "rule_type": "code_owner", "approvals_required": 4,
             "protected_branches": []},
            {"name": "all", "rule_type": "regular", "approvals_required": 1,
             "applies_to_all_protected_branches": true, "protected_branches": []}
        ])),
        ..seen(entries)
    });
    assert_eq!(
        out.approvals_required.layers_where(|_| true),
        ["approval rule \"all\""]
    );
}

#[test]
fn removing_only_code_owners_approvals_is_not_removing_approvals() {
    let with = |setting: serde_json::Value| {
        judged(&Seen {
            setting: read(setting),
            ..seen(json!([]))
        })
        .stale_approvals_dismissed
        .holds(is_true)
    };
    let selective = json!({"reset_approvals_on_push": true, "selective_code_owner_removals": true});
    assert_eq!(with(selective).known(), Ok(&false));
    let all = json!({"reset_approvals_on_push": true, "selective_code_owner_removals": false});
    assert_eq!(with(all).known(), Ok(&true));
    let retained = json!({"retain_approvals_on_push": {"value": true}});
    assert_eq!(with(retained).known(), Ok(&false));
    assert!(!with(json!({})).is_known());
}

#[test]
fn a_skipped_pipeline_blocks_unless_the_project_says_otherwise() {
    let with = |project: serde_json::Value| {
        judged(&Seen {
            project: read(project),
            ..seen(json!([]))
        })
        .skipped_checks_block
        .holds(is_true)
    };
    assert_eq!(
        with(json!({"allow_merge_on_skipped_pipeline": true})).known(),
        Ok(&false)
    );
    assert_eq!(
        with(json!({"allow_merge_on_skipped_pipeline": null})).known(),
        Ok(&true)
    );
    assert!(!with(json!({})).is_known());
}
