//! A service that is off and one that the token may not ask are answered with the same
//! status; only the sentence differs. *Off* is the stricter reading of the two, so a
//! sentence that changes makes it unknown and never better.

use serde::Deserialize;

use crate::facts::{FactKey, Source};
use crate::platform::transport::{Answer, GraphqlAnswer, NoAnswer};

use super::super::document::Part;
use super::super::owner_side::Asker;

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
pub(super) fn off(refusal: &NoAnswer) -> Option<Source> {
    let answer = status(refusal, &[403, 404])?;
    let message = answer.message();
    OFF.iter()
        .any(|words| message.contains(words))
        .then(|| answer.source.clone())
}

/// Where it was seen that nothing was ever looked at.
pub(super) fn nothing_yet(refusal: &NoAnswer) -> Option<Source> {
    let answer = status(refusal, &[404])?;
    (answer.message().trim() == "no analysis found").then(|| answer.source.clone())
}

#[derive(Debug, Deserialize)]
struct Repository {
    security_and_analysis: Option<Features>,
}

#[derive(Debug, Deserialize)]
struct Features {
    secret_scanning: Option<Feature>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    status: Option<String>,
}

/// Where it was seen that nobody looks for secrets: in the record of the repository,
/// where it is read anyway and requests are saved.
pub(super) async fn secrets_off(asker: &Asker<'_>) -> Option<Source> {
    let read = asker.saves_requests() && asker.shared.needs(FactKey::ScanPushProtection);
    if !read || asker.blind() {
        return None;
    }
    secrets_off_in(asker.shared.repository().await)
}

fn secrets_off_in(record: &Result<Answer, NoAnswer>) -> Option<Source> {
    let answer = record.as_ref().ok()?;
    let repository: Repository = answer.json().ok()?;
    let feature = repository.security_and_analysis?.secret_scanning?;
    (feature.status.as_deref() == Some("disabled")).then(|| answer.source.clone())
}

/// Where it was seen that code is not looked at: in the answer about the default
/// set-up, where it is read anyway and requests are saved.
pub(super) async fn code_off(asker: &Asker<'_>) -> Option<Source> {
    let read = asker.saves_requests() && asker.shared.needs(FactKey::ScanSetup);
    if !read || asker.blind() {
        return None;
    }
    asker
        .shared
        .default_setup()
        .await
        .as_ref()
        .err()
        .and_then(off)
}

/// Where it was seen that dependencies are not looked at: in the question about
/// settings, where requests are saved.
pub(super) async fn dependencies_off(asker: &Asker<'_>) -> Option<Source> {
    if !asker.shared.document.has(Part::Alerts) {
        return None;
    }
    let answer = asker.shared.document.answer(Part::Alerts).await.ok()?;
    dependencies_off_in(answer)
}

fn dependencies_off_in(answer: &GraphqlAnswer) -> Option<Source> {
    let repository = answer.data.as_ref()?.get("repository")?;
    let on = repository.get("hasVulnerabilityAlertsEnabled")?.as_bool()?;
    (!on).then(|| answer.source.clone())
}

fn status<'a>(refusal: &'a NoAnswer, wanted: &[u16]) -> Option<&'a Answer> {
    match refusal {
        NoAnswer::Status(answer) if wanted.contains(&answer.status) => Some(answer),
        NoAnswer::Status(_) | NoAnswer::Transport(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::super::graph::testing::{answer, refused, rest};
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

    #[test]
    fn only_the_word_disabled_and_the_word_false_say_that_nobody_looks() {
        let secrets = |feature| {
            let record = rest(&json!({"security_and_analysis": {"secret_scanning": feature}}));
            secrets_off_in(&record).is_some()
        };
        assert!(secrets(json!({"status": "disabled"})));
        for other in [
            json!({"status": "enabled"}),
            json!({"status": "off"}),
            json!({"status": null}),
            json!({}),
            json!(null),
        ] {
            assert!(!secrets(other.clone()), "{other}");
        }
        assert!(secrets_off_in(&refused(404, "Not Found")).is_none());
        let dependencies = |on| {
            let told = json!({"data": {"repository": {"hasVulnerabilityAlertsEnabled": on}}});
            dependencies_off_in(&answer(&told)).is_some()
        };
        assert!(dependencies(json!(false)));
        assert!(!dependencies(json!(true)) && !dependencies(json!(null)));
        assert!(dependencies_off_in(&answer(&json!({"data": {"repository": null}}))).is_none());
    }
}
