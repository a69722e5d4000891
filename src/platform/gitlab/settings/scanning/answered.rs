//! One list out of a GraphQL answer about a project. Null is what is hidden and what
//! the tier does not sell alike, so it is told apart by whoever knows the tier.

use serde_json::Value;

use crate::facts::{FactKey, Unknown, Why};

use super::super::super::super::access;
use super::super::super::super::transport::{GraphqlAnswer, NoAnswer};
use super::super::super::permissions;

/// What stands in a place of an answer.
pub(super) enum Stands<'a> {
    /// A value.
    Value(&'a Value),
    /// Null, or nothing.
    Null,
}

/// What stands under the project, e.g. at `/vulnerabilities`.
///
/// # Errors
/// Why the answer tells nothing at all.
pub(super) fn at<'a>(
    key: FactKey,
    answer: &'a Result<GraphqlAnswer, NoAnswer>,
    place: &str,
) -> Result<Stands<'a>, Unknown> {
    let fact = key.name();
    let answer = answer
        .as_ref()
        .map_err(|no_answer| access::refused(fact, permissions::FINDINGS, no_answer))?;
    if let Some(error) = answer.errors.first() {
        // What the schema of an older server, or of the free edition, does not know.
        let why = match error.kind.as_deref() {
            Some("undefinedField") => Why::NotSupported,
            Some(_) | None => Why::Failed,
        };
        return Err(Unknown::new(fact, why, error.message.clone())
            .at(answer.endpoint.clone(), Some(answer.status)));
    }
    let project = answer.data.as_ref().and_then(|data| data.get("project"));
    match project {
        None | Some(Value::Null) => Err(hidden(key, answer, "GitLab shows this token no project")),
        Some(project) => Ok(match project.pointer(place) {
            None | Some(Value::Null) => Stands::Null,
            Some(value) => Stands::Value(value),
        }),
    }
}

/// What is not shown.
pub(super) fn hidden(key: FactKey, answer: &GraphqlAnswer, detail: &str) -> Unknown {
    Unknown::new(key.name(), Why::HiddenOrAbsent, detail)
        .needs(permissions::FINDINGS)
        .at(answer.endpoint.clone(), Some(answer.status))
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::super::testing::one;
    use super::*;

    /// A GraphQL answer as the transport hands it over.
    #[expect(
        clippy::result_large_err,
        reason = "the shape of every answer of the client"
    )]
    pub(in super::super) fn told(body: &Value) -> Result<GraphqlAnswer, NoAnswer> {
        one(body).map(|answer| GraphqlAnswer::read(&answer).expect("a GraphQL answer"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::refused;
    use super::testing::told;
    use super::*;

    const KEY: FactKey = FactKey::ScanAlerts;

    fn why(answer: &Result<GraphqlAnswer, NoAnswer>) -> Option<Why> {
        at(KEY, answer, "/x").err().map(|unknown| unknown.why)
    }

    #[test]
    fn each_way_of_telling_nothing_keeps_its_reason() {
        assert_eq!(why(&refused(401)), Some(Why::NotPermitted));
        let hidden = told(&json!({"data": {"project": null}}));
        assert_eq!(why(&hidden), Some(Why::HiddenOrAbsent));
        let old = told(&json!({"errors": [{"message": "Field 'x' doesn't exist",
            "extensions": {"code": "undefinedField"}}]}));
        assert_eq!(why(&old), Some(Why::NotSupported));
        let failed = told(&json!({"data": {"project": {"x": []}},
            "errors": [{"message": "Timeout"}]}));
        assert_eq!(why(&failed), Some(Why::Failed));
        let null = told(&json!({"data": {"project": {"x": null}}}));
        assert!(matches!(at(KEY, &null, "/x"), Ok(Stands::Null)));
        let there = told(&json!({"data": {"project": {"x": []}}}));
        assert!(matches!(at(KEY, &there, "/x"), Ok(Stands::Value(_))));
    }
}
