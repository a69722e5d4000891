//! What a report says, and what it must not be able to say.

mod hostile;

use std::path::Path;

use serde_json::{Value, json};

use crate::facts::{FindingCount, ScanFailure, ScanRun, Severity};
use crate::scan::report::content;

fn runs_of(text: &str) -> Result<Vec<ScanRun>, String> {
    match content(text.as_bytes(), Path::new("/builds/acme"), None).runs {
        Ok(runs) => Ok(runs),
        Err(ScanFailure::Unparsable(reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

fn refusal_of(text: &str) -> String {
    runs_of(text).expect_err("a refusal")
}

/// The run with these keys besides its tool.
fn run_with(mut run: Value) -> ScanRun {
    if run.get("tool").is_none() {
        run["tool"] = json!({"driver": {"name": "probe", "rules": [
            {"id": "R0", "defaultConfiguration": {"level": "error"}},
            {"id": "R1", "defaultConfiguration": {"level": "note"}},
            {"id": "R2", "properties": {"security-severity": "9.8"}},
            {"id": "R3"},
        ]}});
    }
    let document = json!({"version": "2.1.0", "runs": [run]});
    let mut runs = runs_of(&document.to_string()).expect("a readable report");
    runs.remove(0)
}

/// How many are open by severity, worst first.
fn open(run: &ScanRun) -> Vec<(Severity, u64)> {
    let open = |count: &FindingCount| (count.severity, count.open);
    run.counts.iter().map(open).collect()
}

fn open_of(result: &Value) -> Vec<(Severity, u64)> {
    open(&run_with(json!({"results": [result]})))
}

#[test]
fn the_level_of_a_result_outweighs_the_default_of_its_rule() {
    let result = json!({"ruleIndex": 0, "ruleId": "R0", "level": "note"});
    assert_eq!(open_of(&result), [(Severity::Low, 1)]);
}

#[test]
fn a_result_without_a_level_takes_the_default_of_its_rule() {
    assert_eq!(open_of(&json!({"ruleIndex": 0})), [(Severity::High, 1)]);
    assert_eq!(open_of(&json!({"ruleId": "R1"})), [(Severity::Low, 1)]);
    let reference = json!({"rule": {"id": "R0", "index": 0}});
    assert_eq!(open_of(&reference), [(Severity::High, 1)]);
}

#[test]
fn a_finer_rule_id_takes_the_default_of_the_rule_in_front_of_it() {
    assert_eq!(open_of(&json!({"ruleId": "R0/7"})), [(Severity::High, 1)]);
}

#[test]
fn without_any_level_a_result_is_a_warning() {
    assert_eq!(open_of(&json!({"ruleId": "R3"})), [(Severity::Medium, 1)]);
    assert_eq!(open_of(&json!({})), [(Severity::Medium, 1)]);
}

#[test]
fn results_may_stand_before_their_rules() {
    let text = r#"{"runs":[{"results":[{"ruleIndex":1},{"ruleIndex":0},{"ruleIndex":1}],
        "tool":{"driver":{"rules":[{"id":"a","defaultConfiguration":{"level":"error"}},
        {"id":"b","defaultConfiguration":{"level":"note"}}],"name":"probe"}}}],"version":"2.1.0"}"#;
    let runs = runs_of(text).expect("a readable report");
    assert_eq!(open(&runs[0]), [(Severity::High, 1), (Severity::Low, 2)]);
}

#[test]
fn a_score_outweighs_the_level_and_that_of_the_result_outweighs_its_rule() {
    let rule = json!({"ruleId": "R2", "level": "note"});
    assert_eq!(open_of(&rule), [(Severity::Critical, 1)]);
    let own = json!({"ruleId": "R2", "properties": {"security-severity": 4}});
    assert_eq!(open_of(&own), [(Severity::Medium, 1)]);
}

#[test]
fn scores_fall_into_their_bands_and_nonsense_leaves_the_level() {
    let cases = [
        (json!("9.0"), Severity::Critical),
        (json!("8.9"), Severity::High),
        (json!("7.0"), Severity::High),
        (json!("6.9"), Severity::Medium),
        (json!("3.9"), Severity::Low),
        (json!("0.1"), Severity::Low),
        (json!("0.0"), Severity::High),
        (json!("-3"), Severity::High),
        (json!("NaN"), Severity::High),
        (json!("inf"), Severity::Critical),
        (json!("high"), Severity::High),
        (json!(null), Severity::High),
        (json!([9.9]), Severity::High),
    ];
    for (score, severity) in cases {
        let result = json!({"level": "error", "properties": {"security-severity": score.clone()}});
        assert_eq!(open_of(&result), [(severity, 1)], "{score}");
    }
}

#[test]
fn a_position_that_leads_to_a_milder_rule_than_the_id_is_not_trusted() {
    let result = json!({"ruleIndex": 1, "ruleId": "R0"});
    assert_eq!(open_of(&result), [(Severity::High, 1)]);
}

#[test]
fn rules_of_an_extension_rate_their_results() {
    let run = run_with(json!({
        "tool": {
            "driver": {"name": "probe", "rules": [
                {"id": "a", "defaultConfiguration": {"level": "note"}},
            ]},
            "extensions": [{"name": "pack", "rules": [
                {"id": "b", "defaultConfiguration": {"level": "error"}},
            ]}],
        },
        "results": [
            {"ruleId": "b", "rule": {"id": "b", "index": 0, "toolComponent": {"index": 0}}},
            {"rule": {"id": "b", "toolComponent": {"name": "pack"}}},
        ],
    }));
    assert_eq!(open(&run), [(Severity::High, 2)]);
}

#[test]
fn an_invocation_may_raise_a_rule_and_never_lowers_it() {
    let change = |id: &str, level: &str| json!({"descriptor": {"id": id}, "configuration": {"level": level}});
    let run = run_with(json!({
        "results": [{"ruleId": "R1"}, {"ruleId": "R0"}],
        "invocations": [{"executionSuccessful": true, "ruleConfigurationOverrides":
            [change("R1", "error"), change("R0", "note")]}],
    }));
    assert_eq!(open(&run), [(Severity::High, 2)]);
}

#[test]
fn only_failures_are_findings() {
    for kind in ["pass", "notApplicable", "informational", "open", "review"] {
        assert_eq!(open_of(&json!({"kind": kind})), [], "{kind}");
    }
    assert_eq!(open_of(&json!({"kind": "fail"})), [(Severity::Medium, 1)]);
}

#[test]
fn a_pass_that_carries_a_level_contradicts_itself_and_counts() {
    let result = json!({"kind": "pass", "level": "error"});
    assert_eq!(open_of(&result), [(Severity::High, 1)]);
}

#[test]
fn an_unknown_kind_counts() {
    assert_eq!(open_of(&json!({"kind": "fine"})), [(Severity::Medium, 1)]);
}

#[test]
fn an_unknown_level_is_refused() {
    for level in [json!("harmless"), json!(3), json!(""), json!(["error"])] {
        let document = json!({"version": "2.1.0", "runs": [
            {"tool": {"driver": {"name": "probe"}}, "results": [{"level": level}]}]});
        assert!(refusal_of(&document.to_string()).contains("`level`"));
    }
}

#[test]
fn only_suppressions_in_force_suppress() {
    let cases = [
        (json!([{"kind": "inSource"}]), 1),
        (json!([{"kind": "external", "status": "accepted"}]), 1),
        (json!([{"status": "underReview"}]), 0),
        (json!([{"status": "accepted"}, {"status": "rejected"}]), 0),
        (json!([{"status": "surely"}]), 0),
        (json!([{"state": "rejected"}]), 0),
        (json!([]), 0),
        (json!(null), 0),
    ];
    for (suppressions, suppressed) in cases {
        let run = run_with(json!({"results": [{"suppressions": suppressions.clone()}]}));
        assert_eq!(run.counts[0].suppressed, suppressed, "{suppressions}");
        assert_eq!(run.counts[0].open, 1 - suppressed, "{suppressions}");
        assert_eq!(run.examples.len() as u64, 1 - suppressed, "{suppressions}");
    }
}

#[test]
fn new_findings_are_told_apart_only_if_all_carry_a_baseline() {
    let all = json!({"results": [
        {"baselineState": "new"}, {"baselineState": "unchanged"}, {"baselineState": "updated"},
    ]});
    let run = run_with(all);
    assert_eq!((run.counts[0].open, run.counts[0].new), (3, Some(1)));
    let some = json!({"results": [{"baselineState": "unchanged"}, {}]});
    assert_eq!(run_with(some).counts[0].new, None);
}

#[test]
fn a_finding_that_is_gone_is_none_and_an_unknown_state_is_new() {
    assert_eq!(open_of(&json!({"baselineState": "absent"})), []);
    let run = run_with(json!({"results": [{"baselineState": "old news"}]}));
    assert_eq!(run.counts[0].new, Some(1));
}

#[test]
fn one_failed_invocation_outweighs_all_and_silence_is_no_success() {
    let cases = [
        (json!([{"executionSuccessful": true}]), Some(true)),
        (
            json!([{"executionSuccessful": true}, {"executionSuccessful": false}, {}]),
            Some(false),
        ),
        (json!([{"executionSuccessful": true}, {}]), None),
        (json!([{"executionSuccessful": null}]), None),
        (json!([]), None),
        (json!(null), None),
    ];
    for (invocations, successful) in cases {
        let run = run_with(json!({"results": [], "invocations": invocations.clone()}));
        assert_eq!(run.execution_successful, successful, "{invocations}");
    }
}

#[test]
fn a_run_without_results_did_not_come_to_its_end() {
    let ended = json!([{"executionSuccessful": true}]);
    let absent = json!({"invocations": ended.clone()});
    assert_eq!(run_with(absent).execution_successful, Some(false));
    let null = json!({"results": null, "invocations": ended});
    assert_eq!(run_with(null).execution_successful, Some(false));
}

#[test]
fn the_run_says_who_ran_when_and_on_what() {
    let run = run_with(json!({
        "tool": {"driver": {"name": "pro\u{202e}be\n", "version": "1", "semanticVersion": "1.2.3"}},
        "results": [],
        "versionControlProvenance": [{"revisionId": "abc123"}, {"revisionId": "other"}],
        "invocations": [
            {"endTimeUtc": "2026-01-02T03:04:05Z"},
            {"endTimeUtc": "2026-01-01T03:04:05.5Z"},
            {"endTimeUtc": "yesterday"},
        ],
    }));
    assert_eq!(run.tool, "probe");
    assert_eq!(run.version.as_deref(), Some("1.2.3"));
    assert_eq!(run.revision.as_deref(), Some("abc123"));
    let ended = run.ended_at.map(|ended| ended.to_string());
    assert_eq!(ended.as_deref(), Some("2026-01-02T03:04:05Z"));
}

#[test]
fn examples_are_the_five_worst_with_paths_of_the_repository() {
    let at = |uri: &str, line: i64, level: &str| {
        json!({"ruleId": "R3", "level": level, "message": {"text": "hunter2"}, "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": uri},
                "region": {"startLine": line, "snippet": {"text": "hunter2"}}}}]})
    };
    let run = run_with(json!({"results": [
        at("a.rs", 1, "note"),
        at("file:///builds/acme/src/b%20c.rs", 2, "warning"),
        at("file:///elsewhere/d.rs", 3, "error"),
        at("./e\u{1b}[31m\u{202e}.rs", -4, "error"),
        {"ruleId": "R3", "level": "error"},
        at("/builds/acme/f.rs", 6, "warning"),
        at("../../g.rs", 7, "warning"),
    ]}));
    assert_eq!(
        run.examples,
        [
            "R3 at /elsewhere/d.rs:3",
            "R3 at e\\u{1b}[31m\\u{202e}.rs",
            "R3 at an unnamed place",
            "R3 at src/b c.rs:2",
            "R3 at f.rs:6",
        ]
    );
}

#[test]
fn an_empty_array_stands_for_an_empty_object_as_some_tools_write_it() {
    assert_eq!(open_of(&json!({"properties": []})), [(Severity::Medium, 1)]);
}

#[test]
fn each_run_of_a_file_stands_for_itself() {
    let text = r#"{"version":"2.1.0-rtm.5","runs":[
        {"tool":{"driver":{"name":"one"}},"results":[{}]},
        {"tool":{"driver":{"name":"two"}},"results":[]}]}"#;
    let runs = runs_of(text).expect("a readable report");
    let names: Vec<&str> = runs.iter().map(|run| run.tool.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(open(&runs[1]), []);
}

#[test]
fn the_older_spelling_is_read_where_it_says_the_same() {
    let text = r#"{"version":"2.0.0-csd.2.beta.2019-01-24","runs":[{"tool":{"name":"old","version":"1"},
        "results":[{"level":"pass"},{"level":"error"},{"level":"notApplicable"}]}]}"#;
    let runs = runs_of(text).expect("a readable report");
    assert_eq!(runs[0].tool, "old");
    assert_eq!(open(&runs[0]), [(Severity::High, 1)]);
}
