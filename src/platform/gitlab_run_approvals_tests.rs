//! Approvals of the deployment of a GitLab job, answered on loopback.

use serde_json::{Value, json};

use super::*;
use crate::facts::{EnvironmentState, Platform, RunApprovals};
use crate::platform::testing::{change, setup_once, snapshot};
use crate::platform::transport::testing::{Reply, Server};

const JOB: u64 = 4711;
const WHERE: &str = "change-override";
const HEAD: &str = "f1f1";
const MADE: &str = "dddd";

fn deployment() -> Value {
    json!({"id": 41, "iid": 3, "ref": "refs/merge-requests/42/head", "sha": HEAD, "status": "running",
        "environment": {"id": 9, "name": WHERE}, "deployable": {"id": JOB, "name": "ccgate"}})
}

fn approval() -> Value {
    json!({"user": {"id": 7, "username": "ana", "state": "active"}, "status": "approved",
        "created_at": "2026-06-01T11:00:00Z", "comment": "/ccgate approve ovr_1"})
}

/// The deployment, with these approvals, as it is told of alone.
fn told(approvals: Value) -> Value {
    let mut one = deployment();
    one["approvals"] = approvals;
    one
}

fn of_others(count: u64) -> Vec<Value> {
    let of_another = |number: u64| {
        let mut one = deployment();
        (one["id"], one["deployable"]["id"]) = (json!(1000 + number), json!(9000 + number));
        one
    };
    (0..count).map(of_another).collect()
}

/// What is read of the job, and what was asked.
async fn read(
    answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> (Fact<RunApprovals>, Vec<String>) {
    let server = Server::start(move |_, request| {
        answer(request.line.split(' ').next_back().unwrap_or_default())
    })
    .await;
    let platform = Platform::Gitlab;
    let mut host = Host::new(setup_once(platform, &server, change(42))).unwrap();
    let mut snapshot = snapshot(platform, HEAD);
    let job = OwnRun::Job {
        id: JOB,
        environment: WHERE.to_owned(),
    };
    host.collect_run_approvals(&mut snapshot, job).await;
    let asked = server.received().into_iter().map(|one| one.line);
    (snapshot.run_approvals, asked.collect())
}

/// With this list, this deployment and this commit.
async fn answered(list: Value, told: Value, commit: Value) -> Fact<RunApprovals> {
    let (found, _) = read(move |path| {
        let body = match path {
            _ if path.contains("/deployments?") => &list,
            _ if path.ends_with("/deployments/41") => &told,
            _ => &commit,
        };
        Reply::json(&body.to_string())
    })
    .await;
    found
}

async fn of(told: Value) -> Fact<RunApprovals> {
    answered(json!([deployment()]), told, Value::Null).await
}

fn why(found: &Fact<RunApprovals>) -> String {
    match found {
        Fact::Known { .. } => String::new(),
        Fact::Unknown(unknown) => unknown.to_string(),
    }
}

#[tokio::test]
async fn a_job_is_asked_for_its_deployment_and_for_who_approved_it() {
    let (found, asked) = read(|path| {
        Reply::json(&if path.contains("/deployments?") {
            let mut list = of_others(2);
            list.push(deployment());
            Value::from(list).to_string()
        } else {
            told(json!([approval()])).to_string()
        })
    })
    .await;
    assert_eq!(
        asked,
        [
            "GET /projects/acme%2Fpayments/deployments?environment=change-override&order_by=id&sort=desc&per_page=100&page=1",
            "GET /projects/acme%2Fpayments/deployments/41"
        ]
    );
    let run = found.known().unwrap();
    assert_eq!((run.run, run.head.as_str()), (JOB, HEAD));
    assert!(run.jobs_may_give, "the token of a job approves too");
    let one = &run.approvals[0];
    assert_eq!(one.state, EnvironmentState::Approved);
    assert_eq!(one.environments, [WHERE]);
    assert_eq!(one.comment, "/ccgate approve ovr_1");
    assert_eq!(one.by, Some(Account::human("ana").numbered(Some(7))));
    let nobody = of(told(json!([]))).await;
    assert_eq!(nobody.known().unwrap().approvals, []);
}

#[tokio::test]
async fn of_a_deployment_words_and_people_are_what_they_are() {
    let other = |word: &str| EnvironmentState::Other(word.to_owned());
    for (status, expected) in [
        ("rejected", EnvironmentState::Rejected),
        ("pending", other("pending")),
        ("APPROVED", other("APPROVED")),
        ("approved\n", other("approved\n")),
    ] {
        let mut one = approval();
        one["status"] = json!(status);
        let run = of(told(json!([one]))).await;
        assert_eq!(run.known().unwrap().approvals[0].state, expected);
    }
    let mut gone = approval();
    gone["user"] = Value::Null;
    let mut ghost = approval();
    ghost["user"]["username"] = json!("ghost");
    let mut silent = approval();
    silent["comment"] = Value::Null;
    let run = of(told(json!([gone, ghost, silent]))).await;
    let run = run.known().unwrap();
    assert_eq!((&run.approvals[0].by, &run.approvals[1].by), (&None, &None));
    assert_eq!(run.approvals[2].comment, "");
    for name in ["project_6_bot", "group_1_bot_9f", "service_account_x"] {
        let mut machine = approval();
        machine["user"]["username"] = json!(name);
        let run = of(told(json!([machine]))).await;
        assert!(
            !run.known().unwrap().approvals[0]
                .by
                .as_ref()
                .unwrap()
                .is_human()
        );
    }
}

#[tokio::test]
async fn the_deployment_of_another_job_is_not_taken_for_the_own_one() {
    let nobody = answered(Value::from(of_others(3)), told(json!([])), Value::Null).await;
    assert!(
        why(&nobody).contains("none is of job 4711"),
        "{}",
        why(&nobody)
    );
    // Made by hand through the API: no job stands behind it.
    let mut by_hand = deployment();
    by_hand["deployable"] = Value::Null;
    let mut nameless = deployment();
    nameless["deployable"] = json!({"name": "ccgate"});
    let mut in_words = deployment();
    in_words["deployable"]["id"] = json!("4711");
    for list in [
        json!([by_hand]),
        json!([nameless]),
        json!([in_words]),
        json!([]),
    ] {
        let found = answered(list.clone(), told(json!([approval()])), Value::Null).await;
        assert!(!found.is_known(), "{list}");
    }
    // Another environment, although it was asked for the one.
    let mut elsewhere = deployment();
    elsewhere["environment"]["name"] = json!("Change-Override");
    let mut whole = elsewhere.clone();
    whole["approvals"] = json!([approval()]);
    let found = answered(json!([elsewhere]), whole, Value::Null).await;
    assert!(!found.is_known());
    let twice = json!([deployment(), deployment()]);
    let found = answered(twice, told(json!([approval()])), Value::Null).await;
    assert!(why(&found).contains("deploy twice"), "{}", why(&found));
}

#[tokio::test]
async fn what_is_told_of_the_deployment_has_to_be_what_the_list_tells() {
    for (field, other) in [
        ("id", json!(42)),
        ("sha", json!("0d0d")),
        ("ref", json!("refs/merge-requests/42/merge")),
        ("deployable", json!({"id": JOB + 1})),
        ("deployable", Value::Null),
        ("environment", json!({"name": "production"})),
        ("sha", Value::Null),
        ("id", Value::Null),
        ("environment", Value::Null),
    ] {
        let mut one = told(json!([approval()]));
        one[field] = other.clone();
        let found = of(one).await;
        assert!(!found.is_known(), "{field} {other}");
        let mut listed = deployment();
        listed[field] = other.clone();
        let whole = told(json!([approval()]));
        let found = answered(json!([listed]), whole, Value::Null).await;
        assert!(!found.is_known(), "listed {field} {other}");
    }
}

#[tokio::test]
async fn a_deployment_that_cannot_be_read_whole_is_unknown() {
    let untold = of(deployment()).await;
    assert!(why(&untold).contains("Premium"), "{}", why(&untold));
    let mut unsaid = approval();
    unsaid["status"] = Value::Null;
    for approvals in [
        Value::Null,
        json!({}),
        json!(["approved"]),
        json!([unsaid]),
        json!([approval(), unsaid]),
    ] {
        assert!(!of(told(approvals.clone())).await.is_known(), "{approvals}");
    }
    for list in [json!({}), json!("x"), json!([7]), Value::Null] {
        let found = answered(list.clone(), told(json!([approval()])), Value::Null).await;
        assert!(!found.is_known(), "{list}");
    }
    for status in [401, 403, 404, 500] {
        for hidden in ["/deployments?", "/deployments/41"] {
            let (found, _) = read(move |path| {
                if path.contains(hidden) {
                    return Reply::status(status);
                }
                Reply::json(&if path.contains("/deployments?") {
                    json!([deployment()]).to_string()
                } else {
                    told(json!([approval()])).to_string()
                })
            })
            .await;
            assert!(!found.is_known(), "{hidden} {status}");
        }
    }
    let (cut, _) = read(|path| {
        if path.contains("/deployments?") {
            return Reply::json(&json!([deployment()]).to_string());
        }
        Reply::CutOff(told(json!([approval()])).to_string())
    })
    .await;
    assert!(!cut.is_known());
}

#[tokio::test]
async fn a_deployment_is_found_behind_those_that_came_later_and_not_looked_for_without_end() {
    let (found, asked) = read(|path| {
        Reply::json(&if path.ends_with("&page=1") {
            Value::from(of_others(100)).to_string()
        } else if path.contains("/deployments?") {
            json!([deployment()]).to_string()
        } else {
            told(json!([approval()])).to_string()
        })
    })
    .await;
    assert!(found.is_known());
    assert_eq!(asked.len(), 3);
    let (found, _) = read(|path| {
        if path.ends_with("&page=1") {
            return Reply::json(&Value::from(of_others(100)).to_string());
        }
        Reply::status(500)
    })
    .await;
    assert!(!found.is_known());
    let (found, asked) = read(|_| Reply::json(&Value::from(of_others(100)).to_string())).await;
    assert!(!found.is_known());
    assert_eq!(asked.len(), 10);
}

/// In a pipeline for merged results and in a merge train the job runs for a commit that GitLab made.
#[tokio::test]
async fn a_commit_that_gitlab_made_of_target_and_head_is_for_the_head_and_no_other_one_is() {
    let seen = |reference: &'static str, commit: Value| async move {
        let mut listed = deployment();
        (listed["ref"], listed["sha"]) = (json!(reference), json!(MADE));
        let mut whole = listed.clone();
        whole["approvals"] = json!([approval()]);
        answered(json!([listed]), whole, commit).await
    };
    let made = |parents: Value| json!({"id": MADE, "parent_ids": parents});
    for reference in [
        "refs/merge-requests/42/merge",
        "refs/merge-requests/42/train",
    ] {
        let run = seen(reference, made(json!(["t1", HEAD]))).await;
        assert_eq!(run.known().unwrap().head, HEAD, "{reference}");
        // Of another head, or not of two.
        for parents in [
            json!(["t1", "0d0d"]),
            json!([HEAD, "t1"]),
            json!([HEAD]),
            json!(["t0", "t1", HEAD]),
            json!([]),
        ] {
            let run = seen(reference, made(parents.clone())).await;
            assert_eq!(run.known().unwrap().head, MADE, "{parents}");
        }
        for commit in [
            json!({"id": "eeee", "parent_ids": ["t1", HEAD]}),
            json!({"id": MADE}),
            json!({"parent_ids": ["t1", HEAD]}),
            Value::Null,
        ] {
            assert!(
                !seen(reference, commit.clone()).await.is_known(),
                "{commit}"
            );
        }
    }
    // Another change's, or one that anybody may push to.
    for reference in [
        "refs/merge-requests/43/merge",
        "refs/merge-requests/42/head",
        "refs/merge-requests/42/merge/x",
        "main",
    ] {
        let run = seen(reference, made(json!(["t1", HEAD]))).await;
        assert_eq!(run.known().unwrap().head, MADE, "{reference}");
    }
}
