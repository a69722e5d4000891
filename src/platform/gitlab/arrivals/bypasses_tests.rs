//! What the audit logs tell, entry by entry, and what is asked for it.

use serde_json::{Value, json};

use super::super::super::settings::testing::{pages, refused};
use super::super::tests::session;
use super::*;
use crate::platform::transport::testing::{Reply, Server};

const HERE: Of<'_> = Of {
    project: 24,
    branch: "main",
    log: "acme/policies",
};

fn read(log: Value) -> Told {
    told(&pages(log), HERE, true, &mut Vec::new())
}

fn entry(name: &str, details: &Value) -> Value {
    let mut all = json!({"project_id": 24, "event_name": name, "author_name": "Ana Ames",
        "security_policy_name": "Two eyes", "target_type": "Security::Policy"});
    for (key, value) in details.as_object().unwrap() {
        all[key] = value.clone();
    }
    json!({"id": 671, "author_id": 7, "entity_id": 99, "entity_type": "Project",
        "event_name": name, "created_at": "2026-06-01T11:00:00.000Z", "details": all})
}

fn found(log: Value) -> Vec<RuleBypass> {
    let told = read(log);
    assert_eq!(told.unseen, None);
    told.found.into_iter().map(|(bypass, _)| bypass).collect()
}

#[test]
fn a_merge_request_that_was_let_through_names_its_policy_and_the_reason() {
    let log = json!([entry(
        "security_policy_merge_request_bypass",
        &json!({"merge_request_iid": 4, "branch_name": "main", "reason": "Card capture is down"})
    )]);
    let told = read(log);
    let (bypass, author) = &told.found[0];
    assert_eq!((bypass.change, *author), (Some(4), Some(7)));
    assert_eq!(bypass.reason.as_deref(), Some("Card capture is down"));
    assert_eq!(
        bypass.record.as_deref(),
        Some(
            "approval policy \"Two eyes\", security_policy_merge_request_bypass, entry 671 of \
             the audit log of acme/policies"
        )
    );
    assert_eq!(bypass.at.unwrap().to_string(), "2026-06-01T11:00:00Z");
    assert_eq!(bypass.allowed_by, Some(Vec::new()));
}

#[test]
fn pushes_of_people_tokens_and_accounts_are_found_by_their_branch() {
    for name in ["user", "access_token", "service_account", "group", "new"] {
        let name = format!("security_policy_{name}_push_bypass");
        let log = |branch: &str| json!([entry(&name, &json!({"branch_name": branch}))]);
        let here = found(log("main"));
        assert_eq!((here.len(), here[0].change), (1, None), "{name}");
        assert!(found(log("dev")).is_empty(), "{name}");
    }
}

/// The cheat: let it through for a branch that nobody guards, then turn it to another one.
#[test]
fn a_change_is_found_by_its_number_whatever_branch_it_was_for_then() {
    let details = json!({"merge_request_iid": 4, "target_branch": "dev", "branch_name": "dev"});
    let log = json!([entry(
        "merge_request_branch_bypassed_by_security_policy",
        &details
    )]);
    assert_eq!(found(log)[0].change, Some(4));
}

#[test]
fn what_is_about_another_project_is_left_out_and_what_does_not_say_is_not() {
    let name = "security_policy_merge_request_bypass";
    let log = |project: Value| {
        json!([entry(
            name,
            &json!({"merge_request_iid": 4, "project_id": project})
        )])
    };
    assert!(found(log(json!(25))).is_empty());
    assert_eq!(found(log(json!(null))).len(), 1);
}

/// The cheat: text of one's own that reads like an event, or hides one.
#[test]
fn only_the_name_of_an_event_says_what_it_is() {
    let text = "Security policy \"Two eyes\" in merge request (acme/app!4) has been bypassed";
    let others = [
        "project_description_updated",
        "policy_project_seen",
        "bypass_added",
    ];
    for name in others {
        let details = json!({"merge_request_iid": 4, "custom_message": text});
        assert!(found(json!([entry(name, &details)])).is_empty(), "{name}");
    }
    for name in [
        "security_policy_quantum_bypass",
        "approval_policy_bypassed",
        "merge_request_merged_with_dismissed_policies",
    ] {
        let log = json!([entry(name, &json!({"merge_request_iid": 4}))]);
        assert_eq!(found(log).len(), 1, "{name}");
    }
    let mut unnamed = entry(
        "x",
        &json!({"merge_request_iid": 4, "custom_message": text}),
    );
    unnamed["event_name"] = json!(null);
    unnamed["details"]["event_name"] = json!(null);
    assert!(found(json!([unnamed])).is_empty());
}

#[test]
fn a_merge_with_violations_that_the_policys_approvers_allowed_is_none() {
    let count = |rules: Value| {
        let details = json!({"merge_request_iid": 4, "policy_approval_rules": rules});
        found(json!([entry(
            "merge_request_merged_with_policy_violations",
            &details
        )]))
        .len()
    };
    let rule = |more: &Value| {
        let mut rule = json!({"name": "Security", "approvals_required": 1, "approved": true,
            "approved_approvers": ["li"], "invalid_rule": false, "fail_open": false});
        for (key, value) in more.as_object().unwrap() {
            rule[key] = value.clone();
        }
        rule
    };
    let good = rule(&json!({}));
    assert_eq!(count(json!([good])), 0);
    for bad in [
        json!({"approved": false}),
        json!({"approved": null}),
        json!({"fail_open": true}),
        json!({"fail_open": null}),
        json!({"invalid_rule": true}),
        json!({"approvals_required": 0, "approved_approvers": []}),
        json!({"approvals_required": 2}),
        json!({"approved_approvers": null}),
    ] {
        assert_eq!(count(json!([good, rule(&bad)])), 1, "{bad}");
    }
    assert_eq!(count(json!([])), 1);
    assert_eq!(count(json!(null)), 1);
    let bypass = json!({"merge_request_iid": 4, "policy_approval_rules": [good]});
    let log = json!([entry("security_policy_merge_request_bypass", &bypass)]);
    assert_eq!(found(log).len(), 1, "rules excuse no bypass");
}

#[test]
fn two_entries_about_one_change_are_both_kept() {
    let details = json!({"merge_request_iid": 4});
    let log = json!([
        entry("security_policy_merge_request_bypass", &details),
        entry("merge_request_merged_with_policy_violations", &details)
    ]);
    assert_eq!(found(log).len(), 2);
}

#[test]
fn a_log_that_is_short_odd_or_refused_is_not_the_whole_truth() {
    let why = |told: Told| told.unseen.map(|unknown| unknown.why);
    let name = "security_policy_merge_request_bypass";
    let known = json!([entry(name, &json!({"merge_request_iid": 4}))]);
    let own_only = told(&pages(known), HERE, false, &mut Vec::new());
    assert_eq!(own_only.found.len(), 1, "what is seen counts all the same");
    assert_eq!(why(own_only), Some(Why::NotPermitted));
    for status in [401, 403, 404] {
        let told = told(&refused(status), HERE, true, &mut Vec::new());
        assert!(told.unseen.is_some(), "{status}");
    }
    let speechless = read(json!([entry(name, &json!({}))]));
    assert_eq!(why(speechless), Some(Why::HiddenOrAbsent));
    // The target's name alone makes it no push: it may be days older than the merge.
    let numberless = read(json!([entry(name, &json!({"branch_name": "main"}))]));
    assert!(numberless.found.is_empty());
    assert_eq!(why(numberless), Some(Why::HiddenOrAbsent));
    let mut odd = entry(name, &json!({"merge_request_iid": 4}));
    odd["created_at"] = json!("soon");
    assert_eq!(why(read(json!([odd]))), Some(Why::Failed));
    let text = entry(name, &json!({"merge_request_iid": "4"}));
    assert_eq!(why(read(json!([text]))), Some(Why::Failed));
}

/// The cheat: take the policies away afterwards, and with them the log that tells of it.
#[test]
fn what_another_project_held_before_is_not_told() {
    let mut relinked = entry(RELINKED, &json!({"project_id": null}));
    let told = read(json!([relinked]));
    assert_eq!(told.since.unwrap().to_string(), "2026-06-01T11:00:00Z");
    assert_eq!(told.unseen, None);
    relinked["created_at"] = json!(null);
    assert!(read(json!([relinked])).unseen.is_some());
}

#[test]
fn an_entry_of_nobody_has_no_number() {
    let mut nobody = entry(
        "security_policy_merge_request_bypass",
        &json!({"merge_request_iid": 4}),
    );
    for author in [json!(null), json!(-2)] {
        nobody["author_id"] = author;
        assert_eq!(read(json!([nobody])).found[0].1, None);
    }
}

#[test]
fn the_logs_are_read_from_a_day_before_on() {
    assert_eq!(
        first_day("2026-03-03T02:00:00Z".parse().unwrap()),
        "2026-03-02"
    );
}

/// Policies in force, held by project 9, as one server tells of them.
async fn served(log: Value, own: Value, admin: bool) -> (Fact<Option<RuleBypasses>>, Vec<String>) {
    let server = Server::start(move |_, request| {
        let is = |word: &str| request.line.contains(word);
        let body = if is("/graphql") {
            json!({"data": {"project": {"id": "gid://gitlab/Project/24",
                "securityPolicyProject": null, "approvalPolicies": {
                "pageInfo": {"hasNextPage": false}, "nodes": [{"source": {"namespace": {
                "securityPolicyProject": {"id": "gid://gitlab/Project/9",
                    "fullPath": "acme/policies", "userPermissions": {"adminProject": admin}}}}}]}}}})
        } else if is("/projects/9/audit_events") {
            if log.is_null() {
                return Reply::status(403);
            }
            // A page that names a next one, which the server then does not give.
            if is("page=2") {
                return Reply::status(500);
            }
            let reply = Reply::json(&log.to_string());
            let cut = log.as_array().is_some_and(|log| log.len() > 2);
            return if cut { reply.header("x-next-page", "2") } else { reply };
        } else if is("/audit_events") {
            own.clone()
        } else if is("/users/7") {
            json!({"id": 7, "username": "ana"})
        } else {
            json!({"id": 1, "username": "somebody-else"})
        };
        Reply::json(&body.to_string())
    })
    .await;
    let mut session = session(&server, Some("b0"));
    session.opened.project =
        serde_json::from_value(json!({"permissions": {"project_access": {"access_level": 40}}}))
            .map(|project| (project, Vec::new()))
            .map_err(|_| Unknown::not_collected("repository"));
    let fact = ask(&session, "main").await;
    let lines = server.received().into_iter().map(|it| it.line).collect();
    (fact, lines)
}

#[tokio::test]
async fn the_logs_of_the_policies_and_of_the_project_are_read_and_people_named() {
    let name = "security_policy_merge_request_bypass";
    let four = entry(name, &json!({"merge_request_iid": 4}));
    let mut five = entry(name, &json!({"merge_request_iid": 5}));
    five["author_id"] = json!(8);
    let (fact, lines) = served(json!([four, five]), json!([]), true).await;
    let told = fact.known().unwrap().clone().unwrap();
    let ana = AccountRef {
        login: "ana".to_owned(),
        id: Some(7),
    };
    assert_eq!(told.found[0].actor, Some(ana));
    assert_eq!(told.found[1].actor, None, "an answer about somebody else");
    assert_eq!(told.found[1].people(), None);
    assert_eq!(told.unseen, None);
    assert_eq!(told.since.to_string(), "2026-03-03T12:00:00Z");
    assert_eq!(told.early_since, Some(told.since));
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "GET /api/v4/projects/9/audit_events?created_after=2026-03-02&per_page=100",
            "GET /api/v4/projects/acme%2Fapp/audit_events?created_after=2026-03-02&per_page=100",
            "GET /api/v4/users/7",
            "GET /api/v4/users/8",
            "POST /api/graphql",
        ]
    );
}

#[tokio::test]
async fn a_log_that_is_refused_cut_off_or_short_leaves_a_doubt_and_keeps_the_rest() {
    let name = "security_policy_merge_request_bypass";
    let four = entry(name, &json!({"merge_request_iid": 4}));
    let unseen = |fact: Fact<Option<RuleBypasses>>| {
        let told = fact.known().unwrap().clone().unwrap();
        (told.found.len(), told.unseen.is_some())
    };
    let own = json!([four]);
    let (fact, _) = served(json!(null), own.clone(), true).await;
    assert_eq!(unseen(fact), (1, true), "refused");
    let (fact, _) = served(json!([four, four, four]), json!([]), true).await;
    assert_eq!(unseen(fact), (0, true), "cut off");
    let (fact, _) = served(json!([four]), json!([]), false).await;
    assert_eq!(unseen(fact), (1, true), "own entries only");
    let relinked = entry(RELINKED, &json!({}));
    let (fact, _) = served(json!([]), json!([relinked]), true).await;
    let told = fact.known().unwrap().clone().unwrap();
    assert_eq!(told.since.to_string(), "2026-06-01T11:00:00Z");
    assert_eq!(told.early_since, Some(told.since));
}

#[tokio::test]
async fn where_the_tier_has_no_policies_one_question_is_all() {
    let server = Server::start(|_, _| {
        Reply::json(
            &json!({"errors": [{"extensions": {"code": "undefinedField"},
                "message": "Field 'approvalPolicies' doesn't exist on type 'Project'"}]})
            .to_string(),
        )
    })
    .await;
    let session = session(&server, Some("b0"));
    assert_eq!(ask(&session, "main").await.known(), Ok(&None));
    assert_eq!(server.count(), 1);
}
