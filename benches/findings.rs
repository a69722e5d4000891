//! How long it takes to hold 10,000 findings against 1,000 that the policy accepts, a
//! baseline of 5,000 and a list of exploited vulnerabilities, and to judge what is left.

use std::fmt::Write as _;
use std::hint::black_box;

use ccgate::facts::{
    BaselineFile, Fact, Finding, FindingCount, FindingState, Fingerprint, KnownFinding,
    PolicyDocument, PolicyFacts, ScanKind, ScanReport, ScanResults, ScanRun, Severity,
    SeverityOrigin, Snapshot,
};
use ccgate::{gate, policy};
use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../tests/it/contract/moves.rs"]
mod moves;
#[path = "../tests/it/contract/register.rs"]
mod register;
#[path = "../tests/it/contract/scenarios.rs"]
mod scenarios;
#[path = "../tests/it/contract/settings.rs"]
mod settings;

const FINDINGS: usize = 10_000;
const ACCEPTED: usize = 1_000;
const KNOWN: usize = 5_000;

fn fingerprint(number: usize) -> String {
    format!("{number:032x}")
}

/// A report whose findings are as long as those of tools; every tenth is accepted.
fn facts() -> Snapshot {
    let findings = (0..FINDINGS).map(|number| Finding {
        rule: format!("python.lang.security.audit.rule-{}.rule", number % 300).into(),
        ids: Box::default(),
        severity: Severity::High,
        severity_from: SeverityOrigin::Rule,
        place: Some(format!("services/part{}/module/file{number}.py", number % 40).into()),
        line: Some(7),
        fingerprint: Fingerprint::read(&fingerprint(number)).expect("a fingerprint"),
        state: FindingState::Open,
        is_new: None,
        first_seen: None,
    });
    let run = ScanRun {
        execution_successful: Some(true),
        kind: Some(ScanKind::Sast),
        counts: vec![FindingCount {
            severity: Severity::High,
            open: FINDINGS as u64,
            new: None,
            suppressed: 0,
        }],
        findings: findings.collect(),
        ..ScanRun::of("semgrep")
    };
    let known = (0..KNOWN).map(|number| KnownFinding {
        fingerprint: fingerprint(2 * number),
        severity: Severity::High,
        count: 1,
    });
    let mut results = ScanResults::of(vec![ScanReport {
        pattern: "out/*".to_owned(),
        path: "out/semgrep.json".to_owned(),
        digest: format!("sha256:{}", "11".repeat(32)),
        format: "semgrep-json".to_owned(),
        modified_at: None,
        runs: Ok(vec![run]),
    }]);
    results.baselines = vec![BaselineFile {
        path: "known.json".to_owned(),
        digest: format!("sha256:{}", "22".repeat(32)),
        findings: Ok(known.collect()),
    }];
    let mut facts = scenarios::all()
        .into_iter()
        .find(|scenario| scenario.name == "github, all is well")
        .expect("a scenario of that name")
        .facts;
    facts.scans = Fact::known_without_source(results);
    facts
}

fn documents(today: &str) -> PolicyFacts {
    let digest = format!("sha256:{}", "22".repeat(32));
    let mut text = format!(
        "version: 1\ncontrols: {{sast-clean: {{}}}}\nscans:\n  - {{tool: semgrep, path: \"out/*\", new: {{high: 0}}, severity_map: {{rules: {{a: low}}}}, baseline: {{path: known.json, digest: \"{digest}\", expires: {today}}}}}\naccepted_findings:\n"
    );
    for number in 0..ACCEPTED {
        let print = fingerprint(10 * number + 1);
        let _ = writeln!(
            text,
            "  - {{tool: semgrep, fingerprint: \"{print}\", severity: high, status: affected, reason: r, owner: \"@a\", approved_by: \"@b\", ticket: T-1, expires: {today}}}"
        );
    }
    PolicyFacts {
        target: Fact::known_without_source(Some(PolicyDocument {
            origin: "bench".to_owned(),
            commit: None,
            digest: String::new(),
            text,
        })),
        floor: Fact::known_without_source(None),
    }
}

fn findings(criterion: &mut Criterion) {
    let mut facts = facts();
    let now = facts.latest_time();
    let today = now.to_string();
    let today = today.get(..10).expect("a day");
    let documents = documents(today);
    let policy = policy::load(&documents, now).expect("the policy is valid");
    let evaluations = gate::evaluate(&policy, &mut facts);
    let decision = gate::decide(&policy, &facts, &evaluations);
    let acted = decision.accepted_findings.iter();
    assert_eq!(acted.filter(|report| report.covered == 1).count(), ACCEPTED);
    let mut group = criterion.benchmark_group("10,000 findings");
    group.bench_function("against 1,000 accepted ones", |bencher| {
        bencher.iter(|| gate::evaluate(&policy, black_box(&mut facts)).len());
    });
    group.bench_function("the policy with 1,000 accepted ones", |bencher| {
        bencher.iter(|| policy::load(black_box(&documents), now).is_ok());
    });
    group.finish();
}

criterion_group!(benches, findings);
criterion_main!(benches);
