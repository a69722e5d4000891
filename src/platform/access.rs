//! Status and endpoint to known or unknown. (stub)

use super::transport::NoAnswer;
use crate::facts::{Unknown, Why};

pub(super) fn encode(segment: &str) -> String {
    percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string()
}
pub(super) fn encode_path(path: &str) -> String {
    encode(path)
}
pub(super) fn refused(fact: &str, needs: &str, no_answer: &NoAnswer) -> Unknown {
    match no_answer {
        NoAnswer::Status(a) => Unknown::new(
            fact,
            match a.status {
                401 | 403 => Why::NotPermitted,
                404 => Why::HiddenOrAbsent,
                _ => Why::Failed,
            },
            format!("the platform answered {} {}", a.status, a.message()),
        )
        .needs(needs)
        .at(a.endpoint.clone(), Some(a.status)),
        NoAnswer::Transport(e) => {
            Unknown::new(fact, Why::Failed, e.detail.clone()).at(e.endpoint.clone(), e.status)
        }
    }
}
pub(super) fn malformed(fact: &str, endpoint: &str, status: u16, detail: &str) -> Unknown {
    Unknown::new(
        fact,
        Why::Failed,
        format!("the answer could not be understood: {detail}"),
    )
    .at(endpoint, Some(status))
}
