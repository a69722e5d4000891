//! CHG-03: the approval covers the newest commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Standing, Weighed, branch, covered, rulings, standing};
use super::cover::{Cover, cover};
use super::hands::Hands;
use crate::controls::control::{Awaiting, Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::tree::{Against, Ruling, Tree, Worth};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of CHG-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApprovalCoversHead {
    /// Fewest approvals; 0 counts as 1.
    min: u32,
    /// Whether an approval counts that the platform moved forward over a later push; if not,
    /// a head that is a merge is unknown where it is not told when it came.
    allow_carried_forward: bool,
}

impl Default for ApprovalCoversHead {
    fn default() -> Self {
        Self {
            min: 1,
            allow_carried_forward: true,
        }
    }
}

impl ApprovalCoversHead {
    /// For a control that judges a change after its merge.
    pub(super) fn new(min: u32, allow_carried_forward: bool) -> Self {
        Self {
            min,
            allow_carried_forward,
        }
    }
}

impl Control for ApprovalCoversHead {
    const META: Meta = Meta {
        code: "CHG-03",
        id: "approval-covers-head",
        title: "the approval covers the newest commit",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
        ],
        rationale: "What was pushed after an approval was approved by nobody.",
        cheat: "Getting an approval, then pushing something else with old commit dates, or \
                        adding the fresh approval of a co-author to the stale one of somebody \
                        independent. The platform's commit tie and clock decide, never dates inside \
                        commits, and where independent people approved, only theirs count.",
        remedy_github: "ask the reviewer to approve the newest commit (\"Re-request review\")",
        remedy_gitlab: "ask the approver to choose \"Revoke approval\" and \"Approve\" again after the \
                        last push",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.reviews;
        let min = self.min.max(1) as usize;
        let hands = Hands::of(facts);
        let (rulings, covering) = self.weighed(facts, &hands)?;
        let covering = covering?;
        let mut good = Vec::new();
        let mut stale = Vec::new();
        let mut aside = Vec::new();
        for ruling in &rulings {
            match &ruling.worth {
                Worth::Counts(how) => good.push(how.as_str()),
                Worth::Never(Against::Stale(how)) => stale.push(how.as_str()),
                Worth::Never(Against::Hand(_)) => {
                    aside.push(format!("{} had a hand in the change", ruling.who()));
                }
                Worth::Never(_) | Worth::Unknown(_) => {}
            }
        }
        let evidence = |seen: String| {
            Evidence::new(seen.clone(), FactKey::ChangeReviews, seen, fact.sources())
        };
        if covering {
            return Ok(Verdict::Pass(evidence(good.join(", "))));
        }
        let verdict = if stale.is_empty() {
            Verdict::fail(evidence(format!(
                "{} of {min} approvals cover the head",
                good.len()
            )))
        } else {
            let aside = if aside.is_empty() {
                String::new()
            } else {
                format!("; {}", aside.join(", "))
            };
            Verdict::fail_because(
                FailReason::StaleApproval,
                evidence(format!("{}{aside}", stale.join(", "))),
            )
        };
        Ok(verdict.awaiting(Awaiting::Approval))
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let hands = Hands::with_deeds(facts);
        let weighed = self.weighed(facts, &hands).map(|(rulings, _)| rulings);
        Some(Tree {
            branches: branch(self.min, weighed),
            hands: Some(hands.into_deeds()),
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.allow_carried_forward && !base.allow_carried_forward {
            return Some("accepts approvals that were carried forward".to_owned());
        }
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

impl ApprovalCoversHead {
    /// What each review is worth, and whether enough of them cover the head.
    ///
    /// # Errors
    /// Why the reviews could not be seen.
    fn weighed(
        &self,
        facts: &Snapshot,
        hands: &Hands<'_>,
    ) -> Result<(Vec<Ruling>, Result<bool, Unknown>), Unknown> {
        let identity = facts.identity.known();
        // What becomes of each is known when all are: one independent approval sets others aside.
        let mut weighed = Vec::new();
        let mut rulings = rulings(facts.reviews.known()?, |approval| {
            let counts = match standing(approval, &identity) {
                Standing::Counts => Ok(()),
                Standing::Never(against) => return Worth::Never(against),
                Standing::Hidden(unknown) => Err(unknown),
            };
            let cover = cover(approval, facts, self.allow_carried_forward);
            let hand = hands.hand_of(approval.reviewer);
            weighed.push(Weighed {
                counts: counts.clone(),
                fresh: cover
                    .as_ref()
                    .map(|cover| matches!(cover, Cover::Head(_)))
                    .map_err(Clone::clone),
                free: hand.clone().map(|hand| hand.is_none()),
            });
            match cover {
                Ok(Cover::Older(how)) => Worth::Never(Against::Stale(how)),
                Ok(Cover::Head(how)) => counts.map_or_else(Worth::Unknown, |()| Worth::Counts(how)),
                Err(unknown) => Worth::Unknown(unknown),
            }
        });
        let covering = covered(&weighed, self.min.max(1) as usize);
        let independent = weighed.iter().any(Weighed::surely_free);
        for ruling in &mut rulings {
            let (Worth::Counts(_), Some(reviewer)) = (&ruling.worth, &ruling.reviewer) else {
                continue;
            };
            match (independent, hands.hand_of(reviewer), &covering) {
                (true, Ok(None), _) | (false, _, Ok(_)) => {}
                (true, Ok(Some(how)), _) => ruling.worth = Worth::Never(Against::Hand(how)),
                (true, Err(unknown), _) => ruling.worth = Worth::Unknown(unknown),
                (false, _, Err(unknown)) => ruling.worth = Worth::Unknown(unknown.clone()),
            }
        }
        Ok((rulings, covering))
    }
}

#[cfg(test)]
mod tests;
