//! `ccgate policy` and controls of a policy's own, from outside.

use std::path::Path;

use serde_json::json;

use crate::support::{Bench, Ended, control, run_in};

const OWN: &str = "version: 1
extends: [soc2-baseline]
custom:
  - id: label-set
    title: the change carries the label `<b>ok</b>`
    criteria: [CC8.1]
    assert: change.labels.exists(l, l == \"ok\")
    next: set the label `ok`
";

fn run(folder: &Path, arguments: &[&str]) -> Ended {
    run_in(
        folder,
        Default::default(),
        "2026-06-01T12:00:00Z",
        arguments,
    )
}

fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("the file can be written");
    }
    folder
}

const CASES: &str = "version: 1
policy: p.yml
cases:
  - {name: with it, facts: {change.labels: [ok]}, expect: {label-set: pass}}
  - {name: without it, facts: {change.labels: []}, expect: {label-set: fail}}
  - {name: not seen, facts: {}, expect: {label-set: unknown}}
";

#[test]
fn the_example_comes_out_as_it_says() {
    let ended = run(
        Path::new(env!("CARGO_MANIFEST_DIR")),
        &["policy", "test", "examples/own-controls/cases.yml"],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.ends_with("8 cases, 0 wrong\n"),
        "{}",
        ended.stdout
    );
    let linted = run(
        Path::new(env!("CARGO_MANIFEST_DIR")),
        &["policy", "lint", "examples/own-controls/policy.yml"],
    );
    assert_eq!(linted.stdout, "examples/own-controls/policy.yml: valid\n");
}

#[test]
fn a_case_that_comes_out_otherwise_is_told_and_ends_with_1() {
    let cases = CASES.replace("label-set: unknown", "label-set: pass");
    let folder = written(&[("p.yml", OWN), ("c.yml", &cases)]);
    let ended = run(folder.path(), &["policy", "test", "c.yml"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("ok    with it"), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("WRONG not seen (c.yml:6:5)"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("label-set is unknown, expected pass"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.ends_with("3 cases, 1 wrong\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_control_that_no_case_sees_fail_is_noted() {
    let cases = CASES.replace(
        "[]}, expect: {label-set: fail}",
        "[ok]}, expect: {label-set: pass}",
    );
    let folder = written(&[("p.yml", OWN), ("c.yml", &cases)]);
    let ended = run(folder.path(), &["policy", "test", "c.yml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("note  no case expects `label-set` to fail"),
        "{}",
        ended.stdout
    );
}

#[test]
fn wrong_files_end_with_2_and_the_place() {
    for (from, to, says) in [
        (
            "label-set: pass",
            "label-zet: pass",
            "c.yml:4:60: `label-zet` is no control",
        ),
        ("label-set: pass", "force-push-blocked: pass", "is built in"),
        (
            "change.labels: [ok]",
            "change.lables: [ok]",
            "c.yml:4:29: there is no name `change.lables` (did you mean `change.labels`?)",
        ),
        (
            "[ok]",
            "ok",
            "`change.labels` has to be a list of text, found text",
        ),
        ("label-set: pass", "label-set: green", "knows no `green`"),
        (
            "expect: {label-set: pass}",
            "expect: {}",
            "the case expects nothing",
        ),
        ("facts: {}, ", "", "either `facts` or a `snapshot`"),
        (
            "facts: {}, expect: {label-set: unknown}",
            "facts: {}, decision: block",
            "`facts` make no decision",
        ),
        ("facts: {}", "snapshot: no.json", "no.json"),
        ("policy: p.yml", "policy: q.yml", "q.yml"),
        ("version: 1", "version: 2", "unknown version"),
        ("cases:", "casses:", "did you mean `cases`?"),
    ] {
        let folder = written(&[("p.yml", OWN), ("c.yml", &CASES.replacen(from, to, 1))]);
        let ended = run(folder.path(), &["policy", "test", "c.yml"]);
        assert_eq!(ended.code, 2, "{to}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(says), "{says}: {}", ended.stderr);
    }
}

#[test]
fn an_own_control_closes_the_gate_and_stands_in_every_format() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.approve(42, "li"));
    std::fs::write(bench.path("p.yml"), OWN).expect("the file can be written");
    let (code, decision) = bench.decision(&["--policy", "p.yml", "--save-snapshot", "s.json"]);
    assert_eq!(code, 1, "{decision:#}");
    let own = control(&decision, "CUS-label-set");
    assert_eq!(own["id"], "label-set");
    assert_eq!(own["verdict"], "fail");
    assert_eq!(own["disposition"], "open");
    assert_eq!(own["criteria"], json!(["CC8.1"]));
    assert_eq!(own["next"], "set the label `ok`");
    assert_eq!(own["observed"][0]["fact"], "change.labels");
    assert!(own["observed"][0]["source"].is_string(), "{own:#}");
    for format in ["human", "markdown", "sarif", "github"] {
        let shown = bench
            .check(&["--policy", "p.yml", "--format", format])
            .stdout;
        assert!(shown.contains("CUS-label-set"), "{format}: {shown}");
        // Where there is markup, the title brings none in.
        assert!(
            format != "markdown" || !shown.contains("<b>"),
            "{format}: {shown}"
        );
    }
    // What was saved is judged again, and cases can rest on it.
    let cases = "version: 1\npolicy: p.yml\ncases:\n  - {name: saved, snapshot: s.json, decision: block, expect: {CUS-label-set: fail, CHG-04: pass}}\n";
    std::fs::write(bench.path("c.yml"), cases).expect("the file can be written");
    let ended = bench.run(&["policy", "test", "c.yml"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn an_own_control_is_overridden_like_any_other() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.approve(42, "li");
        acme.comment(
            42,
            "ana",
            "/ccgate override CUS-label-set INC-482 The label service is down until tomorrow morning",
        );
    });
    let policy = format!("{OWN}overrides: {{allowed_by: [\"@acme/security\"]}}\n");
    std::fs::write(bench.path("p.yml"), policy).expect("the file can be written");
    let (code, decision) = bench.decision(&["--policy", "p.yml", "--ledger", "dir:ledger"]);
    assert_eq!(code, 0, "{decision:#}");
    let own = control(&decision, "CUS-label-set");
    assert_eq!(own["verdict"], "fail");
    assert_eq!(own["disposition"], "overridden");
    let shown = bench.run(&["ledger", "show", "dir:ledger"]);
    assert!(shown.stdout.contains("INC-482"), "{}", shown.stdout);
}

#[test]
fn nothing_is_fetched_that_no_name_needs() {
    let bench = Bench::new();
    let policy = "version: 1\ncustom:\n  - {id: label-set, criteria: [CC8.1], assert: repository.path == \"acme/payments\"}\n";
    std::fs::write(bench.path("p.yml"), policy).expect("the file can be written");
    let (code, decision) = bench.decision(&["--policy", "p.yml"]);
    assert_eq!(code, 0, "{decision:#}");
    let less = decision["requests"]["count"].as_u64();
    let (_, decision) = bench.decision(&[]);
    assert!(less < decision["requests"]["count"].as_u64(), "{less:?}");
}

#[test]
fn explain_says_what_an_own_control_asks_and_what_it_comes_to() {
    let bench = Bench::new();
    std::fs::write(bench.path("p.yml"), OWN).expect("the file can be written");
    let asks = bench.run(&["explain", "CUS-label-set", "--policy", "p.yml"]);
    assert_eq!(asks.code, 0, "{}", asks.stderr);
    for part in [
        "change.labels.exists",
        "set the label",
        "change.identity",
        "CC8.1",
    ] {
        assert!(asks.stdout.contains(part), "{part}: {}", asks.stdout);
    }
    let here = bench.run(&[
        "explain",
        "label-set",
        "--policy",
        "p.yml",
        "--repo",
        "acme/payments",
        "--change",
        "42",
    ]);
    assert_eq!(here.code, 0, "{}", here.stderr);
    assert!(
        here.stdout.contains("CUS-label-set  label-set: fail"),
        "{}",
        here.stdout
    );
    let missing = bench.run(&["explain", "CUS-other", "--policy", "p.yml"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing.stderr.contains("there is no control `CUS-other`"),
        "{}",
        missing.stderr
    );
}
