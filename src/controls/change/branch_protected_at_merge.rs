//! CHG-28: the branch was protected when something was merged into it.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrived::{brought, moved};
use crate::controls::branch::approvals_required::ApprovalsRequired;
use crate::controls::branch::deletion_blocked::DeletionBlocked;
use crate::controls::branch::force_push_blocked::ForcePushBlocked;
use crate::controls::branch::pull_request_required::PullRequestRequired;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{ChangeState, FactKey, Platform, Snapshot, Unknown, Why};

/// Parameters of CHG-28.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BranchProtectedAtMerge {
    /// Most hours between the settings snapshot from before and the merge.
    max_age_hours: u32,
}

impl Default for BranchProtectedAtMerge {
    fn default() -> Self {
        Self { max_age_hours: 168 }
    }
}

impl Control for BranchProtectedAtMerge {
    const META: Meta = Meta {
        code: "CHG-28",
        id: "branch-protected-at-merge",
        title: "the branch was protected when something was merged into it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_2],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.9"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5(1)"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::BranchRules,
            FactKey::BranchRulesBefore,
            FactKey::BranchArrivals,
            FactKey::BranchArrivedChanges,
            FactKey::ChangeIdentity,
        ],
        rationale: "Rules that are in force today say nothing about the day of the merge; seen before \
                    and after it, they do.",
        cheat: "Switching the rules on for the audit, handing in a snapshot of another day or \
                repository, or switching them off between the two looks. The snapshot's digest, \
                repository, server and age are checked, its signature too where a key is set, and it \
                has to be older than the merge; what slipped past in between is seen by CHG-20, \
                CHG-21 and CHG-22.",
        remedy_github: "keep the file of `ccgate snapshot --settings` of every scheduled run, and hand \
                        the newest one from before the merge in with `--settings-before`; switch the \
                        missing rule on",
        remedy_gitlab: "keep the file of `ccgate snapshot --settings` of every scheduled run, and hand \
                        the newest one from before the merge in with `--settings-before`; switch the \
                        missing rule on",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let Some(merged_at) = first_merge(facts)? else {
            return Ok(Verdict::NotApplicable(Evidence::new(
                "nothing was merged yet",
                FactKey::ChangeIdentity,
                "not merged",
                facts.identity.sources(),
            )));
        };
        let before = facts.rules_before.known()?;
        let mut then = facts.clone();
        then.branch_rules = before.rules.clone();
        let then = missing(&then);
        let now = missing(facts);
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::BranchRulesBefore,
                format!("seen at {} ({})", before.seen_at, before.digest),
                facts.rules_before.sources(),
            )
            .and(
                FactKey::BranchRules,
                format!("seen at {}", facts.observed_at),
                facts.branch_rules.sources(),
            )
        };
        // A snapshot of another time proves nothing, good or bad.
        self.too_far(before.seen_at, merged_at)?;
        let mut wrong = Vec::new();
        for (when, lacking) in [("before the merge", &then.0), ("now", &now.0)] {
            wrong.extend(lacking.iter().map(|words| format!("{when}: {words}")));
        }
        if !wrong.is_empty() {
            return Ok(Verdict::fail_because(
                FailReason::Unprotected,
                evidence(wrong.join("; ")),
            ));
        }
        if let Some(unknown) = then.1.or(now.1) {
            return Err(unknown);
        }
        Ok(Verdict::Pass(evidence(format!(
            "changes, approvals and an untouched history were demanded at {} and are now; merged \
             at {merged_at}",
            before.seen_at
        ))))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.max_age_hours > base.max_age_hours)
            .then(|| "is content with an older settings snapshot".to_owned())
    }
}

impl BranchProtectedAtMerge {
    /// # Errors
    /// That the snapshot is not from shortly before the merge.
    fn too_far(&self, seen_at: Timestamp, merged_at: Timestamp) -> Result<(), Unknown> {
        let stale = |detail: String| {
            Err(Unknown::new(
                FactKey::BranchRulesBefore.name(),
                Why::Stale,
                detail,
            ))
        };
        if seen_at > merged_at {
            return stale(format!(
                "the settings snapshot is of {seen_at}, after the merge at {merged_at}"
            ));
        }
        let most = SignedDuration::from_hours(i64::from(self.max_age_hours));
        if merged_at.duration_since(seen_at) > most {
            return stale(format!(
                "the settings snapshot is of {seen_at}, more than {} hours before the merge at \
                 {merged_at}",
                self.max_age_hours
            ));
        }
        Ok(())
    }
}

/// When the first of what is judged was merged; `None`: nothing was.
///
/// # Errors
/// Why that is not known.
fn first_merge(facts: &Snapshot) -> Result<Option<Timestamp>, Unknown> {
    let untold = || {
        Unknown::new(
            FactKey::ChangeIdentity.name(),
            Why::HiddenOrAbsent,
            "the platform does not tell when it was merged",
        )
    };
    let Some((arrivals, _)) = moved(facts)? else {
        let identity = facts.identity.known()?;
        return match identity.state {
            ChangeState::Merged => identity.merged_at.map(Some).ok_or_else(untold),
            ChangeState::Open | ChangeState::Closed | ChangeState::Other(_) => Ok(None),
        };
    };
    let brought = brought(facts, arrivals)?;
    if let Some(unknown) = brought.doubt {
        return Err(unknown);
    }
    let mut first: Option<Timestamp> = None;
    for (_, change) in &brought.changes {
        let change = change.as_ref().map_err(Clone::clone)?;
        let at = change.identity.known()?.merged_at.ok_or_else(untold)?;
        first = Some(first.map_or(at, |first| first.min(at)));
    }
    Ok(first)
}

/// What the rules of the branch do not demand, and why that cannot be told of others.
fn missing(facts: &Snapshot) -> (Vec<String>, Option<Unknown>) {
    let verdicts = [
        PullRequestRequired::default().evaluate(facts),
        ApprovalsRequired::default().evaluate(facts),
        ForcePushBlocked::default().evaluate(facts),
        DeletionBlocked::default().evaluate(facts),
    ];
    let (mut lacking, mut hidden) = (Vec::new(), None);
    for verdict in verdicts {
        match verdict {
            Ok(Verdict::Pass(_)) => {}
            Ok(Verdict::Fail(failure)) => lacking.push(failure.evidence.summary().to_owned()),
            Ok(Verdict::NotApplicable(evidence)) => lacking.push(evidence.summary().to_owned()),
            Err(unknown) => hidden = hidden.or(Some(unknown)),
        }
    }
    (lacking, hidden)
}

#[cfg(test)]
mod tests;
