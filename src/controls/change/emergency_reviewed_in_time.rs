//! CHG-25: an emergency change names its incident and is reviewed in time.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrived::{brought, moved, until};
use super::hands::Hands;
use super::owners::{Tally, worthy};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::globs::Globs;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    ArrivedChange, ChangeState, Fact, FactKey, Identity, Platform, Snapshot, Source, TicketPattern,
    Unknown, Why, visible,
};

/// Parameters of CHG-25.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EmergencyReviewedInTime {
    /// Globs of labels that mark an emergency change.
    #[schemars(with = "Vec<String>")]
    labels: Globs,
    /// Globs of source branches that mark one.
    #[schemars(with = "Vec<String>")]
    branches: Globs,
    /// Regular expression of an incident's ticket, which title, description or branch
    /// has to name.
    #[schemars(with = "String")]
    incident: TicketPattern,
    /// Hours after the merge within which somebody without a hand in the change has to
    /// have approved it.
    review_within_hours: u32,
}

impl Default for EmergencyReviewedInTime {
    fn default() -> Self {
        let globs = |text: &str| Globs::try_from(vec![text.to_owned()]).expect("a literal glob");
        Self {
            labels: globs("emergency"),
            branches: globs("emergency/*"),
            incident: TicketPattern::literal("INC-[0-9]+"),
            review_within_hours: 72,
        }
    }
}

impl Control for EmergencyReviewedInTime {
    const META: Meta = Meta {
        code: "CHG-25",
        id: "emergency-reviewed-in-time",
        title: "an emergency change names its incident and is reviewed in time",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_4],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.26"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "IR-4"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
            FactKey::ChangeReviews,
            FactKey::BranchArrivals,
            FactKey::BranchArrivedChanges,
        ],
        rationale: "In an emergency a change may go first and be reviewed afterwards; a review that \
                    never comes makes every change an emergency.",
        cheat: "Calling a change an emergency without an incident, letting its author review it, or \
                letting the time pass. The mark opens nothing: it only asks for more, and every other \
                control judges the change as it does any other.",
        remedy_github: "name the incident in the description, and ask somebody who had no hand in the \
                        change to approve the pull request, also after its merge",
        remedy_gitlab: "name the incident in the description, and ask somebody who had no hand in the \
                        change to approve the merge request",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let Some((arrivals, sources)) = moved(facts)? else {
            let identity = facts.identity.known()?;
            let sources = facts.identity.sources();
            return match self.judge(facts.latest_time(), identity, |deadline| {
                approved_until(facts, deadline)
            })? {
                None => Ok(Verdict::NotApplicable(evidence(
                    FactKey::ChangeIdentity,
                    "the change is not marked as an emergency".to_owned(),
                    sources,
                ))),
                Some(Ok(fine)) => Ok(Verdict::Pass(evidence(
                    FactKey::ChangeIdentity,
                    fine,
                    sources,
                ))),
                Some(Err(wrong)) => Ok(Verdict::fail(evidence(
                    FactKey::ChangeIdentity,
                    wrong,
                    sources,
                ))),
            };
        };
        let brought = brought(facts, arrivals)?;
        let (mut fine, mut wrong, mut hidden) = (Vec::new(), Vec::new(), brought.doubt.clone());
        for (number, change) in &brought.changes {
            let judged = change
                .clone()
                .and_then(|change| self.arrived(facts, change));
            match judged {
                Ok(None) => {}
                Ok(Some(Ok(words))) => fine.push(format!("change {number}: {words}")),
                Ok(Some(Err(words))) => wrong.push(format!("change {number}: {words}")),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        let with =
            |words: String| brought.with_sources(evidence(FactKey::BranchArrivals, words, sources));
        if !wrong.is_empty() {
            return Ok(Verdict::fail(with(wrong.join("; "))));
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None if fine.is_empty() => Ok(Verdict::NotApplicable(with(
                "no emergency change came onto the branch".to_owned(),
            ))),
            None => Ok(Verdict::Pass(with(fine.join("; ")))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let unmarked = base
            .labels
            .beyond(&self.labels)
            .or_else(|| base.branches.beyond(&self.branches));
        if let Some(unmarked) = unmarked {
            return Some(format!("does not take {unmarked} for an emergency"));
        }
        if self.incident.as_str() != base.incident.as_str() {
            return Some("`incident` differs and cannot be shown to be as strict".to_owned());
        }
        (self.review_within_hours > base.review_within_hours).then(|| {
            format!(
                "gives {} hours for the review instead of {}",
                self.review_within_hours, base.review_within_hours
            )
        })
    }
}

/// What is fine, or wrong, with an emergency change; `None`: it is none.
type Judged = Option<Result<String, String>>;

impl EmergencyReviewedInTime {
    fn is_marked(&self, identity: &Identity) -> bool {
        self.branches.matches(&identity.source_branch)
            || identity
                .labels
                .iter()
                .any(|label| self.labels.matches(label))
    }

    fn arrived(&self, facts: &Snapshot, change: &ArrivedChange) -> Result<Judged, Unknown> {
        self.judge(facts.latest_time(), change.identity.known()?, |deadline| {
            let seen = until(facts, change, deadline)?;
            approvers(&seen)
        })
    }

    /// `approved` tells who, of those without a hand in it, had approved it by a moment.
    fn judge(
        &self,
        now: Timestamp,
        identity: &Identity,
        approved: impl Fn(Timestamp) -> Result<Vec<String>, Unknown>,
    ) -> Result<Judged, Unknown> {
        if !self.is_marked(identity) {
            return Ok(None);
        }
        let texts = [&identity.title, &identity.body, &identity.source_branch];
        let texts = texts.map(|text| visible(text));
        let Some(incident) = texts
            .iter()
            .find_map(|text| self.incident.names(text).next())
        else {
            return Ok(Some(Err(format!(
                "marked as an emergency, and neither title, description nor branch names an \
                 incident like `{}`",
                self.incident.as_str()
            ))));
        };
        let hours = self.review_within_hours;
        match identity.state {
            ChangeState::Merged => {}
            ChangeState::Open | ChangeState::Closed | ChangeState::Other(_) => {
                return Ok(Some(Ok(format!(
                    "an emergency for `{incident}`; a review is due {hours} hours after its merge"
                ))));
            }
        }
        let merged_at = identity.merged_at.ok_or_else(|| {
            Unknown::new(
                FactKey::ChangeIdentity.name(),
                Why::HiddenOrAbsent,
                "the platform does not tell when the emergency change was merged",
            )
        })?;
        let window = SignedDuration::from_hours(i64::from(hours));
        let deadline = merged_at.checked_add(window).unwrap_or(Timestamp::MAX);
        let by = approved(deadline)?;
        Ok(Some(if !by.is_empty() {
            Ok(format!(
                "an emergency for `{incident}`, approved by {}",
                by.join(", ")
            ))
        } else if now <= deadline {
            Ok(format!(
                "an emergency for `{incident}`; a review is due by {deadline}"
            ))
        } else {
            Err(format!(
                "an emergency for `{incident}`, merged at {merged_at}: nobody without a hand in it \
                 had approved it by {deadline}"
            ))
        }))
    }
}

fn evidence(key: FactKey, words: String, sources: &[Source]) -> Evidence {
    Evidence::new(words.clone(), key, words, sources)
}

/// Who approved a change that is judged by itself, up to that moment.
fn approved_until(facts: &Snapshot, deadline: Timestamp) -> Result<Vec<String>, Unknown> {
    let mut reviews = Vec::new();
    for review in facts.reviews.known()? {
        if *review.submitted_at.known()? <= deadline {
            reviews.push(review.clone());
        }
    }
    let mut seen = facts.clone();
    seen.reviews = Fact::seen_in(reviews, facts.reviews.sources().to_vec());
    approvers(&seen)
}

/// # Errors
/// Why there may be somebody where nobody is sure.
fn approvers(facts: &Snapshot) -> Result<Vec<String>, Unknown> {
    let tally = Tally::of(&worthy(facts, &Hands::of(facts))?);
    tally.reaches(1)?;
    Ok(tally.sure)
}

#[cfg(test)]
mod tests;
