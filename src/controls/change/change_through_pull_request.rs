//! CHG-01: the commit came through a pull or merge request into this branch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{Association, ChangeState, FactKey, Platform, Snapshot, Unknown};

/// CHG-01 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangeThroughPullRequest {}

impl Control for ChangeThroughPullRequest {
    const META: Meta = Meta {
        code: "CHG-01",
        id: "change-through-pull-request",
        title: "the commit came through a pull or merge request into this branch",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeAssociation, FactKey::ChangeIdentity],
        rationale: "Only what comes as a change can be reviewed, tested and traced.",
        cheat: "Pushing directly, or merging into another branch and pushing the result. The \
                        platform's index has to name a merged change into this very branch; an index \
                        that does not know yet is unknown, not a pass.",
        remedy_github: "revert the commit and bring it back through a pull request into the branch; \
                        BR-02 keeps it from happening again",
        remedy_gitlab: "revert the commit and bring it back through a merge request into the branch; \
                        BR-02 keeps it from happening again",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.association;
        let target = &facts.subject.target;
        let key = FactKey::ChangeAssociation;
        Ok(match fact.known()? {
            Association::Change {
                number,
                target_branch,
            } if target_branch == target => Verdict::Pass(Evidence::new(
                format!("came through change {number} into {target}"),
                key,
                format!("change {number}"),
                fact.sources(),
            )),
            Association::Change {
                number,
                target_branch,
            } => Verdict::fail(Evidence::new(
                format!(
                    "came through change {number}, which went into `{target_branch}` and not into {target}"
                ),
                key,
                format!("change {number} into {target_branch}"),
                fact.sources(),
            )),
            Association::DirectPush { pusher, evidence } => {
                let who = pusher
                    .as_ref()
                    .map_or("somebody".to_owned(), |who| format!("@{}", who.login));
                Verdict::fail_because(
                    FailReason::DirectPush,
                    Evidence::new(
                        format!("{who} pushed the commit to {target} without a change: {evidence}"),
                        key,
                        evidence.clone(),
                        fact.sources(),
                    ),
                )
            }
            Association::NotMerged => {
                let identity = facts.identity.known()?;
                let seen = format!("change {} into {}", identity.number, identity.target_branch);
                let evidence = |summary: String| {
                    Evidence::new(
                        summary,
                        FactKey::ChangeIdentity,
                        seen.clone(),
                        facts.identity.sources(),
                    )
                };
                if identity.target_branch != *target {
                    return Ok(Verdict::fail(evidence(format!(
                        "{seen}, not into {target}"
                    ))));
                }
                match &identity.state {
                    ChangeState::Open | ChangeState::Merged => {
                        Verdict::Pass(evidence(seen.clone()))
                    }
                    ChangeState::Closed => {
                        Verdict::fail(evidence(format!("{seen} was closed without a merge")))
                    }
                    ChangeState::Other(word) => Verdict::fail(evidence(format!(
                        "{seen} is in the unfamiliar state `{word}`"
                    ))),
                }
            }
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests;
