//! Issues as tickets: one question for each, in a round of its own, because their
//! numbers stand in what the change says. A moved issue stays where it was, closed,
//! and points to the new one.

use serde_json::Value;

use crate::facts::{Fact, FactKey, FoundTicket, Requester, Ticket};
use crate::platform::tickets::Fields;
use crate::platform::transport::Transport;
use crate::platform::{Setup, access, join};

use super::wire::Reply;
use super::{Session, permissions};

impl Session {
    /// What the platform has under each name.
    pub(in crate::platform) async fn tickets(&self, names: &[String]) -> Vec<Fact<FoundTicket>> {
        self.transport.begin_wave();
        join::all(names.iter().map(|name| self.ticket(name))).await
    }

    /// What other trackers are asked with.
    pub(in crate::platform) fn surroundings(&self) -> (&Transport, &Setup) {
        (&self.transport, &self.setup)
    }

    async fn ticket(&self, name: &str) -> Fact<FoundTicket> {
        let own = &self.setup.place.repository;
        let (home, number) = name.split_once('#').unwrap_or((name, ""));
        let home = if home.is_empty() { own } else { home };
        let path = format!(
            "/projects/{}/issues/{}",
            access::encode_path(home),
            access::encode(number)
        );
        found(own, &self.settings.get(&path).await)
    }
}

/// What an answer says. 404 may hide an issue, so it never says that there is none.
fn found(own: &str, reply: &Reply) -> Fact<FoundTicket> {
    let fact = FactKey::ChangeTickets.name();
    let answer = match reply {
        Ok(answer) => answer,
        Err(no_answer) => {
            return Fact::Unknown(access::refused(fact, permissions::ISSUES, no_answer));
        }
    };
    let body: Value = match answer.json() {
        Ok(body) => body,
        Err(detail) => {
            return Fact::Unknown(access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                &detail,
            ));
        }
    };
    let fields = Fields::new(&body, &answer.source);
    let Some(full) = fields.get("/references/full") else {
        return fields.left_out("/references/full");
    };
    let key = match (
        body.get("moved_to_id").and_then(Value::as_u64),
        full.split_once('#'),
    ) {
        (Some(id), _) => format!("the issue with the id {id}"),
        (None, Some((home, number))) if home.eq_ignore_ascii_case(own) => format!("#{number}"),
        (None, _) => full.to_owned(),
    };
    let state = match fields.get("/state") {
        Some("opened") => fields.seen("open".to_owned()),
        _ => fields.text("/state"),
    };
    let person = fields.optional_text("/author", "/author/username");
    fields.seen(FoundTicket::Ticket(Box::new(Ticket {
        key,
        ticket_type: fields.text("/issue_type").map(Some),
        state,
        requester: person.map(|login| {
            login.map(|name| Requester {
                name,
                is_login: true,
            })
        }),
        created_at: fields.time("/created_at"),
        closed_at: fields.optional_time("/closed_at"),
        url: fields.get("/web_url").map(str::to_owned),
        exported_at: None,
    })))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::facts::{Source, Why};
    use crate::platform::transport::{Answer, NoAnswer};

    fn answer(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
            endpoint: "GET /projects/acme%2Fapp/issues/3".to_owned(),
            source: Source {
                endpoint: "GET /projects/acme%2Fapp/issues/3".to_owned(),
                digest: "sha256:00".to_owned(),
            },
        }
    }

    fn of(edit: impl FnOnce(&mut Value)) -> Fact<FoundTicket> {
        let mut body = json!({
            "iid": 3, "references": {"full": "acme/app#3"}, "moved_to_id": null,
            "title": "not kept", "state": "opened", "issue_type": "incident",
            "author": {"username": "carol"}, "created_at": "2026-05-01T00:00:00.000Z",
            "closed_at": null, "web_url": "https://gitlab.test/acme/app/-/issues/3",
        });
        edit(&mut body);
        found("acme/app", &Ok(answer(200, &body)))
    }

    fn ticket(fact: &Fact<FoundTicket>) -> Ticket {
        match fact.known() {
            Ok(FoundTicket::Ticket(ticket)) => (**ticket).clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_issue_is_kept_without_its_texts() {
        let fact = of(|_| {});
        let it = ticket(&fact);
        assert_eq!(it.key, "#3");
        assert_eq!(it.state.known().map(String::as_str), Ok("open"));
        assert_eq!(it.ticket_type.known(), Ok(&Some("incident".to_owned())));
        assert_eq!(it.closed_at.known(), Ok(&None));
        assert!(it.created_at.is_known());
        assert!(!format!("{fact:?}").contains("not kept"));
    }

    #[test]
    fn a_moved_issue_and_one_of_another_project_have_another_key() {
        let moved = of(|body| body["moved_to_id"] = json!(77));
        assert_ne!(ticket(&moved).key, "#3");
        let other = of(|body| body["references"]["full"] = json!("acme/plans#3"));
        assert_eq!(ticket(&other).key, "acme/plans#3");
    }

    #[test]
    fn fields_that_are_left_out_are_unknown() {
        let bare = of(|body| *body = json!({"references": {"full": "acme/app#3"}}));
        let it = ticket(&bare);
        assert!(!it.state.is_known() && !it.requester.is_known() && !it.closed_at.is_known());
        assert!(!of(|body| *body = json!({"iid": 3})).is_known());
    }

    #[test]
    fn what_is_hidden_or_refused_is_unknown() {
        let of = |status| {
            let refusal = Err(NoAnswer::Status(answer(status, &json!({"message": "no"}))));
            found("acme/app", &refusal).known().unwrap_err()
        };
        assert_eq!(of(404).why, Why::HiddenOrAbsent);
        assert_eq!(of(401).why, Why::NotPermitted);
        assert!(
            of(403)
                .needs
                .is_some_and(|needs| needs.contains("read_api"))
        );
    }
}
