//! Moves of a branch for the tests: from `m0` to `m1`, by one merge of change 7.

use crate::controls::testing::{approval, at, check, commit, head, identity, nothing_seen, seen};
use crate::facts::{
    Account, Ancestry, Arrival, ArrivalMethod, Arrivals, ArrivedChange, BranchRules, ChangeState,
    CheckConclusion, Fact, Layer, LayerKind, Move, MoveKind, PreviousTip, Requirement,
    RuleBypasses, Snapshot, ToldBy, Unknown, Way, Why,
};

/// The head of the branch after the move.
pub(super) const AFTER: &str = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
/// Where it stood before.
pub(super) const BEFORE: &str = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";

pub(super) fn through(number: u64, method: ArrivalMethod) -> Fact<Way> {
    seen(Way::Change {
        number,
        method: seen(method),
    })
}

pub(super) fn pushed(who: Account) -> Fact<Way> {
    seen(Way::DirectPush {
        pusher: Some(who),
        evidence: "no change, and the log says push".to_owned(),
    })
}

pub(super) fn late<T>() -> Fact<T> {
    Fact::Unknown(Unknown::new(
        "branch.arrivals",
        Why::Failed,
        "the log says merge, the index names no change yet",
    ))
}

pub(super) fn arrival(sha: &str, way: Fact<Way>) -> Arrival {
    Arrival {
        sha: sha.to_owned(),
        parents: vec![BEFORE.to_owned(), head()],
        message: "Merge it".to_owned(),
        way,
    }
}

pub(super) fn entry(kind: MoveKind, before: &str, after: &str) -> Move {
    Move {
        kind,
        before: Some(before.to_owned()),
        after: after.to_owned(),
        actor: Some(Account::human("eve")),
        at: Some(at("2026-06-01T11:30:00Z")),
    }
}

/// One merge commit that brought change 7.
pub(super) fn arrivals() -> Arrivals {
    Arrivals {
        before: PreviousTip {
            commit: Some(BEFORE.to_owned()),
            told_by: ToldBy::Event,
        },
        after: AFTER.to_owned(),
        ancestry: seen(Ancestry::Continues),
        commits: vec![arrival(AFTER, through(7, ArrivalMethod::Merge))],
        count: seen(1),
        moves: seen(vec![entry(MoveKind::Merge, BEFORE, AFTER)]),
        reached: seen(vec![AFTER.to_owned()]),
        earlier_life: seen(false),
    }
}

/// Change 7 by ana, approved at 11:00 and merged at 11:30.
pub(super) fn change() -> ArrivedChange {
    let mut seven = identity("ana");
    seven.state = ChangeState::Merged;
    seven.merged_at = Some(at("2026-06-01T11:30:00Z"));
    seven.merged_by = Some(Account::human("eve"));
    seven.merge_commit = Some(AFTER.to_owned());
    ArrivedChange {
        number: 7,
        identity: seen(seven),
        commits: seen(vec![commit(head(), "ana")]),
        reviews: seen(vec![approval("li")]),
        pushes: seen(Vec::new()),
        checks: seen(vec![check("test", Some(CheckConclusion::Success))]),
    }
}

/// A commit on `main` that the move left, with what the case changes.
pub(super) fn moved(fill: impl FnOnce(&mut Arrivals, &mut ArrivedChange)) -> Snapshot {
    let mut facts = nothing_seen();
    let (mut arrivals, mut change) = (arrivals(), change());
    fill(&mut arrivals, &mut change);
    facts.subject.head = AFTER.to_owned();
    facts.arrivals = seen(Some(arrivals));
    facts.arrived_changes = seen(Some(vec![change]));
    facts.bypasses = seen(Some(RuleBypasses {
        since: at("2026-05-04T12:00:00Z"),
        early_since: None,
        found: Vec::new(),
        unseen: None,
    }));
    let mut rules = BranchRules::unseen(
        "main",
        Layer::of_repository("ruleset \"main\"", LayerKind::Ruleset, seen(Vec::new())),
        &Unknown::not_collected("test.hidden"),
    );
    rules.required_checks = Requirement::any_layer(Vec::new());
    facts.branch_rules = seen(rules);
    facts
}

/// A proposal: no branch has moved.
pub(super) fn proposal() -> Snapshot {
    let mut facts = nothing_seen();
    facts.arrivals = seen(None);
    facts.arrived_changes = seen(None);
    facts.bypasses = seen(None);
    facts.branch_rules = moved(|_, _| {}).branch_rules;
    facts
}
