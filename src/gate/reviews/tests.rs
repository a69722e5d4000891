//! Each rule of a review, with the trick that it is there for.

use super::*;
use crate::facts::Fact;
use crate::gate::testing::{
    FIRST, SECOND, at, command, comment, control, decision, facts, fail, pass, policy,
    record_context,
};
use crate::gate::{REVIEW_RECORD_TYPE, RecordContext, records};

/// The decision about a change with an override, and this said of it by that person.
fn with(login: &str, words: &str, change: impl FnOnce(&mut Comment)) -> super::super::Decision {
    let policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    let mut facts = facts();
    let id = override_id(&facts.subject, "901", &facts.subject.head);
    let body = format!("/ccgate review {}", words.replace("ID", &id));
    let mut review = comment("902", login, "2026-06-01T11:30:00Z", &body);
    change(&mut review);
    facts.comments = Fact::known_without_source(vec![command(), review]);
    decision(&policy, &facts)
}

fn refusal(login: &str, words: &str, change: impl FnOnce(&mut Comment)) -> Option<String> {
    let decision = with(login, words, change);
    assert_eq!(decision.reviews.len(), 1);
    decision.reviews[0].refused.clone()
}

fn refuses(login: &str, words: &str, expected: &str) {
    let why = refusal(login, words, |_| {}).unwrap_or_default();
    assert!(why.contains(expected), "{why}");
}

#[test]
fn somebody_else_who_may_override_reviews() {
    for words in ["ID ratified", "ID reverted by #43", "ID follow_up ENG-7"] {
        assert_eq!(refusal("sec", words, |_| {}), None, "{words}");
    }
    let decision = with("sec", "ID ratified", |_| {});
    let due = decision.overrides[0].review_due;
    // A Monday: one business day later.
    assert_eq!(due, Some(at("2026-06-02T11:00:00Z")));
}

#[test]
fn whoever_gave_it_or_had_a_hand_in_the_change_or_may_not_override_does_not() {
    refuses("lead", "ID ratified", "gave the override");
    refuses("LEAD", "ID ratified", "gave the override");
    refuses("tom", "ID ratified", "not among those who may override");
    refuses(
        "stranger",
        "ID ratified",
        "not among those who may override",
    );
}

/// An override that is over names nobody who approved it, and it has an id at each head that the
/// change had: the review may name it by another one than the approval did.
#[test]
fn whoever_approved_an_override_that_is_over_does_not_review_it() {
    let policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    let refused = |approver: Option<&str>, earlier: bool| {
        let mut facts = facts();
        let mut commits = facts.commits.known().expect("its commits").clone();
        let mut first = commits[0].clone();
        first.sha = "f".repeat(40);
        commits.insert(0, first);
        facts.commits = Fact::known_without_source(commits);
        let other = override_id(&facts.subject, "901", &"f".repeat(40));
        let id = override_id(&facts.subject, "901", &facts.subject.head);
        let said = |number: &str, login: &str, at: &str, words: &str| {
            comment(number, login, at, &format!("/ccgate {words} {id}"))
        };
        let review = comment(
            "903",
            "sec",
            "2026-06-03T11:30:00Z",
            &format!(
                "/ccgate review {} ratified",
                if earlier { &other } else { &id }
            ),
        );
        let approval = approver.map(|login| said("902", login, "2026-06-01T11:10:00Z", "approve"));
        let all = [Some(command()), approval, Some(review)];
        facts.comments = Fact::known_without_source(all.into_iter().flatten().collect());
        facts.observed_at = at("2026-06-03T12:00:00Z");
        let decision = decision(&policy, &facts);
        assert!(decision.overrides[0].approval.is_none());
        decision.reviews[0].refused.clone()
    };
    for earlier in [false, true] {
        assert_eq!(refused(None, earlier), None);
        assert_eq!(refused(Some("other"), earlier), None);
        let why = refused(Some("sec"), earlier).unwrap_or_default();
        assert!(why.contains("approved the override"), "{why}");
    }
}

#[test]
fn an_edited_early_nameless_or_machine_made_review_does_not_count() {
    let why = |change: fn(&mut Comment)| refusal("sec", "ID ratified", change).unwrap_or_default();
    assert!(why(|it| it.edited = Fact::known_without_source(true)).contains("edited"));
    let hidden = || crate::facts::Unknown::not_collected("x");
    let unknown = refusal("sec", "ID ratified", |it| {
        it.edited = Fact::Unknown(hidden());
    });
    assert!(unknown.unwrap_or_default().contains("cannot be told"));
    assert!(why(|it| it.created_at = at("2026-06-01T11:00:00Z")).contains("before the override"));
    assert!(why(|it| it.author = None).contains("gone"));
    let bot = refusal("sec", "ID ratified", |it| {
        if let Some(author) = &mut it.author {
            author.kind = crate::facts::AccountKind::Bot;
        }
    });
    assert!(bot.unwrap_or_default().contains("person"));
}

#[test]
fn an_outcome_that_leaves_something_to_do_says_what() {
    refuses("sec", "ID fine", "none of ratified, reverted, follow_up");
    refuses("sec", "ID", "none of ratified");
    refuses("sec", "ID reverted", "by what");
    refuses("sec", "ID follow_up \u{200b}", "by what");
    refuses("sec", "ovr_0 ratified", "no override of that id");
    refuses("sec", "", "no override of that id");
}

/// What is written about a review does not hang on when it is looked at.
#[test]
fn a_review_that_counts_is_one_record_however_often_it_is_seen() {
    let context = |version: &str| RecordContext {
        version: version.to_owned(),
        snapshot_digest: Some(version.to_owned()),
        review_within: Some("1 business day".to_owned()),
        ..record_context()
    };
    let mut decision = with("sec", "ID follow_up ENG-7", |_| {});
    let reviews = |decision: &super::super::Decision, version: &str| {
        let all = records(decision, &context(version));
        let of_reviews = all
            .into_iter()
            .filter(|record| record["predicateType"] == REVIEW_RECORD_TYPE);
        of_reviews.collect::<Vec<_>>()
    };
    let first = reviews(&decision, "1");
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["predicate"]["outcome"], "follow_up");
    assert_eq!(first[0]["predicate"]["reviewer"]["login"], "sec");
    decision.observed_at = at("2026-07-01T00:00:00Z");
    assert_eq!(reviews(&decision, "2"), first);
    let refused = with("lead", "ID ratified", |_| {});
    assert!(reviews(&refused, "1").is_empty());
}

/// The decision about a review of a breach that @tom pushed, of which the ledger tells.
fn breach(
    login: &str,
    change: impl FnOnce(&mut Fact<crate::facts::OverrideRegister>, &mut Comment),
) -> Option<String> {
    let policy = policy(vec![control(&FIRST, pass())]);
    let mut facts = facts();
    let mut register = Fact::known_without_source(crate::facts::OverrideRegister {
        origin: "ccgate/github/acme/app".to_owned(),
        records: 1,
        overrides: vec![crate::facts::RegisteredOverride {
            id: "byp_1".to_owned(),
            breach: true,
            controls: vec!["CHG-21".to_owned()],
            change: None,
            head: "a1".repeat(20),
            requester: None,
            approver: None,
            givers: Vec::new(),
            approved_apart: false,
            involved: Some(vec![crate::facts::AccountRef::of_login("lead")]),
            given_at: Some(at("2026-06-01T09:00:00Z")),
            expires_at: None,
            evaluated_again: None,
            request_signature: None,
            approval_signature: None,
            review_due: None,
            reviewer: None,
            reviewed_at: None,
        }],
        landed: Vec::new(),
    });
    let mut review = comment(
        "902",
        login,
        "2026-06-01T11:30:00Z",
        "/ccgate review byp_1 reverted by #43",
    );
    change(&mut register, &mut review);
    facts.comments = Fact::known_without_source(vec![review]);
    facts.override_register = register;
    assert!(crate::gate::wants_register(&policy, &facts));
    decision(&policy, &facts).reviews[0].refused.clone()
}

#[test]
fn a_breach_is_reviewed_by_somebody_who_neither_pushed_nor_merged_it() {
    assert_eq!(breach("sec", |_, _| {}), None);
    let why = |login: &str| breach(login, |_, _| {}).unwrap_or_default();
    assert!(why("LEAD").contains("pushed or merged it"));
    assert!(why("tom").contains("not among those"));
    let of = |change: fn(&mut crate::facts::RegisteredOverride)| {
        breach("sec", |register, _| {
            if let Fact::Known { value, .. } = register {
                change(&mut value.overrides[0]);
            }
        })
        .unwrap_or_default()
    };
    assert!(of(|one| one.involved = None).contains("does not name everybody"));
    assert!(of(|one| one.given_at = None).contains("when the breach was found"));
    assert!(
        of(|one| one.given_at = Some(at("2026-06-01T11:30:00Z"))).contains("before the breach")
    );
    assert!(of(|one| one.breach = false).contains("no breach of that id"));
    let unseen = breach("sec", |register, _| {
        *register = Fact::Unknown(crate::facts::Unknown::not_collected("ledger.overrides"));
    });
    assert!(unseen.unwrap_or_default().contains("what breach that is"));
    let edited = breach("sec", |_, review| {
        review.edited = Fact::known_without_source(true)
    });
    assert!(edited.unwrap_or_default().contains("edited"));
}
