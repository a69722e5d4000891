//! Committed documents equal what the table of controls says, and everything
//! that calls itself a policy here is one. Refresh: `CCGATE_UPDATE=1 cargo test
//! --test it generated`.

use std::path::{Path, PathBuf};

use ccgate::facts::PolicyDocument;
use ccgate::platform::{github_permissions, gitlab_permissions};
use ccgate::policy::{PRESETS, lint, preset};
use ccgate::render::catalogue::{Rights, controls_document, token_permissions_document};
use ccgate::render::{expressions_document, policy_schema};
use serde_json::{Value, json};
use yaml_rust2::{Yaml, YamlLoader};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Compares a committed file, or writes it in update mode.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to ask for an update"
)]
fn fresh(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("CCGATE_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
        std::fs::write(&file, wanted).expect("the file can be written");
        return;
    }
    // Windows checkouts may have changed the line ends.
    let found = std::fs::read_to_string(&file)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    assert!(
        found == wanted,
        "{path} is stale: run `CCGATE_UPDATE=1 cargo test --test it generated` and commit the result"
    );
}

fn rights() -> Rights<'static> {
    Rights {
        github: github_permissions(),
        gitlab: gitlab_permissions(),
    }
}

#[test]
fn the_controls_are_documented_as_they_are() {
    fresh("docs/controls.md", &controls_document());
}

#[test]
fn the_token_rights_are_documented_as_they_are() {
    fresh(
        "docs/token-permissions.md",
        &token_permissions_document(rights()),
    );
}

#[test]
fn the_names_of_expressions_are_documented_as_they_are() {
    let page = expressions_document();
    fresh("docs/expressions.md", &page);
    // The policy that the page shows is one.
    for text in policies_in(&page)
        .iter()
        .filter(|text| text.contains("custom:"))
    {
        assert_eq!(fits_the_schema(text), Ok(()), "{text}");
        assert_eq!(reads(text), Ok(()), "{text}");
    }
}

#[test]
fn the_policy_schema_is_what_the_reader_takes() {
    let mut text = serde_json::to_string_pretty(&policy_schema()).expect("it serialises");
    text.push('\n');
    fresh("docs/policy.schema.json", &text);
}

/// YAML to JSON with somebody else's typing, so that the schema is not tested with our reader.
fn as_json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Real(text) | Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(value) => json!(value),
        Yaml::Array(items) => items.iter().map(as_json).collect(),
        Yaml::Hash(entries) => entries
            .iter()
            .map(|(key, value)| {
                (
                    key.as_str().expect("keys are words").to_owned(),
                    as_json(value),
                )
            })
            .collect(),
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

fn fits_the_schema(text: &str) -> Result<(), String> {
    let validator = jsonschema::validator_for(&policy_schema()).expect("the schema is one");
    let documents = YamlLoader::load_from_str(text).expect("it is YAML");
    let problems: Vec<_> = validator
        .iter_errors(&as_json(&documents[0]))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

fn reads(text: &str) -> Result<(), String> {
    let document = PolicyDocument {
        origin: "test".to_owned(),
        commit: None,
        digest: String::new(),
        text: text.to_owned(),
    };
    let now = "2026-06-01T12:00:00Z".parse().expect("a literal timestamp");
    lint(&document, now)
        .map(|_| ())
        .map_err(|problems| problems.to_string())
}

/// The policies that a Markdown file shows.
fn policies_in(markdown: &str) -> Vec<&str> {
    markdown
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.starts_with("version:"))
        .collect()
}

#[test]
fn the_presets_fit_the_schema() {
    for name in PRESETS {
        let document = preset(name).expect("it is compiled in");
        assert_eq!(fits_the_schema(&document.text), Ok(()), "{name}");
    }
}

#[test]
fn the_policies_that_the_readmes_show_are_sound() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap_or_default();
    let (top, policies) = (read("README.md"), read("policies/README.md"));
    let shown: Vec<_> = [top.as_str(), &policies]
        .into_iter()
        .flat_map(policies_in)
        .collect();
    assert!(shown.len() >= 2, "policies/README.md shows two");
    for text in shown {
        assert_eq!(fits_the_schema(text), Ok(()), "{text}");
        assert_eq!(reads(text), Ok(()), "{text}");
    }
}

/// The schema and the reader are written apart; here they have to agree.
#[test]
fn what_the_schema_refuses_the_reader_refuses_too_and_the_other_way_round() {
    let head = "version: 1\nextends: [soc2-baseline]\n";
    for wrong in [
        "mod: enforce",
        "mode: maybe",
        "branches: []",
        "branches: main",
        "settings: {max_age: 24}",
        "settings: {age: 24h}",
        "controls: {zebra: {}}",
        "controls: {force-push-blocked: true}",
        "controls: {force-push-blocked: {min: 1}}",
        "controls: {force-push-blocked: {enforce: never}}",
        "controls: {force-push-blocked: {on_unknown: off}}",
        "controls: {force-push-blocked: {owner: me}}",
        "controls: {approvals-sufficient: {min: two}}",
        "controls: {approvals-sufficient: {min: -1}}",
        "controls: {sast-clean: {scans: []}}",
        "custom: [{id: x}]",
        "custom: [{id: Not-Kebab, criteria: [CC8.1], assert: change.draft}]",
        "custom: [{id: own-rule, criteria: [CC8.9], assert: change.draft}]",
        "custom: [{id: own-rule, criteria: [], assert: change.draft}]",
        "custom: [{id: own-rule, criteria: [CC8.1], assert: change.draft, unless: x}]",
        "scans: [{tool: x}]",
        "scans: [{tool: x, path: y, new: {worst: 0}}]",
        "scans: [{tool: x, path: y, severity_map: {high: low}}]",
        "scans: [{tool: x, path: y, severity_map: {words: {odd: low}}}]",
        "scans: [{tool: x, path: y, severity_map: {rules: {a: odd}}}]",
        "scans: [{tool: x, path: y, new: {high: 0}, baseline: {path: z, expires: 2026-07-01}}]",
        "scans: [{tool: x, path: y, new: {high: 0}, baseline: {path: z, digest: a, expires: 2026-07-01}}]",
        "known_exploited: {digest: a}",
        "known_exploited: [a]",
        "accepted_findings: [{tool: x}]",
        "accepted_findings: [{tool: x, fingerprint: 0123456789abcdef0123456789abcdef, severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01, rule: r}]",
        "accepted_findings: [{tool: x, fingerprint: 0123456789abcdef0123456789abcdef, severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01, justification: component_not_present}]",
        "accepted_findings: [{tool: x, fingerprint: 0123456789abcdef0123456789abcdef, severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01, until: never}]",
        "accepted_findings: [{tool: x, fingerprint: 0123456789abcdef0123456789abcdef, severity: high, status: not_affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01}]",
        "overrides: {second_person: true}",
        "overrides: {allowed_by: [me]}",
        "overrides: {allowed_by: [\"@me\"], max_uses: 0}",
        "overrides: {allowed_by: [\"@me\"], never: [\"No such control\"]}",
        "overrides: {allowed_by: [\"@me\"], review_within: soon}",
        "overrides: {allowed_by: [\"@me\"], signed: yes}",
        "overrides: {allowed_by: [\"@me\"], signed: true}",
        "overrides: {allowed_by: [\"@me\"], signed: true, published_keys: false}",
        "overrides: {allowed_by: [\"@me\"], published_keys: yes}",
        "overrides: {allowed_by: [\"@me\"], environments: []}",
        "overrides: {allowed_by: [\"@me\"], environments: [\"\"]}",
        "overrides: {allowed_by: [\"@me\"], environments: change-override}",
        "overrides: {allowed_by: [\"@me\"], signers: {}}",
        "overrides: {allowed_by: [\"@me\"], signers: [\"@me\"]}",
        "overrides: {allowed_by: [\"@me\"], signers: {\"@me\": []}}",
        "overrides: {allowed_by: [\"@me\"], signers: {\"@me\": [AAAA]}}",
        "overrides: {allowed_by: [\"@me\"], signers: {\"@acme/team\": [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH]}}",
        "overrides: {allowed_by: [\"@me\"], signers: {me: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH]}}",
        "waivers: [{control: BR-18}]",
        "frameworks: [soc9]",
        "ledger: {url: \"ftp://x\"}",
        "ledger: {url: \"postgresql://db.example/audit\"}",
        "ledger: {required: true}",
    ] {
        let text = format!("{head}{wrong}\n");
        assert!(
            fits_the_schema(&text).is_err(),
            "the schema takes `{wrong}`"
        );
        assert!(reads(&text).is_err(), "the reader takes `{wrong}`");
    }
    for right in [
        "branches: [main]",
        "custom: [{id: own-rule, criteria: [CC8.1], assert: change.draft, enforce: warn}]",
        "custom: [{id: own-rule, criteria: [CC8.1], when: true, assert: change.draft}]",
        "controls: {approvals-sufficient: {min: 3}}",
        "overrides: {allowed_by: [], review_within: 2 weeks, max: 3d}",
        "overrides: {allowed_by: [\"@me\"], signed: true, signers: {\"@me\": [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH me at home]}}",
        "overrides: {allowed_by: [\"@me\"], environments: [change-override]}",
        "overrides: {allowed_by: [\"@me\"], signed: true, published_keys: true}",
        "ledger: {url: \"dir:x\", required: false}",
        "ledger: {url: \"postgres://db.example/audit#app\"}",
        "ledger: {url: \"s3://bucket/x\"}",
        "known_exploited: kev.json",
        "accepted_findings: [{tool: x, fingerprint: 0123456789abcdef0123456789abcdef, severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01}]",
        "accepted_findings: [{tool: x, rule: r, place: src/a.rs, severity: high, status: not_affected, justification: component_not_present, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01}]",
    ] {
        let text = format!("{head}{right}\n");
        assert_eq!(fits_the_schema(&text), Ok(()), "{right}");
        assert_eq!(reads(&text), Ok(()), "{right}");
    }
}
