//! What is kept of findings, and what they are known by.

use super::*;

fn seen(rule: &'static str, line: u64) -> Seen<'static> {
    Seen {
        rule: Some(rule),
        path: Some("src/a.rs"),
        line: Some(line),
        ..Seen::default()
    }
}

fn run_of(all: &[Seen<'_>]) -> ScanRun {
    let mut reduction = Reduction::default();
    for each in all {
        reduction.add(each, Path::new("/builds/acme"));
    }
    reduction.into_run("probe")
}

#[test]
fn a_fingerprint_stays_when_the_line_moves_and_changes_with_all_else() {
    let of = |seen: Seen<'_>| run_of(&[seen]).findings.remove(0).fingerprint;
    let first = of(seen("a", 1));
    assert_eq!(first, of(seen("a", 99)));
    assert_ne!(first, of(seen("b", 1)));
    let elsewhere = Seen {
        path: Some("src/b.rs"),
        ..seen("a", 1)
    };
    assert_ne!(first, of(elsewhere));
    let own = Seen {
        own_fingerprint: Some("abc"),
        ..seen("a", 1)
    };
    assert_ne!(first, of(own));
    assert_eq!(first.to_string().len(), 32);
}

#[test]
fn suppressed_findings_are_counted_apart_and_those_without_a_reason_named() {
    let suppressed = |explained| Seen {
        state: State::Suppressed { explained },
        ..seen("a", 1)
    };
    let run = run_of(&[suppressed(true), suppressed(false), seen("b", 2)]);
    assert_eq!((run.counts[0].open, run.counts[0].suppressed), (1, 2));
    assert_eq!(run.suppressed_without_reason, 1);
    assert_eq!(run.unexplained, ["a at src/a.rs:1"]);
    assert_eq!(run.examples, ["b at src/a.rs:2"]);
}

#[test]
fn names_that_only_look_alike_are_two_findings() {
    let placed = |path: &'static str| {
        let seen = Seen {
            path: Some(path),
            ..seen("a", 1)
        };
        run_of(&[seen]).findings.remove(0)
    };
    let (plain, hidden) = (placed("src/a.rs"), placed("src/a\u{200b}.rs"));
    assert_ne!(plain.fingerprint, hidden.fingerprint);
    assert_eq!(hidden.place.as_deref(), Some("src/a\\u{200b}.rs"));
    let long = |end: &str| format!("src/{}{end}", "x".repeat(300));
    let of = |path: &str| {
        let seen = Seen {
            path: Some(path),
            ..seen("a", 1)
        };
        run_of(&[seen]).findings.remove(0)
    };
    let (one, other) = (of(&long("1")), of(&long("2")));
    assert_eq!(one.place, other.place);
    assert_ne!(one.fingerprint, other.fingerprint);
}

#[test]
fn the_number_of_kept_details_is_bounded_and_the_worst_are_kept() {
    let rated = |severity, line| Seen {
        rating: (severity, SeverityOrigin::Finding),
        ..seen("a", line)
    };
    let mut reduction = Reduction::default();
    let root = Path::new("/builds/acme");
    for line in 1..=KEPT as u64 + 5 {
        reduction.add(&rated(Severity::Low, line), root);
    }
    for line in 1..=3 {
        reduction.add(&rated(Severity::Critical, line), root);
    }
    let mut runs = [reduction.into_run("probe")];
    let open: u64 = runs[0].counts.iter().map(|count| count.open).sum();
    assert_eq!(open, KEPT as u64 + 8);
    assert_eq!(runs[0].findings.len(), KEPT);
    let critical = |run: &ScanRun| {
        let is = |one: &&Finding| one.severity == Severity::Critical;
        run.findings.iter().filter(is).count()
    };
    assert_eq!(critical(&runs[0]), 3);
    let mut room = 4;
    keep_at_most(&mut runs, &mut room);
    assert_eq!(
        (runs[0].findings.len(), critical(&runs[0]), room),
        (4, 3, 0)
    );
}

#[test]
fn a_reason_is_kept_and_what_may_be_a_secret_in_it_is_not() {
    let secret = "a1B2".repeat(6);
    let reason = format!("only a test key: {secret}");
    let suppressed = Seen {
        state: State::Suppressed { explained: true },
        reason: Some(&reason),
        ..seen("a", 1)
    };
    let run = run_of(&[suppressed]);
    let text = serde_json::to_string(&run).expect("a run as text");
    assert!(text.contains("only a test key: [masked]"), "{text}");
}

#[test]
fn the_worst_come_first_in_the_order_of_the_report() {
    let rated = |severity, line| Seen {
        rating: (severity, SeverityOrigin::Finding),
        ..seen("a", line)
    };
    let mut all: Vec<_> = (1..=6).map(|line| rated(Severity::Low, line)).collect();
    all.push(rated(Severity::Critical, 7));
    let lines: Vec<_> = run_of(&all).findings.iter().map(|one| one.line).collect();
    assert_eq!(lines, [7, 1, 2, 3, 4, 5, 6].map(Some));
}

#[test]
fn names_are_kept_as_they_are_also_where_there_are_too_many_to_share() {
    let names: Vec<String> = (0..MOST_SHARED + 9)
        .map(|number| format!("R{number}"))
        .collect();
    let mut reduction = Reduction::default();
    for name in names.iter().chain(&names) {
        let seen = Seen {
            rule: Some(name),
            ids: vec![name],
            ..Seen::default()
        };
        reduction.add(&seen, Path::new("/builds/acme"));
    }
    let run = reduction.into_run("probe");
    assert_eq!(run.findings.len(), 2 * names.len());
    for (finding, name) in run.findings.iter().zip(names.iter().chain(&names)) {
        assert_eq!((&*finding.rule, &*finding.ids[0]), (&**name, &**name));
    }
}
