//! The one policy for every request: permits, time, tries, redirects.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

use crate::facts::{Recorded, Source};

use super::answer::Answer;
use super::error::{TransportError, TransportErrorKind as Kind};
use super::retry::{self, Verdict};
use super::{Call, Shared, recorder};

/// Time for one try, its redirects included.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);
/// More than any real answer; a decompression bomb stops here.
const BODY_LIMIT: usize = 64 * 1024 * 1024;
/// Redirects followed in a row.
const REDIRECT_LIMIT: u32 = 5;

/// One answer as it came from the wire.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

/// One try without an answer.
struct Failure {
    kind: Kind,
    status: Option<u16>,
    detail: String,
    /// Whether another try may help.
    again: bool,
}

/// What was done so far, kept outside of what the deadline may cut off.
#[derive(Default)]
struct Progress {
    sent: u32,
    status: Option<u16>,
    last: Option<String>,
}

impl Shared {
    pub(super) async fn send(&self, call: Call) -> Result<Answer, TransportError> {
        let (endpoint, path) = match &call.tag.operation {
            // GraphQL has one address, which is written the same for every host.
            Some(operation) => (
                format!("GraphQL {operation}"),
                format!("/graphql#{operation}"),
            ),
            None => {
                let path = self.recorded_path(&call.url);
                (format!("{} {path}", call.method), path)
            }
        };
        let wave = self.recorder.wave(call.tag.depth);
        let deadline = *self
            .deadline
            .get_or_init(|| Instant::now() + self.limits.total);
        let mut progress = Progress::default();
        let outcome = timeout_at(
            deadline,
            self.tries(&call, &endpoint, deadline, &mut progress),
        )
        .await
        .unwrap_or_else(|_| {
            let last = progress
                .last
                .as_ref()
                .map_or(String::new(), |last| format!("; before that: {last}"));
            Err(TransportError::new(
                &endpoint,
                Kind::Timeout,
                format!(
                    "the time for all requests together ({}) is used up{last}",
                    show(self.limits.total)
                ),
            )
            .with_status(progress.status))
        });
        let digest = outcome
            .as_ref()
            .map_or_else(|_| String::new(), |(raw, _)| recorder::digest(&raw.body));
        if progress.sent > 0 {
            self.recorder.add(
                Recorded {
                    method: call.method.to_string(),
                    path,
                    status: progress.status,
                    digest: digest.clone(),
                    accepted_permissions: outcome.as_ref().ok().and_then(|(raw, _)| {
                        let value = raw.headers.get("x-accepted-github-permissions")?;
                        Some(value.to_str().ok()?.to_owned())
                    }),
                    attempts: progress.sent,
                    wave,
                },
                outcome.as_ref().map_or(0, |(_, points)| *points),
            );
        }
        let (raw, _) = outcome?;
        Ok(Answer {
            status: raw.status,
            headers: raw.headers,
            body: raw.body,
            source: Source {
                endpoint: endpoint.clone(),
                digest,
            },
            endpoint,
        })
    }

    pub(super) fn recorded_path(&self, url: &Url) -> String {
        let path = url.path();
        let path = path
            .strip_prefix(&self.prefix)
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path);
        match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// Tries until there is an answer, or no sense in another try.
    async fn tries(
        &self,
        call: &Call,
        endpoint: &str,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(Raw, u32), TransportError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = match timeout(TRY_TIMEOUT, self.one_try(call, progress)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Failure {
                    kind: Kind::Timeout,
                    status: None,
                    detail: format!("no answer within {}", show(TRY_TIMEOUT)),
                    again: true,
                }),
            };
            let last_try = attempt >= self.limits.attempts;
            let (kind, asked, said) = match outcome {
                Err(failure) if !failure.again || last_try => {
                    let detail = after(attempt, failure.detail);
                    return Err(TransportError::new(endpoint, failure.kind, detail)
                        .with_status(failure.status));
                }
                Err(failure) => (failure.kind, None, failure.detail),
                Ok(raw) => {
                    let glance = call
                        .tag
                        .operation
                        .as_ref()
                        .map(|_| retry::glance(&raw.body));
                    let limited = glance.as_ref().is_some_and(|glance| glance.limited);
                    let points = glance.map_or(0, |glance| glance.points);
                    match retry::judge(raw.status, &raw.headers, &raw.body, limited) {
                        Verdict::Keep => return Ok((raw, points)),
                        Verdict::Trouble(_) if last_try => return Ok((raw, points)),
                        Verdict::Trouble(asked) => {
                            let said = format!("the platform answered {}", raw.status);
                            (Kind::Timeout, asked, said)
                        }
                        Verdict::RateLimited(asked) => {
                            let said = format!("the platform's rate limit (status {})", raw.status);
                            if last_try {
                                let detail = format!("{}; try again later", after(attempt, said));
                                return Err(TransportError::new(
                                    endpoint,
                                    Kind::RateLimited,
                                    detail,
                                )
                                .with_status(progress.status));
                            }
                            (Kind::RateLimited, asked, said)
                        }
                    }
                }
            };
            let pause = match asked {
                // A little more than asked, so that all who wait do not come back at once.
                Some(asked) => asked.saturating_add(jitter(asked)),
                None => retry::own_pause(attempt),
            };
            let needed = asked.unwrap_or(pause);
            let left = deadline.saturating_duration_since(Instant::now());
            if needed >= left {
                let detail = format!(
                    "{said}; waiting {} for another try would pass the cap of {} on the whole \
                     collection, so it was not waited for; run the check again later",
                    show(needed),
                    show(self.limits.total)
                );
                return Err(
                    TransportError::new(endpoint, kind, detail).with_status(progress.status)
                );
            }
            progress.last = Some(said);
            self.wait(pause.min(left)).await;
        }
    }

    pub(super) async fn wait(&self, pause: Duration) {
        #[cfg(test)]
        if let Some(pauses) = &self.pauses {
            pauses.lock().unwrap().push(pause);
            return;
        }
        tokio::time::sleep(pause).await;
    }

    /// One try, with the redirects that may be followed. Holds a permit only while it works.
    async fn one_try(&self, call: &Call, progress: &mut Progress) -> Result<Raw, Failure> {
        let _permit = self.permits.acquire().await.map_err(|_| Failure {
            kind: Kind::Other,
            status: None,
            detail: "the transport was closed".to_owned(),
            again: false,
        })?;
        let mut url = call.url.clone();
        let mut hops = 0;
        loop {
            let raw = self.exchange(call, &url, progress).await?;
            if call.tag.no_redirects || !matches!(raw.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(raw);
            }
            let refuse = |detail: String| Failure {
                kind: Kind::Redirect,
                status: Some(raw.status),
                detail,
                again: false,
            };
            hops += 1;
            if hops > REDIRECT_LIMIT {
                return Err(refuse(format!(
                    "more than {REDIRECT_LIMIT} redirects in a row"
                )));
            }
            let target = raw
                .headers
                .get(http::header::LOCATION)
                .and_then(|location| location.to_str().ok())
                .and_then(|location| url.join(location).ok())
                .ok_or_else(|| refuse("a redirect to no valid address".to_owned()))?;
            if target.origin() != call.url.origin() {
                return Err(refuse(format!(
                    "a redirect to another host, `{}`, was not followed, and the token was not \
                     sent there; check the address of the API",
                    host(&target)
                )));
            }
            if call.method != Method::GET || raw.status == 303 {
                return Err(refuse(format!(
                    "a redirect ({}) within `{}` that cannot be followed; check the address of the API",
                    raw.status,
                    host(&target)
                )));
            }
            url = target;
            url.set_fragment(None);
        }
    }

    /// One request on the wire, and its whole answer.
    async fn exchange(
        &self,
        call: &Call,
        url: &Url,
        progress: &mut Progress,
    ) -> Result<Raw, Failure> {
        let mut request = reqwest::Request::new(call.method.clone(), url.clone());
        *request.headers_mut() = call.headers.clone();
        if !call.body.is_empty() {
            *request.body_mut() = Some(call.body.clone().into());
        }
        progress.sent = progress.sent.saturating_add(1);
        progress.status = None;
        let mut response = self
            .http
            .execute(request)
            .await
            .map_err(|error| failure(error, None))?;
        let status = response.status().as_u16();
        progress.status = Some(status);
        let headers = std::mem::take(response.headers_mut());
        if let Some(date) = headers
            .get(http::header::DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(retry::http_date)
        {
            self.platform_time.get_or_init(|| date);
        }
        self.first_headers.get_or_init(|| headers.clone());
        let mut body = BytesMut::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| failure(error, Some(status)))?
        {
            if body.len().saturating_add(piece.len()) > BODY_LIMIT {
                return Err(Failure {
                    kind: Kind::TooLarge,
                    status: Some(status),
                    detail: format!("the answer is larger than {} MiB", BODY_LIMIT >> 20),
                    again: false,
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Raw {
            status,
            headers,
            body: body.freeze(),
        })
    }
}

/// Turns the client's error into words without its address.
fn failure(error: reqwest::Error, status: Option<u16>) -> Failure {
    let (kind, what) = if error.is_timeout() {
        (Kind::Timeout, "no answer in time")
    } else if error.is_connect() {
        (Kind::Connect, "no connection")
    } else if error.is_builder() {
        (Kind::Other, "the request could not be made")
    } else if status.is_some() {
        (
            Kind::BrokenBody,
            "the answer was cut off or cannot be decoded",
        )
    } else {
        (
            Kind::BrokenBody,
            "the connection ended before an answer came",
        )
    };
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = cause.to_string();
    let distrusted = kind == Kind::Connect && cause.contains("certificate");
    let hint = if distrusted {
        "; if the host uses an own certificate authority, name its bundle in SSL_CERT_FILE"
    } else {
        ""
    };
    Failure {
        kind,
        status,
        detail: format!("{what}: {cause}{hint}"),
        again: kind != Kind::Other && !distrusted,
    }
}

/// Up to a tenth of the pause, at most a second.
fn jitter(pause: Duration) -> Duration {
    (pause / 10)
        .min(Duration::from_secs(1))
        .mul_f64(fastrand::f64())
}

fn after(attempts: u32, said: String) -> String {
    if attempts > 1 {
        format!("{said}, after {attempts} tries")
    } else {
        said
    }
}

fn show(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// Scheme, host and port, and nothing else of an address.
fn host(url: &Url) -> String {
    url.origin().ascii_serialization()
}
