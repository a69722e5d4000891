//! Scan reports from a folder: which files are taken, and what is said of each.

use std::{fs, io};

use ccgate::facts::{ScanFailure, ScanFormat, ScanReport};
use ccgate::scan::{self, ReportPattern};
use tempfile::TempDir;

use crate::support::{Bench, control};

const CLEAN: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},
    "invocations":[{"executionSuccessful":true}],"results":[]}]}"#;
const FAILED: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},
    "invocations":[{"executionSuccessful":false}],"results":[]}]}"#;
const ABORTED: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},
    "invocations":[{"executionSuccessful":true}]}]}"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn read(patterns: &[&str], folder: &TempDir) -> Vec<ScanReport> {
    let wanted: Vec<ReportPattern> = patterns
        .iter()
        .copied()
        .map(ReportPattern::by_content)
        .collect();
    scan::read(&wanted, folder.path(), &mut io::empty()).reports
}

#[test]
fn a_pattern_that_matches_nothing_is_a_missing_report() {
    let folder = folder(&[("clean.sarif", CLEAN)]);
    let reports = read(&["clean.sarif", "other.sarif", "none/*.sarif"], &folder);
    assert_eq!(reports.len(), 3);
    assert!(reports[0].runs.is_ok());
    for missing in &reports[1..] {
        assert_eq!(missing.runs, Err(ScanFailure::Missing));
        assert_eq!((missing.path.as_str(), missing.digest.as_str()), ("", ""));
    }
}

#[test]
fn each_pattern_gets_its_own_entry_of_a_file_and_a_repeated_one_none() {
    let folder = folder(&[("clean.sarif", CLEAN)]);
    let reports = read(&["*.sarif", "clean.sarif", "*.sarif"], &folder);
    let patterns: Vec<&str> = reports
        .iter()
        .map(|report| report.pattern.as_str())
        .collect();
    assert_eq!(patterns, ["*.sarif", "clean.sarif"]);
    assert_eq!(reports[0].digest, reports[1].digest);
}

#[test]
fn files_come_in_the_order_of_their_names_and_a_bad_one_does_not_hide_the_rest() {
    let folder = folder(&[("b.sarif", CLEAN), ("a.sarif", "{"), ("c.sarif", CLEAN)]);
    let reports = read(&["*.sarif"], &folder);
    let paths: Vec<&str> = reports.iter().map(|report| report.path.as_str()).collect();
    assert_eq!(paths, ["a.sarif", "b.sarif", "c.sarif"]);
    assert!(matches!(reports[0].runs, Err(ScanFailure::Unparsable(_))));
    assert!(reports[2].runs.is_ok());
}

#[test]
fn clean_failed_aborted_and_empty_are_four_answers() {
    let folder = folder(&[
        ("clean.sarif", CLEAN),
        ("failed.sarif", FAILED),
        ("aborted.sarif", ABORTED),
        ("empty.sarif", ""),
    ]);
    let reports = read(
        &[
            "clean.sarif",
            "failed.sarif",
            "aborted.sarif",
            "empty.sarif",
        ],
        &folder,
    );
    let ended = |report: &ScanReport| {
        report
            .runs
            .as_ref()
            .map(|runs| runs[0].execution_successful)
            .map_err(Clone::clone)
    };
    assert_eq!(ended(&reports[0]), Ok(Some(true)));
    assert_eq!(ended(&reports[1]), Ok(Some(false)));
    assert_eq!(ended(&reports[2]), Ok(Some(false)));
    let empty = ScanFailure::Unparsable("the file is empty".to_owned());
    assert_eq!(ended(&reports[3]), Err(empty));
}

#[test]
fn a_report_carries_its_digest_and_format() {
    let folder = folder(&[("a.sarif", "nothing of use")]);
    fs::write(folder.path().join("b.sarif"), CLEAN).expect("a file");
    let reports = read(&["*.sarif"], &folder);
    // The digest of a refused file is there too: it says which file was refused.
    assert_eq!(
        reports[0].digest,
        "sha256:ffaf33c74ebce2346ddde9d5b771f481ae348953c2551bb706cb9131a1a9c8be"
    );
    assert_eq!(reports[0].format, "unknown");
    assert_eq!(reports[1].format, "sarif-2.1.0");
}

#[test]
fn a_folder_and_a_bad_glob_are_unreadable_with_a_reason() {
    let folder = folder(&[("clean.sarif", CLEAN)]);
    fs::create_dir(folder.path().join("results")).expect("a folder");
    for report in read(&["results", "[", "../*.sarif", ""], &folder) {
        assert!(
            matches!(&report.runs, Err(ScanFailure::Unreadable(reason)) if !reason.is_empty()),
            "{report:?}"
        );
    }
}

#[test]
fn no_patterns_give_no_reports() {
    assert_eq!(read(&[], &folder(&[("clean.sarif", CLEAN)])), []);
}

#[cfg(unix)]
#[test]
fn a_device_is_no_report() {
    let folder = folder(&[]);
    let reports = read(&["/dev/zero"], &folder);
    assert!(matches!(reports[0].runs, Err(ScanFailure::Unreadable(_))));
}

#[test]
fn the_standard_input_is_a_report_if_it_is_asked_for() {
    let folder = folder(&[("-", FAILED), ("clean.sarif", CLEAN)]);
    let from = |pattern: &str, mut input: &[u8]| {
        let wanted = [ReportPattern::by_content(pattern)];
        let report = scan::read(&wanted, folder.path(), &mut input)
            .reports
            .remove(0);
        (report, input.len())
    };
    let (report, left) = from("-", CLEAN.as_bytes());
    let file = read(&["clean.sarif"], &folder).remove(0);
    assert_eq!((report.path.as_str(), left), ("-", 0));
    assert_eq!((&report.digest, &report.runs), (&file.digest, &file.runs));
    assert_eq!(report.modified_at, None, "a pipe has no time of its own");
    assert!(matches!(
        from("-", b"").0.runs,
        Err(ScanFailure::Unparsable(_))
    ));
    let (report, left) = from("./-", CLEAN.as_bytes());
    assert_eq!(left, CLEAN.len(), "a file of that name leaves it alone");
    assert_eq!(
        report.runs.expect("a report")[0].execution_successful,
        Some(false)
    );
}

#[test]
fn a_report_can_be_said_to_have_a_format_and_the_same_file_two() {
    let folder = folder(&[("empty.json", "[]")]);
    let said = |format| ReportPattern {
        format,
        ..ReportPattern::by_content("empty.json")
    };
    let wanted = [
        said(None),
        said(Some(ScanFormat::Gitleaks)),
        said(Some(ScanFormat::Sarif)),
        said(None),
    ];
    let reports = scan::read(&wanted, folder.path(), &mut io::empty()).reports;
    let read: Vec<bool> = reports.iter().map(|report| report.runs.is_ok()).collect();
    assert_eq!(read, [false, true, false]);
}

/// More than a pipe holds, so that reader and writer have to take turns.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_if_it_is_named_and_never_if_a_glob_finds_it() {
    let folder = folder(&[]);
    let pipe = folder.path().join("pipe.sarif");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let refused = read(&["*.sarif"], &folder);
    assert!(matches!(refused[0].runs, Err(ScanFailure::Unreadable(_))));
    let result = r#"{"ruleId":"R1","level":"error","message":{"text":"x"}}"#;
    let many = vec![result; 9_000].join(",");
    let text = CLEAN.replace(r#""results":[]"#, &format!(r#""results":[{many}]"#));
    let reports = std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&pipe, &text).expect("a reader"));
        read(&["pipe.sarif"], &folder)
    });
    let runs = reports[0].runs.as_ref().expect("a readable report");
    assert_eq!(runs[0].counts[0].open, 9_000);
    assert_eq!(reports[0].modified_at, None);
}

const FOUND: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[
    {"ruleId":"a","level":"error","message":{"text":"hunter2"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.rs"},"region":{"startLine":3}}}]},
    {"ruleId":"b","level":"note","suppressions":[{"kind":"external","justification":"SEC-1"}]}]}]}"#;

#[test]
fn findings_are_listed_with_what_an_acceptance_is_bound_to() {
    let bench = Bench::new();
    fs::write(bench.path("a.sarif"), FOUND).expect("a file");
    let ended = bench.run(&["scan", "findings", "*.sarif"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("high      a at src/a.rs:3"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("(dismissed by somebody: SEC-1)"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains("hunter2"));
    let ended = bench.run(&["scan", "findings", "--format", "json", "a.sarif"]);
    let listed: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(listed[0]["rule"], "a");
    assert_eq!(listed[0]["fingerprint"].as_str().map(str::len), Some(32));
    assert_eq!(bench.run(&["scan", "findings", "none.sarif"]).code, 3);
    assert_eq!(bench.run(&["scan", "findings"]).code, 2);
}

#[test]
fn a_baseline_is_written_with_the_line_for_the_policy_and_read_back() {
    let bench = Bench::new();
    fs::write(bench.path("a.sarif"), FOUND).expect("a file");
    let ended = bench.run(&["scan", "baseline", "--out", "known.json", "a.sarif"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let folder = bench.path("");
    let read = scan::read_baseline("known.json", &folder);
    assert!(
        ended
            .stdout
            .contains(&format!("digest: \"{}\"", read.digest)),
        "{}",
        ended.stdout
    );
    assert_eq!(read.findings.map(|known| known.len()), Ok(1));
    // Nothing is written where a report could not be read.
    let ended = bench.run(&[
        "scan",
        "baseline",
        "--out",
        "other.json",
        "a.sarif",
        "none.sarif",
    ]);
    assert_eq!(ended.code, 3);
    assert!(!bench.path("other.json").exists());
}

/// The cheat: the author accepts in the change what the change brings along.
#[test]
fn an_acceptance_acts_from_the_policy_in_force_and_not_from_the_change() {
    let bench = Bench::new();
    fs::write(bench.path("a.sarif"), FOUND).expect("a file");
    let today: String = bench
        .forge
        .with(|acme| acme.now())
        .chars()
        .take(10)
        .collect();
    let strict = "version: 1\nextends: [soc2-baseline]\ncontrols: {sast-clean: {enforce: block}, gate-changes-approved: {}}\n";
    let accepting = format!(
        "{strict}accepted_findings: [{{tool: probe, rule: a, place: src/a.rs, severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: {today}}}]\n"
    );
    bench
        .forge
        .with(|acme| acme.policy = Some(strict.to_owned()));
    let (_, before) = bench.decision(&["--scan", "a.sarif"]);
    assert_eq!(control(&before, "SCAN-01")["verdict"], "fail");
    bench.forge.with(|acme| acme.propose(42, &accepting));
    let (_, proposed) = bench.decision(&["--scan", "a.sarif"]);
    assert_eq!(control(&proposed, "SCAN-01")["verdict"], "fail");
    assert_eq!(proposed["accepted_findings"], serde_json::Value::Null);
    let told = control(&proposed, "CHG-16")["observed"].to_string();
    assert!(
        told.contains("would be weaker: accepted_findings: probe a at src/a.rs"),
        "{told}"
    );
    bench
        .forge
        .with(|acme| acme.policy = Some(accepting.clone()));
    let (_, accepted) = bench.decision(&["--scan", "a.sarif", "--save-snapshot", "s.json"]);
    assert_eq!(control(&accepted, "SCAN-01")["verdict"], "pass");
    assert_eq!(accepted["accepted_findings"][0]["state"], "applied");
    // The facts keep what was read, so the same comes out again, and another policy judges otherwise.
    let again = |more: &[&str]| -> serde_json::Value {
        let arguments = [&["check", "--snapshot", "s.json", "--format", "json"], more].concat();
        serde_json::from_str(&bench.run(&arguments).stdout).expect("JSON")
    };
    assert_eq!(again(&[])["controls"], accepted["controls"]);
    let plain = again(&["--policy", "soc2-all"]);
    assert_eq!(control(&plain, "SCAN-01")["verdict"], "fail");
}
