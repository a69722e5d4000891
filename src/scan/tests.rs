//! What holds for every reader: small reports of each format, and what people and
//! broken tools make of them.

mod mutations;
mod reports;
mod said;

use std::collections::BTreeMap;
use std::path::Path;

use crate::facts::{Finding, FindingState, Fingerprint, Measured, ScanFailure, ScanRun, Severity};
use crate::scan::report::{Content, content};

use reports::{SAMPLES, Sample};

fn content_of(bytes: &[u8]) -> Content {
    content(bytes, Path::new("/builds/acme"), None)
}

fn runs_of(text: &str) -> Result<Vec<ScanRun>, String> {
    match content_of(text.as_bytes()).runs {
        Ok(runs) => Ok(runs),
        Err(ScanFailure::Unparsable(reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

fn sample(format: &str) -> &'static str {
    let found = SAMPLES.iter().find(|sample| sample.format == format);
    found.expect("a sample of the format").text
}

fn one(text: &str) -> ScanRun {
    runs_of(text).expect("a readable report").remove(0)
}

/// Every sample, changed; each has to change.
fn changed(from: &str, to: &str) -> Vec<(&'static Sample, String)> {
    let all: Vec<_> = SAMPLES
        .iter()
        .filter(|sample| sample.text.contains(from))
        .map(|sample| (sample, sample.text.replace(from, to)))
        .collect();
    assert!(!all.is_empty(), "no sample holds {from}");
    all
}

fn refused(text: &str, what: &str) -> String {
    runs_of(text).map_or_else(|reason| reason, |runs| panic!("{what}: {runs:?}"))
}

fn is_json(sample: &Sample) -> bool {
    sample.text.starts_with(['{', '['])
}

#[test]
fn each_format_is_found_by_its_content_and_counted() {
    for sample in SAMPLES {
        let content = content_of(sample.text.as_bytes());
        let runs = content
            .runs
            .unwrap_or_else(|why| panic!("{}: {why:?}", sample.format));
        assert_eq!(content.format, sample.format);
        let mut open: BTreeMap<_, u64> = BTreeMap::new();
        for run in &runs {
            assert_eq!(run.tool, sample.tool);
            for count in run.counts.iter().filter(|count| count.open > 0) {
                *open.entry(count.severity).or_default() += count.open;
            }
        }
        let open: Vec<_> = open.into_iter().rev().collect();
        assert_eq!(open, sample.open, "{}", sample.format);
    }
}

#[test]
fn nothing_of_a_message_or_snippet_comes_out() {
    for sample in SAMPLES {
        let runs = runs_of(sample.text).expect("a readable report");
        let written = serde_json::to_string(&runs).expect("runs as text");
        assert!(!written.contains("hunter2"), "{}", sample.format);
    }
}

#[test]
fn a_report_that_is_cut_at_any_byte_is_never_read() {
    for sample in SAMPLES {
        for end in 0..sample.text.len() {
            let cut = content_of(&sample.text.as_bytes()[..end]).runs;
            let refused = matches!(cut, Err(ScanFailure::Unparsable(_)));
            assert!(refused, "{} cut at {end}: {cut:?}", sample.format);
        }
    }
}

#[test]
fn a_lost_or_turned_byte_never_ends_in_a_panic() {
    for sample in SAMPLES {
        for at in (0..sample.text.len()).step_by(3) {
            let mut bytes = sample.text.as_bytes().to_vec();
            for turned in [b'"', b'{', b']', b'<', b'0', 0, 0xff] {
                bytes[at] = turned;
                let _ = content_of(&bytes);
            }
            bytes.remove(at);
            let _ = content_of(&bytes);
        }
    }
}

#[test]
fn other_encodings_and_packed_files_are_named() {
    for sample in SAMPLES {
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let units = std::iter::once(0xfeff).chain(sample.text.encode_utf16());
            units.flat_map(order).collect()
        };
        let mut latin = sample.text.replace("hunter2", "caf~").into_bytes();
        let at = latin
            .iter()
            .position(|byte| *byte == b'~')
            .expect("the place");
        latin[at] = 0xe9;
        let mut gzip = vec![0x1f, 0x8b, 8, 0];
        gzip.extend(sample.text.bytes());
        for (bytes, word) in [
            (utf16(u16::to_le_bytes), "UTF-16"),
            (utf16(u16::to_be_bytes), "UTF-16"),
            (latin, "not UTF-8 at byte"),
            (gzip, "gzip"),
            (Vec::new(), "empty"),
        ] {
            match content_of(&bytes).runs {
                Err(ScanFailure::Unparsable(reason)) => assert!(reason.contains(word), "{reason}"),
                other => panic!("{}: {other:?}", sample.format),
            }
        }
        let marked = format!("\u{feff}{}", sample.text);
        assert!(runs_of(&marked).is_ok(), "{}", sample.format);
    }
}

#[test]
fn bombs_are_refused() {
    let deep = format!("{}0{}", "[".repeat(50_000), "]".repeat(50_000));
    for sample in SAMPLES.iter().filter(|sample| is_json(sample)) {
        let text = sample.text.replace("\"hunter2\"", &deep);
        refused(&text, sample.format);
    }
    let tags = format!("{}{}", "<a>".repeat(500), "</a>".repeat(500));
    let text = sample("junit").replace("hunter2 &lt;", &tags);
    assert!(refused(&text, "tags").contains("deeper"));
    let entities = r#"<!DOCTYPE testsuites [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>"#;
    let text = sample("junit").replace("?><testsuites", &format!("?>{entities}<testsuites"));
    assert!(refused(&text, "entities").contains("entities"));
    let foreign = sample("junit").replace("&lt;", "&b;");
    assert!(refused(&foreign, "an entity").contains("entity"));
    for attribute in ["&b;", "&#x0;"] {
        let text = sample("junit").replace("src/a.rs", attribute);
        assert!(runs_of(&text).is_err() || attribute != "&b;", "{attribute}");
    }
}

#[test]
fn keys_that_stand_twice_and_numbers_that_are_none_are_refused() {
    for sample in SAMPLES.iter().filter(|sample| is_json(sample)) {
        let first_key = sample.text.split('"').nth(1).expect("a key");
        let start = sample.text.find('{').expect("an object") + 1;
        let (before, after) = sample.text.split_at(start);
        let twice = format!("{before}\"{first_key}\":null,{after}");
        // A key that is not read may stand twice.
        let skipped = matches!(
            (sample.format, first_key),
            (
                "gitlab-codequality" | "zizmor-json" | "gitleaks-json",
                "description"
            )
        );
        assert!(runs_of(&twice).is_err() || skipped, "{}", sample.format);
        for number in ["NaN", "Infinity", "01", "+1", ".5"] {
            let text = format!("{before}\"x\":{number},{after}");
            refused(&text, sample.format);
        }
    }
    let twice = sample("junit").replace("tests=\"3\"", "tests=\"3\" tests=\"3\"");
    refused(&twice, "junit");
}

#[test]
fn something_behind_the_end_is_refused() {
    for sample in SAMPLES {
        if sample.format == "lcov" || sample.format == "trufflehog-json" {
            continue;
        }
        for more in ["x", "{}", "<a/>", sample.text] {
            refused(&format!("{}{more}", sample.text), sample.format);
        }
        assert!(runs_of(&format!("{} \n\t", sample.text)).is_ok());
    }
}

#[test]
fn negative_lines_are_no_lines() {
    for (from, to) in [
        (":7", ":-7"),
        ("[7,", "[-7,"),
        ("line=\"7\"", "line=\"-7\""),
        (":7", ":9223372036854775807"),
    ] {
        for (sample, text) in changed(from, to) {
            let runs = runs_of(&text).unwrap_or_else(|why| panic!("{}: {why}", sample.format));
            let lines = runs.iter().flat_map(|run| &run.findings);
            for line in lines.filter_map(|finding| finding.line) {
                assert!(line > 0);
            }
        }
    }
}

#[test]
fn paths_come_out_relative_and_visible() {
    for (path, shown) in [
        ("../../etc/passwd", "../../etc/passwd"),
        ("/builds/acme/src/a.rs", "src/a.rs"),
        ("file:///builds/acme/src/a.rs", "src/a.rs"),
        ("./src/a.rs", "src/a.rs"),
        ("src/\\u001b[31m\\u202ea.rs", "src/\\u{1b}[31m\\u{202e}a.rs"),
    ] {
        for (sample, text) in changed("src/a.rs", path) {
            if !is_json(sample) && path.contains('\\') {
                continue;
            }
            let runs = runs_of(&text).unwrap_or_else(|why| panic!("{}: {why}", sample.format));
            let place = runs[0]
                .findings
                .first()
                .and_then(|finding| finding.place.as_deref());
            assert_eq!(place, Some(shown), "{}", sample.format);
        }
    }
}

#[test]
fn control_characters_in_names_do_not_come_out() {
    for (sample, text) in changed("R1", "R1\\u001b]0;x\\u0007\\r\\n::error::") {
        let runs = runs_of(&text).expect("a readable report");
        let examples = runs.iter().flat_map(|run| &run.examples);
        for example in examples {
            assert!(!example.chars().any(char::is_control), "{}", sample.format);
        }
    }
}

/// Tokens where they have no business: people paste them, and tools repeat them.
#[test]
fn a_token_in_a_name_a_path_or_a_reason_does_not_come_out() {
    let token = format!("ghp_{}", "Ab1".repeat(12));
    for from in ["R1", "src/a.rs", "probe", "left", "hunter2"] {
        for to in [
            token.clone(),
            format!("src/{token}.rs"),
            format!("a {token} b"),
        ] {
            for (sample, text) in changed(from, &to) {
                let written = match runs_of(&text) {
                    Ok(runs) => serde_json::to_string(&runs).expect("runs as text"),
                    Err(reason) => reason,
                };
                let format = sample.format;
                assert!(!written.contains(&token), "{format}, {from}: {written}");
            }
        }
    }
}

/// A refusal names what was expected, never what was found.
#[test]
fn nothing_of_a_value_stands_in_a_refusal() {
    for sample in SAMPLES.iter().filter(|sample| is_json(sample)) {
        let starts: Vec<usize> = sample
            .text
            .match_indices(':')
            .map(|(at, _)| at + 1)
            .collect();
        for start in starts {
            let (before, after) = sample.text.split_at(start);
            let end = match after.as_bytes().first() {
                Some(b'"') => after[1..].find('"').map(|end| end + 2),
                _ => after.find([',', '}', ']']),
            };
            let rest = end.map_or("", |end| &after[end..]);
            for value in [
                "\"hunter2secret\"",
                "{\"hunter2secret\":1}",
                "[\"hunter2secret\"]",
                "hunter2secret",
                "\"hunter2secret",
            ] {
                if let Err(reason) = runs_of(&format!("{before}{value}{rest}")) {
                    assert!(!reason.contains("hunter2"), "{}: {reason}", sample.format);
                }
            }
        }
    }
}

/// The lines above a finding grow, and it is the same finding in every format.
#[test]
fn a_fingerprint_stays_when_lines_move() {
    let prints = |text: &str| -> Vec<Fingerprint> {
        let runs = runs_of(text).expect("a readable report");
        let findings = runs.into_iter().flat_map(|run| run.findings);
        findings.map(|finding| finding.fingerprint).collect()
    };
    for (from, to) in [
        (":7", ":70"),
        ("[7,", "[70,"),
        ("line=\"7\"", "line=\"70\""),
    ] {
        for (sample, text) in changed(from, to) {
            assert_eq!(prints(sample.text), prints(&text), "{}", sample.format);
        }
    }
    for (sample, text) in changed("src/a.rs", "src/b.rs") {
        assert_ne!(prints(sample.text), prints(&text), "{}", sample.format);
    }
}

#[test]
fn what_sarif_says_of_a_finding_is_kept() {
    let text = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"p"}},"results":[
        {"ruleId":"a","level":"error","baselineState":"new","provenance":{"firstDetectionTimeUtc":"2026-01-02T03:04:05Z"}},
        {"ruleId":"b","level":"error","baselineState":"unchanged","provenance":{"firstDetectionTimeUtc":"soon"}},
        {"ruleId":"c","baselineState":"unchanged","suppressions":[{"kind":"inSource"},{"kind":"external","justification":"SEC-1"}]},
        {"ruleId":"d","baselineState":"unchanged","suppressions":[{"kind":"external","justification":"SEC-1"}]}]}]}"#;
    let run = one(text);
    let seen = |index: usize| {
        let finding: &Finding = &run.findings[index];
        let day = finding.first_seen.map(|time| time.to_string());
        (
            finding.rule.as_str(),
            finding.is_new,
            day,
            finding.state.clone(),
        )
    };
    let day = Some("2026-01-02T03:04:05Z".to_owned());
    assert_eq!(seen(0), ("a", Some(true), day, FindingState::Open));
    assert_eq!(seen(1), ("b", Some(false), None, FindingState::Open));
    let reason = || Some("SEC-1".to_owned());
    let suppressed = FindingState::Suppressed { reason: reason() };
    assert_eq!(seen(2), ("c", Some(false), None, suppressed));
    // Whoever closed it where findings are kept stands in no format.
    let dismissed = FindingState::Dismissed {
        by: None,
        reason: reason(),
    };
    assert_eq!(seen(3), ("d", Some(false), None, dismissed));
}

#[test]
fn other_ids_of_a_vulnerability_are_kept() {
    for (format, from, to) in [
        (
            "grype-json",
            "\"artifact\":",
            "\"relatedVulnerabilities\":[{\"id\":\"CVE-1-1\"}],\"artifact\":",
        ),
        (
            "pip-audit-json",
            "\"id\":\"P-1\"",
            "\"id\":\"P-1\",\"aliases\":[\"CVE-1-1\"]",
        ),
        (
            "cargo-audit-json",
            "\"advisory\":{",
            "\"advisory\":{\"aliases\":[\"CVE-1-1\"],",
        ),
        (
            "osv-scanner-json",
            "\"ids\":[",
            "\"aliases\":[\"CVE-1-1\"],\"ids\":[",
        ),
    ] {
        let text = sample(format).replace(from, to);
        assert_ne!(text, sample(format), "{format}");
        let run = one(&text);
        let known = run
            .findings
            .iter()
            .any(|finding| finding.ids.iter().any(|id| &**id == "CVE-1-1"));
        assert!(known, "{format}: {:?}", run.findings);
    }
}

#[test]
fn a_list_that_is_not_there_is_no_clean_run() {
    for (key, formats) in [
        ("\"vulnerabilities\":", &["gitlab-15.0.4"][..]),
        (
            "\"results\":",
            &["semgrep-json", "bandit-json", "sarif-2.1.0", "checkov-json"],
        ),
        ("\"matches\":", &["grype-json"]),
        ("\"list\":", &["cargo-audit-json"]),
        ("\"dependencies\":", &["pip-audit-json"]),
    ] {
        for format in formats {
            let gone = sample(format).replace(key, "\"elsewhere\":");
            for run in runs_of(&gone).into_iter().flatten() {
                assert_eq!(run.execution_successful, Some(false), "{format}");
            }
        }
    }
}

#[test]
fn empty_lists_and_foreign_documents_are_no_report() {
    for text in [
        "[]",
        "[[]]",
        "[{}]",
        "{}",
        "{\"runs\":[]}",
        "{\"results\":{}}",
        "{\"vulnerabilities\":[]}",
        "{\"error\":{\"code\":\"ENOLOCK\"}}",
        "null",
        "<html></html>",
        "<testsuites>",
        "TN:\n",
        "plain text",
    ] {
        refused(text, text);
    }
}

#[test]
fn a_file_that_looks_like_two_formats_is_refused() {
    let both = sample("semgrep-json").replacen('{', "{\"runs\":[],", 1);
    assert!(refused(&both, "both").contains("at once"));
}

#[test]
fn three_reports_without_findings_are_three_answers() {
    let clean = sample("pip-audit-json").replace(r#"{"id":"P-1","description":"hunter2"}"#, "");
    let clean = one(&clean);
    assert_eq!((clean.left_out, clean.execution_successful), (None, None));
    let blind = one(r#"{"dependencies":[{"name":"left","skip_reason":"not found"}],"fixes":[]}"#);
    let left_out = "1 of 1 dependencies could not be looked up";
    assert_eq!(blind.left_out.as_deref(), Some(left_out));
    let failed = sample("gitlab-15.0.4").replace("\"success\"", "\"failure\"");
    assert_eq!(one(&failed).execution_successful, Some(false));
}

#[test]
fn what_a_tool_left_out_is_told() {
    for (format, from, to) in [
        (
            "semgrep-json",
            "\"errors\":[]",
            "\"errors\":[{\"level\":\"error\"}]",
        ),
        (
            "semgrep-json",
            "\"errors\":[]",
            "\"errors\":[{\"level\":\"warn\",\"type\":\"Timeout\"}]",
        ),
        (
            "bandit-json",
            "\"errors\":[]",
            "\"errors\":[{\"filename\":\"a.py\"}]",
        ),
        ("njsscan-json", "\"errors\":[]", "\"errors\":[{}]"),
        ("npm-audit-json", "\"total\":3", "\"total\":0"),
        (
            "cargo-audit-json",
            "\"advisory-count\":9",
            "\"advisory-count\":0",
        ),
        (
            "checkov-json",
            "\"parsing_errors\":0",
            "\"parsing_errors\":2",
        ),
        ("junit", "failures=\"1\"", "failures=\"2\""),
        ("spdx-2.3", "\"packages\":[", "\"packages\":[],\"x\":["),
    ] {
        let text = sample(format).replace(from, to);
        assert_ne!(text, sample(format));
        assert!(one(&text).left_out.is_some(), "{format}");
        assert_eq!(one(sample(format)).left_out, None, "{format}");
    }
    let partial = sample("semgrep-json").replace(
        "\"errors\":[]",
        "\"errors\":[{\"level\":\"warn\",\"type\":[\"PartialParsing\",[]]}]",
    );
    assert_eq!(one(&partial).left_out, None);
}

#[test]
fn a_clean_report_that_names_nothing_it_looked_at_is_told() {
    for text in [
        r#"{"results":[]}"#,
        r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}"#,
        r#"{"auditReportVersion":2,"vulnerabilities":{}}"#,
        r#"{"lockfile":{},"vulnerabilities":{"list":[]}}"#,
        r#"{"dependencies":[],"fixes":[]}"#,
        r#"{"SchemaVersion":2,"ArtifactName":"."}"#,
        r#"{"passed":0,"failed":0,"resource_count":0,"checkov_version":"1"}"#,
    ] {
        let run = one(text);
        let told = run.left_out.is_some() || run.execution_successful == Some(false);
        assert!(told, "{text}: {run:?}");
    }
    let listed = r#"{"results":[{"packages":[{"package":{"name":"left"},"vulnerabilities":[]}]}]}"#;
    assert_eq!(one(listed).left_out, None);
}

#[test]
fn suppressed_findings_are_counted_with_and_without_a_reason() {
    for (format, suppressed, without_reason) in [
        ("semgrep-json", 1, 1),
        ("grype-json", 1, 0),
        ("cargo-audit-json", 1, 1),
        ("checkov-json", 1, 0),
    ] {
        let run = one(sample(format));
        let all: u64 = run.counts.iter().map(|count| count.suppressed).sum();
        assert_eq!(
            (all, run.suppressed_without_reason),
            (suppressed, without_reason)
        );
    }
}

#[test]
fn what_is_measured_is_told() {
    let lines = |format: &str| match one(sample(format)).measured {
        Some(Measured::Lines { covered, total }) => (covered, total),
        other => panic!("{other:?}"),
    };
    assert_eq!(lines("cobertura"), (1, 2));
    assert_eq!(lines("jacoco"), (3, 4));
    assert_eq!(lines("lcov"), (1, 2));
    for (format, expected) in [("cyclonedx-1.6", (2, 1)), ("spdx-2.3", (2, 1))] {
        match one(sample(format)).measured {
            Some(Measured::Components {
                total,
                unlicensed,
                licences,
            }) => {
                assert_eq!((total, unlicensed), expected, "{format}");
                assert_eq!(licences.get("MIT"), Some(&1));
            }
            other => panic!("{other:?}"),
        }
    }
    match one(sample("openvex")).measured {
        Some(Measured::Statements { unjustified, .. }) => assert_eq!(unjustified, 1),
        other => panic!("{other:?}"),
    }
}

/// Whatever a window cuts: the same report, moved byte by byte over its edge.
#[test]
fn the_edge_of_a_window_changes_nothing() {
    let block = super::intake::FIRST;
    for sample in SAMPLES.iter().filter(|sample| is_json(sample)) {
        let expected = runs_of(sample.text).expect("a readable report");
        for shift in (0..sample.text.len()).step_by(53) {
            let start = sample.text.find('{').expect("an object") + 1;
            let (before, after) = sample.text.split_at(start);
            // The keys have to be in the first block, so that the format is told.
            let filled = format!("{before}{after}{}", " ".repeat(block - shift));
            assert_eq!(
                runs_of(&filled).as_ref(),
                Ok(&expected),
                "{}",
                sample.format
            );
        }
    }
    let result = r#"{"ruleId":"R1","level":"error","locations":[{"physicalLocation":{"region":{"startLine":12}}}]}"#;
    for pad in (0..100).step_by(9) {
        let many = vec![result; 2 * block / result.len()].join(",");
        let text = format!(
            r#"{{"version":"2.1.0",{}"runs":[{{"tool":{{"driver":{{"name":"probe"}}}},"results":[{many}]}}]}}"#,
            " ".repeat(pad)
        );
        let run = one(&text);
        let expected = (2 * block / result.len()) as u64;
        assert_eq!(run.counts[0].open, expected, "{pad}");
    }
    // Each place of a finding once at the edge, also the one behind it: none counts twice.
    let finding = r#"{"severity":"High","identifiers":[{"value":"R1"}]}"#;
    for pad in 0..=finding.len() {
        let count = 2 * block / finding.len();
        let many = vec![finding; count].join(",");
        let text = format!(
            r#"{{"version":"15.0.4",{}"vulnerabilities":[{many}],"scan":{{"type":"sast","status":"success","scanner":{{"name":"probe"}}}}}}"#,
            " ".repeat(pad)
        );
        assert_eq!(one(&text).counts[0].open, count as u64, "{pad}");
    }
}

#[test]
fn many_rules_and_large_skipped_parts_are_read() {
    let rules: Vec<String> = (0..25_000)
        .map(|rule| format!(r#"{{"id":"R{rule}","defaultConfiguration":{{"level":"note"}}}}"#))
        .collect();
    let large = format!("[{}]", vec![r#"{"x":[1,{"y":"z"}]}"#; 60_000].join(","));
    let text = format!(
        r#"{{"properties":{large},"version":"2.1.0","runs":[{{"results":[{{"ruleIndex":24999}}],"artifacts":{large},"tool":{{"driver":{{"name":"probe","rules":[{}]}}}}}}]}}"#,
        rules.join(",")
    );
    assert_eq!(one(&text).counts[0].severity, Severity::Low);
}

#[test]
fn a_value_has_a_longest_length() {
    let text = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"p"}}}},"results":[{{"x":"{}"#,
        "x".repeat(5 << 20)
    );
    assert!(refused(&text, "a long string").contains("longer"));
}

#[test]
fn a_name_has_a_longest_length_in_gitlabs_reports_too() {
    let name = "R".repeat(2 << 20);
    let text = format!(
        r#"{{"version":"15.0.4","vulnerabilities":[{{"identifiers":[{{"value":"{name}"}}]}}]}}"#
    );
    assert!(refused(&text, "a long name").contains("longer"));
}

/// What stands in a string that no reader wants, cut by the blocks at each of its bytes.
#[test]
fn a_string_that_no_reader_wants_is_checked_nevertheless() {
    for part in [r"\u00e9", r#"\\\""#, "é"] {
        for shift in 0..part.len() {
            let string = "y".repeat(shift) + &part.repeat((300 << 10) / part.len());
            let text = |end: &str| wanting_nothing_of(&format!("{string}{end}"));
            assert_eq!(one(&text("\",")).counts[0].open, 1);
            refused(&text(""), "a string without an end");
            refused(&text("\n\","), "a line break in a string");
            refused(&text("\\x\","), "an escape that there is not");
        }
    }
}

#[test]
fn a_string_that_no_reader_wants_may_be_longer_than_any_value() {
    let long = "x".repeat(5 << 20);
    assert_eq!(
        one(&wanting_nothing_of(&format!("{long}\","))).counts[0].open,
        1
    );
    let refusal = refused(&wanting_nothing_of(&long), "a string without an end");
    assert!(!refusal.contains("longer"), "{refusal}");
}

/// A report with a string, which the text has to end, under a key that is not read.
fn wanting_nothing_of(string: &str) -> String {
    format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"p"}}}},"x":"{string}"results":[{{"level":"error"}}]}}]}}"#
    )
}
