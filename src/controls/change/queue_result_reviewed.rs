//! CHG-27: what a merge queue or train would merge is what was reviewed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hands::short;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    FactKey, Platform, QueueCommit, QueueKind, QueueResult, Snapshot, Unknown, Why,
};

/// Parameters of CHG-27: none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QueueResultReviewed {}

impl Control for QueueResultReviewed {
    const META: Meta = Meta {
        code: "CHG-27",
        id: "queue-result-reviewed",
        title: "what a merge queue or train would merge is what was reviewed",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-14"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeQueue, FactKey::ChangeIdentity],
        rationale: "A queue merges commits that nobody has seen; each has to come from a change that \
                    somebody did review, at the head that they reviewed.",
        cheat: "Letting a commit ride along in a group, or pushing to a change after it was queued. \
                Every commit of the result has to belong to one change in the queue, the judged change \
                has to be among them with the head that it has now, and a merge commit has to merge \
                that very head. The content of a squash or rebase commit is the platform's word.",
        remedy_github: "take the change out of the queue, have its newest commit reviewed, and queue it \
                        again; a group whose changes the queue no longer names stays unknown: run the \
                        check again",
        remedy_gitlab: "take the merge request out of the train and start it again; where the project \
                        squashes, the train merges a commit of its own, which stays unknown: set \
                        `on_unknown: warn`, or do not squash",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.queue;
        let key = FactKey::ChangeQueue;
        let Some(result) = fact.known()? else {
            return Ok(Verdict::NotApplicable(Evidence::new(
                "no result of a merge queue or train is judged",
                key,
                "no queue",
                fact.sources(),
            )));
        };
        let identity = facts.identity.known()?;
        let commits = result.commits.known()?;
        let seen = format!(
            "{} commits from {} to {}",
            commits.len(),
            result.base.as_deref().map_or("the branch", short),
            short(&result.head)
        );
        let evidence = |summary: String| {
            Evidence::new(summary, key, seen.clone(), result.commits.sources()).and(
                FactKey::ChangeIdentity,
                format!("change {} at {}", identity.number, short(&identity.head)),
                facts.identity.sources(),
            )
        };
        let mut hidden = None;
        let mut own = false;
        for commit in commits {
            match flaw(result, commit, facts) {
                Ok(Some(flaw)) => return Ok(Verdict::fail(evidence(flaw))),
                Ok(None) => {}
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
            own |= commit.entry.known().is_ok_and(|entry| {
                entry
                    .as_ref()
                    .is_some_and(|entry| entry.number == identity.number)
            });
        }
        let tip = commits.first().map(|commit| commit.sha.as_str());
        if tip != Some(result.head.as_str()) {
            return Ok(Verdict::fail(evidence(
                "the commits do not end at the result that is judged".to_owned(),
            )));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        if !own {
            return Ok(Verdict::fail(evidence(format!(
                "change {} brings nothing to the result",
                identity.number
            ))));
        }
        Ok(Verdict::Pass(evidence(format!(
            "{seen}, each of a change in the queue; change {} with its head {}",
            identity.number,
            short(&identity.head)
        ))))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// What is wrong with one commit of the result.
///
/// # Errors
/// Why it cannot be told.
fn flaw(
    result: &QueueResult,
    commit: &QueueCommit,
    facts: &Snapshot,
) -> Result<Option<String>, Unknown> {
    let identity = facts.identity.known()?;
    let name = short(&commit.sha);
    let Some(entry) = commit.entry.known()? else {
        return Ok(Some(format!(
            "no change in the queue explains the commit {name}"
        )));
    };
    if entry.number == identity.number
        && (entry.head != identity.head || entry.head != facts.subject.head)
    {
        return Ok(Some(format!(
            "the result carries change {} at {}, not at its head {}",
            entry.number,
            short(&entry.head),
            short(&identity.head)
        )));
    }
    match (commit.parents.as_slice(), result.kind) {
        // A squash or a rebase: made by the platform, which says of which change.
        ([_], QueueKind::Queue) => Ok(None),
        ([_, merged], _) if *merged == entry.head => Ok(None),
        ([_, merged], QueueKind::Queue) => Ok(Some(format!(
            "the commit {name} merges {}, not the head {} of change {}",
            short(merged),
            short(&entry.head),
            entry.number
        ))),
        ([_] | [_, _], QueueKind::Train) if commit.sha == entry.head => Ok(None),
        ([_] | [_, _], QueueKind::Train) => Err(Unknown::new(
            FactKey::ChangeQueue.name(),
            Why::NotSupported,
            "the train merges a commit that it made of the change, and nothing tells whether its \
             content is the reviewed one",
        )),
        _ => Ok(Some(format!(
            "the commit {name} has {} parents",
            commit.parents.len()
        ))),
    }
}

#[cfg(test)]
mod tests;
