//! A merge request that moves while its files are read: the count alone would not tell.

use serde_json::json;

use super::*;
use crate::facts::{FactKey, Platform, Subject};
use crate::platform::transport::testing::{Reply, Server};
use crate::platform::{Host, Limits, Place, PolicyWanted, Setup, Thrift, Token, Wanted};

/// How the merge request stands when it is asked about for the n-th time, from 1.
type At = fn(usize) -> (&'static str, &'static str);

/// What is read of merge request 7 with one file, and how often it was asked about.
async fn read(stands: At, policy: &'static str) -> (Snapshot, usize) {
    let asked = std::sync::Mutex::new(0);
    let server = Server::start(move |_, request| {
        let path = request.line.split(' ').next_back().unwrap_or_default();
        if path.ends_with("/merge_requests/7") {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            let (sha, target) = stands(*asked);
            let body = json!({"iid": 7, "sha": sha, "target_branch": target, "title": "Do it",
                "source_branch": "feature", "author": {"username": "ana"}, "state": "opened",
                "source_project_id": 1, "target_project_id": 1, "draft": false, "labels": [],
                "created_at": "2026-06-01T08:00:00Z",
                "changes_count": "1"});
            Reply::json(&body.to_string())
        } else if path.contains("/merge_requests/7/diffs") {
            let body = json!([{"old_path": "a.rs", "new_path": "a.rs", "new_file": false,
                "renamed_file": false, "deleted_file": false}]);
            Reply::json(&body.to_string())
        } else if path.contains("/raw") {
            Reply::json(policy)
        } else {
            Reply::json(r#"{"default_branch": "main"}"#)
        }
    })
    .await;
    let place = Place {
        platform: Platform::Gitlab,
        api: server.url.join("/api/v4").unwrap(),
        graphql: server.url.join("/api/graphql").unwrap(),
        repository: "acme/app".to_owned(),
        wanted: Wanted::Change {
            number: 7,
            head: None,
            target: None,
        },
        train: None,
        run_url: None,
    };
    let mut host = Host::new(Setup {
        place,
        token: Token::new("glpat-x".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
        program: "ccgate/test".to_owned(),
        thrift: Thrift::Rounds,
    })
    .unwrap();
    let mut snapshot = host
        .open(&PolicyWanted::AtTarget(".ccgate.yml".to_owned()))
        .await;
    let needs = [FactKey::ChangeIdentity, FactKey::ChangeFiles]
        .into_iter()
        .collect();
    host.collect(&mut snapshot, &needs).await;
    let about = server.received();
    let asked = about
        .iter()
        .filter(|one| one.line.ends_with("/merge_requests/7"))
        .count();
    (snapshot, asked)
}

#[tokio::test]
async fn files_are_held_against_the_head_behind_their_list() {
    let (snapshot, asked) = read(|_| ("f1", "main"), "version: 1").await;
    assert!(snapshot.files.is_known());
    assert_eq!((asked, snapshot.requests.read_again), (2, 0));
}

#[tokio::test]
async fn a_head_that_moved_meanwhile_has_everything_read_again() {
    let moves: At = |asked| (if asked < 2 { "f1" } else { "f2" }, "main");
    let (snapshot, asked) = read(moves, "version: 1").await;
    assert!(snapshot.files.is_known());
    assert_eq!(snapshot.subject.head, "f2");
    assert_eq!(snapshot.identity.known().unwrap().head, "f2");
    assert_eq!((asked, snapshot.requests.read_again), (4, 1));
}

#[tokio::test]
async fn a_head_that_never_stands_still_leaves_the_change_unknown() {
    let moves: At = |asked| (["f1", "f2", "f3", "f4", "f5", "f6", "f7"][asked], "main");
    let (snapshot, asked) = read(moves, "version: 1").await;
    for why in [
        snapshot.files.known().map(|_| ()).unwrap_err(),
        snapshot.identity.known().map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(why.why, Why::Failed);
        assert!(why.detail.contains("moved while it was read, 3 times"));
    }
    assert_eq!((asked, snapshot.requests.read_again), (6, 2));
}

/// Another target may have another policy, and what that needs was not asked for.
#[tokio::test]
async fn a_target_that_moved_meanwhile_leaves_the_change_unknown() {
    let moves: At = |asked| ("f1", if asked < 2 { "main" } else { "release/1" });
    let (snapshot, _) = read(moves, "version: 1").await;
    assert!(!snapshot.files.is_known());
    assert_eq!(snapshot.subject.target, "main");
}

#[test]
fn another_policy_is_not_taken_in_the_place_of_the_first() {
    let mut first = nothing();
    let again = first.clone();
    assert!(take(&mut first, again.clone()));
    let mut other = again;
    other.policy.target = Fact::known_without_source(None);
    assert!(!take(&mut first, other));
}

#[test]
fn what_is_read_again_is_still_part_of_the_group_that_is_judged() {
    let mut first = nothing();
    first.queue = Fact::Unknown(Unknown::new("change.queue", Why::Failed, "no answer"));
    let queue = first.queue.clone();
    assert!(take(&mut first, nothing()));
    assert_eq!(first.queue, queue);
}

fn nothing() -> Snapshot {
    let subject = Subject {
        platform: Platform::Gitlab,
        repository: "acme/app".to_owned(),
        change: Some(7),
        head: "f1".to_owned(),
        target: "main".to_owned(),
    };
    Snapshot::all_unknown(subject, jiff::Timestamp::UNIX_EPOCH, "test".to_owned())
}
