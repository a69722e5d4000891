//! One HTTP client under both crates, and one policy for every request. (stub)

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::facts::{Recorded, Requests, Source};
use serde::de::DeserializeOwned;
use url::Url;

/// A token. It has no readable `Debug` or `Display`, and leaves only in a header.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Limits of the transport.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests under way at once.
    pub in_flight: usize,
    /// Cap on the whole time, waiting included.
    pub total: Duration,
    /// Tries of one request.
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 16,
            total: Duration::from_secs(60),
            attempts: 4,
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug)]
pub enum TransportErrorKind {
    /// Anything.
    Other,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct TransportError {
    /// Which request.
    pub endpoint: String,
    /// Its last status.
    pub status: Option<u16>,
    /// What kind.
    pub kind: TransportErrorKind,
    /// In words.
    pub detail: String,
}

#[derive(Clone)]
pub(crate) struct Transport(Arc<Inner>);
struct Inner {
    http: reqwest::Client,
    state: Mutex<(u32, Requests, Option<jiff::Timestamp>)>,
    base: String,
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: bytes::Bytes,
    pub(crate) endpoint: String,
    pub(crate) source: Source,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|e| e.to_string())
    }
    pub(crate) fn message(&self) -> String {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&self.body) else {
            return String::from_utf8_lossy(&self.body)
                .chars()
                .take(200)
                .collect();
        };
        value
            .get("message")
            .or_else(|| value.get("error"))
            .and_then(|m| m.as_str())
            .unwrap_or_default()
            .to_owned()
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}

pub(crate) struct Listing {
    pub(crate) items: Vec<serde_json::Value>,
    pub(crate) sources: Vec<Source>,
    pub(crate) endpoint: String,
}

pub(crate) enum NoAnswer {
    Status(Answer),
    Transport(TransportError),
}

pub(crate) struct GraphqlError {
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
    pub(crate) path: Vec<String>,
}
pub(crate) struct GraphqlAnswer {
    pub(crate) status: u16,
    pub(crate) data: Option<serde_json::Value>,
    pub(crate) errors: Vec<GraphqlError>,
    pub(crate) source: Source,
    pub(crate) endpoint: String,
    pub(crate) points: Option<u32>,
}

impl Transport {
    pub(crate) fn new(
        _ca: Option<&[u8]>,
        _limits: Limits,
        agent: &str,
        api: &Url,
    ) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self(Arc::new(Inner {
            http: reqwest::Client::builder().user_agent(agent).build()?,
            state: Mutex::new((0, Requests::default(), None)),
            base: api.as_str().trim_end_matches('/').to_owned(),
        })))
    }
    pub(crate) fn begin_wave(&self) {
        let mut state = self.0.state.lock().expect("stub");
        state.0 += 1;
        state.1.waves = state.0;
    }
    pub(crate) fn requests(&self) -> Requests {
        self.0.state.lock().expect("stub").1.clone()
    }
    pub(crate) fn platform_time(&self) -> Option<jiff::Timestamp> {
        self.0.state.lock().expect("stub").2
    }
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        token: &Token,
        body: Option<String>,
    ) -> Result<Answer, NoAnswer> {
        let path = url.strip_prefix(&self.0.base).unwrap_or(url).to_owned();
        let request = if method == "POST" {
            self.0.http.post(url)
        } else {
            self.0.http.get(url)
        };
        let header = if token.expose().starts_with("glcbt-") {
            "JOB-TOKEN"
        } else {
            "PRIVATE-TOKEN"
        };
        let mut request = request.header(header, token.expose());
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let endpoint = format!("{method} {path}");
        let fail = |e: reqwest::Error| {
            NoAnswer::Transport(TransportError {
                endpoint: endpoint.clone(),
                status: None,
                kind: TransportErrorKind::Other,
                detail: e.to_string(),
            })
        };
        let response = request.send().await.map_err(&fail)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(&fail)?;
        let digest = format!(
            "sha256:{}",
            hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&body))
        );
        let mut state = self.0.state.lock().expect("stub");
        let wave = state.0;
        state.1.count += 1;
        state.1.log.push(Recorded {
            method: method.to_owned(),
            path,
            status: Some(status),
            digest: digest.clone(),
            accepted_permissions: None,
            attempts: 1,
            wave,
        });
        drop(state);
        let answer = Answer {
            status,
            headers,
            body,
            source: Source {
                endpoint: endpoint.clone(),
                digest,
            },
            endpoint,
        };
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(NoAnswer::Status(answer))
        }
    }
}
