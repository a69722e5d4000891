//! What a sound policy becomes.

use globset::Glob;
use jiff::SignedDuration;
use serde_json::json;

use super::{NOW, at, document, given, loaded, over};
use crate::facts::{Fact, FactKey, PolicyFacts, Severity, Unknown, Why};
use crate::policy::{Clocks, LoadError, Mode, Policy, Standing, lint, load};

pub(super) const FULL: &str = r#"version: 1
extends: [soc2-baseline]
branches: [main, "release/*"]
mode: enforce
settings: {max_age: 7d}
controls:
  CHG-02: {min: 2}
scans:
  - {tool: semgrep, path: "results/*.sarif", max_age: 24h, new: {high: 0, critical: 1}, total: {low: 9}}
overrides: {allowed_by: ["@acme/security"], ticket: "INC-[0-9]+", min_reason: 40, max: 12h, review_within: 2 business days}
waivers:
  - {control: BR-18, scope: "acme/legacy-*", reason: r, owner: "@ana", approved_by: "@li", expires: 2026-06-01}
frameworks: [soc2, iso27001, soc2]
ledger: {url: "dir:.ccgate/ledger"}
"#;

fn full() -> Policy {
    loaded(&given(FULL))
}

#[test]
fn every_section_arrives() {
    let policy = full();
    assert_eq!(policy.mode, Mode::Enforce);
    assert_eq!(policy.settings_max_age, SignedDuration::from_hours(7 * 24));
    assert_eq!(policy.frameworks, ["soc2", "iso27001"]);
    assert_eq!(
        policy.scans[0].new,
        [(Severity::Critical, 1), (Severity::High, 0)]
    );
    assert_eq!(
        policy.scans[0].max_age,
        Some(SignedDuration::from_hours(24))
    );
    assert!(policy.scans[0].required, "whoever lists a result wants it");
    assert_eq!(policy.overrides.allowed_by, ["@acme/security"]);
    assert!(
        !policy.overrides.second_person,
        "unless the policy wants one"
    );
    assert_eq!(policy.overrides.min_reason, 40);
    assert_eq!(policy.overrides.max, SignedDuration::from_hours(12));
    assert_eq!(policy.overrides.review_within, "2 business days");
    let ledger = policy.ledger.expect("it names a ledger");
    assert_eq!(ledger.url, "dir:.ccgate/ledger");
    assert!(ledger.required, "whoever names a ledger wants the record");
    assert_eq!(policy.source.layers, ["preset soc2-baseline"]);
    assert_eq!(policy.source.origin, "p.yml");
}

#[test]
fn the_controls_are_sorted_by_code_and_know_where_they_were_set() {
    let policy = full();
    let codes: Vec<_> = policy
        .controls
        .iter()
        .map(|one| one.control.meta().code)
        .collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    assert_eq!(codes, sorted);
    for bound in &policy.controls {
        let place = bound.place.as_ref().map(ToString::to_string);
        let wanted = (bound.control.meta().code == "CHG-02").then(|| "p.yml:7:3".to_owned());
        assert_eq!(place, wanted);
    }
}

#[test]
fn the_scans_are_handed_to_the_control_that_judges_them() {
    let policy = full();
    let scans = policy
        .controls
        .iter()
        .find(|one| one.control.meta().id == "sast-clean");
    let parameters = scans.expect("the preset enables it").control.parameters();
    assert_eq!(
        parameters["scans"],
        json!([{
            "tool": "semgrep", "path": "results/*.sarif", "required": true, "max_age_seconds": 86400,
            "new": {"critical": 1, "high": 0}, "total": {"low": 9},
        }])
    );
}

#[test]
fn a_branch_is_in_scope_if_a_glob_matches_it() {
    let policy = full();
    for (branch, covered) in [
        ("main", true),
        ("release/1", true),
        ("release/1/x", true),
        ("dev", false),
        ("mainly", false),
    ] {
        assert_eq!(policy.covers(branch), covered, "{branch}");
    }
    assert!(loaded(&given("version: 1\nextends: [soc2-baseline]\n")).covers("anything"));
}

#[test]
fn a_ticket_has_to_match_as_a_whole() {
    let ticket = full().overrides.ticket.expect("it asks for one");
    assert!(ticket.is_match("INC-7"));
    for wrong in ["INC-7x", "xINC-7", "INC-7\n", "INC-", "INC-7 INC-8"] {
        assert!(!ticket.is_match(wrong), "{wrong:?}");
    }
}

/// The trick: a pattern with alternatives that would escape the anchors.
#[test]
fn alternatives_of_a_ticket_pattern_match_as_a_whole_too() {
    let text = "version: 1\nextends: [soc2-baseline]\noverrides: {allowed_by: [\"@a\"], ticket: \"INC-1|OPS-2\"}\n";
    let ticket = loaded(&given(text))
        .overrides
        .ticket
        .expect("it asks for one");
    assert!(ticket.is_match("OPS-2"));
    assert!(!ticket.is_match("INC-1 and more") && !ticket.is_match("see OPS-2"));
    let broken = super::problem(&text.replace("INC-1|OPS-2", "a)|(b"));
    assert!(broken.contains("is no regular expression"), "{broken}");
}

#[test]
fn without_a_section_nobody_may_override() {
    let policy = loaded(&given("version: 1\nextends: [soc2-baseline]\n"));
    assert!(policy.overrides.allowed_by.is_empty());
    assert!(!policy.needs().has(FactKey::ChangeComments));
    assert!(full().needs().has(FactKey::ChangeComments));
}

#[test]
fn the_scope_of_a_waiver_stops_at_a_slash_and_holds_through_its_last_day() {
    let policy = full();
    let waiver = &policy.waivers[0];
    assert_eq!(waiver.control, "force-push-blocked");
    assert_eq!(waiver.place.to_string(), "p.yml:12:5");
    for (repository, covered) in [
        ("acme/legacy-x", true),
        ("Acme/Legacy-X", true),
        ("acme/legacy-x/y", false),
        ("acme/app", false),
        ("evil/acme/legacy-x", false),
    ] {
        assert_eq!(waiver.covers(repository), covered, "{repository}");
    }
    for (now, standing) in [
        ("2026-03-02T23:59:59Z", Standing::NotYet),
        ("2026-03-03T00:00:00Z", Standing::Stands),
        ("2026-06-01T23:59:59Z", Standing::Stands),
        ("2026-06-02T00:00:00Z", Standing::Expired),
    ] {
        assert_eq!(waiver.standing(Clocks::one(at(now))), standing, "{now}");
    }
    let all = crate::policy::Waiver {
        scope: "*".to_owned(),
        ..waiver.clone()
    };
    assert!(all.covers("a/b/c"));
    assert!(Glob::new(&waiver.scope).is_ok());
}

#[test]
fn the_recorded_digest_is_that_of_the_text_and_not_what_somebody_says() {
    let policy = loaded(&given("version: 1\nextends: [soc2-baseline]\n"));
    assert!(policy.source.digest.starts_with("sha256:"));
    assert_ne!(policy.source.digest, "sha256:unused");
}

#[test]
fn no_document_anywhere_is_a_missing_policy() {
    let nowhere = PolicyFacts {
        target: Fact::known_without_source(None),
        floor: Fact::known_without_source(None),
    };
    assert_eq!(load(&nowhere, at(NOW)).err(), Some(LoadError::Missing));
}

/// Less sight never gives more trust: a readable branch policy does not stand
/// in for a floor that could not be read, nor the other way round.
#[test]
fn a_document_that_could_not_be_read_leaves_no_policy() {
    let unknown = || Unknown::new("policy.floor", Why::NotPermitted, "403");
    let text = "version: 1\nextends: [soc2-baseline]\n";
    let mut no_floor = given(text);
    no_floor.floor = Fact::Unknown(unknown());
    let mut no_target = over(text, text);
    no_target.target = Fact::Unknown(unknown());
    for documents in [no_floor, no_target] {
        assert_eq!(
            load(&documents, at(NOW)).err(),
            Some(LoadError::Unreadable(unknown()))
        );
    }
}

#[test]
fn linting_reports_expired_waivers_and_problems() {
    let now = at("2026-06-02T00:00:00Z");
    let notes = lint(&document("p.yml", FULL), now).expect("it is sound");
    assert!(notes.iter().any(|note| {
        note.message == "the waiver of `force-push-blocked` expired on 2026-06-01"
    }));
    let problems = lint(&document("p.yml", "version: 3\nmod: x\n"), now).expect_err("it is not");
    assert_eq!(problems.0.len(), 2);
}

#[test]
fn linting_names_what_has_no_effect_yet() {
    let text = "version: 1\nextends: [soc2-baseline]\nsettings: {max_age: 1h}\n\
                overrides: {allowed_by: [\"@li\"], second_person: false}\nframeworks: [soc2]\n";
    let notes = lint(&document("p.yml", text), at(NOW)).expect("it is sound");
    let said: Vec<_> = notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(said, ["`frameworks` has no effect in this version"]);
}

#[test]
fn the_needs_are_those_of_the_controls_that_are_on() {
    let text = "version: 1\ncontrols:\n  force-push-blocked: {enforce: off, reason: r, owner: \"@a\", expires: 2027-01-31}\n";
    assert!(!loaded(&given(text)).needs().has(FactKey::BranchRules));
    let on = "version: 1\ncontrols: {force-push-blocked: {}}\n";
    assert!(loaded(&given(on)).needs().has(FactKey::BranchRules));
}
