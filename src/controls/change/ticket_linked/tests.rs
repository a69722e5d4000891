//! CHG-10: where a ticket may stand, and where it only seems to.

use serde_json::{from_value, json};

use super::TicketLinked;
use crate::controls::control::Control as _;
use crate::controls::testing::{commit, head, hidden, identity, nothing_seen, seen, verdict_of};
use crate::facts::{Identity, Snapshot};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&TicketLinked::default(), facts)
}

fn change(fill: impl FnOnce(&mut Identity)) -> Snapshot {
    let mut facts = nothing_seen();
    let mut seven = identity("ana");
    fill(&mut seven);
    facts.identity = seen(seven);
    facts.commits = seen(vec![commit(head(), "ana")]);
    facts
}

fn of(pattern: &str) -> TicketLinked {
    from_value(json!({ "pattern": pattern })).expect("a pattern")
}

#[test]
fn a_ticket_in_title_description_branch_or_a_link_passes() {
    for facts in [
        change(|seven| seven.title = "ENG-7 Do it".to_owned()),
        change(|seven| seven.body = "Because of ENG-7".to_owned()),
        change(|seven| seven.source_branch = "ana/ENG-7-do-it".to_owned()),
        change(|seven| seven.linked_issues = vec!["#3".to_owned()]),
    ] {
        assert_eq!(verdict(&facts), "pass");
    }
}

#[test]
fn a_ticket_in_a_commit_message_passes() {
    let mut facts = change(|_| {});
    let mut named = commit(head(), "ana");
    named.message = "Do it\n\nRefs: ENG-7".to_owned();
    facts.commits = seen(vec![named]);
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn no_ticket_anywhere_fails() {
    assert_eq!(verdict(&change(|_| {})), "fail");
}

#[test]
fn a_ticket_that_nobody_can_see_is_none() {
    for body in [
        "<!-- ENG-7 -->",
        "text <!-- ENG-7",
        "<!-- a --><!--ENG-7-->",
    ] {
        let facts = change(|seven| seven.body = body.to_owned());
        assert_eq!(verdict(&facts), "fail", "{body}");
    }
    let facts = change(|seven| seven.body = "<!-- template --> ENG-7".to_owned());
    assert_eq!(verdict(&facts), "pass");
}

/// The cut must not glue two halves into a ticket.
#[test]
fn a_comment_in_the_middle_of_a_word_makes_no_ticket() {
    let facts = change(|seven| seven.body = "ENG<!-- x -->-7".to_owned());
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_word_that_only_looks_like_a_ticket_is_none_for_a_pattern_of_ones_own() {
    let facts = change(|seven| seven.title = "Hash with SHA-256".to_owned());
    assert_eq!(verdict_of(&of("(ENG|INC)-[0-9]+"), &facts), "fail");
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn hidden_commits_leave_it_unknown_unless_the_ticket_was_seen() {
    let mut facts = change(|_| {});
    facts.commits = hidden();
    assert_eq!(verdict(&facts), "unknown");
    let mut facts = change(|seven| seven.title = "ENG-7".to_owned());
    facts.commits = hidden();
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn a_hidden_change_leaves_it_unknown() {
    let mut facts = change(|_| {});
    facts.identity = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn another_pattern_counts_as_weaker() {
    assert!(
        of("INC-[0-9]+")
            .weaker_than(&TicketLinked::default())
            .is_some()
    );
    assert!(
        TicketLinked::default()
            .weaker_than(&TicketLinked::default())
            .is_none()
    );
}

#[test]
fn a_ticket_has_to_stand_as_a_word_of_its_own() {
    let titled = |title: &str| {
        let facts = change(|seven| seven.title = title.to_owned());
        verdict_of(&of("(ENG|INC)-[0-9]+"), &facts)
    };
    assert_eq!(titled("XENG-1"), "fail");
    assert_eq!(titled("ENG-1st"), "fail");
    assert_eq!(titled("XENG-1, but see ENG-2"), "pass");
    assert_eq!(titled("(ENG-3)"), "pass");
}
