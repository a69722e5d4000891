//! A comment on a pull request, posted for the person whose token it is.

use serde::Deserialize;
use serde_json::json;

use super::super::posting::{Posted, not_taken};
use super::super::transport::Transport;
use super::super::{Setup, access};
use super::client::Client;

#[derive(Deserialize)]
struct Comment {
    html_url: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: Option<String>,
}

pub(in crate::platform) async fn post_comment(
    setup: &Setup,
    transport: &Transport,
    number: u64,
    text: &str,
) -> anyhow::Result<Posted> {
    let client = Client::new(&setup.place, &setup.token, transport)?;
    let path = format!(
        "/repos/{}/issues/{number}/comments",
        setup
            .place
            .repository
            .split('/')
            .map(access::encode)
            .collect::<Vec<_>>()
            .join("/")
    );
    let answer = client
        .post(&path, &json!({"body": text}))
        .await
        .map_err(|no| not_taken(&no, "`Pull requests: write`, and to be a person's own"))?;
    let comment: Comment = answer.json().map_err(anyhow::Error::msg)?;
    Ok(Posted {
        place: comment
            .html_url
            .unwrap_or_else(|| format!("a comment on #{number}")),
        by: comment.user.and_then(|user| user.login),
    })
}
