//! What rules demand, and what a rule that cannot be read leaves open.

use serde_json::{Value, json};

use super::*;

fn of(rules: &Value) -> LayerRules {
    let rules: Vec<wire::Rule> = serde_json::from_value(rules.clone()).unwrap();
    layer("x".to_owned(), LayerOrigin::Repository, &rules, &[])
}

fn change(parameters: &Value) -> LayerRules {
    of(&json!([{"type": "pull_request", "parameters": parameters}]))
}

#[test]
fn a_rule_about_pull_requests_turns_on_what_it_says() {
    let strict = change(&json!({
        "required_approving_review_count": 2, "dismiss_stale_reviews_on_push": true,
        "require_code_owner_review": true, "require_last_push_approval": true,
        "required_review_thread_resolution": true, "allowed_merge_methods": ["squash", "teleport"],
        "dismissal_restriction": {"enabled": true, "allowed_actors": []},
        "required_reviewers": [{"file_patterns": ["/infra/**"], "minimum_approvals": 1, "reviewer": {"id": 17, "type": "Team"}}]}));
    for fact in [
        &strict.author_approval_blocked,
        &strict.code_owner_review_required,
        &strict.last_push_approval_required,
        &strict.conversations_resolved,
        &strict.dismissal_restricted,
    ] {
        assert_eq!(fact.known(), Ok(&true));
    }
    assert_eq!(
        strict.merge_methods.known().unwrap(),
        &[
            MergeMethod::Squash,
            MergeMethod::Other("teleport".to_owned())
        ]
    );
    assert_eq!(
        strict.path_reviewers.known().unwrap()[0].reviewers,
        ["team 17"]
    );
    assert!(strict.direct_push.known().unwrap().restricted);
}

#[test]
fn a_rule_that_turns_nothing_on_demands_nothing_else() {
    let loose = change(&json!({
        "required_approving_review_count": 0, "dismiss_stale_reviews_on_push": false,
        "require_code_owner_review": false, "require_last_push_approval": false,
        "required_review_thread_resolution": false}));
    for fact in [
        &loose.author_approval_blocked,
        &loose.code_owner_review_required,
        &loose.last_push_approval_required,
        &loose.conversations_resolved,
        &loose.dismissal_restricted,
        &loose.committer_approval_blocked,
        &loose.approval_rules_locked,
        &loose.up_to_date_required,
        &loose.linear_history_required,
        &loose.signatures_required,
        &loose.removal_limited,
    ] {
        assert_eq!(fact.known(), Ok(&false));
    }
    assert_eq!(loose.merge_methods.known(), Ok(&vec![]));
    assert_eq!(loose.path_reviewers.known(), Ok(&vec![]));
    assert_eq!(loose.required_workflows.known(), Ok(&vec![]));
    assert_eq!(loose.identity_rules.known(), Ok(&vec![]));
}

#[test]
fn missing_or_odd_parameters_leave_every_demand_of_the_rule_unknown() {
    for parameters in [
        json!(null),
        json!("x"),
        json!({"require_code_owner_review": "yes"}),
    ] {
        let layer = change(&parameters);
        assert_eq!(layer.pull_request_required.known(), Ok(&true));
        for fact in [
            &layer.author_approval_blocked,
            &layer.code_owner_review_required,
            &layer.last_push_approval_required,
            &layer.conversations_resolved,
            &layer.dismissal_restricted,
        ] {
            assert!(!fact.is_known(), "{parameters}");
        }
        assert!(!layer.merge_methods.is_known() && !layer.path_reviewers.is_known());
    }
    for kind in [
        "workflows",
        "commit_author_email_pattern",
        "committer_email_pattern",
    ] {
        let layer = of(&json!([{ "type": kind }]));
        assert!(
            !layer.required_workflows.is_known() || !layer.identity_rules.is_known(),
            "{kind}"
        );
    }
}

#[test]
fn a_reviewer_or_workflow_without_its_name_makes_the_list_unknown() {
    let layer = change(
        &json!({"required_reviewers": [{"file_patterns": ["*"], "minimum_approvals": 1, "reviewer": {"type": "Team"}}]}),
    );
    assert!(!layer.path_reviewers.is_known());
    let layer =
        of(&json!([{"type": "workflows", "parameters": {"workflows": [{"repository_id": 1}]}}]));
    assert!(!layer.required_workflows.is_known());
}

#[test]
fn a_dismissal_restriction_that_does_not_say_whether_it_is_on_is_unknown() {
    let layer = change(&json!({"dismissal_restriction": {"allowed_actors": []}}));
    assert!(!layer.dismissal_restricted.is_known());
}

#[test]
fn f26_the_strict_flag_counts_only_where_a_check_is_required() {
    let checks = |parameters: Value| {
        of(&json!([{"type": "required_status_checks", "parameters": parameters}]))
            .up_to_date_required
    };
    let one = json!([{"context": "test"}]);
    let strict = |strict: bool, list: &Value| {
        checks(
            json!({"strict_required_status_checks_policy": strict, "required_status_checks": list}),
        )
    };
    assert_eq!(strict(true, &one).known(), Ok(&true));
    assert_eq!(strict(true, &json!([])).known(), Ok(&false));
    assert_eq!(strict(false, &one).known(), Ok(&false));
    assert!(!checks(json!({ "required_status_checks": one })).is_known());
    assert!(!checks(Value::Null).is_known());
}

#[test]
fn a_queue_tests_the_merged_result_and_decides_how_it_merges() {
    let layer = of(&json!([
        {"type": "merge_queue", "parameters": {"merge_method": "SQUASH"}},
        {"type": "pull_request", "parameters": {"allowed_merge_methods": ["squash", "merge"]}}]));
    assert_eq!(layer.up_to_date_required.known(), Ok(&true));
    assert_eq!(layer.merge_methods.known().unwrap(), &[MergeMethod::Squash]);
}

#[test]
fn a_linear_history_takes_the_merge_commit_away() {
    let with = |methods: Value| {
        of(&json!([{"type": "required_linear_history"},
            {"type": "pull_request", "parameters": {"allowed_merge_methods": methods}}]))
        .merge_methods
    };
    assert_eq!(
        with(json!(["merge", "rebase"])).known().unwrap(),
        &[MergeMethod::Rebase]
    );
    // Nothing left is not the same as nothing said.
    assert!(!with(json!(["merge"])).is_known());
}

#[test]
fn updates_that_are_restricted_leave_nobody_who_may_push() {
    let layer = of(&json!([{"type": "update"}]));
    let push = layer.direct_push.known().unwrap();
    assert!(push.restricted && push.actors.is_empty());
    assert!(
        !of(&json!([{"type": "deletion"}]))
            .direct_push
            .known()
            .unwrap()
            .restricted
    );
}

#[test]
fn rules_about_addresses_are_told_in_words_and_rules_about_messages_are_none() {
    let layer = of(&json!([
        {"type": "committer_email_pattern", "parameters": {"operator": "ends_with", "pattern": "@acme.example", "negate": false}},
        {"type": "commit_author_email_pattern", "parameters": {"operator": "regex", "pattern": "evil", "negate": true}},
        {"type": "commit_message_pattern", "parameters": {"operator": "regex", "pattern": "x"}}]));
    assert_eq!(
        layer.identity_rules.known().unwrap(),
        &[
            "e-mail of the author: not regex `evil`",
            "e-mail of the committer: ends with `@acme.example`",
        ]
    );
}

#[test]
fn imposed_workflows_come_with_their_repository_and_reference() {
    let layer = of(&json!([{"type": "workflows", "parameters": {"workflows": [
        {"path": ".github/workflows/gate.yml", "repository_id": 17, "ref": "refs/heads/main", "sha": null}]}}]));
    let workflow = &layer.required_workflows.known().unwrap()[0];
    assert_eq!(workflow.repository, "repository 17");
    assert_eq!(workflow.reference.as_deref(), Some("refs/heads/main"));
}

#[test]
fn only_a_layer_from_above_is_out_of_reach_of_the_repositorys_administrators() {
    for (origin, limited) in [
        (LayerOrigin::Repository, Some(false)),
        (LayerOrigin::Organization, Some(true)),
        (LayerOrigin::Enterprise, Some(true)),
        (LayerOrigin::Other, None),
    ] {
        let layer = layer("x".to_owned(), origin, &[], &[]);
        assert_eq!(layer.removal_limited.known().ok().copied(), limited);
    }
}

#[test]
fn a_rule_of_an_unknown_kind_demands_nothing_whatever_its_parameters_are() {
    let layer =
        of(&json!([{"type": "telepathy", "parameters": {"required_status_checks": 7}}, {}]));
    assert_eq!(layer.pull_request_required.known(), Ok(&false));
    assert_eq!(layer.required_checks.known(), Ok(&vec![]));
}
