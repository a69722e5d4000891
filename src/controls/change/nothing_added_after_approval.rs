//! CHG-19: nothing was added to a change after its approval or its merge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approval_covers_head::ApprovalCoversHead;
use super::arrived::{arrivals, at_merge, brought, commits_of};
use super::hands::short;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    Arrival, ArrivalMethod, Arrivals, ArrivedChange, FactKey, Platform, Snapshot, Unknown,
};

/// Parameters of CHG-19.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NothingAddedAfterApproval {
    /// Fewest approvals; 0 counts as 1.
    min: u32,
    /// Whether an approval counts that the platform moved forward over a later push.
    allow_carried_forward: bool,
}

impl Default for NothingAddedAfterApproval {
    fn default() -> Self {
        Self {
            min: 1,
            allow_carried_forward: true,
        }
    }
}

impl Control for NothingAddedAfterApproval {
    const META: Meta = Meta {
        code: "CHG-19",
        id: "nothing-added-after-approval",
        title: "nothing was added to a change after its approval or its merge",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.5.1", "6.2.3"]),
            (Framework::Nist80053, &["CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchArrivals, FactKey::BranchArrivedChanges],
        rationale: "What counts is what was merged: a commit that came after the approval was \
                    approved by nobody, under an approval's name.",
        cheat: "Pushing between the approval and the merge, or to the branch of a change that was \
                merged already. The last head before the merge has to be what was approved, by the \
                platform's clock, and a merge commit has to merge that head.",
        remedy_github: "have what came later reviewed through a pull request of its own, or revert it; \
                        BR-04 and BR-05 keep it from happening again",
        remedy_gitlab: "have what came later reviewed through a merge request of its own, or revert \
                        it; BR-04 keeps it from happening again",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let (arrivals, sources) = match arrivals(facts)? {
            Ok(found) => found,
            Err(verdict) => return Ok(verdict),
        };
        let brought = brought(facts, arrivals)?;
        let mut doubt = brought.doubt.clone();
        let mut wrong = Vec::new();
        let mut good = Vec::new();
        for (number, change) in &brought.changes {
            let judged = change
                .clone()
                .and_then(|change| self.judge(facts, arrivals, change));
            match judged {
                Ok(problems) if problems.is_empty() => good.push(format!("change {number}")),
                Ok(problems) => wrong.extend(problems),
                Err(unknown) => doubt = doubt.or(Some(unknown)),
            }
        }
        let evidence = |said: String, seen: String| {
            brought.with_sources(Evidence::new(
                said,
                FactKey::BranchArrivedChanges,
                seen,
                sources,
            ))
        };
        if !wrong.is_empty() {
            let seen = wrong.join("; ");
            return Ok(Verdict::fail_because(
                FailReason::AddedAfterApproval,
                evidence(seen.clone(), seen),
            ));
        }
        if let Some(unknown) = doubt {
            return Err(unknown);
        }
        if good.is_empty() {
            return Ok(Verdict::NotApplicable(evidence(
                "no change came onto the branch".to_owned(),
                "no change".to_owned(),
            )));
        }
        let seen = good.join(", ");
        Ok(Verdict::Pass(evidence(
            format!("{seen}: merged as approved"),
            seen,
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        self.before_merge().weaker_than(&base.before_merge())
    }
}

impl NothingAddedAfterApproval {
    fn before_merge(&self) -> ApprovalCoversHead {
        ApprovalCoversHead::new(self.min, self.allow_carried_forward)
    }

    /// What was added to the change.
    ///
    /// # Errors
    /// Why it cannot be told.
    fn judge(
        &self,
        facts: &Snapshot,
        arrivals: &Arrivals,
        change: &ArrivedChange,
    ) -> Result<Vec<String>, Unknown> {
        let mut wrong = Vec::new();
        let mut doubt = None;
        let head = &change.identity.known()?.head;
        for (arrival, method) in commits_of(arrivals, change.number) {
            match method.known() {
                Ok(method) => wrong.extend(something_else(arrival, *method, head, change.number)),
                Err(unknown) => doubt = Some(unknown),
            }
        }
        match at_merge(facts, change).and_then(|seen| self.before_merge().evaluate(&seen)) {
            Ok(Verdict::Fail(failure)) => wrong.push(format!(
                "change {}: {}",
                change.number,
                failure.evidence.summary()
            )),
            Ok(Verdict::Pass(_) | Verdict::NotApplicable(_)) => {}
            Err(unknown) => doubt = doubt.or(Some(unknown)),
        }
        match doubt {
            Some(unknown) if wrong.is_empty() => Err(unknown),
            Some(_) | None => Ok(wrong),
        }
    }
}

/// A merge commit that does not merge the change's last head.
fn something_else(
    arrival: &Arrival,
    method: ArrivalMethod,
    head: &String,
    number: u64,
) -> Option<String> {
    match method {
        ArrivalMethod::Merge if !arrival.parents.contains(head) => Some(format!(
            "{} does not merge {}, the last head of change {number}",
            short(&arrival.sha),
            short(head)
        )),
        // The other methods make new commits, so only the approval can be held against them.
        ArrivalMethod::Merge
        | ArrivalMethod::Squash
        | ArrivalMethod::Rebase
        | ArrivalMethod::FastForward
        | ArrivalMethod::Queue
        | ArrivalMethod::Pushed => None,
    }
}

#[cfg(test)]
mod tests;
