//! One HTTP client under both platforms, and one policy for every request: how
//! many at once, how long, how often again, which redirects, and a record of
//! each. It does not know what any answer means.

mod answer;
mod error;
mod paging;
mod policy;
mod recorder;
mod retry;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod token;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::{Host, Url};

pub(crate) use answer::{Answer, GraphqlAnswer, GraphqlError, Listing, NoAnswer};
pub use error::{TransportError, TransportErrorKind};
pub(crate) use paging::{PER_PAGE, Page, every_page, link_next, parameter, with_parameter};
#[cfg(feature = "s3")]
pub use tls::trust;
pub use token::Token;

/// Time for one connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time without a single byte.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

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
            // GitHub takes at most 100 at once, from all who use the token.
            in_flight: 56,
            total: super::DEFAULT_TOTAL,
            attempts: 4,
        }
    }
}

/// One request, ready to be sent as often as needed. Reads: GET, and GraphQL queries
/// by POST; beside them an App's own token, what `ccgate override` posts, and a ledger's commit.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub tag: Tag,
}

/// What the recorder wants to know about a request beyond its address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tag {
    /// Name of the GraphQL operation.
    pub operation: Option<String>,
    /// How many requests of the same list it waited for.
    pub depth: u32,
    /// Whether a redirect is the answer, and is not followed even on the same host.
    pub no_redirects: bool,
}

/// The one client. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Transport {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    limits: Limits,
    /// Path of the API's base, without trailing slash: left out of records.
    prefix: String,
    permits: Arc<Semaphore>,
    recorder: Arc<recorder::Recorder>,
    platform_time: OnceLock<Timestamp>,
    /// Headers of the first answer: they name the server.
    first_headers: OnceLock<HeaderMap>,
    /// Runs from the first request.
    deadline: Arc<OnceLock<Instant>>,
    /// Set by tests: pauses are written down here and not waited for.
    #[cfg(test)]
    pauses: Option<std::sync::Mutex<Vec<Duration>>>,
}

impl Transport {
    /// Builds the client; nothing is sent.
    pub(crate) fn new(
        ca_bundle: Option<&[u8]>,
        limits: Limits,
        user_agent: &str,
        api: &Url,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            shared: Arc::new(Shared {
                http: http(ca_bundle, user_agent, api)?,
                limits,
                prefix: prefix(api),
                permits: Arc::new(Semaphore::new(limits.in_flight.max(1))),
                recorder: Arc::default(),
                platform_time: OnceLock::new(),
                first_headers: OnceLock::new(),
                deadline: Arc::default(),
                #[cfg(test)]
                pauses: None,
            }),
        })
    }

    /// A transport to another host under the same policy: the same permits, the same
    /// deadline, the same record. That host's clock and headers are not the platform's.
    pub(crate) fn beside(
        &self,
        ca_bundle: Option<&[u8]>,
        user_agent: &str,
        api: &Url,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            shared: Arc::new(Shared {
                http: http(ca_bundle, user_agent, api)?,
                limits: self.shared.limits,
                prefix: prefix(api),
                permits: Arc::clone(&self.shared.permits),
                recorder: Arc::clone(&self.shared.recorder),
                platform_time: OnceLock::new(),
                first_headers: OnceLock::new(),
                deadline: Arc::clone(&self.shared.deadline),
                #[cfg(test)]
                pauses: None,
            }),
        })
    }

    /// Requests from here on belong to the next round.
    pub(crate) fn begin_wave(&self) {
        self.shared.recorder.begin_wave();
    }

    /// Everything is read again.
    pub(crate) fn begin_again(&self) {
        self.shared.recorder.begin_again();
    }

    /// What it cost so far.
    pub(crate) fn requests(&self) -> crate::facts::Requests {
        self.shared.recorder.requests()
    }

    /// The platform's clock at its first answer.
    pub(crate) fn platform_time(&self) -> Option<Timestamp> {
        self.shared.platform_time.get().copied()
    }

    /// Headers of the platform's first answer; `None` if there was none.
    pub(crate) fn first_headers(&self) -> Option<&HeaderMap> {
        self.shared.first_headers.get()
    }

    /// Sends a request under the one policy. `Ok` is any status that is worth
    /// no further try; success is for the caller to look at.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, TransportError> {
        self.shared.send(call).await
    }

    /// Lets time pass before something is asked again that the platform knows late.
    pub(crate) async fn pause(&self, pause: std::time::Duration) {
        self.shared.wait(pause).await;
    }

    /// The path of an address as it is recorded: without host and API prefix.
    pub(crate) fn recorded_path(&self, url: &Url) -> String {
        self.shared.recorded_path(url)
    }

    /// For tests: pauses are recorded and not waited for.
    #[cfg(test)]
    pub(crate) fn without_waiting(mut self) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.pauses = Some(std::sync::Mutex::default());
        }
        self
    }

    /// For tests: the pauses that would have been made.
    #[cfg(test)]
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        match &self.shared.pauses {
            Some(pauses) => pauses.lock().unwrap().clone(),
            None => Vec::new(),
        }
    }
}

/// The one way in which a client is set up: it follows no redirect and tries nothing again.
fn http(ca_bundle: Option<&[u8]>, user_agent: &str, api: &Url) -> anyhow::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::client_config(ca_bundle, api)?)
        .user_agent(user_agent)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .gzip(true);
    if is_loopback(api) {
        builder = builder.no_proxy();
    }
    builder.build().context("cannot set up the HTTP client")
}

/// What is left out of recorded paths.
fn prefix(api: &Url) -> String {
    api.path().trim_end_matches('/').to_owned()
}

/// Puts `path` (encoded, beginning with a slash) under the API's base. An address
/// that would come out as another one (dot segments, backslashes, fragments) is
/// refused: what was asked for is what must be sent and recorded.
pub(crate) fn under(api: &Url, path: &str) -> Result<Url, TransportError> {
    let refuse = |what: &str| {
        TransportError::new(
            format!("GET {path}"),
            TransportErrorKind::Other,
            format!("the address {what}; nothing was asked"),
        )
    };
    if !path.starts_with('/') {
        return Err(refuse("does not begin with a slash"));
    }
    let base = api.as_str().trim_end_matches('/');
    let wanted = format!("{base}{path}");
    let url = Url::parse(&wanted).map_err(|_| refuse("is not valid"))?;
    if url.as_str() != wanted || url.fragment().is_some() {
        return Err(refuse("holds characters that must be encoded"));
    }
    Ok(url)
}

/// Loopback is never behind a proxy.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
