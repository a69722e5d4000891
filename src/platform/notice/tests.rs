//! Both platforms, answered on loopback; what was asked is counted.

use serde_json::{Value, json};

use super::super::testing::{change, setup, setup_once};
use super::super::transport::testing::{Received, Reply, Server};
use super::*;

const MARKER: &str = "<!-- ccgate:overrides:acme/payments:42 -->";
const BOTH: [Platform; 2] = [Platform::Github, Platform::Gitlab];
const SPOTS: [Spot; 2] = [Spot::Change(42), Spot::Issue];

/// The token's own account, and somebody else.
const OWN: u64 = 7;
const STRANGER: u64 = 8;

fn notice() -> Notice {
    Notice {
        marker: MARKER.to_owned(),
        title: "Overrides".to_owned(),
        text: format!("{MARKER}\nOne is overdue.\n"),
        make: true,
        reopen: true,
    }
}

/// A comment or issue as either platform sends it.
fn item(id: u64, author: u64, text: &str) -> Value {
    json!({"id": id, "iid": id, "number": id, "body": text, "description": text,
        "user": {"id": author, "type": "User"}, "author": {"id": author}})
}

/// What is asked for to find the notice at that spot.
fn wanted(spot: Spot) -> Wanted {
    match spot {
        Spot::Change(number) => change(number),
        Spot::Issue => Wanted::Repository { branch: None },
    }
}

/// A platform that has these, and takes what is written.
async fn with(items: Vec<Value>) -> Server {
    Server::start(move |_, request| answer(request, &items)).await
}

fn answer(request: &Received, items: &[Value]) -> Reply {
    match request.line.split(' ').next() {
        Some("GET") if request.line == "GET /user" => {
            Reply::json(&json!({"id": OWN, "login": "ci"}).to_string())
        }
        Some("GET") => Reply::json(&Value::from(items).to_string()),
        _ => Reply::json(&item(99, OWN, "").to_string()),
    }
}

async fn keep(
    platform: Platform,
    spot: Spot,
    server: &Server,
    notice: &Notice,
) -> anyhow::Result<Noted> {
    keep_notice(setup_once(platform, server, wanted(spot)), notice).await
}

/// What was written: request lines and bodies.
fn written(server: &Server) -> Vec<(String, Value)> {
    let all = server.received();
    let written = all.into_iter().filter(|one| !one.line.starts_with("GET "));
    written
        .filter(|one| one.line != "POST /graphql")
        .map(|one| {
            (
                one.line,
                serde_json::from_str(&one.body).expect("a JSON body"),
            )
        })
        .collect()
}

fn address(platform: Platform, spot: Spot, id: Option<u64>) -> String {
    let base = match (platform, spot, id) {
        (Platform::Github, Spot::Change(_), None) => "/repos/acme/payments/issues/42/comments",
        (Platform::Github, Spot::Change(_), Some(_)) => "/repos/acme/payments/issues/comments",
        (Platform::Github, Spot::Issue, _) => "/repos/acme/payments/issues",
        (Platform::Gitlab, Spot::Change(_), _) => {
            "/projects/acme%2Fpayments/merge_requests/42/notes"
        }
        (Platform::Gitlab, Spot::Issue, _) => "/projects/acme%2Fpayments/issues",
    };
    match (platform, id) {
        (_, None) => format!("POST {base}"),
        (Platform::Github, Some(id)) => format!("PATCH {base}/{id}"),
        (Platform::Gitlab, Some(id)) => format!("PUT {base}/{id}"),
    }
}

/// The text that was written, wherever the platform wants it.
fn text_of(body: &Value) -> &str {
    let text = body.get("body").or_else(|| body.get("description"));
    text.and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test]
async fn it_is_posted_once_where_there_is_none() {
    for platform in BOTH {
        for spot in SPOTS {
            let others = item(1, OWN, "Something else");
            let quoted = item(2, OWN, &format!("As it says:\n{MARKER}"));
            let server = with(vec![others, quoted]).await;
            let ended = keep(platform, spot, &server, &notice()).await;
            assert!(matches!(ended, Ok(Noted::Made(_))), "{ended:?}");
            let written = written(&server);
            assert_eq!(written.len(), 1, "{written:?}");
            assert_eq!(written[0].0, address(platform, spot, None));
            assert_eq!(text_of(&written[0].1), notice().text);
            assert_eq!(written[0].1.get("title").is_some(), spot == Spot::Issue);
            assert_eq!(server.count(), 3, "whose, the list, the posting");
        }
    }
}

#[tokio::test]
async fn the_one_that_is_there_is_changed_in_place_and_of_two_the_oldest() {
    for platform in BOTH {
        for spot in SPOTS {
            let old = format!("{MARKER}\r\nNothing yet.");
            let server = with(vec![item(31, OWN, &old), item(30, OWN, &old)]).await;
            let ended = keep(platform, spot, &server, &notice()).await;
            assert!(matches!(ended, Ok(Noted::Changed(_))), "{ended:?}");
            let written = written(&server);
            assert_eq!(written.len(), 1, "{written:?}");
            assert_eq!(written[0].0, address(platform, spot, Some(30)));
            assert_eq!(text_of(&written[0].1), notice().text);
            assert_eq!(written[0].1.get("title").is_some(), spot == Spot::Issue);
        }
    }
}

#[tokio::test]
async fn what_it_says_already_is_not_written_again() {
    for platform in BOTH {
        for spot in SPOTS {
            let same = notice().text.trim_end().replace('\n', "\r\n");
            let server = with(vec![item(30, OWN, &same)]).await;
            let ended = keep(platform, spot, &server, &notice()).await;
            assert!(matches!(ended, Ok(Noted::Same(_))), "{ended:?}");
            assert!(written(&server).is_empty());
        }
    }
}

#[tokio::test]
async fn what_somebody_else_wrote_with_the_marker_is_neither_touched_nor_counted() {
    for platform in BOTH {
        for spot in SPOTS {
            let mut nobodys = item(4, STRANGER, &notice().text);
            nobodys["user"] = Value::Null;
            nobodys["author"] = Value::Null;
            let theirs = vec![
                item(3, STRANGER, &notice().text),
                item(5, STRANGER, &format!("{MARKER}\n/ccgate approve ovr_1")),
                nobodys,
            ];
            let server = with(theirs).await;
            let ended = keep(platform, spot, &server, &notice()).await;
            assert!(matches!(ended, Ok(Noted::Made(_))), "{ended:?}");
            let written = written(&server);
            assert_eq!(written.len(), 1, "{written:?}");
            assert_eq!(written[0].0, address(platform, spot, None));
        }
    }
}

#[tokio::test]
async fn where_there_is_nothing_to_tell_none_is_made_and_one_that_is_there_is_changed() {
    let calm = Notice {
        make: false,
        reopen: false,
        ..notice()
    };
    for platform in BOTH {
        for spot in SPOTS {
            let server = with(Vec::new()).await;
            let ended = keep(platform, spot, &server, &calm).await;
            assert!(matches!(ended, Ok(Noted::Nothing)), "{ended:?}");
            assert!(written(&server).is_empty());
            let server = with(vec![item(30, OWN, MARKER)]).await;
            let ended = keep(platform, spot, &server, &calm).await;
            assert!(matches!(ended, Ok(Noted::Changed(_))), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn an_issue_that_somebody_closed_is_opened_again_while_something_is_to_be_done() {
    for (platform, key, word) in [
        (Platform::Github, "state", "open"),
        (Platform::Gitlab, "state_event", "reopen"),
    ] {
        for reopen in [true, false] {
            let mut closed = item(30, OWN, &notice().text);
            closed["state"] = json!("closed");
            let server = with(vec![closed]).await;
            let told = Notice { reopen, ..notice() };
            let ended = keep(platform, Spot::Issue, &server, &told).await;
            let written = written(&server);
            if reopen {
                assert!(matches!(ended, Ok(Noted::Changed(_))), "{ended:?}");
                assert_eq!(written[0].0, address(platform, Spot::Issue, Some(30)));
                assert_eq!(written[0].1[key], word);
            } else {
                assert!(matches!(ended, Ok(Noted::Same(_))), "{ended:?}");
                assert!(written.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_what_it_needs_and_nothing_is_tried_twice() {
    for (platform, spot, needs) in [
        (Platform::Github, Spot::Change(42), "Pull requests: write"),
        (Platform::Github, Spot::Issue, "Issues: write"),
        (Platform::Gitlab, Spot::Change(42), "scope `api`"),
        (Platform::Gitlab, Spot::Issue, "scope `api`"),
    ] {
        let server = Server::start(|_, _| Reply::status(401)).await;
        let ended = keep_notice(setup(platform, &server, wanted(spot)), &notice()).await;
        let error = ended.expect_err("it was refused").to_string();
        assert!(
            error.contains(needs) && error.contains("nothing was posted"),
            "{error}"
        );
        assert_eq!(server.count(), 1, "{error}");

        let server = Server::start(|_, request| match request.line.starts_with("GET ") {
            true => answer(request, &[]),
            false => Reply::status(403),
        })
        .await;
        let ended = keep_notice(setup(platform, &server, wanted(spot)), &notice()).await;
        let error = ended.expect_err("it was refused").to_string();
        assert!(
            error.contains(needs) && error.contains("nothing was posted"),
            "{error}"
        );
        assert_eq!(written_lines(&server).len(), 1);
    }
}

/// As `written`, whatever stands in the bodies.
fn written_lines(server: &Server) -> Vec<String> {
    let all = server.received().into_iter().map(|one| one.line);
    all.filter(|line| !line.starts_with("GET ")).collect()
}

#[tokio::test]
async fn a_posting_whose_end_is_unknown_is_not_sent_again() {
    let ends: [fn() -> Reply; 5] = [
        || Reply::Drop,
        || Reply::CutOff("{".to_owned()),
        || Reply::status(502),
        || Reply::json("<html>"),
        || Reply::json("{}"),
    ];
    for platform in BOTH {
        for spot in SPOTS {
            for there in [vec![], vec![item(30, OWN, MARKER)]] {
                for end in ends {
                    let there = there.clone();
                    let server =
                        Server::start(move |_, request| match request.line.starts_with("GET ") {
                            true => answer(request, &there),
                            false => end(),
                        })
                        .await;
                    let ended =
                        keep_notice(setup(platform, &server, wanted(spot)), &notice()).await;
                    let error = ended.expect_err("nobody said so").to_string();
                    assert!(error.contains("not known whether"), "{error}");
                    assert_eq!(written_lines(&server).len(), 1, "{error}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end_and_one_that_is_cut_off_posts_nothing() {
    for platform in BOTH {
        for spot in SPOTS {
            let pages = |second: fn() -> Reply| {
                Server::start(move |_, request| {
                    let next = format!("{}&page=2", request.line.trim_start_matches("GET "));
                    match request.line.as_str() {
                        line if line == "GET /user" || !line.starts_with("GET ") => {
                            answer(request, &[])
                        }
                        line if line.contains("&page=2") => second(),
                        _ => Reply::json(&Value::from(vec![item(1, STRANGER, MARKER)]).to_string())
                            .header("link", format!("<{next}>; rel=\"next\"")),
                    }
                })
            };
            let server =
                pages(|| Reply::json(&Value::from(vec![item(30, OWN, MARKER)]).to_string())).await;
            let ended = keep(platform, spot, &server, &notice()).await;
            assert!(matches!(ended, Ok(Noted::Changed(_))), "{ended:?}");
            let broken: [fn() -> Reply; 5] = [
                || Reply::status(500),
                || Reply::status(404),
                || Reply::CutOff("[".to_owned()),
                || Reply::json("{}"),
                || Reply::json(r#"[{"id": "30"}]"#),
            ];
            for second in broken {
                let server = pages(second).await;
                let ended = keep(platform, spot, &server, &notice()).await;
                let error = ended.expect_err("half a list is none").to_string();
                assert!(error.contains("nothing was posted"), "{error}");
                assert!(written(&server).is_empty(), "{error}");
            }
        }
    }
}

/// A workflow's token may not ask as a person does.
async fn workflow(items: Vec<Value>, viewer: Value) -> Server {
    Server::start(move |_, request| match request.line.as_str() {
        "GET /user" => Reply::status(403),
        "POST /graphql" => Reply::json(&json!({"data": {"viewer": viewer}}).to_string()),
        _ => answer(request, &items),
    })
    .await
}

#[tokio::test]
async fn of_a_workflow_only_what_its_own_bot_posted_through_an_app_is_changed() {
    let bot = json!({"login": "github-actions[bot]", "databaseId": OWN});
    let by = |id: u64, author: u64, kind: &str, app: Value| {
        let mut item = item(id, author, MARKER);
        item["user"]["type"] = json!(kind);
        item["performed_via_github_app"] = app;
        item
    };
    let others = vec![
        by(1, STRANGER, "Bot", json!({"slug": "another"})),
        by(2, STRANGER, "User", json!({"slug": "another"})),
        by(3, OWN, "Bot", Value::Null),
        by(4, OWN, "User", json!({"slug": "github-actions"})),
    ];
    for spot in SPOTS {
        let server = workflow(others.clone(), bot.clone()).await;
        let ended = keep(Platform::Github, spot, &server, &notice()).await;
        assert!(matches!(ended, Ok(Noted::Made(_))), "{ended:?}");
        assert_eq!(written(&server)[0].0, address(Platform::Github, spot, None));

        let mut all = others.clone();
        all.push(by(5, OWN, "Bot", json!({"slug": "github-actions"})));
        let server = workflow(all, bot.clone()).await;
        let ended = keep(Platform::Github, spot, &server, &notice()).await;
        assert!(matches!(ended, Ok(Noted::Changed(_))), "{ended:?}");
        assert_eq!(
            written(&server)[0].0,
            address(Platform::Github, spot, Some(5))
        );
    }
}

#[tokio::test]
async fn where_nobody_says_whose_the_token_is_nothing_is_posted() {
    for viewer in [Value::Null, json!({}), json!({"login": "x[bot]"})] {
        let server = workflow(Vec::new(), viewer).await;
        let ended = keep(Platform::Github, Spot::Change(42), &server, &notice()).await;
        let error = ended.expect_err("it is nobody's").to_string();
        assert!(error.contains("whose the token is"), "{error}");
        assert!(written(&server).is_empty());
    }
    for platform in BOTH {
        let server = Server::start(|_, _| Reply::json("{}")).await;
        let ended = keep(platform, Spot::Change(42), &server, &notice()).await;
        let error = ended.expect_err("it is nobody's").to_string();
        assert!(error.contains("whose the token is"), "{error}");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_pull_request_with_the_marker_in_its_text_is_not_the_issue() {
    let mut pull = item(30, OWN, MARKER);
    pull["pull_request"] = json!({"url": "https://forge.test/pulls/30"});
    let server = with(vec![pull]).await;
    let ended = keep(Platform::Github, Spot::Issue, &server, &notice()).await;
    assert!(matches!(ended, Ok(Noted::Made(_))), "{ended:?}");
}
