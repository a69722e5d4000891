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
    self, Answer, Call, GraphqlAnswer, Listing, NoAnswer, Tag, Token, Transport, TransportError,
    TransportErrorKind,
};

/// A client for one API with one token.
#[derive(Clone)]
pub(super) struct Client {
    inner: Arc<Inner>,
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
        })
    }

    /// One GET. `Ok` only for 2xx.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        self.get_at(path, 0).await
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

    /// One GraphQL query. `Ok` for every 2xx that is a GraphQL answer, with data and errors.
    pub(super) async fn graphql(
        &self,
        operation: &str,
        query: &str,
        variables: Value,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        let tag = Tag {
            operation: Some(operation.to_owned()),
            depth: 0,
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
        let tag = Tag {
            operation: None,
            depth,
        };
        let answer = self.execute(Method::GET, &url, None, tag).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(NoAnswer::Status(answer))
        }
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
/// says that there is more than was given.
fn next_page(page: &transport::Page<'_>, api: &Url) -> Result<Option<String>, String> {
    if let Some(path) = transport::link_next(page.answer, api)? {
        return Ok(Some(path));
    }
    let collected = u64::try_from(page.collected).unwrap_or(u64::MAX);
    if page.items > 0 && page.total.is_some_and(|total| total > collected) {
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
