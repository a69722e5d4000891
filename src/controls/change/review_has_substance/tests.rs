use super::*;
use crate::controls::testing::{
    approval, at, changed, check, head, hidden, nothing_seen, push, reviewed, seen, stale,
    verdict_of,
};
use crate::facts::{ChangedFile, CheckConclusion, CheckResult, PushKind};

/// Opened at 9, checked at 10, approved at 11, looked at at 12.
fn calm() -> Snapshot {
    let mut facts = reviewed(vec![approval("bob")]);
    facts.checks = seen(vec![check("test", Some(CheckConclusion::Success))]);
    facts.files = seen(vec![changed("src/lib.rs")]);
    facts
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ReviewHasSubstance::default(), facts)
}

fn lines(additions: Option<u64>) -> ChangedFile {
    ChangedFile {
        additions,
        ..changed("src/lib.rs")
    }
}

#[test]
fn an_approval_that_took_its_time_passes_and_none_fails() {
    assert_eq!(verdict(&calm()), "pass");
    for reviews in [vec![], vec![approval("ana")], vec![stale("bob")]] {
        let mut facts = calm();
        facts.reviews = seen(reviews);
        assert_eq!(verdict(&facts), "fail");
    }
}

/// The cheat: a click right after the push.
#[test]
fn an_approval_seconds_after_the_push_fails_unless_another_one_is_fine() {
    let pushed_at = |when: &str| {
        let mut facts = calm();
        facts.pushes = seen(vec![push(PushKind::Push, when, "ana")]);
        facts
    };
    assert_eq!(verdict(&pushed_at("2026-06-01T10:59:00Z")), "pass");
    let mut hasty = pushed_at("2026-06-01T10:59:01Z");
    assert_eq!(verdict(&hasty), "fail");
    let mut later = approval("cy");
    later.submitted_at = seen(at("2026-06-01T11:30:00Z"));
    hasty.reviews = seen(vec![approval("bob"), later]);
    assert_eq!(verdict(&hasty), "pass");
}

#[test]
fn an_approval_before_the_checks_ended_fails_but_for_the_gate_itself() {
    let ended = |name: &str, when: &str| CheckResult {
        ended_at: Some(at(when)),
        ..check(name, Some(CheckConclusion::Success))
    };
    let with = |checks: Vec<CheckResult>| {
        let mut facts = calm();
        facts.checks = seen(checks);
        facts
    };
    let late = with(vec![ended("test", "2026-06-01T11:00:01Z")]);
    assert_eq!(verdict(&late), "fail");
    let lax = ReviewHasSubstance {
        allow_before_checks: true,
        ..ReviewHasSubstance::default()
    };
    assert_eq!(verdict_of(&lax, &late), "pass");
    assert_eq!(verdict(&with(vec![check("test", None)])), "fail");
    assert_eq!(
        verdict(&with(vec![ended("ccgate", "2026-06-01T11:30:00Z")])),
        "pass"
    );
    let untimed = CheckResult {
        ended_at: None,
        ..ended("test", "2026-06-01T10:00:00Z")
    };
    assert_eq!(verdict(&with(vec![untimed])), "unknown");
}

#[test]
fn a_large_change_fails_and_one_whose_size_is_not_told_is_unknown() {
    let with = |files: Vec<ChangedFile>| {
        let mut facts = calm();
        facts.files = seen(files);
        facts
    };
    assert_eq!(verdict(&with(vec![lines(Some(1_000))])), "pass");
    assert_eq!(verdict(&with(vec![lines(Some(1_001))])), "fail");
    assert_eq!(verdict(&with(vec![lines(None)])), "unknown");
    assert_eq!(
        verdict(&with(vec![lines(None), lines(Some(u64::MAX))])),
        "fail"
    );
}

#[test]
fn a_change_that_was_open_for_moments_fails() {
    let mut facts = calm();
    let opened = |when: Option<&str>| {
        let mut identity = crate::controls::testing::identity("ana");
        identity.opened_at = when.map(at);
        seen(identity)
    };
    facts.identity = opened(Some("2026-06-01T11:50:01Z"));
    facts.reviews = seen(vec![{
        let mut late = approval("bob");
        late.submitted_at = seen(at("2026-06-01T11:55:00Z"));
        late
    }]);
    assert_eq!(verdict(&facts), "fail");
    facts.identity = opened(None);
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn what_is_hidden_is_unknown() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    for hide in [
        (|facts| facts.reviews = hidden()) as fn(&mut Snapshot),
        |facts| facts.checks = hidden(),
        |facts| facts.files = hidden(),
        |facts| facts.pushes = hidden(),
        |facts| facts.commits = hidden(),
    ] {
        let mut facts = calm();
        hide(&mut facts);
        assert_eq!(verdict(&facts), "unknown");
    }
    assert_eq!(calm().subject.head, head());
}

#[test]
fn asking_for_less_is_weaker() {
    let base = ReviewHasSubstance::default;
    for weaker in [
        ReviewHasSubstance {
            min_review_seconds: 59,
            ..base()
        },
        ReviewHasSubstance {
            min_open_minutes: 9,
            ..base()
        },
        ReviewHasSubstance {
            max_lines: 1_001,
            ..base()
        },
        ReviewHasSubstance {
            allow_before_checks: true,
            ..base()
        },
        ReviewHasSubstance {
            gate: "test".to_owned(),
            ..base()
        },
    ] {
        assert!(weaker.weaker_than(&base()).is_some(), "{weaker:?}");
        assert!(base().weaker_than(&weaker).is_none() || weaker.gate != "ccgate");
    }
    assert_eq!(base().weaker_than(&base()), None);
}
