//! CHG-13: every required check succeeded on the newest commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::head::head;
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    CheckConclusion, CheckKind, CheckResult, CheckStatus, FactKey, Platform, RequiredCheck,
    Snapshot, Unknown,
};

/// Parameters of CHG-13.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChecksSucceeded {
    /// Whether a skipped or neutral result counts as success.
    allow_skipped: bool,
    /// Name of the gate's own check or job. Its result is what is being decided,
    /// so it is left out here; the platform itself still waits for it.
    gate: String,
}

impl Default for ChecksSucceeded {
    fn default() -> Self {
        Self {
            allow_skipped: false,
            gate: "ccgate".to_owned(),
        }
    }
}

impl ChecksSucceeded {
    /// For a control that judges a change after its merge.
    pub(super) fn leaving_out(gate: String, allow_skipped: bool) -> Self {
        Self {
            allow_skipped,
            gate,
        }
    }
}

impl Control for ChecksSucceeded {
    const META: Meta = Meta {
        code: "CHG-13",
        id: "checks-succeeded",
        title: "every required check succeeded on the newest commit",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::BranchRules,
            FactKey::ChangeIdentity,
            FactKey::ChangeChecks,
        ],
        rationale: "A check that ran on something else, or did not run, says nothing about this \
                        change.",
        cheat: "Posting a plain status of the same name beside a red check, skipping the job, \
                        or requiring a name that nobody reports. Every result of the name has to be \
                        green, on the head. Only the check named by `gate` is left out, since its \
                        result is what is being decided; the platform itself still waits for it.",
        remedy_github: "make every missing or failing check succeed on the newest commit; if the \
                        gate's own check has another name than `ccgate`, set `gate` in the policy",
        remedy_gitlab: "make the other jobs of the newest pipeline succeed and let the gate's job run \
                        in the last stage; if it has another name than `ccgate`, set `gate` in the \
                        policy",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let fact = &facts.checks;
        let head = head(facts)?;
        let (gate, checks): (Vec<&CheckResult>, Vec<&CheckResult>) = fact
            .known()?
            .iter()
            .filter(|check| check.head == head)
            .partition(|check| check.name == self.gate);
        let mut required: Vec<&RequiredCheck> = rules
            .required_checks
            .known()
            .flat_map(|(_, list)| list)
            .collect();
        required.sort();
        required.dedup();
        let all_required = required.len();
        required.retain(|check| check.name != self.gate);
        let gate_left_out = !gate.is_empty() || required.len() < all_required;
        let results = Results {
            control: self,
            checks: &checks,
            gate: &gate,
        };
        let hidden = rules
            .required_checks
            .demands
            .iter()
            .find_map(|demand| demand.value.known().err());
        let mut judged = Judged::default();
        for check in &required {
            let of_name: Vec<&CheckResult> = checks
                .iter()
                .copied()
                .filter(|result| {
                    result.name == check.name && (check.app.is_none() || check.app == result.app)
                })
                .collect();
            judged.add(&check.name, &results, &of_name);
        }
        let mut what = match required.len() {
            1 => "1 required check".to_owned(),
            many => format!("{many} required checks"),
        };
        if required.is_empty() && hidden.is_none() {
            // Nothing else is required: everything that was reported has to be green.
            let reported: Vec<&CheckResult> = checks
                .iter()
                .copied()
                .filter(|result| !result.allow_failure)
                .collect();
            what = format!("no other check is required; {} reported", reported.len());
            if !gate_left_out {
                what = format!("no check is required; {} reported", reported.len());
            }
            if reported.is_empty() {
                judged.add("any check", &results, &[]);
            }
            for result in reported {
                judged.add(&result.name, &results, &[result]);
            }
        }
        let mut notes = judged.notes.clone();
        if gate_left_out {
            notes.push(format!(
                "`{}` is left out, its result is what is being decided",
                self.gate
            ));
        }
        let evidence = |said: String, seen: String| {
            let said = if notes.is_empty() {
                said
            } else {
                format!("{said} ({})", notes.join("; "))
            };
            let evidence = Evidence::new(said, FactKey::ChangeChecks, seen, fact.sources());
            notes.iter().fold(evidence, |evidence, note| {
                evidence.and(FactKey::ChangeChecks, note.clone(), fact.sources())
            })
        };
        if !judged.wrong.is_empty() {
            let seen = judged.wrong.join(", ");
            let verdict = Verdict::fail(evidence(format!("{what}: {seen}"), seen));
            return Ok(if judged.more_than_running {
                verdict
            } else {
                verdict.awaiting(Awaiting::Check)
            });
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(evidence(
                format!("{what}, all succeeded on the head"),
                what,
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.allow_skipped && !base.allow_skipped {
            return Some("counts skipped checks as success".to_owned());
        }
        (self.gate != base.gate && !self.gate.is_empty())
            .then(|| format!("leaves out `{}` instead of `{}`", self.gate, base.gate))
    }
}

impl ChecksSucceeded {
    /// What is wrong with the results of one name, and whether it is only that they
    /// have not ended yet; `None`: there are some, and all succeeded.
    pub(super) fn fault<'r>(
        &self,
        of_name: impl Iterator<Item = &'r CheckResult>,
    ) -> Option<(&'static str, bool)> {
        let state = of_name
            .map(|result| self.state(result))
            .max()
            .unwrap_or(State::Missing);
        (state != State::Good).then(|| (state.word(), state == State::Running))
    }
}

/// From good to worst: the worst result of a name decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Good,
    Running,
    Missing,
    Skipped,
    Bad,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "succeeded",
            Self::Running => "has not ended",
            Self::Missing => "was not reported for the head",
            Self::Skipped => "was skipped",
            Self::Bad => "did not succeed",
        }
    }
}

/// What was found wrong, and what has to be said in any case.
#[derive(Default)]
struct Judged {
    wrong: Vec<String>,
    more_than_running: bool,
    notes: Vec<String>,
}

impl Judged {
    fn add(&mut self, name: &str, results: &Results<'_>, of_name: &[&CheckResult]) {
        let state = of_name
            .iter()
            .map(|result| results.state(result, &mut self.notes))
            .max()
            .unwrap_or(State::Missing);
        if state != State::Good {
            self.more_than_running |= state != State::Running;
            self.wrong.push(format!("`{name}` {}", state.word()));
        }
    }
}

/// The results for the head, the gate's own apart.
struct Results<'a> {
    control: &'a ChecksSucceeded,
    checks: &'a [&'a CheckResult],
    gate: &'a [&'a CheckResult],
}

impl Results<'_> {
    fn state(&self, result: &CheckResult, notes: &mut Vec<String>) -> State {
        match (&result.kind, &result.status) {
            (CheckKind::Pipeline, CheckStatus::Running) => self.pipeline(&result.name, notes),
            (
                CheckKind::Pipeline
                | CheckKind::CheckRun
                | CheckKind::CommitStatus
                | CheckKind::Job,
                _,
            ) => self.control.state(result),
        }
    }

    /// A pipeline that runs the gate cannot end before the gate does. If the
    /// gate's own job is what it waits for, its other jobs stand for it.
    fn pipeline(&self, name: &str, notes: &mut Vec<String>) -> State {
        let gate_runs = self
            .gate
            .iter()
            .any(|result| result.kind == CheckKind::Job && result.status != CheckStatus::Completed);
        if !gate_runs {
            return State::Running;
        }
        let (mut worst, mut succeeded) = (State::Good, 0_usize);
        for job in self
            .checks
            .iter()
            .filter(|check| check.kind == CheckKind::Job)
        {
            let state = self.control.state(job);
            succeeded += usize::from(state == State::Good);
            if !job.allow_failure {
                worst = worst.max(state);
            }
        }
        if worst != State::Good {
            return worst;
        }
        if succeeded == 0 {
            notes.push(format!(
                "`{name}` has no job beside the gate that succeeded"
            ));
            return State::Missing;
        }
        notes.push(format!(
            "`{name}` waits for nothing but the gate; {succeeded} of its other jobs succeeded"
        ));
        State::Good
    }
}

impl ChecksSucceeded {
    fn state(&self, result: &CheckResult) -> State {
        match (&result.status, &result.conclusion) {
            (CheckStatus::Running, _) => State::Running,
            (CheckStatus::Completed, Some(CheckConclusion::Success)) => State::Good,
            (CheckStatus::Completed, Some(CheckConclusion::Skipped | CheckConclusion::Neutral)) => {
                if self.allow_skipped {
                    State::Good
                } else {
                    State::Skipped
                }
            }
            (
                CheckStatus::Completed,
                Some(CheckConclusion::Failure | CheckConclusion::Other(_)) | None,
            )
            | (CheckStatus::Other(_), _) => State::Bad,
        }
    }
}

#[cfg(test)]
mod tests;
