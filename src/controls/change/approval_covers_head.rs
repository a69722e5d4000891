//! CHG-03: the approval covers the newest commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Standing, Weighed, covered, judged, latest, standing};
use super::cover::{Cover, cover};
use super::hands::Hands;
use crate::controls::control::{Awaiting, Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of CHG-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApprovalCoversHead {
    /// Fewest approvals; 0 counts as 1.
    min: u32,
    /// Whether an approval counts that the platform moved forward over a later push.
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
        let reviews = fact.known()?;
        let identity = facts.identity.known();
        let hands = Hands::of(facts);
        let min = self.min.max(1) as usize;
        let mut weighed = Vec::new();
        let mut covers = Vec::new();
        for approval in latest(reviews) {
            let counts = match standing(&approval, &identity) {
                Standing::Counts => Ok(()),
                Standing::Never => continue,
                Standing::Hidden(unknown) => Err(unknown),
            };
            let cover = cover(&approval, facts, self.allow_carried_forward);
            weighed.push(Weighed {
                login: approval.reviewer.login.clone(),
                counts,
                fresh: cover
                    .as_ref()
                    .map(|cover| matches!(cover, Cover::Head(_)))
                    .map_err(Clone::clone),
                free: hands.hand_of(approval.reviewer).map(|hand| hand.is_none()),
            });
            covers.push((approval.reviewer.login.clone(), cover));
        }
        let covering = covered(&weighed, min)?;
        let judged: Vec<&str> = judged(&weighed)
            .into_iter()
            .map(|one| one.login.as_str())
            .collect();
        let mut good = Vec::new();
        let mut stale = Vec::new();
        let mut aside = Vec::new();
        for (login, cover) in &covers {
            match cover {
                Ok(Cover::Head(_)) if !judged.contains(&login.as_str()) => {
                    aside.push(format!("@{login} had a hand in the change"));
                }
                Ok(Cover::Head(how)) => good.push(how.as_str()),
                Ok(Cover::Older(how)) => stale.push(how.as_str()),
                Err(_) => {}
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

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.allow_carried_forward && !base.allow_carried_forward {
            return Some("accepts approvals that were carried forward".to_owned());
        }
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

#[cfg(test)]
mod tests;
