//! CHG-24: approvals come from more than one person, and not from each other alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrived::{at_merge, brought, moved};
use super::hands::Hands;
use super::owners::{Tally, worthy};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{ArrivedChange, FactKey, Platform, Snapshot, Unknown};

/// Parameters of CHG-24.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApproversVary {
    /// Fewest changes of a move of the branch that say anything; below it is not judged.
    min_changes: u32,
    /// Most changes, in percent, that one person may be the only one to approve, and
    /// that two people may only approve for each other.
    #[schemars(range(min = 0, max = 100))]
    max_percent: u8,
}

impl Default for ApproversVary {
    fn default() -> Self {
        Self {
            min_changes: 5,
            max_percent: 80,
        }
    }
}

impl Control for ApproversVary {
    const META: Meta = Meta {
        code: "CHG-24",
        id: "approvers-vary",
        title: "approvals come from more than one person, and not from each other alone",
        criteria: &[Criterion::Cc5_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["AC-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchArrivals, FactKey::BranchArrivedChanges],
        rationale: "One person who approves everything, or two who approve each other, are no second \
                    pair of eyes any more.",
        cheat: "Agreeing on it among three, or adding a colleague's click now and then. A share is a \
                sign, no proof: this control is meant to warn, and looks at the changes of one move of \
                the branch.",
        remedy_github: "spread reviews, for example by a team that code owners name and that GitHub \
                        assigns in turn",
        remedy_gitlab: "spread approvals, for example by an approval rule over a group and GitLab's \
                        suggested reviewers",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let not_judged = |words: String| {
            Ok(Verdict::NotApplicable(Evidence::new(
                words.clone(),
                FactKey::BranchArrivals,
                words,
                facts.arrivals.sources(),
            )))
        };
        let Some((arrivals, _)) = moved(facts)? else {
            return not_judged("no move of a branch is judged".to_owned());
        };
        let brought = brought(facts, arrivals)?;
        if let Some(unknown) = brought.doubt {
            return Err(unknown);
        }
        let count = brought.changes.len();
        if count < self.min_changes as usize {
            return not_judged(format!(
                "{count} changes came, fewer than {} say nothing",
                self.min_changes
            ));
        }
        let mut alone: BTreeMap<String, usize> = BTreeMap::new();
        let mut pairs: BTreeMap<(String, String), [usize; 2]> = BTreeMap::new();
        for (_, change) in &brought.changes {
            let change = change.as_ref().map_err(Clone::clone)?;
            let (author, approvers) = people(facts, change)?;
            let [only] = approvers.as_slice() else {
                continue;
            };
            *alone.entry(only.clone()).or_default() += 1;
            if let Some(author) = author {
                let forward = author < *only;
                let pair = if forward {
                    (author, only.clone())
                } else {
                    (only.clone(), author)
                };
                pairs.entry(pair).or_default()[usize::from(forward)] += 1;
            }
        }
        let wrong = self.wrong(count, &alone, &pairs);
        let evidence = |words: String| {
            brought.with_sources(Evidence::new(
                words.clone(),
                FactKey::BranchArrivedChanges,
                words,
                facts.arrived_changes.sources(),
            ))
        };
        Ok(if wrong.is_empty() {
            Verdict::Pass(evidence(format!(
                "nobody alone, and no pair, approved more than {} % of {count} changes",
                self.max_percent
            )))
        } else {
            Verdict::fail(evidence(wrong.join("; ")))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.min_changes > base.min_changes {
            return Some("leaves smaller moves unjudged".to_owned());
        }
        (self.max_percent > base.max_percent).then(|| "allows a larger share".to_owned())
    }
}

impl ApproversVary {
    fn wrong(
        &self,
        count: usize,
        alone: &BTreeMap<String, usize>,
        pairs: &BTreeMap<(String, String), [usize; 2]>,
    ) -> Vec<String> {
        let too_many = |share: usize| share * 100 > count * usize::from(self.max_percent);
        let by_one = alone
            .iter()
            .filter(|(_, share)| too_many(**share))
            .map(|(who, share)| format!("@{who} alone approved {share} of {count} changes"));
        // One direction only is one person who approves another's work, which is counted above.
        let by_two = pairs
            .iter()
            .filter(|(_, [one, other])| *one > 0 && *other > 0 && too_many(one + other))
            .map(|((one, other), [a, b])| {
                format!(
                    "@{one} and @{other} approved {} of {count} changes for each other alone",
                    a + b
                )
            });
        by_one.chain(by_two).collect()
    }
}

/// Who opened a change, and who had approved it at its merge without a hand in it.
/// Names in lower case: platforms do not tell upper from lower.
///
/// # Errors
/// Why there may be others.
fn people(
    facts: &Snapshot,
    change: &ArrivedChange,
) -> Result<(Option<String>, Vec<String>), Unknown> {
    let then = at_merge(facts, change)?;
    let tally = Tally::of(&worthy(&then, &Hands::of(&then))?);
    if let Some(unknown) = tally.in_doubt.into_iter().next() {
        return Err(unknown);
    }
    let lower = |login: &str| login.trim_start_matches('@').to_ascii_lowercase();
    let author = change.identity.known()?.author.as_ref();
    Ok((
        author.map(|author| lower(&author.login)),
        tally.sure.iter().map(|who| lower(who)).collect(),
    ))
}

#[cfg(test)]
mod tests;
