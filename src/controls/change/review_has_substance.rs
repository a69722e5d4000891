//! CHG-23: the review took its time, and the change was small enough for it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hands::Hands;
use super::head::head;
use super::owners::worthy;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::tree::Worth;
use crate::criteria::{Criterion, Framework};
use crate::facts::{CheckStatus, FactKey, Identity, Platform, Review, Snapshot, Unknown, Why};

/// Parameters of CHG-23.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReviewHasSubstance {
    /// Fewest seconds between the newest push, or the opening, and the approval.
    min_review_seconds: u32,
    /// Fewest minutes that the change stands open before it is merged.
    min_open_minutes: u32,
    /// Most lines, added and removed ones together.
    max_lines: u64,
    /// Whether the approval may come before the checks of the head have ended.
    allow_before_checks: bool,
    /// Name of the gate's own check or job, which is left out: it waits for the approval.
    gate: String,
}

impl Default for ReviewHasSubstance {
    fn default() -> Self {
        Self {
            min_review_seconds: 60,
            min_open_minutes: 10,
            max_lines: 1_000,
            allow_before_checks: false,
            gate: "ccgate".to_owned(),
        }
    }
}

impl Control for ReviewHasSubstance {
    const META: Meta = Meta {
        code: "CHG-23",
        id: "review-has-substance",
        title: "the review took its time, and the change was small enough for it",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.28"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11(4)"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
            FactKey::ChangeReviews,
            FactKey::ChangeChecks,
            FactKey::ChangeFiles,
        ],
        rationale: "An approval seconds after the push, of thousands of lines, was given by somebody \
                    who did not read them.",
        cheat: "Waiting before the click, or cutting a large change into many. Times and sizes are \
                signs, no proof: this control is meant to warn, and does not replace any that counts \
                approvals.",
        remedy_github: "split the change, and ask for a review when its checks have ended; let \
                        somebody without a hand in it approve once more after reading it",
        remedy_gitlab: "split the change, and ask for an approval when its pipeline has ended; let \
                        somebody without a hand in it approve once more after reading it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let identity = facts.identity.known()?;
        let parts = [
            self.hasty(facts, identity),
            self.too_large(facts),
            self.open_too_short(facts, identity),
        ];
        let mut wrong = Vec::new();
        let mut hidden = None;
        for part in parts {
            match part {
                Ok(found) => wrong.extend(found),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        let evidence = |words: String| {
            Evidence::new(
                words.clone(),
                FactKey::ChangeReviews,
                words,
                facts.reviews.sources(),
            )
        };
        if !wrong.is_empty() {
            return Ok(Verdict::fail(evidence(wrong.join("; "))));
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(evidence(
                "the approval came late enough, and the change is small enough to be read"
                    .to_owned(),
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.min_review_seconds < base.min_review_seconds {
            return Some("is content with a shorter review".to_owned());
        }
        if self.min_open_minutes < base.min_open_minutes {
            return Some("is content with a shorter time open".to_owned());
        }
        if self.max_lines > base.max_lines {
            return Some("lets larger changes pass".to_owned());
        }
        if self.allow_before_checks && !base.allow_before_checks {
            return Some("lets approvals come before the checks have ended".to_owned());
        }
        (self.gate != base.gate && !self.gate.is_empty())
            .then(|| format!("leaves out `{}` instead of `{}`", self.gate, base.gate))
    }
}

impl ReviewHasSubstance {
    /// What is wrong with every approval that counts; `None`: one of them is fine.
    fn hasty(&self, facts: &Snapshot, identity: &Identity) -> Result<Option<String>, Unknown> {
        let reviews = facts.reviews.known()?;
        let mut wrong = Vec::new();
        let mut hidden = None;
        for ruling in worthy(facts, &Hands::of(facts))? {
            let judged = match &ruling.worth {
                Worth::Counts(_) => self.fault(&reviews[ruling.review], facts, identity),
                Worth::Never(_) => continue,
                Worth::Unknown(unknown) => Err(unknown.clone()),
            };
            match judged {
                Ok(None) => return Ok(None),
                Ok(Some(words)) => wrong.push(format!("{} {words}", ruling.who())),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None if wrong.is_empty() => Ok(Some(
                "nobody without a hand in it approved the newest commit".to_owned(),
            )),
            None => Ok(Some(wrong.join(", "))),
        }
    }

    /// What says that the approval was given without a look.
    fn fault(
        &self,
        review: &Review,
        facts: &Snapshot,
        identity: &Identity,
    ) -> Result<Option<String>, Unknown> {
        let at = *review.submitted_at.known()?;
        let pushes = facts.pushes.known()?.iter().map(|push| push.at);
        let since = pushes
            .filter(|pushed| *pushed <= at)
            .chain(identity.opened_at)
            .max()
            .ok_or_else(|| untold("when the change was opened"))?;
        let seconds = at.duration_since(since).as_secs();
        if seconds < i64::from(self.min_review_seconds) {
            return Ok(Some(format!("approved {seconds} s after the newest push")));
        }
        if self.allow_before_checks {
            return Ok(None);
        }
        Ok(self
            .checks_ended(facts)?
            .is_none_or(|ended| at < ended)
            .then(|| "approved before the checks of the newest commit had ended".to_owned()))
    }

    /// When the last check of the head ended; `None`: one has not. Without any check
    /// it is the beginning of time: then there was nothing to wait for.
    fn checks_ended(&self, facts: &Snapshot) -> Result<Option<Timestamp>, Unknown> {
        let head = head(facts)?;
        let mut last = Timestamp::MIN;
        for check in facts.checks.known()? {
            if check.head != head || check.name == self.gate {
                continue;
            }
            match (&check.status, check.ended_at) {
                (CheckStatus::Completed, Some(ended)) => last = last.max(ended),
                (CheckStatus::Completed, None) => return Err(untold("when a check ended")),
                (CheckStatus::Running | CheckStatus::Other(_), _) => return Ok(None),
            }
        }
        Ok(Some(last))
    }

    fn too_large(&self, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        let mut lines = 0_u64;
        let mut told = true;
        for file in facts.files.known()? {
            told &= file.additions.is_some() && file.deletions.is_some();
            let of_file = [file.additions, file.deletions];
            lines = of_file
                .into_iter()
                .flatten()
                .fold(lines, u64::saturating_add);
        }
        if lines > self.max_lines {
            let max = self.max_lines;
            return Ok(Some(format!("{lines} lines changed, at most {max} wanted")));
        }
        if told {
            Ok(None)
        } else {
            Err(Unknown::new(
                FactKey::ChangeFiles.name(),
                Why::HiddenOrAbsent,
                "the platform does not tell how many lines of a file changed",
            ))
        }
    }

    fn open_too_short(
        &self,
        facts: &Snapshot,
        identity: &Identity,
    ) -> Result<Option<String>, Unknown> {
        let opened = identity
            .opened_at
            .ok_or_else(|| untold("when the change was opened"))?;
        let until = identity.merged_at.unwrap_or_else(|| facts.latest_time());
        let minutes = until.duration_since(opened).as_secs().div_euclid(60);
        let min = i64::from(self.min_open_minutes);
        Ok((minutes < min).then(|| format!("open for {minutes} minutes, at least {min} wanted")))
    }
}

fn untold(what: &str) -> Unknown {
    Unknown::new(
        FactKey::ChangeIdentity.name(),
        Why::HiddenOrAbsent,
        format!("the platform does not tell {what}"),
    )
}

#[cfg(test)]
mod tests;
