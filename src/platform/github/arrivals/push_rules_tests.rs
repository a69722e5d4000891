//! Requests one by one, then what a server's answers come to beside the moves.

use serde_json::{Value, json};

use super::super::super::settings::reading::testing::{listing, no_listing};
use super::super::tests::{collected, session, sha};
use super::*;
use crate::facts::{RuleBypasses, Why};
use crate::platform::transport::testing::{Reply, Server};

const SHA: &str = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1";

fn request(more: &Value) -> Value {
    let mut item = json!({"id": 21, "number": 42, "request_type": "push_ruleset_bypass",
        "requester": {"actor_id": 12, "actor_name": "eve"},
        "data": [{"ruleset_id": 410, "ruleset_name": "No binaries", "total_violations": 1,
            "rule_type": "file_extension_restriction"}],
        "resource_identifier": SHA, "status": "completed",
        "requester_comment": "The vendor's library", "expires_at": "2026-06-08T08:00:00Z",
        "created_at": "2026-06-01T08:00:00Z",
        "responses": [{"id": 1, "reviewer": {"actor_id": 4, "actor_name": "li"},
            "status": "approved", "created_at": "2026-06-01T09:00:00Z"}]});
    for (key, value) in more.as_object().unwrap() {
        item[key] = value.clone();
    }
    item
}

fn one(more: &Value) -> RuleBypass {
    let read = read(&listing(&json!([request(more)])), true);
    read.unwrap_or_else(|why| panic!("{why}")).found.remove(0)
}

fn head(target: Option<&str>, enforcement: &str) -> wire::RulesetHead {
    wire::RulesetHead {
        target: target.map(str::to_owned),
        enforcement: Some(enforcement.to_owned()),
        ..wire::RulesetHead::default()
    }
}

#[test]
fn a_request_names_its_commit_who_asked_who_allowed_it_and_why() {
    let found = one(&json!({}));
    assert_eq!(found.commit.as_deref(), Some(SHA));
    assert_eq!((&found.after, found.change), (&None, None));
    let named = |login: &str, id| AccountRef {
        login: login.to_owned(),
        id: Some(id),
    };
    assert_eq!(found.actor, Some(named("eve", 12)));
    assert_eq!(found.allowed_by, Some(vec![named("li", 4)]));
    assert_eq!(found.reason.as_deref(), Some("The vendor's library"));
    assert_eq!(
        found.record.as_deref(),
        Some("push rules, request 42, completed")
    );
    assert_eq!(found.at.unwrap().to_string(), "2026-06-01T09:00:00Z");
    assert!(!found.allowed_by_asker());
}

/// The cheat: allow it oneself, under another name by now.
#[test]
fn who_allowed_their_own_request_is_told_by_the_number() {
    let own = json!({"responses": [{"reviewer": {"actor_id": 12, "actor_name": "eve-new"},
        "status": "approved"}]});
    assert!(one(&own).allowed_by_asker());
}

#[test]
fn who_refused_did_not_allow_it_and_nobody_named_is_not_nobody() {
    let denied = json!({"status": "denied", "responses": [{"reviewer": {"actor_name": "li"},
        "status": "denied"}]});
    assert_eq!(one(&denied).allowed_by, Some(Vec::new()));
    for unnamed in [
        json!({"responses": null}),
        json!({"status": "expired", "responses": null}),
        json!({"responses": []}),
        json!({"status": "approved", "responses": [{"status": "denied",
            "reviewer": {"actor_name": "li"}}]}),
        json!({"responses": [{"status": "approved", "reviewer": null}]}),
        json!({"responses": [{"status": "waved through", "reviewer": {"actor_id": 4}}]}),
        json!({"status": null, "responses": []}),
    ] {
        let found = one(&unnamed);
        assert_eq!(found.allowed_by, None, "{unnamed}");
        assert_eq!(found.people(), None, "{unnamed}");
    }
    assert_eq!(one(&json!({"requester": null})).people(), None);
}

#[test]
fn whatever_became_of_the_request_its_commit_is_kept() {
    for status in ["open", "denied", "cancelled", "expired", "deleted", "new"] {
        let found = one(&json!({"status": status}));
        assert_eq!(found.commit.as_deref(), Some(SHA), "{status}");
    }
}

#[test]
fn a_request_without_a_commit_or_with_odd_times_makes_the_list_unknown() {
    for odd in [
        json!({"resource_identifier": null}),
        json!({"resource_identifier": ""}),
        json!({"resource_identifier": "main"}),
        json!({"resource_identifier": "c1c1c1c"}),
        json!({"created_at": "yesterday"}),
        json!({"responses": [{"created_at": 5}]}),
    ] {
        let list = listing(&json!([request(&json!({})), request(&odd)]));
        assert_eq!(read(&list, false).err().unwrap().why, Why::Failed, "{odd}");
    }
}

#[test]
fn a_refused_list_is_none_only_where_no_push_rules_stand() {
    for status in [403, 404] {
        let refused = no_listing(status, "Not Found");
        let none = read(&refused, false).ok().unwrap();
        assert!(none.found.is_empty() && !none.in_use);
        let unknown = read(&refused, true).err().unwrap();
        assert!(unknown.needs.unwrap().starts_with("Contents: write"));
    }
    for status in [401, 422, 500] {
        assert!(read(&no_listing(status, "no"), false).is_err(), "{status}");
    }
}

#[test]
fn only_rulesets_of_other_kinds_or_that_are_off_make_no_push_rules() {
    assert!(may_stand(None), "the list of rulesets was not seen");
    assert!(!may_stand(Some(&[])));
    let others = [
        head(Some("BRANCH"), "ACTIVE"),
        head(Some("TAG"), "ACTIVE"),
        head(Some("PUSH"), "DISABLED"),
    ];
    assert!(!may_stand(Some(&others)));
    for push in [
        head(Some("PUSH"), "ACTIVE"),
        head(Some("PUSH"), "EVALUATE"),
        head(Some("NEW"), "ACTIVE"),
        head(None, "ACTIVE"),
    ] {
        assert!(may_stand(Some(&[others[0].clone(), push])));
    }
}

/// What is told where push rules stand and the requests are answered like this.
async fn requests(status: u16, body: Value) -> RuleBypasses {
    let server = Server::start(move |_, request| {
        if !request.line.contains("/bypass-requests/") {
            let suites = json!([{"after_sha": sha("a1"), "actor_name": "eve", "actor_id": 12}]);
            return Reply::json(&suites.to_string());
        }
        if request.line.contains("page=2") {
            return Reply::status(500);
        }
        match status {
            200 => Reply::json(&body.to_string()),
            206 => Reply::json(&body.to_string()).header(
                "link",
                "</repos/acme/app/bypass-requests/push-rules?page=2>; rel=\"next\"",
            ),
            refused => Reply::status(refused),
        }
    })
    .await;
    let mut session = session(&server, Some("b0"));
    session.heads =
        serde_json::from_value(json!([{"target": "PUSH", "enforcement": "ACTIVE"}])).ok();
    let found = collected(&session, &[FactKey::BranchBypasses])
        .await
        .unwrap();
    found.bypasses.known().unwrap().clone().unwrap()
}

#[tokio::test]
async fn requests_to_go_around_push_rules_stand_beside_the_moves() {
    let asked = json!([{"number": 3, "resource_identifier": sha("c1"), "status": "completed",
        "requester": {"actor_id": 12, "actor_name": "eve"}}]);
    let told = requests(200, asked.clone()).await;
    assert_eq!(told.found.len(), 2);
    assert_eq!(told.found[1].commit, Some(sha("c1")));
    assert_eq!((told.early_since, &told.unseen), (Some(told.since), &None));
    // What the list hides does not hide the move that is seen.
    for (status, body) in [(404, json!(null)), (403, json!(null)), (206, asked)] {
        let told = requests(status, body).await;
        assert_eq!(told.found.len(), 1, "{status}");
        assert!(told.unseen.is_some(), "{status}");
    }
}
