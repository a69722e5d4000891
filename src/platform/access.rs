//! Status and endpoint to known or unknown: the part that is the same on both
//! platforms. What a platform's own messages mean is known in its own room.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::facts::{Unknown, Why};

use super::transport::{Answer, NoAnswer};

/// All but the characters that never need encoding anywhere in an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// One segment of a path, or one value in a query. A segment of dots only would
/// be taken for a step up (also when encoded once), so it becomes a name that
/// does not exist.
pub(super) fn encode(segment: &str) -> String {
    match segment {
        "." => "%252E".to_owned(),
        ".." => "%252E%252E".to_owned(),
        _ => utf8_percent_encode(segment, ENCODED).to_string(),
    }
}

/// The whole path of a repository as one segment, for GitLab's `:id`.
pub(super) fn encode_path(path: &str) -> String {
    encode(path)
}

/// Why a fact is unknown after `no_answer`, by status alone. `needs` is the
/// permission that would have been enough.
pub(super) fn refused(fact: &str, needs: &str, no_answer: &NoAnswer) -> Unknown {
    let answer = match no_answer {
        NoAnswer::Status(answer) => answer,
        NoAnswer::Transport(error) => {
            return Unknown::new(fact, Why::Failed, error.detail.clone())
                .at(error.endpoint.clone(), error.status);
        }
    };
    let (why, permission, detail) = classify(answer, needs);
    let mut unknown = Unknown::new(fact, why, detail).at(&answer.endpoint, Some(answer.status));
    if let Some(permission) = permission.filter(|permission| !permission.is_empty()) {
        unknown = unknown.needs(permission);
    }
    unknown
}

/// An answer that came, but is not what the platform documents.
pub(super) fn malformed(fact: &str, endpoint: &str, status: u16, detail: &str) -> Unknown {
    Unknown::new(fact, Why::Failed, detail).at(endpoint, Some(status))
}

/// Reason, permission that would mend it, and what happened.
fn classify(answer: &Answer, needs: &str) -> (Why, Option<String>, String) {
    let status = answer.status;
    let message = answer.message();
    let said = if message.is_empty() {
        String::new()
    } else {
        format!(": `{message}`")
    };
    match status {
        401 => (
            Why::NotPermitted,
            Some(needs.to_owned()),
            format!(
                "the token was refused: it is expired, revoked, wrong, or not allowed here{said}"
            ),
        ),
        403 if answer.header("x-github-sso").is_some() => (
            Why::NotPermitted,
            Some("SSO authorisation of the token for the organisation".to_owned()),
            format!(
                "the organisation asks for single sign-on, and the token is not authorised for it{said}"
            ),
        ),
        403 => (
            Why::NotPermitted,
            Some(with_accepted(answer, needs)),
            format!("the token may not read this{said}"),
        ),
        404 => (
            Why::HiddenOrAbsent,
            Some(with_accepted(answer, needs)),
            format!(
                "it is hidden from the token or does not exist; the platform answers both alike{said}"
            ),
        ),
        410 | 501 => (
            Why::NotSupported,
            None,
            format!("the platform does not offer this here{said}"),
        ),
        429 => (
            Why::Failed,
            None,
            format!("the platform's rate limit; try again later{said}"),
        ),
        500..=599 => (
            Why::Failed,
            None,
            format!("the platform answered {status}; try again later{said}"),
        ),
        _ => (
            Why::Failed,
            None,
            format!("the platform gave an unexpected answer, status {status}{said}"),
        ),
    }
}

/// The permission, and what the platform itself says would have been accepted.
fn with_accepted(answer: &Answer, needs: &str) -> String {
    match answer
        .header("x-accepted-github-permissions")
        .map(str::trim)
    {
        Some(accepted) if !accepted.is_empty() && needs.is_empty() => {
            format!("one of: {accepted}")
        }
        Some(accepted) if !accepted.is_empty() => {
            format!("{needs}; the platform accepts: {accepted}")
        }
        _ => needs.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use crate::facts::Source;

    use super::super::transport::{TransportError, TransportErrorKind};
    use super::*;

    fn status(status: u16, headers: &[(&'static str, &str)], body: &str) -> NoAnswer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        NoAnswer::Status(Answer {
            status,
            headers: map,
            body: Bytes::copy_from_slice(body.as_bytes()),
            endpoint: "GET /repos/o/r".to_owned(),
            source: Source {
                endpoint: "GET /repos/o/r".to_owned(),
                digest: String::new(),
            },
        })
    }

    #[test]
    fn every_class_of_status_has_its_reason() {
        let sso = (
            "x-github-sso",
            "required; url=https://github.com/orgs/o/sso",
        );
        let accepted = ("x-accepted-github-permissions", "administration=read");
        let needs = Some("Administration: read");
        let with = Some("Administration: read; the platform accepts: administration=read");
        let table: [(NoAnswer, Why, Option<&str>, &str); 14] = [
            (
                status(401, &[], r#"{"message":"Bad credentials"}"#),
                Why::NotPermitted,
                needs,
                "the token was refused",
            ),
            (
                status(403, &[], ""),
                Why::NotPermitted,
                needs,
                "may not read this",
            ),
            (
                status(403, &[accepted], ""),
                Why::NotPermitted,
                with,
                "may not read this",
            ),
            (
                status(403, &[sso], ""),
                Why::NotPermitted,
                Some("SSO authorisation of the token for the organisation"),
                "single sign-on",
            ),
            (
                status(404, &[], r#"{"message":"Not Found"}"#),
                Why::HiddenOrAbsent,
                needs,
                "`Not Found`",
            ),
            (
                status(404, &[accepted], ""),
                Why::HiddenOrAbsent,
                with,
                "does not exist",
            ),
            (
                status(410, &[], ""),
                Why::NotSupported,
                None,
                "does not offer",
            ),
            (
                status(501, &[], ""),
                Why::NotSupported,
                None,
                "does not offer",
            ),
            (
                status(429, &[], "Retry later\n"),
                Why::Failed,
                None,
                "`Retry later`",
            ),
            (status(500, &[], ""), Why::Failed, None, "answered 500"),
            (
                status(502, &[], "<html>"),
                Why::Failed,
                None,
                "answered 502",
            ),
            (
                status(422, &[], ""),
                Why::Failed,
                None,
                "unexpected answer, status 422",
            ),
            (
                status(304, &[], ""),
                Why::Failed,
                None,
                "unexpected answer, status 304",
            ),
            (
                TransportError::new("GET /x", TransportErrorKind::Connect, "no connection").into(),
                Why::Failed,
                None,
                "no connection",
            ),
        ];
        for (no_answer, why, needs, words) in table {
            let unknown = refused("branch.rules", "Administration: read", &no_answer);
            assert_eq!(unknown.fact, "branch.rules");
            assert_eq!(unknown.why, why, "{unknown}");
            assert_eq!(unknown.needs.as_deref(), needs, "{unknown}");
            assert!(unknown.detail.contains(words), "{unknown}");
            assert!(unknown.endpoint.is_some());
        }
    }

    #[test]
    fn odd_names_cannot_leave_their_segment() {
        assert_eq!(encode("feat/x#1"), "feat%2Fx%231");
        assert_eq!(
            encode("100%\\?&=+ é\n"),
            "100%25%5C%3F%26%3D%2B%20%C3%A9%0A"
        );
        assert_eq!(encode(".."), "%252E%252E");
        assert_eq!(encode("."), "%252E");
        assert_eq!(encode("v1.0..2"), "v1.0..2");
        assert_eq!(
            encode_path("group/sub.group/app"),
            "group%2Fsub.group%2Fapp"
        );
    }
}
