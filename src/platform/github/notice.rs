//! The notice of overrides on GitHub: a comment on a pull request, or an issue. Whoever may
//! write issues may change those of others, so only what the token's own account wrote is ours.

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::notice::{Notice, Own, Spot, unread, unsure, unwritten};
use super::super::transport::{NoAnswer, Transport};
use super::super::{Setup, access};
use super::client::Client;

/// What the token needs for it.
fn needs(spot: Spot) -> &'static str {
    match spot {
        Spot::Change(_) => "`Pull requests: write` (`pull-requests: write` in a workflow)",
        Spot::Issue => "`Issues: write` (`issues: write` in a workflow)",
    }
}

/// The account that the token belongs to.
struct Account {
    login: String,
    id: u64,
    /// Whether it is an app's: then only what came through an app can be its.
    app: bool,
}

#[derive(Deserialize)]
struct Whose {
    login: Option<String>,
    #[serde(alias = "databaseId")]
    id: Option<u64>,
}

/// A comment or an issue.
#[derive(Deserialize)]
struct Item {
    id: Option<u64>,
    number: Option<u64>,
    body: Option<String>,
    html_url: Option<String>,
    state: Option<String>,
    user: Option<User>,
    performed_via_github_app: Option<Value>,
    pull_request: Option<Value>,
}

#[derive(Deserialize)]
struct User {
    id: Option<u64>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Every comment on the change, or issue of the repository, that the token's own account wrote.
pub(in crate::platform) async fn own_notices(
    setup: &Setup,
    transport: &Transport,
    spot: Spot,
) -> anyhow::Result<Vec<Own>> {
    let client = Client::new(&setup.place, &setup.token, transport)?;
    let account = account(&client, needs(spot)).await?;
    let repository = repository(setup);
    let path = match spot {
        Spot::Change(number) => format!("{repository}/issues/{number}/comments"),
        // Closed ones too: one that somebody closed is still the one.
        Spot::Issue => format!(
            "{repository}/issues?state=all&creator={}&sort=created&direction=asc",
            access::encode(&account.login)
        ),
    };
    let listing = client
        .get_all(&path, None)
        .await
        .map_err(|no| unread("the list of those that are there", &no, needs(spot)))?;
    let mut own = Vec::new();
    for item in listing.items {
        let item: Item = read(item, &listing.endpoint)?;
        if !account.wrote(&item) || item.pull_request.is_some() {
            continue;
        }
        let number = match spot {
            Spot::Change(_) => item.id,
            Spot::Issue => item.number,
        };
        let id = number.ok_or_else(|| {
            anyhow::anyhow!(
                "nothing was posted: an entry in the answer to {} has no number",
                listing.endpoint
            )
        })?;
        own.push(Own {
            id,
            place: item.html_url.unwrap_or_else(|| at(spot, Some(id))),
            closed: item.state.is_some_and(|state| state != "open"),
            text: item.body.unwrap_or_default(),
        });
    }
    Ok(own)
}

impl Account {
    fn wrote(&self, item: &Item) -> bool {
        let Some(user) = &item.user else {
            return false;
        };
        let through_app =
            user.kind.as_deref() == Some("Bot") && item.performed_via_github_app.is_some();
        user.id == Some(self.id) && (!self.app || through_app)
    }
}

/// Whose the token is. An app's, and that of a workflow, may not ask as a person does, and is
/// told by the question that every token may ask.
async fn account(client: &Client, needs: &str) -> anyhow::Result<Account> {
    let unknown = || {
        anyhow::anyhow!(
            "nothing was posted: the platform does not say whose the token is, so nobody can say \
             which comment or issue is its own"
        )
    };
    let refused = |no| unread("whose the token is", &no, needs);
    match client.get("/user").await {
        Ok(answer) => {
            let whose: Whose = answer.json().map_err(anyhow::Error::msg)?;
            let (login, id) = whose.login.zip(whose.id).ok_or_else(unknown)?;
            Ok(Account {
                login,
                id,
                app: false,
            })
        }
        Err(NoAnswer::Status(answer)) if answer.status == 403 => {
            let answer = client
                .graphql(
                    "CcgateNotice",
                    "query CcgateNotice { viewer { login databaseId } }",
                    json!({}),
                )
                .await
                .map_err(refused)?;
            let endpoint = answer.endpoint;
            let viewer = answer
                .data
                .and_then(|data| data.get("viewer").cloned())
                .filter(|viewer| !viewer.is_null())
                .ok_or_else(unknown)?;
            let whose: Whose = read(viewer, &endpoint)?;
            let (login, id) = whose.login.zip(whose.id).ok_or_else(unknown)?;
            Ok(Account {
                login,
                id,
                app: true,
            })
        }
        Err(no) => Err(refused(no)),
    }
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
    let repository = repository(setup);
    let (method, path, body) = match (spot, there) {
        (Spot::Change(number), None) => (
            Method::POST,
            format!("{repository}/issues/{number}/comments"),
            json!({"body": notice.text}),
        ),
        (Spot::Change(_), Some(own)) => (
            Method::PATCH,
            format!("{repository}/issues/comments/{}", own.id),
            json!({"body": notice.text}),
        ),
        (Spot::Issue, None) => (
            Method::POST,
            format!("{repository}/issues"),
            json!({"title": notice.title, "body": notice.text}),
        ),
        (Spot::Issue, Some(own)) => (
            Method::PATCH,
            format!("{repository}/issues/{}", own.id),
            if own.closed && notice.reopen {
                json!({"title": notice.title, "body": notice.text, "state": "open"})
            } else {
                json!({"title": notice.title, "body": notice.text})
            },
        ),
    };
    let answer = client
        .write(method, &path, &body)
        .await
        .map_err(|no| unwritten(&no, needs(spot)))?;
    let item: Item = answer.json().map_err(|why| unsure(&why))?;
    let id = match spot {
        Spot::Change(_) => item.id,
        Spot::Issue => item.number,
    };
    if id.is_none() {
        return Err(unsure("the answer names nothing that was written"));
    }
    Ok(item.html_url.unwrap_or_else(|| at(spot, id)))
}

fn repository(setup: &Setup) -> String {
    let path: Vec<_> = setup
        .place
        .repository
        .split('/')
        .map(access::encode)
        .collect();
    format!("/repos/{}", path.join("/"))
}

fn at(spot: Spot, id: Option<u64>) -> String {
    let id = id.map_or_else(String::new, |id| format!(" {id}"));
    match spot {
        Spot::Change(number) => format!("comment{id} on #{number}"),
        Spot::Issue => format!("issue{id}"),
    }
}

fn read<T: DeserializeOwned>(value: Value, endpoint: &str) -> anyhow::Result<T> {
    serde_json::from_value(value).map_err(|error| {
        anyhow::anyhow!(
            "nothing was posted: an entry in the answer to {endpoint} cannot be read: {error}"
        )
    })
}
