//! One HTTP client under both crates, and one policy for every request.

use std::fmt;
use std::time::Duration;

/// A token. It has no readable `Debug` or `Display`, and leaves only in a header.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps a token.
    pub fn new(secret: String) -> Self {
        Self(secret)
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

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct TransportError(pub String);
