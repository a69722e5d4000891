//! CHG-20: which records of the platform are about the move that is judged.

use super::ChangesMetRequirementsAtMerge;
use crate::controls::change::arrived_testing::{
    AFTER, arrival, arrivals, change, late, moved, pushed, through,
};
use crate::controls::control::{Control as _, Verdict};
use crate::controls::testing::{at, commit, head, hidden, seen, verdict_of};
use crate::facts::{
    Account, AccountRef, ArrivalMethod, Fact, RuleBypass, RuleBypasses, Snapshot, Unknown, Why,
};

const PASS: &str = "pass";
const FAIL: &str = "fail merged_past_gate";
const UNKNOWN: &str = "unknown";

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ChangesMetRequirementsAtMerge::default(), facts)
}

fn with(bypass: RuleBypass) -> Snapshot {
    let mut facts = moved(|_, _| {});
    facts.bypasses = seen(Some(RuleBypasses {
        since: at("2026-05-04T12:00:00Z"),
        early_since: None,
        found: vec![bypass],
        unseen: None,
    }));
    facts
}

fn told(facts: &mut Snapshot, change: impl FnOnce(&mut RuleBypasses)) {
    if let Fact::Known {
        value: Some(all), ..
    } = &mut facts.bypasses
    {
        change(all);
    }
}

fn of_commit(sha: &str) -> RuleBypass {
    RuleBypass {
        commit: Some(sha.to_owned()),
        actor: Some(AccountRef::of_login("eve")),
        allowed_by: Some(vec![AccountRef::of_login("li")]),
        ..RuleBypass::default()
    }
}

fn of_change(number: u64) -> RuleBypass {
    RuleBypass {
        change: Some(number),
        allowed_by: Some(Vec::new()),
        ..RuleBypass::default()
    }
}

fn summary(facts: &Snapshot) -> String {
    match ChangesMetRequirementsAtMerge::default().evaluate(facts) {
        Ok(Verdict::Fail(failure)) => failure.evidence.summary().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// The cheat: push it to a side branch with leave, and squash it away.
#[test]
fn a_commit_that_push_rules_refused_once_is_found_under_a_squash() {
    assert_eq!(verdict(&with(of_commit(AFTER))), FAIL);
    assert_eq!(verdict(&with(of_commit(&AFTER.to_uppercase()))), FAIL);
    assert_eq!(
        verdict(&with(of_commit(&head()))),
        FAIL,
        "the change's head"
    );
    assert_eq!(verdict(&with(of_commit(&"d4".repeat(20)))), PASS);
    let mut facts = with(of_commit(&"d4".repeat(20)));
    let mut seven = change();
    seven.commits = seen(vec![commit("d4".repeat(20), "ana"), commit(head(), "ana")]);
    facts.arrived_changes = seen(Some(vec![seven]));
    assert_eq!(verdict(&facts), FAIL, "a commit of the change");
    let mut facts = with(of_commit(&"d4".repeat(20)));
    let mut side = arrivals();
    side.reached = seen(vec!["d4".repeat(20), AFTER.to_owned()]);
    facts.arrivals = seen(Some(side));
    assert_eq!(verdict(&facts), FAIL, "a commit of a side line");
}

#[test]
fn a_commit_that_may_be_among_what_is_hidden_leaves_it_unknown() {
    let elsewhere = || with(of_commit(&"d4".repeat(20)));
    let mut facts = elsewhere();
    let mut hiding = arrivals();
    hiding.reached = hidden();
    facts.arrivals = seen(Some(hiding));
    assert_eq!(verdict(&facts), UNKNOWN);
    let mut facts = elsewhere();
    let mut seven = change();
    seven.commits = hidden();
    facts.arrived_changes = seen(Some(vec![seven]));
    assert_eq!(verdict(&facts), UNKNOWN);
}

#[test]
fn a_change_that_was_let_through_is_found_by_its_number() {
    assert_eq!(verdict(&with(of_change(7))), FAIL);
    assert_eq!(verdict(&with(of_change(8))), PASS);
    let mut facts = with(of_change(8));
    let mut more = arrivals();
    more.commits.push(arrival("a0", late()));
    facts.arrivals = seen(Some(more));
    assert_eq!(
        verdict(&facts),
        UNKNOWN,
        "a0 may have come through change 8"
    );
    let mut facts = with(of_change(8));
    let mut both = arrivals();
    both.commits
        .push(arrival("a0", through(8, ArrivalMethod::Merge)));
    facts.arrivals = seen(Some(both));
    assert_eq!(verdict(&facts), FAIL);
}

/// The move is of 11:30.
#[test]
fn a_push_is_found_by_its_time_and_one_without_a_time_is_this_one() {
    let at_time = |time: Option<&str>| {
        with(RuleBypass {
            at: time.map(at),
            allowed_by: Some(Vec::new()),
            ..RuleBypass::default()
        })
    };
    for (time, expected) in [
        ("2026-06-01T10:29:59Z", PASS),
        ("2026-06-01T10:30:00Z", FAIL),
        ("2026-06-01T11:30:00Z", FAIL),
        ("2026-06-01T11:35:00Z", FAIL),
        ("2026-06-01T11:35:01Z", PASS),
    ] {
        assert_eq!(verdict(&at_time(Some(time))), expected, "{time}");
    }
    assert_eq!(verdict(&at_time(None)), FAIL);
    let mut facts = at_time(Some("2026-06-01T09:00:00Z"));
    let mut timeless = arrivals();
    if let Fact::Known { value, .. } = &mut timeless.moves {
        value[0].at = None;
    }
    facts.arrivals = seen(Some(timeless));
    assert_eq!(verdict(&facts), FAIL, "the move may be of that time");
}

#[test]
fn records_that_may_be_missing_leave_it_unknown_and_those_that_are_there_count() {
    let unseen = || Some(Unknown::new("branch.bypasses", Why::NotPermitted, "no"));
    let mut facts = with(of_change(8));
    told(&mut facts, |all| all.unseen = unseen());
    assert_eq!(verdict(&facts), UNKNOWN);
    let mut facts = with(of_change(7));
    told(&mut facts, |all| all.unseen = unseen());
    assert_eq!(verdict(&facts), FAIL);
}

/// The cheat: have it let through, and merge when the record is out of reach.
#[test]
fn a_change_that_is_older_than_the_records_is_unknown() {
    let opened = |time: Option<&str>| {
        let mut facts = with(of_change(8));
        told(&mut facts, |all| all.early_since = Some(all.since));
        let mut seven = change();
        if let Fact::Known { value, .. } = &mut seven.identity {
            value.opened_at = time.map(at);
        }
        facts.arrived_changes = seen(Some(vec![seven]));
        verdict(&facts)
    };
    assert_eq!(opened(Some("2026-05-04T12:00:00Z")), PASS);
    assert_eq!(opened(Some("2026-05-04T11:59:59Z")), UNKNOWN);
    assert_eq!(opened(None), UNKNOWN);
}

#[test]
fn the_verdict_names_who_asked_who_allowed_it_and_the_reason_cut_short() {
    let mut bypass = of_commit(AFTER);
    bypass.record = Some("push rules, request 3, completed".to_owned());
    bypass.reason = Some("x".repeat(300));
    let said = summary(&with(bypass.clone()));
    let expected = format!(
        "the platform let @eve go around the rules for {} (push rules, request 3, completed), \
         allowed by @li: \"{}…\"",
        &AFTER[..7],
        "x".repeat(200)
    );
    assert_eq!(said, expected);
    bypass.reason = None;
    bypass.allowed_by = Some(vec![AccountRef::of_login("EVE")]);
    let own = summary(&with(bypass.clone()));
    assert!(
        own.ends_with("allowed by @EVE, who had asked for it"),
        "{own}"
    );
    bypass.allowed_by = None;
    let said = summary(&with(bypass));
    assert!(
        said.ends_with("allowed by somebody who is not named"),
        "{said}"
    );
}

#[test]
fn a_direct_push_with_a_bypass_on_record_fails_though_no_change_came() {
    let mut facts = with(of_commit(AFTER));
    let mut direct = arrivals();
    direct.commits = vec![arrival(AFTER, pushed(Account::human("eve")))];
    facts.arrivals = seen(Some(direct));
    assert_eq!(verdict(&facts), FAIL);
}
