//! What a policy says about single findings: read, held to the floor, compared.

use super::{at, document, given, loaded, over};
use crate::facts::Severity;
use crate::policy::{Clocks, LoadError, Policy, Standing, diff, lint, load};

const BASE: &str = "version: 1\ncontrols: {sast-clean: {}}\n";
const PRINT: &str = "0123456789abcdef0123456789abcdef";
const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const GOOD: &str = "tool: semgrep, fingerprint: \"PRINT\", severity: high, status: not_affected, justification: vulnerable_code_not_present, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: 2026-07-01";

fn accepting(fields: &str) -> String {
    let fields = fields.replace("PRINT", PRINT);
    format!("{BASE}accepted_findings:\n  - {{{fields}}}\n")
}

fn scans(fields: &str) -> String {
    let fields = fields.replace("DIGEST", DIGEST);
    format!("{BASE}scans:\n  - {{tool: semgrep, path: a.sarif{fields}}}\n")
}

fn problems(text: &str) -> String {
    match load(&given(text), at(super::NOW)) {
        Ok(_) => String::new(),
        Err(LoadError::Invalid(problems)) => problems.to_string(),
        Err(other) => other.to_string(),
    }
}

fn directions(before: &str, after: &str) -> Vec<String> {
    let diff = diff(&given(before), &given(after), at(super::NOW)).expect("two valid policies");
    let changes = diff.changes.iter();
    changes
        .map(|change| format!("{} {change}", change.direction.word()))
        .collect()
}

fn only(before: &str, after: &str, start: &str) {
    let changes = directions(before, after);
    assert!(
        changes.len() == 1 && changes[0].starts_with(start),
        "{start}: {changes:?}"
    );
}

#[test]
fn an_acceptance_is_read_whole() {
    let policy = loaded(&given(&accepting(GOOD)));
    let accepted = &policy.accepted_findings[0];
    assert_eq!((accepted.severity, accepted.count), (Severity::High, 1));
    assert_eq!(accepted.words(), format!("semgrep {PRINT}"));
    // Digits alone are a number to YAML; they are a fingerprint here.
    let digits = GOOD.replace("\"PRINT\"", "\"12345678901234567890123456789012\"");
    assert_eq!(problems(&accepting(&digits)), "");
}

#[test]
fn an_acceptance_without_a_person_a_reason_a_ticket_or_an_end_is_refused() {
    for gone in [
        "tool: semgrep, ",
        "severity: high, ",
        "status: not_affected, ",
        "reason: r, ",
        "owner: \"@a\", ",
        "approved_by: \"@b\", ",
        "ticket: T-1, ",
        ", expires: 2026-07-01",
    ] {
        let text = GOOD.replace(gone, "");
        assert_ne!(text, GOOD);
        assert!(problems(&accepting(&text)).contains("lacks"), "{gone}");
    }
    for (from, to, told) in [
        (
            "justification: vulnerable_code_not_present, ",
            "",
            "lacks `justification`",
        ),
        (
            "vulnerable_code_not_present",
            "because",
            "knows no `because`",
        ),
        ("not_affected", "affected", "has no `justification`"),
        ("@b", "@A", "cannot approve what they answer for"),
        ("fingerprint: \"PRINT\", ", "", "is bound to"),
        ("fingerprint: \"PRINT\"", "rule: x", "is bound to"),
        (
            "fingerprint: \"PRINT\"",
            "fingerprint: \"PRINT\", rule: x, place: y",
            "is bound to",
        ),
        (
            "fingerprint: \"PRINT\"",
            "fingerprint: abc",
            "32 hex digits",
        ),
        (
            "fingerprint: \"PRINT\"",
            "rule: x, place: \"src/…\"",
            "bind it to the `fingerprint`",
        ),
        (
            "fingerprint: \"PRINT\"",
            "rule: x, place: \"[masked]\"",
            "bind it to the `fingerprint`",
        ),
        ("reason: r", "reason: r, until: later", "has no key `until`"),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        let told_us = problems(&accepting(&text));
        assert!(told_us.contains(told), "{to}: {told_us}");
    }
    let twice = format!(
        "{}  - {{{}}}\n",
        accepting(GOOD),
        GOOD.replace("PRINT", PRINT).replace("semgrep", "Semgrep")
    );
    assert!(problems(&twice).contains("is accepted twice"));
}

#[test]
fn maps_baselines_and_lists_are_read_strictly() {
    let good = ", new: {high: 0}, severity_map: {rules: {a.b: low}, words: {unrated: medium}}, baseline: {path: k.json, digest: \"DIGEST\", expires: 2026-07-01}";
    assert_eq!(problems(&scans(good)), "");
    for (from, to, told) in [
        ("new: {high: 0}, ", "", "`new` does not limit them"),
        ("{a.b: low}", "{a.b: lower}", "knows no `lower`"),
        ("unrated", "unratd", "did you mean `unrated`?"),
        ("words", "word", "has no key `word`"),
        ("DIGEST", "sha256:abc", "64 hex digits"),
        (", digest: \"DIGEST\"", "", "lacks `digest`"),
        (", expires: 2026-07-01", "", "lacks `expires`"),
    ] {
        let text = good.replace(from, to);
        let told_us = problems(&scans(&text));
        assert!(told_us.contains(told), "{to}: {told_us}");
    }
    for list in [
        "kev.json",
        "{path: kev.csv}",
        &format!("{{path: kev.csv, digest: \"{DIGEST}\"}}"),
    ] {
        assert_eq!(problems(&format!("{BASE}known_exploited: {list}\n")), "");
    }
    for list in ["[]", "{digest: x}", "{path: a, url: b}"] {
        assert_ne!(problems(&format!("{BASE}known_exploited: {list}\n")), "");
    }
}

#[test]
fn lint_names_acceptances_and_baselines_that_do_not_act() {
    let notes = |text: &str| {
        let notes = lint(&document("p.yml", text), at(super::NOW)).expect("a valid policy");
        notes
            .iter()
            .map(|note| note.message.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    assert_eq!(notes(&accepting(GOOD)), "");
    assert!(
        notes(&accepting(&GOOD.replace("2026-07-01", "2026-05-31")))
            .contains("expired on 2026-05-31")
    );
    assert!(
        notes(&accepting(&GOOD.replace("2026-07-01", "2027-07-01")))
            .contains("acts only in the last 90 days")
    );
    let baseline =
        ", new: {high: 0}, baseline: {path: k.json, digest: \"DIGEST\", expires: 2026-05-31}";
    assert!(notes(&scans(baseline)).contains("every finding counts as new"));
}

fn held(target: &str, floor: &str) -> Policy {
    loaded(&over(target, floor))
}

fn noted(policy: &Policy, words: &str) {
    let found = policy.notes.iter().any(|note| note.message.contains(words));
    assert!(found, "{words}: {:?}", policy.notes);
}

#[test]
fn a_branch_accepts_only_what_the_default_branch_does_and_no_more_of_it() {
    let own = accepting(
        &GOOD
            .replace("severity: high", "severity: critical, count: 5")
            .replace("2026-07-01", "2026-08-01"),
    );
    let policy = held(&own, &accepting(GOOD));
    let accepted = &policy.accepted_findings[0];
    assert_eq!((accepted.severity, accepted.count), (Severity::High, 1));
    assert_eq!(accepted.expires.to_string(), "2026-07-01");
    // One with a far end does not act on the default branch yet, so it acts nowhere.
    let far = accepting(&GOOD.replace("2026-07-01", "2026-09-15"));
    for (own, floor) in [(accepting(GOOD), far.clone()), (far, accepting(GOOD))] {
        let policy = held(&own, &floor);
        let standing = |now| policy.accepted_findings[0].standing(Clocks::one(at(now)));
        assert_eq!(standing(super::NOW), Standing::NotYet);
        assert_eq!(standing("2026-06-17T00:00:00Z"), Standing::Stands);
    }
    let policy = held(&accepting(GOOD), BASE);
    assert!(policy.accepted_findings.is_empty());
    noted(
        &policy,
        "does not hold: the default branch's policy does not grant it",
    );
    let policy = held(BASE, &accepting(GOOD));
    assert!(
        policy.accepted_findings.is_empty(),
        "a branch may do without"
    );
}

#[test]
fn a_branch_lowers_no_severity_and_has_no_baseline_of_its_own() {
    let lowering = scans(", severity_map: {rules: {a: low}}");
    let plain = scans("");
    let of = |policy: &Policy, scan: usize| {
        let maps = policy.scans[scan].severity_maps.as_slice();
        let (high, finding) = (Severity::High, crate::facts::SeverityOrigin::Finding);
        crate::policy::worst(maps, "a", high, finding)
    };
    assert_eq!(
        of(&held(&lowering, &lowering.replace("{tool", "{ tool")), 0),
        Severity::Low
    );
    let policy = held(&lowering, &plain);
    assert_eq!(of(&policy, 0), Severity::High);
    noted(&policy, "is held to what the default branch demands");
    let policy = held(&lowering, BASE);
    assert_eq!(of(&policy, 0), Severity::High);
    noted(&policy, "lowers nothing");
    let lifting = scans(", severity_map: {rules: {a: critical}}");
    assert_eq!(of(&held(&lifting, &plain), 0), Severity::Critical);
    assert_eq!(of(&held(&plain, &lifting), 0), Severity::Critical);

    let stored = |end: &str| {
        scans(&format!(
            ", new: {{high: 0}}, baseline: {{path: k.json, digest: \"DIGEST\", expires: {end}}}"
        ))
    };
    let without = scans(", new: {high: 0}");
    assert_eq!(
        held(&stored("2026-07-01"), &without).scans[0].baseline,
        None
    );
    let baseline = |policy: &Policy| {
        policy.scans[0]
            .baseline
            .clone()
            .expect("a baseline")
            .expires
            .to_string()
    };
    assert_eq!(
        baseline(&held(&without, &stored("2026-07-01"))),
        "2026-07-01"
    );
    assert_eq!(
        baseline(&held(&stored("2026-09-01"), &stored("2026-07-01"))),
        "2026-07-01"
    );
    let other = stored("2026-09-01").replace("k.json", "mine.json");
    assert_eq!(
        held(&other, &stored("2026-07-01")).scans[0]
            .baseline
            .clone()
            .expect("one")
            .path,
        "k.json"
    );
}

#[test]
fn a_branch_cannot_drop_the_list_of_exploited_vulnerabilities() {
    let list = |path: &str| format!("{BASE}known_exploited: {path}\n");
    assert_eq!(held(BASE, &list("a.json")).known_exploited.len(), 1);
    assert_eq!(
        held(&list("b.json"), &list("a.json")).known_exploited.len(),
        2
    );
}

#[test]
fn every_way_to_accept_more_is_weaker() {
    let good = accepting(GOOD);
    only(BASE, &good, "weaker accepted_findings: semgrep");
    only(&good, BASE, "stronger accepted_findings: semgrep");
    for (from, to) in [
        ("2026-07-01", "2026-07-02"),
        ("severity: high", "severity: critical"),
        ("reason: r", "reason: r, count: 2"),
    ] {
        let more = accepting(&GOOD.replace(from, to));
        only(&good, &more, "weaker");
        only(&more, &good, "stronger");
    }
    only(
        &good,
        &accepting(&GOOD.replace("reason: r", "reason: s")),
        "changed",
    );
    // A nearer end is one that begins sooner.
    only(
        &accepting(&GOOD.replace("2026-07-01", "2026-12-01")),
        &accepting(&GOOD.replace("2026-07-01", "2026-11-01")),
        "weaker",
    );
    // One that acts only later is weaker now, for nobody looks again.
    only(
        BASE,
        &accepting(&GOOD.replace("2026-07-01", "2028-07-01")),
        "weaker",
    );
    only(
        BASE,
        &accepting(&GOOD.replace("2026-07-01", "2026-05-01")),
        "changed",
    );
}

#[test]
fn lower_severities_other_baselines_and_missing_lists_are_weaker() {
    let plain = scans(", new: {high: 0}");
    let mapped = |map: &str| scans(&format!(", new: {{high: 0}}, severity_map: {map}"));
    let lowered = mapped("{rules: {a: none}}");
    only(
        &plain,
        &lowered,
        "weaker scans: semgrep.severity_map as reported -> a none",
    );
    only(&lowered, &plain, "stronger");
    only(&plain, &mapped("{words: {low: high}}"), "stronger");
    only(
        &plain,
        &mapped("{words: {low: high, unrated: low}}"),
        "weaker",
    );
    only(
        &plain,
        &mapped("{rules: {a: critical}, words: {high: low}}"),
        "weaker",
    );
    let stored = |end: &str| {
        scans(&format!(
            ", new: {{high: 0}}, baseline: {{path: k.json, digest: \"DIGEST\", expires: {end}}}"
        ))
    };
    only(
        &plain,
        &stored("2026-07-01"),
        "weaker scans: semgrep.baseline",
    );
    only(&stored("2026-07-01"), &plain, "weaker");
    only(&stored("2026-07-01"), &stored("2026-07-02"), "weaker");
    only(&stored("2026-07-02"), &stored("2026-07-01"), "stronger");
    // A result that is named only to make it milder.
    let added = directions(BASE, &mapped("{rules: {a: low}}"));
    assert!(added[0].starts_with("weaker scans: semgrep"), "{added:?}");
    let list = |path: &str| format!("{BASE}known_exploited: {path}\n");
    only(&list("a"), BASE, "weaker known_exploited");
    only(BASE, &list("a"), "stronger known_exploited");
    only(&list("a"), &list("b"), "weaker known_exploited");
}
