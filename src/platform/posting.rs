//! The comment of a person who asked for that by hand. No check does it.

use anyhow::bail;

use crate::facts::Platform;

use super::context::Wanted;
use super::transport::{Answer, NoAnswer, Transport};
use super::{Setup, github, gitlab};

/// A comment that was posted, as the platform tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Where it stands; on GitLab its number.
    pub place: String,
    /// Whose comment it is, if the platform says.
    pub by: Option<String>,
}

/// Posts the text as a comment on the change, with the session's token. One request, never
/// repeated: a second try could post it twice.
///
/// # Errors
/// No change is named, or the platform did not take it: what it said, and what the token needs.
pub async fn post_comment(mut setup: Setup, text: &str) -> anyhow::Result<Posted> {
    let Wanted::Change { number, .. } = setup.place.wanted else {
        bail!("a comment stands on a change: say which with `--change N`");
    };
    setup.limits.attempts = 1;
    let transport = Transport::new(
        setup.ca_bundle.as_deref(),
        setup.limits,
        &setup.program,
        &setup.place.api,
    )?;
    match setup.place.platform {
        Platform::Github => github::post_comment(&setup, &transport, number, text).await,
        Platform::Gitlab => gitlab::post_comment(&setup, &transport, number, text).await,
    }
}

/// What the platform said to it in its own words, quoted; empty if it said nothing.
pub(super) fn said(answer: &Answer) -> String {
    let message = answer.message();
    if message.is_empty() {
        message
    } else {
        format!(" `{message}`")
    }
}

/// Why it was not taken, for people.
pub(super) fn not_taken(no_answer: &NoAnswer, needs: &str) -> anyhow::Error {
    match no_answer {
        NoAnswer::Status(answer) => {
            let said = said(answer);
            let hint = match answer.status {
                401 | 403 | 404 => {
                    format!("; a token that only reads cannot comment, it needs {needs}")
                }
                _ => String::new(),
            };
            anyhow::anyhow!(
                "nothing was posted: {} answered {}{said}{hint}",
                answer.endpoint,
                answer.status
            )
        }
        NoAnswer::Transport(error) => anyhow::anyhow!(
            "it is not known whether it was posted: {error}; look at the change before you try again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, setup};
    use super::super::transport::testing::{Reply, Server};
    use super::*;

    const TEXT: &str = "/ccgate approve ovr_1";

    async fn posted(platform: Platform, reply: fn() -> Reply) -> (Server, anyhow::Result<Posted>) {
        let server = Server::start(move |_, _| reply()).await;
        let ended = post_comment(setup(platform, &server, change(42)), TEXT).await;
        (server, ended)
    }

    #[tokio::test]
    async fn it_is_posted_once_where_each_platform_keeps_comments() {
        let (server, ended) = posted(Platform::Github, || {
            Reply::json(r#"{"html_url": "https://forge.test/c/1", "user": {"login": "ana"}}"#)
        })
        .await;
        let ended = ended.expect("it was taken");
        assert_eq!(ended.place, "https://forge.test/c/1");
        assert_eq!(ended.by.as_deref(), Some("ana"));
        let asked = server.received();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            asked[0].line,
            "POST /repos/acme/payments/issues/42/comments"
        );
        assert_eq!(asked[0].body, format!(r#"{{"body":"{TEXT}"}}"#));

        let (server, ended) = posted(Platform::Gitlab, || {
            Reply::json(r#"{"id": 7, "author": {"username": "ana"}}"#)
        })
        .await;
        assert_eq!(ended.expect("it was taken").place, "note 7 of !42");
        let asked = server.received();
        assert_eq!(
            asked[0].line,
            "POST /projects/acme%2Fpayments/merge_requests/42/notes"
        );
        assert_eq!(asked[0].body, format!(r#"{{"body":"{TEXT}"}}"#));
    }

    #[tokio::test]
    async fn a_token_that_only_reads_is_told_what_it_lacks_and_nothing_is_tried_twice() {
        for (platform, needs) in [
            (Platform::Github, "Pull requests: write"),
            (Platform::Gitlab, "scope `api`"),
        ] {
            for status in [403, 404, 500, 502] {
                let (server, ended) = match status {
                    403 => posted(platform, || Reply::status(403)).await,
                    404 => posted(platform, || Reply::status(404)).await,
                    500 => posted(platform, || Reply::status(500)).await,
                    _ => posted(platform, || Reply::status(502)).await,
                };
                let error = ended.expect_err("it was refused").to_string();
                assert_eq!(server.count(), 1, "{status}");
                assert_eq!(error.contains(needs), status < 500, "{error}");
            }
        }
    }
}
