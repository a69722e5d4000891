//! What answers about findings mean.

#![expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]

use super::super::super::testing::refused;
use super::super::answered::testing::told;
use super::*;
use serde_json::json;

fn finding(report: &str, severity: &str) -> Value {
    json!({"id": "gid://gitlab/Vulnerability/7", "title": "A weakness", "severity": severity,
        "reportType": report, "detectedAt": "2026-05-01T00:00:00Z"})
}

fn answer(
    ran: &[&str],
    enabled: &[&str],
    nodes: &[Value],
    more: bool,
) -> Result<GraphqlAnswer, NoAnswer> {
    told(&json!({"data": {"project": {
        "securityScanners": {"enabled": enabled, "pipelineRun": ran},
        "vulnerabilities": {"nodes": nodes,
            "pageInfo": {"hasNextPage": more, "endCursor": "next"}},
    }}}))
}

fn read(ran: &[&str], enabled: &[&str], nodes: &[Value]) -> Alerts {
    let answer = answer(ran, enabled, nodes, false);
    translated(&[&answer], None).known().unwrap().clone()
}

fn open(fact: &Fact<Watch>) -> usize {
    match fact.known().unwrap() {
        Watch::On { open, .. } => open.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn findings_stand_under_what_was_looked_for() {
    let all = ["SAST", "DEPENDENCY_SCANNING", "SECRET_DETECTION"];
    let found = read(
        &all,
        &all,
        &[
            finding("SAST", "HIGH"),
            finding("DAST", "LOW"),
            finding("CONTAINER_SCANNING", "CRITICAL"),
            finding("SECRET_DETECTION", "UNKNOWN"),
        ],
    );
    assert_eq!(open(&found.code), 2);
    assert_eq!(open(&found.dependencies), 1);
    assert_eq!(open(&found.leaked_secrets), 1);
    let Ok(Watch::On { open, .. }) = found.leaked_secrets.known() else {
        panic!("it looks");
    };
    assert_eq!(open[0].name, "#7 A weakness");
    assert_eq!(open[0].severity, Severity::High);
    assert!(open[0].opened_at.is_some());
}

#[test]
fn off_and_never_run_are_two_answers_and_an_open_finding_is_neither() {
    let found = read(&["SAST"], &["SAST", "SECRET_DETECTION"], &[]);
    assert_eq!(open(&found.code), 0);
    assert_eq!(found.leaked_secrets.known(), Ok(&Watch::NothingYet));
    assert_eq!(found.dependencies.known(), Ok(&Watch::Off));
    let found = read(&[], &[], &[finding("SECRET_DETECTION", "HIGH")]);
    assert_eq!(open(&found.leaked_secrets), 1);
}

#[test]
fn no_list_is_hidden_and_only_a_tier_that_was_seen_makes_it_off() {
    let null = || told(&json!({"data": {"project": {"vulnerabilities": null}}}));
    let why = |fact: Fact<Alerts>| fact.known().unwrap_err().why;
    assert_eq!(why(translated(&[&null()], None)), Why::HiddenOrAbsent);
    let free = translated(&[&null()], Some(Vec::new()));
    let free = free.known().unwrap();
    assert!(free.not_in_plan);
    assert_eq!(free.code.known(), Ok(&Watch::Off));
    assert_eq!(why(translated(&[&refused(401)], None)), Why::NotPermitted);
    assert_eq!(
        why(translated(&[&refused(401)], Some(Vec::new()))),
        Why::NotPermitted
    );
    let unheard = || {
        told(&json!({"errors": [{"message": "no such field",
            "extensions": {"code": "undefinedField"}}]}))
    };
    assert_eq!(why(translated(&[&unheard()], None)), Why::NotSupported);
    assert!(translated(&[&unheard()], Some(Vec::new())).is_known());
}

/// The cheat, or a fault: a list that breaks off.
#[test]
fn a_list_that_goes_on_or_cannot_be_read_is_no_list() {
    let first = answer(&["SAST"], &["SAST"], &[finding("SAST", "LOW")], true);
    assert_eq!(next(&first).as_deref(), Some("next"));
    assert!(!translated(&[&first], None).is_known());
    let first = answer(&["SAST"], &["SAST"], &[finding("SAST", "LOW")], true);
    let second = answer(&["SAST"], &["SAST"], &[finding("SAST", "LOW")], false);
    let both = translated(&[&first, &second], None);
    assert_eq!(open(&both.known().unwrap().code), 2);
    let odd = answer(&[], &[], &[json!({"id": "x"})], false);
    assert!(!translated(&[&odd], None).is_known());
    let untold = told(&json!({"data": {"project": {"securityScanners": null,
        "vulnerabilities": {"nodes": [], "pageInfo": {"hasNextPage": false}}}}}));
    let untold = translated(&[&untold], None);
    assert!(!untold.known().unwrap().code.is_known());
}
