use super::*;
use crate::controls::change::arrived_testing::{AFTER, change as merged_change};
use crate::controls::testing::{
    approval, commit, head, hidden, identity, nothing_seen, older, reviewed, seen, verdict_of,
};
use crate::facts::{Fact, Review};

/// Change 7 by ana says that it takes back the commit; bob approved it.
fn reverting(sha: &str, changes: Fact<Vec<ArrivedChange>>) -> Snapshot {
    let mut facts = reviewed(vec![approval("bob")]);
    let mut only = commit(head(), "ana");
    only.message = format!("Revert \"x\"\n\nThis reverts commit {sha}.");
    facts.commits = seen(vec![only]);
    facts.originals = seen(vec![Original {
        reference: OriginalReference::Commit(sha.to_owned()),
        changes,
    }]);
    facts
}

/// Change 3, approved by li and merged as `AFTER`.
fn original() -> ArrivedChange {
    ArrivedChange {
        number: 3,
        ..merged_change()
    }
}

fn with_reviews(reviews: Vec<Review>) -> ArrivedChange {
    ArrivedChange {
        reviews: seen(reviews),
        ..original()
    }
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&OriginalApproved::default(), facts)
}

#[test]
fn a_revert_of_an_approved_change_passes_by_its_merge_or_one_of_its_commits() {
    assert_eq!(verdict(&reverting(AFTER, seen(vec![original()]))), "pass");
    assert_eq!(verdict(&reverting(&head(), seen(vec![original()]))), "pass");
}

/// The cheat: taking back, unseen, a revert that nobody approved.
#[test]
fn a_revert_of_a_revert_rests_on_the_approval_of_that_revert() {
    let of = |reviews: Vec<Review>| {
        let mut revert = with_reviews(reviews);
        if let Fact::Known { value, .. } = &mut revert.identity {
            value.title = "Revert \"x\"".to_owned();
        }
        let mut facts = reverting(AFTER, seen(vec![revert]));
        if let Fact::Known { value, .. } = &mut facts.identity {
            value.title = "Revert \"Revert \"x\"\"".to_owned();
        }
        verdict(&facts)
    };
    assert_eq!(of(vec![]), "fail");
    assert_eq!(of(vec![approval("li")]), "pass");
}

#[test]
fn a_change_that_copies_nothing_is_not_judged() {
    let mut facts = reviewed(Vec::new());
    facts.originals = seen(Vec::new());
    assert_eq!(verdict(&facts), "not_applicable");
}

/// The cheat: an original that nobody approved, or that was approved by its author.
#[test]
fn an_original_without_an_independent_approval_fails() {
    for reviews in [vec![], vec![approval("ana")]] {
        let facts = reverting(AFTER, seen(vec![with_reviews(reviews)]));
        assert_eq!(verdict(&facts), "fail");
    }
    let two = OriginalApproved {
        min: 2,
        ..OriginalApproved::default()
    };
    let facts = reverting(AFTER, seen(vec![original()]));
    assert_eq!(verdict_of(&two, &facts), "fail");
}

/// The cheat: an approval that came after the merge.
#[test]
fn what_reviewers_said_after_the_merge_does_not_count() {
    let mut late = approval("li");
    late.submitted_at = seen(crate::controls::testing::at("2026-06-01T11:45:00Z"));
    let facts = reverting(AFTER, seen(vec![with_reviews(vec![late])]));
    assert_eq!(verdict(&facts), "fail");
}

/// The cheat: a commit that was pushed to the branch of a merged change afterwards.
#[test]
fn a_commit_that_is_not_of_the_change_is_unknown_and_one_of_none_fails() {
    let strange = "e".repeat(40);
    assert_eq!(
        verdict(&reverting(&strange, seen(vec![original()]))),
        "unknown"
    );
    assert_eq!(verdict(&reverting(AFTER, seen(Vec::new()))), "fail");
    let mut open = original();
    open.identity = seen(identity("ana"));
    assert_eq!(verdict(&reverting(AFTER, seen(vec![open]))), "fail");
}

#[test]
fn one_of_several_candidates_is_enough_and_two_originals_need_both() {
    let unapproved = with_reviews(Vec::new());
    let facts = reverting(AFTER, seen(vec![unapproved.clone(), original()]));
    assert_eq!(verdict(&facts), "pass");
    let mut two = reverting(AFTER, seen(vec![original()]));
    let mut body = identity("ana");
    body.body = "Backport of #4".to_owned();
    two.identity = seen(body);
    assert_eq!(verdict(&two), "unknown", "4 was not asked about");
    if let Fact::Known { value, .. } = &mut two.originals {
        value.push(Original {
            reference: OriginalReference::Change(4),
            changes: seen(vec![unapproved]),
        });
    }
    assert_eq!(verdict(&two), "fail");
}

/// The cheat: the original was approved, and nobody looks at the copy.
#[test]
fn the_copy_needs_an_approval_of_its_own() {
    let mut facts = reverting(AFTER, seen(vec![original()]));
    facts.reviews = seen(Vec::new());
    assert_eq!(verdict(&facts), "fail pending");
}

#[test]
fn a_mark_without_an_original_fails() {
    for (branch, title) in [
        ("backport/1.2", "x"),
        ("revert-7-x", "x"),
        ("feature", "Revert \"x\""),
    ] {
        let mut facts = reviewed(vec![approval("bob")]);
        let mut marked = identity("ana");
        branch.clone_into(&mut marked.source_branch);
        title.clone_into(&mut marked.title);
        facts.identity = seen(marked);
        facts.originals = seen(Vec::new());
        assert_eq!(verdict(&facts), "fail", "{branch} {title}");
    }
}

#[test]
fn what_is_hidden_is_unknown() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    assert_eq!(verdict(&reverting(AFTER, hidden())), "unknown");
    let mut facts = reverting(AFTER, seen(vec![original()]));
    facts.originals = hidden();
    assert_eq!(verdict(&facts), "unknown");
    let mut unseen = original();
    unseen.reviews = hidden();
    assert_eq!(verdict(&reverting(AFTER, seen(vec![unseen]))), "unknown");
    assert_ne!(older(), head());
}

#[test]
fn fewer_marks_and_fewer_approvals_are_weaker() {
    let base = OriginalApproved::default;
    let unmarked = OriginalApproved {
        branches: Globs::default(),
        ..base()
    };
    assert!(unmarked.weaker_than(&base()).is_some());
    let two = OriginalApproved { min: 2, ..base() };
    assert!(base().weaker_than(&two).is_some());
    assert_eq!(two.weaker_than(&base()), None);
}
