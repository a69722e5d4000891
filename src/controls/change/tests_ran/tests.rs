use super::*;
use crate::controls::scan::testing::{handed_in, open, report, reports, run};
use crate::controls::testing::{check, hidden, nothing_seen, older, reviewed, seen, verdict_of};
use crate::facts::{CheckConclusion, ScanFailure, ScanReport, Severity};

fn junit(total: u64, skipped: u64, failed: u64) -> ScanRun {
    let counts = if failed == 0 {
        vec![]
    } else {
        vec![open(Severity::High, failed)]
    };
    ScanRun {
        measured: Some(Measured::Tests { total, skipped }),
        ..run(ScanKind::Tests, counts)
    }
}

fn by_reports(reports_: Vec<ScanReport>) -> String {
    verdict_of(&TestsRan::default(), &reports(reports_))
}

fn one(run: ScanRun) -> String {
    verdict_of(&TestsRan::default(), &handed_in(vec![run]))
}

fn named(app: Option<&str>) -> TestsRan {
    TestsRan {
        checks: vec![NamedCheck {
            name: "test".to_owned(),
            app: app.map(str::to_owned),
        }],
        ..TestsRan::default()
    }
}

/// Change 7 with these results on its head, and no report.
fn with_checks(checks: Vec<CheckResult>) -> Snapshot {
    let mut facts = reviewed(Vec::new());
    facts.checks = seen(checks);
    facts.scans = reports(vec![]).scans;
    facts
}

#[test]
fn a_report_of_tests_that_ran_passes_and_a_failed_one_fails() {
    assert_eq!(one(junit(3, 1, 0)), "pass");
    assert_eq!(one(junit(3, 0, 1)), "fail");
    let more = TestsRan {
        min_tests: 3,
        ..TestsRan::default()
    };
    assert_eq!(verdict_of(&more, &handed_in(vec![junit(3, 1, 0)])), "fail");
}

/// The cheat: all are skipped, one report is counted twice, or another commit's is handed in.
#[test]
fn skipped_tests_copies_and_other_commits_prove_nothing() {
    assert_eq!(one(junit(5, 5, 0)), "fail");
    let two = TestsRan {
        min_tests: 2,
        ..TestsRan::default()
    };
    let copies = vec![
        report("a", Ok(vec![junit(1, 0, 0)])),
        report("a", Ok(vec![junit(1, 0, 0)])),
    ];
    assert_eq!(verdict_of(&two, &reports(copies)), "fail");
    let elsewhere = ScanRun {
        revision: Some(older()),
        ..junit(3, 0, 0)
    };
    assert_eq!(one(elsewhere), "unknown");
    let claims = ScanRun {
        left_out: Some("it claims more tests than stand in it".to_owned()),
        ..junit(3, 0, 0)
    };
    assert_eq!(one(claims), "unknown");
}

#[test]
fn without_a_report_or_beside_a_broken_one_it_is_unknown_unless_a_failure_was_read() {
    for facts in crate::controls::scan::testing::nothing_usable() {
        assert_eq!(verdict_of(&TestsRan::default(), &facts), "unknown");
    }
    assert_eq!(one(run(ScanKind::Coverage, vec![])), "unknown");
    let broken = || report("", Err(ScanFailure::Unparsable("at byte 7".to_owned())));
    let good = report("a", Ok(vec![junit(3, 0, 0)]));
    assert_eq!(by_reports(vec![good, broken()]), "unknown");
    let bad = report("a", Ok(vec![junit(3, 0, 1)]));
    assert_eq!(by_reports(vec![broken(), bad]), "fail");
}

#[test]
fn a_named_check_has_to_have_succeeded_on_the_head() {
    let verdict = |checks| verdict_of(&named(None), &with_checks(checks));
    let green = || check("test", Some(CheckConclusion::Success));
    assert_eq!(verdict(vec![green()]), "pass");
    assert_eq!(verdict(vec![check("test", None)]), "fail pending");
    for wrong in [
        vec![],
        vec![check("tests", Some(CheckConclusion::Success))],
        vec![check("test", Some(CheckConclusion::Skipped))],
        vec![check("test", Some(CheckConclusion::Failure))],
        vec![green(), check("test", Some(CheckConclusion::Failure))],
        vec![CheckResult {
            head: older(),
            ..green()
        }],
    ] {
        assert_eq!(verdict(wrong), "fail");
    }
}

/// The cheat: a status of the same name by somebody else.
#[test]
fn where_an_app_is_named_only_its_own_result_counts() {
    let foreign = CheckResult {
        app: None,
        ..check("test", Some(CheckConclusion::Success))
    };
    let facts = with_checks(vec![foreign]);
    assert_eq!(verdict_of(&named(None), &facts), "pass");
    assert_eq!(verdict_of(&named(Some("15368")), &facts), "fail");
}

#[test]
fn a_report_beside_a_green_check_still_counts_where_it_shows_a_failure() {
    let mut facts = with_checks(vec![check("test", Some(CheckConclusion::Success))]);
    facts.scans = handed_in(vec![junit(3, 0, 1)]).scans;
    assert_eq!(verdict_of(&named(None), &facts), "fail");
    facts.scans = hidden();
    assert_eq!(verdict_of(&named(None), &facts), "unknown");
    let broken = report("", Err(ScanFailure::Unparsable("at byte 7".to_owned())));
    facts.scans = reports(vec![broken]).scans;
    assert_eq!(verdict_of(&named(None), &facts), "unknown");
}

#[test]
fn hidden_checks_and_a_hidden_head_are_unknown() {
    let mut facts = with_checks(vec![check("test", Some(CheckConclusion::Success))]);
    facts.checks = hidden();
    assert_eq!(verdict_of(&named(None), &facts), "unknown");
    assert_eq!(verdict_of(&named(None), &nothing_seen()), "unknown");
}

#[test]
fn fewer_checks_other_apps_and_fewer_tests_are_weaker() {
    let by_report = TestsRan::default();
    let (any, pinned) = (named(None), named(Some("1")));
    assert!(any.weaker_than(&pinned).is_some());
    assert!(pinned.weaker_than(&any).is_none());
    assert!(by_report.weaker_than(&any).is_some());
    assert!(any.weaker_than(&by_report).is_some());
    let more = TestsRan {
        min_tests: 2,
        ..TestsRan::default()
    };
    assert!(by_report.weaker_than(&more).is_some());
    assert!(more.weaker_than(&by_report).is_none());
}
