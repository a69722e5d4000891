//! CHG-01: how a commit came to its branch.

use super::super::approvals_sufficient::ApprovalsSufficient;
use super::ChangeThroughPullRequest;
use crate::controls::testing::{hidden, identity, nothing_seen, seen, verdict_of};
use crate::facts::{Account, Association, ChangeState, Fact, Identity, Snapshot, Unknown, Why};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ChangeThroughPullRequest {}, facts)
}

fn came(association: Association) -> Snapshot {
    let mut facts = nothing_seen();
    facts.association = seen(association);
    facts
}

fn through(target: &str) -> Association {
    Association::Change {
        number: 7,
        target_branch: target.to_owned(),
    }
}

fn proposed(fill: impl FnOnce(&mut Identity)) -> Snapshot {
    let mut facts = came(Association::NotMerged);
    let mut seven = identity("ana");
    fill(&mut seven);
    facts.identity = seen(seven);
    facts
}

/// F18: the commits of a rebase merge carry other ids than those of the change.
#[test]
fn f18_a_commit_that_the_index_ties_to_a_change_passes_however_it_was_merged() {
    assert_eq!(verdict(&came(through("main"))), "pass");
}

/// The cheat: merge into a branch that nobody guards, then push the result.
#[test]
fn a_change_into_another_branch_fails() {
    assert_eq!(verdict(&came(through("feature"))), "fail");
    assert_eq!(verdict(&came(through("Main"))), "fail");
}

#[test]
fn f17_a_direct_push_fails_whether_or_not_the_pusher_is_told() {
    for pusher in [Some(Account::human("eve")), None] {
        let facts = came(Association::DirectPush {
            pusher,
            evidence: "no change, and the log says push".to_owned(),
        });
        assert_eq!(verdict(&facts), "fail direct_push");
    }
}

/// F19: just after a merge the index is still empty.
#[test]
fn f19_an_index_that_does_not_know_yet_is_unknown_and_no_direct_push() {
    let mut facts = nothing_seen();
    facts.association = Fact::Unknown(Unknown::new(
        "change.association",
        Why::HiddenOrAbsent,
        "the index names no change, the log of pushes names no push",
    ));
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn an_open_change_into_the_branch_passes() {
    assert_eq!(verdict(&proposed(|_| {})), "pass");
}

/// The cheat: marking a change as a draft, or closing and reopening it, to be spared.
#[test]
fn a_draft_and_a_reopened_change_have_to_meet_what_any_change_has_to() {
    let draft = proposed(|seven| seven.draft = true);
    let reopened = proposed(|seven| seven.state = ChangeState::Open);
    for mut facts in [draft, reopened] {
        assert_eq!(verdict(&facts), "pass");
        facts.reviews = seen(Vec::new());
        let approvals = ApprovalsSufficient::default();
        assert_eq!(verdict_of(&approvals, &facts), "fail pending");
    }
}

#[test]
fn a_proposal_for_another_branch_a_closed_one_and_an_unfamiliar_state_fail() {
    let elsewhere = proposed(|seven| seven.target_branch = "develop".to_owned());
    let closed = proposed(|seven| seven.state = ChangeState::Closed);
    let strange = proposed(|seven| seven.state = ChangeState::Other("locked".to_owned()));
    for facts in [elsewhere, closed, strange] {
        assert_eq!(verdict(&facts), "fail");
    }
}

#[test]
fn a_proposal_that_could_not_be_read_is_unknown() {
    let mut facts = came(Association::NotMerged);
    facts.identity = hidden();
    assert_eq!(verdict(&facts), "unknown");
}
