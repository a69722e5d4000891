//! What the register makes of records, and of forged or lacking ones.

use serde_json::json;

use super::*;
use crate::gate::CHANGE_RECORD_TYPE;
use crate::gate::testing::at;

fn given(id: &str, due: Option<&str>) -> Value {
    json!({"predicateType": OVERRIDE_RECORD_TYPE, "predicate": {
        "id": id, "kind": "break_glass", "controls": ["CHG-04"],
        "scope": {"change": 7, "head": "f1"}, "approver": {"login": "lead"},
        "approved_at": {"forge_time": "2026-06-01T11:00:00Z"}, "review": {"due_at": due}}})
}

fn review(of: &str, by: &str, when: &str) -> Value {
    json!({"predicateType": REVIEW_RECORD_TYPE, "predicate": {
        "override": of, "outcome": "ratified", "observed_at": when, "reviewer": {"login": by}}})
}

const DUE: Option<&str> = Some("2026-06-02T11:00:00Z");

fn standing(statements: &[Value], now: &str) -> Standing {
    register(statements, at(now)).entries[0].standing
}

#[test]
fn a_review_is_open_until_it_is_due_and_overdue_afterwards() {
    let all = [given("ovr_1", DUE)];
    assert_eq!(standing(&all, "2026-06-02T11:00:00Z"), Standing::Open);
    assert_eq!(standing(&all, "2026-06-02T11:00:01Z"), Standing::Overdue);
    let never = [given("ovr_1", None)];
    assert_eq!(standing(&never, "2026-06-01T11:00:00Z"), Standing::Overdue);
}

#[test]
fn the_first_review_counts_and_says_whether_it_was_in_time() {
    let now = "2026-07-01T00:00:00Z";
    let of = |when: &str| [given("ovr_1", DUE), review("ovr_1", "sec", when)];
    assert_eq!(
        standing(&of("2026-06-02T11:00:00Z"), now),
        Standing::Reviewed
    );
    assert_eq!(
        standing(&of("2026-06-02T11:00:01Z"), now),
        Standing::ReviewedLate
    );
    let mut twice = of("2026-06-02T10:00:00Z").to_vec();
    twice.push(review("ovr_1", "other", "2026-06-05T10:00:00Z"));
    let entry = register(&twice, at(now)).entries.remove(0);
    assert_eq!(entry.reviewer, Some(AccountRef::of_login("sec")));
    assert_eq!(entry.outcome.as_deref(), Some("ratified"));
}

#[test]
fn whoever_gave_it_has_not_reviewed_it_and_a_review_of_another_is_none() {
    let now = "2026-06-01T12:00:00Z";
    for (of, by) in [("ovr_1", "LEAD"), ("ovr_2", "sec")] {
        let all = [given("ovr_1", DUE), review(of, by, now)];
        assert_eq!(standing(&all, now), Standing::Open, "{of} by {by}");
    }
}

/// The cheat: the review is written while the override waits, or by whom a run saw that could not
/// tell when. Nobody has looked at what was done with it.
#[test]
fn what_was_written_before_it_was_given_or_at_no_known_time_is_no_review() {
    let now = "2026-06-01T12:00:00Z";
    let of = |when: &str| [given("ovr_1", DUE), review("ovr_1", "sec", when)];
    for early in ["2026-06-01T10:10:00Z", "2026-06-01T11:00:00Z", "soon", ""] {
        assert_eq!(standing(&of(early), now), Standing::Open, "{early}");
    }
    let mut again = of("2026-06-01T10:10:00Z").to_vec();
    again.push(review("ovr_1", "sec", "2026-06-01T11:00:01Z"));
    assert_eq!(standing(&again, now), Standing::Reviewed);
    let mut untimed = of("2026-06-01T11:30:00Z");
    untimed[0]["predicate"]["approved_at"] = Value::Null;
    assert_eq!(standing(&untimed, now), Standing::Open);
}

/// The cheat: a run with a weak token records the breach first, and names fewer people.
#[test]
fn everybody_whom_any_record_of_a_breach_names_had_a_hand_in_it() {
    let now = "2026-06-01T12:00:00Z";
    let found = |people: Value| {
        let mut record = given("byp_1", DUE);
        record["predicate"]["kind"] = json!("bypass_detected");
        record["predicate"]["involved"] = people;
        record
    };
    let of = |first: Value, second: Value| {
        let by_dora = review("byp_1", "dora", "2026-06-01T11:30:00Z");
        let all = [found(first), found(second), by_dora];
        let entry = register(&all, at(now)).entries.remove(0);
        (entry.involved.map(|people| people.len()), entry.standing)
    };
    let (some, more) = (json!(["boris"]), json!(["boris", "dora"]));
    assert_eq!(
        of(some.clone(), some.clone()),
        (Some(1), Standing::Reviewed)
    );
    assert_eq!(of(some.clone(), more.clone()), (Some(2), Standing::Open));
    assert_eq!(of(more, some.clone()), (Some(2), Standing::Open));
    assert_eq!(of(some.clone(), Value::Null).0, Some(1));
    assert_eq!(of(Value::Null, some).0, None);
}

#[test]
fn the_same_override_in_several_records_is_one_entry() {
    let all = [
        given("ovr_1", DUE),
        given("ovr_1", None),
        given("ovr_2", DUE),
    ];
    let ids: Vec<_> = register(&all, at("2026-06-01T12:00:00Z"))
        .entries
        .into_iter()
        .map(|entry| (entry.id, entry.due.is_some()))
        .collect();
    assert_eq!(
        ids,
        [("ovr_1".to_owned(), true), ("ovr_2".to_owned(), true)]
    );
}

const HEAD: &str = "f1";

/// What the gate decided about change 7, and what it rested on.
fn decided(head: &str, overrides: &Value, approvals_refused: &Value) -> Value {
    json!({"predicateType": CHANGE_RECORD_TYPE, "subject": [{"digest": {"gitCommit": head}}],
        "predicate": {"subject": {"change": 7, "head": head}, "branch_move": null,
            "overrides": overrides, "approvals_refused": approvals_refused}})
}

fn moved(changes: &Value) -> Value {
    json!({"predicateType": CHANGE_RECORD_TYPE, "subject": [{"digest": {"gitCommit": "a1"}}],
        "predicate": {"subject": {"change": null, "head": "a1"}, "observed_at": "2026-06-01T13:00:00Z",
            "branch_move": {"before": "a0", "after": "a1", "commits": 1, "changes": changes}}})
}

fn holding(expires: Option<&str>) -> Value {
    let mut one = given("ovr_1", DUE);
    one["predicate"]["comment"] = json!("901");
    one["predicate"]["expires_at"] = json!(expires);
    one
}

fn made_of(statements: &[Value], now: &str) -> (Option<Term>, Option<Use>) {
    let entry = register(statements, at(now)).entries.remove(0);
    (entry.term, entry.used)
}

fn rested() -> Value {
    json!([{"comment": "901", "state": "accepted"}])
}

#[test]
fn an_override_waits_ends_soon_and_is_orphaned_where_no_move_knows_its_change() {
    let all = [holding(Some("2026-06-01T15:00:00Z")), moved(&json!([8]))];
    let seen = |now: &str| made_of(&all, now);
    let waiting = Some(Use::Waiting);
    assert_eq!(seen("2026-06-01T14:00:00Z"), (Some(Term::Running), waiting));
    assert_eq!(
        seen("2026-06-01T14:00:01Z"),
        (Some(Term::Expiring), waiting)
    );
    assert_eq!(
        seen("2026-06-01T15:00:00Z"),
        (Some(Term::Expiring), waiting)
    );
    let over = (Some(Term::Expired), Some(Use::Orphaned));
    assert_eq!(seen("2026-06-01T15:00:01Z"), over);
    // Without an end nobody can say that it still holds.
    assert_eq!(made_of(&[holding(None)], "2026-06-01T11:00:00Z"), over);
    let breach = json!({"predicateType": OVERRIDE_RECORD_TYPE, "predicate": {
        "id": "byp_1", "kind": "bypass_detected"}});
    assert_eq!(made_of(&[breach], "2026-06-01T11:00:00Z"), (None, None));
}

#[test]
fn it_was_used_where_the_last_decision_before_the_move_rested_on_it() {
    let now = "2026-06-01T14:00:00Z";
    let used = |more: Vec<Value>| {
        let mut all = vec![decided(HEAD, &rested(), &json!([])), holding(Some(now))];
        all.extend(more);
        made_of(&all, now).1
    };
    assert_eq!(used(vec![moved(&json!([7]))]), Some(Use::Used));
    // It landed by a review after all, on another head or on the same one.
    for head in [HEAD, "0d"] {
        let later = decided(head, &json!([]), &json!([]));
        assert_eq!(used(vec![later, moved(&json!([7]))]), Some(Use::Unused));
    }
    let other = decided("0d", &rested(), &json!([]));
    assert_eq!(used(vec![other, moved(&json!([7]))]), Some(Use::Unused));
    // What was decided after the move says nothing about it.
    let after = decided(HEAD, &json!([]), &json!([]));
    assert_eq!(used(vec![moved(&json!([7])), after]), Some(Use::Used));
    let facts = register(
        &[decided(HEAD, &rested(), &json!([])), moved(&json!([7, 8]))],
        at(now),
    )
    .as_facts("ccgate/github/acme/app");
    let landed: Vec<_> = facts
        .landed
        .iter()
        .map(|one| (one.number, one.overridden))
        .collect();
    assert_eq!(landed, [(7, true), (8, false)]);
}

#[test]
fn attempts_stand_there_once_with_what_became_of_them_and_count_per_person() {
    let asked = |state: &str, comment: &str| {
        json!({"id": "ovr_9", "comment": comment, "control": "CHG-04", "by": "tom", "state": state,
            "why": state})
    };
    let approval = json!([{"override": "ovr_9", "comment": "902", "by": "Tom", "why": "own",
        "self_approved": true}]);
    let all = [
        decided(
            HEAD,
            &json!([asked("requested", "900"), asked("requested", "901")]),
            &approval,
        ),
        decided(
            HEAD,
            &json!([asked("expired", "900"), asked("requested", "901")]),
            &approval,
        ),
        // It was given in the end.
        holding(Some("2026-06-01T15:00:00Z")),
    ];
    let register = register(&all, at("2026-06-01T12:00:00Z"));
    let seen: Vec<_> = register
        .attempts
        .iter()
        .map(|one| {
            (
                one.kind,
                one.comment.as_str(),
                one.state.as_str(),
                one.self_approved,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("override", "900", "expired", false),
            ("approval", "902", "refused", true)
        ]
    );
    let sums = register.sums();
    let of = |login: &str| {
        let mut people = sums.people.iter();
        people.find(|one| one.login == login).unwrap().clone()
    };
    assert_eq!((of("tom").in_vain, of("tom").self_approved), (2, 1));
    assert_eq!((of("lead").given, of("lead").in_vain), (1, 0));
    assert_eq!(sums.controls[0].code, "CHG-04");
    assert_eq!(
        (sums.controls[0].overrides, sums.controls[0].breaches),
        (1, 0)
    );
}

/// After the merge the change is judged under another commit, for which the approval is none.
#[test]
fn an_approval_that_gave_an_override_is_no_attempt_in_vain_whatever_a_later_run_says() {
    let mut given = holding(Some("2026-06-01T15:00:00Z"));
    given["predicate"]["approval"] = json!("902");
    let later = |comment: &str| {
        let refused =
            json!([{"override": "ovr_1", "comment": comment, "by": "lead", "why": "older"}]);
        decided("0d", &json!([]), &refused)
    };
    let in_vain = |comment: &str| {
        let all = [given.clone(), later(comment)];
        register(&all, at("2026-06-01T12:00:00Z")).attempts.len()
    };
    assert_eq!(in_vain("902"), 0);
    assert_eq!(in_vain("903"), 1, "another comment gave nothing");
}

#[test]
fn neither_who_asked_nor_who_moved_the_branch_has_reviewed_it_whatever_a_record_says() {
    let now = "2026-06-01T12:00:00Z";
    let mut asked = given("ovr_1", DUE);
    asked["predicate"]["requester"] = json!({"login": "tom"});
    let mut moved = given("ovr_1", DUE);
    moved["predicate"]["involved"] = json!(["tom"]);
    for one in [asked, moved] {
        for (by, expected) in [("TOM", Standing::Open), ("sec", Standing::Reviewed)] {
            assert_eq!(
                standing(&[one.clone(), review("ovr_1", by, now)], now),
                expected
            );
        }
    }
}

/// Over several records, and with a name that somebody else has by now.
#[test]
fn who_renamed_the_account_or_took_over_a_name_has_not_reviewed_their_own() {
    let now = "2026-06-01T12:00:00Z";
    let mut given = given("ovr_1", DUE);
    given["predicate"]["approver"] = json!({"login": "lead", "id": 5});
    given["predicate"]["requester"] = json!({"login": "tom", "id": 7});
    let by = |login: &str, id: Option<u64>| {
        let mut review = review("ovr_1", login, now);
        review["predicate"]["reviewer"]["id"] = json!(id);
        review
    };
    for (login, id, expected) in [
        ("sec", Some(9), Standing::Reviewed),
        ("tom-new", Some(7), Standing::Open),
        ("lead-new", Some(5), Standing::Open),
        ("LEAD", None, Standing::Open),
        // Another account with a name of theirs: nobody can tell who is meant.
        ("tom", Some(9), Standing::Open),
    ] {
        let all = [given.clone(), by(login, id)];
        assert_eq!(standing(&all, now), expected, "{login} {id:?}");
    }
    // The own review does not stand in the way of somebody else's.
    let all = [given.clone(), by("tom-new", Some(7)), by("sec", Some(9))];
    let entry = register(&all, at(now)).entries.remove(0);
    assert_eq!(entry.standing, Standing::Reviewed);
    assert_eq!(entry.reviewer.map(|one| one.login), Some("sec".to_owned()));

    // A later run may rest on somebody else's approval of the same override.
    let mut again = all[0].clone();
    again["predicate"]["approver"] = json!({"login": "dan", "id": 8});
    for (login, id, expected) in [
        ("dan-new", Some(8), Standing::Open),
        ("sec", Some(9), Standing::Reviewed),
    ] {
        let both = [all[0].clone(), again.clone(), by(login, id)];
        assert_eq!(standing(&both, now), expected, "{login}");
    }

    let mut breach = holding(None);
    breach["predicate"]["involved"] = json!(["tom", "ana"]);
    breach["predicate"]["involved_ids"] = json!([7, null]);
    for (login, id, expected) in [
        ("tom-new", Some(7), Standing::Open),
        ("Ana", Some(3), Standing::Open),
        ("sec", Some(9), Standing::Reviewed),
    ] {
        assert_eq!(standing(&[breach.clone(), by(login, id)], now), expected);
    }
    // A list of numbers that does not fit names nobody's.
    breach["predicate"]["involved_ids"] = json!([9]);
    let all = [breach, by("sec", Some(9))];
    assert_eq!(standing(&all, now), Standing::Reviewed);
}

#[test]
fn a_person_has_one_sum_under_every_name_and_whoever_took_a_name_over_another() {
    let asked = |id: &str, login: &str, number: Option<u64>| {
        let mut one = given(id, DUE);
        one["predicate"]["approver"] = json!({"login": login, "id": number});
        one
    };
    let all = [
        asked("ovr_0", "tom", None),
        asked("ovr_1", "tom", Some(7)),
        asked("ovr_2", "tom-new", Some(7)),
    ];
    let people = |all: &[Value]| -> Vec<(String, Option<u64>, usize)> {
        let sums = register(all, at("2026-06-01T12:00:00Z")).sums();
        let people = sums.people.into_iter();
        people.map(|one| (one.login, one.id, one.given)).collect()
    };
    assert_eq!(people(&all), [("tom-new".to_owned(), Some(7), 3)]);
    let mut all = all.to_vec();
    all.push(asked("ovr_3", "tom", Some(9)));
    // Of the record without a number nobody can say any more whose it is.
    assert_eq!(
        people(&all),
        [
            ("tom".to_owned(), None, 1),
            ("tom".to_owned(), Some(9), 1),
            ("tom-new".to_owned(), Some(7), 2),
        ]
    );
}

/// What the gate decided about change 7 with these verdicts.
fn judged(head: &str, verdicts: &[(&str, Option<&str>)]) -> Value {
    let mut statement = decided(head, &json!([]), &json!([]));
    statement["predicate"]["controls"] = verdicts
        .iter()
        .map(|(code, verdict)| json!({"code": code, "verdict": verdict}))
        .collect();
    statement
}

fn outage(codes: &[&str]) -> Value {
    let mut one = given("ovr_1", DUE);
    one["predicate"]["kind"] = json!("gate_unavailable");
    one["predicate"]["controls"] = json!(codes);
    one
}

/// However somebody reviewed it: what nobody could see has to be seen, all of it, and of the
/// head that was let through.
#[test]
fn an_override_for_an_outage_stays_open_until_every_control_was_answered_for() {
    let now = "2026-06-01T12:00:00Z";
    let away = judged(HEAD, &[("CHG-02", None), ("CHG-04", Some("unknown"))]);
    let seen = |more: Vec<Value>| {
        let mut all = vec![
            judged(HEAD, &[("CHG-02", Some("pass")), ("CHG-04", Some("pass"))]),
            away.clone(),
            outage(&["CHG-04"]),
            review("ovr_1", "sec", now),
        ];
        all.extend(more);
        let entry = register(&all, at(now)).entries.remove(0);
        (entry.evaluated_again, entry.standing)
    };
    let open = (Some(false), Standing::Open);
    assert_eq!(seen(Vec::new()), open, "the pass before the outage is none");
    assert_eq!(seen(vec![away.clone()]), open);
    assert_eq!(seen(vec![judged(HEAD, &[("CHG-04", None)])]), open, "off");
    assert_eq!(seen(vec![judged(HEAD, &[("CHG-02", Some("pass"))])]), open);
    for verdict in ["pass", "fail", "not_applicable"] {
        let again = judged(HEAD, &[("CHG-04", Some(verdict))]);
        assert_eq!(
            seen(vec![again]),
            (Some(true), Standing::Reviewed),
            "{verdict}"
        );
    }
    // Another run of the outage met more.
    let more = vec![
        outage(&["CHG-02"]),
        judged(
            HEAD,
            &[("CHG-02", Some("unknown")), ("CHG-04", Some("pass"))],
        ),
    ];
    assert_eq!(seen(more), open);
    let late = [away, outage(&["CHG-04"]), review("ovr_1", "sec", now)];
    assert_eq!(standing(&late, "2026-06-03T00:00:00Z"), Standing::Overdue);
    let facts = register(&late, at(now)).as_facts("ccgate/github/acme/app");
    assert_eq!(facts.overrides[0].evaluated_again, Some(false));
}

/// The trick: a clean head after the merge answers for the one that was let through.
#[test]
fn another_head_answers_for_an_outage_only_where_the_change_did_not_come_with_it() {
    let now = "2026-06-01T12:00:00Z";
    let rested = || {
        let mut one = decided(HEAD, &rested(), &json!([]));
        one["predicate"]["controls"] = json!([{"code": "CHG-04", "verdict": "unknown"}]);
        one
    };
    let mut given = outage(&["CHG-04"]);
    given["predicate"]["comment"] = json!("901");
    given["predicate"]["expires_at"] = json!("2026-06-01T15:00:00Z");
    let clean = judged("0d", &[("CHG-04", Some("pass"))]);
    let again = |all: &[Value]| register(all, at(now)).entries.remove(0).evaluated_again;
    let landed = [rested(), given.clone(), moved(&json!([7])), clean.clone()];
    assert_eq!(again(&landed), Some(false));
    let left = [rested(), given, clean];
    assert_eq!(again(&left), Some(true), "the old head went nowhere");
}

/// The trick: a record of an override that calls itself a waiver, so that nobody reviews it.
#[test]
fn a_record_of_an_override_counts_as_one_whatever_kind_it_names() {
    for kind in ["waiver", "finding_accept", "", "other"] {
        let mut one = given("ovr_1", None);
        one["predicate"]["kind"] = json!(kind);
        let register = register(&[one], at("2026-06-01T12:00:00Z"));
        assert!(register.exemptions.is_empty(), "{kind}");
        assert_eq!(register.entries[0].standing, Standing::Overdue);
        let facts = register.as_facts("ccgate/github/acme/app");
        assert!(!facts.overrides[0].breach, "{kind}");
        assert_eq!(register.sums().controls[0].overrides, 1);
    }
}

#[test]
fn waivers_and_accepted_findings_stand_in_the_register_apart_from_overrides() {
    let named = |change: u64, state: &str, expires: &str| {
        let mut one = decided(HEAD, &json!([]), &json!([]));
        one["predicate"]["subject"]["change"] = json!(change);
        one["predicate"]["observed_at"] = json!(format!("2026-06-0{change}T12:00:00Z"));
        one["predicate"]["waivers"] = json!([{"control": "third-thing-done", "scope": "*",
            "state": state, "owner": "@ana", "approved_by": "@li", "expires": expires}]);
        one["predicate"]["accepted_findings"] = json!([{"finding": "rule X in src/a.rs",
            "state": "applied", "covered": 1, "ticket": "SEC-1", "owner": "@ana",
            "approved_by": "@li", "expires": "2026-06-10"}]);
        one
    };
    let all = [
        named(1, "applied", "2026-06-30"),
        named(2, "applied", "2026-06-30"),
        named(3, "unmatched", "2026-06-30"),
        // Renewed: another one, which somebody approved anew.
        named(4, "applied", "2026-07-30"),
    ];
    let register = register(&all, at("2026-07-01T00:00:00Z"));
    assert!(register.entries.is_empty() && register.sums().people.is_empty());
    let facts = register.as_facts("ccgate/github/acme/app");
    assert!(
        facts.overrides.is_empty(),
        "no control counts one as an override"
    );
    let seen: Vec<_> = register
        .exemptions
        .iter()
        .map(|one| (one.kind, one.term, one.changes, one.state.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("waiver", Term::Expired, 2, "unmatched"),
            ("finding_accept", Term::Expired, 4, "applied"),
            ("waiver", Term::Running, 1, "applied"),
        ]
    );
    let first = &register.exemptions[0];
    assert_eq!(first.first.as_deref(), Some("2026-06-01T12:00:00Z"));
    assert_eq!(first.last.as_deref(), Some("2026-06-03T12:00:00Z"));
    let term = |now: &str| super::register(&all, at(now)).exemptions[0].term;
    assert_eq!(term("2026-06-30T23:59:59Z"), Term::Expiring, "its last day");
    assert_eq!(term("2026-06-23T12:00:00Z"), Term::Running);
}
