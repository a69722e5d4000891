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

    /// Every page of a list that is no use when it is longer than `most`: then
    /// it is given up, and the error says so.
    pub(super) async fn get_at_most(&self, path: &str, most: usize) -> Result<Listing, NoAnswer> {
        transport::every_page(
            path,
            None,
            |page, depth| async move { self.get_at(&page, depth).await },
            |page| match next_page(page, &self.inner.api)? {
                Some(_) if page.collected >= most => Err(format!(
                    "the list has more than {most} entries; it was not read to its end"
                )),
                next => Ok(next),
            },
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
                ..Tag::default()
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

    /// One POST with a JSON body.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, NoAnswer> {
        self.write(Method::POST, path, body).await
    }

    /// One request with a JSON body. Makes or changes nothing on the platform but the comment
    /// that a person asked for by hand, and the notice of overrides.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer, NoAnswer> {
        let mut headers = self.inner.rest_headers.clone();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let call = Call {
            method,
            url: transport::under(&self.inner.api, path)?,
            headers,
            body: body.to_string().into(),
            tag: Tag::default(),
        };
        let answer = self.inner.transport.send(call).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(NoAnswer::Status(answer))
        }
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
        let (parts, body) = request
            .body(body)
            .map_err(|error| unusable(&error))?
            .into_parts();
        let mut headers = parts.headers;
        headers.extend(self.inner.rest_headers.clone());
        let mut url: Url = parts.uri.to_string().parse()?;
        if url.query() == Some("") {
            // The crate leaves a bare question mark behind.
            url.set_query(None);
        }
        let call = Call {
            method: parts.method,
            url,
            headers,
            body: body.into(),
            tag: Tag {
                operation: None,
                depth: self.depth,
                ..Tag::default()
            },
        };
        let outcome = self.inner.transport.send(call).await;
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
        let answer = outcome.map_err(ApiError::client)?;
        let mut response = Response::builder()
            .status(answer.status)
            .body(answer.body)
            .map_err(|error| unusable(&error))?;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

fn unusable(error: &http::Error) -> ApiError<TransportError> {
    ApiError::client(TransportError::new(
        "GET",
        TransportErrorKind::Other,
        format!("the request cannot be made: {error}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::super::context::Wanted;
    use super::super::super::transport::Limits;
    use super::super::super::transport::testing::{self, Reply, Server};
    use super::*;

    fn client(server: &Server, token: &Token) -> Client {
        let place = Place {
            platform: crate::facts::Platform::Gitlab,
            api: server.url.join("/gitlab/api/v4").unwrap(),
            graphql: server.url.join("/gitlab/api/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Commit {
                sha: None,
                branch: None,
                before: None,
            },
            train: None,
            run_url: None,
        };
        let transport = testing::transport(&place.api, Limits::default());
        Client::new(&place, token, &transport).unwrap()
    }

    fn personal(server: &Server) -> Client {
        client(server, &Token::new("glpat-verysecret".to_owned()))
    }

    #[tokio::test]
    async fn the_header_fits_the_token_and_nobody_is_asked_first() {
        for (token, header) in [
            (Token::new("glpat-x".to_owned()), "private-token: glpat-x"),
            (Token::new("glcbt-x".to_owned()), "job-token: glcbt-x"),
            (Token::job("64_x".to_owned()), "job-token: 64_x"),
        ] {
            let server = Server::start(|_, _| Reply::json("{}")).await;
            let answer = client(&server, &token)
                .get("/projects/acme%2Fapp?a=b")
                .await
                .unwrap();
            assert_eq!(answer.endpoint, "GET /projects/acme%2Fapp?a=b");
            assert_eq!(server.count(), 1);
            let request = &server.received()[0];
            assert_eq!(request.line, "GET /gitlab/api/v4/projects/acme%2Fapp?a=b");
            assert!(request.head.contains(header), "{}", request.head);
            assert_eq!(
                request.head.matches("-token:").count(),
                1,
                "{}",
                request.head
            );
        }
    }

    #[tokio::test]
    async fn refusals_and_odd_bodies_come_back_whole() {
        let server = Server::start(|_, _| {
            Reply::Full(404, vec![("x-a", "b".to_owned())], "<html>".to_owned())
        })
        .await;
        match personal(&server).get("/x").await {
            Err(NoAnswer::Status(answer)) => {
                assert_eq!((answer.status, answer.header("x-a")), (404, Some("b")));
                assert_eq!(answer.message(), "<html>");
            }
            other => panic!("{other:?}"),
        }
        let server = Server::start(|_, _| Reply::json("null")).await;
        let answer = personal(&server).get("/x").await.unwrap();
        assert_eq!(answer.endpoint, "GET /x");
        assert_eq!(answer.json::<Option<u8>>(), Ok(None));
    }

    #[tokio::test]
    async fn pages_are_joined_by_number_and_by_link() {
        let server = Server::start(|number, _| match number {
            1 => Reply::json("[1]").header("x-next-page", "2"),
            2 => Reply::json("[2]").header(
                "link",
                "</gitlab/api/v4/x?cursor=c&per_page=100>; rel=\"next\"",
            ),
            _ => Reply::json("[3]").header("x-next-page", ""),
        })
        .await;
        let listing = personal(&server)
            .get_all("/x?order=asc", None)
            .await
            .unwrap();
        assert_eq!(listing.items, [json!(1), json!(2), json!(3)]);
        let lines: Vec<_> = server
            .received()
            .into_iter()
            .map(|request| request.line)
            .collect();
        assert_eq!(
            lines,
            [
                "GET /gitlab/api/v4/x?order=asc&per_page=100",
                "GET /gitlab/api/v4/x?order=asc&per_page=100&page=2",
                "GET /gitlab/api/v4/x?cursor=c&per_page=100"
            ]
        );
    }

    #[tokio::test]
    async fn a_full_page_that_says_nothing_about_the_next_is_not_taken_for_the_last() {
        let full = json!(vec![1; 100]).to_string();
        let server = Server::start(move |number, _| match number {
            1 => Reply::json(&full),
            _ => Reply::json("[2]"),
        })
        .await;
        let listing = personal(&server).get_all("/x", None).await.unwrap();
        assert_eq!(listing.items.len(), 101);
    }

    #[tokio::test]
    async fn a_page_loop_is_an_error() {
        for next in ["1", "0", "many"] {
            let server =
                Server::start(move |_, _| Reply::json("[1]").header("x-next-page", next)).await;
            let looped = personal(&server).get_all("/x", None).await;
            assert!(
                matches!(&looped, Err(NoAnswer::Transport(error)) if error.kind == TransportErrorKind::PageLoop),
                "{looped:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_plain_text_429_is_waited_for() {
        let server = Server::start(|number, _| match number {
            1 => Reply::Full(
                429,
                vec![("retry-after", "1".to_owned())],
                "Retry later\n".to_owned(),
            ),
            _ => Reply::json("{}"),
        })
        .await;
        assert!(personal(&server).get("/x").await.is_ok());
    }

    #[tokio::test]
    async fn graphql_keeps_data_and_errors() {
        let server =
            Server::start(|_, _| Reply::json(r#"{"data":{"a":1},"errors":[{"message":"no"}]}"#))
                .await;
        let answer = personal(&server)
            .graphql("project", "{a}", json!({}))
            .await
            .unwrap();
        assert_eq!(
            (answer.data, answer.errors.len()),
            (Some(json!({"a": 1})), 1)
        );
        let request = &server.received()[0];
        assert_eq!(request.line, "POST /gitlab/api/graphql");
        assert!(
            request
                .head
                .contains("authorization: bearer glpat-verysecret")
        );
    }
}
