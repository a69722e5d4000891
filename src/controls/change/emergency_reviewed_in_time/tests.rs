use super::*;
use crate::controls::change::arrived_testing::moved;
use crate::controls::testing::{
    approval, at, hidden, identity, nothing_seen, reviewed, seen, verdict_of,
};
use crate::facts::{Review, ReviewState};

const MERGED: &str = "2026-05-29T12:00:00Z";

fn emergency() -> Identity {
    let mut marked = identity("ana");
    marked.labels = vec!["Emergency".to_owned()];
    marked.body = "For INC-7.".to_owned();
    marked
}

fn merged(identity: Identity) -> Identity {
    Identity {
        state: ChangeState::Merged,
        merged_at: Some(at(MERGED)),
        ..identity
    }
}

fn change(identity: Identity, reviews: Vec<Review>) -> Snapshot {
    let mut facts = reviewed(reviews);
    facts.identity = seen(identity);
    facts.arrivals = seen(None);
    facts.arrived_changes = seen(None);
    facts
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&EmergencyReviewedInTime::default(), facts)
}

fn approved_at(login: &str, when: &str) -> Review {
    Review {
        submitted_at: seen(at(when)),
        ..approval(login)
    }
}

#[test]
fn a_change_without_the_mark_is_none_and_one_with_it_names_its_incident() {
    assert_eq!(verdict(&change(identity("ana"), vec![])), "not_applicable");
    assert_eq!(verdict(&change(emergency(), vec![])), "pass");
    let by_branch = Identity {
        labels: Vec::new(),
        source_branch: "emergency/INC-7".to_owned(),
        ..emergency()
    };
    assert_eq!(verdict(&change(by_branch, vec![])), "pass");
}

/// The cheat: an emergency without an incident, or with one that nobody sees.
#[test]
fn an_incident_that_no_reader_sees_is_none() {
    for body in ["", "<!-- INC-7 -->", "XINC-7", "INC-"] {
        let unnamed = Identity {
            body: body.to_owned(),
            ..emergency()
        };
        assert_eq!(verdict(&change(unnamed, vec![])), "fail", "{body}");
    }
}

/// It is 2026-06-01T12:00, 72 hours after the merge: the last second of the time.
#[test]
fn after_the_merge_a_review_is_due_in_time() {
    let none = change(merged(emergency()), vec![]);
    assert_eq!(verdict(&none), "pass");
    let over = EmergencyReviewedInTime {
        review_within_hours: 71,
        ..EmergencyReviewedInTime::default()
    };
    assert_eq!(verdict_of(&over, &none), "fail");
    let in_time = change(
        merged(emergency()),
        vec![approved_at("bob", "2026-05-30T09:00:00Z")],
    );
    assert_eq!(verdict_of(&over, &in_time), "pass");
    let late = change(
        merged(emergency()),
        vec![approved_at("bob", "2026-06-01T11:30:00Z")],
    );
    assert_eq!(verdict_of(&over, &late), "fail");
}

/// The cheat: the author reviews it, or somebody takes an approval back.
#[test]
fn only_a_standing_approval_by_somebody_without_a_hand_in_it_is_a_review() {
    let over = EmergencyReviewedInTime {
        review_within_hours: 71,
        ..EmergencyReviewedInTime::default()
    };
    let own = approved_at("ana", "2026-05-30T09:00:00Z");
    let taken_back = Review {
        state: ReviewState::Dismissed,
        ..approved_at("bob", "2026-05-30T10:00:00Z")
    };
    for reviews in [
        vec![own],
        vec![approved_at("bob", "2026-05-30T09:00:00Z"), taken_back],
    ] {
        let facts = change(merged(emergency()), reviews);
        assert_eq!(verdict_of(&over, &facts), "fail");
    }
}

#[test]
fn what_is_hidden_is_unknown() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    let mut untimed = merged(emergency());
    untimed.merged_at = None;
    assert_eq!(verdict(&change(untimed, vec![])), "unknown");
    let mut facts = change(merged(emergency()), vec![]);
    facts.reviews = hidden();
    assert_eq!(verdict(&facts), "unknown");
    let mut facts = change(identity("ana"), vec![]);
    facts.arrivals = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn what_came_onto_a_branch_is_judged_change_by_change() {
    let over = EmergencyReviewedInTime {
        review_within_hours: 71,
        ..EmergencyReviewedInTime::default()
    };
    let with = |identity: Identity, reviews: Vec<Review>| {
        moved(|_, change| {
            change.identity = seen(identity);
            change.reviews = seen(reviews);
        })
    };
    let quiet = with(merged(identity("ana")), vec![]);
    assert_eq!(verdict_of(&over, &quiet), "not_applicable");
    let overdue = with(merged(emergency()), vec![]);
    assert_eq!(verdict_of(&over, &overdue), "fail");
    let in_time = with(
        merged(emergency()),
        vec![approved_at("bob", "2026-05-30T09:00:00Z")],
    );
    assert_eq!(verdict_of(&over, &in_time), "pass");
    let mut unseen = with(merged(identity("ana")), vec![]);
    unseen.arrived_changes = hidden();
    assert_eq!(verdict_of(&over, &unseen), "unknown");
}

#[test]
fn fewer_marks_another_incident_and_more_time_are_weaker() {
    let base = EmergencyReviewedInTime::default;
    let none = || Globs::default();
    for weaker in [
        EmergencyReviewedInTime {
            labels: none(),
            ..base()
        },
        EmergencyReviewedInTime {
            branches: none(),
            ..base()
        },
        EmergencyReviewedInTime {
            incident: TicketPattern::literal("[A-Z]+-[0-9]+"),
            ..base()
        },
        EmergencyReviewedInTime {
            review_within_hours: 73,
            ..base()
        },
    ] {
        assert!(weaker.weaker_than(&base()).is_some(), "{weaker:?}");
    }
    assert_eq!(base().weaker_than(&base()), None);
}
