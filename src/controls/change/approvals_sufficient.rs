//! CHG-02: enough people approved the change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{branch, counted};
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::controls::tree::{Tree, Worth};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of CHG-02.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApprovalsSufficient {
    /// Fewest approvals; 0 counts as 1.
    min: u32,
}

impl Default for ApprovalsSufficient {
    fn default() -> Self {
        Self { min: 1 }
    }
}

impl ApprovalsSufficient {
    /// For a control that judges a change after its merge.
    pub(super) fn at_least(min: u32) -> Self {
        Self { min }
    }
}

impl Control for ApprovalsSufficient {
    const META: Meta = Meta {
        code: "CHG-02",
        id: "approvals-sufficient",
        title: "enough people approved the change",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeReviews, FactKey::ChangeIdentity],
        rationale: "A second person has to agree before a change goes out.",
        cheat: "Approving with a bot, as the author, or with an account that may not write; \
                        approving first and asking for changes later. Only the latest opinion of \
                        people who may write counts, and merging is no approval.",
        remedy_github: "ask people with write access under \"Reviewers\" to review and choose \
                        \"Approve\"",
        remedy_gitlab: "ask members with at least the Developer role under \"Reviewers\" to choose \
                        \"Approve\"",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.reviews;
        let min = self.min.max(1) as usize;
        let mut who = Vec::new();
        let mut hidden = Vec::new();
        for ruling in counted(facts)? {
            match &ruling.worth {
                Worth::Counts(_) => who.push(ruling.who()),
                Worth::Never(_) => {}
                Worth::Unknown(unknown) => hidden.push(unknown.clone()),
            }
        }
        let seen = if who.is_empty() {
            "no approval that counts".to_owned()
        } else {
            format!("approved by {}", who.join(", "))
        };
        let evidence = Evidence::new(
            format!("{seen}; {min} needed"),
            FactKey::ChangeReviews,
            seen,
            fact.sources(),
        );
        if who.len() >= min {
            return Ok(Verdict::Pass(evidence));
        }
        match hidden.first() {
            Some(unknown) if who.len() + hidden.len() >= min => Err(unknown.clone()),
            Some(_) | None => Ok(Verdict::fail(evidence)
                .next(match min - who.len() {
                    1 => "ask for 1 more approval by somebody with write access".to_owned(),
                    more => format!("ask for {more} more approvals by people with write access"),
                })
                .awaiting(Awaiting::Approval)),
        }
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        Some(Tree {
            hands: None,
            branches: branch(self.min, counted(facts)),
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

#[cfg(test)]
mod tests;
