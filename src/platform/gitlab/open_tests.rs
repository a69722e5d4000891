//! Tests of the first round: what the subject is, and which policy was found.

use http::HeaderMap;

use super::*;
use crate::facts::{Platform, Source};
use crate::platform::transport::Answer;
use crate::platform::transport::testing::{Reply as Sent, Server};
use crate::platform::{Limits, Place, Setup, Token};

/// What is asked to open change 7, which goes into `release/1`.
async fn opened(told: Option<&str>) -> (Vec<String>, Snapshot) {
    let server = Server::start(|_, request| {
        Sent::json(if request.line.ends_with("/merge_requests/7") {
            r#"{"iid":7,"sha":"f1","target_branch":"release/1"}"#
        } else {
            r#"{"default_branch":"main"}"#
        })
    })
    .await;
    let mut session = session_on(&server, told);
    let policy = PolicyWanted::AtTarget(".ccgate.yml".to_owned());
    let snapshot = open(&mut session, &policy).await;
    let asked = server.received();
    (asked.into_iter().map(|one| one.line).collect(), snapshot)
}

/// A session about change 7, which is told to go into this branch.
fn session_on(server: &Server, told: Option<&str>) -> Session {
    let place = Place {
        platform: Platform::Gitlab,
        api: server.url.join("/api/v4").unwrap(),
        graphql: server.url.join("/api/graphql").unwrap(),
        repository: "acme/app".to_owned(),
        wanted: Wanted::Change {
            number: 7,
            head: None,
            target: told.map(str::to_owned),
        },
        train: None,
        run_url: None,
    };
    Session::new(Setup {
        place,
        token: Token::new("glpat-x".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
        program: "ccgate/test".to_owned(),
        thrift: crate::platform::Thrift::Rounds,
    })
    .unwrap()
}

#[expect(
    clippy::result_large_err,
    reason = "the shape of every answer of the client"
)]
fn reply(status: u16, body: &'static [u8]) -> Reply {
    let answer = Answer {
        status,
        headers: HeaderMap::new(),
        body: bytes::Bytes::from_static(body),
        endpoint: "GET /file".to_owned(),
        source: Source {
            endpoint: "GET /file".to_owned(),
            digest: "sha256:0".to_owned(),
        },
    };
    if status == 200 {
        Ok(answer)
    } else {
        Err(NoAnswer::Status(answer))
    }
}

fn found(reply: &Reply, readable: bool) -> Fact<Option<PolicyDocument>> {
    document("policy.target", ".ccgate.yml", "main", reply, readable)
}

#[test]
fn the_policy_file_is_read_as_it_stands() {
    let fact = found(&reply(200, b"version: 1\n"), true);
    let document = fact.known().unwrap().clone().unwrap();
    assert_eq!(document.text, "version: 1\n");
    assert_eq!(document.origin, ".ccgate.yml@main");
    assert!(!found(&reply(200, b"\xff"), true).is_known());
}

#[tokio::test]
async fn a_tag_named_like_the_target_branch_is_not_read_for_it() {
    for told in [Some("release/1"), None] {
        let (asked, snapshot) = opened(told).await;
        let mut tips: Vec<&str> = asked
            .iter()
            .filter_map(|line| Some(line.split_once("/raw?ref=")?.1))
            .collect();
        tips.sort_unstable();
        assert_eq!(tips, ["HEAD", "refs%2Fheads%2Frelease%2F1"]);
        assert!(snapshot.policy.target.is_known());
    }
}

#[test]
fn only_gitlabs_words_for_a_missing_file_beside_a_successful_read_mean_missing() {
    let missing = reply(404, br#"{"message":"404 File Not Found"}"#);
    assert_eq!(found(&missing, true).known(), Ok(&None));
    assert!(!found(&missing, false).is_known());
    for body in [
        &br#"{"message":"404 Project Not Found"}"#[..],
        br#"{"message":"404 Commit Not Found"}"#,
        br#"{"message":"404 Not Found"}"#,
        b"<html>",
    ] {
        assert!(!found(&reply(404, body), true).is_known());
    }
    assert!(!found(&reply(403, br#"{"message":"404 File Not Found"}"#), true).is_known());
}

/// The proposed policy as a server answers, with this header naming the commit.
async fn proposed_with(status: u16, commit: &'static str) -> Fact<Option<PolicyDocument>> {
    let server = Server::start(move |_, request| {
        if request.line.contains("/repository/files/") {
            let body = if status == 200 {
                "version: 1"
            } else {
                r#"{"message":"404 File Not Found"}"#
            };
            let sent = Sent::Full(status, Vec::new(), body.to_owned());
            return sent.header("x-gitlab-commit-id", commit);
        }
        Sent::json(if request.line.ends_with("/merge_requests/7") {
            r#"{"iid":7,"sha":"f1","target_branch":"main"}"#
        } else {
            r#"{"default_branch":"main"}"#
        })
    })
    .await;
    let mut session = session_on(&server, None);
    let policy = PolicyWanted::AtTarget(".ccgate.yml".to_owned());
    open(&mut session, &policy).await;
    proposed(&session, "f1", ".ccgate.yml").await
}

#[tokio::test]
async fn the_proposed_policy_is_the_file_at_the_head_and_no_branch_named_like_it() {
    let found = proposed_with(200, "f1").await;
    let document = found.known().unwrap().clone().unwrap();
    assert_eq!(document.origin, ".ccgate.yml@f1");
    assert!(!proposed_with(200, "f2").await.is_known());
    assert_eq!(proposed_with(404, "f1").await.known(), Ok(&None));
    assert!(!proposed_with(403, "f1").await.is_known());
}
