//! SCAN-01 on what the platform itself looked at: clean, and what only looks it.

use serde_json::{Value, from_value, json};

use super::super::runs::Limits;
use super::super::sast_clean::SastClean;
use super::super::testing::{report, run};
use super::*;
use crate::controls::control::Control as _;
use crate::controls::testing::{at, head, hidden, identity, nothing_seen, older, seen, verdict_of};
use crate::facts::{Fact, ScanKind, ScanResults};

fn alert(number: u64, severity: Severity) -> Alert {
    Alert {
        severity,
        name: format!("#{number} js/x"),
        opened_at: None,
    }
}

fn analysis(part: &str, commit: &str, hour: u32) -> ChangeAnalysis {
    ChangeAnalysis {
        tool: "CodeQL".to_owned(),
        part: part.to_owned(),
        commit: commit.to_owned(),
        at: at(&format!("2026-06-01T{hour:02}:00:00Z")),
        failed: false,
    }
}

fn clean() -> Looked {
    Looked {
        test_merge: None,
        analyses: vec![analysis("js", &head(), 11)],
        open: Vec::new(),
        dismissed: Vec::new(),
        on_target: hidden(),
    }
}

fn facts(found: ChangeAnalyses) -> Snapshot {
    let mut facts = nothing_seen();
    facts.scans = seen(ScanResults::of(Vec::new()));
    facts.identity = seen(identity("ana"));
    facts.change_analyses = seen(found);
    facts
}

fn verdict(edit: impl FnOnce(&mut Looked)) -> String {
    let mut looked = clean();
    edit(&mut looked);
    verdict_of(
        &SastClean::default(),
        &facts(ChangeAnalyses::Looked(looked)),
    )
}

/// The cheat: results of something else in the place where those of code are looked for.
#[test]
fn results_of_a_tool_that_reads_no_code_prove_nothing() {
    for tool in ["Trivy", "Scorecard", "codeqlish", "not-semgrep", ""] {
        let alone = verdict(|looked| tool.clone_into(&mut looked.analyses[0].tool));
        assert_eq!(alone, "unknown", "{tool}");
        let beside = verdict(|looked| {
            let mut other = analysis("", &head(), 12);
            tool.clone_into(&mut other.tool);
            looked.analyses.push(other);
        });
        assert_eq!(beside, "pass", "{tool}");
    }
    for tool in ["codeql", "Semgrep OSS"] {
        let known = verdict(|looked| tool.clone_into(&mut looked.analyses[0].tool));
        assert_eq!(known, "pass", "{tool}");
    }
}

fn why(facts: &Snapshot) -> Unknown {
    SastClean::default().evaluate(facts).unwrap_err()
}

#[test]
fn a_head_that_was_looked_at_and_holds_little_open_passes() {
    assert_eq!(verdict(|_| {}), "pass");
    assert_eq!(
        verdict(|looked| looked.open = vec![alert(1, Severity::Medium)]),
        "pass"
    );
    let merged = |looked: &mut Looked| {
        looked.test_merge = Some("7e".repeat(20));
        looked.analyses = vec![analysis("js", &"7E".repeat(20), 11)];
    };
    assert_eq!(verdict(merged), "pass");
}

#[test]
fn alerts_over_a_limit_fail_whatever_was_looked_at() {
    let bad = |looked: &mut Looked| looked.open = vec![alert(1, Severity::High)];
    assert_eq!(verdict(bad), "fail findings");
    let stale = |looked: &mut Looked| {
        bad(looked);
        looked.analyses = vec![analysis("js", &older(), 11)];
    };
    assert_eq!(verdict(stale), "fail findings");
    let lenient: SastClean = from_value(json!({"max": {"high": 1}})).unwrap();
    let mut looked = clean();
    bad(&mut looked);
    let with = |looked: &Looked| facts(ChangeAnalyses::Looked(looked.clone()));
    assert_eq!(verdict_of(&lenient, &with(&looked)), "pass");
    // A limit holds for what is worse too, each severity by itself.
    looked.open.push(alert(2, Severity::Critical));
    assert_eq!(verdict_of(&lenient, &with(&looked)), "pass");
    looked.open.push(alert(3, Severity::Critical));
    assert_eq!(verdict_of(&lenient, &with(&looked)), "fail findings");
}

#[test]
fn off_hidden_and_not_yet_are_unknown_each_with_its_words() {
    let off = why(&facts(ChangeAnalyses::Off)).detail;
    let not_yet = why(&facts(ChangeAnalyses::NothingYet)).detail;
    assert!(
        off.ends_with("is off") && not_yet.ends_with("yet"),
        "{off}, {not_yet}"
    );
    let mut unseen = facts(ChangeAnalyses::Off);
    unseen.change_analyses = Fact::Unknown(doubt(Why::NotPermitted, "no".to_owned()));
    assert_eq!(why(&unseen).why, Why::NotPermitted);
    let none = |looked: &mut Looked| looked.analyses.clear();
    assert_eq!(verdict(none), "unknown");
}

/// The cheat: an old analysis, of another commit, of one part only, or one that broke down.
#[test]
fn an_analysis_that_is_not_the_newest_of_the_head_or_failed_is_unknown() {
    let of = |analyses: Vec<ChangeAnalysis>| verdict(|looked| looked.analyses = analyses);
    let broken = ChangeAnalysis {
        failed: true,
        ..analysis("js", &head(), 11)
    };
    let again = |hour| analysis("js", &head(), hour);
    for analyses in [
        vec![analysis("js", &older(), 11)],
        vec![analysis("js", "", 11)],
        vec![broken.clone()],
        // The alerts are those of the newer one.
        vec![analysis("js", &older(), 12), again(11)],
        vec![
            ChangeAnalysis {
                at: at("2026-06-01T12:00:00Z"),
                ..broken.clone()
            },
            again(11),
        ],
        // Which came first is not told.
        vec![again(11), broken.clone()],
        vec![again(11), analysis("c", &older(), 10)],
        vec![
            again(11),
            ChangeAnalysis {
                tool: "Other".to_owned(),
                ..analysis("js", &older(), 10)
            },
        ],
    ] {
        assert_eq!(of(analyses.clone()), "unknown", "{analyses:?}");
    }
    assert_eq!(
        of(vec![again(12), broken, analysis("js", &older(), 9)]),
        "pass"
    );
}

/// The cheat: a commit that tests another head with the target.
#[test]
fn a_test_merge_that_is_not_of_this_head_is_another_commit() {
    let other = |looked: &mut Looked| {
        looked.test_merge = Some("7e".repeat(20));
        looked.analyses = vec![analysis("js", &"7f".repeat(20), 11)];
    };
    assert_eq!(verdict(other), "unknown");
}

/// The cheat: its author dismisses what the change brought.
#[test]
fn what_the_author_dismissed_since_the_change_was_opened_counts_as_open() {
    let dismissed = |by: Option<&str>, when: Option<&str>| {
        let mut looked = clean();
        looked.dismissed = vec![DismissedAlert {
            alert: alert(2, Severity::High),
            by: by.map(str::to_owned),
            at: when.map(at),
        }];
        facts(ChangeAnalyses::Looked(looked))
    };
    let mut opened = identity("ana");
    opened.opened_at = Some(at("2026-06-01T09:00:00Z"));
    let author = opened.author.as_ref().unwrap().login.to_uppercase();
    let judged = |mut facts: Snapshot, identity: Fact<Identity>| {
        facts.identity = identity;
        verdict_of(&SastClean::default(), &facts)
    };
    let (early, late) = (Some("2026-06-01T08:00:00Z"), Some("2026-06-01T10:00:00Z"));
    for (by, when, expected) in [
        (Some(author.as_str()), late, "fail findings"),
        (Some(author.as_str()), None, "fail findings"),
        (None, late, "fail findings"),
        (Some(author.as_str()), early, "pass"),
        (Some("somebody-else"), late, "pass"),
    ] {
        let facts = dismissed(by, when);
        assert_eq!(
            judged(facts.clone(), seen(opened.clone())),
            expected,
            "{by:?} {when:?}"
        );
        assert_eq!(judged(facts, hidden()), "unknown");
    }
    let gone = Identity {
        author: None,
        ..opened.clone()
    };
    assert_eq!(
        judged(dismissed(Some("x"), late), seen(gone)),
        "fail findings"
    );
    let undated = Identity {
        opened_at: None,
        ..opened
    };
    assert_eq!(
        judged(dismissed(Some(&author), early), seen(undated)),
        "fail findings"
    );
}

#[test]
fn a_report_that_was_handed_in_is_judged_alone() {
    let mut both = facts(ChangeAnalyses::Looked(Looked {
        open: vec![alert(1, Severity::Critical)],
        ..clean()
    }));
    let handed_in = |runs| seen(ScanResults::of(vec![report("sha256:aa", runs)]));
    both.scans = handed_in(Ok(vec![run(ScanKind::Sast, vec![])]));
    assert_eq!(verdict_of(&SastClean::default(), &both), "pass");
    // The cheat the other way round: a broken report does not call for the platform.
    let mut broken = facts(ChangeAnalyses::Looked(clean()));
    broken.scans = handed_in(Ok(vec![]));
    assert_eq!(verdict_of(&SastClean::default(), &broken), "unknown");
    // One of another kind says nothing of the code.
    broken.scans = handed_in(Ok(vec![run(ScanKind::Coverage, vec![])]));
    assert_eq!(verdict_of(&SastClean::default(), &broken), "pass");
    let mut hidden_reports = facts(ChangeAnalyses::Looked(clean()));
    hidden_reports.scans = hidden();
    assert_eq!(
        verdict_of(&SastClean::default(), &hidden_reports),
        "unknown"
    );
}

#[test]
fn an_expected_report_or_the_policy_keeps_the_platform_out() {
    let facts = facts(ChangeAnalyses::Looked(clean()));
    let with = |parameters: Value| from_value::<SastClean>(parameters).unwrap();
    for required in [true, false] {
        let scan = json!({"tool": "semgrep", "path": "a.sarif", "required": required});
        assert_eq!(
            verdict_of(&with(json!({"scans": [scan]})), &facts),
            "unknown"
        );
    }
    let alone = with(json!({"platform_analyses": false}));
    assert_eq!(verdict_of(&alone, &facts), "unknown");
    let default = SastClean::default();
    assert!(default.weaker_than(&alone).is_some());
    assert!(alone.weaker_than(&default).is_none());
}

#[test]
fn a_platform_without_such_analyses_asks_for_a_report() {
    let mut facts = facts(ChangeAnalyses::Off);
    let key = FactKey::ScanChangeAnalyses.name();
    facts.change_analyses =
        Fact::Unknown(Unknown::new(key, Why::NotSupported, "hand in artifacts"));
    let unknown = why(&facts);
    assert_eq!(unknown.fact, FactKey::ScanResults.name());
    assert_eq!(
        unknown.detail,
        "no scan report was handed in; hand in artifacts"
    );
}

#[test]
fn the_worst_are_named_and_no_more_than_a_few() {
    let open: Vec<Alert> = (1..=9)
        .map(|number| alert(number, Severity::High))
        .collect();
    let max = Limits::from([(Severity::High, 0)]);
    let worst = alert(10, Severity::Critical);
    let all: Vec<&Alert> = open.iter().chain([&worst]).collect();
    let words = too_many("open alerts", &max, &all, 1).unwrap();
    assert!(
        words.contains("1 critical, 0 allowed, 9 high, 0 allowed; `#10 js/x`, `#1 js/x`"),
        "{words}"
    );
    assert!(!words.contains("#5 "), "{words}");
}

/// New against old: two are open on the change, one of which the target had before.
fn against(edit: impl FnOnce(&mut Snapshot, &mut Looked)) -> String {
    let known = |number, found: &str| Alert {
        opened_at: Some(at(found)),
        ..alert(number, Severity::High)
    };
    let mut looked = clean();
    looked.open = vec![
        known(1, "2026-05-01T00:00:00Z"),
        known(2, "2026-06-01T11:00:00Z"),
    ];
    looked.on_target = seen(Some(vec![known(1, "2026-05-01T00:00:00Z")]));
    let mut facts = facts(ChangeAnalyses::Off);
    let mut own = identity("ana");
    own.opened_at = Some(at("2026-06-01T10:00:00Z"));
    facts.identity = seen(own);
    edit(&mut facts, &mut looked);
    facts.change_analyses = seen(ChangeAnalyses::Looked(looked));
    let one_new: SastClean = from_value(json!({"max": {"high": 9}, "new": {"high": 0}})).unwrap();
    verdict_of(&one_new, &facts)
}

#[test]
fn what_the_target_had_before_is_old_and_anything_else_is_new() {
    assert_eq!(against(|_, _| {}), "fail findings");
    let fixed = |_: &mut Snapshot, looked: &mut Looked| looked.open.truncate(1);
    assert_eq!(against(fixed), "pass");
    // What the author dismissed counts as open, and so as new.
    let dismissed = |_: &mut Snapshot, looked: &mut Looked| {
        let alert = looked.open.remove(1);
        let by = Some("ana".to_owned());
        let at = Some(at("2026-06-01T11:30:00Z"));
        looked.dismissed = vec![DismissedAlert { alert, by, at }];
    };
    assert_eq!(against(dismissed), "fail findings");
}

/// The cheat: the results of the change, uploaded for the target as well.
#[test]
fn what_came_onto_the_target_after_the_change_was_opened_is_new() {
    let uploaded = |_: &mut Snapshot, looked: &mut Looked| {
        looked.on_target = seen(Some(looked.open.clone()));
    };
    assert_eq!(against(uploaded), "fail findings");
    let undated = |_: &mut Snapshot, looked: &mut Looked| {
        let undated = looked.open.iter().map(|alert| Alert {
            opened_at: None,
            ..alert.clone()
        });
        looked.on_target = seen(Some(undated.collect()));
    };
    assert_eq!(against(undated), "fail findings");
}

#[test]
fn a_target_that_is_hidden_tells_no_new_from_old() {
    let no_target = |_: &mut Snapshot, looked: &mut Looked| {
        looked.open.truncate(1);
        looked.on_target = hidden();
    };
    assert_eq!(against(no_target), "unknown");
    let no_identity = |facts: &mut Snapshot, looked: &mut Looked| {
        looked.open.truncate(1);
        facts.identity = hidden();
    };
    assert_eq!(against(no_identity), "unknown");
    // A commit of the target itself has nothing to be compared with.
    let on_branch = |_: &mut Snapshot, looked: &mut Looked| looked.on_target = seen(None);
    assert_eq!(against(on_branch), "pass");
}

#[test]
fn a_higher_limit_for_new_alerts_asks_less() {
    let of = |new: Value| -> SastClean { from_value(json!({"new": new})).unwrap() };
    let strict = of(json!({"high": 0}));
    assert!(of(json!({})).weaker_than(&strict).is_some());
    assert!(of(json!({"high": 1})).weaker_than(&strict).is_some());
    assert!(strict.weaker_than(&of(json!({}))).is_none());
}

/// What is open on the target is asked for only where somebody wants to know.
#[test]
fn a_target_is_looked_at_where_new_alerts_have_a_limit() {
    let of = |parameters: Value| -> SastClean { from_value(parameters).unwrap() };
    assert!(!SastClean::default().target_alerts());
    assert!(of(json!({"new": {"high": 0}})).target_alerts());
    let reports_only = json!({"new": {"high": 0}, "platform_analyses": false});
    assert!(!of(reports_only).target_alerts());
}
