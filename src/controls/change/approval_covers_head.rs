//! CHG-03: the approval covers the newest commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Approval, Standing, latest, standing};
use crate::controls::control::{Awaiting, Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{FactKey, Platform, Push, Snapshot, Unknown, Why};

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

impl Control for ApprovalCoversHead {
    const META: Meta = Meta {
        code: "CHG-03",
        id: "approval-covers-head",
        title: "the approval covers the newest commit",
        criteria: &[Criterion::Cc8_1],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::ChangePushes,
        ],
        rationale: "What was pushed after an approval was approved by nobody.",
        cheat: "Getting an approval, then pushing something else, with old commit dates. The platform's commit tie and clock decide, never dates inside commits.",
        remedy_github: "ask the reviewer to approve the newest commit",
        remedy_gitlab: "ask the approver to approve again after the last push",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.reviews;
        let reviews = fact.known()?;
        let identity = facts.identity.known();
        let min = self.min.max(1) as usize;
        let mut covering = Vec::new();
        let mut stale = Vec::new();
        let mut hidden = Vec::new();
        for approval in latest(reviews) {
            let in_doubt = match standing(&approval, &identity) {
                Standing::Counts => None,
                Standing::Never => continue,
                Standing::Hidden(unknown) => Some(unknown),
            };
            match (self.cover(&approval, facts), in_doubt) {
                (Err(unknown), _) | (Ok(Cover::Head(_)), Some(unknown)) => hidden.push(unknown),
                (Ok(Cover::Head(how)), None) => covering.push(how),
                (Ok(Cover::Older(how)), _) => stale.push(how),
            }
        }
        if covering.len() >= min {
            let seen = covering.join(", ");
            return Ok(Verdict::Pass(Evidence::new(
                seen.clone(),
                FactKey::ChangeReviews,
                seen,
                fact.sources(),
            )));
        }
        if let Some(unknown) = hidden.first()
            && covering.len() + hidden.len() >= min
        {
            return Err(unknown.clone());
        }
        Ok(if stale.is_empty() {
            let seen = format!("{} of {min} approvals cover the head", covering.len());
            Verdict::fail(Evidence::new(
                seen.clone(),
                FactKey::ChangeReviews,
                seen,
                fact.sources(),
            ))
        } else {
            let seen = stale.join(", ");
            Verdict::fail_because(
                FailReason::StaleApproval,
                Evidence::new(seen.clone(), FactKey::ChangeReviews, seen, fact.sources()),
            )
        }
        .awaiting(Awaiting::Approval))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.allow_carried_forward && !base.allow_carried_forward {
            return Some("accepts approvals that were carried forward".to_owned());
        }
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

enum Cover {
    Head(String),
    Older(String),
}

impl ApprovalCoversHead {
    fn cover(&self, approval: &Approval<'_>, facts: &Snapshot) -> Result<Cover, Unknown> {
        let head = &facts.subject.head;
        let who = &approval.reviewer.login;
        let pushes = facts.pushes.known();
        let Some(commit) = approval.review.commit.known()? else {
            // No commit tie: only the platform's clock can tell.
            let at = *approval.review.submitted_at.known()?;
            let newest = pushes?.iter().map(|push| push.at).max().ok_or_else(|| {
                Unknown::new(
                    FactKey::ChangePushes.name(),
                    Why::Failed,
                    "the platform lists no push of this change",
                )
            })?;
            return Ok(if at >= newest {
                Cover::Head(format!(
                    "@{who} approved {at}, after the last push {newest}"
                ))
            } else {
                Cover::Older(format!(
                    "@{who} approved {at}, before the last push {newest}"
                ))
            });
        };
        if commit != head {
            return Ok(Cover::Older(format!(
                "@{who} approved {} but the head is {}",
                short(commit),
                short(head)
            )));
        }
        let seen = approval.review.submitted_at.known().and_then(|at| {
            pushes.map(|pushes| {
                pushes
                    .iter()
                    .filter(|push| push.at > *at)
                    .collect::<Vec<&Push>>()
            })
        });
        let later = match seen {
            Ok(later) => later,
            // Carried forward or not, it covers the head.
            Err(_) if self.allow_carried_forward => Vec::new(),
            Err(unknown) => return Err(unknown),
        };
        let Some(first) = later.iter().min_by_key(|push| push.at) else {
            return Ok(Cover::Head(format!(
                "@{who} approved the head {}",
                short(head)
            )));
        };
        let before = first.before.as_deref().map_or("an older head", short);
        let how = format!(
            "@{who} approved {before}, carried forward to {}",
            short(head)
        );
        Ok(if self.allow_carried_forward {
            Cover::Head(how)
        } else {
            Cover::Older(how)
        })
    }
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}
