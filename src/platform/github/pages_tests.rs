//! How many questions a large change takes, and what becomes of a cursor that was
//! foretold wrongly. The server pages lists as the platform does.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde_json::{Map, Value, json};

use crate::platform::transport::testing::{Received, Reply, Server};

use super::super::client::testing::client;
use super::*;

/// How the server makes the cursor behind an entry.
type Cursor = fn(usize) -> String;

fn position(at: usize) -> String {
    BASE64_STANDARD_NO_PAD.encode(at.to_string())
}

/// Looks like a position and is none: it counts in another way.
fn askew(at: usize) -> String {
    let shown = if at <= 100 { at } else { at + 1 };
    position(shown)
}

fn opaque(at: usize) -> String {
    format!("opaque-{at}")
}

/// One page of a list of `total` numbered entries.
fn list(total: usize, after: &Value, cursor: Cursor) -> Value {
    let start = match after.as_str() {
        None => 0,
        Some(given) => match (0..=total).find(|at| cursor(*at) == given) {
            Some(at) => at,
            None => return Value::Null,
        },
    };
    let end = (start + 100).min(total);
    json!({
        "totalCount": total,
        "pageInfo": {"hasNextPage": end < total, "endCursor": cursor(end)},
        "nodes": (start..end).map(|number| json!({"path": number})).collect::<Vec<_>>(),
    })
}

/// Answers every page that the variables name.
fn answered(request: &Received, totals: &[(&str, usize)], changed: usize, cursor: Cursor) -> Reply {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let mut pull = Map::new();
    let mut errors = Vec::new();
    pull.insert("headRefOid".to_owned(), json!("aa"));
    pull.insert("changedFiles".to_owned(), json!(changed));
    let mut contexts = Map::new();
    for (variable, after) in body["variables"].as_object().unwrap() {
        let Some(key) = variable.strip_prefix("after_") else {
            continue;
        };
        let name = key.trim_end_matches(|last: char| last.is_ascii_digit());
        let total = totals.iter().find(|(of, _)| *of == name).unwrap().1;
        let page = list(total, after, cursor);
        if page.is_null() {
            errors.push(
                json!({"type": "INVALID_CURSOR_ARGUMENTS", "message": "no such cursor",
                "path": ["repository", "pullRequest", key]}),
            );
        }
        if name == "contexts" {
            contexts.insert(key.to_owned(), page);
        } else {
            pull.insert(key.to_owned(), page);
        }
    }
    let object = json!({"__typename": "Commit", "statusCheckRollup": contexts});
    let mut answer = json!({"data": {"repository": {"pullRequest": pull, "object": object}}});
    if !errors.is_empty() {
        answer["errors"] = json!(errors);
    }
    Reply::json(&answer.to_string())
}

async fn gathered(
    totals: &'static [(&'static str, usize)],
    changed: usize,
    cursor: Cursor,
    parts: &[Part],
) -> (BTreeMap<Part, Pages>, u32, u32) {
    let server = Server::start(move |_, request| answered(request, totals, changed, cursor)).await;
    let (client, transport) = client(&server);
    let subject = Subject {
        owner: "acme",
        name: "app",
        number: Some(7),
        head: "aa",
        target: "main",
        moved: AtomicBool::new(false),
    };
    transport.begin_wave();
    let found = gather(&client, &transport, &subject, parts).await;
    let requests = transport.requests();
    (found, requests.count, requests.waves)
}

fn paths(pages: &Pages) -> Vec<u64> {
    let (nodes, _) = pages.as_ref().unwrap();
    nodes
        .iter()
        .map(|node| node["path"].as_u64().unwrap())
        .collect()
}

const LARGE: &[(&str, usize)] = &[
    ("commits", 250),
    ("reviews", 100),
    ("timelineItems", 3),
    ("comments", 40),
    ("files", 3000),
    ("reviewThreads", 100),
    ("signatures", 250),
    ("contexts", 300),
];

#[tokio::test]
async fn a_change_of_3000_files_and_250_commits_takes_two_rounds_and_five_requests() {
    let (found, requests, waves) = gathered(LARGE, 3000, position, &Part::ALL).await;
    assert_eq!((requests, waves), (5, 2));
    let everything: Vec<u64> = (0..3000).collect();
    assert_eq!(paths(&found[&Part::Files]), everything);
    assert_eq!(paths(&found[&Part::Commits]).len(), 250);
    assert_eq!(paths(&found[&Part::Checks]).len(), 300);
    assert!(found.values().all(Result::is_ok));
}

#[tokio::test]
async fn cursors_that_show_no_position_are_followed_one_by_one_to_the_same_end() {
    const FILES: &[(&str, usize)] = &[("files", 450)];
    let (found, requests, waves) = gathered(FILES, 450, opaque, &[Part::Files]).await;
    assert_eq!((requests, waves), (5, 5));
    assert_eq!(paths(&found[&Part::Files]), (0..450).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_that_was_foretold_wrongly_costs_rounds_and_no_entry() {
    const FILES: &[(&str, usize)] = &[("files", 450)];
    let (found, _, _) = gathered(FILES, 450, askew, &[Part::Files]).await;
    assert_eq!(paths(&found[&Part::Files]), (0..450).collect::<Vec<_>>());
}

#[tokio::test]
async fn more_files_than_the_platform_lists_are_unknown() {
    const FILES: &[(&str, usize)] = &[("files", 3000)];
    for changed in [3001, 2999] {
        let (found, _, _) = gathered(FILES, changed, position, &[Part::Files]).await;
        assert_eq!(
            found[&Part::Files].as_ref().unwrap_err().why,
            Why::NotSupported
        );
    }
}
