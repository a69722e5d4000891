//! Policies as they are written, over reports as they are read: what counts in the end.

use std::collections::BTreeMap;

use super::{AcceptanceState, triage};
use crate::facts::{
    BaselineFile, ExploitedFile, Fact, Finding, FindingCount, FindingState, Fingerprint,
    KnownFinding, PolicyDocument, PolicyFacts, ScanFailure, ScanKind, ScanReport, ScanResults,
    ScanRun, Severity, SeverityOrigin, Snapshot,
};
use crate::gate::testing::{at, facts};
use crate::gate::{Decision, decide, evaluate};
use crate::policy::{self, Policy};

const NOW: &str = "2026-06-01T12:00:00Z";
const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn policy(rest: &str) -> Policy {
    let text = format!(
        "version: 1\ncontrols: {{sast-clean: {{}}, dependencies-clean: {{tools: [probe]}}}}\n{rest}"
    );
    let document = PolicyDocument {
        origin: "p.yml".to_owned(),
        commit: None,
        digest: String::new(),
        text,
    };
    let documents = PolicyFacts {
        target: Fact::known_without_source(Some(document)),
        floor: Fact::known_without_source(None),
    };
    policy::load(&documents, at(NOW)).unwrap_or_else(|error| panic!("{error}"))
}

/// The fingerprint of the letter.
fn print(letter: char) -> String {
    String::from(letter).repeat(32)
}

fn finding(letter: char, severity: Severity) -> Finding {
    Finding {
        rule: format!("rule-{letter}").into(),
        ids: Box::default(),
        severity,
        severity_from: SeverityOrigin::Finding,
        place: Some("src/a.rs".into()),
        line: Some(7),
        fingerprint: Fingerprint::read(&print(letter)).expect("a fingerprint"),
        state: FindingState::Open,
        is_new: None,
        first_seen: None,
    }
}

/// A run whose findings are all known one by one.
fn run(findings: Vec<Finding>) -> ScanRun {
    let mut open: BTreeMap<Severity, u64> = BTreeMap::new();
    for finding in &findings {
        *open.entry(finding.severity).or_default() += 1;
    }
    let counts = open.into_iter().rev().map(|(severity, open)| FindingCount {
        severity,
        open,
        new: None,
        suppressed: 0,
    });
    ScanRun {
        execution_successful: Some(true),
        kind: Some(ScanKind::Sast),
        counts: counts.collect(),
        findings,
        ..ScanRun::of("probe")
    }
}

fn report(path: &str, run: ScanRun) -> ScanReport {
    ScanReport {
        pattern: "out/*".to_owned(),
        path: path.to_owned(),
        digest: format!("sha256:{path}"),
        format: "probe".to_owned(),
        modified_at: None,
        runs: Ok(vec![run]),
    }
}

fn with(results: ScanResults) -> Snapshot {
    let mut facts = facts();
    facts.observed_at = at(NOW);
    facts.platform_time = Fact::known_without_source(at(NOW));
    facts.scans = Fact::known_without_source(results);
    facts
}

fn seen(run: ScanRun) -> Snapshot {
    with(ScanResults::of(vec![report("a", run)]))
}

fn decided(policy: &Policy, facts: &Snapshot) -> Decision {
    decide(policy, facts, &evaluate(policy, &mut facts.clone()))
}

fn verdict(policy: &Policy, facts: &Snapshot, code: &str) -> String {
    let decision = decided(policy, facts);
    let control = decision.controls.iter().find(|one| one.meta.code == code);
    let control = control.expect("the control");
    format!(
        "{}: {}",
        control.verdict.map_or("off", |word| word.word()),
        control.summary
    )
}

/// What SCAN-01 says of one run.
fn sast(rest: &str, run: ScanRun) -> String {
    verdict(&policy(rest), &seen(run), "SCAN-01")
}

fn begins(text: &str, start: &str) {
    assert!(text.starts_with(start), "{text}");
}

fn acceptance(bound: &str, more: &str) -> String {
    format!(
        "accepted_findings:\n  - {{tool: probe, {bound}, severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: SEC-1, expires: 2026-08-01{more}}}\n"
    )
}

fn by_print(letter: char) -> String {
    acceptance(&format!("fingerprint: \"{}\"", print(letter)), "")
}

fn state(policy: &Policy, facts: &Snapshot) -> AcceptanceState {
    decided(policy, facts).accepted_findings[0].state
}

#[test]
fn an_accepted_finding_does_not_count_and_everything_else_does() {
    let high = || run(vec![finding('a', Severity::High)]);
    begins(&sast("", high()), "fail");
    let passed = sast(&by_print('a'), high());
    begins(&passed, "pass");
    assert!(
        passed.contains("0 open findings, 0 suppressed, 1 accepted"),
        "{passed}"
    );
    begins(&sast(&by_print('b'), high()), "fail");
    let two = run(vec![
        finding('a', Severity::High),
        finding('b', Severity::High),
    ]);
    let failed = sast(&by_print('a'), two);
    begins(
        &failed,
        "fail: probe: 1 high, 0 allowed; rule-b at src/a.rs:7",
    );
}

#[test]
fn rule_and_place_bind_an_acceptance_as_well_and_both_are_needed() {
    let high = || run(vec![finding('a', Severity::High)]);
    let placed = |rule: &str, place: &str| acceptance(&format!("rule: {rule}, place: {place}"), "");
    begins(&sast(&placed("rule-a", "src/a.rs"), high()), "pass");
    for other in [placed("rule-a", "src/b.rs"), placed("rule-b", "src/a.rs")] {
        begins(&sast(&other, high()), "fail");
    }
    let elsewhere = placed("rule-a", "src/a.rs").replace("tool: probe", "tool: other");
    begins(&sast(&elsewhere, high()), "fail");
}

/// The cheat: one accepted finding, and a second of the same rule in the same file.
#[test]
fn an_acceptance_covers_as_many_as_it_says() {
    let twice = || {
        run(vec![
            finding('a', Severity::High),
            finding('a', Severity::High),
        ])
    };
    begins(&sast(&by_print('a'), twice()), "fail: probe: 1 high");
    let decision = decided(&policy(&by_print('a')), &seen(twice()));
    let report = &decision.accepted_findings[0];
    assert_eq!((report.covered, report.beyond), (1, 1));
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.message.contains("covers 1 of 2 findings"))
    );
    let bound = format!("fingerprint: \"{}\"", print('a'));
    begins(&sast(&acceptance(&bound, ", count: 2"), twice()), "pass");
    // Split over two files of one pattern, it still covers one.
    let split = ScanResults::of(vec![report_of('a', "a"), report_of('a', "b")]);
    begins(
        &verdict(&policy(&by_print('a')), &with(split), "SCAN-01"),
        "fail: probe: 1 high",
    );
    // A copy of a file counts once, so it uses nothing up.
    let copied = ScanResults::of(vec![report_of('a', "a"), report_of('a', "a")]);
    begins(
        &verdict(&policy(&by_print('a')), &with(copied), "SCAN-01"),
        "pass",
    );
}

fn report_of(letter: char, path: &str) -> ScanReport {
    report(path, run(vec![finding(letter, Severity::High)]))
}

/// The cheat: accepted while it was harmless.
#[test]
fn a_finding_that_is_worse_than_what_was_accepted_counts() {
    let critical = || run(vec![finding('a', Severity::Critical)]);
    begins(&sast(&by_print('a'), critical()), "fail: probe: 1 critical");
    assert_eq!(
        state(&policy(&by_print('a')), &seen(critical())),
        AcceptanceState::Worse
    );
}

#[test]
fn an_acceptance_acts_only_while_it_stands_and_says_when_it_does_not() {
    let high = || run(vec![finding('a', Severity::High)]);
    for (expires, verdict, expected, word) in [
        ("2026-06-01", "pass", AcceptanceState::Applied, ""),
        (
            "2026-05-31",
            "fail",
            AcceptanceState::Expired,
            "expired on 2026-05-31",
        ),
        ("2026-08-30", "pass", AcceptanceState::Applied, ""),
        // The cheat: accepted for good, by a day far away.
        (
            "2026-08-31",
            "fail",
            AcceptanceState::NotYet,
            "it does not count",
        ),
        (
            "2099-01-01",
            "fail",
            AcceptanceState::NotYet,
            "it does not count",
        ),
    ] {
        let text = by_print('a').replace("2026-08-01", expires);
        begins(&sast(&text, high()), verdict);
        let decision = decided(&policy(&text), &seen(high()));
        assert_eq!(decision.accepted_findings[0].state, expected, "{expires}");
        let told = decision
            .notes
            .iter()
            .any(|note| note.message.contains(word));
        assert!(told || word.is_empty(), "{expires}: {:?}", decision.notes);
    }
}

#[test]
fn an_acceptance_that_covers_nothing_is_told_unless_nothing_was_read() {
    let clean = || seen(run(vec![]));
    let policy = policy(&by_print('a'));
    assert_eq!(state(&policy, &clean()), AcceptanceState::Unmatched);
    let mut blind = clean();
    blind.scans = facts().scans;
    assert!(decided(&policy, &blind).accepted_findings.is_empty());
    begins(&verdict(&policy, &blind, "SCAN-01"), "unknown");
}

#[test]
fn what_is_suppressed_in_the_report_uses_up_no_acceptance() {
    let mut off = finding('a', Severity::High);
    off.state = FindingState::Suppressed { reason: None };
    let mut both = run(vec![finding('a', Severity::High)]);
    both.findings.push(off);
    both.counts[0].suppressed = 1;
    begins(&sast(&by_print('a'), both), "pass");
}

/// Of a large report only some findings are known one by one.
#[test]
fn a_finding_of_which_only_the_number_is_known_is_never_accepted_nor_lowered() {
    let mut large = run(vec![finding('a', Severity::High)]);
    large.counts[0].open = 2;
    begins(&sast(&by_print('a'), large.clone()), "fail: probe: 1 high");
    let lowered = "scans: [{tool: probe, path: \"out/*\", total: {high: 0}, severity_map: {words: {high: low}}}]\n";
    begins(&sast(lowered, large.clone()), "fail: probe: 1 high");
    begins(
        &sast(lowered, run(vec![finding('a', Severity::High)])),
        "pass",
    );
    // It may be of the rule that is worse here.
    let mut mild = run(vec![]);
    mild.counts = vec![FindingCount {
        severity: Severity::Low,
        open: 1,
        new: None,
        suppressed: 0,
    }];
    let lifted = "scans: [{tool: probe, path: \"out/*\", total: {critical: 0}, severity_map: {rules: {rule-a: critical}}}]\n";
    begins(&sast(lifted, mild), "fail: probe: 1 critical");
}

#[test]
fn a_severity_map_moves_findings_both_ways_for_its_own_tool_and_files() {
    let text = |tool: &str, path: &str, map: &str| {
        format!(
            "scans: [{{tool: {tool}, path: \"{path}\", required: false, severity_map: {map}}}]\n"
        )
    };
    let high = || run(vec![finding('a', Severity::High)]);
    let low = || run(vec![finding('a', Severity::Low)]);
    let lower = "{rules: {rule-a: low}}";
    begins(&sast(&text("probe", "out/*", lower), high()), "pass");
    begins(&sast(&text("other", "out/*", lower), high()), "fail");
    begins(&sast(&text("probe", "in/*", lower), high()), "fail");
    begins(
        &sast(&text("probe", "out/*", "{rules: {rule-b: low}}"), high()),
        "fail",
    );
    begins(&sast("", low()), "pass");
    begins(
        &sast(&text("probe", "out/*", "{words: {low: critical}}"), low()),
        "fail: probe: 1 critical",
    );
    // Of two lines about one result the worse map holds.
    let two = "scans: [{tool: probe, path: \"out/*\", required: false, severity_map: {rules: {rule-a: low}}}, {tool: probe, path: \"out/*\", required: false}]\n";
    begins(&sast(two, high()), "fail");
    let triaged = triage(&policy(&text("probe", "out/*", lower)), &seen(high()));
    let scans = triaged.scans.expect("they were changed");
    let run = scans.known().expect("known").reports[0]
        .runs
        .as_ref()
        .expect("runs")[0]
        .clone();
    assert_eq!(run.findings[0].severity_from, SeverityOrigin::Policy);
    assert_eq!(run.severity_from.get(&SeverityOrigin::Policy), Some(&1));
}

const NEW_ONLY: &str = "scans: [{tool: probe, path: \"out/*\", new: {high: 0}, baseline: {path: known.json, digest: \"DIGEST\", expires: 2026-07-01}}]\n";

fn against(known: &[(char, Severity, u64)], digest: &str, run: ScanRun) -> Snapshot {
    let findings = known.iter().map(|(letter, severity, count)| KnownFinding {
        fingerprint: print(*letter),
        severity: *severity,
        count: *count,
    });
    let mut results = ScanResults::of(vec![report("a", run)]);
    results.baselines = vec![BaselineFile {
        path: "known.json".to_owned(),
        digest: digest.to_owned(),
        findings: Ok(findings.collect()),
    }];
    with(results)
}

#[test]
fn a_stored_baseline_makes_what_was_there_before_old() {
    let policy = policy(&NEW_ONLY.replace("DIGEST", DIGEST));
    let of = |known: &[(char, Severity, u64)], run: ScanRun| {
        verdict(&policy, &against(known, DIGEST, run), "SCAN-01")
    };
    let one = || run(vec![finding('a', Severity::High)]);
    begins(&of(&[('a', Severity::High, 1)], one()), "pass");
    begins(
        &of(&[('b', Severity::High, 1)], one()),
        "fail: probe: 1 new high",
    );
    // Another one like it, and the same one grown worse, are new.
    let two = run(vec![
        finding('a', Severity::High),
        finding('a', Severity::High),
    ]);
    begins(
        &of(&[('a', Severity::High, 1)], two),
        "fail: probe: 1 new high",
    );
    begins(
        &of(&[('a', Severity::Low, 1)], one()),
        "fail: probe: 1 new high",
    );
    // One of which only the number is known may be new.
    let mut large = one();
    large.counts[0].open = 2;
    begins(
        &of(&[('a', Severity::High, 9)], large),
        "fail: probe: 1 new high",
    );
}

/// The cheat: the report itself says that everything was there before.
#[test]
fn the_reports_own_word_counts_for_nothing_beside_a_stored_baseline() {
    let mut claims = run(vec![finding('a', Severity::High)]);
    claims.findings[0].is_new = Some(false);
    claims.counts[0].new = Some(0);
    let stored = policy(&NEW_ONLY.replace("DIGEST", DIGEST));
    begins(
        &verdict(&stored, &against(&[], DIGEST, claims.clone()), "SCAN-01"),
        "fail",
    );
    let own = "scans: [{tool: probe, path: \"out/*\", new: {high: 0}}]\n";
    begins(&sast(own, claims.clone()), "pass");
    // A map keeps what the report says of new and old.
    let lifted = "scans: [{tool: probe, path: \"out/*\", new: {high: 0}, severity_map: {words: {high: critical}}}]\n";
    begins(&sast(lifted, claims.clone()), "pass");
    claims.findings[0].is_new = Some(true);
    claims.counts[0].new = Some(1);
    begins(&sast(lifted, claims), "fail: probe: 1 new critical");
}

#[test]
fn a_baseline_that_is_expired_missing_broken_or_foreign_makes_everything_new() {
    let text = NEW_ONLY.replace("DIGEST", DIGEST);
    let known = [('a', Severity::High, 1)];
    let one = || run(vec![finding('a', Severity::High)]);
    let foreign = against(&known, "sha256:bb", one());
    let mut missing = against(&known, DIGEST, one());
    let mut unread = against(&known, DIGEST, one());
    if let Fact::Known { value, .. } = &mut missing.scans {
        value.baselines[0].findings = Err(ScanFailure::Missing);
    }
    if let Fact::Known { value, .. } = &mut unread.scans {
        value.baselines.clear();
    }
    let expired = text.replace("2026-07-01", "2026-05-31");
    for (text, facts, why) in [
        (&text, foreign, "another file"),
        (&text, missing, "no such file"),
        (&text, unread, "was not read"),
        (
            &expired,
            against(&known, DIGEST, one()),
            "expired on 2026-05-31",
        ),
    ] {
        let policy = policy(text);
        begins(
            &verdict(&policy, &facts, "SCAN-01"),
            "fail: probe: 1 new high",
        );
        let notes = decided(&policy, &facts).notes;
        assert!(
            notes.iter().any(|note| note.message.contains(why)),
            "{why}: {notes:?}"
        );
    }
}

fn exploited(ids: Result<&[&str], ScanFailure>, digest: &str, run: ScanRun) -> Snapshot {
    let ids = ids.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
    let mut results = ScanResults::of(vec![report("a", run)]);
    results.exploited = vec![ExploitedFile {
        path: "kev.json".to_owned(),
        digest: digest.to_owned(),
        ids,
    }];
    with(results)
}

fn vulnerable(rule: &str, ids: &[&str]) -> ScanRun {
    let found = Finding {
        rule: rule.into(),
        ids: ids.iter().map(|id| (*id).into()).collect(),
        ..finding('a', Severity::Low)
    };
    ScanRun {
        kind: Some(ScanKind::Dependencies),
        ..run(vec![found])
    }
}

#[test]
fn a_vulnerability_that_is_known_to_be_exploited_is_critical() {
    let policy = policy("known_exploited: kev.json\n");
    let of = |run| {
        verdict(
            &policy,
            &exploited(Ok(&["CVE-2021-44228"]), "", run),
            "SCAN-02",
        )
    };
    for run in [
        vulnerable("CVE-2021-44228", &[]),
        vulnerable("cve-2021-44228", &[]),
        vulnerable("GHSA-jfh8-c2jp-5v3q", &["CVE-2021-44228"]),
        vulnerable("CVE-2021-44228-log4j-core", &[]),
    ] {
        begins(&of(run), "fail: probe: 1 critical");
    }
    begins(&of(vulnerable("CVE-2021-4422", &[])), "pass");
    begins(&of(vulnerable("CVE-2021-442281", &[])), "pass");
    // One of which only the number is known may be it.
    let mut large = vulnerable("CVE-2021-1", &[]);
    large.counts[0].open = 2;
    begins(&of(large), "fail: probe: 1 critical");
}

#[test]
fn without_the_list_nobody_knows_how_bad_a_vulnerability_is() {
    let pinned = format!("known_exploited: {{path: kev.json, digest: \"{DIGEST}\"}}\n");
    let found = || vulnerable("CVE-2021-1", &[]);
    let clean = || ScanRun {
        kind: Some(ScanKind::Dependencies),
        ..run(vec![])
    };
    let list = &["CVE-2021-44228"][..];
    for (text, ids, digest) in [
        ("known_exploited: kev.json\n", Err(ScanFailure::Missing), ""),
        (
            "known_exploited: kev.json\n",
            Err(ScanFailure::Unparsable("x".to_owned())),
            DIGEST,
        ),
        ("known_exploited: other.json\n", Ok(list), DIGEST),
        (pinned.as_str(), Ok(list), "sha256:bb"),
    ] {
        let policy = policy(text);
        let facts = exploited(ids.clone(), digest, found());
        begins(&verdict(&policy, &facts, "SCAN-02"), "unknown");
        let facts = exploited(ids, digest, clean());
        begins(&verdict(&policy, &facts, "SCAN-02"), "pass");
    }
    begins(
        &verdict(
            &policy(&pinned),
            &exploited(Ok(list), DIGEST, found()),
            "SCAN-02",
        ),
        "pass",
    );
}

/// The cheat: a test that fails, accepted like a finding.
#[test]
fn a_test_that_failed_is_no_finding_to_accept() {
    let failed = ScanRun {
        kind: Some(ScanKind::Tests),
        ..run(vec![finding('a', Severity::High)])
    };
    let policy = policy(&by_print('a'));
    assert_eq!(
        state(&policy, &seen(failed.clone())),
        AcceptanceState::Unmatched
    );
    let scans = triage(&policy, &seen(failed.clone()))
        .scans
        .expect("looked through");
    assert_eq!(
        scans.known().expect("known").reports[0].runs,
        Ok(vec![failed])
    );
}

/// Nothing that was hidden may make an acceptance, a map or a baseline do more.
#[test]
fn a_policy_without_a_word_about_findings_leaves_the_facts_alone() {
    let facts = seen(run(vec![finding('a', Severity::High)]));
    assert!(triage(&policy(""), &facts).scans.is_none());
}
