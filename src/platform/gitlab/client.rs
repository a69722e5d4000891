//! Raw requests to GitLab: the gitlab crate's client traits over our one
//! transport, without the crate's own client (which asks who it is before every
//! run, and cannot be told how long to wait). Knows headers, addresses and
//! paging; not what any answer means.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use gitlab::api::{ApiError, AsyncClient, AsyncQuery as _, Endpoint, RestClient, UrlBase};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use serde_json::{Value, json};
use url::Url;

use super::super::context::Place;
use super::super::transport::{
    self, Answer, Call, GraphqlAnswer, Listing, NoAnswer, PER_PAGE, Tag, Token, Transport,
    TransportError, TransportErrorKind,
};

/// A client for one API with one token.
#[derive(Clone)]
pub(super) struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    api: Url,
    graphql: Url,
    transport: Transport,
    rest_headers: HeaderMap,
    graphql_headers: HeaderMap,
}

impl Client {
    pub(super) fn new(place: &Place, token: &Token, transport: &Transport) -> anyhow::Result<Self> {
        let accept = HeaderValue::from_static("application/json");
        let mut rest_headers = HeaderMap::new();
        let name = if token.is_job() {
            "job-token"
        } else {
            "private-token"
        };
        rest_headers.insert(HeaderName::from_static(name), token.header("")?);
        rest_headers.insert(header::ACCEPT, accept.clone());
        let mut graphql_headers = HeaderMap::new();
        // A job token may not use GraphQL; it is sent where GitLab looks for it, and refused there.
        if token.is_job() {
            graphql_headers = rest_headers.clone();
        } else {
            graphql_headers.insert(header::AUTHORIZATION, token.header("Bearer ")?);
            graphql_headers.insert(header::ACCEPT, accept);
        }
        graphql_headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Ok(Self {
            inner: Arc::new(Inner {
                api: place.api.clone(),
                graphql: place.graphql.clone(),
                transport: transport.clone(),
                rest_headers,
                graphql_headers,
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
        let body = json!({ "query": query, "variables": variables });
        let call = Call {
            method: Method::POST,
            url: self.inner.graphql.clone(),
            headers: self.inner.graphql_headers.clone(),
            body: body.to_string().into(),
            tag: Tag {
                operation: Some(operation.to_owned()),
                depth: 0,
            },
        };
        let answer = self.inner.transport.send(call).await?;
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
        // Refuses early what the crate would panic on.
        transport::under(&self.inner.api, path)?;
        let carrier = Carrier {
            inner: Arc::clone(&self.inner),
            depth,
            answer: Mutex::new(None),
        };
        let raw = gitlab::api::raw(Raw { path }).query_async(&carrier).await;
        let kept = carrier
            .answer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        // The crate's result says less than the answer itself, which is what counts.
        match (kept, raw) {
            (Some(Ok(answer)), _) if answer.is_success() => Ok(answer),
            (Some(Ok(answer)), _) => Err(NoAnswer::Status(answer)),
            (Some(Err(error)), _) => Err(NoAnswer::Transport(error)),
            (None, raw) => {
                let detail = match raw {
                    Ok(_) => "the answer was lost".to_owned(),
                    Err(error) => error.to_string(),
                };
                let endpoint = format!("GET {path}");
                Err(TransportError::new(endpoint, TransportErrorKind::Other, detail).into())
            }
        }
    }
}

/// The page behind one: by number, by link (keyset paging), or, where a server
/// says neither, the next number behind a full page.
fn next_page(page: &transport::Page<'_>, api: &Url) -> Result<Option<String>, String> {
    let numbered = |number: u64| {
        Some(transport::with_parameter(
            page.path,
            "page",
            &number.to_string(),
        ))
    };
    let current: u64 = transport::parameter(page.path, "page")
        .and_then(|number| number.parse().ok())
        .unwrap_or(1);
    let by_number = page.answer.header("x-next-page").map(str::trim);
    if let Some(text) = by_number.filter(|text| !text.is_empty()) {
        let next: u64 = text
            .parse()
            .map_err(|_| format!("the number of the next page is `{text}`, which is no number"))?;
        if next <= current {
            return Err(format!(
                "page {current} of the list names page {next} as the next one"
            ));
        }
        return Ok(numbered(next));
    }
    if let Some(path) = transport::link_next(page.answer, api)? {
        return Ok(Some(path));
    }
    let silent = by_number.is_none() && !page.answer.headers.contains_key(header::LINK);
    if silent && page.items >= PER_PAGE {
        return Ok(numbered(current.saturating_add(1)));
    }
    Ok(None)
}

/// A GET by its path, as an endpoint of the gitlab crate.
struct Raw<'a> {
    path: &'a str,
}

impl Endpoint for Raw<'_> {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.path.to_owned().into()
    }

    fn url_base(&self) -> UrlBase {
        UrlBase::ApiV4
    }
}

/// One request on its way through the gitlab crate. Keeps the whole answer,
/// because the crate hands on only its body.
struct Carrier {
    inner: Arc<Inner>,
    depth: u32,
    answer: Mutex<Option<Result<Answer, TransportError>>>,
}

impl RestClient for Carrier {
    type Error = TransportError;

    fn rest_endpoint(&self, endpoint: &str) -> Result<Url, ApiError<Self::Error>> {
        transport::under(&self.inner.api, endpoint).map_err(ApiError::client)
    }
}

#[async_trait]
impl AsyncClient for Carrier {
    async fn rest_async(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<Response<Bytes>, ApiError<Self::Error>> {
        let (parts, body) = request.body(body).map_err(unusable)?.into_parts();
        let mut headers = parts.headers;
        headers.extend(self.inner.rest_headers.clone());
        let call = Call {
            method: parts.method,
            url: parts.uri.to_string().parse()?,
            headers,
            body: body.into(),
            tag: Tag {
                operation: None,
                depth: self.depth,
            },
        };
        let outcome = self.inner.transport.send(call).await;
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
        let answer = outcome.map_err(ApiError::client)?;
        let mut response = Response::builder()
            .status(answer.status)
            .body(answer.body)
            .map_err(unusable)?;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

fn unusable(error: http::Error) -> ApiError<TransportError> {
    ApiError::client(TransportError::new(
        "GET",
        TransportErrorKind::Other,
        format!("the request cannot be made: {error}"),
    ))
}
