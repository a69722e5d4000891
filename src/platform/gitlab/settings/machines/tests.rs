//! Tests of keys, tokens and hooks.

use serde_json::{Value, json};

use super::*;
use crate::platform::gitlab::settings::testing::{pages, refused};

const FACT: &str = "access.tokens";

#[test]
fn a_level_is_a_role_and_an_odd_level_counts_as_administrator() {
    assert_eq!(role(0), AccessRole::None);
    assert_eq!(role(20), AccessRole::Read);
    assert_eq!(role(30), AccessRole::Write);
    assert_eq!(role(40), AccessRole::Admin);
    assert!(role(35).is_admin());
}

#[test]
fn a_deploy_key_says_whether_it_may_push_and_a_key_that_does_not_is_unknown() {
    let of = |value: Value| keys(FACT, "x", &pages(value));
    let found = of(json!([
        {"title": "robot", "can_push": true, "created_at": "2025-03-01T10:00:00.000Z",
         "expires_at": null, "last_used_at": "2026-01-02T00:00:00Z"}
    ]));
    let key = &found.known().unwrap()[0];
    assert!(key.can_write && key.created_at.is_some() && key.expires_at.is_none());
    assert!(!of(json!([{"title": "robot"}])).is_known());
    assert_eq!(of(json!([])).known(), Ok(&Vec::new()));
}

#[test]
fn tokens_that_work_are_listed_and_those_that_ended_are_not() {
    let access = pages(json!([
        {"name": "ci", "scopes": ["api"], "access_level": 40, "active": true,
         "revoked": false, "expires_at": "2026-12-31", "last_used_at": null},
        {"name": "old", "scopes": ["api"], "access_level": 40, "revoked": true,
         "expires_at": "2026-12-31"}
    ]));
    let deploy = pages(json!([
        {"name": "pull", "scopes": ["read_registry"], "expires_at": null, "revoked": false}
    ]));
    let trigger = pages(json!([
        {"description": "nightly", "owner": {"username": "ana"}, "token": "6d05"}
    ]));
    let found = tokens(
        FACT,
        "x",
        &[
            (TokenKind::Project, &access),
            (TokenKind::Deploy, &deploy),
            (TokenKind::Trigger, &trigger),
        ],
    );
    let found = found.known().unwrap();
    let names: Vec<&str> = found.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, ["pull", "ci", "nightly"]);
    assert_eq!(found[1].role, Some(AccessRole::Admin));
    assert!(found[1].expires_at.is_some() && found[0].expires_at.is_none());
    assert_eq!(found[2].owner.as_deref(), Some("ana"));
    let said = serde_json::to_string(found).unwrap();
    assert!(!said.contains("6d05"), "{said}");
}

#[test]
fn a_token_whose_end_or_scope_is_left_out_makes_the_list_unknown() {
    for row in [
        json!({"name": "a", "scopes": [], "access_level": 30}),
        json!({"name": "a", "expires_at": null, "access_level": 30}),
        json!({"name": "a", "expires_at": null, "scopes": []}),
    ] {
        let list = pages(json!([row]));
        assert!(!tokens(FACT, "x", &[(TokenKind::Project, &list)]).is_known());
    }
    let good = pages(json!([]));
    let bad = refused(403);
    let lists = [(TokenKind::Project, &good), (TokenKind::Deploy, &bad)];
    assert!(!tokens(FACT, "x", &lists).is_known());
}

#[test]
fn a_hook_keeps_its_host_and_never_its_path() {
    let of = |value: Value| hooks("access.webhooks", "x", &pages(value));
    let found = of(json!([
        {"url": "https://ana:pw@Hooks.example:8443/s3cret?t=1", "enable_ssl_verification": true,
         "token_present": false, "signing_token_present": true, "alert_status": "executable"},
        {"url": "http://old.example/x", "enable_ssl_verification": false, "token_present": false,
         "alert_status": "disabled"},
        {"url": "{where}/x"}
    ]));
    let found = found.known().unwrap();
    assert_eq!(found[0].target, "https://hooks.example:8443");
    assert_eq!(found[0].host, "hooks.example");
    assert!(found[0].https && found[0].active);
    assert_eq!(found[0].has_secret.known(), Ok(&true));
    assert!(!found[1].https && !found[1].active);
    assert_eq!(found[1].has_secret.known(), Ok(&false));
    assert!(!found[2].https);
    assert!(!found[2].has_secret.is_known() && !found[2].verifies_tls.is_known());
    assert!(!of(json!([{"enable_ssl_verification": true}])).is_known());
}
