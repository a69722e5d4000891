//! SCAN-13: how long alerts may stay open, and whether anybody looks.

use serde_json::{Value, json};

use super::*;
use crate::controls::testing::{at, hidden, seen, settings, verdict_of};

const LATELY: &str = "2026-05-30T12:00:00Z";

fn control(parameters: Value) -> AlertsClosedInTime {
    serde_json::from_value(parameters).unwrap()
}

fn alert(severity: Severity, opened_at: Option<&str>) -> Alert {
    Alert {
        severity,
        name: "#7 rule-a".to_owned(),
        opened_at: opened_at.map(at),
    }
}

fn on(open: Vec<Alert>) -> Fact<Watch> {
    seen(Watch::On {
        looked_at: None,
        open,
    })
}

fn with(code: Fact<Watch>) -> Snapshot {
    settings(|settings| {
        settings.alerts = seen(Alerts {
            not_in_plan: false,
            code,
            dependencies: on(vec![]),
            leaked_secrets: on(vec![]),
        });
    })
}

fn verdict(code: Fact<Watch>) -> String {
    verdict_of(&AlertsClosedInTime::default(), &with(code))
}

#[test]
fn nothing_open_and_what_is_in_time_pass_and_what_is_late_fails() {
    assert_eq!(verdict(on(vec![])), "pass");
    for (severity, in_time, late) in [
        (
            Severity::Critical,
            "2026-05-25T12:00:00Z",
            "2026-05-24T12:00:00Z",
        ),
        (
            Severity::High,
            "2026-05-02T12:00:00Z",
            "2026-05-01T12:00:00Z",
        ),
        (
            Severity::Medium,
            "2026-03-03T12:00:00Z",
            "2026-03-02T12:00:00Z",
        ),
    ] {
        assert_eq!(verdict(on(vec![alert(severity, Some(in_time))])), "pass");
        assert_eq!(
            verdict(on(vec![alert(severity, Some(late))])),
            "fail findings"
        );
    }
    let low = alert(Severity::Low, Some("2020-01-01T00:00:00Z"));
    assert_eq!(verdict(on(vec![low])), "pass");
}

#[test]
fn each_service_counts() {
    let late = || on(vec![alert(Severity::High, Some("2026-01-01T00:00:00Z"))]);
    for place in 0..3 {
        let mut facts = with(on(vec![]));
        let Fact::Known { value, .. } = &mut facts.settings.alerts else {
            panic!("it was seen");
        };
        match place {
            0 => value.code = late(),
            1 => value.dependencies = late(),
            _ => value.leaked_secrets = late(),
        }
        let control = AlertsClosedInTime::default();
        assert_eq!(verdict_of(&control, &facts), "fail findings");
    }
}

/// The cheat: a list that is empty because nobody looks.
#[test]
fn off_never_looked_not_lately_and_no_permission_are_four_answers() {
    assert_eq!(verdict(seen(Watch::Off)), "fail");
    assert_eq!(verdict(seen(Watch::NothingYet)), "unknown");
    assert_eq!(verdict(hidden()), "unknown");
    let looked = |when: &str| {
        seen(Watch::On {
            looked_at: Some(at(when)),
            open: vec![],
        })
    };
    assert_eq!(verdict(looked(LATELY)), "pass");
    assert_eq!(verdict(looked("2026-03-01T00:00:00Z")), "unknown");
    let why = |code: Fact<Watch>| {
        let facts = with(code);
        AlertsClosedInTime::default()
            .evaluate(&facts)
            .unwrap_err()
            .why
    };
    assert_eq!(why(seen(Watch::NothingYet)), Why::NotCollected);
    assert_eq!(why(looked("2026-03-01T00:00:00Z")), Why::Stale);
}

#[test]
fn a_plan_that_does_not_sell_it_is_named_and_a_late_alert_more_so() {
    let mut facts = with(seen(Watch::Off));
    if let Fact::Known { value, .. } = &mut facts.settings.alerts {
        value.not_in_plan = true;
    }
    let control = AlertsClosedInTime::default();
    assert_eq!(verdict_of(&control, &facts), "fail plan");
    if let Fact::Known { value, .. } = &mut facts.settings.alerts {
        value.dependencies = on(vec![alert(Severity::High, Some("2026-01-01T00:00:00Z"))]);
    }
    assert_eq!(verdict_of(&control, &facts), "fail findings");
}

#[test]
fn what_is_late_fails_whatever_is_hidden() {
    let late = alert(Severity::High, Some("2026-01-01T00:00:00Z"));
    let undated = alert(Severity::High, None);
    assert_eq!(verdict(on(vec![undated.clone()])), "unknown");
    assert_eq!(verdict(on(vec![undated, late.clone()])), "fail findings");
    let mut facts = with(on(vec![late]));
    if let Fact::Known { value, .. } = &mut facts.settings.alerts {
        value.dependencies = hidden();
    }
    let control = AlertsClosedInTime::default();
    assert_eq!(verdict_of(&control, &facts), "fail findings");
    let none = settings(|settings| settings.alerts = hidden());
    assert_eq!(verdict_of(&control, &none), "unknown");
    // What nobody asks for may be hidden.
    let code = control_of_dependencies();
    let mut facts = with(hidden());
    if let Fact::Known { value, .. } = &mut facts.settings.alerts {
        value.leaked_secrets = seen(Watch::Off);
    }
    assert_eq!(verdict_of(&code, &facts), "pass");
}

fn control_of_dependencies() -> AlertsClosedInTime {
    control(json!({"services": ["dependencies"]}))
}

#[test]
fn fewer_services_more_days_and_a_longer_silence_are_weaker() {
    let base = AlertsClosedInTime::default();
    for weaker in [
        json!({"services": ["code", "secrets"]}),
        json!({"max_days": {"critical": 7, "high": 31, "medium": 90}}),
        json!({"max_days": {"critical": 7, "high": 30}}),
        json!({"max_days": {}}),
        json!({"max_silence_days": 31}),
    ] {
        assert!(
            control(weaker.clone()).weaker_than(&base).is_some(),
            "{weaker}"
        );
    }
    let stricter = control(json!({"max_days": {"low": 1}}));
    assert_eq!(stricter.weaker_than(&base), None);
    assert_eq!(base.weaker_than(&base), None);
}
