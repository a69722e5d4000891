//! Where it is seen without a request of its own that a service is off: in answers that
//! other groups read anyway, where requests are saved.

use serde::Deserialize;

use crate::facts::{FactKey, Source};
use crate::platform::transport::{Answer, GraphqlAnswer, NoAnswer};

use super::super::super::scanning::refusal::off;
use super::super::document::Part;
use super::super::owner_side::Asker;

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::super::graph::testing::{answer, refused, rest};
    use super::*;

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
