//! A branch may only tighten: one line for each thing it could try to loosen.

use super::{NOW, at, loaded, loaded_at, notes, over};
use crate::facts::{Fact, Severity};
use crate::policy::{
    BoundControl, Clocks, Enforcement, LoadError, Mode, OnUnknown, Policy, Standing, load,
};

const FLOOR: &str = "version: 1\nextends: [soc2-strict]\n";
const ANSWERED: &str = "reason: r, owner: \"@me\", expires: 2027-01-31";

fn held(target: &str, floor: &str) -> Policy {
    loaded(&over(
        &format!("version: 1\n{target}"),
        &format!("version: 1\n{floor}"),
    ))
}

fn bound<'p>(policy: &'p Policy, id: &str) -> &'p BoundControl {
    let found = policy
        .controls
        .iter()
        .find(|one| one.control.meta().id == id);
    found.expect("the control is in the policy")
}

/// Whether exactly one note was given, with these words.
fn noted(policy: &Policy, words: &str) {
    let notes = notes(policy);
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(notes[0].contains(words), "{notes:#?}");
}

#[test]
fn the_same_text_is_no_floor_and_needs_no_note() {
    let policy = loaded(&over(FLOOR, FLOOR));
    assert_eq!(notes(&policy), Vec::<String>::new());
    assert_eq!(policy.source.origin, "branch.yml");
}

#[test]
fn a_branch_without_a_policy_gets_the_floor() {
    let mut documents = over(FLOOR, FLOOR);
    documents.target = Fact::known_without_source(None);
    let policy = loaded(&documents);
    assert_eq!(policy.source.origin, "default.yml");
    assert_eq!(
        bound(&policy, "approvals-sufficient").enforcement,
        Enforcement::Block
    );
}

#[test]
fn a_default_branch_without_a_policy_is_no_floor() {
    let mut documents = over(FLOOR, FLOOR);
    documents.floor = Fact::known_without_source(None);
    assert_eq!(loaded(&documents).source.origin, "branch.yml");
}

#[test]
fn the_layers_name_the_floor() {
    let policy = held("extends: [soc2-all]\n", "extends: [soc2-strict]\n");
    assert_eq!(
        policy.source.layers,
        ["preset soc2-all", "preset soc2-strict", "default.yml"]
    );
}

#[test]
fn what_a_branch_lowers_with_or_without_a_concession_does_not_hold() {
    for (control, id) in [
        (
            "force-push-blocked: {enforce: off, ANSWERED}",
            "force-push-blocked",
        ),
        (
            "force-push-blocked: {enforce: warn, ANSWERED}",
            "force-push-blocked",
        ),
        (
            "force-push-blocked: {on_unknown: warn, ANSWERED}",
            "force-push-blocked",
        ),
        (
            "approvals-sufficient: {min: 1, ANSWERED}",
            "approvals-sufficient",
        ),
        (
            "bypass-limited: {allowed: [\"@me\"], ANSWERED}",
            "bypass-limited",
        ),
    ] {
        let control = control.replace("ANSWERED", ANSWERED);
        let policy = held(
            &format!("extends: [soc2-strict]\ncontrols:\n  {control}\n"),
            "extends: [soc2-strict]\n",
        );
        noted(
            &policy,
            &format!("branch.yml:4:3: `{id}` is held to what the default branch demands"),
        );
        let strict = loaded(&over(FLOOR, FLOOR));
        let (own, floor) = (bound(&policy, id), bound(&strict, id));
        assert_eq!(own.enforcement, Enforcement::Block);
        assert_eq!(own.on_unknown, OnUnknown::Block);
        assert_eq!(own.control.parameters(), floor.control.parameters());
        assert!(own.concession.is_none());
    }
}

#[test]
fn a_control_that_a_branch_leaves_out_is_judged_all_the_same() {
    let policy = held(
        "controls: {deletion-blocked: {}}\n",
        "controls:\n  deletion-blocked: {}\n  force-push-blocked: {}\n",
    );
    assert_eq!(policy.controls.len(), 2);
    noted(
        &policy,
        "default.yml:4:3: `force-push-blocked` is judged although",
    );
}

#[test]
fn what_a_branch_tightens_holds_without_a_note() {
    let policy = held(
        "extends: [soc2-strict]\ncontrols: {approvals-sufficient: {min: 3}}\n",
        "extends: [soc2-strict]\nmode: advisory\n",
    );
    assert_eq!(
        bound(&policy, "approvals-sufficient").control.parameters()["min"],
        3
    );
    assert_eq!(policy.mode, Mode::Enforce);
    assert_eq!(notes(&policy), Vec::<String>::new());
}

#[test]
fn what_the_floor_concedes_a_branch_may_keep() {
    let conceded = format!(
        "extends: [soc2-strict]\ncontrols:\n  force-push-blocked: {{enforce: warn, {ANSWERED}}}\n"
    );
    let policy = held(&format!("{conceded}frameworks: [soc2]\n"), &conceded);
    let control = bound(&policy, "force-push-blocked");
    assert_eq!(control.enforcement, Enforcement::Warn);
    assert!(control.concession.is_some());
    assert_eq!(notes(&policy), Vec::<String>::new());
}

/// The trick: keep the concession on the branch after it has expired on the default branch.
#[test]
fn a_concession_that_expired_on_the_floor_does_not_live_on_in_a_branch() {
    let text = |expires: &str| {
        format!(
            "version: 1\nextends: [soc2-strict]\ncontrols:\n  force-push-blocked: {{enforce: off, reason: r, owner: \"@me\", expires: {expires}}}\n"
        )
    };
    let policy = loaded_at(
        &over(&text("2029-01-01"), &text("2026-06-01")),
        "2026-06-02T00:00:00Z",
    );
    assert_eq!(
        bound(&policy, "force-push-blocked").enforcement,
        Enforcement::Block
    );
    assert_eq!(notes(&policy).len(), 2, "{:#?}", notes(&policy));
}

#[test]
fn mode_and_age_of_settings_take_the_stricter() {
    let policy = held(
        "extends: [soc2-strict]\nmode: advisory\n",
        "extends: [soc2-strict]\n",
    );
    assert_eq!(policy.mode, Mode::Enforce);
    noted(&policy, "`mode: advisory` does not hold");
    let policy = held(
        "extends: [soc2-strict]\nsettings: {max_age: 7d}\n",
        "extends: [soc2-strict]\n",
    );
    assert_eq!(policy.settings_max_age.as_hours(), 24);
    noted(&policy, "`settings.max_age` does not hold");
}

#[test]
fn a_branch_cannot_put_itself_out_of_scope() {
    let scoped = |globs: &str| format!("extends: [soc2-strict]\nbranches: [{globs}]\n");
    let policy = held(&scoped("main"), &scoped("main, \"release/*\""));
    assert!(policy.covers("release/1"));
    noted(&policy, "`branches` leaves out");
    let policy = held(&scoped("main"), "extends: [soc2-strict]\n");
    assert!(policy.covers("release/1"));
    noted(&policy, "`branches` does not hold");
    let policy = held("extends: [soc2-strict]\n", &scoped("main"));
    assert!(policy.covers("release/1"));
    assert_eq!(notes(&policy), Vec::<String>::new());
}

#[test]
fn a_branch_cannot_let_more_people_override_or_more_easily() {
    let floor = "extends: [soc2-strict]\noverrides: {allowed_by: [\"@acme/security\", \"@li\"], second_person: true, never: [ticket-linked], max_uses: 2, ticket: \"INC-[0-9]+\", min_reason: 30, max: 8h}\n";
    let rules = |text: &str| {
        held(
            &format!("extends: [soc2-strict]\noverrides: {{{text}}}\n"),
            floor,
        )
    };

    let policy = rules(
        "allowed_by: [\"@me\", \"@li\"], second_person: true, never: [CHG-10], max_uses: 2, ticket: \"INC-[0-9]+\", max: 8h",
    );
    assert_eq!(policy.overrides.allowed_by, ["@acme/security", "@li"]);
    noted(&policy, "(allowed_by)");

    let policy = rules(
        "allowed_by: [\"@LI\"], second_person: false, ticket: \".*\", min_reason: 1, max: 72h, review_within: 9 weeks",
    );
    assert_eq!(policy.overrides.allowed_by, ["@LI"]);
    assert!(policy.overrides.second_person);
    assert_eq!(policy.overrides.never, ["ticket-linked"]);
    assert_eq!(policy.overrides.max_uses, Some(2));
    assert!(
        policy
            .overrides
            .ticket
            .as_ref()
            .is_some_and(|ticket| !ticket.is_match("x"))
    );
    assert_eq!(policy.overrides.min_reason, 30);
    assert_eq!(policy.overrides.max.as_hours(), 8);
    assert_eq!(policy.overrides.review_within, "1 business day");
    noted(
        &policy,
        "(second_person, never, max_uses, ticket, min_reason, max, review_within)",
    );

    let policy =
        rules("allowed_by: [\"@li\"], second_person: true, never: [CHG-10], max_uses: 1, max: 8h");
    assert!(policy.overrides.ticket.is_some());
    noted(&policy, "(ticket)");

    let policy = rules(
        "allowed_by: [\"@li\"], second_person: true, never: [BR-18, CHG-10], max_uses: 1, ticket: \"INC-[0-9]+\", min_reason: 80, max: 1h",
    );
    assert_eq!(
        (policy.overrides.min_reason, policy.overrides.max.as_hours()),
        (80, 1)
    );
    assert_eq!(notes(&policy), Vec::<String>::new());
}

#[test]
fn a_branch_cannot_let_people_override_where_the_floor_lets_nobody() {
    let policy = held(
        "extends: [soc2-strict]\noverrides: {allowed_by: [\"@me\"]}\n",
        "extends: [soc2-strict]\n",
    );
    assert!(policy.overrides.allowed_by.is_empty());
    noted(&policy, "(allowed_by)");
}

#[test]
fn a_branch_may_let_nobody_override() {
    let policy = held(
        "extends: [soc2-strict]\n",
        "extends: [soc2-strict]\noverrides: {allowed_by: [\"@li\"]}\n",
    );
    assert!(policy.overrides.allowed_by.is_empty());
    assert_eq!(notes(&policy), Vec::<String>::new());
}

#[test]
fn a_waiver_of_a_branch_holds_only_if_the_floor_grants_it_and_no_longer() {
    let waiver = |control: &str, expires: &str| {
        format!(
            "extends: [soc2-strict]\nwaivers:\n  - {{control: {control}, scope: \"acme/*\", reason: r, owner: \"@ana\", approved_by: \"@li\", expires: {expires}}}\n"
        )
    };
    let policy = held(&waiver("BR-18", "2029-01-01"), "extends: [soc2-strict]\n");
    assert!(policy.waivers.is_empty());
    noted(
        &policy,
        "branch.yml:4:5: the waiver of `force-push-blocked` does not hold",
    );

    let policy = held(
        &waiver("BR-18", "2029-01-01"),
        &waiver("force-push-blocked", "2026-07-01"),
    );
    assert_eq!(policy.waivers[0].expires.to_string(), "2026-07-01");

    // What the default branch grants with a far end does not act there yet, so it acts nowhere.
    for (own, floor) in [("2026-07-01", "2026-09-15"), ("2026-09-15", "2026-07-01")] {
        let policy = held(&waiver("BR-18", own), &waiver("BR-18", floor));
        let standing = |now| policy.waivers[0].standing(Clocks::one(at(now)));
        assert_eq!(standing(NOW), Standing::NotYet, "{own} under {floor}");
        assert_eq!(standing("2026-06-17T00:00:00Z"), Standing::Stands);
        assert_eq!(standing("2026-07-02T00:00:00Z"), Standing::Expired);
    }

    let policy = held("extends: [soc2-strict]\n", &waiver("BR-18", "2026-07-01"));
    assert!(policy.waivers.is_empty(), "a branch may do without");
}

#[test]
fn a_branch_cannot_expect_fewer_or_weaker_scan_results() {
    let scans = |scans: &str| format!("extends: [soc2-strict]\nscans: [{scans}]\n");
    let floor = scans("{tool: semgrep, path: a.sarif, max_age: 24h, new: {critical: 0, high: 2}}");
    for weaker in [
        "{tool: Semgrep, path: a.sarif, required: false, max_age: 24h, new: {critical: 0, high: 2}}",
        "{tool: semgrep, path: a.sarif, new: {critical: 0, high: 2}}",
        "{tool: semgrep, path: a.sarif, max_age: 25h, new: {critical: 0, high: 2}}",
        "{tool: semgrep, path: a.sarif, max_age: 24h, new: {critical: 1, high: 2}}",
        "{tool: semgrep, path: a.sarif, max_age: 24h, new: {high: 2}}",
    ] {
        let policy = held(&scans(weaker), &floor);
        noted(&policy, "the result of `semgrep` is held to");
        let strict = held(&floor, &format!("{floor}frameworks: [soc2]\n"));
        assert_eq!(policy.scans[0].new, strict.scans[0].new, "{weaker}");
        assert_eq!(policy.scans[0].max_age, strict.scans[0].max_age);
        assert!(policy.scans[0].required);
    }
    for other in [
        "",
        "{tool: other, path: a.sarif}",
        "{tool: semgrep, path: my.sarif}",
    ] {
        let policy = held(&scans(other), &floor);
        assert!(
            policy
                .scans
                .iter()
                .any(|scan| scan.tool == "semgrep" && scan.path == "a.sarif")
        );
        noted(&policy, "expects a result of `semgrep`");
    }
    let policy = held(
        &scans("{tool: semgrep, path: a.sarif, max_age: 1h, new: {critical: 0, high: 0, low: 3}}"),
        &floor,
    );
    assert_eq!(notes(&policy), Vec::<String>::new());
}

#[test]
fn a_branch_cannot_have_a_result_read_as_another_format() {
    let scans = |format: &str| {
        format!("extends: [soc2-strict]\nscans: [{{tool: t, path: a.json{format}}}]\n")
    };
    for (own, floor) in [
        (", format: gitleaks", ""),
        (", format: gitleaks", ", format: sarif"),
        ("", ", format: sarif"),
    ] {
        let policy = held(&scans(own), &scans(floor));
        noted(&policy, "the result of `t` is held to");
        let strict = held(&scans(floor), &scans(floor));
        assert_eq!(policy.scans, strict.scans, "{own}");
    }
    let policy = held(&scans(", format: sarif"), &scans(", format: sarif"));
    assert_eq!(notes(&policy), Vec::<String>::new());
}

#[test]
fn records_go_where_the_floor_says() {
    let ledger = |text: &str| format!("extends: [soc2-strict]\nledger: {{{text}}}\n");
    for own in ["url: \"dir:/dev/null\"", "url: \"dir:a\", required: false"] {
        let policy = held(&ledger(own), &ledger("url: \"dir:a\""));
        let kept = policy.ledger.as_ref().expect("the floor names one");
        assert_eq!((kept.url.as_str(), kept.required), ("dir:a", true));
        noted(&policy, "`ledger` does not hold");
    }
    let policy = held("extends: [soc2-strict]\n", &ledger("url: \"dir:a\""));
    assert!(policy.ledger.is_some_and(|ledger| ledger.required));
}

#[test]
fn problems_of_both_documents_come_together() {
    let broken = load(&over("version: 9\n", "version: 8\n"), at(super::NOW));
    let Err(LoadError::Invalid(problems)) = broken else {
        panic!("it is broken");
    };
    let origins: Vec<_> = problems
        .0
        .iter()
        .map(|one| one.place.origin.as_str())
        .collect();
    assert!(
        origins.contains(&"branch.yml") && origins.contains(&"default.yml"),
        "{problems}"
    );
}

#[test]
fn a_branch_cannot_name_a_result_to_free_it_of_the_default_branchs_thresholds() {
    let floor = "controls:\n  sast-clean: {max: {critical: 0, high: 2}}\n";
    let scan =
        "  - {tool: semgrep, path: a.sarif, required: true, new: {critical: 999, high: 1}}\n";
    let policy = held(
        &format!("controls:\n  sast-clean: {{max: {{critical: 0, high: 2}}}}\nscans:\n{scan}"),
        floor,
    );
    assert_eq!(
        policy.scans[0].total,
        [(Severity::Critical, 0), (Severity::High, 2)]
    );
    noted(&policy, "semgrep");
}

#[test]
fn a_threshold_that_passes_on_to_what_is_worse_is_not_raised_there() {
    let floor = "controls:\n  sast-clean: {max: {high: 0}}\n";
    let scan = "  - {tool: semgrep, path: a.sarif, required: true, total: {critical: 1000}}\n";
    let policy = held(
        &format!("controls:\n  sast-clean: {{max: {{high: 0}}}}\nscans:\n{scan}"),
        floor,
    );
    assert_eq!(
        policy.scans[0].total,
        [(Severity::Critical, 0), (Severity::High, 0)]
    );
}

#[test]
fn a_branch_cannot_name_a_result_to_excuse_that_it_is_missing() {
    let scan = "  - {tool: x, path: b.sarif, required: false}\n";
    let floor = "controls:\n  sast-clean: {}\n";
    let policy = held(&format!("{floor}scans:\n{scan}"), floor);
    assert!(policy.scans[0].required);
}
