//! SCAN-11: which files tell scanners what to look for, and whose approval they need.

use serde_json::{Value, json};

use super::*;
use crate::controls::pipeline::testing::{definition, file, file_of, job, pipeline_of};
use crate::controls::testing::{
    approval, changed, hidden, moved, reviewed, seen, stale, verdict_of,
};
use crate::facts::{DefinitionFile, PipelineJob, Review};

fn control(parameters: Value) -> ScanConfigurationKept {
    serde_json::from_value(parameters).unwrap()
}

fn by_olga() -> ScanConfigurationKept {
    control(json!({"owners": ["@olga"]}))
}

/// A change of this file by ana with these reviews; `ci.yml` scans, `docs.yml` does not.
fn with(path: &str, reviews: Vec<Review>) -> Snapshot {
    let scan = PipelineJob {
        does: vec!["semgrep ci --sarif".to_owned()],
        ..job("static")
    };
    over(
        path,
        reviews,
        vec![
            file("ci.yml", definition(vec![job("test"), scan])),
            file("docs.yml", definition(vec![job("docs")])),
        ],
    )
}

fn over(path: &str, reviews: Vec<Review>, files: Vec<DefinitionFile>) -> Snapshot {
    let mut facts = reviewed(reviews);
    facts.files = seen(vec![changed("src/lib.rs"), changed(path)]);
    facts.teams = seen(Vec::new());
    facts.settings.definition = seen(pipeline_of(files));
    facts
}

#[test]
fn an_owners_approval_passes_and_any_other_does_not() {
    let facts = with(".gitleaksignore", vec![approval("olga")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "pass");
    let facts = with(".gitleaksignore", vec![approval("bob"), approval("li")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
    let facts = with(".gitleaksignore", vec![stale("olga")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
    assert_eq!(
        control(json!({"owners": ["@acme/sec"]})).teams(),
        ["@acme/sec"]
    );
}

#[test]
fn without_owners_one_approval_more_than_usual_is_needed() {
    let default = ScanConfigurationKept::default();
    let one = with(".trivyignore", vec![approval("bob")]);
    assert_eq!(verdict_of(&default, &one), "fail pending");
    let two = with(".trivyignore", vec![approval("bob"), approval("li")]);
    assert_eq!(verdict_of(&default, &two), "pass");
}

#[test]
fn each_file_that_scanners_read_counts_and_others_do_not() {
    for path in [
        ".semgrepignore",
        "web/.semgrepignore",
        ".semgrep/rules/own.yml",
        ".gitleaks.toml",
        ".gitleaksignore",
        ".secrets.baseline",
        ".trivyignore",
        ".trivyignore.yaml",
        ".bandit",
        ".checkov.yaml",
        ".checkov.baseline",
        "osv-scanner.toml",
        "audit.toml",
        ".cargo/audit.toml",
        "deny.toml",
        ".github/codeql/config.yml",
        ".github/secret_scanning.yml",
        ".gitlab/sast-ruleset.toml",
        "app.openvex.json",
    ] {
        let verdict = verdict_of(&by_olga(), &with(path, vec![]));
        assert_eq!(verdict, "fail pending", "{path}");
    }
    for path in [
        "src/audit.rs",
        "docs/semgrepignore.md",
        ".github/labeler.yml",
    ] {
        let verdict = verdict_of(&by_olga(), &with(path, vec![]));
        assert_eq!(verdict, "not_applicable", "{path}");
    }
}

/// The cheat: the scan is taken out of the pipeline, or its file moved away.
#[test]
fn a_file_of_the_pipeline_with_a_scan_counts_and_one_without_does_not() {
    assert_eq!(
        verdict_of(&by_olga(), &with("ci.yml", vec![])),
        "fail pending"
    );
    assert_eq!(
        verdict_of(&by_olga(), &with("ci.yml", vec![approval("olga")])),
        "pass"
    );
    assert_eq!(
        verdict_of(&by_olga(), &with("docs.yml", vec![])),
        "not_applicable"
    );
    let mut away = with("a", vec![]);
    away.files = seen(vec![moved(seen(Some("ci.yml".to_owned())), "old.yml")]);
    assert_eq!(verdict_of(&by_olga(), &away), "fail pending");
}

#[test]
fn a_job_is_known_by_its_name_what_it_runs_and_what_it_brings_in() {
    let named = |id: &str| vec![file("ci.yml", definition(vec![job(id)]))];
    for id in ["CodeQL", "semgrep-sast", "npm-audit"] {
        let facts = over("ci.yml", vec![], named(id));
        assert_eq!(verdict_of(&by_olga(), &facts), "fail pending", "{id}");
    }
    let facts = over("ci.yml", vec![], named("build"));
    assert_eq!(verdict_of(&by_olga(), &facts), "not_applicable");
}

#[test]
fn what_cannot_be_read_of_the_pipeline_is_unknown_only_where_it_matters() {
    let unread = || vec![file_of("ci.yml", hidden())];
    let facts = over("ci.yml", vec![], unread());
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
    let facts = over("README.md", vec![], unread());
    assert_eq!(verdict_of(&by_olga(), &facts), "not_applicable");
    let mut facts = with("README.md", vec![]);
    facts.settings.definition = hidden();
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
    // What is proven fails whatever is hidden.
    let mut facts = with(".trivyignore", vec![]);
    facts.settings.definition = hidden();
    assert_eq!(verdict_of(&by_olga(), &facts), "fail pending");
}

#[test]
fn hidden_files_or_an_old_path_that_is_hidden_is_unknown() {
    let mut facts = with("a", vec![approval("olga")]);
    facts.files = hidden();
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
    let mut facts = with("a", vec![]);
    facts.files = seen(vec![moved(hidden(), "b")]);
    assert_eq!(verdict_of(&by_olga(), &facts), "unknown");
}

#[test]
fn fewer_paths_scanners_or_approvals_and_more_owners_are_weaker() {
    let base = control(json!({"owners": ["@olga"], "min": 2}));
    for weaker in [
        json!({"owners": ["@olga"], "min": 1}),
        json!({"owners": ["@olga", "@li"], "min": 2}),
        json!({"min": 2}),
        json!({"owners": ["@olga"], "min": 2, "paths": [".trivyignore*"]}),
        json!({"owners": ["@olga"], "min": 2, "scanners": ["semgrep"]}),
    ] {
        let weaker = control(weaker);
        assert!(weaker.weaker_than(&base).is_some(), "{weaker:?}");
    }
    assert_eq!(base.weaker_than(&base), None);
}
