//! One HTTP client under both crates, and one policy for every request.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::de::DeserializeOwned;
use sha2::Digest as _;
use url::Url;

use crate::facts::{Recorded, Requests, Source};

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

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// Anything.
    Other,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct TransportError {
    /// What was asked.
    pub endpoint: String,
    /// Status, if one came.
    pub status: Option<u16>,
    /// What kind.
    pub kind: TransportErrorKind,
    /// Details.
    pub detail: String,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.detail)
    }
}

#[derive(Default)]
struct Log {
    requests: Requests,
    wave: u32,
    time: Option<jiff::Timestamp>,
}

#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    log: Arc<Mutex<Log>>,
}

impl Transport {
    pub(crate) fn new(
        _ca_bundle: Option<&[u8]>,
        limits: Limits,
        user_agent: &str,
        _api: &Url,
    ) -> anyhow::Result<Self> {
        drop(rustls::crypto::ring::default_provider().install_default());
        Ok(Self {
            http: reqwest::Client::builder()
                .user_agent(user_agent)
                .timeout(limits.total)
                .build()?,
            log: Arc::default(),
        })
    }

    pub(crate) fn begin_wave(&self) {
        if let Ok(mut log) = self.log.lock() {
            log.wave += 1;
        }
    }

    pub(crate) fn requests(&self) -> Requests {
        self.log
            .lock()
            .map(|log| log.requests.clone())
            .unwrap_or_default()
    }

    pub(crate) fn platform_time(&self) -> Option<jiff::Timestamp> {
        self.log.lock().ok().and_then(|log| log.time)
    }

    pub(crate) async fn send(
        &self,
        request: reqwest::RequestBuilder,
        endpoint: &str,
    ) -> Result<Answer, NoAnswer> {
        let failed = |error: reqwest::Error| {
            NoAnswer::Transport(TransportError {
                endpoint: endpoint.to_owned(),
                status: None,
                kind: TransportErrorKind::Other,
                detail: error.to_string(),
            })
        };
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(failed)?;
        let digest = format!("sha256:{}", hex::encode(sha2::Sha256::digest(&body)));
        if let Ok(mut log) = self.log.lock() {
            let wave = log.wave;
            log.requests.count += 1;
            log.requests.waves = wave;
            log.time = log.time.or_else(|| {
                let date = headers.get("date")?.to_str().ok()?;
                jiff::fmt::rfc2822::parse(date)
                    .ok()
                    .map(|zoned| zoned.timestamp())
            });
            log.requests.log.push(Recorded {
                method: String::new(),
                path: endpoint.to_owned(),
                status: Some(status),
                digest: digest.clone(),
                accepted_permissions: None,
                attempts: 1,
                wave,
            });
        }
        Ok(Answer {
            status,
            headers,
            body,
            endpoint: endpoint.to_owned(),
            source: Source {
                endpoint: endpoint.to_owned(),
                digest,
            },
        })
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }
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
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }

    pub(crate) fn message(&self) -> String {
        self.json::<serde_json::Value>()
            .ok()
            .and_then(|value| value.get("message")?.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
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

#[derive(Clone)]
pub(crate) struct GraphqlError {
    pub(crate) message: String,
    pub(crate) kind: Option<String>,
    pub(crate) path: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct GraphqlAnswer {
    pub(crate) status: u16,
    pub(crate) data: Option<serde_json::Value>,
    pub(crate) errors: Vec<GraphqlError>,
    pub(crate) source: Source,
    pub(crate) endpoint: String,
    pub(crate) points: Option<u32>,
}
