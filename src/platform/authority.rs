//! A time-stamping authority (RFC 3161 over HTTP): one question, one answer, as bytes. What
//! they mean, and whether they hold, is for the ledger. No token of a platform goes there.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

use super::transport::{Call, Limits, Tag, Transport};

/// A token with a chain of certificates has a few kilobytes.
const LARGEST_ANSWER: usize = 256 << 10;

/// Where an authority is.
pub struct TimeStampAuthority {
    url: Url,
    transport: Transport,
}

impl TimeStampAuthority {
    /// Nothing is sent yet. Plain `http` is enough: the answer is signed and answers this very
    /// question, and what is sent is the digest of a checkpoint.
    ///
    /// # Errors
    /// An address that is none of an authority, or certificates that cannot be used.
    pub fn new(
        url: &str,
        ca_bundle: Option<&[u8]>,
        total: Duration,
        program: &str,
    ) -> anyhow::Result<Self> {
        // The address is not repeated: it could hold a password.
        let url = Url::parse(url)
            .ok()
            .context("`--tsa` is no address; write e.g. `https://tsa.example.com/tsr`")?;
        ensure!(
            matches!(url.scheme(), "https" | "http") && url.has_host(),
            "`--tsa` has to begin with `https://` or `http://`"
        );
        ensure!(
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
            "`--tsa` holds a user, a password or a `#`; only authorities that ask for none are supported"
        );
        let limits = Limits {
            total,
            ..Limits::default()
        };
        let transport = Transport::new(ca_bundle, limits, program, &url)?;
        Ok(Self { url, transport })
    }

    /// Sends a request and gives the answer's body.
    ///
    /// # Errors
    /// No answer in time, a redirect, or an answer that is no time-stamp response.
    pub async fn answer(&self, request: Vec<u8>) -> anyhow::Result<Bytes> {
        let kind = HeaderValue::from_static("application/timestamp-query");
        let call = Call {
            method: Method::POST,
            url: self.url.clone(),
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
            body: Bytes::from(request),
            tag: Tag {
                no_redirects: true,
                ..Tag::default()
            },
        };
        let answer = self
            .transport
            .send(call)
            .await
            .map_err(|error| anyhow!("the time-stamping authority did not answer: {error}"))?;
        if !answer.is_success() {
            bail!(
                "the time-stamping authority answered with status {}",
                answer.status
            );
        }
        ensure!(
            answer.body.len() <= LARGEST_ANSWER,
            "the time-stamping authority's answer is too large to be a token"
        );
        Ok(answer.body)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transport::testing::{Reply, Server};
    use super::*;

    fn authority(url: &str) -> anyhow::Result<TimeStampAuthority> {
        TimeStampAuthority::new(url, None, Duration::from_secs(5), "ccgate/test")
    }

    #[test]
    fn an_address_that_holds_a_secret_or_is_none_is_refused_without_repeating_it() {
        for url in [
            "https://user:hunter2@tsa.test/",
            "https://hunter2@tsa.test/",
            "ftp://tsa.test/hunter2",
            "hunter2",
            "file:///hunter2",
            "https://tsa.test/#hunter2",
        ] {
            let error = authority(url).err().map(|error| format!("{error:#}"));
            assert!(
                error.is_some_and(|error| !error.contains("hunter2")),
                "{url}"
            );
        }
        assert!(authority("http://tsa.test/tsr").is_ok());
    }

    #[tokio::test]
    async fn the_request_goes_there_as_it_is_and_no_token_with_it() {
        let server = Server::start(|_, _| Reply::Full(200, Vec::new(), "answer".to_owned())).await;
        let answer = authority(server.url.as_str())
            .unwrap()
            .answer(b"question".to_vec())
            .await
            .unwrap();
        assert_eq!(answer, "answer");
        let received = server.received();
        assert_eq!(received.len(), 1);
        assert!(received[0].line.starts_with("POST /"));
        assert_eq!(received[0].body, "question");
        assert!(received[0].head.contains("application/timestamp-query"));
        assert!(!received[0].head.contains("authorization"));
    }

    #[tokio::test]
    async fn a_redirect_an_error_and_a_flood_are_no_answers() {
        for reply in [
            || Reply::status(302).header("location", "/elsewhere"),
            || Reply::status(403),
            || Reply::Full(200, Vec::new(), "x".repeat(LARGEST_ANSWER + 1)),
        ] {
            let server = Server::start(move |_, _| reply()).await;
            let authority = authority(server.url.as_str()).unwrap();
            assert!(authority.answer(b"question".to_vec()).await.is_err());
            assert_eq!(server.received().len(), 1, "nothing was followed");
        }
    }
}
