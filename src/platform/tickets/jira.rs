//! Jira, Cloud and Data Center: one question for each ticket, by the version of the
//! interface that both have. The token goes to the address that was set, and nowhere
//! else: no redirect is followed. Which tickets are asked for is decided elsewhere.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;
use url::Url;

use crate::facts::{Fact, FactKey, FoundTicket, Requester, Ticket, Unknown, Why};

use super::super::transport::{self, Answer, Call, NoAnswer, Tag, Token, Transport};
use super::super::{access, join};
use super::Fields;

/// What is needed to see a ticket.
pub(in crate::platform) const NEEDS: &str = "`JIRA_URL`, and `JIRA_TOKEN` of somebody with \"Browse projects\" (with their \
                     `JIRA_USER` on Jira Cloud)";

/// Only what is judged: no summary, no description.
const FIELDS: &str = "issuetype,status,reporter,created,resolutiondate";

/// Where Jira is, and who asks.
pub struct JiraAccess {
    api: Url,
    headers: HeaderMap,
}

impl JiraAccess {
    /// With a user the token is sent as the password of basic authentication, as Jira
    /// Cloud wants it; without one as a bearer token, as Data Center does.
    ///
    /// # Errors
    /// An address that is no plain `https` one (`http` only to this machine), or a
    /// token or user that cannot be sent.
    pub fn new(url: &str, token: &str, user: Option<&str>) -> anyhow::Result<Self> {
        let api = Url::parse(url.trim_end_matches('/'))
            .map_err(|error| anyhow::anyhow!("it is no address: {error}"))
            .context("`JIRA_URL` is not usable")?;
        match api.scheme() {
            "https" => {}
            "http" if transport::is_loopback(&api) => {}
            _ => {
                bail!("`JIRA_URL` has to begin with `https://`: a token would be sent in the open")
            }
        }
        ensure!(
            api.username().is_empty() && api.password().is_none(),
            "`JIRA_URL` holds a user or a password; set `JIRA_USER` and `JIRA_TOKEN` instead"
        );
        ensure!(
            api.query().is_none() && api.fragment().is_none(),
            "`JIRA_URL` is the address of Jira itself, without `?` and `#`"
        );
        let authorization = match user {
            Some(user) => {
                ensure!(
                    !user.contains(':') && !user.chars().any(char::is_control),
                    "`JIRA_USER` holds a character that no user has"
                );
                // Refuses what no token has, before it disappears in an encoding.
                Token::new(token.to_owned())
                    .header("")
                    .context("`JIRA_TOKEN` is not usable")?;
                let pair =
                    base64::engine::general_purpose::STANDARD.encode(format!("{user}:{token}"));
                Token::new(pair).header("Basic ")
            }
            None => Token::new(token.to_owned()).header("Bearer "),
        }
        .context("`JIRA_TOKEN` is not usable")?;
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(Self { api, headers })
    }

    /// The address.
    pub(in crate::platform) fn api(&self) -> &Url {
        &self.api
    }

    /// Asks for every ticket at once.
    pub(in crate::platform) async fn tickets(
        &self,
        transport: &Transport,
        keys: &[String],
    ) -> Vec<Fact<FoundTicket>> {
        transport.begin_wave();
        join::all(keys.iter().map(|key| self.ticket(transport, key))).await
    }

    async fn ticket(&self, transport: &Transport, key: &str) -> Fact<FoundTicket> {
        if !is_key(key) {
            return Fact::Unknown(Unknown::new(
                FactKey::ChangeTickets.name(),
                Why::NotSupported,
                format!("`{key}` is no key of Jira's, so it was not asked for"),
            ));
        }
        match self.get(transport, key).await {
            Ok(answer) => ticket(&self.api, &answer),
            Err(no_answer) => Fact::Unknown(refused(&no_answer)),
        }
    }

    async fn get(&self, transport: &Transport, key: &str) -> Result<Answer, NoAnswer> {
        let path = format!(
            "/rest/api/2/issue/{}?fields={}",
            access::encode(key),
            access::encode(FIELDS)
        );
        let call = Call {
            method: Method::GET,
            url: transport::under(&self.api, &path)?,
            headers: self.headers.clone(),
            body: Bytes::new(),
            tag: Tag {
                no_redirects: true,
                ..Tag::default()
            },
        };
        let answer = transport.send(call).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(NoAnswer::Status(answer))
        }
    }
}

/// Whether it is a project's key, a dash and a number, in letters that Jira allows.
/// What is refused here cannot mean another place of the interface.
fn is_key(key: &str) -> bool {
    key.rsplit_once('-').is_some_and(|(project, number)| {
        project.starts_with(|c: char| c.is_ascii_alphabetic())
            && project
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'_')
            && !number.is_empty()
            && number.bytes().all(|c| c.is_ascii_digit())
    })
}

/// Jira answers 404 for what is hidden and for what does not exist, so that is unknown.
/// A redirect leads to a page to log in, or to an address that was not set.
fn refused(no_answer: &NoAnswer) -> Unknown {
    let fact = FactKey::ChangeTickets.name();
    match no_answer {
        NoAnswer::Status(answer) if (300..400).contains(&answer.status) => Unknown::new(
            fact,
            Why::Failed,
            "Jira answered with a redirect, as it does to a page to log in; it was not followed",
        )
        .needs(NEEDS)
        .at(&answer.endpoint, Some(answer.status)),
        NoAnswer::Status(_) | NoAnswer::Transport(_) => access::refused(fact, NEEDS, no_answer),
    }
}

/// The address says which Jira answered: whoever edits the job can name another one.
fn ticket(api: &Url, answer: &Answer) -> Fact<FoundTicket> {
    let fact = FactKey::ChangeTickets.name();
    let malformed = |detail: &str| {
        Fact::Unknown(access::malformed(fact, &answer.endpoint, answer.status, detail).needs(NEEDS))
    };
    let is_page = answer
        .header("content-type")
        .is_some_and(|kind| kind.contains("html"))
        || answer.body.trim_ascii_start().starts_with(b"<");
    if is_page {
        return malformed("Jira answered with a page for people, as it does to ask for a login");
    }
    let body: Value = match answer.json() {
        Ok(body) => body,
        Err(detail) => return malformed(&detail),
    };
    let fields = Fields::new(&body, &answer.source);
    let Some(key) = fields.get("/key") else {
        return fields.left_out("/key");
    };
    fields.seen(FoundTicket::Ticket(Box::new(Ticket {
        key: key.to_owned(),
        ticket_type: fields.optional_text("/fields/issuetype", "/fields/issuetype/name"),
        state: fields.text("/fields/status/name"),
        requester: reporter(&fields),
        created_at: fields.time("/fields/created"),
        closed_at: closed(&fields),
        url: Some(format!(
            "{}/browse/{}",
            api.as_str().trim_end_matches('/'),
            access::encode(key)
        )),
        exported_at: None,
    })))
}

/// Cloud names people by account id, Data Center by user name. The address of their
/// mail is not kept.
fn reporter(fields: &Fields<'_>) -> Fact<Option<Requester>> {
    if fields.is_null("/fields/reporter") {
        return fields.seen(None);
    }
    let name = ["/fields/reporter/accountId", "/fields/reporter/name"]
        .iter()
        .find_map(|place| fields.get(place));
    match name {
        Some(name) => fields.seen(Some(Requester {
            name: name.to_owned(),
            is_login: false,
        })),
        None => fields.left_out("/fields/reporter"),
    }
}

/// A ticket is closed when it got its resolution. One that counts as done and has
/// none was closed at a moment that nobody tells.
fn closed(fields: &Fields<'_>) -> Fact<Option<jiff::Timestamp>> {
    let resolved = fields.optional_time("/fields/resolutiondate");
    match (&resolved, fields.get("/fields/status/statusCategory/key")) {
        (Fact::Known { value: None, .. }, Some("done") | None) => {
            fields.left_out("/fields/resolutiondate")
        }
        (Fact::Known { .. } | Fact::Unknown(_), _) => resolved,
    }
}

#[cfg(test)]
mod tests;
