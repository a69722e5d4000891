//! CHG-26: a backport, cherry-pick or revert names its original, which was approved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals_sufficient::ApprovalsSufficient;
use super::approver_is_independent::ApproverIsIndependent;
use super::arrived::at_merge;
use super::hands::Hands;
use super::owners::{Tally, worthy};
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::controls::globs::Globs;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    ArrivedChange, ChangeState, FactKey, Original, OriginalReference, Platform, Snapshot, Unknown,
    Why,
};

/// Parameters of CHG-26.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OriginalApproved {
    /// Globs of source branches that mark a backport, cherry-pick or revert, beside the
    /// words that git and the platforms write.
    #[schemars(with = "Vec<String>")]
    branches: Globs,
    /// Fewest approvals that the original had when it was merged; 0 counts as 1.
    min: u32,
}

impl Default for OriginalApproved {
    fn default() -> Self {
        let branches = ["backport/*", "backport-*", "cherry-pick-*", "revert-*"];
        let branches: Vec<String> = branches.iter().map(|&text| text.to_owned()).collect();
        Self {
            branches: Globs::try_from(branches).expect("literal globs"),
            min: 1,
        }
    }
}

impl Control for OriginalApproved {
    const META: Meta = Meta {
        code: "CHG-26",
        id: "original-approved",
        title: "a backport, cherry-pick or revert names its original, which was approved",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
            FactKey::ChangeReviews,
            FactKey::ChangeOriginals,
        ],
        rationale: "A copy is waved through because its original was reviewed; that has to be true, \
                    and the copy may hold more than the original.",
        cheat: "Naming an original that nobody approved, one that was never merged, or a commit that \
                was pushed to the branch of a merged change afterwards. The original is looked up: it \
                has to be merged, the commit has to be its merge or one of its own, and it has to have \
                been approved by people without a hand in it. The copy needs an approval of its own.",
        remedy_github: "name the original as `git cherry-pick -x` or `git revert` does, or by its pull \
                        request (`Backport of #7`), and ask for a review of the copy too",
        remedy_gitlab: "name the original as `git cherry-pick -x` or `git revert` does, or by its merge \
                        request (`Backport of !7`), and ask for an approval of the copy too",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let identity = facts.identity.known()?;
        let references = facts.original_references()?;
        let marked = self.branches.matches(&identity.source_branch)
            || identity.title.starts_with("Revert \"");
        let evidence = |summary: String| {
            Evidence::new(
                summary.clone(),
                FactKey::ChangeOriginals,
                summary,
                facts.identity.sources(),
            )
        };
        if references.is_empty() {
            return Ok(if marked {
                Verdict::fail(evidence(
                    "it looks like a backport, cherry-pick or revert and names no original"
                        .to_owned(),
                ))
            } else {
                Verdict::NotApplicable(evidence(
                    "the change does not say that it copies or takes back another one".to_owned(),
                ))
            });
        }
        let originals = facts.originals.known()?;
        let (mut fine, mut wrong, mut hidden) = (Vec::new(), Vec::new(), None);
        for reference in &references {
            let original = originals
                .iter()
                .find(|original| original.reference == *reference);
            match self.judge(facts, reference, original) {
                Ok(Ok(words)) => fine.push(words),
                Ok(Err(words)) => wrong.push(words),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !wrong.is_empty() {
            return Ok(Verdict::fail(evidence(wrong.join("; "))));
        }
        let own = Tally::of(&worthy(facts, &Hands::of(facts))?).reaches(1);
        if own == Ok(false) {
            return Ok(Verdict::fail(evidence(
                "nobody without a hand in it approved the copy itself".to_owned(),
            ))
            .awaiting(Awaiting::Approval));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        own?;
        Ok(Verdict::Pass(evidence(fine.join("; "))))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if let Some(unmarked) = base.branches.beyond(&self.branches) {
            return Some(format!("does not take branches like {unmarked} for copies"));
        }
        (self.min.max(1) < base.min.max(1)).then(|| {
            format!(
                "asks for {} approvals of the original instead of {}",
                self.min.max(1),
                base.min.max(1)
            )
        })
    }
}

impl OriginalApproved {
    /// What is fine, or wrong, with an original. Of several changes that may have
    /// brought a commit one that did and was approved is enough.
    fn judge(
        &self,
        facts: &Snapshot,
        reference: &OriginalReference,
        original: Option<&Original>,
    ) -> Result<Result<String, String>, Unknown> {
        let name = reference.in_words();
        let Some(original) = original else {
            return Err(unseen(&name, "was not asked about"));
        };
        let mut wrong = Vec::new();
        let mut hidden = None;
        for change in original.changes.known()? {
            match self.approved(facts, reference, change) {
                Ok(Ok(words)) => return Ok(Ok(format!("{name} {words}"))),
                Ok(Err(words)) => wrong.push(words),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None if wrong.is_empty() => Ok(Err(format!("{name} came through no merged change"))),
            None => Ok(Err(format!("{name} {}", wrong.join(", ")))),
        }
    }

    fn approved(
        &self,
        facts: &Snapshot,
        reference: &OriginalReference,
        change: &ArrivedChange,
    ) -> Result<Result<String, String>, Unknown> {
        let number = change.number;
        let identity = change.identity.known()?;
        match identity.state {
            ChangeState::Merged => {}
            ChangeState::Open | ChangeState::Closed | ChangeState::Other(_) => {
                return Ok(Err(format!("was not merged (change {number})")));
            }
        }
        if let OriginalReference::Commit(sha) = reference {
            let merge = identity.merge_commit.as_ref() == Some(sha);
            let own = change.commits.known()?;
            if !merge && !own.iter().any(|commit| commit.sha == *sha) {
                // A rebase leaves other commits than the change has; so does a push to
                // its branch after the merge.
                return Err(unseen(
                    &reference.in_words(),
                    &format!("is neither the merge nor a commit of change {number}"),
                ));
            }
        }
        let then = at_merge(facts, change)?;
        let verdicts = [
            ApprovalsSufficient::at_least(self.min).evaluate(&then)?,
            ApproverIsIndependent::default().evaluate(&then)?,
        ];
        for verdict in verdicts {
            match verdict {
                Verdict::Pass(_) => {}
                Verdict::Fail(failure) => {
                    let why = failure.evidence.summary();
                    return Ok(Err(format!("came through change {number}: {why}")));
                }
                Verdict::NotApplicable(evidence) => {
                    let why = evidence.summary();
                    return Ok(Err(format!("came through change {number}: {why}")));
                }
            }
        }
        Ok(Ok(format!(
            "came through change {number}, approved by people without a hand in it"
        )))
    }
}

fn unseen(name: &str, detail: &str) -> Unknown {
    Unknown::new(
        FactKey::ChangeOriginals.name(),
        Why::HiddenOrAbsent,
        format!("{name} {detail}"),
    )
}

#[cfg(test)]
mod tests;
