//! A note on a merge request, posted for the person whose token it is.

use serde::Deserialize;
use serde_json::json;

use super::super::posting::{Posted, not_taken};
use super::super::transport::Transport;
use super::super::{Setup, access};
use super::client::Client;

#[derive(Deserialize)]
struct Note {
    id: Option<u64>,
    author: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    username: Option<String>,
}

pub(in crate::platform) async fn post_comment(
    setup: &Setup,
    transport: &Transport,
    number: u64,
    text: &str,
) -> anyhow::Result<Posted> {
    let client = Client::new(&setup.place, &setup.token, transport)?;
    let project = access::encode_path(&setup.place.repository);
    let path = format!("/projects/{project}/merge_requests/{number}/notes");
    let answer = client
        .post(&path, &json!({"body": text}))
        .await
        .map_err(|no| not_taken(&no, "scope `api`, and to be a person's own"))?;
    let note: Note = answer.json().map_err(anyhow::Error::msg)?;
    Ok(Posted {
        place: note.id.map_or_else(
            || format!("a note of !{number}"),
            |id| format!("note {id} of !{number}"),
        ),
        by: note.author.and_then(|author| author.username),
    })
}
