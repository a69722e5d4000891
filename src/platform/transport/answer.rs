//! Answers as they came: status, headers, body, and the digest of the body.
//! What they mean is for the platform's own rooms.

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::facts::Source;

use super::error::TransportError;

/// Longest piece of an error page that goes into a message.
const MESSAGE_LIMIT: usize = 200;

/// One complete answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body after content decoding.
    pub body: Bytes,
    /// `GET /repos/acme/app/…`, without host and API prefix.
    pub endpoint: String,
    /// Endpoint and digest of the body.
    pub source: Source,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as `T`; the error says where it stops making sense.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "ends too early",
                serde_json::error::Category::Data => "has another shape than expected",
                serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
                    "is not valid JSON"
                }
            };
            format!("the answer to {} {what}: {error}", self.endpoint)
        })
    }

    /// What the platform says in its own words: `message` or `error` of a JSON
    /// body, else the beginning of the text, else nothing. Untrusted text.
    pub(crate) fn message(&self) -> String {
        let json: Option<Value> = serde_json::from_slice(&self.body).ok();
        let text = match &json {
            Some(Value::Object(object)) => ["message", "error_description", "error"]
                .iter()
                .find_map(|key| match object.get(*key) {
                    Some(Value::String(text)) => Some(text.clone()),
                    None | Some(Value::Null) => None,
                    Some(other) => Some(other.to_string()),
                })
                .unwrap_or_default(),
            Some(_) => String::new(),
            None => String::from_utf8_lossy(&self.body).into_owned(),
        };
        text.trim().chars().take(MESSAGE_LIMIT).collect()
    }

    /// A header as text; `None` if it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// All pages of one list.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    /// The items of all pages, in the order they came.
    pub items: Vec<Value>,
    /// One source per page.
    pub sources: Vec<Source>,
    /// The list, without paging parameters.
    pub endpoint: String,
}

/// Why there is no usable answer.
#[derive(Clone, Debug)]
pub(crate) enum NoAnswer {
    /// Answered, but not with success. Boxed by nobody: rare and short-lived.
    Status(Answer),
    /// Not answered, or with something that is no answer (page loop, wrong shape).
    Transport(TransportError),
}

impl From<TransportError> for NoAnswer {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

/// One entry of GraphQL's `errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphqlError {
    /// The platform's words.
    pub message: String,
    /// `type` (GitHub) or `extensions.code`, e.g. `FORBIDDEN`.
    pub kind: Option<String>,
    /// Which field it concerns; list indices as numbers in text.
    pub path: Vec<String>,
}

/// An answer to a GraphQL query: data and errors, both kept.
#[derive(Clone, Debug)]
pub(crate) struct GraphqlAnswer {
    /// HTTP status (always 2xx).
    pub status: u16,
    /// `data`; `None` if absent or null.
    pub data: Option<Value>,
    /// `errors`.
    pub errors: Vec<GraphqlError>,
    /// Operation and digest of the body.
    pub source: Source,
    /// `GraphQL operation`.
    pub endpoint: String,
}

impl GraphqlAnswer {
    /// Takes an answer apart. A body that is no GraphQL answer (no object, or
    /// neither `data` nor `errors`) is an error: it must not look like empty data.
    pub(crate) fn read(answer: &Answer) -> Result<Self, String> {
        let body: Value = answer.json()?;
        let Value::Object(mut body) = body else {
            return Err(format!("the answer to {} is no object", answer.endpoint));
        };
        let errors = match body.remove("errors") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => entries.iter().map(graphql_error).collect(),
            Some(other) => vec![GraphqlError {
                message: other.to_string(),
                kind: None,
                path: Vec::new(),
            }],
        };
        let data = body.remove("data").filter(|data| !data.is_null());
        if data.is_none() && errors.is_empty() {
            return Err(format!(
                "the answer to {} has neither data nor errors",
                answer.endpoint
            ));
        }
        Ok(Self {
            status: answer.status,
            data,
            errors,
            source: answer.source.clone(),
            endpoint: answer.endpoint.clone(),
        })
    }
}

fn graphql_error(entry: &Value) -> GraphqlError {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    GraphqlError {
        message: entry.get("message").map_or_else(|| text(entry), text),
        kind: entry
            .get("type")
            .or_else(|| entry.pointer("/extensions/code"))
            .filter(|kind| !kind.is_null())
            .map(text),
        path: entry
            .get("path")
            .and_then(Value::as_array)
            .map(|path| path.iter().map(text).collect())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            endpoint: "GET /x".to_owned(),
            source: Source {
                endpoint: "GET /x".to_owned(),
                digest: "sha256:00".to_owned(),
            },
        }
    }

    #[test]
    fn invalid_json_is_a_sentence_with_the_place() {
        let error = answer(200, "{\"a\": nope}").json::<Value>().unwrap_err();
        assert!(error.contains("GET /x is not valid JSON"), "{error}");
        assert!(error.contains("line 1 column"), "{error}");
        let error = answer(200, "{\"a\": ").json::<Value>().unwrap_err();
        assert!(error.contains("ends too early"), "{error}");
        let error = answer(200, "[]").json::<u32>().unwrap_err();
        assert!(error.contains("another shape"), "{error}");
    }

    #[test]
    fn the_message_is_found_in_every_form_the_platforms_use() {
        assert_eq!(
            answer(404, r#"{"message":"Not Found"}"#).message(),
            "Not Found"
        );
        assert_eq!(
            answer(400, r#"{"message":{"base":["no"]}}"#).message(),
            r#"{"base":["no"]}"#
        );
        assert_eq!(
            answer(
                401,
                r#"{"error":"invalid_token","error_description":"gone"}"#
            )
            .message(),
            "gone"
        );
        assert_eq!(answer(429, "Retry later\n").message(), "Retry later");
        assert_eq!(answer(502, &"x".repeat(5000)).message().len(), 200);
        assert_eq!(answer(404, "").message(), "");
    }

    #[test]
    fn graphql_keeps_data_and_errors_both() {
        let body = r#"{"data":{"repository":{"x":null},"rateLimit":{"cost":2}},
            "errors":[{"type":"FORBIDDEN","message":"no","path":["repository","x",0]}]}"#;
        let read = GraphqlAnswer::read(&answer(200, body)).unwrap();
        assert!(read.data.is_some());
        assert_eq!(
            read.errors,
            [GraphqlError {
                message: "no".to_owned(),
                kind: Some("FORBIDDEN".to_owned()),
                path: vec!["repository".to_owned(), "x".to_owned(), "0".to_owned()],
            }]
        );
    }

    #[test]
    fn a_body_without_data_and_errors_is_no_graphql_answer() {
        for body in [
            "{}",
            "[]",
            r#"{"data":null}"#,
            r#"{"data":null,"errors":[]}"#,
            "<html>",
        ] {
            assert!(GraphqlAnswer::read(&answer(200, body)).is_err(), "{body}");
        }
        let odd = GraphqlAnswer::read(&answer(200, r#"{"data":null,"errors":"broken"}"#)).unwrap();
        assert_eq!(odd.errors.len(), 1);
    }
}
