//! Why a request got no answer at all.

use std::fmt;

/// What went wrong, coarsely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection.
    Connect,
    /// Too slow, or the time for the whole collection is used up.
    Timeout,
    /// The platform asked for a longer pause than there is time for.
    RateLimited,
    /// The answer was cut off or could not be decoded.
    BrokenBody,
    /// An answer larger than any real one.
    TooLarge,
    /// A redirect that must not be followed.
    Redirect,
    /// Pages that never end, or repeat.
    PageLoop,
    /// An answer of another shape than asked for.
    Shape,
    /// Anything else.
    Other,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct TransportError {
    /// Which request, without host: `GET /repos/acme/app`.
    pub endpoint: String,
    /// The last status, if there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub kind: TransportErrorKind,
    /// The same as a sentence.
    pub detail: String,
}

impl TransportError {
    pub(crate) fn new(
        endpoint: impl Into<String>,
        kind: TransportErrorKind,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            endpoint: endpoint.into(),
            status: None,
            kind,
            detail: detail.into(),
        }
    }

    #[must_use]
    pub(crate) fn with_status(mut self, status: Option<u16>) -> Self {
        self.status = status;
        self
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.detail)
    }
}

impl std::error::Error for TransportError {}
