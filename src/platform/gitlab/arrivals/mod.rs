//! What came onto a branch between two tips: two comparisons (one each way, since
//! GitLab tells no ancestry), the merge requests merged last and the log of pushes in
//! one round; then, for commits that none of these explains, the index of each. Beside
//! it, who went around approval policies (`bypasses`).

mod bypasses;
mod changes;
mod look;
pub(super) mod originals;
mod policies;
#[cfg(test)]
mod tests;
mod ways;

use crate::facts::{
    Arrivals, ArrivedChange, Fact, FactKey, Needs, RuleBypasses, Subject, Unknown, Why,
};

use super::super::context::Wanted;
use super::{Session, permissions};
use look::Question;

const FACT: &str = "branch.arrivals";

/// What was found, group by group.
pub(super) struct Found {
    pub(super) arrivals: Fact<Option<Arrivals>>,
    pub(super) changes: Fact<Option<Vec<ArrivedChange>>>,
    pub(super) bypasses: Fact<Option<RuleBypasses>>,
}

/// Asks for the groups that are needed. Only a commit on a branch has any.
pub(super) async fn collect(session: &Session, subject: &Subject, needs: &Needs) -> Option<Found> {
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
    let (found, bypasses) = tokio::join!(
        async {
            if !arrivals && !changes {
                return Fact::Unknown(Unknown::not_collected(FACT));
            }
            let question = Question {
                session,
                branch: &subject.target,
                after: &subject.head,
            };
            match question.arrivals(before.as_ref()).await {
                Ok(found) => found,
                Err(unknown) => Fact::Unknown(unknown),
            }
        },
        async {
            if bypasses {
                bypasses::ask(session, &subject.target).await
            } else {
                Fact::Unknown(Unknown::not_collected(FactKey::BranchBypasses.name()))
            }
        },
    );
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
    Unknown::new(FACT, why, detail).needs(permissions::CHANGE)
}
