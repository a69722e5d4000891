//! SCAN-01: clean reports, and the many ways to hand in one that only looks it.

use serde_json::{Value, from_value, json};

use super::SastClean;
use crate::controls::control::{Control as _, Verdict};
use crate::controls::testing::{at, head, hidden, nothing_seen, older, seen, verdict_of};
use crate::facts::{
    FindingCount, ScanFailure, ScanReport, ScanResults, ScanRun, Severity, Snapshot,
};

fn run(counts: Vec<FindingCount>) -> ScanRun {
    ScanRun {
        version: Some("1.99".to_owned()),
        execution_successful: Some(true),
        revision: Some(head()),
        ended_at: Some(at("2026-06-01T11:00:00Z")),
        counts,
        examples: vec!["rule-a at src/a.rs:1".to_owned()],
        ..ScanRun::of("Semgrep")
    }
}

fn open(severity: Severity, open: u64) -> FindingCount {
    FindingCount {
        severity,
        open,
        new: None,
        suppressed: 0,
    }
}

fn report(digest: &str, runs: Result<Vec<ScanRun>, ScanFailure>) -> ScanReport {
    ScanReport {
        pattern: "out/*.sarif".to_owned(),
        path: "out/semgrep.sarif".to_owned(),
        digest: digest.to_owned(),
        format: "sarif-2.1.0".to_owned(),
        modified_at: None,
        runs,
    }
}

fn handed_in(reports: Vec<ScanReport>) -> Snapshot {
    let mut facts = nothing_seen();
    facts.scans = seen(ScanResults::of(reports));
    facts
}

fn one(run: ScanRun) -> Snapshot {
    handed_in(vec![report("sha256:aa", Ok(vec![run]))])
}

fn with(parameters: Value) -> SastClean {
    from_value(parameters).expect("parameters")
}

/// Semgrep is expected and required; `more` adds to that expectation.
fn expecting(more: Value) -> SastClean {
    let mut scan = json!({"tool": "semgrep", "path": "out/*.sarif", "required": true});
    if let (Value::Object(scan), Value::Object(more)) = (&mut scan, more) {
        scan.extend(more);
    }
    with(json!({ "scans": [scan] }))
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&SastClean::default(), facts)
}

#[test]
fn a_run_without_findings_on_the_head_passes() {
    assert_eq!(verdict(&one(run(vec![]))), "pass");
    assert_eq!(verdict(&one(run(vec![open(Severity::Medium, 9)]))), "pass");
    assert_eq!(verdict_of(&expecting(json!({})), &one(run(vec![]))), "pass");
}

#[test]
fn findings_over_a_limit_fail() {
    let facts = one(run(vec![open(Severity::High, 1)]));
    assert_eq!(verdict(&facts), "fail findings");
}

#[test]
fn findings_fail_even_where_another_report_is_in_doubt() {
    let bad = report(
        "sha256:aa",
        Ok(vec![run(vec![open(Severity::Critical, 1)])]),
    );
    let broken = report("", Err(ScanFailure::Unparsable("line 1".to_owned())));
    assert_eq!(verdict(&handed_in(vec![broken, bad])), "fail findings");
}

#[test]
fn no_report_a_missing_an_unreadable_an_unparsable_and_an_empty_one_are_unknown() {
    assert_eq!(verdict(&handed_in(vec![])), "unknown");
    for runs in [
        Err(ScanFailure::Missing),
        Err(ScanFailure::Unreadable("permission denied".to_owned())),
        Err(ScanFailure::Unparsable("line 1".to_owned())),
        Ok(vec![]),
    ] {
        assert_eq!(verdict(&handed_in(vec![report("", runs)])), "unknown");
    }
}

#[test]
fn scans_that_were_not_looked_for_are_unknown() {
    let mut facts = nothing_seen();
    facts.scans = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

/// F28: the tool crashed and said nothing bad.
#[test]
fn f28_a_run_that_failed_is_unknown() {
    let crashed = ScanRun {
        execution_successful: Some(false),
        ..run(vec![])
    };
    assert_eq!(verdict(&one(crashed)), "unknown");
}

#[test]
fn a_report_of_another_commit_is_unknown() {
    let old = ScanRun {
        revision: Some(older()),
        ..run(vec![])
    };
    assert_eq!(verdict(&one(old)), "unknown");
}

#[test]
fn a_report_that_names_no_commit_passes_and_says_so() {
    let silent = ScanRun {
        revision: None,
        ..run(vec![])
    };
    let Ok(Verdict::Pass(evidence)) = SastClean::default().evaluate(&one(silent)) else {
        panic!("it passes");
    };
    assert!(evidence.summary().contains("names no commit"));
}

#[test]
fn a_run_that_is_too_old_of_unknown_age_or_from_the_future_is_unknown() {
    let daily = expecting(json!({"max_age_seconds": 86400}));
    let ended = |when: Option<&str>| {
        one(ScanRun {
            ended_at: when.map(at),
            ..run(vec![])
        })
    };
    assert_eq!(
        verdict_of(&daily, &ended(Some("2026-05-31T12:00:00Z"))),
        "pass"
    );
    for when in [
        Some("2026-05-31T11:59:59Z"),
        None,
        Some("2027-06-01T12:00:00Z"),
    ] {
        assert_eq!(verdict_of(&daily, &ended(when)), "unknown", "{when:?}");
    }
}

#[test]
fn a_required_result_of_another_tool_or_place_is_never_a_pass() {
    let facts = one(ScanRun {
        tool: "Lint".to_owned(),
        ..run(vec![])
    });
    assert_eq!(verdict_of(&expecting(json!({})), &facts), "unknown");
    let elsewhere = expecting(json!({"path": "other/*.sarif"}));
    assert_eq!(verdict_of(&elsewhere, &one(run(vec![]))), "unknown");
    assert_eq!(
        verdict_of(&expecting(json!({})), &handed_in(vec![])),
        "unknown"
    );
}

#[test]
fn a_result_that_is_not_required_may_be_missing_but_is_no_pass_by_itself() {
    let optional = expecting(json!({"required": false}));
    let missing = report("", Err(ScanFailure::Missing));
    assert_eq!(
        verdict_of(&optional, &handed_in(vec![missing.clone()])),
        "unknown"
    );
    let other = ScanReport {
        pattern: "lint.sarif".to_owned(),
        ..report("sha256:bb", Ok(vec![run(vec![])]))
    };
    assert_eq!(
        verdict_of(&optional, &handed_in(vec![missing, other])),
        "pass"
    );
}

#[test]
fn limits_of_an_expectation_take_the_place_of_max_for_the_severities_they_name() {
    let facts = one(run(vec![open(Severity::High, 3)]));
    let lenient = expecting(json!({"total": {"high": 3}}));
    assert_eq!(verdict_of(&lenient, &facts), "pass");
    let facts = one(run(vec![open(Severity::High, 3)]));
    let other = expecting(json!({"total": {"critical": 0}}));
    assert_eq!(verdict_of(&other, &facts), "fail findings");
}

#[test]
fn a_limit_also_holds_for_what_is_worse_and_has_none_of_its_own() {
    let facts = one(run(vec![open(Severity::Critical, 1)]));
    let high = with(json!({"max": {"high": 0}}));
    assert_eq!(verdict_of(&high, &facts), "fail findings");
}

#[test]
fn all_findings_count_as_new_where_the_report_has_no_baseline() {
    let fresh = expecting(json!({"new": {"high": 0}}));
    let without = one(run(vec![open(Severity::High, 1)]));
    assert_eq!(verdict_of(&fresh, &without), "fail findings");
    let with_baseline = one(run(vec![FindingCount {
        new: Some(0),
        ..open(Severity::High, 4)
    }]));
    assert_eq!(verdict_of(&fresh, &with_baseline), "pass");
}

/// The cheat: split the findings over many reports, each within the limit.
#[test]
fn findings_are_added_up_over_runs_and_files_and_a_copy_counts_once() {
    let three = expecting(json!({"total": {"high": 3}}));
    let two = || run(vec![open(Severity::High, 2)]);
    let split = handed_in(vec![
        report("sha256:aa", Ok(vec![two()])),
        report("sha256:bb", Ok(vec![two()])),
    ]);
    assert_eq!(verdict_of(&three, &split), "fail findings");
    let runs = handed_in(vec![report("sha256:aa", Ok(vec![two(), two()]))]);
    assert_eq!(verdict_of(&three, &runs), "fail findings");
    let copies = handed_in(vec![
        report("sha256:aa", Ok(vec![two()])),
        report("sha256:aa", Ok(vec![two()])),
    ]);
    assert_eq!(verdict_of(&three, &copies), "pass");
}

#[test]
fn of_two_expectations_for_one_result_both_have_to_be_met() {
    let scan = |high: u64| json!({"tool": "semgrep", "path": "out/*.sarif", "required": true, "total": {"high": high}});
    let both = with(json!({"scans": [scan(9), scan(0)]}));
    let facts = one(run(vec![open(Severity::High, 1)]));
    assert_eq!(verdict_of(&both, &facts), "fail findings");
}

#[test]
fn a_misspelt_severity_is_refused_wherever_it_stands() {
    for parameters in [
        json!({"max": {"hihg": 0}}),
        json!({"max": {"High": 0}}),
        json!({"max": {"high": -1}}),
        json!({"scans": [{"tool": "a", "path": "b", "required": true, "new": {"blocker": 0}}]}),
        json!({"scans": [{"tool": "a", "path": "b", "required": true, "total": {"": 0}}]}),
    ] {
        assert!(
            from_value::<SastClean>(parameters.clone()).is_err(),
            "{parameters}"
        );
    }
}

#[test]
fn expecting_less_is_weaker() {
    let base = expecting(json!({"max_age_seconds": 60, "total": {"high": 1}}));
    for weaker in [
        SastClean::default(),
        expecting(json!({"total": {"high": 1}})),
        expecting(json!({"max_age_seconds": 60, "total": {"high": 2}})),
        expecting(json!({"max_age_seconds": 60, "total": {"high": 1, "critical": 5}})),
        expecting(json!({"max_age_seconds": 60, "total": {"high": 1}, "required": false})),
        expecting(json!({"max_age_seconds": 60})),
    ] {
        assert!(weaker.weaker_than(&base).is_some(), "{weaker:?}");
    }
    assert!(base.weaker_than(&base).is_none());
    assert!(
        with(json!({"max": {}}))
            .weaker_than(&SastClean::default())
            .is_some()
    );
}

/// The cheat: generous limits for new findings only, to get out of `max`.
#[test]
fn limits_of_its_own_that_escape_max_are_weaker() {
    let base = expecting(json!({}));
    assert!(
        expecting(json!({"new": {"high": 99}}))
            .weaker_than(&base)
            .is_some()
    );
    assert!(
        expecting(json!({"total": {"low": 0}}))
            .weaker_than(&base)
            .is_none()
    );
}

#[test]
fn the_files_own_date_limits_the_age_of_a_tool_that_does_not_say_when_it_ran() {
    let control = expecting(json!({"max_age_seconds": 3600}));
    let silent = ScanRun {
        ended_at: None,
        ..run(vec![])
    };
    let written = |when: &str| ScanReport {
        modified_at: Some(at(when)),
        ..report("sha256:aa", Ok(vec![silent.clone()]))
    };
    let verdict = |when: &str| verdict_of(&control, &handed_in(vec![written(when)]));
    assert_eq!(verdict("2026-06-01T11:30:00Z"), "pass");
    assert_eq!(verdict("2026-06-01T10:30:00Z"), "unknown");
    assert_eq!(verdict("2026-06-01T13:30:00Z"), "unknown", "yet to come");
    let undated = report("sha256:aa", Ok(vec![silent.clone()]));
    assert_eq!(verdict_of(&control, &handed_in(vec![undated])), "unknown");
}

#[test]
fn a_tool_is_known_by_a_word_of_its_name() {
    let named = |tool: &str| {
        let run = ScanRun {
            tool: tool.to_owned(),
            ..run(vec![])
        };
        let facts = handed_in(vec![report("sha256:aa", Ok(vec![run]))]);
        verdict_of(&expecting(json!({})), &facts)
    };
    assert_eq!(named("Semgrep OSS"), "pass");
    assert_eq!(named("semgrepish"), "unknown");
}
