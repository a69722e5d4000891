//! The HTTP side: routes over the model, on a thread of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::body::Bytes;
use axum::extract::{Path as AxumPath, Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::model::Organisation;
use super::{gitlab, graphql};

/// A running forge; stops when dropped.
pub struct Forge {
    address: SocketAddr,
    organisation: Arc<Mutex<Organisation>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Shared = Arc<Mutex<Organisation>>;

impl Forge {
    /// Starts serving on a free loopback port.
    pub fn start(organisation: Organisation) -> Self {
        let organisation = Arc::new(Mutex::new(organisation));
        let shared = Arc::clone(&organisation);
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
        listener
            .set_nonblocking(true)
            .expect("a listener can be asynchronous");
        let address = listener.local_addr().expect("a bound address");
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let served = axum::serve(listener, routes(shared)).with_graceful_shutdown(async {
                    // A dropped sender stops it too.
                    let _ = stopped.await;
                });
                served.await.expect("the forge serves");
            });
        });
        Self {
            address,
            organisation,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Base address of its REST API, as `GITHUB_API_URL` wants it.
    pub fn api(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Base address of its API in GitLab's words, as `CI_API_V4_URL` wants it.
    pub fn gitlab_api(&self) -> String {
        format!("http://{}/api/v4", self.address)
    }

    /// Changes the organisation while it is served.
    pub fn with<T>(&self, act: impl FnOnce(&mut Organisation) -> T) -> T {
        act(&mut self.organisation.lock().expect("nobody panicked inside"))
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn routes(shared: Shared) -> axum::Router {
    axum::Router::new()
        .route("/graphql", post(answer_graphql))
        .route("/repos/acme/payments/rules/branches/main", get(rules))
        .route("/repos/acme/payments/rulesets/1", get(ruleset))
        .route("/repos/acme/payments/branches", get(branches))
        .route("/repos/acme/payments/branches/main", get(branch))
        .route(
            "/repos/acme/payments/branches/main/protection",
            get(protection),
        )
        .route("/repos/acme/payments/activity", get(activity))
        .route(
            "/repos/acme/payments/issues/{number}/comments",
            post(commented),
        )
        .route("/repos/acme/payments/compare/{range}", get(compared))
        .route("/orgs/acme/teams/security/members", get(security_team))
        .route("/users/{login}", get(user))
        .route("/repos/acme/payments/actions/runs/{run}", get(run))
        .route(
            "/repos/acme/payments/actions/runs/{run}/approvals",
            get(run_approvals),
        )
        .route("/users/{login}/ssh_signing_keys", get(signing_keys))
        .route("/api/v4/{*rest}", get(answer_gitlab))
        .route("/api/graphql", post(answer_gitlab_graphql))
        .fallback(nothing)
        .with_state(shared)
}

async fn answer_graphql(State(shared): State<Shared>, body: Bytes) -> Response {
    let mut organisation = locked(&shared);
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut root = json!({
        "viewer": {"__typename": "User", "login": "ccgate-demo"},
        "repository": organisation.repository(),
        "rateLimit": {"cost": 1, "remaining": 4999},
    });
    organisation.named(&mut root);
    let query = request["query"].as_str().unwrap_or_default();
    let found = graphql::answer(query, &request["variables"], &root);
    let answered = send(&organisation, &found);
    if query.contains("CcgateOpen") && organisation.restless > 0 {
        organisation.restless -= 1;
        organisation.push(42, "lena", "Think again");
    }
    answered
}

async fn answer_gitlab(State(shared): State<Shared>, uri: Uri) -> Response {
    let organisation = locked(&shared);
    let path = uri.path().trim_start_matches("/api/v4");
    match gitlab::answer(&organisation, path, uri.query().unwrap_or_default()) {
        Some(gitlab::Found::Json(body)) => answer(&organisation, &body),
        Some(gitlab::Found::Text(text)) => {
            ([(header::DATE, date(&organisation))], text).into_response()
        }
        None => refusal(StatusCode::NOT_FOUND, "404 Not Found"),
    }
}

async fn answer_gitlab_graphql(State(shared): State<Shared>, body: Bytes) -> Response {
    let organisation = locked(&shared);
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let root = gitlab::root(&organisation, &request["variables"]);
    let query = request["query"].as_str().unwrap_or_default();
    let found = graphql::answer(query, &request["variables"], &root);
    send(&organisation, &found)
}

/// Whose token it is comments; a token that only reads does not.
async fn commented(
    State(shared): State<Shared>,
    AxumPath(number): AxumPath<u64>,
    body: Bytes,
) -> Response {
    let mut organisation = locked(&shared);
    let Some(writer) = organisation.writer.clone() else {
        let body = json!({"message": "Resource not accessible by personal access token"});
        return (StatusCode::FORBIDDEN, body.to_string()).into_response();
    };
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    organisation.comment(
        number,
        &writer,
        request["body"].as_str().unwrap_or_default(),
    );
    let posted = json!({
        "html_url": format!("https://forge.test/acme/payments/pull/{number}"),
        "user": {"login": writer, "type": "User"},
    });
    answer(&organisation, &posted)
}

async fn rules(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    answer(&organisation, &organisation.branch_rules())
}

async fn ruleset(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    answer(&organisation, &organisation.ruleset())
}

async fn branches(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    let protected = organisation.classic.is_some();
    answer(
        &organisation,
        &json!([{"name": "main", "protected": protected}]),
    )
}

async fn branch(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    let protected = organisation.classic.is_some();
    answer(
        &organisation,
        &json!({"name": "main", "protected": protected}),
    )
}

async fn protection(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    match &organisation.classic {
        Some(classic) => answer(&organisation, classic),
        None => refusal(StatusCode::NOT_FOUND, "Branch not protected"),
    }
}

async fn activity(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let organisation = locked(&shared);
    let entries = organisation.activity(query.get("ref").map(String::as_str));
    answer(&organisation, &entries)
}

async fn compared(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    answer(&organisation, &organisation.compared())
}

async fn security_team(State(shared): State<Shared>) -> Response {
    let organisation = locked(&shared);
    let members: Value = organisation
        .security_team
        .iter()
        .map(|login| json!({"login": login, "type": "User"}))
        .collect();
    answer(&organisation, &members)
}

/// The run is for the head of change 42.
async fn run(State(shared): State<Shared>, AxumPath(run): AxumPath<u64>) -> Response {
    let mut organisation = locked(&shared);
    let head = organisation.change(42).head().to_owned();
    answer(&organisation, &json!({"id": run, "head_sha": head}))
}

async fn run_approvals(State(shared): State<Shared>, AxumPath(run): AxumPath<u64>) -> Response {
    let organisation = locked(&shared);
    let approvals = organisation.run_approvals.iter();
    let approvals: Vec<Value> = approvals
        .filter(|(of, ..)| *of == run)
        .map(|(_, login, comment)| {
            json!({"state": "approved", "comment": comment,
                "environments": [{"id": 1, "name": "change-override"}],
                "user": {"login": login, "type": "User"}})
        })
        .collect();
    answer(&organisation, &Value::from(approvals))
}

async fn user(State(shared): State<Shared>, AxumPath(login): AxumPath<String>) -> Response {
    let organisation = locked(&shared);
    answer(&organisation, &json!({"login": login, "type": "User"}))
}

async fn signing_keys(State(shared): State<Shared>, AxumPath(login): AxumPath<String>) -> Response {
    let organisation = locked(&shared);
    let keys = organisation.signing_keys.iter();
    let keys: Vec<Value> = keys
        .filter(|(of, ..)| *of == login)
        .map(|(_, key, since)| json!({"id": 1, "key": key, "created_at": since}))
        .collect();
    answer(&organisation, &Value::from(keys))
}

async fn nothing(uri: Uri) -> Response {
    refusal(StatusCode::NOT_FOUND, &format!("Not Found: {}", uri.path()))
}

fn locked(shared: &Shared) -> std::sync::MutexGuard<'_, Organisation> {
    shared.lock().expect("nobody panicked inside")
}

/// The forge's own clock; the machine's would be added otherwise.
fn date(organisation: &Organisation) -> String {
    let now: jiff::Timestamp = organisation.now().parse().expect("the model's own time");
    jiff::fmt::rfc2822::to_string(&now.to_zoned(jiff::tz::TimeZone::UTC))
        .expect("a time of this century")
        .replace("+0000", "GMT")
}

/// A JSON answer in which every account is called as it is called now.
fn answer(organisation: &Organisation, body: &Value) -> Response {
    let mut body = body.clone();
    organisation.named(&mut body);
    send(organisation, &body)
}

/// A JSON answer with the forge's own clock in its `Date`.
fn send(organisation: &Organisation, body: &Value) -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (header::DATE, date(organisation)),
        ],
        body.to_string(),
    )
        .into_response()
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        json!({"message": message}).to_string(),
    )
        .into_response()
}
