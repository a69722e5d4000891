//! Jira as it answers, and as it misbehaves.

use serde_json::json;

use super::super::super::transport::testing::{Reply, Server};
use super::*;

const SECRET: &str = "jira-verysecret";

fn issue() -> Value {
    json!({
        "id": "10001", "key": "ENG-7",
        "fields": {
            "issuetype": {"name": "Bug"},
            "status": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}},
            "reporter": {"accountId": "5b10a", "emailAddress": "carol@acme.test"},
            "created": "2026-05-01T09:00:00.000+0200", "resolutiondate": null,
        },
    })
}

async fn asked(server: &Server, key: &str) -> Fact<FoundTicket> {
    let access = JiraAccess::new(server.url.as_str(), SECRET, None).unwrap();
    let mut found = access.tickets(&server.transport(), &[key.to_owned()]).await;
    found.remove(0)
}

async fn answering(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Unknown {
    let server =
        Server::start(move |_, _| Reply::Full(status, headers.clone(), body.clone())).await;
    asked(&server, "ENG-7").await.known().unwrap_err()
}

async fn saying(edit: impl FnOnce(&mut Value)) -> Fact<FoundTicket> {
    let mut body = issue();
    edit(&mut body);
    let server = Server::start(move |_, _| Reply::json(&body.to_string())).await;
    asked(&server, "ENG-7").await
}

fn of(fact: &Fact<FoundTicket>) -> Ticket {
    match fact.known() {
        Ok(FoundTicket::Ticket(ticket)) => (**ticket).clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_ticket_is_asked_for_by_its_key_and_read_without_its_texts() {
    let server = Server::start(|_, _| Reply::json(&issue().to_string())).await;
    let fact = asked(&server, "ENG-7").await;
    let ticket = of(&fact);
    assert_eq!(ticket.key, "ENG-7");
    assert_eq!(ticket.ticket_type.known(), Ok(&Some("Bug".to_owned())));
    assert_eq!(ticket.state.known().map(String::as_str), Ok("In Progress"));
    assert_eq!(
        ticket.created_at.known().map(ToString::to_string),
        Ok("2026-05-01T07:00:00Z".to_owned())
    );
    assert_eq!(ticket.closed_at.known(), Ok(&None));
    assert_eq!(ticket.url, Some(format!("{}browse/ENG-7", server.url)));
    let reporter = ticket.requester.known().unwrap().clone().unwrap();
    assert_eq!(
        (reporter.name.as_str(), reporter.is_login),
        ("5b10a", false)
    );
    assert!(!format!("{fact:?}").contains("carol@"));
    assert!(fact.sources()[0].digest.starts_with("sha256:"));
    let received = server.received();
    assert_eq!(
        received[0].line,
        "GET /rest/api/2/issue/ENG-7?fields=issuetype%2Cstatus%2Creporter%2Ccreated%2Cresolutiondate"
    );
    assert!(
        received[0]
            .head
            .contains("authorization: bearer jira-verysecret")
    );
}

#[tokio::test]
async fn with_a_user_the_token_is_a_password() {
    let server = Server::start(|_, _| Reply::json(&issue().to_string())).await;
    let access = JiraAccess::new(server.url.as_str(), "abc", Some("ana@acme.test")).unwrap();
    access
        .tickets(&server.transport(), &["ENG-7".to_owned()])
        .await;
    let encoded = "YW5hQGFjbWUudGVzdDphYmM=".to_lowercase();
    let head = &server.received()[0].head;
    assert!(
        head.contains(&format!("authorization: basic {encoded}")),
        "{head}"
    );
}

#[tokio::test]
async fn the_token_stands_in_no_record() {
    let server = Server::start(|_, _| Reply::status(401)).await;
    let transport = server.transport();
    let access = JiraAccess::new(server.url.as_str(), SECRET, None).unwrap();
    let found = access.tickets(&transport, &["ENG-7".to_owned()]).await;
    let requests = transport.requests();
    assert_eq!(requests.count, 1);
    assert!(!format!("{found:?} {requests:?}").contains("verysecret"));
}

#[tokio::test]
async fn a_redirect_to_a_login_is_not_followed_even_on_the_same_host() {
    for to in ["/login.jsp", "https://login.acme.test/"] {
        let server = Server::start(move |number, _| match number {
            1 => Reply::status(302).header("location", to),
            _ => Reply::json(&issue().to_string()),
        })
        .await;
        let unknown = asked(&server, "ENG-7").await.known().unwrap_err();
        assert_eq!(server.count(), 1, "{to}");
        assert_eq!(unknown.status, Some(302));
        assert!(unknown.detail.contains("redirect"), "{unknown}");
        assert!(
            unknown
                .needs
                .is_some_and(|needs| needs.contains("JIRA_TOKEN"))
        );
    }
}

#[tokio::test]
async fn a_page_instead_of_json_is_unknown() {
    let html = ("content-type", "text/html;charset=UTF-8".to_owned());
    for (headers, body) in [
        (vec![html], "{}".to_owned()),
        (
            Vec::new(),
            "\n<!DOCTYPE html><html>Log in</html>".to_owned(),
        ),
    ] {
        let unknown = answering(200, headers, body).await;
        assert_eq!(unknown.why, Why::Failed);
        assert!(unknown.detail.contains("a page for people"), "{unknown}");
    }
    for body in ["", "[]", "{\"key\": 7}", "{\"key\": \"ENG-7\"", "nonsense"] {
        let unknown = answering(200, Vec::new(), body.to_owned()).await;
        assert_eq!(unknown.fact, "change.tickets", "{body}");
    }
}

#[tokio::test]
async fn what_is_refused_hidden_or_absent_is_unknown_and_says_what_is_needed() {
    for (status, why) in [
        (401, Why::NotPermitted),
        (403, Why::NotPermitted),
        (404, Why::HiddenOrAbsent),
    ] {
        let unknown = answering(status, Vec::new(), String::new()).await;
        assert_eq!(unknown.why, why, "{status}");
        assert!(
            unknown
                .needs
                .is_some_and(|needs| needs.contains("JIRA_URL"))
        );
    }
    assert_eq!(
        answering(500, Vec::new(), String::new()).await.why,
        Why::Failed
    );
}

#[tokio::test]
async fn empty_fields_are_unknown_one_by_one() {
    let ticket = of(&saying(|body| body["fields"] = json!({})).await);
    assert!(!ticket.ticket_type.is_known() && !ticket.state.is_known());
    assert!(!ticket.requester.is_known() && !ticket.created_at.is_known());
    assert!(!ticket.closed_at.is_known());
    let ticket = of(&saying(|body| {
        body["fields"]["status"]["name"] = json!("");
        body["fields"]["reporter"] = Value::Null;
    })
    .await);
    assert!(!ticket.state.is_known());
    assert_eq!(ticket.requester.known(), Ok(&None));
}

#[tokio::test]
async fn a_moved_ticket_keeps_the_key_of_the_answer() {
    let ticket = of(&saying(|body| body["key"] = json!("OPS-9")).await);
    assert_eq!(ticket.key, "OPS-9");
}

#[tokio::test]
async fn a_done_ticket_without_a_resolution_was_closed_nobody_knows_when() {
    let done = |date: Value| {
        saying(move |body| {
            body["fields"]["status"]["statusCategory"]["key"] = json!("done");
            body["fields"]["resolutiondate"] = date;
        })
    };
    assert!(!of(&done(Value::Null).await).closed_at.is_known());
    let closed = of(&done(json!("2026-05-02T00:00:00.000+0000")).await);
    assert!(closed.closed_at.known().unwrap().is_some());
    let no_category = saying(|body| body["fields"]["status"] = json!({"name": "Fertig"})).await;
    assert!(!of(&no_category).closed_at.is_known());
}

#[tokio::test]
async fn a_key_that_jira_does_not_have_is_not_asked_for() {
    let server = Server::start(|_, _| Reply::json(&issue().to_string())).await;
    for key in [
        "\u{0415}NG-7",
        "ENG-\u{0667}",
        "ENG-7/../..",
        "ENG",
        "-7",
        "7-7",
        "ENG-",
        "ENG 7-1",
    ] {
        assert!(!asked(&server, key).await.is_known(), "{key}");
    }
    assert_eq!(server.count(), 0);
}

#[test]
fn an_address_that_would_show_the_token_is_refused_without_printing_it() {
    for bad in [
        "http://jira.acme.test",
        "ftp://jira.acme.test",
        "https://ana:pw@jira.acme.test",
        "https://jira.acme.test/?x=1",
        "https://jira.acme.test/#x",
        "jira.acme.test",
        "",
    ] {
        let error = JiraAccess::new(bad, SECRET, None).err().expect(bad);
        assert!(!format!("{error:#}").contains("verysecret"), "{bad}");
    }
    for good in [
        "https://jira.acme.test/jira/",
        "http://127.0.0.1:1",
        "http://localhost:8080",
    ] {
        assert!(JiraAccess::new(good, SECRET, None).is_ok(), "{good}");
    }
    for (token, user) in [
        ("", None),
        ("a b", None),
        ("a\nb", Some("ana")),
        ("a", Some("a:b")),
    ] {
        assert!(JiraAccess::new("https://jira.acme.test", token, user).is_err());
    }
}
