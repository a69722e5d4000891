//! Tests of what each answer demands: settings, levels, push rules, tiers.

use serde_json::json;

use super::tests::{is_true, judged, read, refused, seen};
use super::*;
use crate::facts::{MergeMethod, Why};

fn with_entry(entry: &serde_json::Value) -> Seen {
    seen(json!([entry]))
}

fn free(mut seen: Seen) -> Seen {
    seen.setting = Ok((None, Vec::new()));
    seen.rules = Ok((None, Vec::new()));
    seen.push_rule = Ok((None, Vec::new()));
    seen
}

#[test]
fn both_forms_of_the_approval_settings_say_the_same_with_opposite_words() {
    let effective = |allowed: bool| {
        json!({
            "allow_author_approval": {"value": allowed, "locked": true, "inherited_from": "group"},
            "allow_committer_approval": {"value": allowed, "locked": false, "inherited_from": null},
            "allow_overrides_to_approver_list_per_merge_request": {"value": allowed}
        })
    };
    let older = |allowed: bool| {
        json!({
            "merge_requests_author_approval": allowed,
            "merge_requests_disable_committers_approval": !allowed,
            "disable_overriding_approvers_per_merge_request": !allowed
        })
    };
    for allowed in [true, false] {
        for form in [effective(allowed), older(allowed)] {
            let mut seen = seen(json!([]));
            seen.setting = read(form.clone());
            let out = judged(&seen);
            for requirement in [
                &out.author_approval_blocked,
                &out.committer_approval_blocked,
                &out.approval_rules_locked,
            ] {
                assert_eq!(requirement.holds(is_true).known(), Ok(&!allowed), "{form}");
            }
            assert_eq!(
                out.last_push_approval_required.holds(is_true).known(),
                Ok(&false)
            );
        }
    }
}

#[test]
fn a_setting_that_is_null_or_left_out_is_unknown() {
    for form in [
        json!({"allow_author_approval": {"value": null}, "merge_requests_author_approval": false}),
        json!({"allow_author_approval": {}}),
        json!({}),
    ] {
        let mut seen = seen(json!([]));
        seen.setting = read(form.clone());
        let out = judged(&seen);
        assert!(
            !out.author_approval_blocked.holds(is_true).is_known(),
            "{form}"
        );
    }
}

#[test]
fn the_merge_method_says_what_lands_and_whether_it_is_up_to_date() {
    use MergeMethod::{FastForward, Merge, Other, Squash};
    let odd = Other("octopus".to_owned());
    for (method, squash, methods, linear, fresh) in [
        ("merge", "never", vec![Merge], false, false),
        ("merge", "default_off", vec![Merge, Squash], false, false),
        ("merge", "always", vec![Merge, Squash], false, false),
        ("rebase_merge", "never", vec![Merge], false, true),
        ("ff", "never", vec![FastForward], true, true),
        ("ff", "default_on", vec![FastForward, Squash], true, true),
        ("ff", "always", vec![Squash], true, true),
        ("octopus", "never", vec![odd], false, false),
    ] {
        let mut seen = seen(json!([]));
        seen.project = read(json!({
            "merge_method": method,
            "squash_option": squash,
            "merge_trains_enabled": false,
            "only_allow_merge_if_all_discussions_are_resolved": true
        }));
        let out = judged(&seen);
        let only = &out.merge_methods.demands[0].value;
        assert_eq!(only.known(), Ok(&methods), "{method} {squash}");
        assert_eq!(
            out.linear_history_required.holds(is_true).known(),
            Ok(&linear)
        );
        assert_eq!(
            out.up_to_date_required.holds(is_true).known(),
            Ok(&fresh),
            "{method}"
        );
        assert_eq!(out.conversations_resolved.holds(is_true).known(), Ok(&true));
    }
}

#[test]
fn a_merge_train_keeps_up_to_date_unless_it_may_be_skipped() {
    let train = |skip: serde_json::Value, pipelines: bool| {
        let mut seen = seen(json!([]));
        let mut project = json!({
            "merge_method": "merge",
            "squash_option": "never",
            "merge_pipelines_enabled": pipelines,
            "merge_trains_enabled": true
        });
        if !skip.is_null() {
            project["merge_trains_skip_train_allowed"] = skip;
        }
        seen.project = read(project);
        judged(&seen).up_to_date_required.holds(is_true)
    };
    assert_eq!(train(json!(false), true).known(), Ok(&true));
    assert_eq!(train(json!(true), true).known(), Ok(&false));
    assert_eq!(train(json!(false), false).known(), Ok(&false));
    assert!(!train(json!(null), true).is_known());
}

#[test]
fn the_free_tier_leaves_trains_and_levels_out_and_that_is_known_to_be_none() {
    let mut seen = free(with_entry(
        &json!({"name": "main", "push_access_levels": [], "allow_force_push": false}),
    ));
    seen.project = read(json!({"merge_method": "merge", "squash_option": "never"}));
    let out = judged(&seen);
    for requirement in [
        &out.up_to_date_required,
        &out.code_owner_review_required,
        &out.removal_limited,
        &out.signatures_required,
        &out.author_approval_blocked,
    ] {
        assert_eq!(requirement.holds(is_true).known(), Ok(&false));
    }
    assert!(out.inactive.is_known());
    assert!(out.required_workflows.demands[0].value.is_known());
    for feature in [
        "approval settings",
        "approval rules",
        "push rules",
        "code owner approval",
        "unprotect levels",
        "pipeline execution policies",
    ] {
        assert!(out.not_in_plan.iter().any(|f| f == feature), "{feature}");
    }
}

#[test]
fn on_a_paid_tier_what_is_left_out_is_unknown_and_policies_are_not_supported() {
    let mut seen = with_entry(&json!({"name": "main"}));
    seen.project = read(json!({"merge_method": "merge", "squash_option": "never"}));
    let out = judged(&seen);
    for requirement in [
        &out.up_to_date_required,
        &out.code_owner_review_required,
        &out.removal_limited,
    ] {
        assert!(!requirement.holds(is_true).is_known());
    }
    let why = out.inactive.known().unwrap_err().why;
    assert_eq!(why, Why::NotSupported);
    assert!(!out.required_workflows.demands[0].value.is_known());
    assert!(out.not_in_plan.is_empty());
}

#[test]
fn unprotecting_is_limited_only_where_no_level_reaches_maintainers() {
    for (levels, limited) in [
        (json!([]), false),
        (json!([{"access_level": 30}]), false),
        (json!([{"access_level": 40}]), false),
        (json!([{"access_level": 50}, {"access_level": 40}]), false),
        (json!([{"access_level": 50, "user_id": 5}]), false),
        (json!([{"access_level": null}]), false),
        (json!([{"access_level": 50}]), true),
        (json!([{"access_level": 60}, {"access_level": 0}]), true),
    ] {
        let out = judged(&with_entry(
            &json!({"name": "main", "unprotect_access_levels": levels}),
        ));
        assert_eq!(
            out.removal_limited.holds(is_true).known(),
            Ok(&limited),
            "{levels}"
        );
    }
}

#[test]
fn an_entry_of_a_group_cannot_be_taken_away_by_the_project() {
    let out = judged(&seen(json!([
        {"name": "main", "inherited": true, "unprotect_access_levels": [{"access_level": 40}]}
    ])));
    assert_eq!(out.removal_limited.holds(is_true).known(), Ok(&true));
    assert_eq!(out.layers[0].all_repositories.known(), Ok(&true));
    let out = judged(&seen(json!([
        {"name": "main", "inherited": true},
        {"name": "*", "inherited": false, "unprotect_access_levels": [{"access_level": 40}]}
    ])));
    assert_eq!(out.removal_limited.holds(is_true).known(), Ok(&false));
}

#[test]
fn direct_pushes_are_open_where_any_entry_lets_developers_or_an_unknown_level_push() {
    for (levels, restricted) in [
        (json!([{"access_level": 0}]), true),
        (json!([{"access_level": 40}]), true),
        (json!([{"access_level": 40}, {"access_level": 30}]), false),
        (json!([{"access_level": 25}]), false),
        (json!([{"access_level": 30, "user_id": 5}]), true),
        (json!([{}]), false),
    ] {
        let out = judged(&with_entry(
            &json!({"name": "main", "push_access_levels": levels}),
        ));
        let held = out.direct_push.holds(|push| push.restricted);
        assert_eq!(held.known(), Ok(&restricted), "{levels}");
    }
    let hidden = judged(&with_entry(
        &json!({"name": "main", "push_access_levels": null}),
    ));
    assert!(!hidden.direct_push.holds(|push| push.restricted).is_known());
}

#[test]
fn the_strictest_entry_decides_about_code_owners() {
    let out = judged(&seen(json!([
        {"name": "main", "code_owner_approval_required": true},
        {"name": "*", "code_owner_approval_required": false}
    ])));
    assert_eq!(
        out.code_owner_review_required.holds(is_true).known(),
        Ok(&true)
    );
}

#[test]
fn a_branch_that_says_that_developers_may_push_proves_it_and_the_opposite_proves_nothing() {
    let told = |may: serde_json::Value| {
        let mut seen = seen(json!([]));
        seen.entries = refused();
        seen.flag = Some(read(json!({"protected": true, "developers_can_push": may})));
        judged(&seen)
    };
    let open = told(json!(true));
    assert_eq!(
        open.pull_request_required.holds(is_true).known(),
        Ok(&false)
    );
    assert_eq!(
        open.direct_push.holds(|push| push.restricted).known(),
        Ok(&false)
    );
    for may in [json!(false), json!(null)] {
        let closed = told(may);
        assert!(!closed.pull_request_required.holds(is_true).is_known());
        assert!(!closed.direct_push.holds(|push| push.restricted).is_known());
        assert!(!closed.removal_limited.holds(is_true).is_known());
        assert!(!closed.code_owner_review_required.holds(is_true).is_known());
    }
}

fn pushed(rule: Read<Option<Option<PushRule>>>) -> (Fact<bool>, Fact<Vec<String>>) {
    let mut seen = seen(json!([]));
    seen.push_rule = rule;
    let out = judged(&seen);
    let identities = out.identity_rules.demands[0].value.clone();
    (out.signatures_required.holds(is_true), identities)
}

#[test]
fn a_push_rule_of_null_is_none_at_all() {
    let (signatures, identities) = pushed(read(json!(null)).map(|(rule, s)| (Some(rule), s)));
    assert_eq!(signatures.known(), Ok(&false));
    assert_eq!(identities.known(), Ok(&Vec::new()));
}

#[test]
fn a_push_rule_names_what_it_demands_and_keeps_hidden_keys_unknown() {
    let rule = |value: serde_json::Value| pushed(read(value).map(|(rule, s)| (Some(rule), s)));
    let (signatures, identities) = rule(json!({
        "reject_unsigned_commits": true, "commit_committer_check": true,
        "author_email_regex": "@acme\\.example$", "member_check": false
    }));
    assert_eq!(signatures.known(), Ok(&true));
    assert_eq!(identities.known().unwrap().len(), 2);
    let (signatures, identities) = rule(json!({"member_check": false, "author_email_regex": ""}));
    assert!(!signatures.is_known());
    assert!(!identities.is_known());
    let (signatures, identities) = rule(json!({
        "reject_unsigned_commits": false, "commit_committer_check": false,
        "commit_committer_name_check": false, "member_check": false, "author_email_regex": null
    }));
    assert_eq!(signatures.known(), Ok(&false));
    assert_eq!(identities.known(), Ok(&Vec::new()));
    let (signatures, identities) = pushed(refused());
    assert!(!signatures.is_known() && !identities.is_known());
}
