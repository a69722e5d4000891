//! CHG-11: which tickets account for a change, and which only seem to.

use serde_json::{Value, from_value, json};

use super::TicketAccountable;
use crate::controls::control::{Control as _, Verdict};
use crate::controls::testing::{approval, at, hidden, reviewed, seen, verdict_of};
use crate::facts::{
    FoundTicket, NamedTicket, Requester, Snapshot, Ticket, TicketNaming, Tickets, Tracker,
};

fn of(parameters: Value) -> TicketAccountable {
    from_value(parameters).expect("parameters of CHG-11")
}

/// An open bug that carol asked for.
fn ticket(key: &str) -> Ticket {
    Ticket {
        key: key.to_owned(),
        ticket_type: seen(Some("bug".to_owned())),
        state: seen("open".to_owned()),
        requester: seen(Some(Requester {
            name: "carol".to_owned(),
            is_login: true,
        })),
        created_at: seen(at("2026-05-01T00:00:00Z")),
        closed_at: seen(None),
        url: None,
        exported_at: None,
    }
}

fn named(name: &str, found: FoundTicket) -> NamedTicket {
    NamedTicket {
        name: name.to_owned(),
        found: seen(found),
    }
}

/// The change names `#3` in its title; bob approved.
fn change(tickets: Vec<NamedTicket>) -> Snapshot {
    let mut facts = reviewed(vec![approval("bob")]);
    edit(&mut facts, |it| it.title = "Fix #3".to_owned());
    facts.tickets = seen(Tickets {
        tracker: Tracker::Issues,
        named: tickets,
    });
    facts
}

fn edit(facts: &mut Snapshot, fill: impl FnOnce(&mut crate::facts::Identity)) {
    let mut identity = facts.identity.known().expect("it is known").clone();
    fill(&mut identity);
    facts.identity = seen(identity);
}

fn with(fill: impl FnOnce(&mut Ticket)) -> Snapshot {
    let mut three = ticket("#3");
    fill(&mut three);
    change(vec![named("#3", FoundTicket::Ticket(Box::new(three)))])
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&TicketAccountable::default(), facts)
}

fn summary(parameters: &TicketAccountable, facts: &Snapshot) -> String {
    match parameters.evaluate(facts) {
        Ok(Verdict::Pass(evidence)) => evidence.summary().to_owned(),
        Ok(Verdict::Fail(failure)) => failure.evidence.summary().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_open_ticket_that_exists_passes() {
    assert_eq!(verdict(&with(|_| {})), "pass");
}

#[test]
fn a_change_that_names_no_ticket_fails() {
    let mut facts = with(|_| {});
    edit(&mut facts, |it| it.title = "Fix it".to_owned());
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_ticket_that_nobody_can_see_is_not_named() {
    for body in ["<!-- #3 -->", "text <!-- #3"] {
        let mut facts = with(|_| {});
        edit(&mut facts, |it| {
            it.title = "Fix it".to_owned();
            it.body = body.to_owned();
        });
        assert_eq!(verdict(&facts), "fail", "{body}");
    }
}

#[test]
fn a_ticket_that_does_not_exist_or_is_a_change_fails() {
    for (found, words) in [
        (FoundTicket::Nothing, "does not exist"),
        (FoundTicket::Change, "is a change, not a ticket"),
    ] {
        let facts = change(vec![named("#3", found)]);
        assert_eq!(verdict(&facts), "fail");
        assert!(summary(&TicketAccountable::default(), &facts).contains(words));
    }
}

#[test]
fn a_ticket_that_the_tracker_does_not_show_or_was_not_asked_about_is_unknown() {
    let mut facts = with(|_| {});
    facts.tickets = seen(Tickets {
        tracker: Tracker::Issues,
        named: vec![NamedTicket {
            name: "#3".to_owned(),
            found: hidden(),
        }],
    });
    assert_eq!(verdict(&facts), "unknown");
    facts.tickets = hidden();
    assert_eq!(verdict(&facts), "unknown");
    assert_eq!(verdict(&change(Vec::new())), "unknown");
}

#[test]
fn a_ticket_of_another_tracker_than_the_policys_is_unknown() {
    let mut facts = with(|_| {});
    edit(&mut facts, |it| it.title = "Fix ENG-3".to_owned());
    assert_eq!(
        verdict_of(&of(json!({"tracker": "jira"})), &facts),
        "unknown"
    );
}

#[test]
fn a_ticket_of_another_repository_counts_only_where_the_policy_names_it() {
    let mut facts = change(vec![named(
        "acme/plans#3",
        FoundTicket::Ticket(Box::new(ticket("acme/plans#3"))),
    )]);
    edit(&mut facts, |it| it.title = "Fix acme/plans#3".to_owned());
    assert_eq!(verdict(&facts), "fail");
    let listed = of(json!({"repositories": ["acme/plans"]}));
    assert_eq!(verdict_of(&listed, &facts), "pass");
}

#[test]
fn a_ticket_that_was_moved_or_transferred_fails_and_says_where_it_is() {
    let facts = with(|it| it.key = "acme/other#9".to_owned());
    assert_eq!(verdict(&facts), "fail");
    assert!(summary(&TicketAccountable::default(), &facts).contains("`acme/other#9` now"));
}

#[test]
fn one_good_ticket_is_enough_and_halves_of_two_are_not() {
    let bug = of(json!({"types": ["bug"], "states": ["open"]}));
    let mut open = ticket("#3");
    open.ticket_type = seen(Some("epic".to_owned()));
    let mut closed = ticket("#4");
    closed.state = seen("not_planned".to_owned());
    let two = |three: Ticket, four: Ticket| {
        let mut facts = change(vec![
            named("#3", FoundTicket::Ticket(Box::new(three))),
            named("#4", FoundTicket::Ticket(Box::new(four))),
        ]);
        edit(&mut facts, |it| it.title = "Fix #3 and #4".to_owned());
        facts
    };
    let halves = two(open.clone(), closed);
    assert_eq!(verdict_of(&bug, &halves), "fail");
    let words = summary(&bug, &halves);
    assert!(words.contains("`#3` is of type `epic`"), "{words}");
    assert!(words.contains("`#4` is in state `not_planned`"), "{words}");
    assert_eq!(verdict_of(&bug, &two(open, ticket("#4"))), "pass");
}

#[test]
fn a_type_or_state_that_is_not_told_is_unknown_only_where_the_policy_asks() {
    let facts = with(|it| {
        it.ticket_type = hidden();
        it.state = hidden();
    });
    assert_eq!(verdict(&facts), "pass");
    assert_eq!(
        verdict_of(&of(json!({"types": ["bug"]})), &facts),
        "unknown"
    );
    assert_eq!(
        verdict_of(&of(json!({"states": ["open"]})), &facts),
        "unknown"
    );
    let none = with(|it| it.ticket_type = seen(None));
    assert_eq!(verdict_of(&of(json!({"types": ["bug"]})), &none), "fail");
}

#[test]
fn a_ticket_that_was_closed_before_the_change_was_opened_fails() {
    // The change was opened at nine.
    let closed = |text: &str| with(|it| it.closed_at = seen(Some(at(text))));
    assert_eq!(verdict(&closed("2026-06-01T08:59:59Z")), "fail");
    assert_eq!(verdict(&closed("2026-06-01T09:00:00Z")), "fail");
    assert_eq!(verdict(&closed("2026-06-01T09:00:01Z")), "pass");
    let mut facts = closed("2026-06-01T09:00:01Z");
    edit(&mut facts, |it| it.opened_at = None);
    assert_eq!(verdict(&facts), "unknown");
    assert_eq!(verdict(&with(|it| it.closed_at = hidden())), "unknown");
}

#[test]
fn a_ticket_that_was_made_after_the_merge_fails() {
    let mut facts = with(|it| it.created_at = seen(at("2026-06-01T11:00:00Z")));
    assert_eq!(verdict(&facts), "pass");
    edit(&mut facts, |it| {
        it.merged_at = Some(at("2026-06-01T10:00:00Z"))
    });
    assert_eq!(verdict(&facts), "fail");
    let mut untold = with(|it| it.created_at = hidden());
    edit(&mut untold, |it| {
        it.merged_at = Some(at("2026-06-01T10:00:00Z"))
    });
    assert_eq!(verdict(&untold), "unknown");
}

#[test]
fn a_requester_who_approved_fails_only_where_the_policy_says_so() {
    let apart = of(json!({"requester_may_approve": false}));
    let asked_by = |name: &str| {
        with(|it| {
            it.requester = seen(Some(Requester {
                name: name.to_owned(),
                is_login: true,
            }));
        })
    };
    assert_eq!(verdict_of(&apart, &asked_by("carol")), "pass");
    assert_eq!(verdict_of(&apart, &asked_by("BOB")), "fail");
    assert_eq!(verdict(&asked_by("bob")), "pass");
    let mut unseen = asked_by("carol");
    unseen.reviews = hidden();
    assert_eq!(verdict_of(&apart, &unseen), "unknown");
    assert_eq!(verdict(&unseen), "pass");
}

#[test]
fn an_approval_that_may_not_count_leaves_the_requester_unknown() {
    let apart = of(json!({"requester_may_approve": false}));
    let by_requester = |can_write| {
        let mut facts = with(|it| {
            it.requester = seen(Some(Requester {
                name: "bob".to_owned(),
                is_login: true,
            }));
        });
        let mut review = approval("bob");
        review.can_write = can_write;
        facts.reviews = seen(vec![review]);
        verdict_of(&apart, &facts)
    };
    assert_eq!(by_requester(hidden()), "unknown");
    assert_eq!(by_requester(seen(false)), "pass");
}

#[test]
fn a_requester_who_is_gone_fails_and_one_who_is_not_told_is_unknown() {
    let apart = of(json!({"requester_may_approve": false}));
    assert_eq!(
        verdict_of(&apart, &with(|it| it.requester = seen(None))),
        "fail"
    );
    assert_eq!(
        verdict_of(&apart, &with(|it| it.requester = hidden())),
        "unknown"
    );
}

#[test]
fn a_requester_of_another_tracker_counts_by_the_login_that_the_policy_gives() {
    let people = |people: Value| of(json!({"requester_may_approve": false, "people": people}));
    let facts = with(|it| {
        it.requester = seen(Some(Requester {
            name: "5b10a:1".to_owned(),
            is_login: false,
        }));
    });
    assert_eq!(verdict_of(&people(json!({})), &facts), "unknown");
    assert_eq!(
        verdict_of(&people(json!({"5b10a:1": "@bob"})), &facts),
        "fail"
    );
    assert_eq!(
        verdict_of(&people(json!({"5b10a:1": "dan"})), &facts),
        "pass"
    );
}

#[test]
fn an_export_that_is_old_or_of_tomorrow_is_unknown_whatever_it_says() {
    let file = of(json!({"tracker": "file"}));
    let exported = |moment: Option<&str>, key: &str| {
        let mut row = ticket(key);
        row.exported_at = moment.map(at);
        let mut facts = change(vec![named("ENG-3", FoundTicket::Ticket(Box::new(row)))]);
        edit(&mut facts, |it| it.title = "Fix ENG-3".to_owned());
        if let crate::facts::Fact::Known { value, .. } = &mut facts.tickets {
            value.tracker = Tracker::File;
        }
        verdict_of(&file, &facts)
    };
    assert_eq!(exported(Some("2026-06-01T06:00:00Z"), "ENG-3"), "pass");
    assert_eq!(exported(Some("2026-05-31T11:59:59Z"), "ENG-3"), "unknown");
    assert_eq!(exported(Some("2026-06-01T12:10:00Z"), "ENG-3"), "unknown");
    assert_eq!(exported(None, "ENG-3"), "unknown");
}

#[test]
fn hidden_texts_leave_it_unknown_unless_a_good_ticket_was_seen() {
    let mut facts = with(|_| {});
    facts.commits = hidden();
    assert_eq!(verdict(&facts), "pass");
    edit(&mut facts, |it| it.title = "Fix it".to_owned());
    assert_eq!(verdict(&facts), "unknown");
    facts.identity = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn every_way_to_ask_for_less_is_weaker() {
    let base = json!({
        "tracker": "jira", "pattern": "ENG-[0-9]+", "repositories": ["acme/a"],
        "types": ["bug"], "states": ["open"], "requester_may_approve": false,
        "people": {"x": "ana"}, "max_age_hours": 24,
    });
    let changed = |key: &str, value: Value| {
        let mut own = base.clone();
        own[key] = value;
        of(own).weaker_than(&of(base.clone())).is_some()
    };
    for (key, value) in [
        ("tracker", json!("file")),
        ("pattern", json!("ENG-[0-9]*1")),
        ("repositories", json!(["acme/a", "acme/b"])),
        ("types", json!([])),
        ("types", json!(["bug", "task"])),
        ("states", json!([])),
        ("states", json!(["open", "done"])),
        ("requester_may_approve", json!(true)),
        ("people", json!({"x": "bob"})),
        ("max_age_hours", json!(25)),
    ] {
        assert!(changed(key, value.clone()), "{key}: {value}");
    }
    for (key, value) in [
        ("repositories", json!([])),
        ("types", json!(["Bug"])),
        ("max_age_hours", json!(1)),
    ] {
        assert!(!changed(key, value.clone()), "{key}: {value}");
    }
    assert!(
        of(base.clone())
            .weaker_than(&TicketAccountable::default())
            .is_some()
    );
    assert_eq!(of(base.clone()).weaker_than(&of(base)), None);
}

#[test]
fn it_asks_for_the_tickets_that_its_parameters_mean() {
    let asked = of(json!({"repositories": ["acme/plans"]})).tickets();
    assert_eq!(
        asked,
        Some(TicketNaming {
            repositories: vec!["acme/plans".to_owned()],
            ..TicketNaming::default()
        })
    );
}
