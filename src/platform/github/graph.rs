//! Reads one place of a GraphQL answer: the value there, or why it is missing.
//! An empty place without an error is never taken for "there is none" here;
//! only the caller knows where null is a value.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::facts::{Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{GraphqlAnswer, GraphqlError};

/// What stands at one place.
pub(super) enum Place {
    /// A value.
    There(Value),
    /// Null, and no error says why.
    Empty,
    /// An error stands there or above.
    Refused(Unknown),
}

/// Whether the server refused the question itself: it does not know a field.
/// Refusals of what is asked carry a type, or stand beside data.
pub(super) fn is_refused_whole(answer: &GraphqlAnswer) -> bool {
    answer.data.is_none()
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|error| error.kind.is_none())
}

/// Looks at a place. Errors below it are the caller's business (see [`errors_below`]).
pub(super) fn place(answer: &GraphqlAnswer, path: &[&str], fact: &str, needs: &str) -> Place {
    let mut value = answer.data.as_ref();
    for step in path {
        value = value.and_then(|inner| inner.get(step));
    }
    if let Some(found) = value.filter(|found| !found.is_null()) {
        return Place::There(found.clone());
    }
    let on_the_way = answer
        .errors
        .iter()
        .find(|error| is_prefix(&error.path, path) || answer.data.is_none());
    match on_the_way {
        Some(error) => Place::Refused(refusal(answer, error, fact, needs)),
        None if answer.data.is_none() => Place::Refused(access::malformed(
            fact,
            &answer.endpoint,
            answer.status,
            "it carries neither data nor errors",
        )),
        None => Place::Empty,
    }
}

/// The first error that may have touched a place: at it, below it, above it, or
/// without a path. A server that ran into a limit says so beside the data that it
/// did gather, and a list cut short by it looks like a whole one.
pub(super) fn errors_below(
    answer: &GraphqlAnswer,
    path: &[&str],
    fact: &str,
    needs: &str,
) -> Option<Unknown> {
    answer
        .errors
        .iter()
        .find(|error| {
            path.iter()
                .zip(&error.path)
                .all(|(want, have)| want == have)
        })
        .map(|error| refusal(answer, error, fact, needs))
}

/// A value of the wrong shape becomes an unknown.
pub(super) fn read<T: DeserializeOwned>(
    value: &Value,
    answer: &GraphqlAnswer,
    fact: &str,
) -> Result<T, Unknown> {
    T::deserialize(value).map_err(|error| {
        access::malformed(fact, &answer.endpoint, answer.status, &error.to_string())
    })
}

/// "Null without an error" as an unknown: the platform says the same for hidden and absent.
pub(super) fn empty(answer: &GraphqlAnswer, fact: &str, needs: &str, what: &str) -> Unknown {
    Unknown::new(
        fact,
        Why::HiddenOrAbsent,
        format!("the platform shows no {what}: it does not exist, or this token may not see it"),
    )
    .needs(needs)
    .at(answer.endpoint.clone(), Some(answer.status))
}

fn is_prefix(error: &[String], path: &[&str]) -> bool {
    !error.is_empty()
        && error.len() <= path.len()
        && error.iter().zip(path).all(|(have, want)| have == want)
}

fn refusal(answer: &GraphqlAnswer, error: &GraphqlError, fact: &str, needs: &str) -> Unknown {
    let why = match error.kind.as_deref() {
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Why::NotPermitted,
        Some("NOT_FOUND") => Why::HiddenOrAbsent,
        // A document that the server refuses as a whole: an older server that
        // does not know a field, or a limit of its own.
        None if answer.data.is_none() => Why::NotSupported,
        _ => Why::Failed,
    };
    Unknown::new(
        fact,
        why,
        format!("the platform answered: {}", error.message),
    )
    .needs(needs)
    .at(answer.endpoint.clone(), Some(answer.status))
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::facts::Source;
    use crate::platform::transport::{Answer, NoAnswer};

    fn status(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            headers: http::HeaderMap::new(),
            body: body.to_string().into(),
            endpoint: "GET /test".to_owned(),
            source: Source {
                endpoint: "GET /test".to_owned(),
                digest: "sha256:00".to_owned(),
            },
        }
    }

    /// A REST answer with this body.
    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    pub(in super::super) fn rest(body: &Value) -> Result<Answer, NoAnswer> {
        Ok(status(200, body))
    }

    /// A REST refusal with this message.
    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    pub(in super::super) fn refused(code: u16, message: &str) -> Result<Answer, NoAnswer> {
        Err(NoAnswer::Status(status(
            code,
            &serde_json::json!({ "message": message }),
        )))
    }

    /// An answer as the transport would hand it over.
    pub(in super::super) fn answer(body: &Value) -> GraphqlAnswer {
        GraphqlAnswer {
            status: 200,
            data: body.get("data").filter(|data| !data.is_null()).cloned(),
            errors: body["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|error| GraphqlError {
                    message: error["message"].as_str().unwrap_or("").to_owned(),
                    kind: error["type"].as_str().map(str::to_owned),
                    path: error["path"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|step| {
                            step.as_str()
                                .map_or_else(|| step.to_string(), str::to_owned)
                        })
                        .collect(),
                })
                .collect(),
            source: Source {
                endpoint: "POST /graphql#Test".to_owned(),
                digest: "sha256:00".to_owned(),
            },
            endpoint: "POST /graphql#Test".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::answer;
    use super::*;
    use serde_json::json;

    const PATH: &[&str] = &["repository", "pullRequest"];

    fn why(body: &Value) -> Option<Why> {
        match place(
            &answer(body),
            PATH,
            "change.identity",
            "Pull requests: read",
        ) {
            Place::Refused(unknown) => Some(unknown.why),
            Place::There(_) | Place::Empty => None,
        }
    }

    #[test]
    fn a_forbidden_field_is_not_permitted_and_its_neighbour_stays_readable() {
        let body = json!({"data": {"repository": {"pullRequest": null, "name": "app"}},
            "errors": [{"type": "FORBIDDEN", "path": ["repository", "pullRequest"], "message": "Resource not accessible by integration"}]});
        assert_eq!(why(&body), Some(Why::NotPermitted));
        assert!(matches!(
            place(&answer(&body), &["repository", "name"], "x", ""),
            Place::There(_)
        ));
    }

    #[test]
    fn an_error_above_the_place_explains_it() {
        let body = json!({"data": {"repository": null},
            "errors": [{"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve to a Repository"}]});
        assert_eq!(why(&body), Some(Why::HiddenOrAbsent));
    }

    #[test]
    fn a_document_that_an_older_server_refuses_is_not_supported() {
        let body = json!({"errors": [{"message": "Field 'file' doesn't exist on type 'Commit'", "path": ["query", "repository"]}]});
        assert_eq!(why(&body), Some(Why::NotSupported));
    }

    #[test]
    fn an_answer_without_data_and_errors_is_a_failure() {
        assert_eq!(why(&json!({})), Some(Why::Failed));
        assert_eq!(why(&json!({"data": null})), Some(Why::Failed));
    }
}
