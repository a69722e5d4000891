//! CHG-08: what gives an agent away, and whose approval counts then.

use super::*;
use crate::controls::testing::{
    approval, commit, head, hidden, identity, person, reviewed, seen, stale, verdict_of,
};
use crate::facts::Review;
use serde_json::json;

/// A change by an agent's own account.
fn by_bot(reviews: Vec<Review>) -> Snapshot {
    let mut facts = reviewed(reviews);
    let mut opened = identity("coder[bot]");
    opened.author = Some(Account::bot("coder[bot]"));
    facts.identity = seen(opened);
    let mut written = commit(head(), "coder[bot]");
    written.author.account = seen(Some(Account::bot("coder[bot]")));
    written.committer = written.author.clone();
    facts.commits = seen(vec![written]);
    facts
}

fn default(facts: &Snapshot) -> String {
    verdict_of(&AgentChangesApproved::default(), facts)
}

#[test]
fn an_agents_change_needs_a_persons_approval_of_the_head() {
    assert_eq!(default(&by_bot(vec![approval("bob")])), "pass");
    assert_eq!(default(&by_bot(Vec::new())), "fail pending");
    assert_eq!(default(&by_bot(vec![stale("bob")])), "fail pending");
}

#[test]
fn one_agents_approval_is_worth_nothing_for_another() {
    let bot = Review {
        reviewer: Some(Account::bot("reviewer[bot]")),
        ..approval("x")
    };
    assert_eq!(default(&by_bot(vec![bot])), "fail pending");
    let named: AgentChangesApproved =
        serde_json::from_value(json!({"logins": ["*-agent"]})).unwrap();
    let disguised = by_bot(vec![approval("review-Agent")]);
    assert_eq!(verdict_of(&named, &disguised), "fail pending");
    assert_eq!(default(&disguised), "pass", "nobody knows that account");
}

#[test]
fn the_policy_says_how_many_people_are_needed() {
    let two: AgentChangesApproved = serde_json::from_value(json!({"min": 2})).unwrap();
    assert_eq!(
        verdict_of(&two, &by_bot(vec![approval("bob")])),
        "fail pending"
    );
    let both = by_bot(vec![approval("bob"), approval("li")]);
    assert_eq!(verdict_of(&two, &both), "pass");
    assert!(AgentChangesApproved::default().weaker_than(&two).is_some());
}

#[test]
fn the_person_who_drove_the_agent_cannot_approve() {
    let mut facts = by_bot(vec![approval("bob")]);
    let mut driven = facts.commits.known().unwrap().clone();
    driven[0].co_authors = vec![person("bob")];
    facts.commits = seen(driven);
    assert_eq!(default(&facts), "fail pending");
}

#[test]
fn a_login_a_name_and_a_trailer_give_an_agent_away() {
    let control: AgentChangesApproved = serde_json::from_value(
        json!({"logins": ["ana"], "names": ["*@agents.test"], "trailers": ["Made-with"]}),
    )
    .unwrap();
    let mut by_login = reviewed(Vec::new());
    assert_eq!(verdict_of(&control, &by_login), "fail pending");
    by_login.identity = seen(identity("tom"));
    by_login.commits = seen(vec![commit(head(), "tom")]);
    assert_eq!(verdict_of(&control, &by_login), "not_applicable");
    let mut named = commit(head(), "tom");
    named.author.email = "Coder@Agents.test".to_owned();
    by_login.commits = seen(vec![named]);
    assert_eq!(verdict_of(&control, &by_login), "fail pending");
    let mut told = commit(head(), "tom");
    told.message = "Do it\n\nmade-with: a tool".to_owned();
    by_login.commits = seen(vec![told]);
    assert_eq!(verdict_of(&control, &by_login), "fail pending");
}

#[test]
fn a_change_by_people_is_none_of_its_business_and_somebody_hidden_may_be_an_agent() {
    let mut facts = reviewed(vec![approval("bob")]);
    assert_eq!(default(&facts), "not_applicable");
    facts.commits = hidden();
    assert_eq!(default(&facts), "unknown");
    let mut facts = reviewed(vec![approval("bob")]);
    let mut unnamed = commit(head(), "ana");
    unnamed.co_authors = vec![Person {
        account: seen(None),
        ..person("x")
    }];
    facts.commits = seen(vec![unnamed]);
    assert_eq!(default(&facts), "unknown");
}

#[test]
fn a_committer_that_is_the_platform_is_no_agent_and_an_odd_kind_is_one() {
    let with = |kind: AccountKind| {
        let mut facts = reviewed(Vec::new());
        let mut written = commit(head(), "ana");
        written.committer.account = seen(Some(Account {
            login: "x".to_owned(),
            kind,
            id: None,
        }));
        facts.commits = seen(vec![written]);
        facts
    };
    assert_eq!(default(&with(AccountKind::Platform)), "not_applicable");
    assert_eq!(
        default(&with(AccountKind::Other("Mannequin".to_owned()))),
        "fail pending"
    );
}

#[test]
fn hidden_reviews_are_unknown() {
    let mut facts = by_bot(vec![approval("bob")]);
    facts.reviews = hidden();
    assert_eq!(default(&facts), "unknown");
}

#[test]
fn whoever_knows_fewer_agents_is_weaker() {
    let base: AgentChangesApproved =
        serde_json::from_value(json!({"logins": ["*-agent"], "names": ["*@agents.test"]})).unwrap();
    assert!(AgentChangesApproved::default().weaker_than(&base).is_some());
    assert_eq!(base.weaker_than(&AgentChangesApproved::default()), None);
    let none: AgentChangesApproved = serde_json::from_value(json!({"trailers": []})).unwrap();
    assert!(none.weaker_than(&AgentChangesApproved::default()).is_some());
}
