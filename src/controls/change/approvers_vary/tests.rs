use super::*;
use crate::controls::change::arrived_testing::through;
use crate::controls::change::arrived_testing::{arrival, change, moved as branch_moved, proposal};
use crate::controls::testing::{approval, commit, head, hidden, nothing_seen, seen, verdict_of};
use crate::facts::{Account, ArrivalMethod, Fact};

/// A move that brought a change for each pair of author and approvers.
fn moved_by(changes: &[(&str, &[&str])]) -> Snapshot {
    let brought: Vec<ArrivedChange> = (1..)
        .zip(changes)
        .map(|(number, (author, approvers))| {
            let mut one = change();
            one.number = number;
            if let Fact::Known { value, .. } = &mut one.identity {
                value.author = Some(Account::human(*author));
            }
            one.commits = seen(vec![commit(head(), author)]);
            one.reviews = seen(approvers.iter().map(|who| approval(who)).collect());
            one
        })
        .collect();
    let mut facts = branch_moved(|arrivals, _| {
        arrivals.commits = (1..)
            .zip(changes)
            .map(|(number, _)| {
                let sha = format!("{number:040}");
                arrival(&sha, through(number, ArrivalMethod::Merge))
            })
            .collect();
        arrivals.count = seen(changes.len());
    });
    facts.arrived_changes = seen(Some(brought));
    facts
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ApproversVary::default(), facts)
}

const MIXED: [(&str, &[&str]); 5] = [
    ("ana", &["bob"]),
    ("ana", &["cy"]),
    ("bob", &["cy"]),
    ("cy", &["ana"]),
    ("dan", &["bob"]),
];

#[test]
fn approvals_of_several_people_pass() {
    assert_eq!(verdict(&moved_by(&MIXED)), "pass");
}

#[test]
fn few_changes_and_a_proposal_say_nothing() {
    assert_eq!(verdict(&moved_by(&MIXED[..4])), "not_applicable");
    assert_eq!(verdict(&proposal()), "not_applicable");
}

#[test]
fn one_person_who_approves_everything_fails_and_beside_others_does_not() {
    let alone = [("ana", &["bob"] as &[&str]); 5];
    assert_eq!(verdict(&moved_by(&alone)), "fail");
    let beside = [("ana", &["bob", "cy"] as &[&str]); 5];
    assert_eq!(verdict(&moved_by(&beside)), "pass");
}

/// The cheat: two who approve for each other, in any spelling of their names.
#[test]
fn two_who_approve_for_each_other_fail() {
    let mutual: [(&str, &[&str]); 5] = [
        ("ana", &["bob"]),
        ("Bob", &["Ana"]),
        ("ANA", &["bob"]),
        ("bob", &["ana"]),
        ("ana", &["BOB"]),
    ];
    assert_eq!(verdict(&moved_by(&mutual)), "fail");
    let mut broken = mutual;
    broken[0] = ("dan", &["cy"]);
    assert_eq!(verdict(&moved_by(&broken)), "pass");
}

#[test]
fn what_is_hidden_is_unknown() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    let mut facts = moved_by(&MIXED);
    if let Fact::Known {
        value: Some(changes),
        ..
    } = &mut facts.arrived_changes
    {
        changes[2].reviews = hidden();
    }
    assert_eq!(verdict(&facts), "unknown");
    let mut facts = moved_by(&MIXED);
    facts.arrived_changes = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn a_larger_share_and_more_changes_are_weaker() {
    let base = ApproversVary::default;
    let share = ApproversVary {
        max_percent: 81,
        ..base()
    };
    let later = ApproversVary {
        min_changes: 6,
        ..base()
    };
    for weaker in [share, later] {
        assert!(weaker.weaker_than(&base()).is_some());
        assert!(base().weaker_than(&weaker).is_none());
    }
}
