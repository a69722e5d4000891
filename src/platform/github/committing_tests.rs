//! The mutation on a server of this machine: what is sent, and what each answer means.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::Setup;
use super::super::context::{Place, Wanted};
use super::super::transport::testing::{Received, Reply, Server};
use super::super::transport::{Limits, Token};
use super::committing::{CommitAnswer, CommitWanted, MOST_BYTES, MUTATION, commit_on_branch};

const TOKEN: &str = "not-a-token-at-all";
const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const MADE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

async fn asked(
    changes: &BTreeMap<String, Option<Vec<u8>>>,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> (Vec<Received>, CommitAnswer) {
    let server = Server::start(move |_, _| reply()).await;
    let setup = Setup {
        place: Place {
            platform: crate::facts::Platform::Github,
            api: server.url.join("/api/v3").unwrap(),
            graphql: server.url.join("/api/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Repository { branch: None },
            train: None,
            run_url: None,
        },
        token: Token::new(TOKEN.to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: "2026-06-01T12:00:00Z".parse().unwrap(),
        program: "ccgate/test".to_owned(),
        thrift: super::super::Thrift::Rounds,
    };
    let wanted = CommitWanted {
        reference: "refs/heads/ccgate/ledger",
        expected_head: HEAD,
        headline: "Seal 2 records",
        changes,
    };
    let answer = commit_on_branch(&setup, &wanted).await.unwrap();
    (server.received(), answer)
}

fn changes() -> BTreeMap<String, Option<Vec<u8>>> {
    [
        ("log/checkpoint", Some(vec![0, 255, b'\n'])),
        ("log/tile/0/000.p/1", None),
    ]
    .map(|(path, bytes)| (path.to_owned(), bytes))
    .into()
}

async fn told(reply: impl Fn() -> Reply + Send + Sync + 'static) -> CommitAnswer {
    let (received, answer) = asked(&changes(), reply).await;
    assert_eq!(received.len(), 1, "nothing is sent twice: {answer:?}");
    let shown = format!("{answer:?}");
    assert!(!shown.contains(TOKEN), "{shown}");
    answer
}

async fn error(kind: &str, message: &str) -> CommitAnswer {
    let entry = match kind {
        "" => json!({"message": message}),
        _ => json!({"type": kind, "path": ["createCommitOnBranch"], "message": message}),
    };
    let body = json!({"data": {"createCommitOnBranch": null}, "errors": [entry]}).to_string();
    told(move || Reply::json(&body)).await
}

fn is_denied(answer: &CommitAnswer, words: &str) -> bool {
    matches!(answer, CommitAnswer::Denied(why) if why.contains(words))
}

#[tokio::test]
async fn the_files_go_as_bytes_onto_the_branch_where_it_is_expected_to_stand() {
    let (received, answer) = asked(&changes(), || {
        Reply::json(&format!(
            r#"{{"data":{{"createCommitOnBranch":{{"commit":{{"oid":"{MADE}"}}}}}}}}"#
        ))
    })
    .await;
    assert_eq!(answer, CommitAnswer::Made(MADE.to_owned()));
    assert_eq!(received[0].line, "POST /api/graphql");
    assert!(
        received[0]
            .head
            .contains(&format!("authorization: bearer {TOKEN}"))
    );
    let body: serde_json::Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(body["query"], MUTATION);
    assert_eq!(
        body["variables"]["input"],
        json!({
            "branch": {
                "repositoryNameWithOwner": "acme/app",
                "branchName": "refs/heads/ccgate/ledger",
            },
            "expectedHeadOid": HEAD,
            "message": {"headline": "Seal 2 records"},
            "fileChanges": {
                "additions": [{"path": "log/checkpoint", "contents": "AP8K"}],
                "deletions": [{"path": "log/tile/0/000.p/1"}],
            },
        })
    );
}

#[tokio::test]
async fn a_branch_that_moved_and_every_unknown_error_may_be_tried_on_the_next_tip() {
    for (kind, message) in [
        (
            "STALE_DATA",
            "Expected branch to point to \"aa\" but it did not.  Pull and try again.",
        ),
        ("", "Expected branch to point to \"aa\" but it did not."),
        ("UNPROCESSABLE", "Ünbekannter Grund 4711"),
        ("NOT_FOUND", "Could not resolve to a Ref"),
    ] {
        let answer = error(kind, message).await;
        assert!(
            matches!(&answer, CommitAnswer::Refused(why) if why.contains(message)),
            "{answer:?}"
        );
    }
    let answer = told(|| Reply::status(422)).await;
    assert!(matches!(answer, CommitAnswer::Refused(_)), "{answer:?}");
    let bare = told(|| Reply::json(r#"{"errors":[{"message":"no"}]}"#)).await;
    assert_eq!(bare, CommitAnswer::Refused("no".to_owned()));
}

#[tokio::test]
async fn missing_rights_rules_limits_and_old_servers_are_told_in_plain_words() {
    let integration = "Resource not accessible by integration";
    assert!(is_denied(
        &error("FORBIDDEN", integration).await,
        "`contents: write`"
    ));
    let long = error("FORBIDDEN", &"x".repeat(5000)).await;
    assert!(
        matches!(&long, CommitAnswer::Denied(why)
            if why.ends_with("to a token that has it") && why.len() < 600),
        "{long:?}"
    );
    for status in [401, 403] {
        let answer = told(move || Reply::status(status)).await;
        assert!(is_denied(&answer, "`contents: write`"), "{answer:?}");
    }
    for (kind, message) in [
        ("BRANCH_PROTECTION_RULE_VIOLATION", "no"),
        ("UNPROCESSABLE", "Repository rule violations found"),
        ("", "Cannot update this protected branch."),
    ] {
        let answer = error(kind, message).await;
        assert!(is_denied(&answer, "a rule of the branch"), "{answer:?}");
    }
    assert!(is_denied(
        &error("RATE_LIMITED", "x").await,
        "rate limit is used up"
    ));
    for reply in [
        || Reply::status(429),
        || Reply::status(403).header("retry-after", "1"),
    ] {
        let answer = told(reply).await;
        assert!(is_denied(&answer, "rate limit is used up"), "{answer:?}");
    }
    let old = r#"{"errors":[{"message":"no","extensions":{"code":"undefinedField"}}]}"#;
    assert!(is_denied(
        &told(move || Reply::json(old)).await,
        "cannot make commits"
    ));
}

#[tokio::test]
async fn whatever_may_have_been_made_in_spite_of_its_answer_is_not_known() {
    let both = format!(
        r#"{{"data":{{"createCommitOnBranch":{{"commit":{{"oid":"{MADE}"}}}}}},"errors":[{{"message":"x"}}]}}"#
    );
    let unknown = |answer: CommitAnswer| {
        assert!(matches!(answer, CommitAnswer::Unclear(_)), "{answer:?}");
    };
    unknown(told(move || Reply::json(&both)).await);
    for body in [
        r#"{"data":{"createCommitOnBranch":null}}"#,
        r#"{"data":{"createCommitOnBranch":{"commit":{}}}}"#,
        r#"{"data":{"createCommitOnBranch":{"commit":{"oid":7}}}}"#,
        r#"{"data":null}"#,
        "{}",
        "<html>",
        "",
    ] {
        unknown(told(move || Reply::json(body)).await);
    }
    for status in [302, 500, 501, 502, 503, 504] {
        unknown(told(move || Reply::status(status)).await);
    }
    unknown(told(|| Reply::Drop).await);
    unknown(told(|| Reply::CutOff("{\"data\"".to_owned())).await);
}

#[tokio::test]
async fn an_append_that_is_too_large_is_not_sent() {
    let large = BTreeMap::from([("blobs/x".to_owned(), Some(vec![0; MOST_BYTES]))]);
    let (received, answer) = asked(&large, || Reply::status(500)).await;
    assert!(is_denied(&answer, "bytes large"), "{answer:?}");
    assert!(received.is_empty());
}
