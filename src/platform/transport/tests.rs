//! The policy of the transport against a server that misbehaves.

use std::time::Duration;

use http::{HeaderMap, Method};

use super::testing::{Reply, Server, transport};
use super::*;

const SECRET: &str = "ghs_verysecret";

fn call(server: &Server, path: &str) -> Call {
    let mut headers = HeaderMap::new();
    let token = Token::new(SECRET.to_owned());
    headers.insert("authorization", token.header("Bearer ").unwrap());
    Call {
        method: Method::GET,
        url: under(&server.url, path).unwrap(),
        headers,
        body: Bytes::new(),
        tag: Tag::default(),
    }
}

fn query(server: &Server) -> Call {
    Call {
        method: Method::POST,
        body: Bytes::from_static(b"{}"),
        tag: Tag {
            operation: Some("repository".to_owned()),
            depth: 0,
            ..Tag::default()
        },
        ..call(server, "/graphql")
    }
}

async fn get(server: &Server, transport: &Transport) -> Result<Answer, TransportError> {
    transport.send(call(server, "/x?a=1")).await
}

#[tokio::test]
async fn refusals_pass_through_unchanged_and_are_asked_once() {
    for status in [401, 403, 404, 410, 422, 501] {
        let server = Server::start(move |_, _| Reply::status(status)).await;
        let transport = server.transport();
        let answer = get(&server, &transport).await.unwrap();
        assert_eq!(answer.status, status);
        assert!(!answer.is_success());
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_429_waits_as_long_as_asked_and_tries_again() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Full(
            429,
            vec![("retry-after", "2".to_owned())],
            "Retry later\n".to_owned(),
        ),
        _ => Reply::json("{}"),
    })
    .await;
    let transport = server.transport();
    assert_eq!(get(&server, &transport).await.unwrap().status, 200);
    let pauses = transport.pauses();
    assert_eq!(pauses.len(), 1);
    assert!(pauses[0] >= Duration::from_secs(2) && pauses[0] < Duration::from_secs(3));
    let requests = transport.requests();
    assert_eq!((requests.count, requests.log[0].attempts), (2, 2));
    assert_eq!(requests.log[0].status, Some(200));
}

#[tokio::test]
async fn a_403_with_an_exhausted_limit_is_not_taken_for_a_permission() {
    let server = Server::start(|number, _| match number {
        1 => Reply::status(403)
            .header("x-ratelimit-remaining", "0")
            .header("retry-after", "1"),
        _ => Reply::json("{}"),
    })
    .await;
    let transport = server.transport();
    assert_eq!(get(&server, &transport).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_retry_after_beyond_the_cap_fails_at_once_and_says_so() {
    let server = Server::start(|_, _| Reply::status(429).header("retry-after", "3600")).await;
    let transport = server.transport();
    let error = get(&server, &transport).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::RateLimited);
    assert_eq!(error.status, Some(429));
    assert!(
        error.detail.contains("waiting 3600 s") && error.detail.contains("cap of 60 s"),
        "{error}"
    );
    assert_eq!(server.count(), 1);
    assert!(transport.pauses().is_empty());
}

#[tokio::test]
async fn server_trouble_once_is_overcome() {
    for status in [500, 502, 503, 504] {
        let server = Server::start(move |number, _| match number {
            1 => Reply::status(status),
            _ => Reply::json("{}"),
        })
        .await;
        let transport = server.transport();
        assert_eq!(get(&server, &transport).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn server_trouble_for_ever_is_given_back_after_the_last_try() {
    let server = Server::start(|_, _| Reply::status(502)).await;
    let transport = server.transport();
    assert_eq!(get(&server, &transport).await.unwrap().status, 502);
    assert_eq!(server.count(), 4);
    assert_eq!(transport.pauses().len(), 3);
    assert_eq!(transport.requests().count, 4);
}

#[tokio::test]
async fn a_rate_limit_for_ever_is_an_error_after_the_last_try() {
    let server = Server::start(|_, _| Reply::status(429)).await;
    let transport = server.transport();
    let error = get(&server, &transport).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::RateLimited);
    assert!(error.detail.contains("after 4 tries"), "{error}");
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn a_body_that_is_cut_off_once_is_read_again_and_for_ever_is_an_error() {
    let once = Server::start(|number, _| match number {
        1 => Reply::CutOff("{\"a\"".to_owned()),
        _ => Reply::json("{}"),
    })
    .await;
    let transport = once.transport();
    assert_eq!(&get(&once, &transport).await.unwrap().body[..], b"{}");
    let ever = Server::start(|_, _| Reply::CutOff("{}".to_owned())).await;
    let transport = ever.transport();
    let error = get(&ever, &transport).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::BrokenBody);
    assert_eq!(error.status, Some(200));
    assert!(error.detail.contains("cut off"), "{error}");
    assert_eq!(transport.requests().log[0].digest, "");
}

#[tokio::test]
async fn a_dropped_connection_is_tried_again() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Drop,
        _ => Reply::json("{}"),
    })
    .await;
    assert_eq!(get(&server, &server.transport()).await.unwrap().status, 200);
}

#[tokio::test]
async fn no_server_at_all_is_an_error_after_the_last_try() {
    let server = Server::start(|_, _| Reply::Drop).await;
    let mut nowhere = call(&server, "/x");
    nowhere.url = Url::parse("http://127.0.0.1:1/x").unwrap();
    let transport = server.transport();
    let error = transport.send(nowhere).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Connect);
    assert_eq!(error.status, None);
    assert_eq!(transport.requests().log[0].attempts, 4);
}

#[tokio::test]
async fn a_gate_never_hangs() {
    let server = Server::start(|_, _| Reply::Stall).await;
    let limits = Limits {
        total: Duration::from_millis(60),
        ..Limits::default()
    };
    let transport = transport(&server.url, limits);
    let error = get(&server, &transport).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Timeout);
    assert!(error.detail.contains("is used up"), "{error}");
    let next = get(&server, &transport).await.unwrap_err();
    assert_eq!(
        next.kind,
        TransportErrorKind::Timeout,
        "the cap is on all requests together"
    );
    assert!(transport.requests().count >= 1);
}

#[tokio::test]
async fn a_redirect_to_another_host_is_an_error_and_the_token_stays_here() {
    let thief = Server::start(|_, _| Reply::json("{}")).await;
    for status in [301, 302, 307, 308] {
        let target = thief.url.join("/x?token=1").unwrap().to_string();
        let server =
            Server::start(move |_, _| Reply::status(status).header("location", target.clone()))
                .await;
        let error = get(&server, &server.transport()).await.unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Redirect);
        assert!(
            error
                .detail
                .contains(&thief.url.port().unwrap().to_string()),
            "{error}"
        );
        assert_eq!(server.count(), 1);
    }
    assert!(
        thief.received().is_empty(),
        "nothing may arrive at the other host"
    );
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_for_get_only() {
    let server = Server::start(|_, request| {
        if request.line.contains("/new") {
            Reply::json("{\"moved\":true}")
        } else {
            Reply::status(301).header("location", "/new/x")
        }
    })
    .await;
    let transport = server.transport();
    let answer = get(&server, &transport).await.unwrap();
    assert_eq!(&answer.body[..], b"{\"moved\":true}");
    assert_eq!(answer.endpoint, "GET /x?a=1");
    assert_eq!(transport.requests().count, 2, "each hop counts");
    assert!(
        server.received()[1]
            .head
            .contains("authorization: bearer ghs_verysecret")
    );
    let error = transport.send(query(&server)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Redirect);
}

#[tokio::test]
async fn redirects_without_end_are_an_error() {
    let server = Server::start(|_, _| Reply::status(302).header("location", "/x")).await;
    let error = get(&server, &server.transport()).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Redirect);
    assert_eq!(server.count(), 6);
    let nowhere = Server::start(|_, _| Reply::status(302)).await;
    let error = get(&nowhere, &nowhere.transport()).await.unwrap_err();
    assert!(error.detail.contains("no valid address"), "{error}");
}

#[tokio::test]
async fn never_more_than_fifty_six_requests_are_under_way() {
    let server = Server::start(|_, _| Reply::Stall).await;
    let transport = server.transport();
    let tasks: Vec<_> = (0..80)
        .map(|_| {
            let (transport, call) = (transport.clone(), call(&server, "/x"));
            tokio::spawn(async move { transport.send(call).await.map(|answer| answer.status) })
        })
        .collect();
    while server.count() < 56 {
        tokio::task::yield_now().await;
    }
    for _ in 0..5000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.count(), 56, "one more waits for a permit");
    for task in tasks {
        task.abort();
    }
}

#[tokio::test]
async fn a_rate_limit_inside_a_graphql_answer_is_tried_again() {
    let server = Server::start(|number, _| match number {
        1 => Reply::json(r#"{"errors":[{"type":"RATE_LIMITED","message":"x"}]}"#)
            .header("retry-after", "1"),
        _ => Reply::json(r#"{"data":{"rateLimit":{"cost":2}}}"#),
    })
    .await;
    let transport = server.transport();
    let answer = transport.send(query(&server)).await.unwrap();
    assert_eq!(answer.endpoint, "GraphQL repository");
    let requests = transport.requests();
    assert_eq!((requests.count, requests.graphql_points), (2, 2));
    assert_eq!(requests.log[0].path, "/graphql#repository");
    assert_eq!(requests.log[0].method, "POST");
}

#[tokio::test]
async fn the_record_has_path_digest_and_permissions_and_no_secret() {
    let server = Server::start(|_, _| {
        Reply::json("{}")
            .header("x-accepted-github-permissions", "contents=read")
            .header("date", "Sat, 21 Nov 2026 10:00:00 GMT")
    })
    .await;
    let transport = server.transport();
    transport.begin_wave();
    let sent = call(&server, "/x?a=1");
    assert!(!format!("{sent:?}").contains(SECRET));
    let answer = transport.send(sent).await.unwrap();
    assert!(!format!("{answer:?}").contains(SECRET));
    let requests = transport.requests();
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(
        requests.log,
        [crate::facts::Recorded {
            method: "GET".to_owned(),
            path: "/x?a=1".to_owned(),
            status: Some(200),
            digest: digest.to_owned(),
            accepted_permissions: Some("contents=read".to_owned()),
            attempts: 1,
            wave: 1,
        }]
    );
    assert_eq!(answer.source.digest, digest);
    assert_eq!(
        transport
            .platform_time()
            .map(|time| time.to_string())
            .as_deref(),
        Some("2026-11-21T10:00:00Z")
    );
}

#[tokio::test]
async fn no_error_shows_the_token_or_the_host() {
    let server = Server::start(|_, _| Reply::Drop).await;
    let error = get(&server, &server.transport()).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains(SECRET) && !text.contains("127.0.0.1"),
        "{text}"
    );
}

#[test]
fn addresses_that_would_come_out_as_others_are_refused() {
    let api = Url::parse("https://ghe.example/api/v3").unwrap();
    for bad in [
        "x",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a\\b",
        "/a b",
        "/a#b",
        "/a\n",
        "/ä",
    ] {
        let error = under(&api, bad).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Other, "{bad}");
    }
    let good = under(&api, "/repos/o/r/contents/a%2Fb?ref=x%23").unwrap();
    assert_eq!(
        good.as_str(),
        "https://ghe.example/api/v3/repos/o/r/contents/a%2Fb?ref=x%23"
    );
}
