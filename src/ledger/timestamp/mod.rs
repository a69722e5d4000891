//! Time-stamps of RFC 3161 over signed notes: the request, the authority's token, and the
//! roots that a verifier brings along. Bytes only: sending and the clock are elsewhere.

mod certificate;
mod fields;
mod request;
mod roots;
#[cfg(test)]
mod tests;
mod token;

pub use request::StampRequest;
pub use roots::TsaRoots;
pub(crate) use token::Token;

/// How far two clocks may differ before it is worth saying.
pub(crate) const CLOCK_TOLERANCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);
