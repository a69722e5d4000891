//! CHG-04: somebody approved who had no hand in the change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Standing, branch, may_write, rulings};
use super::hands::Hands;
use crate::controls::control::{Awaiting, Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::tree::{Against, Ruling, Tree, Worth};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// CHG-04 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApproverIsIndependent {}

impl Control for ApproverIsIndependent {
    const META: Meta = Meta {
        code: "CHG-04",
        id: "approver-is-independent",
        title: "somebody approved who had no hand in the change",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["AC-5", "CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
        ],
        rationale: "Whoever wrote a part of a change cannot be the one who judges it.",
        cheat: "Committing under an address that belongs to no account, as a co-author or \
                        through a push, then approving. All of these had a hand in the change, \
                        somebody without an account makes this fail, and a list of commits that does \
                        not reach the head is unknown.",
        remedy_github: "ask somebody for a review who did not open the change, has no commit in it, is \
                        no co-author and never force-pushed it",
        remedy_gitlab: "ask somebody for an approval who did not open the change, has no commit in it, \
                        is no co-author and pushed nothing to it; \"Prevent approvals by users who \
                        add commits\" keeps it so",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.reviews;
        let hands = Hands::of(facts);
        let key = FactKey::ChangeCommits;
        if !hands.nobody().is_empty() {
            let who = hands.nobody().join(", ");
            return Ok(Verdict::fail_because(
                FailReason::UnresolvedIdentity,
                Evidence::new(
                    format!("no account belongs to {who}, so nobody can be told apart from them"),
                    key,
                    who,
                    facts.commits.sources(),
                ),
            )
            .next(
                "add the commit's e-mail address to its account, or rewrite the commit; \
                 where an account was deleted, open the change anew",
            ));
        }
        let mut own = Vec::new();
        let mut free = Vec::new();
        let mut in_doubt = Vec::new();
        for ruling in weighed(facts, &hands)? {
            match &ruling.worth {
                Worth::Counts(_) => free.push(ruling.who()),
                Worth::Never(Against::Hand(how)) => {
                    own.push(format!("{}, who {how}", ruling.who()));
                }
                Worth::Never(_) => {}
                Worth::Unknown(unknown) => in_doubt.push(unknown.clone()),
            }
        }
        let seen = fact.sources();
        if !free.is_empty() {
            let free = free.join(", ");
            return Ok(Verdict::Pass(
                Evidence::new(
                    format!("{free} approved and had no hand in the change"),
                    FactKey::ChangeReviews,
                    free,
                    seen,
                )
                .and(
                    key,
                    format!("{} people had a hand in it", hands.count()),
                    facts.commits.sources(),
                ),
            ));
        }
        if let Some(unknown) = in_doubt.into_iter().next() {
            return Err(unknown);
        }
        if own.is_empty() {
            return Ok(Verdict::fail(Evidence::new(
                "nobody who may write has approved",
                FactKey::ChangeReviews,
                "no approval",
                seen,
            ))
            .awaiting(Awaiting::Approval));
        }
        let own = own.join(", ");
        Ok(Verdict::fail_because(
            FailReason::NotIndependent,
            Evidence::new(
                format!("approved only by {own}"),
                FactKey::ChangeReviews,
                own,
                seen,
            ),
        )
        .next("ask somebody who had no hand in the change"))
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let hands = Hands::with_deeds(facts);
        Some(Tree {
            branches: branch(1, weighed(facts, &hands)),
            hands: Some(hands.into_deeds()),
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// What each review is worth: whether the approver may write and had no hand in it.
///
/// # Errors
/// Why the reviews could not be seen.
fn weighed(facts: &Snapshot, hands: &Hands<'_>) -> Result<Vec<Ruling>, Unknown> {
    Ok(rulings(facts.reviews.known()?, |approval| {
        match (may_write(approval), hands.hand_of(approval.reviewer)) {
            (Standing::Never(against), _) => Worth::Never(against),
            (Standing::Counts | Standing::Hidden(_), Ok(Some(how))) => {
                Worth::Never(Against::Hand(how))
            }
            (Standing::Counts, Ok(None)) => {
                Worth::Counts("the reviewer may write and had no hand in the change".to_owned())
            }
            (Standing::Hidden(unknown), Ok(None)) | (_, Err(unknown)) => Worth::Unknown(unknown),
        }
    }))
}

#[cfg(test)]
mod tests;
