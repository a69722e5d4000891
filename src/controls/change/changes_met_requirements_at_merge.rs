//! CHG-20: every change on the branch had met the requirements when it was merged.

use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals_sufficient::ApprovalsSufficient;
use super::approver_is_independent::ApproverIsIndependent;
use super::arrived::{arrivals, at_merge, brought};
use super::checks_succeeded::ChecksSucceeded;
use super::hands::short;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    AccountRef, Arrivals, ArrivedChange, BypassMode, FactKey, LayerKind, Platform, RuleBypass,
    RuleBypasses, Snapshot, Unknown, Why,
};

/// As much of a reason as stands in the verdict, in characters; the record has more.
const REASON_SHOWN: usize = 200;

/// Parameters of CHG-20.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangesMetRequirementsAtMerge {
    /// Fewest approvals; 0 counts as 1.
    min: u32,
    /// Whether a skipped or neutral result counts as success.
    allow_skipped: bool,
    /// Name of the gate's own check or job, which is left out.
    gate: String,
    /// Whether the platform's own records of bypasses have to be seen as well.
    recorded_bypasses: bool,
}

impl Default for ChangesMetRequirementsAtMerge {
    fn default() -> Self {
        Self {
            min: 1,
            allow_skipped: false,
            gate: "ccgate".to_owned(),
            recorded_bypasses: true,
        }
    }
}

impl Control for ChangesMetRequirementsAtMerge {
    const META: Meta = Meta {
        code: "CHG-20",
        id: "changes-met-requirements-at-merge",
        title: "every change on the branch had met the requirements when it was merged",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_2],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.5.1", "6.2.3"]),
            (Framework::Nist80053, &["CM-3", "CM-5(1)"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::BranchArrivals,
            FactKey::BranchArrivedChanges,
            FactKey::BranchBypasses,
            FactKey::BranchRules,
            FactKey::BranchBypass,
        ],
        rationale: "Whoever may go around the rules merges past the gate; only looking again at what \
                    was merged shows it.",
        cheat: "Merging as an administrator and having it approved, or made green, afterwards; several \
                merges at once of which only the last is clean. Approvals and results count only if \
                they were there at the merge, each change of the push is judged, and the platform's \
                own records of bypasses are held against it: GitHub's rule suites and requests to go \
                around push rules, GitLab's audit events of approval policies that were bypassed, \
                whoever allowed it. Rule suites say nothing of classic protection, and are taken for \
                whole only if nobody is exempt from a ruleset: no rule runs for them, and no record is \
                kept.",
        remedy_github: "have the change reviewed by somebody who did not merge it, and record the \
                        outcome; BR-22 limits who can go around the rules",
        remedy_gitlab: "have the change reviewed by somebody who did not merge it, and record the \
                        outcome; BR-22 limits who can go around the rules",
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
                .and_then(|change| self.judge(facts, change, &mut wrong));
            match judged {
                Ok(()) => good.push(format!("change {number}")),
                Err(unknown) => doubt = doubt.or(Some(unknown)),
            }
        }
        if self.recorded_bypasses {
            match recorded(facts, arrivals) {
                Ok(found) => wrong.extend(found),
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
                FailReason::MergedPastGate,
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
            format!("{seen}: approved by somebody independent, and green, when merged"),
            seen,
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if base.recorded_bypasses && !self.recorded_bypasses {
            return Some("does not look at the platform's list of bypasses".to_owned());
        }
        if self.allow_skipped && !base.allow_skipped {
            return Some("counts skipped checks as success".to_owned());
        }
        if self.gate != base.gate && !self.gate.is_empty() {
            return Some(format!(
                "leaves out `{}` instead of `{}`",
                self.gate, base.gate
            ));
        }
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

impl ChangesMetRequirementsAtMerge {
    /// Judges the change as it stood at its merge by the controls that a change has
    /// to meet before it, and adds what it did not meet.
    fn judge(
        &self,
        facts: &Snapshot,
        change: &ArrivedChange,
        wrong: &mut Vec<String>,
    ) -> Result<(), Unknown> {
        let seen = at_merge(facts, change)?;
        let merger = change
            .identity
            .known()?
            .merged_by
            .as_ref()
            .map(|who| format!(", merged by @{}", who.login))
            .unwrap_or_default();
        let verdicts = [
            ApprovalsSufficient::at_least(self.min).evaluate(&seen),
            ApproverIsIndependent::default().evaluate(&seen),
            ChecksSucceeded::leaving_out(self.gate.clone(), self.allow_skipped).evaluate(&seen),
        ];
        let mut doubt = None;
        for verdict in verdicts {
            match verdict {
                Ok(Verdict::Fail(failure)) => wrong.push(format!(
                    "change {}{merger}: {}",
                    change.number,
                    failure.evidence.summary()
                )),
                Ok(Verdict::Pass(_) | Verdict::NotApplicable(_)) => {}
                Err(unknown) => doubt = doubt.or(Some(unknown)),
            }
        }
        doubt.map_or(Ok(()), Err)
    }
}

/// What the platform's own records say about the move.
///
/// # Errors
/// Why they are not known, or may lack some.
fn recorded(facts: &Snapshot, arrivals: &Arrivals) -> Result<Vec<String>, Unknown> {
    let Some(bypasses) = facts.bypasses.known()? else {
        return Ok(Vec::new());
    };
    let of = bypasses.of_the_move(arrivals, &facts.arrived_changes);
    let found: Vec<String> = of.found.iter().copied().map(in_words).collect();
    if found.is_empty() {
        if let Some(unknown) = of.doubt.or_else(|| bypasses.unseen.clone()) {
            return Err(unknown);
        }
        unrecorded(facts)?;
        reached_back(facts, arrivals, bypasses)?;
    }
    Ok(found)
}

fn in_words(bypass: &RuleBypass) -> String {
    let at = |who: &AccountRef| format!("@{}", who.login);
    let somebody = "somebody".to_owned();
    let who = bypass.actor.as_ref().map_or(somebody.clone(), at);
    let what = match (&bypass.after, &bypass.commit, bypass.change) {
        (Some(sha), _, _) | (None, Some(sha), _) => short(sha).to_owned(),
        (None, None, Some(number)) => format!("change {number}"),
        (None, None, None) => "a push to the branch".to_owned(),
    };
    let mut words = format!("the platform let {who} go around the rules for {what}");
    if let Some(record) = &bypass.record {
        let _ = write!(words, " ({record})");
    }
    if bypass.after.is_none() {
        match bypass.allowed_by.as_deref() {
            Some([]) => {}
            Some(people) => {
                let names: Vec<String> = people.iter().map(at).collect();
                let _ = write!(words, ", allowed by {}", names.join(", "));
            }
            None => words.push_str(", allowed by somebody who is not named"),
        }
        if bypass.allowed_by_asker() {
            words.push_str(", who had asked for it");
        }
    }
    if let Some(reason) = &bypass.reason {
        let shown: String = reason.chars().take(REASON_SHOWN).collect();
        let more = if shown.len() < reason.len() {
            "…"
        } else {
            ""
        };
        let _ = write!(words, ": \"{shown}{more}\"");
    }
    words
}

/// # Errors
/// The records begin after something that they would have to tell of.
fn reached_back(
    facts: &Snapshot,
    arrivals: &Arrivals,
    bypasses: &RuleBypasses,
) -> Result<(), Unknown> {
    let beyond = |since: Timestamp, what: &str| {
        Err(Unknown::new(
            FactKey::BranchBypasses.name(),
            Why::NotSupported,
            format!("the platform's list of bypasses reaches back to {since} only{what}"),
        ))
    };
    let within = |at: Option<Timestamp>, since| at.is_some_and(|at| at >= since);
    let moves = arrivals.moves.known()?;
    if !moves.iter().all(|entry| within(entry.at, bypasses.since)) {
        return beyond(bypasses.since, "");
    }
    let Some(early) = bypasses.early_since else {
        return Ok(());
    };
    for (number, change) in brought(facts, arrivals)?.changes {
        if !within(change?.identity.known()?.opened_at, early) {
            return beyond(early, &format!(", and change {number} was opened before"));
        }
    }
    Ok(())
}

/// # Errors
/// Who can go around a ruleset without leaving a record, or that it is not known whether
/// anybody can.
fn unrecorded(facts: &Snapshot) -> Result<(), Unknown> {
    let rules = facts.branch_rules.known()?;
    let rulesets = rules
        .layers
        .iter()
        .filter(|layer| layer.kind == LayerKind::Ruleset);
    for layer in rulesets {
        let actors = layer.bypass.known()?.iter();
        let mut silent = actors.filter(|actor| match actor.mode {
            BypassMode::Always | BypassMode::PullRequest => false,
            // Nobody knows what a new mode leaves behind.
            BypassMode::Exempt | BypassMode::Other(_) => true,
        });
        if let Some(actor) = silent.next() {
            return Err(Unknown::new(
                FactKey::BranchBypasses.name(),
                Why::NotSupported,
                format!(
                    "the platform keeps no record of what {} does, who is exempt from {}",
                    actor.name, layer.id
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;
