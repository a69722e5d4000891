//! Approvals in the environments of a run on GitHub, answered on loopback.

use serde_json::{Value, json};

use super::*;
use crate::facts::{EnvironmentState, Platform, RunApprovals};
use crate::platform::Host;
use crate::platform::testing::{change, setup_once, snapshot};
use crate::platform::transport::testing::{Reply, Server};

const RUN: u64 = 77;

fn review() -> Value {
    json!({"state": "approved", "comment": "/ccgate approve ovr_1",
        "environments": [{"id": 1, "name": "change-override", "created_at": "2026-01-01T00:00:00Z"}],
        "user": {"login": "ana", "id": 7, "type": "User"}})
}

fn about() -> Value {
    json!({"id": RUN, "head_sha": "f1f1", "run_attempt": 1})
}

/// What is read of the run, and what was asked.
async fn read_of(
    platform: Platform,
    run: OwnRun,
    answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> (Fact<RunApprovals>, Vec<String>) {
    let server = Server::start(move |_, request| {
        answer(request.line.split(' ').next_back().unwrap_or_default())
    })
    .await;
    let mut host = Host::new(setup_once(platform, &server, change(42))).unwrap();
    let mut snapshot = snapshot(platform, "f1f1");
    host.collect_run_approvals(&mut snapshot, run).await;
    let asked = server.received().into_iter().map(|one| one.line);
    (snapshot.run_approvals, asked.collect())
}

async fn read(
    platform: Platform,
    answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> (Fact<RunApprovals>, Vec<String>) {
    read_of(platform, OwnRun::Workflow(RUN), answer).await
}

async fn github(about: Value, reviews: Value) -> Fact<RunApprovals> {
    let (read, _) = read(Platform::Github, move |path| {
        let wanted = path.contains("/approvals");
        Reply::json(&if wanted { &reviews } else { &about }.to_string())
    })
    .await;
    read
}

#[tokio::test]
async fn a_run_is_asked_for_its_commit_and_for_who_let_it_pass() {
    let (found, mut asked) = read(Platform::Github, |path| {
        let wanted = path.contains("/approvals");
        Reply::json(&if wanted { json!([review()]) } else { about() }.to_string())
    })
    .await;
    asked.sort();
    assert_eq!(
        asked,
        [
            "GET /repos/acme/payments/actions/runs/77",
            "GET /repos/acme/payments/actions/runs/77/approvals?per_page=100"
        ]
    );
    let run = found.known().unwrap();
    assert_eq!((run.run, run.head.as_str()), (RUN, "f1f1"));
    let one = &run.approvals[0];
    assert_eq!(one.state, EnvironmentState::Approved);
    assert_eq!(one.environments, ["change-override"]);
    assert_eq!(one.by, Some(Account::human("ana").numbered(Some(7))));
}

#[tokio::test]
async fn words_and_people_are_what_they_are_and_nothing_is_made_of_what_is_missing() {
    for (state, expected) in [
        (json!("rejected"), EnvironmentState::Rejected),
        (
            json!("pending"),
            EnvironmentState::Other("pending".to_owned()),
        ),
        (
            json!("APPROVED"),
            EnvironmentState::Other("APPROVED".to_owned()),
        ),
        (
            json!("refused"),
            EnvironmentState::Other("refused".to_owned()),
        ),
    ] {
        let mut one = review();
        one["state"] = state;
        let run = github(about(), json!([one])).await;
        assert_eq!(run.known().unwrap().approvals[0].state, expected);
    }
    let mut gone = review();
    gone["user"] = Value::Null;
    let mut machine = review();
    machine["user"]["type"] = json!("Bot");
    let run = github(about(), json!([gone, machine])).await;
    let run = run.known().unwrap();
    assert_eq!(run.approvals[0].by, None);
    assert!(!run.approvals[1].by.as_ref().unwrap().is_human());
}

#[tokio::test]
async fn what_cannot_be_read_whole_is_unknown() {
    let without = |field: &str| {
        let mut one = review();
        one[field] = Value::Null;
        json!([one])
    };
    // One that does not say what it was may have been a refusal.
    assert!(github(about(), without("state")).await.known().is_err());
    let mut nameless = review();
    nameless["environments"] = json!([{"id": 1}]);
    let mut none = review();
    none["environments"] = json!([]);
    for reviews in [
        json!({}),
        json!(["approved"]),
        without("environments"),
        json!([nameless]),
        json!([review(), none]),
    ] {
        let found = github(about(), reviews.clone()).await;
        assert!(!found.is_known(), "{reviews}");
    }
    for about in [
        json!({}),
        json!({"id": RUN}),
        json!({"id": RUN + 1, "head_sha": "f1f1"}),
        json!({"head_sha": "f1f1"}),
    ] {
        let found = github(about.clone(), json!([review()])).await;
        assert!(!found.is_known(), "{about}");
    }
    for status in [401, 403, 404, 500] {
        for hidden in ["/approvals", "/runs/77"] {
            let (found, _) = read(Platform::Github, move |path| {
                let list = path.contains("/approvals");
                if path.contains(hidden) && (list == (hidden == "/approvals")) {
                    return Reply::status(status);
                }
                Reply::json(&if list { json!([review()]) } else { about() }.to_string())
            })
            .await;
            assert!(!found.is_known(), "{hidden} {status}");
        }
    }
    // The second page is not there, and could hold a refusal.
    let (found, _) = read(Platform::Github, |path| {
        if path.contains("page=2") {
            return Reply::status(500);
        }
        if path.contains("/approvals") {
            return Reply::json(&json!([review()]).to_string()).header(
                "link",
                "</repos/acme/payments/actions/runs/77/approvals?per_page=100&page=2>; rel=\"next\"",
            );
        }
        Reply::json(&about().to_string())
    })
    .await;
    assert!(!found.is_known());
}

#[tokio::test]
async fn a_run_of_another_platform_is_asked_for_nothing() {
    let job = OwnRun::Job {
        id: RUN,
        environment: "change-override".to_owned(),
    };
    for (platform, run) in [
        (Platform::Gitlab, OwnRun::Workflow(RUN)),
        (Platform::Github, job),
    ] {
        let (found, asked) = read_of(platform, run, |_| Reply::json("[]")).await;
        assert!(!found.is_known());
        assert_eq!(asked, Vec::<String>::new());
    }
}
