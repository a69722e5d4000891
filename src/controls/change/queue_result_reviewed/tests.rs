//! CHG-27: groups of a queue and cars of a train.

use super::*;
use crate::controls::testing::{head, hidden, identity, nothing_seen, older, seen, verdict_of};
use crate::facts::{Fact, QueueEntry};

fn entry(number: u64, head: &str) -> Fact<Option<QueueEntry>> {
    seen(Some(QueueEntry {
        number,
        head: head.to_owned(),
    }))
}

fn commit(sha: &str, parents: &[&str], entry: Fact<Option<QueueEntry>>) -> QueueCommit {
    QueueCommit {
        sha: sha.to_owned(),
        parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
        entry,
    }
}

fn result(kind: QueueKind, commits: Fact<Vec<QueueCommit>>) -> Snapshot {
    let mut facts = nothing_seen();
    facts.identity = seen(identity("ana"));
    facts.queue = seen(Some(QueueResult {
        kind,
        target: "main".to_owned(),
        head: "q2".to_owned(),
        base: Some("m1".to_owned()),
        commits,
    }));
    facts
}

/// Change 7 on top of change 6.
fn group(top: QueueCommit) -> Snapshot {
    let below = commit("q1", &["m1"], entry(6, "e6"));
    result(QueueKind::Queue, seen(vec![top, below]))
}

fn judged(facts: &Snapshot) -> String {
    verdict_of(&QueueResultReviewed::default(), facts)
}

#[test]
fn a_group_whose_commits_each_belong_to_a_queued_change_passes() {
    assert_eq!(
        judged(&group(commit("q2", &["q1"], entry(7, &head())))),
        "pass"
    );
    assert_eq!(
        judged(&group(commit("q2", &["q1", &head()], entry(7, &head())))),
        "pass"
    );
}

#[test]
fn without_a_queue_it_has_no_meaning_and_hidden_it_is_unknown() {
    let mut facts = nothing_seen();
    facts.queue = seen(None);
    assert_eq!(judged(&facts), "not_applicable");
    facts.queue = hidden();
    assert_eq!(judged(&facts), "unknown");
}

#[test]
fn a_commit_that_rides_along_fails() {
    let mut facts = group(commit("q2", &["q1"], entry(7, &head())));
    if let Fact::Known {
        value: Some(result),
        ..
    } = &mut facts.queue
        && let Fact::Known { value, .. } = &mut result.commits
    {
        value[1].entry = seen(None);
    }
    assert_eq!(judged(&facts), "fail");
}

#[test]
fn a_push_after_the_change_was_queued_fails() {
    assert_eq!(
        judged(&group(commit("q2", &["q1"], entry(7, &older())))),
        "fail"
    );
    // The run is for another head than the change has.
    let mut facts = group(commit("q2", &["q1"], entry(7, &head())));
    facts.subject.head = older();
    assert_eq!(judged(&facts), "fail");
}

#[test]
fn a_merge_of_something_else_than_the_head_fails() {
    assert_eq!(
        judged(&group(commit("q2", &["q1", "x"], entry(7, &head())))),
        "fail"
    );
    assert_eq!(
        judged(&group(commit(
            "q2",
            &["q1", &head(), "x"],
            entry(7, &head())
        ))),
        "fail"
    );
    assert_eq!(judged(&group(commit("q2", &[], entry(7, &head())))), "fail");
}

#[test]
fn a_group_without_the_change_or_with_another_tip_fails() {
    assert_eq!(
        judged(&group(commit("q2", &["q1"], entry(8, "e8")))),
        "fail"
    );
    assert_eq!(
        judged(&group(commit("q3", &["q1"], entry(7, &head())))),
        "fail"
    );
    assert_eq!(judged(&result(QueueKind::Queue, seen(Vec::new()))), "fail");
}

#[test]
fn what_is_hidden_about_any_commit_is_unknown_unless_another_proves_the_flaw() {
    assert_eq!(judged(&group(commit("q2", &["q1"], hidden()))), "unknown");
    assert_eq!(judged(&result(QueueKind::Queue, hidden())), "unknown");
    let both = result(
        QueueKind::Queue,
        seen(vec![
            commit("q2", &["q1"], hidden()),
            commit("q1", &["m1"], seen(None)),
        ]),
    );
    assert_eq!(judged(&both), "fail");
    let mut facts = group(commit("q2", &["q1"], entry(7, &head())));
    facts.identity = hidden();
    assert_eq!(judged(&facts), "unknown");
}

#[test]
fn a_train_merges_the_head_itself_or_it_is_unknown() {
    let car = |parents: &[&str]| {
        result(
            QueueKind::Train,
            seen(vec![commit("q2", parents, entry(7, &head()))]),
        )
    };
    assert_eq!(judged(&car(&["t1", &head()])), "pass");
    // It squashes, or moves forward to a commit of its own.
    assert_eq!(judged(&car(&["t1", "s7"])), "unknown");
    assert_eq!(judged(&car(&["t1"])), "unknown");
    assert_eq!(judged(&car(&["t1", &head(), "x"])), "fail");
}

#[test]
fn the_changes_of_a_group_are_named_in_order_or_not_at_all() {
    let of = |facts: &Snapshot| match facts.queue.known() {
        Ok(Some(result)) => result.entries(),
        other => panic!("{other:?}"),
    };
    let numbers: Vec<u64> = of(&group(commit("q2", &["q1"], entry(7, &head()))))
        .unwrap()
        .iter()
        .map(|entry| entry.number)
        .collect();
    assert_eq!(numbers, [6, 7]);
    assert!(of(&group(commit("q2", &["q1"], seen(None)))).is_err());
    assert!(of(&group(commit("q2", &["q1"], hidden()))).is_err());
    assert!(of(&result(QueueKind::Queue, seen(Vec::new()))).is_err());
}
