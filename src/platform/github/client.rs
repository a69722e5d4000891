//! Raw requests to GitHub: octocrab on our one transport. Knows headers,
//! addresses and paging; not what any answer means. octocrab builds the requests
//! (and names the API version); its own retries, redirects and token forwarding
//! are not compiled in, so nothing gets past the transport's policy.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use serde_json::{Value, json};
use url::Url;

use super::super::context::Place;
use super::super::transport::{
    self, Answer, Call, GraphqlAnswer, Listing, NoAnswer, PER_PAGE, Tag, Token, Transport,
    TransportError, TransportErrorKind,
};
use super::fleet::Shelf;

/// A client for one API with one token.
#[derive(Clone)]
pub(super) struct Client {
    inner: Arc<Inner>,
    /// What was told about the other repositories of a run, if there are any.
    shelf: Option<Shelf>,
}

struct Inner {
    api: Url,
    graphql: Url,
    carrier: Carrier,
    /// Made at the first request: octocrab wants a running Tokio.
    octocrab: OnceLock<Octocrab>,
}

impl Client {
    pub(super) fn new(place: &Place, token: &Token, transport: &Transport) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, token.header("Bearer ")?);
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/vnd.github+json"),
        );
        Ok(Self {
            inner: Arc::new(Inner {
                api: place.api.clone(),
                graphql: place.graphql.clone(),
                carrier: Carrier {
                    transport: transport.clone(),
                    headers,
                },
                octocrab: OnceLock::new(),
            }),
            shelf: None,
        })
    }

    /// The client that uses what is kept there, and keeps there what others can use.
    pub(super) fn set_shelf(&mut self, shelf: &Shelf) {
        self.shelf = Some(shelf.clone());
    }

    /// One GET. `Ok` only for 2xx.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.get_at(path, 0).await
    }

    /// One GET that had to wait for an answer of the same round.
    pub(super) async fn get_behind(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.get_at(path, 1).await
    }

    /// One GET that had to wait for answers which waited themselves.
    pub(super) async fn get_behind_pages(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.get_at(path, 2).await
    }

    /// Every page of a list that had to wait for an answer of the same round.
    pub(super) async fn get_all_behind(
        &self,
        path: &str,
        envelope: Option<&str>,
    ) -> Result<Listing, NoAnswer> {
        transport::every_page(
            path,
            envelope,
            |page, depth| async move { self.get_at(&page, depth.saturating_add(1)).await },
            |page| next_page(page, &self.inner.api),
        )
        .await
    }

    /// One POST with a JSON body.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.write(Method::POST, path, body).await
    }

    /// One request with a JSON body. Makes or changes nothing on the platform but an App's own
    /// token, the comment that a person asked for by hand, and the notice of overrides.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer, NoAnswer> {
        let url = transport::under(&self.inner.api, path)?;
        let answer = self
            .execute(method, &url, Some(body), Tag::default())
            .await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(NoAnswer::Status(answer))
        }
    }

    /// Every page of a list; `envelope` names the key it stands under, if any.
    pub(super) async fn get_all(
        &self,
        path: &str,
        envelope: Option<&str>,
    ) -> Result<Listing, NoAnswer> {
        transport::every_page(
            path,
            envelope,
            |page, depth| async move { self.get_at(&page, depth).await },
            |page| next_page(page, &self.inner.api),
        )
        .await
    }

    /// Every page of a list that stands above repositories: asked once in a run over
    /// several of them.
    pub(super) async fn get_all_shared(
        &self,
        path: &str,
        envelope: Option<&str>,
    ) -> Result<Listing, NoAnswer> {
        match &self.shelf {
            Some(shelf) => {
                let list = shelf.list(path);
                let got = list.get_or_init(|| self.get_all(path, envelope)).await;
                got.clone()
            }
            None => self.get_all(path, envelope).await,
        }
    }

    /// One GraphQL query, or the one mutation there is (`committing.rs`). `Ok` for every 2xx that is a
    /// GraphQL answer, with data and errors.
    pub(super) async fn graphql(
        &self,
        operation: &str,
        query: &str,
        variables: Value,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        self.graphql_at(operation, query, variables, 0).await
    }

    /// One GraphQL query that had to wait for an answer of the same round.
    pub(super) async fn graphql_behind(
        &self,
        operation: &str,
        query: &str,
        variables: Value,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        self.graphql_at(operation, query, variables, 1).await
    }

    /// One GraphQL query that had to wait for `depth` answers of the same round.
    pub(super) async fn graphql_at(
        &self,
        operation: &str,
        query: &str,
        variables: Value,
        depth: u32,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        let ready = self.shelf.as_ref();
        if let Some(answer) = ready.and_then(|shelf| shelf.take(query, &variables)) {
            return Ok(answer);
        }
        let tag = Tag {
            operation: Some(operation.to_owned()),
            depth,
            ..Tag::default()
        };
        let body = json!({ "query": query, "variables": variables });
        let answer = self
            .execute(Method::POST, &self.inner.graphql, Some(&body), tag)
            .await?;
        if !answer.is_success() {
            return Err(NoAnswer::Status(answer));
        }
        GraphqlAnswer::read(&answer).map_err(|detail| {
            TransportError::new(&answer.endpoint, TransportErrorKind::Shape, detail)
                .with_status(Some(answer.status))
                .into()
        })
    }

    async fn get_at(&self, path: &str, depth: u32) -> Result<Answer, NoAnswer> {
        let url = transport::under(&self.inner.api, path)?;
        let shelf = self.shelf.as_ref();
        if let Some(refusal) = shelf.and_then(|shelf| shelf.not_offered(path)) {
            return Err(NoAnswer::Status(refusal));
        }
        let tag = Tag {
            operation: None,
            depth,
            ..Tag::default()
        };
        let answer = self.execute(Method::GET, &url, None, tag).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        if let Some(shelf) = shelf {
            shelf.keep_refusal(path, &answer);
        }
        Err(NoAnswer::Status(answer))
    }

    async fn execute(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        tag: Tag,
    ) -> Result<Answer, TransportError> {
        let endpoint = format!(
            "{method} {}",
            self.inner.carrier.transport.recorded_path(url)
        );
        let fail = |kind, detail: String| TransportError::new(&endpoint, kind, detail);
        let uri: Uri = url.as_str().parse().map_err(|_| {
            fail(
                TransportErrorKind::Other,
                "the address is not valid".to_owned(),
            )
        })?;
        let octocrab = self.inner.octocrab();
        let mut request = octocrab
            .build_request(Request::builder().method(method).uri(uri), body)
            .map_err(|error| fail(TransportErrorKind::Other, error.to_string()))?;
        request.extensions_mut().insert(tag);
        let mut response = octocrab
            .execute(request)
            .await
            .map_err(|error| fail(TransportErrorKind::Other, error.to_string()))?;
        response.extensions_mut().remove::<Outcome>().map_or_else(
            || {
                Err(fail(
                    TransportErrorKind::Other,
                    "the answer was lost".to_owned(),
                ))
            },
            |outcome| outcome.0,
        )
    }
}

impl Inner {
    fn octocrab(&self) -> &Octocrab {
        self.octocrab.get_or_init(|| {
            let built: Result<Octocrab, Infallible> = OctocrabBuilder::new_empty()
                .with_service(self.carrier.clone())
                .with_auth(AuthState::None)
                .build();
            match built {
                Ok(octocrab) => octocrab,
                Err(never) => match never {},
            }
        })
    }
}

/// The page behind one: the link if there is one; else by number if the envelope
/// says that there is more than was given, or the page is full and no link was
/// sent at all (something on the way may have dropped it).
fn next_page(page: &transport::Page<'_>, api: &Url) -> Result<Option<String>, String> {
    if let Some(path) = transport::link_next(page.answer, api)? {
        return Ok(Some(path));
    }
    let collected = u64::try_from(page.collected).unwrap_or(u64::MAX);
    let silent = page.total.is_none() && !page.answer.headers.contains_key(header::LINK);
    let full = silent && page.items >= PER_PAGE;
    if full || page.items > 0 && page.total.is_some_and(|total| total > collected) {
        let number: u64 = transport::parameter(page.path, "page")
            .and_then(|number| number.parse().ok())
            .unwrap_or(1);
        let next = number.saturating_add(1).to_string();
        return Ok(Some(transport::with_parameter(page.path, "page", &next)));
    }
    Ok(None)
}

/// The transport as the service under octocrab. It adds the token itself, so the
/// token never lies in octocrab and goes nowhere but to the transport.
#[derive(Clone)]
struct Carrier {
    transport: Transport,
    headers: HeaderMap,
}

/// What the transport gave back, carried through octocrab in the response.
#[derive(Clone)]
struct Outcome(Result<Answer, TransportError>);

impl tower::Service<Request<OctoBody>> for Carrier {
    type Response = Response<Full<Bytes>>;
    type Error = octocrab::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        let carrier = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let outcome = match Url::parse(&parts.uri.to_string()) {
                Ok(url) => {
                    let mut headers = parts.headers;
                    headers.remove(header::CONTENT_LENGTH);
                    headers.remove(HeaderName::from_static("host"));
                    headers.extend(carrier.headers.clone());
                    let call = Call {
                        method: parts.method,
                        url,
                        headers,
                        body,
                        tag: parts.extensions.remove().unwrap_or_default(),
                    };
                    carrier.transport.send(call).await
                }
                Err(_) => Err(TransportError::new(
                    parts.method.as_str(),
                    TransportErrorKind::Other,
                    "the address is not valid",
                )),
            };
            let mut response = Response::new(Full::new(Bytes::new()));
            response.extensions_mut().insert(Outcome(outcome));
            Ok(response)
        })
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::platform::context::Wanted;
    use crate::platform::transport::testing::{Server, transport};
    use crate::platform::transport::{Limits, Token};

    /// A client that asks the server.
    pub(in super::super) fn client(server: &Server) -> (Client, Transport) {
        let place = Place {
            platform: crate::facts::Platform::Github,
            api: server.url.join("/api/v3").unwrap(),
            graphql: server.url.join("/api/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Commit {
                sha: None,
                branch: None,
                before: None,
            },
            train: None,
            run_url: None,
        };
        let transport = transport(&place.api, Limits::default());
        let token = Token::new("ghs_verysecret".to_owned());
        (Client::new(&place, &token, &transport).unwrap(), transport)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::transport::testing::{Reply, Server};
    use super::testing::client;
    use super::*;

    #[test]
    fn a_client_needs_no_runtime_to_be_made() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(Server::start(|_, _| Reply::json("{}")));
        let (client, _) = client(&server);
        assert!(runtime.block_on(client.get("/x")).is_ok());
    }

    #[tokio::test]
    async fn a_full_page_without_any_link_is_not_taken_for_the_last_one() {
        let full = format!("[{}]", vec!["{}"; PER_PAGE].join(","));
        let server =
            Server::start(move |number, _| Reply::json(if number == 1 { &full } else { "[{}]" }))
                .await;
        let listing = client(&server).0.get_all("/x", None).await.unwrap();
        assert_eq!(listing.items.len(), PER_PAGE + 1);
        assert_eq!(server.count(), 2);
    }

    #[tokio::test]
    async fn each_header_that_github_wants_is_sent_once() {
        let server = Server::start(|_, _| Reply::json("{}")).await;
        let (client, transport) = client(&server);
        let answer = client
            .get("/repos/acme/app/branches/feat%2Fx%231?a=b")
            .await
            .unwrap();
        assert_eq!(
            answer.endpoint,
            "GET /repos/acme/app/branches/feat%2Fx%231?a=b"
        );
        let request = &server.received()[0];
        assert_eq!(
            request.line,
            "GET /api/v3/repos/acme/app/branches/feat%2Fx%231?a=b"
        );
        for line in [
            "authorization: bearer ghs_verysecret",
            "accept: application/vnd.github+json",
            "x-github-api-version: 2022-11-28",
            "user-agent: ccgate/test",
            "accept-encoding: gzip",
        ] {
            let name = format!("\n{}:", line.split(':').next().unwrap());
            assert!(request.head.contains(line), "{}", request.head);
            assert_eq!(request.head.matches(&name).count(), 1, "{}", request.head);
        }
        assert_eq!(
            transport.requests().log[0].path,
            "/repos/acme/app/branches/feat%2Fx%231?a=b"
        );
    }

    #[tokio::test]
    async fn pages_are_joined_along_links_in_the_repositories_form() {
        let server = Server::start(|number, _| match number {
            1 => Reply::json("[1,2]").header(
                "link",
                r#"</api/v3/repositories/5/x?per_page=100&page=2>; rel="next""#,
            ),
            _ => Reply::json("[3]"),
        })
        .await;
        let (client, transport) = client(&server);
        transport.begin_wave();
        let listing = client.get_all("/repos/acme/app/x", None).await.unwrap();
        assert_eq!(listing.items, [json!(1), json!(2), json!(3)]);
        assert_eq!(listing.sources.len(), 2);
        assert_eq!(listing.endpoint, "GET /repos/acme/app/x");
        let lines: Vec<_> = server
            .received()
            .into_iter()
            .map(|request| request.line)
            .collect();
        assert_eq!(
            lines,
            [
                "GET /api/v3/repos/acme/app/x?per_page=100",
                "GET /api/v3/repositories/5/x?per_page=100&page=2"
            ]
        );
        assert_eq!(transport.requests().waves, 2);
    }

    #[tokio::test]
    async fn an_envelope_that_promises_more_than_it_gave_is_asked_for_the_rest() {
        let server = Server::start(|number, _| match number {
            1 => Reply::json(r#"{"total_count":3,"check_runs":[1,2]}"#),
            _ => Reply::json(r#"{"total_count":3,"check_runs":[3]}"#),
        })
        .await;
        let (client, _) = client(&server);
        let listing = client.get_all("/x", Some("check_runs")).await.unwrap();
        assert_eq!(listing.items.len(), 3);
        assert_eq!(
            server.received()[1].line,
            "GET /api/v3/x?per_page=100&page=2"
        );
    }

    async fn listing_error(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> String {
        let server = Server::start(move |number, _| reply(number)).await;
        let (client, _) = client(&server);
        match client.get_all("/x", None).await {
            Err(NoAnswer::Transport(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_read_to_its_end_is_an_error() {
        let next = |page: usize| format!("</api/v3/x?page={page}>; rel=\"next\"");
        let back = listing_error(move |number| {
            Reply::json(&format!("[{number}]")).header("link", next(number % 2))
        })
        .await;
        assert!(back.contains("points back"), "{back}");
        let same =
            listing_error(move |number| Reply::json("[1]").header("link", next(number))).await;
        assert!(same.contains("identical"), "{same}");
        let away = listing_error(|_| {
            Reply::json("[1]").header("link", "<https://evil.example/x?page=2>; rel=\"next\"")
        })
        .await;
        assert!(away.contains("`https://evil.example`"), "{away}");
        assert!(
            listing_error(|_| Reply::json("{}"))
                .await
                .contains("is no list")
        );
        assert!(
            listing_error(|_| Reply::json("[1,"))
                .await
                .contains("ends too early")
        );
    }

    #[tokio::test]
    async fn a_refusal_on_a_later_page_is_a_refusal_of_the_list() {
        let server = Server::start(|number, _| match number {
            1 => Reply::json("[1]").header("link", "</api/v3/x?page=2>; rel=\"next\""),
            _ => Reply::status(403),
        })
        .await;
        let (client, _) = client(&server);
        let refused = client.get_all("/x", None).await;
        assert!(matches!(refused, Err(NoAnswer::Status(answer)) if answer.status == 403));
    }

    #[tokio::test]
    async fn graphql_goes_to_its_own_address_and_keeps_data_and_errors() {
        let server = Server::start(|_, _| {
            Reply::json(r#"{"data":{"a":1},"errors":[{"type":"FORBIDDEN","message":"no"}]}"#)
        })
        .await;
        let (client, transport) = client(&server);
        let answer = client
            .graphql("repository", "{a}", json!({"n": 1}))
            .await
            .unwrap();
        assert_eq!(answer.data, Some(json!({"a": 1})));
        assert_eq!(answer.errors[0].kind.as_deref(), Some("FORBIDDEN"));
        let request = &server.received()[0];
        assert_eq!(request.line, "POST /api/graphql");
        assert!(
            request.body.contains(r#""variables":{"n":1}"#),
            "{}",
            request.body
        );
        assert_eq!(transport.requests().log[0].path, "/graphql#repository");
    }
}
