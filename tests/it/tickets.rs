//! Tickets read back, from outside: an exported file, and a small Jira on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::support::{Bench, control};

/// A bench whose change 42 is named like that, and whose policy keeps tickets there.
fn bench(tracker: &str) -> Bench {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.change(42).title = "Refund twice at most (INC-7)".to_owned();
        acme.policy = Some(format!(
            "version: 1\ncontrols:\n  ticket-accountable: {{tracker: {tracker}, states: [open]}}\n"
        ));
    });
    bench
}

fn export(bench: &Bench, state: &str) {
    let now = bench.forge.with(|acme| acme.now());
    let text = format!("key,state,closed_at,exported_at\nINC-7,{state},,{now}\n");
    std::fs::write(bench.path("tickets.csv"), text).expect("a file in a temporary folder");
}

fn verdict(decision: &Value) -> (&str, &str) {
    let control = control(decision, "CHG-11");
    let word = |field: &str| control[field].as_str().unwrap_or_default();
    (word("verdict"), word("summary"))
}

#[test]
fn a_ticket_of_an_exported_file_accounts_for_the_change() {
    let bench = bench("file");
    export(&bench, "open");
    let (code, decision) = bench.decision(&["--tickets", "tickets.csv"]);
    assert_eq!(verdict(&decision).0, "pass", "{decision:#}");
    assert_eq!(code, 0);
    assert!(decision.to_string().contains("file tickets.csv"));
    export(&bench, "rejected");
    let (code, decision) = bench.decision(&["--tickets", "tickets.csv"]);
    assert_eq!((code, verdict(&decision).0), (1, "fail"), "{decision:#}");
}

#[test]
fn without_the_file_or_with_a_broken_one_nothing_passes() {
    let bench = bench("file");
    let (code, decision) = bench.decision(&[]);
    assert_eq!((code, verdict(&decision).0), (3, "unknown"), "{decision:#}");
    assert!(decision.to_string().contains("--tickets"), "{decision:#}");
    std::fs::write(bench.path("tickets.csv"), "nonsense\n").expect("a file");
    let ended = bench.check(&["--tickets", "tickets.csv"]);
    assert_eq!(ended.code, 2, "{}", ended.stdout);
    assert!(ended.stderr.contains("`key`"), "{}", ended.stderr);
    assert_eq!(bench.check(&["--tickets", "none.csv"]).code, 2);
}

#[test]
fn facts_that_were_saved_give_the_same_verdict_without_the_file() {
    let bench = bench("file");
    export(&bench, "open");
    bench.decision(&["--tickets", "tickets.csv", "--save-snapshot", "facts.json"]);
    let again = bench.run(&["check", "--snapshot", "facts.json", "--format", "json"]);
    let decision: Value = serde_json::from_str(&again.stdout).expect("a decision");
    assert_eq!(
        (again.code, verdict(&decision).0),
        (0, "pass"),
        "{decision:#}"
    );
}

/// Answers every request like that, and tells the heads that came.
fn jira(answer: &'static str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    let address = format!("http://{}", listener.local_addr().expect("a bound address"));
    let (tell, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = Vec::new();
            let mut byte = [0_u8; 1];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0)
            {
                head.push(byte[0]);
            }
            let _ = stream.write_all(answer.as_bytes());
            if tell
                .send(String::from_utf8_lossy(&head).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    (address, heads)
}

const OPEN: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
    {\"key\": \"INC-7\", \"fields\": {\"status\": {\"name\": \"Open\", \"statusCategory\": {\"key\": \"new\"}}, \
    \"resolutiondate\": null}}";

#[test]
fn jira_is_asked_in_a_round_of_its_own_and_its_token_stays_out_of_everything() {
    let (address, heads) = jira(OPEN);
    let bench = bench("jira")
        .env("JIRA_URL", &address)
        .env("JIRA_TOKEN", "jira-verysecret");
    let (code, decision) = bench.decision(&["--save-snapshot", "facts.json"]);
    assert_eq!((code, verdict(&decision).0), (0, "pass"), "{decision:#}");
    let head = heads.recv().expect("Jira was asked");
    assert!(head.starts_with("GET /rest/api/2/issue/INC-7?"), "{head}");
    assert!(head.contains("jira-verysecret"), "{head}");
    let saved = std::fs::read_to_string(bench.path("facts.json")).expect("facts were saved");
    for text in [saved, decision.to_string()] {
        assert!(!text.contains("verysecret"));
        assert!(text.contains("/rest/api/2/issue/INC-7"), "{text}");
    }
    assert_eq!(decision["requests"]["waves"], 3, "{decision:#}");
}

#[test]
fn jira_that_answers_with_a_login_leaves_it_unknown() {
    for answer in [
        "HTTP/1.1 302 Found\r\nlocation: /login.jsp\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>Log in</html>",
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ] {
        let (address, heads) = jira(answer);
        let bench = bench("jira")
            .env("JIRA_URL", &address)
            .env("JIRA_TOKEN", "abc");
        let (code, decision) = bench.decision(&[]);
        assert_eq!((code, verdict(&decision).0), (3, "unknown"), "{decision:#}");
        assert_eq!(heads.try_iter().count(), 1, "{answer}");
    }
}

#[test]
fn jira_without_address_or_in_the_open_is_never_a_pass() {
    let (code, decision) = bench("jira").decision(&[]);
    assert_eq!((code, verdict(&decision).0), (3, "unknown"), "{decision:#}");
    assert!(decision.to_string().contains("JIRA_URL"), "{decision:#}");
    let open = bench("jira")
        .env("JIRA_URL", "http://jira.acme.test")
        .env("JIRA_TOKEN", "jira-verysecret");
    let ended = open.check(&[]);
    assert_eq!(ended.code, 2, "{}", ended.stdout);
    assert!(ended.stderr.contains("https"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("verysecret"), "{}", ended.stderr);
}

#[test]
fn explain_reads_tickets_back_as_well() {
    let (address, heads) = jira(OPEN);
    let bench = bench("jira")
        .env("JIRA_URL", &address)
        .env("JIRA_TOKEN", "jira-verysecret");
    let ended = bench.run(&[
        "explain",
        "CHG-11",
        "--change",
        "42",
        "--repo",
        "acme/payments",
        "--platform",
        "github",
    ]);
    let text = &ended.stdout;
    assert!(text.contains("CHG-11  ticket-accountable: pass"), "{text}");
    assert!(text.contains("INC-7"), "{text}");
    drop(heads);
}
