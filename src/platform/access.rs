//! Status and endpoint to known or unknown: what every refusal means, whatever was asked.

use crate::facts::{Unknown, Why};

use super::transport::NoAnswer;

/// One path segment or one query value, percent-encoded.
pub(super) fn encode(segment: &str) -> String {
    match segment {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        other => percent_encoding::utf8_percent_encode(other, percent_encoding::NON_ALPHANUMERIC)
            .to_string()
            .replace("%2D", "-")
            .replace("%2E", ".")
            .replace("%5F", "_"),
    }
}

/// The unknown that belongs to a refusal.
pub(super) fn refused(fact: &str, needs: &str, no_answer: &NoAnswer) -> Unknown {
    match no_answer {
        NoAnswer::Status(answer) => {
            let why = match answer.status {
                401 | 403 => Why::NotPermitted,
                404 => Why::HiddenOrAbsent,
                _ => Why::Failed,
            };
            let accepted = answer
                .header("x-accepted-github-permissions")
                .map(|header| format!("{needs} (the platform names {header})"));
            Unknown::new(
                fact,
                why,
                format!(
                    "the platform answered {}: {}",
                    answer.status,
                    answer.message()
                ),
            )
            .needs(accepted.unwrap_or_else(|| needs.to_owned()))
            .at(answer.endpoint.clone(), Some(answer.status))
        }
        NoAnswer::Transport(error) => Unknown::new(fact, Why::Failed, error.to_string())
            .at(error.endpoint.clone(), error.status),
    }
}

/// An answer that could not be understood.
pub(super) fn malformed(fact: &str, endpoint: &str, status: u16, detail: &str) -> Unknown {
    Unknown::new(
        fact,
        Why::Failed,
        format!("the answer could not be understood: {detail}"),
    )
    .at(endpoint, Some(status))
}
