//! What answers about classic protection come to.

use super::super::graph::testing::{refused, rest};
use super::*;
use serde_json::{Value, json};

#[expect(
    clippy::needless_pass_by_value,
    reason = "the answers are written in place"
)]
fn layer(
    full: Option<Result<Answer, NoAnswer>>,
    branch: Result<Answer, NoAnswer>,
) -> Option<LayerRules> {
    match classic(full.as_ref(), Some(&branch)) {
        Classic::Layer(layer) => Some(*layer),
        Classic::None | Classic::NotInPlan => None,
    }
}

fn seen(protection: &Value) -> LayerRules {
    layer(Some(rest(protection)), refused(404, "Not Found")).unwrap()
}

#[expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]
fn summary(protected: bool) -> Result<Answer, NoAnswer> {
    rest(
        &json!({"protected": protected, "protection": {"required_status_checks":
        {"enforcement_level": "everyone", "contexts": ["test"], "checks": [{"context": "test", "app_id": 15368}]}}}),
    )
}

#[test]
fn only_the_platforms_own_words_prove_that_nothing_is_set() {
    let asked = |status, message| {
        classic(
            Some(&refused(status, message)),
            Some(&refused(404, "Not Found")),
        )
    };
    assert!(matches!(asked(404, "Branch not protected"), Classic::None));
    assert!(matches!(
        asked(
            403,
            "Upgrade to GitHub Pro or make this repository public to enable this feature."
        ),
        Classic::NotInPlan
    ));
    assert!(matches!(
        asked(
            404,
            "Branch protection has been disabled on this repository."
        ),
        Classic::NotInPlan
    ));
    for (status, message) in [
        (404, "Not Found"),
        (404, "Branch not found"),
        (403, "Resource not accessible by integration"),
        (500, ""),
    ] {
        assert!(
            matches!(asked(status, message), Classic::Layer(_)),
            "{status} {message}"
        );
    }
}

#[test]
fn f1_a_branch_that_reads_unprotected_has_no_classic_layer_even_for_a_weak_token() {
    assert!(layer(None, summary(false)).is_none());
    assert!(layer(Some(refused(403, "no")), summary(false)).is_none());
}

#[test]
fn a_weak_token_sees_the_required_checks_and_nothing_else() {
    let layer = layer(None, summary(true)).unwrap();
    assert_eq!(layer.protected.known(), Ok(&true));
    assert_eq!(
        layer.required_checks.known().unwrap()[0].app.as_deref(),
        Some("15368")
    );
    let why = layer.approvals_required.known().unwrap_err();
    assert_eq!(why.why, Why::NotPermitted);
    assert!(why.needs.unwrap().starts_with("Administration: read"));
    assert!(!layer.bypass.is_known() && !layer.force_push_blocked.is_known());
}

#[test]
fn a_summary_that_is_hidden_too_leaves_everything_unknown() {
    let layer = layer(None, refused(404, "Not Found")).unwrap();
    assert!(!layer.protected.is_known() && !layer.required_checks.is_known());
    let silent = super::tests::layer(None, rest(&json!({}))).unwrap();
    assert!(!silent.protected.is_known());
}

#[test]
fn a_key_that_is_missing_from_protection_is_a_protection_that_is_not_set() {
    let layer = seen(&json!({"enforce_admins": {"enabled": true}}));
    assert_eq!(layer.pull_request_required.known(), Ok(&false));
    assert_eq!(layer.approvals_required.known(), Ok(&0));
    assert_eq!(layer.required_checks.known(), Ok(&vec![]));
    assert_eq!(layer.skipped_checks_block.known(), Ok(&false));
    assert_eq!(layer.bypass.known(), Ok(&vec![]));
}

#[test]
fn f5_f6_force_pushes_are_blocked_unless_the_flag_allows_them() {
    let flag = |value: Value| seen(&json!({"allow_force_pushes": value, "allow_deletions": value}));
    assert_eq!(
        flag(json!({"enabled": false})).force_push_blocked.known(),
        Ok(&true)
    );
    assert_eq!(
        flag(json!({"enabled": true})).force_push_blocked.known(),
        Ok(&false)
    );
    assert_eq!(
        flag(json!({"enabled": true})).deletion_blocked.known(),
        Ok(&false)
    );
    assert!(!flag(json!({})).force_push_blocked.is_known());
}

#[test]
fn an_answer_without_the_flags_does_not_prove_that_force_pushes_and_deletion_are_blocked() {
    for flags in [
        json!({}),
        json!({"allow_force_pushes": null, "allow_deletions": null}),
    ] {
        let layer = seen(&flags);
        assert!(!layer.force_push_blocked.is_known(), "{flags}");
        assert!(!layer.deletion_blocked.is_known(), "{flags}");
    }
}

#[test]
fn a_required_check_that_cannot_be_read_is_not_one_less() {
    for checks in [
        json!({}),
        json!({"strict": true}),
        json!({"checks": [{"context": "a"}, {"app_id": 7}]}),
    ] {
        let layer = seen(&json!({"required_status_checks": checks}));
        assert!(!layer.required_checks.is_known(), "{checks}");
        assert!(!layer.skipped_checks_block.is_known(), "{checks}");
    }
}

#[test]
fn administrators_are_bound_only_where_the_answer_says_so() {
    for protection in [
        json!({}),
        json!({"enforce_admins": {"enabled": false}}),
        json!({"enforce_admins": {}}),
    ] {
        let actors = seen(&protection).bypass.known().unwrap().clone();
        assert_eq!(actors[0].kind, BypassKind::Administrators, "{protection}");
    }
}

#[test]
fn those_who_need_no_pull_request_are_named() {
    let layer = seen(
        &json!({"enforce_admins": {"enabled": true}, "required_pull_request_reviews":
        {"bypass_pull_request_allowances": {"users": [{"login": "eve"}], "teams": [{"slug": "ops"}], "apps": [{"slug": "bot"}]}}}),
    );
    let names: Vec<_> = layer
        .bypass
        .known()
        .unwrap()
        .iter()
        .map(|actor| actor.name.clone())
        .collect();
    assert_eq!(names, ["@eve", "team ops", "app bot"]);
}

#[test]
fn older_contexts_count_and_any_app_pins_nothing() {
    let layer = seen(
        &json!({"required_status_checks": {"contexts": ["a", "old"], "checks": [{"context": "a", "app_id": -1}]}}),
    );
    let checks = layer.required_checks.known().unwrap().clone();
    assert_eq!(checks.len(), 2);
    assert!(checks.iter().all(|check| check.app.is_none()));
}
