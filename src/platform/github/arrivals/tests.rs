//! What is asked about a move of a branch, and what comes of it, seen from a server.

use serde_json::{Value, json};

use super::super::origin::PAUSES;
use super::*;
use crate::facts::{Ancestry, ArrivalMethod, Platform, PreviousTip, Subject, ToldBy, Way};
use crate::platform::transport::testing::{Received, Reply, Server};
use crate::platform::transport::{Limits, Token};
use crate::platform::{Place, Setup};

pub(super) fn sha(of: &str) -> String {
    of.repeat(40 / of.len())
}

pub(super) fn session(server: &Server, before: Option<&str>) -> Session {
    let mut session = Session::new(Setup {
        place: Place {
            platform: Platform::Github,
            api: server.url.clone(),
            graphql: server.url.join("/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Commit {
                sha: Some(sha("a1")),
                branch: Some("main".to_owned()),
                before: before.map(|before| PreviousTip {
                    commit: Some(sha(before)),
                    told_by: ToldBy::Event,
                }),
            },
            train: None,
            run_url: None,
        },
        token: Token::new("change".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: "2026-06-01T12:00:00Z".parse().unwrap(),
        program: "ccgate/test".to_owned(),
        thrift: crate::platform::Thrift::Rounds,
    })
    .unwrap();
    session.default_branch = Some("main".to_owned());
    session
}

pub(super) async fn collected(session: &Session, keys: &[FactKey]) -> Option<Found> {
    let snapshot = Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: None,
            head: sha("a1"),
            target: "main".to_owned(),
        },
        session.setup.now,
        "ccgate/test".to_owned(),
    );
    collect(session, &snapshot, &keys.iter().copied().collect()).await
}

async fn arrivals(session: &Session) -> Result<Arrivals, Unknown> {
    let found = collected(session, &[FactKey::BranchArrivals])
        .await
        .unwrap();
    found
        .arrivals
        .known()
        .map(|arrivals| arrivals.clone().expect("a commit is judged"))
}

/// The commits a1 (a merge of change 7) and b0 below it.
fn history(pulls: Value) -> Value {
    let node = |oid: &str, parents: &[&str], pulls: Value| {
        let parents: Vec<Value> = parents.iter().map(|id| json!({"oid": sha(id)})).collect();
        json!({"oid": sha(oid), "message": "Do it",
            "parents": {"totalCount": parents.len(), "nodes": parents},
            "associatedPullRequests": {"pageInfo": {"hasNextPage": false}, "nodes": pulls}})
    };
    json!({"data": {"repository": {"object": {"history": {"pageInfo": {"hasNextPage": true},
        "nodes": [node("a1", &["b0", "c1"], pulls), node("b0", &["00ff"], json!([]))]}}}}})
}

fn seven() -> Value {
    json!([{"number": 7, "state": "MERGED", "baseRefName": "main", "headRefOid": sha("c1"),
        "mergeCommit": {"oid": sha("a1")}, "commits": {"totalCount": 1}}])
}

fn log(kind: &str, before: &str) -> Value {
    json!([{"before": sha(before), "after": sha("a1"), "ref": "refs/heads/main",
        "activity_type": kind, "timestamp": "2026-06-01T11:00:00Z",
        "actor": {"login": "eve", "type": "User"}}])
}

fn is(request: &Received, word: &str) -> bool {
    request.line.contains(word) || request.body.contains(word)
}

/// A server with that history and log; everything else is a plain 404.
async fn server(history: Value, log: Value) -> Server {
    Server::start(move |_, request| {
        if is(request, "CcgateArrivals") {
            Reply::json(&history.to_string())
        } else if is(request, "/activity") {
            Reply::json(&log.to_string())
        } else {
            Reply::Full(404, Vec::new(), r#"{"message":"Not Found"}"#.to_owned())
        }
    })
    .await
}

/// The cheat: a page of honest moves on top of one that was taken back.
#[tokio::test]
async fn the_log_is_read_back_to_what_a_ledger_tells_of() {
    let mut first = log("pr_merge", "b0");
    let mut older = first[0].clone();
    older["timestamp"] = json!("2026-06-01T10:30:00Z");
    older["after"] = json!(sha("e1"));
    let page = first.as_array_mut().unwrap();
    page.extend(vec![older.clone(); 99]);
    let mut told = older.clone();
    told["timestamp"] = json!("2026-06-01T09:00:00Z");
    let second = json!([older.clone(), older, told]);
    let (history, page) = (history(seven()), json!(page));
    let server = Server::start(move |_, request| {
        if is(request, "CcgateArrivals") {
            Reply::json(&history.to_string())
        } else if is(request, "time_period=day") && is(request, "&page=2") {
            Reply::json(&second.to_string())
        } else if is(request, "/activity") {
            Reply::json(&page.to_string())
        } else {
            Reply::Full(404, Vec::new(), r#"{"message":"Not Found"}"#.to_owned())
        }
    })
    .await;
    let count = async |since: &str| {
        let mut session = session(&server, Some("b0"));
        session.told_moves = Some(crate::platform::ToldMoves {
            since: since.parse().unwrap(),
            moves: std::collections::BTreeSet::new(),
            without_log: std::collections::BTreeSet::new(),
        });
        let before = server.count();
        let found = arrivals(&session).await.unwrap();
        (found.moves.known().unwrap().len(), server.count() - before)
    };
    assert_eq!(
        count("2026-06-01T10:30:00Z").await.0,
        1,
        "the page is enough"
    );
    let (more, requests) = count("2026-06-01T09:00:00Z").await;
    assert_eq!(more, 102);
    assert_eq!(count("2026-06-01T10:30:00Z").await.1 + 2, requests);
}

#[test]
fn the_log_is_asked_for_in_its_own_words() {
    let now = "2026-06-01T12:00:00Z".parse().unwrap();
    for (since, period) in [
        ("2026-06-01T11:00:00Z", Some("day")),
        ("2026-05-31T12:30:00Z", Some("week")),
        ("2026-05-25T12:00:00Z", Some("month")),
        ("2026-04-01T00:00:00Z", Some("quarter")),
        ("2025-07-01T00:00:00Z", Some("year")),
        ("2024-07-01T00:00:00Z", None),
    ] {
        let asked = read::time_period(now, since.parse().unwrap());
        assert_eq!(asked, period, "{since}");
    }
}

#[tokio::test]
async fn a_merge_costs_two_requests_in_one_round() {
    let server = server(history(seven()), log("pr_merge", "b0")).await;
    let session = session(&server, Some("b0"));
    session.transport.begin_wave();
    let found = arrivals(&session).await.unwrap();
    assert_eq!(found.ancestry.known(), Ok(&Ancestry::Continues));
    assert_eq!(found.count.known(), Ok(&1));
    let Ok(Way::Change { number: 7, method }) = found.commits[0].way.known() else {
        panic!("{:?}", found.commits[0].way);
    };
    assert_eq!(method.known(), Ok(&ArrivalMethod::Merge));
    assert_eq!(server.count(), 2);
    assert_eq!(session.transport.requests().waves, 1);
}

#[tokio::test]
async fn nothing_is_asked_when_no_group_is_needed() {
    let server = server(history(seven()), log("pr_merge", "b0")).await;
    let found = collected(&session(&server, None), &[FactKey::BranchRules]).await;
    assert!(found.is_none());
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_change_moves_no_branch_and_nothing_is_asked() {
    let server = server(history(seven()), log("pr_merge", "b0")).await;
    let mut session = session(&server, None);
    session.setup.place.wanted = Wanted::Change {
        number: 7,
        head: None,
        target: None,
    };
    let found = collected(
        &session,
        &[FactKey::BranchArrivals, FactKey::BranchBypasses],
    )
    .await
    .unwrap();
    assert_eq!(found.arrivals.known(), Ok(&None));
    assert_eq!(found.bypasses.known(), Ok(&None));
    assert_eq!(server.count(), 0);
}

/// F19: the index learns of the merge late.
#[tokio::test]
async fn f19_a_late_index_is_asked_again_a_bounded_number_of_times() {
    for (looks_without, known) in [(2_usize, true), (usize::MAX, false)] {
        let looks = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::start(move |_, request| {
            if is(request, "CcgateArrivals") {
                let look = looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let pulls = if look < looks_without {
                    json!([])
                } else {
                    seven()
                };
                Reply::json(&history(pulls).to_string())
            } else {
                Reply::json(&log("pr_merge", "b0").to_string())
            }
        })
        .await;
        let session = session(&server, Some("b0"));
        let found = arrivals(&session).await.unwrap();
        assert_eq!(found.commits[0].way.is_known(), known);
        let pauses = session.transport.pauses();
        assert_eq!(pauses, PAUSES[..if known { 2 } else { 3 }]);
        assert_eq!(server.count(), 2 * (pauses.len() + 1));
    }
}

#[tokio::test]
async fn f17_a_push_is_named_with_its_pusher() {
    let server = server(history(json!([])), log("push", "b0")).await;
    let found = arrivals(&session(&server, Some("b0"))).await.unwrap();
    let Ok(Way::DirectPush { pusher, .. }) = found.commits[0].way.known() else {
        panic!("{:?}", found.commits[0].way);
    };
    assert_eq!(pusher.as_ref().unwrap().login, "eve");
}

#[tokio::test]
async fn without_a_word_about_the_old_tip_the_log_tells_the_last_move() {
    let server = server(history(seven()), log("pr_merge", "b0")).await;
    let found = arrivals(&session(&server, None)).await.unwrap();
    assert_eq!(found.before.told_by, ToldBy::Log);
    assert_eq!(found.before.commit, Some(sha("b0")));
    assert_eq!(found.ancestry.known(), Ok(&Ancestry::Continues));
}

#[tokio::test]
async fn a_log_that_is_hidden_leaves_the_merger_unknown_and_is_not_asked_again() {
    let server = Server::start(move |_, request| {
        if is(request, "CcgateArrivals") {
            Reply::json(&history(seven()).to_string())
        } else {
            Reply::Full(403, Vec::new(), r#"{"message":"no"}"#.to_owned())
        }
    })
    .await;
    let found = arrivals(&session(&server, Some("b0"))).await.unwrap();
    let Ok(Way::Change { method, .. }) = found.commits[0].way.known() else {
        panic!("{:?}", found.commits[0].way);
    };
    assert!(!method.is_known() && !found.moves.is_known());
    assert_eq!(server.count(), 2);
}

/// An old tip that is not below the new one is compared with it.
async fn compared(status: &'static str, total: usize) -> Arrivals {
    let server = Server::start(move |_, request| {
        if is(request, "/compare/") {
            let first = request.line.contains("page=1");
            let commits = if first {
                json!([{"sha": sha("a1"), "commit": {"message": "Do it"},
                    "parents": [{"sha": sha("b0")}, {"sha": sha("c1")}]}])
            } else {
                json!([])
            };
            Reply::json(
                &json!({"status": status, "total_commits": total, "commits": commits}).to_string(),
            )
        } else if is(request, "CcgateArrivals") {
            Reply::json(&history(seven()).to_string())
        } else {
            Reply::json(&log("force_push", "e1").to_string())
        }
    })
    .await;
    let session = session(&server, Some("e1"));
    arrivals(&session).await.unwrap()
}

#[tokio::test]
async fn a_force_push_is_told_by_comparing_the_tips() {
    let found = compared("diverged", 1).await;
    assert_eq!(found.ancestry.known(), Ok(&Ancestry::Rewritten));
    assert_eq!(found.count.known(), Ok(&1));
    assert_eq!(found.moves.known().unwrap().len(), 1);
}

#[tokio::test]
async fn a_comparison_that_is_cut_off_leaves_the_count_unknown() {
    let found = compared("diverged", 3).await;
    assert!(!found.count.is_known() && !found.reached.is_known());
}

#[tokio::test]
async fn an_old_tip_that_the_platform_does_not_show_leaves_everything_open() {
    let server = server(history(seven()), log("force_push", "e1")).await;
    let found = arrivals(&session(&server, Some("e1"))).await.unwrap();
    assert!(!found.ancestry.is_known() && !found.count.is_known());
    assert!(found.commits.is_empty());
}

/// Change 7, merged into that branch.
fn arrived_pull(target: &str) -> Value {
    let list =
        |nodes: Value| json!({"totalCount": 1, "pageInfo": {"hasNextPage": false}, "nodes": nodes});
    let person = json!({"name": "ana", "email": "ana@acme.test",
        "user": {"__typename": "User", "login": "ana"}});
    json!({"number": 7, "title": "Do it", "body": "", "state": "MERGED",
        "isDraft": false, "isCrossRepository": false, "labels": {"nodes": []},
        "author": {"__typename": "User", "login": "ana"},
        "headRefName": "f", "headRefOid": sha("c1"), "baseRefName": target,
        "mergedAt": "2026-06-01T11:00:00Z", "mergedBy": {"__typename": "User", "login": "eve"},
        "mergeCommit": {"oid": sha("a1")},
        "commits": list(json!([{"commit": {"oid": sha("c1"), "message": "Do it",
            "author": person, "committer": person,
            "authors": {"totalCount": 1, "nodes": [person]},
            "parents": {"totalCount": 1, "nodes": [{"oid": sha("b0")}]}}}])),
        "reviews": list(json!([{"state": "APPROVED", "submittedAt": "2026-06-01T10:00:00Z",
            "authorCanPushToRepository": true, "author": {"__typename": "User", "login": "li"},
            "commit": {"oid": sha("c1")}}])),
        "timelineItems": {"pageInfo": {"hasNextPage": false}, "nodes": []},
        "newest": {"nodes": [{"commit": {"oid": sha("c1"), "statusCheckRollup": null}}]}})
}

#[tokio::test]
async fn a_change_that_arrived_is_read_with_everything_in_one_document() {
    let pull = arrived_pull("main");
    let server = Server::start(move |_, request| {
        if is(request, "CcgateArrivedChanges") {
            Reply::json(&json!({"data": {"repository": {"p7": pull}}}).to_string())
        } else if is(request, "CcgateArrivals") {
            Reply::json(&history(seven()).to_string())
        } else {
            Reply::json(&log("pr_merge", "b0").to_string())
        }
    })
    .await;
    let session = session(&server, Some("b0"));
    let keys = [FactKey::BranchArrivals, FactKey::BranchArrivedChanges];
    let found = collected(&session, &keys).await.unwrap();
    let changes = found.changes.known().unwrap().clone().unwrap();
    let [change] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(change.identity.known().unwrap().head, sha("c1"));
    assert_eq!(change.commits.known().unwrap().len(), 1);
    assert_eq!(change.reviews.known().unwrap().len(), 1);
    assert!(change.pushes.known().unwrap().is_empty());
    assert!(change.checks.known().unwrap().is_empty());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn who_went_around_the_rules_is_read_where_a_token_may_see_it() {
    let suites = json!([{"after_sha": sha("a1"), "actor_name": "eve", "result": "bypass",
        "pushed_at": "2026-06-01T11:00:00Z"},
        {"after_sha": sha("a2"), "ref": "refs/heads/other", "result": "bypass"},
        {"after_sha": sha("a3"), "ref": "refs/heads/main", "result": "bypass"},
        {"after_sha": sha("a4"), "ref": "refs/heads/main", "result": "pass"}]);
    let server = Server::start(move |_, request| {
        let requests = request.line.contains("/bypass-requests/");
        Reply::json(&if requests { json!([]) } else { suites.clone() }.to_string())
    })
    .await;
    let mut session = session(&server, Some("b0"));
    let found = collected(&session, &[FactKey::BranchBypasses])
        .await
        .unwrap();
    let bypasses = found.bypasses.known().unwrap().clone().unwrap();
    let after: Vec<&str> = bypasses
        .found
        .iter()
        .filter_map(|it| it.after.as_deref())
        .collect();
    // A branch that is not named may be this one.
    assert_eq!(after, [sha("a1"), sha("a3")]);
    assert_eq!(bypasses.since.to_string(), "2026-05-04T12:00:00Z");
    let mut lines: Vec<String> = server.received().into_iter().map(|it| it.line).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "GET /repos/acme/app/bypass-requests/push-rules?time_period=month&request_status=all&per_page=100",
            "GET /repos/acme/app/rulesets/rule-suites?time_period=month&rule_suite_result=bypass&per_page=100",
        ]
    );
    let asked = server.count();
    session.workflow_token = true;
    let found = collected(&session, &[FactKey::BranchBypasses])
        .await
        .unwrap();
    assert!(!found.bypasses.is_known());
    assert_eq!(server.count(), asked, "a workflow token is not even tried");
}

/// What change 8 names as its original, and how many changes were found for it.
async fn originals(target: &str) -> Vec<(crate::facts::OriginalReference, usize)> {
    let pull = arrived_pull(target);
    let server = Server::start(move |_, _| {
        Reply::json(&json!({"data": {"repository": {"p7": pull}}}).to_string())
    })
    .await;
    let session = session(&server, Some("b0"));
    let seven = changes::some(&session, &[7]).await.remove(0);
    let mut snapshot = Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: Some(8),
            head: sha("c1"),
            target: "release".to_owned(),
        },
        session.setup.now,
        "ccgate/test".to_owned(),
    );
    let mut eight = seven.identity.known().unwrap().clone();
    eight.number = 8;
    eight.body = "Backport of #7".to_owned();
    snapshot.identity = Fact::known_without_source(eight);
    snapshot.commits = seven.commits;
    let found = super::originals::collect(&session, &snapshot).await;
    let found = found.known().unwrap();
    found
        .iter()
        .map(|one| (one.reference.clone(), one.changes.known().unwrap().len()))
        .collect()
}

/// The cheat: an original that was merged into a branch that nobody guards.
#[tokio::test]
async fn an_original_has_to_have_come_onto_the_target_or_the_default_branch() {
    let seven = crate::facts::OriginalReference::Change(7);
    for (target, count) in [("main", 1), ("release", 1), ("side", 0)] {
        assert_eq!(
            originals(target).await,
            [(seven.clone(), count)],
            "{target}"
        );
    }
}
