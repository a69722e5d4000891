//! Each rule of an override, with the trick that it is there for.

use super::*;
use crate::facts::{Account, AccountKind, Push, PushKind, Unknown};
use crate::gate::testing::{
    ABOUT_THE_GATE, FIRST, REASON, SECOND, at, command, comment, control, decision, facts, fail,
    pass, person, policy, unknown,
};
use crate::gate::{Disposition, Outcome, VerdictWord};

fn failing() -> Policy {
    policy(vec![control(&FIRST, fail()), control(&SECOND, pass())])
}

fn with(comments: Vec<Comment>) -> Snapshot {
    let mut facts = facts();
    facts.comments = Fact::known_without_source(comments);
    facts
}

/// State and reason of the one command, after the case has changed the facts.
fn judged(change: impl FnOnce(&mut Policy, &mut Snapshot)) -> (OverrideState, String) {
    let mut policy = failing();
    let mut facts = with(vec![command()]);
    change(&mut policy, &mut facts);
    let decision = decision(&policy, &facts);
    let report = &decision.overrides[0];
    let accepted = report.state == OverrideState::Accepted;
    assert_eq!(
        decision.outcome == Outcome::Allow,
        accepted,
        "{}",
        report.why
    );
    (report.state, report.why.clone())
}

fn written(body: &str) -> (OverrideState, String) {
    judged(|_, facts| {
        facts.comments = Fact::known_without_source(vec![Comment {
            body: body.to_owned(),
            ..command()
        }]);
    })
}

fn refuses(change: impl FnOnce(&mut Policy, &mut Snapshot), expected: &str) {
    let (state, why) = judged(change);
    assert_eq!(state, OverrideState::Refused, "{why}");
    assert!(why.contains(expected), "{why}");
}

/// In order, and not given by who asks for it.
fn leaves_to_others(change: impl FnOnce(&mut Policy, &mut Snapshot), expected: &str) {
    let (state, why) = judged(change);
    assert_eq!(state, OverrideState::Requested, "{why}");
    assert!(why.contains(expected), "{why}");
}

fn hidden<T>() -> Fact<T> {
    Fact::Unknown(Unknown::not_collected("test.hidden"))
}

fn comment_of(facts: &mut Snapshot) -> &mut Comment {
    match &mut facts.comments {
        Fact::Known { value, .. } => &mut value[0],
        Fact::Unknown(_) => panic!("the case has comments"),
    }
}

fn value_of<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known { value, .. } => value,
        Fact::Unknown(_) => panic!("the case has this fact"),
    }
}

#[test]
fn a_second_person_opens_the_gate_and_the_fail_stays_on_record() {
    let decision = decision(&failing(), &with(vec![command()]));
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.controls[0].verdict, Some(VerdictWord::Fail));
    assert_eq!(
        decision.controls[0].disposition,
        Some(Disposition::Overridden)
    );
    let report = &decision.overrides[0];
    assert_eq!(report.by, Some(AccountRef::of_login("lead")));
    assert_eq!(report.ticket.as_deref(), Some("INC-482"));
    assert_eq!(report.text, REASON);
    assert_eq!(report.expires, Some(at("2026-06-01T15:00:00Z")));
}

#[test]
fn a_member_of_an_allowed_team_may_and_the_id_is_as_good_as_the_code() {
    let (state, why) = judged(|_, facts| {
        let comment = comment_of(facts);
        comment.author = Some(Account::human("sec"));
        comment.body = format!("/ccgate override first-thing-done INC-1 {REASON}");
    });
    assert_eq!(state, OverrideState::Accepted, "{why}");
}

#[test]
fn an_unknown_verdict_can_be_overridden_and_a_passing_one_needs_none() {
    let policy = policy(vec![control(&FIRST, unknown())]);
    let seen = decision(&policy, &with(vec![command()]));
    assert_eq!(seen.controls[0].disposition, Some(Disposition::Overridden));
    let (state, _) = written(&format!("/ccgate override TST-02 INC-1 {REASON}"));
    assert_eq!(state, OverrideState::Unmatched);
}

#[test]
fn an_edited_comment_does_not_count_nor_one_that_may_have_been() {
    refuses(
        |_, facts| comment_of(facts).edited = Fact::known_without_source(true),
        "edited",
    );
    refuses(
        |_, facts| comment_of(facts).edited = hidden(),
        "cannot be told",
    );
}

#[test]
fn only_a_known_person_counts() {
    refuses(|_, facts| comment_of(facts).author = None, "gone");
    refuses(
        |_, facts| comment_of(facts).author = Some(Account::bot("lead")),
        "not known to be a person",
    );
    refuses(
        |_, facts| {
            comment_of(facts).author = Some(Account {
                login: "lead".to_owned(),
                kind: AccountKind::Other("mannequin".to_owned()),
                id: None,
            });
        },
        "not known to be a person",
    );
    refuses(
        |_, facts| comment_of(facts).author = Some(Account::human("lead").untold()),
        "the platform did not tell",
    );
}

#[test]
fn only_those_whom_the_policy_names_may() {
    leaves_to_others(
        |_, facts| comment_of(facts).author = Some(Account::human("eve")),
        "not among those",
    );
    refuses(|policy, _| policy.overrides.allowed_by.clear(), "nobody");
    leaves_to_others(
        |_, facts| {
            comment_of(facts).author = Some(Account::human("sec"));
            value_of(&mut facts.override_people).members[0].1 = hidden();
        },
        "could not see whether @sec is in @acme/security",
    );
}

#[test]
fn nobody_who_had_a_hand_in_the_change_may() {
    leaves_to_others(
        |_, facts| value_of(&mut facts.identity).author = Some(Account::human("LEAD")),
        "opened the change",
    );
    leaves_to_others(
        |_, facts| value_of(&mut facts.commits)[0].author = person("lead"),
        "wrote commit",
    );
    leaves_to_others(
        |_, facts| value_of(&mut facts.commits)[0].committer = person("lead"),
        "committed commit",
    );
    leaves_to_others(
        |_, facts| value_of(&mut facts.commits)[0].co_authors = vec![person("lead")],
        "co-author",
    );
    leaves_to_others(
        |_, facts| {
            value_of(&mut facts.pushes).push(Push {
                kind: PushKind::ForcePush,
                at: at("2026-06-01T09:00:00Z"),
                actor: Fact::known_without_source(Some(Account::human("lead"))),
                before: None,
                after: None,
            });
        },
        "pushed to the change",
    );
    leaves_to_others(
        |_, facts| {
            value_of(&mut facts.override_people).last_pusher =
                Fact::known_without_source(Account::human("lead"));
        },
        "pushed last",
    );
}

#[test]
fn whoever_cannot_be_told_might_be_the_same_person() {
    leaves_to_others(|_, facts| facts.identity = hidden(), "who opened it");
    leaves_to_others(
        |_, facts| value_of(&mut facts.identity).author = None,
        "the account is gone",
    );
    leaves_to_others(|_, facts| facts.commits = hidden(), "none of the commits");
    leaves_to_others(
        |_, facts| value_of(&mut facts.commits).clear(),
        "do not include the head",
    );
    leaves_to_others(
        |_, facts| {
            value_of(&mut facts.commits)[0].author.account = Fact::known_without_source(None);
        },
        "belongs to no account",
    );
    leaves_to_others(
        |_, facts| value_of(&mut facts.commits)[0].committer.account = hidden(),
        "had no hand in commit",
    );
    leaves_to_others(|_, facts| facts.pushes = hidden(), "who pushed");
    leaves_to_others(
        |_, facts| value_of(&mut facts.override_people).last_pusher = hidden(),
        "who pushed last",
    );
    refuses(
        |_, facts| facts.override_people = hidden(),
        "given for this head",
    );
}

#[test]
fn ticket_and_reason_are_what_the_policy_wants() {
    for (body, expected) in [
        ("/ccgate override", "no control"),
        ("/ccgate override TST-77 INC-1 x", "no control `TST-77`"),
        ("/ccgate override TST-01", "no ticket"),
        (
            "/ccgate override TST-01 because it has to go out",
            "does not match",
        ),
        (
            "/ccgate override TST-01 xINC-1 because it has to go out",
            "does not match",
        ),
        ("/ccgate override TST-01 INC-1 urgent", "has 6 characters"),
        (
            "/ccgate override TST-01 INC-1 \u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
            "has 0 characters",
        ),
    ] {
        let (state, why) = written(body);
        assert_eq!(state, OverrideState::Refused, "{body}");
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn a_new_push_voids_it() {
    for since in ["2026-06-01T11:00:00Z", "2026-06-01T11:30:00Z"] {
        let (state, _) = judged(|_, facts| {
            value_of(&mut facts.override_people).head_since = Fact::known_without_source(at(since));
        });
        assert_eq!(state, OverrideState::Void);
    }
    refuses(
        |_, facts| value_of(&mut facts.override_people).head_since = hidden(),
        "given for this head",
    );
    leaves_to_others(
        |_, facts| value_of(&mut facts.identity).head = "0".repeat(40),
        "no longer the one",
    );
}

#[test]
fn it_ends_by_the_later_of_two_clocks() {
    let late = at("2026-06-01T15:00:01Z");
    let (state, _) = judged(|_, facts| facts.observed_at = late);
    assert_eq!(state, OverrideState::Expired);
    let (state, _) = judged(|_, facts| {
        facts.platform_time = Fact::known_without_source(late);
    });
    assert_eq!(state, OverrideState::Expired);
    refuses(
        |_, facts| {
            facts.observed_at = at("2026-06-01T10:44:00Z");
            facts.platform_time = hidden();
        },
        "later than now",
    );
}

#[test]
fn a_revocation_ends_it_edited_or_not_but_not_by_just_anybody() {
    let revoke = |login: &str| {
        let mut revocation = comment(
            "902",
            login,
            "2026-06-01T11:10:00Z",
            "/ccgate revoke TST-01",
        );
        revocation.edited = hidden();
        revocation
    };
    let seen = |login: &str| {
        let facts = with(vec![command(), revoke(login)]);
        decision(&failing(), &facts).overrides[0].why.clone()
    };
    assert_eq!(seen("sec"), "revoked by @sec");
    assert_eq!(seen("lead"), "revoked by @lead");
    assert!(!seen("tom").contains("revoked"));
    // Of whom nothing is told nothing is opened, and what they close is closed.
    let mut untold = revoke("sec");
    untold.author = untold.author.map(Account::untold);
    let facts = with(vec![command(), untold]);
    let judged = decision(&failing(), &facts);
    assert_eq!(judged.overrides[0].why, "revoked by @sec");
}

#[test]
fn every_command_is_reported_and_a_quoted_one_is_none() {
    let mut quoted = command();
    quoted.id = "903".to_owned();
    quoted.body = format!("> {}", quoted.body);
    let mut again = command();
    again.id = "902".to_owned();
    let facts = with(vec![quoted.clone(), again, command()]);
    assert_eq!(decision(&failing(), &facts).overrides.len(), 2);
    assert!(has_override_command(&facts));
    assert!(!has_override_command(&with(vec![quoted])));
    let mut unseen = facts;
    unseen.comments = hidden();
    assert!(!has_override_command(&unseen));
}

#[test]
fn only_teams_are_looked_up() {
    assert_eq!(teams_to_look_up(&failing()), ["@acme/security"]);
}

#[test]
fn a_shorter_term_is_kept_and_a_longer_or_unreadable_one_refused_not_cut() {
    let with_term = |term: &str| written(&format!("/ccgate override TST-01 INC-1 {term} {REASON}"));
    assert_eq!(with_term("expires:61m").0, OverrideState::Accepted);
    assert_eq!(with_term("expires:4h").0, OverrideState::Accepted);
    let (state, why) = with_term("expires:59m");
    assert_eq!(state, OverrideState::Expired, "{why}");
    for (term, expected) in [
        ("expires:241m", "longer than the policy lets"),
        ("expires:1w", "longer than the policy lets"),
        ("expires:0h", "no time span"),
        ("expires:", "no time span"),
        ("expires:-1h", "no time span"),
        ("expires:99999999999999999999h", "no time span"),
        ("expires:1h expires:4h", "more than once"),
    ] {
        let (state, why) = with_term(term);
        assert_eq!(state, OverrideState::Refused, "{term}");
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn what_the_policy_or_the_gate_itself_keeps_out_is_not_overridden() {
    refuses(
        |policy, _| policy.overrides.never.push("first-thing-done".to_owned()),
        "`overrides.never`",
    );
    let policy = policy(vec![control(&ABOUT_THE_GATE, fail())]);
    let mut asked = command();
    asked.body = format!("/ccgate override CHG-16 INC-1 {REASON}");
    let decision = decision(&policy, &with(vec![asked]));
    assert_eq!(decision.outcome, Outcome::Block);
    assert!(decision.overrides[0].why.contains("the gate itself"));
    assert_eq!(decision.never_overridden, ["CHG-16"]);
    for code in NOT_OVERRIDABLE {
        assert!(crate::controls::find(code).is_some(), "{code}");
    }
}

/// One after the other, each for an hour: the second does not go on where the first ended.
#[test]
fn asking_again_on_the_same_head_makes_nothing_longer_unless_somebody_else_approves() {
    let hour = |id: &str, when: &str| {
        let body = format!("/ccgate override TST-01 INC-1 expires:1h {REASON}");
        comment(id, "lead", when, &body)
    };
    let again = || hour("902", "2026-06-01T11:55:00Z");
    let seen = |comments: Vec<Comment>| {
        let decision = decision(&failing(), &with(comments));
        let report = decision.overrides.last().expect("it is there").clone();
        (report, decision.outcome)
    };
    let first = hour("901", "2026-06-01T10:30:00Z");
    let (report, outcome) = seen(vec![first.clone(), again()]);
    assert_eq!(report.state, OverrideState::Requested, "{}", report.why);
    assert!(report.why.contains("asked for TST-01 on this head before"));
    assert_eq!(outcome, Outcome::Block);

    // Edited away, revoked, or without its form by now: it was there.
    let mut edited = first.clone();
    edited.body = "/ccgate override TST-01".to_owned();
    edited.edited = Fact::known_without_source(true);
    let revoked = comment(
        "903",
        "sec",
        "2026-06-01T11:00:00Z",
        "/ccgate revoke TST-01",
    );
    for before in [vec![edited], vec![first.clone(), revoked]] {
        let mut comments = before;
        comments.push(again());
        let decision = decision(&failing(), &with(comments));
        assert_eq!(decision.outcome, Outcome::Block);
    }

    // With somebody else's approval it is a new one, and the old one stays over.
    let id = override_id(&facts().subject, "902", &facts().subject.head);
    let words = format!("/ccgate approve {id}");
    let approval = comment("904", "sec", "2026-06-01T11:56:00Z", &words);
    let decision = decision(&failing(), &with(vec![first.clone(), again(), approval]));
    let states: Vec<_> = decision.overrides.iter().map(|one| one.state).collect();
    assert_eq!(states, [OverrideState::Expired, OverrideState::Accepted]);

    // A slip of the pen before is no override before, nor is one of an older head.
    let mut slip = first.clone();
    slip.body = "/ccgate override TST-01 INC-1 urgent".to_owned();
    assert_eq!(seen(vec![slip, again()]).0.state, OverrideState::Accepted);
    let older = hour("901", "2026-06-01T09:30:00Z");
    assert_eq!(seen(vec![older, again()]).0.state, OverrideState::Accepted);
}

#[test]
fn more_overrides_on_one_change_than_the_policy_lets_are_refused_and_so_is_what_nobody_counted() {
    let registered = |id: &str, code: &str, change: u64| crate::facts::RegisteredOverride {
        id: id.to_owned(),
        breach: false,
        controls: vec![code.to_owned()],
        change: Some(change),
        head: "0d".repeat(20),
        requester: None,
        approver: None,
        givers: Vec::new(),
        approved_apart: false,
        involved: None,
        given_at: None,
        expires_at: None,
        evaluated_again: None,
        request_signature: None,
        approval_signature: None,
        review_due: None,
        reviewer: None,
        reviewed_at: None,
    };
    let after = |overrides: Vec<crate::facts::RegisteredOverride>| {
        judged(|policy, facts| {
            policy.overrides.max_uses = Some(1);
            assert!(wants_register(policy, facts));
            facts.override_register = Fact::known_without_source(crate::facts::OverrideRegister {
                origin: "ccgate/github/acme/app".to_owned(),
                records: 9,
                overrides,
                landed: Vec::new(),
            });
        })
    };
    assert_eq!(after(Vec::new()).0, OverrideState::Accepted);
    // Another change, another control, and the same one that is on record already.
    let this = override_id(&facts().subject, "901", &facts().subject.head);
    let others = vec![
        registered("ovr_1", "TST-01", 8),
        registered("ovr_2", "TST-02", 7),
        registered(&this, "TST-01", 7),
    ];
    assert_eq!(after(others).0, OverrideState::Accepted);
    let (state, why) = after(vec![registered("ovr_1", "TST-01", 7)]);
    assert_eq!(state, OverrideState::Refused);
    assert!(why.contains("as often as the policy lets"), "{why}");
    refuses(
        |policy, _| policy.overrides.max_uses = Some(9),
        "cannot be told how often",
    );
}

#[test]
fn who_asks_for_no_time_gets_four_hours_however_long_the_policy_lets() {
    assert_eq!(expires(24, ""), Some(at("2026-06-01T15:00:00Z")));
    let whole_day = Some(at("2026-06-02T11:00:00Z"));
    assert_eq!(expires(24, "expires:24h "), whole_day);
}

#[test]
fn who_asks_for_no_time_gets_no_more_than_the_policy_lets() {
    assert_eq!(expires(2, ""), Some(at("2026-06-01T13:00:00Z")));
}

/// When an override ends that was asked for at eleven, where the policy lets it hold so many hours.
fn expires(longest: i64, terms: &str) -> Option<jiff::Timestamp> {
    let mut policy = failing();
    policy.overrides.max = jiff::SignedDuration::from_hours(longest);
    let mut asked = command();
    asked.body = format!("/ccgate override TST-01 INC-482 {terms}{REASON}");
    decision(&policy, &with(vec![asked])).overrides[0].expires
}
