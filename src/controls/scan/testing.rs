//! Scan results for tests, and what holds for every control over one kind of scan.

use std::collections::BTreeMap;

use super::runs::Limits;
use crate::controls::control::Control;
use crate::controls::testing::{at, head, hidden, nothing_seen, older, seen, verdict_of};
use crate::facts::{
    FindingCount, ScanFailure, ScanKind, ScanReport, ScanResults, ScanRun, Severity, Snapshot,
};

/// A run of the tool `probe` that ended well on the head.
pub(in crate::controls) fn run(kind: ScanKind, counts: Vec<FindingCount>) -> ScanRun {
    ScanRun {
        version: Some("1.0".to_owned()),
        execution_successful: Some(true),
        revision: Some(head()),
        ended_at: Some(at("2026-06-01T11:00:00Z")),
        kind: Some(kind),
        counts,
        ..ScanRun::of("probe")
    }
}

pub(in crate::controls) fn open(severity: Severity, open: u64) -> FindingCount {
    FindingCount {
        severity,
        open,
        new: None,
        suppressed: 0,
    }
}

/// A report of this content; its digest is its own.
pub(in crate::controls) fn report(
    digest: &str,
    runs: Result<Vec<ScanRun>, ScanFailure>,
) -> ScanReport {
    ScanReport {
        pattern: "out/*".to_owned(),
        path: format!("out/{digest}.json"),
        digest: digest.to_owned(),
        format: "probe".to_owned(),
        modified_at: None,
        runs,
    }
}

pub(in crate::controls) fn reports(reports: Vec<ScanReport>) -> Snapshot {
    let mut facts = nothing_seen();
    facts.scans = seen(ScanResults::of(reports));
    facts
}

/// One report with these runs.
pub(in crate::controls) fn handed_in(runs: Vec<ScanRun>) -> Snapshot {
    reports(vec![report("sha256:aa", Ok(runs))])
}

/// Reports that no control over scan results may pass on.
pub(in crate::controls) fn nothing_usable() -> Vec<Snapshot> {
    let mut unseen = nothing_seen();
    unseen.scans = hidden();
    let failures = [
        ScanFailure::Missing,
        ScanFailure::Unreadable("permission denied".to_owned()),
        ScanFailure::Unparsable("at byte 7".to_owned()),
    ];
    let mut all: Vec<Snapshot> = failures
        .into_iter()
        .map(|failure| reports(vec![report("", Err(failure))]))
        .collect();
    all.extend([unseen, reports(vec![]), handed_in(vec![])]);
    all
}

/// What holds for every control over one kind of scan, built from tools, limits and an age.
pub(super) fn laws<C: Control>(kind: ScanKind, with: impl Fn(&[&str], Limits, Option<u64>) -> C) {
    let none_high = || BTreeMap::from([(Severity::High, 0)]);
    let control = with(&[], none_high(), None);
    let verdict = |run: ScanRun| verdict_of(&control, &handed_in(vec![run]));
    let clean = || run(kind, vec![]);

    assert_eq!(verdict(clean()), "pass", "clean");
    assert_eq!(
        verdict(run(kind, vec![open(Severity::High, 1)])),
        "fail findings"
    );
    for facts in nothing_usable() {
        assert_eq!(verdict_of(&control, &facts), "unknown", "not run");
    }
    let doubtful = [
        ScanRun {
            execution_successful: Some(false),
            ..clean()
        },
        ScanRun {
            left_out: Some("5 of 5".to_owned()),
            ..clean()
        },
        ScanRun {
            revision: Some(older()),
            ..clean()
        },
    ];
    for run in doubtful {
        assert_eq!(verdict(run.clone()), "unknown", "{run:?}");
    }
    let daily = with(&[], none_high(), Some(86_400));
    let stale = ScanRun {
        ended_at: Some(at("2026-05-01T00:00:00Z")),
        ..clean()
    };
    assert_eq!(verdict_of(&daily, &handed_in(vec![stale])), "unknown");

    // The cheat: another scan, or a report that does not say what it looked for.
    let other = match kind {
        ScanKind::Secrets => ScanKind::Sast,
        _ => ScanKind::Secrets,
    };
    assert_eq!(verdict(run(other, vec![])), "unknown");
    let untold = || ScanRun {
        kind: None,
        ..clean()
    };
    assert_eq!(verdict(untold()), "unknown");
    let named = with(&["probe"], none_high(), None);
    assert_eq!(verdict_of(&named, &handed_in(vec![untold()])), "pass");
    let elsewhere = with(&["other"], none_high(), None);
    assert_eq!(verdict_of(&elsewhere, &handed_in(vec![clean()])), "unknown");

    // The cheat: a broken report beside a clean one, and findings split over files.
    let broken = report("", Err(ScanFailure::Unparsable("at byte 7".to_owned())));
    let beside = reports(vec![report("sha256:aa", Ok(vec![clean()])), broken.clone()]);
    assert_eq!(verdict_of(&control, &beside), "unknown");
    let high = |digest: &str| report(digest, Ok(vec![run(kind, vec![open(Severity::High, 1)])]));
    assert_eq!(
        verdict_of(&control, &reports(vec![broken, high("sha256:aa")])),
        "fail findings"
    );
    let one = with(&[], BTreeMap::from([(Severity::High, 1)]), None);
    let split = reports(vec![high("sha256:aa"), high("sha256:bb")]);
    assert_eq!(verdict_of(&one, &split), "fail findings");

    for weaker in [
        with(&[], BTreeMap::new(), Some(60)),
        with(&["probe"], BTreeMap::from([(Severity::High, 3)]), Some(60)),
        with(&["probe"], none_high(), None),
        with(&[], none_high(), Some(60)),
        with(&["probe", "eslint"], none_high(), Some(60)),
    ] {
        let base = with(&["probe"], none_high(), Some(60));
        assert!(weaker.weaker_than(&base).is_some());
        assert!(base.weaker_than(&base).is_none());
    }
}
