//! Moves of the branch for the scenarios: one where everything came through a
//! reviewed change, and one where nothing did.

use ccgate::facts::{
    Account, AccountRef, Ancestry, Arrival, ArrivalMethod, Arrivals, ArrivedChange, ChangeState,
    Fact, Move, MoveKind, Platform, PreviousTip, RuleBypass, RuleBypasses, Snapshot, ToldBy, Way,
};

use super::scenarios::{approval, at, commit, head, identity, push, seen};

fn tip() -> String {
    "a1".repeat(20)
}

fn before() -> String {
    "b0".repeat(20)
}

fn arrival(sha: String, way: Way) -> Arrival {
    Arrival {
        sha,
        parents: vec![before(), head()],
        message: "Merge it".to_owned(),
        way: seen(way),
    }
}

/// The branch went forward by one merge of change 7.
pub(crate) fn good(facts: &mut Snapshot) {
    let platform = facts.subject.platform;
    facts.arrivals = seen(Some(Arrivals {
        before: PreviousTip {
            commit: Some(before()),
            told_by: ToldBy::Event,
        },
        after: tip(),
        ancestry: seen(Ancestry::Continues),
        commits: vec![arrival(
            tip(),
            Way::Change {
                number: 7,
                method: seen(ArrivalMethod::Merge),
            },
        )],
        count: seen(1),
        moves: seen(vec![Move {
            kind: match platform {
                Platform::Github => MoveKind::Merge,
                Platform::Gitlab => MoveKind::Push,
            },
            before: Some(before()),
            after: tip(),
            actor: Some(Account::human("bob")),
            at: Some(at("2026-06-01T11:30:00Z")),
        }]),
        reached: seen(vec![tip()]),
        earlier_life: seen(false),
    }));
    let mut seven = identity(platform);
    seven.state = ChangeState::Merged;
    seven.merged_at = Some(at("2026-06-01T11:30:00Z"));
    seven.merged_by = Some(Account::human("bob"));
    seven.merge_commit = Some(tip());
    facts.arrived_changes = seen(Some(vec![ArrivedChange {
        number: 7,
        identity: seen(seven),
        commits: seen(vec![commit(head(), "ana", "carol")]),
        reviews: seen(vec![approval(platform, "bob", true)]),
        pushes: seen(vec![push(platform, "ana")]),
        checks: facts.checks.clone(),
    }]));
    facts.bypasses = seen(match platform {
        Platform::Github => Some(RuleBypasses {
            since: at("2026-05-04T12:00:00Z"),
            early_since: None,
            found: Vec::new(),
            unseen: None,
        }),
        Platform::Gitlab => None,
    });
}

/// The move of `all`, as if it had brought a change for each of the approvers.
pub(crate) fn many(facts: &mut Snapshot, all: &Snapshot, approvers: [&str; 5]) {
    let platform = all.subject.platform;
    facts.arrivals = all.arrivals.clone();
    if let Fact::Known {
        value: Some(arrivals),
        ..
    } = &mut facts.arrivals
    {
        arrivals.commits = (1..=5)
            .map(|number| {
                let method = seen(ArrivalMethod::Merge);
                arrival(format!("{number:040}"), Way::Change { number, method })
            })
            .collect();
        arrivals.count = seen(5);
    }
    let one = match &all.arrived_changes {
        Fact::Known {
            value: Some(changes),
            ..
        } => changes[0].clone(),
        other => panic!("{other:?}"),
    };
    facts.arrived_changes = seen(Some(
        (1..)
            .zip(approvers)
            .map(|(number, who)| ArrivedChange {
                number,
                reviews: seen(vec![approval(platform, who, true)]),
                ..one.clone()
            })
            .collect(),
    ));
}

/// A proposal: no branch has moved.
pub(crate) fn none(facts: &mut Snapshot) {
    facts.arrivals = seen(None);
    facts.arrived_changes = seen(None);
    facts.bypasses = seen(None);
}

/// Somebody pushed over it, and change 7 was merged without anything.
pub(crate) fn bad(facts: &mut Snapshot) {
    let reviews = facts.reviews.clone();
    let checks = facts.checks.clone();
    if let Fact::Known {
        value: Some(arrivals),
        ..
    } = &mut facts.arrivals
    {
        arrivals.ancestry = seen(Ancestry::Rewritten);
        arrivals.commits.push(arrival(
            "d1".repeat(20),
            Way::DirectPush {
                pusher: Some(Account::human("eve")),
                evidence: "the log of pushes says so".to_owned(),
            },
        ));
        arrivals.count = seen(2);
    }
    if let Fact::Known {
        value: Some(changes),
        ..
    } = &mut facts.arrived_changes
    {
        for change in changes {
            change.reviews = reviews.clone();
            change.checks = checks.clone();
        }
    }
    if let Fact::Known {
        value: Some(bypasses),
        ..
    } = &mut facts.bypasses
    {
        bypasses.found.push(RuleBypass::of_move(
            tip(),
            Some(AccountRef::of_login("eve")),
        ));
    }
}
