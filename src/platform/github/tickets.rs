//! Issues as tickets: one question for each, in a round of its own, because their
//! numbers stand in what the change says. A number may as well be a pull request's,
//! and an issue may have been transferred; the answer says both.

use serde_json::Value;

use crate::facts::{Fact, FactKey, FoundTicket, Requester, Ticket, Unknown, Why};
use crate::platform::tickets::Fields;
use crate::platform::transport::{Answer, NoAnswer, Transport};
use crate::platform::{Setup, access, join};

use super::{Session, permissions, repository_path};

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
        let Some((owner, repository)) = home
            .split_once('/')
            .filter(|(_, repository)| !repository.contains('/'))
        else {
            return Fact::Unknown(Unknown::new(
                FactKey::ChangeTickets.name(),
                Why::NotSupported,
                format!("`{home}` is no repository of this platform"),
            ));
        };
        let path = format!(
            "{}/issues/{}",
            repository_path(owner, repository),
            access::encode(number)
        );
        // A workflow token sees only its own repository.
        let client = match &self.settings {
            Some(settings) if !home.eq_ignore_ascii_case(own) => settings,
            Some(_) | None => &self.change,
        };
        found(own, client.get(&path).await)
    }
}

/// What an answer says. Only 410 says that there is no such issue: 404 may hide one.
fn found(own: &str, answer: Result<Answer, NoAnswer>) -> Fact<FoundTicket> {
    let fact = FactKey::ChangeTickets;
    let answer = match answer {
        Ok(answer) => answer,
        Err(NoAnswer::Status(gone)) if gone.status == 410 => {
            return Fact::seen(FoundTicket::Nothing, gone.source);
        }
        Err(no_answer) => {
            return Fact::Unknown(access::refused(
                fact.name(),
                permissions::needs(fact),
                &no_answer,
            ));
        }
    };
    let body: Value = match answer.json() {
        Ok(body) => body,
        Err(detail) => {
            return Fact::Unknown(access::malformed(
                fact.name(),
                &answer.endpoint,
                answer.status,
                &detail,
            ));
        }
    };
    let fields = Fields::new(&body, &answer.source);
    if body.get("pull_request").is_some_and(|it| !it.is_null()) {
        return fields.seen(FoundTicket::Change);
    }
    let Some(key) = key(own, &body) else {
        return fields.left_out("/repository_url");
    };
    let person = fields.optional_text("/user", "/user/login");
    fields.seen(FoundTicket::Ticket(Box::new(Ticket {
        key,
        ticket_type: fields.optional_text("/type", "/type/name"),
        state: state(&fields),
        requester: person.map(|login| {
            login.map(|name| Requester {
                name,
                is_login: true,
            })
        }),
        created_at: fields.time("/created_at"),
        closed_at: fields.optional_time("/closed_at"),
        url: fields.get("/html_url").map(str::to_owned),
        exported_at: None,
    })))
}

/// The name that the issue has now: an old address leads to it after a transfer.
fn key(own: &str, body: &Value) -> Option<String> {
    let number = body.get("number")?.as_u64()?;
    let mut parts = body.get("repository_url")?.as_str()?.rsplit('/');
    let (repository, owner) = (parts.next()?, parts.next()?);
    let home = format!("{owner}/{repository}");
    Some(if home.eq_ignore_ascii_case(own) {
        format!("#{number}")
    } else {
        format!("{home}#{number}")
    })
}

/// A closed issue says why, where it does; that word says more than `closed`.
fn state(fields: &Fields<'_>) -> Fact<String> {
    match (fields.get("/state"), fields.get("/state_reason")) {
        (Some("closed"), Some(reason)) => fields.seen(reason.to_owned()),
        _ => fields.text("/state"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::{refused, rest};
    use super::*;
    use serde_json::json;

    fn issue() -> Value {
        json!({
            "number": 3, "repository_url": "https://api.github.com/repos/acme/app",
            "html_url": "https://github.com/acme/app/issues/3", "title": "not kept",
            "state": "open", "state_reason": null, "type": {"name": "Bug"},
            "user": {"login": "carol"}, "created_at": "2026-05-01T00:00:00Z", "closed_at": null,
        })
    }

    fn of(edit: impl FnOnce(&mut Value)) -> Fact<FoundTicket> {
        let mut body = issue();
        edit(&mut body);
        found("acme/app", rest(&body))
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
        assert_eq!(it.ticket_type.known(), Ok(&Some("Bug".to_owned())));
        assert_eq!(it.state.known().map(String::as_str), Ok("open"));
        assert_eq!(it.closed_at.known(), Ok(&None));
        let requester = it.requester.known().unwrap().clone().unwrap();
        assert_eq!(
            (requester.name.as_str(), requester.is_login),
            ("carol", true)
        );
        assert_eq!(fact.sources().len(), 1);
        assert!(!format!("{fact:?}").contains("not kept"));
    }

    #[test]
    fn a_pull_request_is_no_ticket() {
        let fact = of(|body| body["pull_request"] = json!({"url": "x"}));
        assert_eq!(fact.known(), Ok(&FoundTicket::Change));
    }

    #[test]
    fn a_transferred_issue_has_another_key() {
        let fact = of(|body| {
            body["repository_url"] = json!("https://api.github.com/repos/acme/plans");
            body["number"] = json!(9);
        });
        assert_eq!(ticket(&fact).key, "acme/plans#9");
    }

    #[test]
    fn a_closed_issue_says_why_where_it_does() {
        let closed = |reason: Value| {
            let fact = of(|body| {
                body["state"] = json!("closed");
                body["state_reason"] = reason;
                body["closed_at"] = json!("2026-05-02T00:00:00Z");
            });
            let it = ticket(&fact);
            assert!(it.closed_at.known().unwrap().is_some());
            it.state.known().unwrap().clone()
        };
        assert_eq!(closed(json!("not_planned")), "not_planned");
        assert_eq!(closed(Value::Null), "closed");
    }

    #[test]
    fn a_field_that_is_left_out_is_unknown_and_one_that_is_null_is_empty() {
        let bare = of(|body| {
            *body = json!({
                "number": 3, "repository_url": "https://api.github.com/repos/acme/app",
                "user": null, "type": null,
            });
        });
        let it = ticket(&bare);
        assert_eq!(it.requester.known(), Ok(&None));
        assert_eq!(it.ticket_type.known(), Ok(&None));
        assert!(!it.state.is_known() && !it.closed_at.is_known() && !it.created_at.is_known());
        assert!(!of(|body| *body = json!({})).is_known());
        assert!(!of(|body| *body = json!([])).is_known());
    }

    #[test]
    fn only_410_says_that_there_is_no_such_issue() {
        let of = |status| found("acme/app", refused(status, "no"));
        assert_eq!(of(410).known(), Ok(&FoundTicket::Nothing));
        assert_eq!(of(404).known().unwrap_err().why, Why::HiddenOrAbsent);
        let forbidden = of(403).known().unwrap_err();
        assert_eq!(forbidden.why, Why::NotPermitted);
        assert!(
            forbidden
                .needs
                .is_some_and(|needs| needs.contains("Issues: read"))
        );
    }
}
