//! `ccgate policy` and controls of a policy's own, from outside.

use std::path::Path;

use serde_json::{Value, json};

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

/// One key of the policy file: its path, what the file says instead, and which way it goes.
/// The whole file of before and after stands around it.
const KEYS: &[(&str, &str, &str, &str)] = &[
    (
        "extends",
        "extends: [soc2-baseline]",
        "extends: [soc2-strict]",
        "changed",
    ),
    (
        "branches",
        "branches: [main, dev]",
        "branches: [main]",
        "weaker",
    ),
    ("mode", "mode: enforce", "mode: advisory", "weaker"),
    (
        "settings.max_age",
        "settings: {max_age: 24h}",
        "settings: {max_age: 48h}",
        "weaker",
    ),
    (
        "controls",
        "controls: {deletion-blocked: {}, webhooks-secured: {}}",
        "controls: {deletion-blocked: {}}",
        "weaker",
    ),
    (
        "custom",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "",
        "weaker",
    ),
    (
        "custom.id",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-c, criteria: [CC8.1], assert: 'true'}]",
        "weaker",
    ),
    (
        "custom.title",
        "custom: [{id: a-b, title: x, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, title: y, criteria: [CC8.1], assert: 'true'}]",
        "changed",
    ),
    (
        "custom.criteria",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, criteria: [CC6.1], assert: 'true'}]",
        "changed",
    ),
    (
        "custom.when",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, criteria: [CC8.1], when: 'false', assert: 'true'}]",
        "weaker",
    ),
    (
        "custom.assert",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'false'}]",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "weaker",
    ),
    (
        "custom.next",
        "custom: [{id: a-b, next: x, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, next: y, criteria: [CC8.1], assert: 'true'}]",
        "changed",
    ),
    (
        "custom.enforce",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, enforce: warn, criteria: [CC8.1], assert: 'true'}]",
        "weaker",
    ),
    (
        "custom.on_unknown",
        "custom: [{id: a-b, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, on_unknown: warn, criteria: [CC8.1], assert: 'true'}]",
        "weaker",
    ),
    (
        "custom.reason",
        "custom: [{id: a-b, enforce: off, reason: r, owner: '@a', expires: 2027-01-31, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, enforce: off, reason: s, owner: '@a', expires: 2027-01-31, criteria: [CC8.1], assert: 'true'}]",
        "changed",
    ),
    (
        "custom.owner",
        "custom: [{id: a-b, enforce: off, reason: r, owner: '@a', expires: 2027-01-31, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, enforce: off, reason: r, owner: '@b', expires: 2027-01-31, criteria: [CC8.1], assert: 'true'}]",
        "changed",
    ),
    (
        "custom.expires",
        "custom: [{id: a-b, enforce: off, reason: r, owner: '@a', expires: 2027-01-31, criteria: [CC8.1], assert: 'true'}]",
        "custom: [{id: a-b, enforce: off, reason: r, owner: '@a', expires: 2028-01-31, criteria: [CC8.1], assert: 'true'}]",
        "weaker",
    ),
    (
        "scans",
        "scans: [{tool: t, path: 'a/*.sarif'}]",
        "",
        "weaker",
    ),
    (
        "scans.tool",
        "scans: [{tool: t, path: 'a/*.sarif'}]",
        "scans: [{tool: u, path: 'a/*.sarif'}]",
        "weaker",
    ),
    (
        "scans.path",
        "scans: [{tool: t, path: 'a/*.sarif'}]",
        "scans: [{tool: t, path: 'b/*.sarif'}]",
        "weaker",
    ),
    (
        "scans.required",
        "scans: [{tool: t, path: 'a/*.sarif'}]",
        "scans: [{tool: t, path: 'a/*.sarif', required: false}]",
        "weaker",
    ),
    (
        "scans.max_age",
        "scans: [{tool: t, path: 'a/*.sarif', max_age: 24h}]",
        "scans: [{tool: t, path: 'a/*.sarif', max_age: 48h}]",
        "weaker",
    ),
    (
        "scans.format",
        "scans: [{tool: t, path: 'a/*.json', format: sarif}]",
        "scans: [{tool: t, path: 'a/*.json', format: gitleaks}]",
        "weaker",
    ),
    (
        "scans.new",
        "scans: [{tool: t, path: 'a/*.sarif', new: {high: 0}}]",
        "scans: [{tool: t, path: 'a/*.sarif', new: {high: 1}}]",
        "weaker",
    ),
    (
        "scans.total",
        "scans: [{tool: t, path: 'a/*.sarif', total: {high: 0}}]",
        "scans: [{tool: t, path: 'a/*.sarif', total: {high: 1}}]",
        "weaker",
    ),
    (
        "accepted_findings.tool",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: u, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "accepted_findings.fingerprint",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '1123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "accepted_findings.rule",
        "accepted_findings: [{tool: t, rule: r, place: src/a.rs, severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, rule: s, place: src/a.rs, severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "accepted_findings.place",
        "accepted_findings: [{tool: t, rule: r, place: src/a.rs, severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, rule: r, place: src/b.rs, severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "accepted_findings.severity",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: critical, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "accepted_findings.count",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, count: 2, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "accepted_findings.status",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: not_affected, justification: component_not_present, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "changed",
    ),
    (
        "accepted_findings.justification",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: not_affected, justification: component_not_present, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: not_affected, justification: vulnerable_code_not_present, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "changed",
    ),
    (
        "accepted_findings.reason",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: s, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "changed",
    ),
    (
        "accepted_findings.owner",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@c', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "changed",
    ),
    (
        "accepted_findings.approved_by",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@c', ticket: T-1, expires: 2027-01-31}]",
        "changed",
    ),
    (
        "accepted_findings.ticket",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-2, expires: 2027-01-31}]",
        "changed",
    ),
    (
        "accepted_findings.expires",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2027-01-31}]",
        "accepted_findings: [{tool: t, fingerprint: '0123456789abcdef0123456789abcdef', severity: high, status: affected, reason: r, owner: '@a', approved_by: '@b', ticket: T-1, expires: 2028-01-31}]",
        "weaker",
    ),
    (
        "known_exploited",
        "known_exploited: a.json",
        "known_exploited: b.json",
        "weaker",
    ),
    (
        "scans.severity_map",
        "scans: [{tool: t, path: 'a/*.sarif'}]",
        "scans: [{tool: t, path: 'a/*.sarif', severity_map: {words: {high: low}}}]",
        "weaker",
    ),
    (
        "scans.baseline",
        "scans: [{tool: t, path: 'a/*.sarif', new: {high: 0}}]",
        "scans: [{tool: t, path: 'a/*.sarif', new: {high: 0}, baseline: {path: k, digest: 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', expires: 2027-01-31}}]",
        "weaker",
    ),
    (
        "overrides.allowed_by",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a', '@b']}",
        "weaker",
    ),
    (
        "overrides.second_person",
        "overrides: {allowed_by: ['@a'], second_person: true}",
        "overrides: {allowed_by: ['@a']}",
        "weaker",
    ),
    (
        "overrides.signed",
        "overrides: {allowed_by: ['@a'], signed: true, signers: {'@a': [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH]}}",
        "overrides: {allowed_by: ['@a'], signers: {'@a': [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH]}}",
        "weaker",
    ),
    (
        "overrides.signers",
        "overrides: {allowed_by: ['@a'], signers: {'@a': [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH]}}",
        "overrides: {allowed_by: ['@a'], signers: {'@b': [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH]}}",
        "weaker",
    ),
    (
        "overrides.published_keys",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], published_keys: true}",
        "weaker",
    ),
    (
        "overrides.environments",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], environments: [change-override]}",
        "weaker",
    ),
    (
        "overrides.never",
        "overrides: {allowed_by: ['@a'], never: [deletion-blocked, BR-18]}",
        "overrides: {allowed_by: ['@a'], never: [deletion-blocked]}",
        "weaker",
    ),
    (
        "overrides.max_uses",
        "overrides: {allowed_by: ['@a'], max_uses: 2}",
        "overrides: {allowed_by: ['@a']}",
        "weaker",
    ),
    (
        "overrides.ticket",
        "overrides: {allowed_by: ['@a'], ticket: 'INC-[0-9]+'}",
        "overrides: {allowed_by: ['@a'], ticket: '.*'}",
        "weaker",
    ),
    (
        "overrides.min_reason",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], min_reason: 1}",
        "weaker",
    ),
    (
        "overrides.max",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], max: 72h}",
        "weaker",
    ),
    (
        "overrides.review_within",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], review_within: 9 business days}",
        "weaker",
    ),
    (
        "overrides.time_zone",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], time_zone: Pacific/Honolulu}",
        "weaker",
    ),
    (
        "overrides.holidays",
        "overrides: {allowed_by: ['@a']}",
        "overrides: {allowed_by: ['@a'], holidays: [2026-12-24]}",
        "weaker",
    ),
    (
        "waivers.control",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "waivers: [{control: force-push-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "waivers.scope",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "waivers: [{control: deletion-blocked, scope: '*', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "weaker",
    ),
    (
        "waivers.reason",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: s, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "changed",
    ),
    (
        "waivers.owner",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@c', approved_by: '@b', expires: 2027-01-31}]",
        "changed",
    ),
    (
        "waivers.approved_by",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@c', expires: 2027-01-31}]",
        "changed",
    ),
    (
        "waivers.expires",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2027-01-31}]",
        "waivers: [{control: deletion-blocked, scope: 'a/b', reason: r, owner: '@a', approved_by: '@b', expires: 2028-01-31}]",
        "weaker",
    ),
    (
        "frameworks",
        "frameworks: [soc2]",
        "frameworks: [soc2, iso27001]",
        "changed",
    ),
    (
        "ledger.url",
        "ledger: {url: 'dir:a'}",
        "ledger: {url: 'dir:b'}",
        "weaker",
    ),
    (
        "ledger.required",
        "ledger: {url: 'dir:a'}",
        "ledger: {url: 'dir:a', required: false}",
        "weaker",
    ),
];

/// Every key of the policy file but those under a single control, as dotted paths.
fn keys_of_the_schema() -> Vec<String> {
    let printed = run(Path::new("."), &["policy", "schema"]);
    let schema: Value = serde_json::from_str(&printed.stdout).expect("the schema is JSON");
    let properties = |node: &Value| -> Vec<(String, Value)> {
        let node = node.get("items").unwrap_or(node);
        let map = node["properties"].as_object().cloned().unwrap_or_default();
        map.into_iter().collect()
    };
    let mut keys = Vec::new();
    for (name, node) in properties(&schema) {
        let below = properties(&node);
        if name == "version" {
            continue;
        }
        if name == "controls" || below.is_empty() {
            keys.push(name);
            continue;
        }
        keys.extend(below.into_iter().map(|(key, _)| format!("{name}.{key}")));
    }
    keys
}

#[test]
fn a_change_of_every_key_of_the_policy_is_named_by_diff() {
    for key in keys_of_the_schema() {
        assert!(
            KEYS.iter().any(|(known, ..)| *known == key),
            "nobody said how `{key}` is compared"
        );
    }
    for (key, before, after, direction) in KEYS {
        // What has to be there anyway, unless the line itself says it.
        let around = |line: &str| {
            let mut text = "version: 1\n".to_owned();
            for other in ["extends: [soc2-baseline]"] {
                if !line.starts_with("extends") {
                    text.push_str(other);
                    text.push('\n');
                }
            }
            if key.starts_with("scans") {
                text.push_str("controls: {sast-clean: {}}\n");
            }
            format!("{text}{line}\n")
        };
        let folder = written(&[("a.yml", &around(before)), ("b.yml", &around(after))]);
        let ended = run(
            folder.path(),
            &["policy", "diff", "a.yml", "b.yml", "--format", "json"],
        );
        let found: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|_| panic!("{key}: {}{}", ended.stdout, ended.stderr));
        let section = key.split('.').next().unwrap_or_default();
        let section = if section == "custom" {
            "controls"
        } else {
            section
        };
        let named = found["changes"].as_array().is_some_and(|changes| {
            changes
                .iter()
                .any(|one| one["section"] == section && one["direction"] == *direction)
        });
        assert!(named, "{key}: {found:#}");
        let weaker = found["weaker"] == true;
        assert_eq!(ended.code, u8::from(weaker), "{key}");
        assert!(weaker || *direction != "weaker", "{key}");
        // Nothing is weaker both ways unless it cannot be compared; it is named both ways.
        let back = run(folder.path(), &["policy", "diff", "b.yml", "a.yml"]);
        assert!(
            !back.stdout.contains("nothing changes"),
            "{key}: {}",
            back.stdout
        );
    }
}

#[test]
fn diff_ends_with_0_1_or_2() {
    let folder = written(&[
        ("a.yml", "version: 1\nextends: [soc2-baseline]\n"),
        ("bad.yml", "version: 1\ncontrolls: {}\n"),
    ]);
    let ended = |arguments: &[&str]| {
        let mut all = vec!["policy", "diff"];
        all.extend(arguments);
        run(folder.path(), &all)
    };
    let same = ended(&["soc2-baseline", "a.yml"]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    let weaker = ended(&["soc2-strict", "soc2-baseline"]);
    assert_eq!(weaker.code, 1, "{}", weaker.stderr);
    assert!(
        weaker
            .stdout
            .contains("  weaker    CHG-02 approvals-sufficient: min 2 -> 1 ("),
        "{}",
        weaker.stdout
    );
    let stronger = ended(&["soc2-baseline", "soc2-strict"]);
    assert!(
        stronger
            .stdout
            .contains("  stronger  CHG-02 approvals-sufficient: min 1 -> 2"),
        "{}",
        stronger.stdout
    );
    let invalid = ended(&["a.yml", "bad.yml"]);
    assert_eq!(invalid.code, 2);
    assert!(invalid.stderr.contains("bad.yml:2:1"), "{}", invalid.stderr);
    for wrong in [
        &["a.yml"][..],
        &[],
        &["a.yml", "none.yml"],
        &["a.yml", "bad.yml", "--change", "4"],
        &["a.yml", "bad.yml", "--repo", "a/b"],
    ] {
        assert_eq!(ended(wrong).code, 2, "{wrong:?}");
    }
}

const GUARDED: &str = "version: 1
extends: [soc2-strict]
controls: {gate-changes-approved: {}}
";

#[test]
fn diff_of_a_change_compares_the_policy_in_force_with_the_one_at_its_head() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.policy = Some(GUARDED.to_owned());
        acme.propose(42, &GUARDED.replace("soc2-strict", "soc2-baseline"));
    });
    let arguments = [
        "policy",
        "diff",
        "--repo",
        "acme/payments",
        "--change",
        "42",
    ];
    let ended = bench.run(&arguments);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended
            .stdout
            .contains("weaker    CHG-02 approvals-sufficient: min 2 -> 1"),
        "{}",
        ended.stdout
    );
    // A change of other files changes nothing in it, whatever stands at its head.
    bench
        .forge
        .with(|acme| acme.change(42).files = vec!["src/lib.rs".to_owned()]);
    let ended = bench.run(&arguments);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    bench.forge.with(|acme| acme.propose(42, "version: 2"));
    assert_eq!(bench.run(&arguments).code, 2);
    let missing = [
        "policy",
        "diff",
        "--repo",
        "acme/payments",
        "--change",
        "99",
    ];
    assert_eq!(bench.run(&missing).code, 3);
}

#[test]
fn a_change_of_the_policy_is_shown_what_it_would_weaken_and_judged_by_the_policy_in_force() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.policy = Some(GUARDED.to_owned());
        acme.change(42).files = vec!["src/lib.rs".to_owned()];
    });
    let (_, before) = bench.decision(&[]);
    bench.forge.with(|acme| {
        let off = "version: 1\ncontrols: {force-push-blocked: {}}\n";
        acme.propose(42, off);
    });
    let (code, after) = bench.decision(&[]);
    assert_ne!(code, 0, "{after:#}");
    let own = control(&after, "CHG-16");
    assert_eq!(own["verdict"], "fail", "{own:#}");
    let line = "would be weaker: CHG-02 approvals-sufficient: enforce block -> not judged";
    assert!(own["observed"].to_string().contains(line), "{own:#}");
    // One request more, and every other verdict as it was.
    let count = |decision: &Value| decision["requests"]["count"].as_u64();
    assert_eq!(count(&after), count(&before).map(|count| count + 1));
    for other in before["controls"].as_array().expect("a list") {
        if other["code"] != "CHG-16" {
            let code = other["code"].as_str().unwrap_or_default();
            assert_eq!(control(&after, code)["verdict"], other["verdict"], "{code}");
        }
    }
    for format in ["human", "markdown"] {
        let shown = bench.check(&["--format", format]).stdout;
        assert!(shown.contains("would be weaker"), "{format}: {shown}");
    }
    // Offline it is the same, to the byte.
    let (_, live) = bench.decision(&["--save-snapshot", "s.json"]);
    let again = bench.run(&["check", "--snapshot", "s.json", "--format", "json"]);
    let again: Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again["controls"], live["controls"]);
}
