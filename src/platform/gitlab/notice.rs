//! The notice of overrides on GitLab: a note on a merge request, or an issue. Only what the
//! token's own account wrote is ours.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::super::notice::{Notice, Own, Spot, unread, unsure, unwritten};
use super::super::transport::Transport;
use super::super::{Setup, access};
use super::client::Client;

/// What the token needs for it.
const NEEDS: &str = "scope `api`, and to belong to an account that may comment here";

#[derive(Deserialize)]
struct User {
    id: Option<u64>,
}

/// A note or an issue.
#[derive(Deserialize)]
struct Item {
    id: Option<u64>,
    iid: Option<u64>,
    body: Option<String>,
    description: Option<String>,
    author: Option<User>,
    state: Option<String>,
    web_url: Option<String>,
}

impl Item {
    fn number(&self, spot: Spot) -> Option<u64> {
        match spot {
            Spot::Change(_) => self.id,
            Spot::Issue => self.iid,
        }
    }
}

/// Every note on the change, or issue of the project, that the token's own account wrote.
pub(in crate::platform) async fn own_notices(
    setup: &Setup,
    transport: &Transport,
    spot: Spot,
) -> anyhow::Result<Vec<Own>> {
    let client = Client::new(&setup.place, &setup.token, transport)?;
    let answer = client
        .get("/user")
        .await
        .map_err(|no| unread("whose the token is", &no, NEEDS))?;
    let account: User = answer.json().map_err(anyhow::Error::msg)?;
    let account = account.id.ok_or_else(|| {
        anyhow::anyhow!("nothing was posted: the platform does not say whose the token is")
    })?;
    let project = project(setup);
    let path = match spot {
        Spot::Change(number) => {
            format!("{project}/merge_requests/{number}/notes?order_by=created_at&sort=asc")
        }
        // Closed ones too: one that somebody closed is still the one.
        Spot::Issue => format!(
            "{project}/issues?author_id={account}&scope=all&state=all&order_by=created_at&sort=asc"
        ),
    };
    let listing = client
        .get_all(&path, None)
        .await
        .map_err(|no| unread("the list of those that are there", &no, NEEDS))?;
    let mut own = Vec::new();
    for item in listing.items {
        let unreadable = |what: String| {
            anyhow::anyhow!(
                "nothing was posted: an entry in the answer to {} {what}",
                listing.endpoint
            )
        };
        let item: Item = serde_json::from_value(item)
            .map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        if item.author.as_ref().and_then(|author| author.id) != Some(account) {
            continue;
        }
        let id = item
            .number(spot)
            .ok_or_else(|| unreadable("has no number".to_owned()))?;
        let text = match spot {
            Spot::Change(_) => item.body,
            Spot::Issue => item.description,
        };
        own.push(Own {
            id,
            text: text.unwrap_or_default(),
            place: item.web_url.unwrap_or_else(|| at(spot, id)),
            closed: spot == Spot::Issue && item.state.is_some_and(|state| state != "opened"),
        });
    }
    Ok(own)
}

/// Makes the notice, or changes the one that is there. One request. Gives its place.
pub(in crate::platform) async fn write_notice(
    setup: &Setup,
    transport: &Transport,
    spot: Spot,
    notice: &Notice,
    there: Option<&Own>,
) -> anyhow::Result<String> {
    let client = Client::new(&setup.place, &setup.token, transport)?;
    let project = project(setup);
    let (path, body) = match spot {
        Spot::Change(number) => (
            format!("{project}/merge_requests/{number}/notes"),
            json!({"body": notice.text}),
        ),
        Spot::Issue => {
            let mut body = json!({"title": notice.title, "description": notice.text});
            if there.is_some_and(|own| own.closed && notice.reopen) {
                body["state_event"] = json!("reopen");
            }
            (format!("{project}/issues"), body)
        }
    };
    let (method, path) = match there {
        None => (Method::POST, path),
        Some(own) => (Method::PUT, format!("{path}/{}", own.id)),
    };
    let answer = client
        .write(method, &path, &body)
        .await
        .map_err(|no| unwritten(&no, NEEDS))?;
    let item: Item = answer.json().map_err(|why| unsure(&why))?;
    let id = item
        .number(spot)
        .ok_or_else(|| unsure("the answer names nothing that was written"))?;
    Ok(item.web_url.unwrap_or_else(|| at(spot, id)))
}

fn project(setup: &Setup) -> String {
    let project = access::encode_path(&setup.place.repository);
    format!("/projects/{project}")
}

fn at(spot: Spot, id: u64) -> String {
    match spot {
        Spot::Change(number) => format!("note {id} of !{number}"),
        Spot::Issue => format!("issue #{id}"),
    }
}
