//! What came onto a branch between two tips. Usually two requests in one round: the
//! newest hundred commits with their pull requests, and the branch's log of moves.
//! Where the old tip is not on the new one's first-parent line there, the two are
//! compared. What each commit's way is stands in `ways`; here it is only asked.

mod bypasses;
mod changes;
mod look;
pub(super) mod originals;
mod push_rules;
mod questions;
mod read;
#[cfg(test)]
mod tests;
mod ways;

use crate::facts::{
    Arrivals, ArrivedChange, Fact, FactKey, Needs, RuleBypasses, Snapshot, Unknown, Why,
};
use crate::platform::context::Wanted;

use super::{Session, permissions};
use look::Question;
pub(super) use read::{Compared, compare};

/// What was found, group by group.
pub(super) struct Found {
    pub(super) arrivals: Fact<Option<Arrivals>>,
    pub(super) changes: Fact<Option<Vec<ArrivedChange>>>,
    pub(super) bypasses: Fact<Option<RuleBypasses>>,
}

/// Asks for the groups that are needed. Only a commit on a branch has any.
pub(super) async fn collect(
    session: &Session,
    snapshot: &Snapshot,
    needs: &Needs,
) -> Option<Found> {
    let (arrivals, changes, bypasses) = (
        needs.has(FactKey::BranchArrivals),
        needs.has(FactKey::BranchArrivedChanges),
        needs.has(FactKey::BranchBypasses),
    );
    if !arrivals && !changes && !bypasses {
        return None;
    }
    let Wanted::Commit { before, .. } = &session.setup.place.wanted else {
        return Some(Found {
            arrivals: Fact::known_without_source(None),
            changes: Fact::known_without_source(None),
            bypasses: Fact::known_without_source(None),
        });
    };
    let question = Question {
        session,
        branch: &snapshot.subject.target,
        after: &snapshot.subject.head,
        before: before.as_ref(),
    };
    let (found, bypasses) = tokio::join!(
        async {
            if !arrivals && !changes {
                return None;
            }
            Some(question.arrivals().await)
        },
        async {
            if bypasses {
                bypasses::ask(session, &snapshot.subject.target).await
            } else {
                Fact::Unknown(Unknown::not_collected(FactKey::BranchBypasses.name()))
            }
        },
    );
    let found = found
        .unwrap_or_else(|| Fact::Unknown(Unknown::not_collected(FactKey::BranchArrivals.name())));
    let changes = if changes {
        changes::ask(session, &found).await
    } else {
        Fact::Unknown(Unknown::not_collected(FactKey::BranchArrivedChanges.name()))
    };
    Some(Found {
        arrivals: found.map(Some),
        changes,
        bypasses,
    })
}

fn unknown(why: Why, detail: impl Into<String>) -> Unknown {
    Unknown::new(FactKey::BranchArrivals.name(), why, detail)
        .needs(permissions::needs(FactKey::BranchArrivals))
}
