//! A service that is off and one that the token may not ask are answered with the same
//! status; only the sentence differs. *Off* is the stricter reading of the two, so a
//! sentence that changes makes it unknown and never better.

use crate::facts::Source;
use crate::platform::transport::{Answer, NoAnswer};

/// What is part of every sentence about a service that is off, as far as seen:
/// `Code scanning is not enabled for this repository`, `Code Security must be enabled for
/// this repository`, `Dependabot alerts are disabled for this repository`, `Secret
/// scanning is disabled on this repository`.
const OFF: [&str; 4] = [
    "is not enabled for this repository",
    "must be enabled for this repository",
    "are disabled for this repository",
    "is disabled on this repository",
];

/// Where it was seen that the service is off; `None`: that was not seen.
pub(in super::super) fn off(refusal: &NoAnswer) -> Option<Source> {
    let answer = status(refusal, &[403, 404])?;
    let message = answer.message();
    OFF.iter()
        .any(|words| message.contains(words))
        .then(|| answer.source.clone())
}

/// Where it was seen that nothing was ever looked at.
pub(in super::super) fn nothing_yet(refusal: &NoAnswer) -> Option<Source> {
    let answer = status(refusal, &[404])?;
    (answer.message().trim() == "no analysis found").then(|| answer.source.clone())
}

fn status<'a>(refusal: &'a NoAnswer, wanted: &[u16]) -> Option<&'a Answer> {
    match refusal {
        NoAnswer::Status(answer) if wanted.contains(&answer.status) => Some(answer),
        NoAnswer::Status(_) | NoAnswer::Transport(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::graph::testing::refused;
    use super::*;

    fn told(status: u16, message: &str) -> (bool, bool) {
        let refusal = refused(status, message).expect_err("a refusal");
        (off(&refusal).is_some(), nothing_yet(&refusal).is_some())
    }

    #[test]
    fn off_no_permission_and_no_analysis_are_three_answers() {
        for (status, message) in [
            (
                403,
                "Code Security must be enabled for this repository to use code scanning.",
            ),
            (
                403,
                "Code scanning is not enabled for this repository. Please enable code scanning.",
            ),
            (403, "Dependabot alerts are disabled for this repository."),
            (404, "Secret scanning is disabled on this repository."),
        ] {
            assert_eq!(told(status, message), (true, false), "{message}");
        }
        for (status, message) in [
            (403, "Resource not accessible by integration"),
            (403, "You are not authorized to read code scanning alerts."),
            (404, "Not Found"),
            (500, "Secret scanning is disabled on this repository."),
            (410, "no analysis found"),
        ] {
            assert_eq!(told(status, message), (false, false), "{message}");
        }
        assert_eq!(told(404, "no analysis found"), (false, true));
    }
}
