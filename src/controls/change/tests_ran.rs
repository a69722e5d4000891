//! CHG-14: tests ran on the newest commit.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks_succeeded::ChecksSucceeded;
use super::head::head;
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::controls::scan::runs::{Ran, doubt, in_doubt, runs_of};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    CheckResult, FactKey, Measured, Platform, ScanKind, ScanRun, Snapshot, Unknown, Why,
};

/// Parameters of CHG-14.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TestsRan {
    /// Names of the checks or jobs that run the tests; each has to have succeeded on
    /// the head. Empty: JUnit reports are asked for instead.
    checks: Vec<NamedCheck>,
    /// Fewest tests that ran, skipped ones not counted, in all JUnit reports together.
    /// 0 counts as 1.
    min_tests: u64,
}

/// A check, and who has to report it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NamedCheck {
    /// Name of the check or job.
    name: String,
    /// Id of the app that has to report it, as text; without it, anybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app: Option<String>,
}

impl Default for TestsRan {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            min_tests: 1,
        }
    }
}

impl Control for TestsRan {
    const META: Meta = Meta {
        code: "CHG-14",
        id: "tests-ran",
        title: "tests ran on the newest commit and none of them failed",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeIdentity,
            FactKey::ChangeChecks,
            FactKey::ScanResults,
        ],
        rationale: "A green pipeline that ran no test says nothing about whether the change works.",
        cheat: "Skipping all tests, letting the job end before they run, handing in a report of \
                another commit, or posting a status of the same name. Skipped tests and skipped jobs \
                do not count, a report that names another commit is unknown, every result of a named \
                check has to be green, and `app` says who has to report it.",
        remedy_github: "run the tests on the newest commit, and hand their JUnit report in with \
                        `--scan` or name the check that runs them in `checks`",
        remedy_gitlab: "run the tests on the newest commit, and hand their JUnit report in with \
                        `--scan` or name the job that runs them in `checks`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let reports = Reports::of(facts)?;
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::ScanResults,
                reports.in_words(),
                facts.scans.sources(),
            )
        };
        // A test that is known to have failed settles it, whatever else is hidden.
        if reports.failed > 0 {
            return Ok(Verdict::fail(evidence(reports.in_words())));
        }
        if !self.checks.is_empty() {
            return self.by_checks(facts, reports.unread);
        }
        if let Some(unknown) = reports.unread.as_ref().or(reports.doubt.as_ref()) {
            return Err(unknown.clone());
        }
        let min = self.min_tests.max(1);
        let evidence = evidence(format!("{}; at least {min} wanted", reports.in_words()));
        Ok(if reports.ran >= min {
            Verdict::Pass(evidence)
        } else {
            Verdict::fail(evidence)
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.checks.is_empty() != base.checks.is_empty() {
            return Some("takes another proof that tests ran".to_owned());
        }
        let looser = base
            .checks
            .iter()
            .find(|check| !self.checks.iter().any(|own| own.covers(check)));
        if let Some(check) = looser {
            return Some(format!("no longer asks for `{}` as it did", check.name));
        }
        (self.min_tests.max(1) < base.min_tests.max(1))
            .then(|| "is content with fewer tests".to_owned())
    }
}

impl NamedCheck {
    /// Whether whoever satisfies this satisfies `base` as well.
    fn covers(&self, base: &Self) -> bool {
        self.name == base.name && (base.app.is_none() || self.app == base.app)
    }

    fn is_reported_by(&self, result: &CheckResult) -> bool {
        result.name == self.name && (self.app.is_none() || self.app == result.app)
    }
}

impl TestsRan {
    /// Whether every named check succeeded on the head. Reports are looked at beside
    /// them; one that cannot be read may hold a failure.
    fn by_checks(&self, facts: &Snapshot, unread: Option<Unknown>) -> Result<Verdict, Unknown> {
        let fact = &facts.checks;
        let head = head(facts)?;
        let results = fact.known()?;
        let judge = ChecksSucceeded::default();
        let mut wrong = Vec::new();
        let mut running = true;
        for check in &self.checks {
            let of_name = results
                .iter()
                .filter(|result| result.head == head && check.is_reported_by(result));
            if let Some((word, is_running)) = judge.fault(of_name) {
                running &= is_running;
                wrong.push(format!("`{}` {word}", check.name));
            }
        }
        let names: Vec<&str> = self
            .checks
            .iter()
            .map(|check| check.name.as_str())
            .collect();
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::ChangeChecks,
                names.join(", "),
                fact.sources(),
            )
        };
        if !wrong.is_empty() {
            let verdict = Verdict::fail(evidence(wrong.join(", ")));
            return Ok(if running {
                verdict.awaiting(Awaiting::Check)
            } else {
                verdict
            });
        }
        unread.map_or_else(
            || {
                Ok(Verdict::Pass(evidence(format!(
                    "succeeded on the head: {}",
                    names.join(", ")
                ))))
            },
            Err,
        )
    }
}

/// What the JUnit reports say together.
#[derive(Default)]
struct Reports {
    ran: u64,
    skipped: u64,
    failed: u64,
    /// Why there may be failures that are not seen.
    unread: Option<Unknown>,
    /// Why they are no proof that tests ran on this commit.
    doubt: Option<Unknown>,
}

impl Reports {
    fn of(facts: &Snapshot) -> Result<Self, Unknown> {
        let mut all = Self::default();
        let mut counted = BTreeSet::new();
        let mut unread = Vec::new();
        for Ran { report, place, run } in runs_of(&facts.scans.known()?.reports, &mut unread) {
            if run.kind == Some(ScanKind::Tests) && counted.insert((&report.digest, place)) {
                all.doubt = all.doubt.or_else(|| in_doubt(report, run, None, facts));
                all.add(run);
            }
        }
        all.unread = unread.into_iter().next();
        if counted.is_empty() {
            let detail = "no JUnit report was handed in".to_owned();
            all.doubt = Some(doubt(Why::NotCollected, detail));
        }
        Ok(all)
    }

    fn add(&mut self, run: &ScanRun) {
        for count in &run.counts {
            self.failed = self.failed.saturating_add(count.open);
        }
        if let Some(Measured::Tests { total, skipped }) = &run.measured {
            let ran = total.saturating_sub(*skipped);
            self.ran = self.ran.saturating_add(ran);
            self.skipped = self.skipped.saturating_add(*skipped);
        }
    }

    fn in_words(&self) -> String {
        let Self {
            ran,
            skipped,
            failed,
            ..
        } = self;
        format!("{ran} tests ran, {failed} of them failed, {skipped} more were skipped")
    }
}

#[cfg(test)]
mod tests;
