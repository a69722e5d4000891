//! What is asked about a move of a branch, and what comes of it, seen from a server.

use serde_json::{Value, json};

use super::super::open::pause;
use super::*;
use crate::facts::{Ancestry, ArrivalMethod, Platform, PreviousTip, ToldBy, Way};
use crate::platform::transport::testing::{Received, Reply, Server};
use crate::platform::transport::{Limits, Token};
use crate::platform::{Place, Setup};

fn sha(of: &str) -> String {
    of.repeat(40 / of.len())
}

pub(super) fn session(server: &Server, before: Option<&str>) -> Session {
    Session::new(Setup {
        place: Place {
            platform: Platform::Gitlab,
            api: server.url.join("/api/v4").unwrap(),
            graphql: server.url.join("/api/graphql").unwrap(),
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
    .unwrap()
}

async fn arrivals(session: &Session) -> Result<Arrivals, Unknown> {
    let subject = Subject {
        platform: Platform::Gitlab,
        repository: "acme/app".to_owned(),
        change: None,
        head: sha("a1"),
        target: "main".to_owned(),
    };
    let needs = [FactKey::BranchArrivals].into_iter().collect();
    let found = collect(session, &subject, &needs).await.unwrap();
    found
        .arrivals
        .known()
        .map(|arrivals| arrivals.clone().expect("a commit is judged"))
}

fn merged() -> Value {
    json!([{"iid": 4, "state": "merged", "target_branch": "main", "sha": sha("c1"),
        "merge_commit_sha": sha("a1"), "squash_commit_sha": null}])
}

fn pushed(before: &str) -> Value {
    json!([{"created_at": "2026-06-01T11:00:00Z", "author": {"username": "paul"},
        "push_data": {"action": "pushed", "commit_from": sha(before), "commit_to": sha("a1"),
            "ref": "main", "ref_type": "branch"}}])
}

/// The tip a1 over `parent`; `gone`: what the new tip does not reach any more.
#[derive(Clone)]
struct World {
    merged: Value,
    events: Value,
    index: Value,
    gone: Value,
}

impl World {
    fn answer(&self, request: &Received) -> Reply {
        let is = |word: &str| request.line.contains(word);
        let body = if is(&format!("compare?from={}", sha("a1"))) {
            json!({"commits": self.gone})
        } else if is("/compare?") {
            json!({"commits": [{"id": sha("a1"), "message": "Do it",
                "parent_ids": [sha("b0"), sha("c1")]}]})
        } else if is("/events?") {
            self.events.clone()
        } else if is("/commits/") {
            self.index.clone()
        } else {
            self.merged.clone()
        };
        Reply::json(&body.to_string())
    }
}

fn world() -> World {
    World {
        merged: merged(),
        events: pushed("b0"),
        index: json!([]),
        gone: json!([]),
    }
}

async fn serve(world: World) -> Server {
    Server::start(move |_, request| world.answer(request)).await
}

#[tokio::test]
async fn a_merge_costs_four_requests_in_one_round() {
    let server = serve(world()).await;
    let session = session(&server, Some("b0"));
    session.transport.begin_wave();
    let found = arrivals(&session).await.unwrap();
    assert_eq!(found.ancestry.known(), Ok(&Ancestry::Continues));
    assert_eq!(found.count.known(), Ok(&1));
    let Ok(Way::Change { number: 4, method }) = found.commits[0].way.known() else {
        panic!("{:?}", found.commits[0].way);
    };
    assert_eq!(method.known(), Ok(&ArrivalMethod::Merge));
    assert_eq!(server.count(), 4);
    assert_eq!(session.transport.requests().waves, 1);
}

/// Pushed away and back, which no ledger tells of. Everything since what it tells is asked for.
#[tokio::test]
async fn what_was_pushed_away_and_back_since_a_ledger_told_of_the_branch_is_found() {
    let mut loops = pushed("f0");
    let entries = loops.as_array_mut().unwrap();
    let mut away = entries[0].clone();
    away["created_at"] = json!("2026-06-01T10:00:00Z");
    away["push_data"]["commit_from"] = json!(sha("a1"));
    away["push_data"]["commit_to"] = json!(sha("f0"));
    let mut told = away.clone();
    told["created_at"] = json!("2026-06-01T09:30:00Z");
    told["push_data"]["commit_from"] = json!(sha("e0"));
    told["push_data"]["commit_to"] = json!(sha("a1"));
    entries.extend([away, told]);
    let server = serve(World {
        events: loops,
        ..world()
    })
    .await;
    let mut session = session(&server, Some("a1"));
    let found = arrivals(&session).await.unwrap();
    assert!(found.moves.known().unwrap().is_empty(), "by itself");
    session.told_moves = Some(crate::platform::ToldMoves {
        since: "2026-06-01T09:00:00Z".parse().unwrap(),
        moves: std::collections::BTreeSet::new(),
        without_log: std::collections::BTreeSet::new(),
    });
    // What is told of has to be there: a token that may not see pushes is shown none.
    let found = arrivals(&session).await.unwrap();
    assert!(found.moves.known().is_err());
    session.told_moves.as_mut().unwrap().since = "2026-06-01T09:30:00Z".parse().unwrap();
    let found = arrivals(&session).await.unwrap();
    let stood: Vec<&str> = found
        .moves
        .known()
        .unwrap()
        .iter()
        .map(|one| &*one.after)
        .collect();
    assert_eq!(stood, [sha("a1"), sha("f0")]);
    let asked = server.received();
    let events = asked
        .iter()
        .rfind(|one| one.line.contains("/events?"))
        .unwrap();
    assert!(events.line.contains("&after=2026-05-30"), "{}", events.line);
}

#[tokio::test]
async fn nothing_is_asked_for_a_change_or_without_a_need() {
    let server = serve(world()).await;
    let mut session = session(&server, None);
    let subject = Subject {
        platform: Platform::Gitlab,
        repository: "acme/app".to_owned(),
        change: None,
        head: sha("a1"),
        target: "main".to_owned(),
    };
    assert!(collect(&session, &subject, &Needs::none()).await.is_none());
    session.setup.place.wanted = Wanted::Repository { branch: None };
    let needs = [FactKey::BranchArrivals].into_iter().collect();
    let found = collect(&session, &subject, &needs).await.unwrap();
    assert_eq!(found.arrivals.known(), Ok(&None));
    assert_eq!(server.count(), 0);
}

/// F19: the index is asked again before a push is believed.
#[tokio::test]
async fn f19_a_commit_that_no_change_explains_is_asked_for_a_bounded_number_of_times() {
    let nothing = World {
        merged: json!([]),
        ..world()
    };
    let server = serve(nothing).await;
    let session = session(&server, Some("b0"));
    let found = arrivals(&session).await.unwrap();
    let Ok(Way::DirectPush { pusher, .. }) = found.commits[0].way.known() else {
        panic!("{:?}", found.commits[0].way);
    };
    assert_eq!(pusher.as_ref().unwrap().login, "paul");
    assert_eq!(session.transport.pauses(), [pause(1), pause(2)]);
    assert_eq!(server.count(), 4 + 3);
}

#[tokio::test]
async fn f19_an_index_that_learns_of_the_merge_late_explains_the_commit() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |_, request| {
        let mut world = World {
            merged: json!([]),
            ..world()
        };
        if request.line.contains("/commits/")
            && asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0
        {
            world.index = merged();
        }
        world.answer(request)
    })
    .await;
    let found = arrivals(&session(&server, Some("b0"))).await.unwrap();
    assert!(matches!(
        found.commits[0].way.known(),
        Ok(Way::Change { number: 4, .. })
    ));
}

#[tokio::test]
async fn a_commit_that_neither_the_index_nor_the_log_names_is_unknown() {
    let nothing = World {
        merged: json!([]),
        events: json!([]),
        ..world()
    };
    let server = serve(nothing).await;
    let found = arrivals(&session(&server, Some("b0"))).await.unwrap();
    assert!(!found.commits[0].way.is_known() && !found.moves.is_known());
}

#[tokio::test]
async fn a_tip_that_does_not_reach_the_old_one_was_rewritten() {
    let rewritten = World {
        gone: json!([{"id": sha("b0"), "parent_ids": [], "message": ""}]),
        ..world()
    };
    let server = serve(rewritten).await;
    let found = arrivals(&session(&server, Some("b0"))).await.unwrap();
    assert_eq!(found.ancestry.known(), Ok(&Ancestry::Rewritten));
}

#[tokio::test]
async fn a_line_that_does_not_end_at_the_old_tip_may_be_cut_off() {
    let server = serve(world()).await;
    let found = arrivals(&session(&server, Some("e1"))).await.unwrap();
    assert!(!found.count.is_known());
}

#[tokio::test]
async fn without_a_word_about_the_old_tip_the_log_tells_the_last_move() {
    let server = serve(world()).await;
    let found = arrivals(&session(&server, None)).await.unwrap();
    assert_eq!(found.before.told_by, ToldBy::Log);
    assert_eq!(found.before.commit, Some(sha("b0")));
    let silent = World {
        events: json!([]),
        ..world()
    };
    let server = serve(silent).await;
    assert!(arrivals(&session(&server, None)).await.is_err());
}

#[tokio::test]
async fn a_refusal_is_unknown_with_what_is_needed() {
    let server =
        Server::start(|_, _| Reply::Full(403, Vec::new(), r#"{"message":"no"}"#.to_owned())).await;
    let unknown = arrivals(&session(&server, Some("b0"))).await.unwrap_err();
    assert_eq!(unknown.why, Why::NotPermitted);
    assert!(unknown.needs.is_some());
}

/// What a change into `release` that copies commit a1 is told to copy, where merge
/// request 7 brought that commit onto `target` and is in `state`.
async fn originals(target: &str, state: &str) -> Vec<u64> {
    let seven = json!({"iid": 7, "state": state, "target_branch": target,
        "title": "Mend the fee", "description": "", "source_branch": "fee", "draft": false,
        "labels": [], "source_project_id": 1, "target_project_id": 1, "sha": sha("c1"),
        "author": {"id": 2, "username": "bob"}});
    let server = Server::start(move |_, request| {
        let is = |word: &str| request.line.contains(word);
        if is(&format!("/commits/{}/merge_requests", sha("a1"))) {
            Reply::json(&json!([seven]).to_string())
        } else if request.line.ends_with("/merge_requests/7") {
            Reply::json(&seven.to_string())
        } else {
            Reply::Full(404, Vec::new(), r#"{"message":"404 Not Found"}"#.to_owned())
        }
    })
    .await;
    let session = session(&server, Some("b0"));
    let mut snapshot = crate::facts::Snapshot::all_unknown(
        Subject {
            platform: Platform::Gitlab,
            repository: "acme/app".to_owned(),
            change: Some(8),
            head: sha("c8"),
            target: "release".to_owned(),
        },
        session.setup.now,
        "ccgate/test".to_owned(),
    );
    let mut eight = changes::some(&session, &[7]).await.remove(0).identity;
    if let Fact::Known { value, .. } = &mut eight {
        value.number = 8;
        value.body = format!("(cherry picked from commit {})", sha("a1"));
    }
    snapshot.identity = eight;
    snapshot.commits = Fact::known_without_source(Vec::new());
    let found = originals::collect(&session, &snapshot).await;
    let [one] = found.known().unwrap().as_slice() else {
        panic!("{found:?}");
    };
    let reference = crate::facts::OriginalReference::Commit(sha("a1"));
    assert_eq!(one.reference, reference);
    let changes = one.changes.known().unwrap();
    changes.iter().map(|change| change.number).collect()
}

/// The cheat: an original that was merged into a branch that nobody guards, or never.
#[tokio::test]
async fn an_original_has_to_have_come_onto_the_target_or_the_default_branch() {
    assert_eq!(originals("release", "merged").await, [7]);
    assert!(originals("side", "merged").await.is_empty());
    assert!(originals("release", "closed").await.is_empty());
}
