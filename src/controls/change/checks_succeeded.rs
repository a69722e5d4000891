//! CHG-13: every required check succeeded on the newest commit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{
    CheckConclusion, CheckResult, CheckStatus, FactKey, Platform, RequiredCheck, Snapshot, Unknown,
};

/// Parameters of CHG-13.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChecksSucceeded {
    /// Whether a skipped or neutral result counts as success.
    allow_skipped: bool,
}

impl Control for ChecksSucceeded {
    const META: Meta = Meta {
        code: "CHG-13",
        id: "checks-succeeded",
        title: "every required check succeeded on the newest commit",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::ChangeChecks],
        rationale: "A check that ran on something else, or did not run, says nothing about this change.",
        cheat: "Posting a plain status of the same name beside a red check, skipping the job, or requiring a name that nobody reports. Every result of the name has to be green, on the head.",
        remedy_github: "make the missing or failing check succeed on the newest commit",
        remedy_gitlab: "make the pipeline of the newest commit succeed",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let fact = &facts.checks;
        let checks: Vec<&CheckResult> = fact
            .known()?
            .iter()
            .filter(|check| check.head == facts.subject.head)
            .collect();
        let mut required: Vec<&RequiredCheck> = rules
            .required_checks
            .known()
            .flat_map(|(_, list)| list)
            .collect();
        required.sort();
        required.dedup();
        let mut wrong = Vec::new();
        let mut only_running = true;
        let mut note = |name: &str, states: &[State]| {
            let state = match states {
                [] => Some(State::Missing),
                all => all.iter().copied().max(),
            };
            match state {
                Some(State::Good) | None => {}
                Some(state) => {
                    only_running &= state == State::Running;
                    wrong.push(format!("`{name}` {}", state.word()));
                }
            }
        };
        for check in &required {
            let states: Vec<State> = checks
                .iter()
                .filter(|result| {
                    result.name == check.name && (check.app.is_none() || check.app == result.app)
                })
                .map(|result| self.state(result))
                .collect();
            note(&check.name, &states);
        }
        let hidden = rules
            .required_checks
            .demands
            .iter()
            .find_map(|demand| demand.value.known().err());
        let mut what = format!("{} required checks", required.len());
        if required.is_empty() && hidden.is_none() {
            // Nothing is required: everything that was reported has to be green.
            let judged: Vec<&&CheckResult> = checks
                .iter()
                .filter(|result| !result.allow_failure)
                .collect();
            what = format!("no check is required; {} reported", judged.len());
            if judged.is_empty() {
                note("any check", &[]);
            }
            for result in judged {
                note(&result.name, &[self.state(result)]);
            }
        }
        let key = FactKey::ChangeChecks;
        if !wrong.is_empty() {
            let seen = wrong.join(", ");
            let verdict = Verdict::fail(Evidence::new(
                format!("{what}: {seen}"),
                key,
                seen,
                fact.sources(),
            ));
            return Ok(if only_running {
                verdict.awaiting(Awaiting::Check)
            } else {
                verdict
            });
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(Evidence::new(
                format!("{what}, all succeeded on the head"),
                key,
                what,
                fact.sources(),
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.allow_skipped && !base.allow_skipped)
            .then(|| "counts skipped checks as success".to_owned())
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
