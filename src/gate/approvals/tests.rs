//! Each rule of an approval, with the trick that it is there for.

use super::super::Decision;
use super::*;
use crate::facts::{Account, AccountKind, Fact, Push, PushKind, Snapshot, Unknown};
use crate::gate::testing::{
    FIRST, REASON, SECOND, at, comment, control, decision, facts, fail, pass, person, policy,
    record_context,
};
use crate::gate::{OVERRIDE_RECORD_TYPE, Outcome, records};

const ASKED_AT: &str = "2026-06-01T11:00:00Z";
const APPROVED_AT: &str = "2026-06-01T11:30:00Z";

/// What @tom, who wrote the change, asks for.
fn request() -> Comment {
    comment(
        "901",
        "tom",
        ASKED_AT,
        &format!("/ccgate override TST-01 INC-482 {REASON}"),
    )
}

fn id(facts: &Snapshot) -> String {
    override_id(&facts.subject, "901", &facts.subject.head)
}

/// The decision about a request of @tom and an approval by that person, after the case has
/// changed policy, facts and the two comments.
fn with(
    login: &str,
    change: impl FnOnce(&mut Policy, &mut Snapshot, &mut Comment, &mut Comment),
) -> Decision {
    let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    let mut facts = facts();
    let mut asked = request();
    let words = format!("/ccgate approve {}", id(&facts));
    let mut approval = comment("902", login, APPROVED_AT, &words);
    change(&mut policy, &mut facts, &mut asked, &mut approval);
    facts.comments = Fact::known_without_source(vec![asked, approval]);
    decision(&policy, &facts)
}

fn refuses(
    login: &str,
    change: impl FnOnce(&mut Policy, &mut Snapshot, &mut Comment, &mut Comment),
    expected: &str,
) {
    let decision = with(login, change);
    let why = decision.approvals[0].refused.clone().unwrap_or_default();
    assert!(why.contains(expected), "{why}");
    assert_eq!(decision.outcome, Outcome::Block, "{why}");
    assert_ne!(decision.overrides[0].state, OverrideState::Accepted);
    assert_eq!(decision.overrides[0].approval, None);
}

fn hidden<T>() -> Fact<T> {
    Fact::Unknown(Unknown::not_collected("test.hidden"))
}

fn value_of<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known { value, .. } => value,
        Fact::Unknown(_) => panic!("the case has this fact"),
    }
}

#[test]
fn whoever_wrote_the_change_asks_and_somebody_else_approves() {
    let decision = with("sec", |_, _, _, _| {});
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.approvals[0].refused, None);
    let report = &decision.overrides[0];
    assert_eq!(report.state, OverrideState::Accepted, "{}", report.why);
    assert_eq!(report.by, Some(AccountRef::of_login("tom")));
    assert_eq!(report.given_by(), Some(&AccountRef::of_login("sec")));
    // The term runs from the request, not from the approval.
    assert_eq!(report.expires, Some(at("2026-06-01T15:00:00Z")));
}

/// The number decides who is who: a new name makes no second person, and a name that was
/// taken over is no proof that there are two.
#[test]
fn who_renamed_the_account_or_took_over_a_name_approves_nothing_of_their_own() {
    let numbered = |login: &str, id: u64| Some(Account::human(login).numbered(Some(id)));
    refuses(
        "lead",
        |_, _, asked, approval| {
            asked.author = numbered("tom", 7);
            approval.author = numbered("lead", 7);
        },
        "asked for the override, as @tom: it is the same account under another name",
    );
    refuses(
        "lead",
        |policy, _, asked, approval| {
            policy.overrides.second_person = true;
            asked.author = numbered("lead", 7);
            approval.author = numbered("lead", 9);
        },
        "another number: it cannot be told who is who",
    );
    refuses(
        "lead",
        |_, facts, _, approval| {
            value_of(&mut facts.identity).author = numbered("old-lead", 5);
            approval.author = numbered("lead", 5);
        },
        "opened the change, as @old-lead",
    );
    refuses(
        "lead",
        |_, facts, _, approval| {
            value_of(&mut facts.commits)[0].co_authors = vec![crate::facts::Person {
                account: Fact::known_without_source(numbered("old-lead", 5)),
                ..person("old-lead")
            }];
            approval.author = numbered("lead", 5);
        },
        "co-author",
    );
    // Different numbers and names are different people, whatever else is known of them.
    let decision = with("sec", |_, _, asked, approval| {
        asked.author = numbered("tom", 7);
        approval.author = numbered("sec", 9);
    });
    assert_eq!(decision.outcome, Outcome::Allow);
    let records = records(&decision, &record_context());
    let given = records
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .unwrap();
    assert_eq!(given["predicate"]["requester"]["id"], 7);
    assert_eq!(given["predicate"]["approver"]["id"], 9);
    let told = &records[0]["predicate"]["overrides"][0];
    assert_eq!(
        (&told["by_id"], &told["approved_by_id"]),
        (&7.into(), &9.into())
    );
}

#[test]
fn until_somebody_approves_it_stays_requested_and_the_gate_closed() {
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![request()]);
    let policy = policy(vec![control(&FIRST, fail())]);
    let decision = decision(&policy, &facts);
    assert_eq!(decision.outcome, Outcome::Block);
    let report = &decision.overrides[0];
    assert_eq!(report.state, OverrideState::Requested);
    let command = format!("/ccgate approve {}", id(&facts));
    assert!(report.why.contains(&command), "{}", report.why);
}

#[test]
fn nobody_approves_what_they_asked_for_or_had_a_hand_in() {
    refuses("tom", |_, _, _, _| {}, "asked for the override");
    refuses(
        "lead",
        |policy, _, asked, _| {
            policy.overrides.second_person = true;
            asked.author = Some(Account::human("Lead"));
        },
        "asked for the override",
    );
    refuses(
        "lead",
        |_, facts, _, _| value_of(&mut facts.identity).author = Some(Account::human("lead")),
        "opened the change",
    );
    for (put, expected) in [
        (
            (|commit| commit.author = person("lead")) as fn(&mut crate::facts::Commit),
            "wrote commit",
        ),
        (|commit| commit.committer = person("lead"), "committed"),
        (
            |commit| commit.co_authors = vec![person("lead")],
            "co-author",
        ),
    ] {
        refuses(
            "lead",
            |_, facts, _, _| put(&mut value_of(&mut facts.commits)[0]),
            expected,
        );
    }
    refuses(
        "lead",
        |_, facts, _, _| {
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
    refuses(
        "lead",
        |_, facts, _, _| {
            value_of(&mut facts.override_people).last_pusher =
                Fact::known_without_source(Account::human("lead"));
        },
        "pushed last",
    );
}

#[test]
fn whoever_cannot_be_told_might_be_the_same_person() {
    refuses(
        "lead",
        |_, facts, _, _| facts.identity = hidden(),
        "who opened",
    );
    refuses(
        "lead",
        |_, facts, _, _| facts.commits = hidden(),
        "none of the",
    );
    refuses(
        "lead",
        |_, facts, _, _| facts.pushes = hidden(),
        "who pushed",
    );
    refuses("lead", |_, _, asked, _| asked.author = None, "is refused");
    refuses("lead", |_, _, _, given| given.author = None, "gone");
}

#[test]
fn only_a_person_whom_the_policy_names_approves_and_no_lookalike() {
    for login in ["eve", "le\u{430}d", "lead2", "1ead", "lead-"] {
        refuses(login, |_, _, _, _| {}, "not among those who may override");
    }
    for kind in [AccountKind::Bot, AccountKind::Other("ghost".to_owned())] {
        refuses(
            "lead",
            |_, _, _, given| {
                given.author = Some(Account {
                    kind,
                    ..Account::human("lead")
                });
            },
            "not known to be a person",
        );
    }
    refuses(
        "sec",
        |_, facts, _, _| value_of(&mut facts.override_people).members[0].1 = hidden(),
        "could not see whether @sec is in",
    );
}

#[test]
fn neither_request_nor_approval_may_have_been_edited() {
    for edited in [Fact::known_without_source(true), hidden()] {
        let other = edited.clone();
        refuses("sec", |_, _, _, given| given.edited = edited, "edited");
        refuses("sec", |_, _, asked, _| asked.edited = other, "edited");
    }
}

#[test]
fn an_approval_comes_after_the_request_and_before_its_end() {
    for early in [ASKED_AT, "2026-06-01T10:59:00Z"] {
        refuses(
            "sec",
            |_, _, _, given| given.created_at = at(early),
            "before the override was asked for",
        );
    }
    refuses(
        "sec",
        |_, _, asked, _| asked.body = asked.body.replace("INC-482", "INC-482 expires:29m"),
        "after the override had run out",
    );
    refuses(
        "sec",
        |_, _, _, given| given.created_at = at("2026-06-01T12:15:01Z"),
        "later than now",
    );
}

#[test]
fn an_approval_is_for_one_override_on_one_head() {
    let other = "0d".repeat(20);
    let of_older = |facts: &Snapshot| override_id(&facts.subject, "901", &other);
    refuses(
        "sec",
        |_, facts, _, given| {
            given.body = format!("/ccgate approve {}", of_older(facts));
            value_of(&mut facts.pushes).push(Push {
                kind: PushKind::Push,
                at: at("2026-06-01T10:00:00Z"),
                actor: Fact::known_without_source(Some(Account::human("tom"))),
                before: Some(other.clone()),
                after: Some(facts.subject.head.clone()),
            });
        },
        "for an older head",
    );
    for named in ["", "ovr_0", "TST-01"] {
        refuses(
            "sec",
            |_, _, _, given| given.body = format!("/ccgate approve {named}"),
            "no override of that id",
        );
    }
    // A push after both takes the ground from under them.
    let decision = with("sec", |_, facts, _, _| {
        value_of(&mut facts.override_people).head_since =
            Fact::known_without_source(at("2026-06-01T11:45:00Z"));
    });
    assert_eq!(decision.overrides[0].state, OverrideState::Void);
    assert_eq!(decision.outcome, Outcome::Block);
}

#[test]
fn where_the_policy_wants_a_second_person_nobody_gives_it_alone() {
    let mut policy = policy(vec![control(&FIRST, fail())]);
    policy.overrides.second_person = true;
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![crate::gate::testing::command()]);
    let alone = decision(&policy, &facts);
    assert_eq!(alone.outcome, Outcome::Block);
    assert_eq!(alone.overrides[0].state, OverrideState::Requested);
    let words = format!("/ccgate approve {}", id(&facts));
    value_of(&mut facts.comments).push(comment("902", "sec", APPROVED_AT, &words));
    let approved = decision(&policy, &facts);
    assert_eq!(approved.outcome, Outcome::Allow);
    let by = approved.overrides[0].given_by();
    assert_eq!(by, Some(&AccountRef::of_login("sec")));
}

#[test]
fn neither_who_asked_nor_who_approved_reviews_it_afterwards() {
    let said = |login: &str| {
        let mut policy = policy(vec![control(&FIRST, fail())]);
        for login in ["@third", "@tom"] {
            policy.overrides.allowed_by.push(login.to_owned());
        }
        let mut facts = facts();
        let id = id(&facts);
        let words = |verb: &str, more: &str| format!("/ccgate {verb} {id}{more}");
        facts.comments = Fact::known_without_source(vec![
            request(),
            comment("902", "lead", APPROVED_AT, &words("approve", "")),
            comment(
                "903",
                login,
                "2026-06-01T11:40:00Z",
                &words("review", " ratified"),
            ),
        ]);
        decision(&policy, &facts).reviews[0]
            .refused
            .clone()
            .unwrap_or_default()
    };
    assert_eq!(said("third"), "");
    for login in ["lead", "tom"] {
        assert!(said(login).contains("gave the override"), "{login}");
    }
}

#[test]
fn a_record_says_who_asked_and_who_approved_and_which_attempts_were_refused() {
    let all = records(&with("sec", |_, _, _, _| {}), &record_context());
    assert_eq!(all[1]["predicateType"], OVERRIDE_RECORD_TYPE);
    let given = &all[1]["predicate"];
    assert_eq!(given["requester"]["login"], "tom");
    assert_eq!(given["approver"]["login"], "sec");
    assert_eq!(given["requested_at"]["forge_time"], ASKED_AT);
    assert_eq!(given["approved_at"]["forge_time"], APPROVED_AT);
    assert_eq!(given["approval"], "902");
    let refused = records(&with("tom", |_, _, _, _| {}), &record_context());
    assert_eq!(refused.len(), 1, "what was only asked for is no override");
    let attempt = &refused[0]["predicate"]["overrides"][0];
    assert_eq!(attempt["state"], "requested");
    assert_eq!(attempt["id"], id(&facts()).as_str());
    let approval = &refused[0]["predicate"]["approvals_refused"][0];
    assert_eq!(
        (&approval["by"], &approval["comment"]),
        (&"tom".into(), &"902".into())
    );
}
