//! What answers about alerts mean.

#![expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]

use serde_json::{Value, json};

use super::super::super::super::graph::testing::{refused, rest};
use super::super::super::reading::testing::{listing, no_listing};
use super::*;
use crate::facts::Why;

const WHEN: &str = "2026-05-01T00:00:00Z";

fn analysed() -> Result<Answer, NoAnswer> {
    rest(&json!([{"created_at": "2026-05-31T00:00:00Z", "error": ""}]))
}

fn code_alert(severity: &Value, level: &Value) -> Value {
    json!({"number": 12, "created_at": WHEN,
        "rule": {"id": "js/x", "severity": severity, "security_severity_level": level}})
}

fn open(fact: &Fact<Watch>) -> Vec<Alert> {
    match fact.known().unwrap() {
        Watch::On { open, .. } => open.clone(),
        other => panic!("{other:?}"),
    }
}

fn why(fact: &Fact<Watch>) -> Why {
    fact.known().unwrap_err().why
}

#[test]
fn alerts_of_code_come_with_their_severity_and_the_time_of_the_last_look() {
    let list = listing(&json!([
        code_alert(&json!("note"), &json!(null)),
        code_alert(&json!("warning"), &json!("critical")),
    ]));
    let fact = code(&list, &analysed());
    let found = open(&fact);
    assert_eq!(found[0].severity, Severity::Critical);
    assert_eq!(found[0].name, "#12 js/x");
    assert!(found[0].opened_at.is_some());
    assert_eq!(found[1].severity, Severity::Low);
    let Ok(Watch::On { looked_at, .. }) = fact.known() else {
        panic!("{fact:?}");
    };
    assert!(looked_at.is_some());
}

/// The cheat: no alerts because nobody looked.
#[test]
fn an_empty_list_of_a_branch_that_was_never_looked_at_is_no_clean_one() {
    let none = || listing(&json!([]));
    assert_eq!(
        code(&none(), &rest(&json!([]))).known(),
        Ok(&Watch::NothingYet)
    );
    assert_eq!(open(&code(&none(), &analysed())), []);
    let broken = rest(&json!([{"created_at": WHEN, "error": "out of memory"}]));
    assert_eq!(why(&code(&none(), &broken)), Why::Failed);
    let undated = rest(&json!([{"error": ""}]));
    assert_eq!(why(&code(&none(), &undated)), Why::HiddenOrAbsent);
    let hidden = refused(403, "Resource not accessible by integration");
    assert_eq!(why(&code(&none(), &hidden)), Why::NotPermitted);
}

#[test]
fn off_no_permission_and_no_analysis_are_three_answers() {
    let told =
        |status, message: &str| code(&no_listing(status, message), &refused(status, message));
    let off = "Code Security must be enabled for this repository to use code scanning.";
    assert_eq!(told(403, off).known(), Ok(&Watch::Off));
    assert_eq!(
        told(404, "no analysis found").known(),
        Ok(&Watch::NothingYet)
    );
    let no = told(403, "Resource not accessible by integration");
    assert_eq!(why(&no), Why::NotPermitted);
    assert!(no.known().unwrap_err().needs.is_some());
    assert_eq!(why(&told(404, "Not Found")), Why::HiddenOrAbsent);
    assert_eq!(why(&told(503, "")), Why::Failed);

    let dependencies =
        |status, message: &str| all_the_time(&no_listing(status, message), dependency);
    let off = "Dependabot alerts are disabled for this repository.";
    assert_eq!(dependencies(403, off).known(), Ok(&Watch::Off));
    assert_eq!(
        why(&dependencies(403, "Resource not accessible by integration")),
        Why::NotPermitted
    );
    let secrets = |message: &str| all_the_time(&no_listing(404, message), secret);
    let off = "Secret scanning is disabled on this repository.";
    assert_eq!(secrets(off).known(), Ok(&Watch::Off));
    assert_eq!(why(&secrets("Not Found")), Why::HiddenOrAbsent);
}

#[test]
fn alerts_of_dependencies_and_secrets_are_read_and_a_secret_is_not() {
    let list = listing(&json!([{"number": 3, "created_at": WHEN,
        "dependency": {"package": {"name": "left-pad"}},
        "security_vulnerability": {"severity": "medium"}}]));
    let found = open(&all_the_time(&list, dependency));
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(found[0].name, "#3 left-pad");
    let list = listing(&json!([
        {"number": 1, "created_at": WHEN, "secret_type": "some_token", "secret": "hush",
            "validity": "unknown"},
        {"number": 2, "secret_type": "other_token", "secret": "hush", "validity": "active"},
    ]));
    let fact = all_the_time(&list, secret);
    let found = open(&fact);
    assert_eq!(found[0].name, "#2 other_token");
    assert_eq!(found[0].severity, Severity::Critical);
    assert_eq!(found[0].opened_at, None);
    assert_eq!(found[1].severity, Severity::High);
    assert!(!format!("{fact:?}").contains("hush"));
}

#[test]
fn one_alert_that_cannot_be_read_spoils_the_list_and_an_odd_severity_is_high() {
    let list = listing(&json!([{"created_at": WHEN}]));
    assert_eq!(why(&all_the_time(&list, dependency)), Why::Failed);
    let list = listing(&json!([{"number": "x"}]));
    assert_eq!(why(&all_the_time(&list, secret)), Why::Failed);
    for word in [Some("severe"), Some("error"), Some("high"), None] {
        assert_eq!(severity(word), Severity::High);
    }
}
