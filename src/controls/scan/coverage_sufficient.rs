//! SCAN-09: tests run through enough of the code.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{Ran, doubt, in_doubt, runs_of};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Measured, Platform, Snapshot, Unknown, Why};

/// Parameters of SCAN-09.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CoverageSufficient {
    /// Fewest lines that tests have to run through, in percent of all reports together.
    #[schemars(range(min = 0, max = 100))]
    min_percent: u8,
}

impl Default for CoverageSufficient {
    fn default() -> Self {
        Self { min_percent: 60 }
    }
}

impl Control for CoverageSufficient {
    const META: Meta = Meta {
        code: "SCAN-09",
        id: "coverage-sufficient",
        title: "tests run through enough of the code",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29"]),
            (Framework::PciDss, &["6.2.3"]),
            (Framework::Nist80053, &["SA-11"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "Tests tell nothing about code that they never run.",
        cheat: "Handing in only the report of the part that is tested well. All reports are added \
                        up, and a copy counts once; which part of the code is missing in them is \
                        not seen.",
        remedy_github: "write tests for what they miss, and hand the Cobertura, JaCoCo or LCOV report \
                        in with `--scan`",
        remedy_gitlab: "write tests for what they miss, and hand the Cobertura, JaCoCo or LCOV report \
                        in with `--scan`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let mut doubts = Vec::new();
        let mut counted = BTreeSet::new();
        let (mut covered, mut total) = (0_u64, 0_u64);
        for Ran { report, place, run } in runs_of(&fact.known()?.reports, &mut doubts) {
            let Some(Measured::Lines {
                covered: hit,
                total: all,
            }) = &run.measured
            else {
                continue;
            };
            doubts.extend(in_doubt(report, run, None, facts));
            if counted.insert((&report.digest, place)) {
                covered = covered.saturating_add(*hit);
                total = total.saturating_add(*all);
            }
        }
        if let Some(unknown) = doubts.into_iter().next() {
            return Err(unknown);
        }
        if total == 0 {
            let detail = "no report of test coverage was handed in".to_owned();
            return Err(doubt(Why::NotCollected, detail));
        }
        let min = self.min_percent;
        // Rounded down: 59.99 is not 60.
        let percent = u128::from(covered) * 100 / u128::from(total);
        let seen = format!("{covered} of {total} lines, {percent} %, at least {min} % wanted");
        let evidence = Evidence::new(seen.clone(), FactKey::ScanResults, seen, fact.sources());
        Ok(if percent >= u128::from(min) {
            Verdict::Pass(evidence)
        } else {
            Verdict::fail(evidence)
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.min_percent < base.min_percent).then(|| "asks for less coverage".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{handed_in, nothing_usable, report, reports, run};
    use super::*;
    use crate::controls::testing::verdict_of;
    use crate::facts::{ScanFailure, ScanKind, ScanReport, ScanRun};

    fn lines(covered: u64, total: u64) -> ScanRun {
        ScanRun {
            measured: Some(Measured::Lines { covered, total }),
            ..run(ScanKind::Coverage, vec![])
        }
    }

    fn verdict(all: Vec<ScanReport>) -> String {
        verdict_of(&CoverageSufficient::default(), &reports(all))
    }

    fn file(digest: &str, run: ScanRun) -> ScanReport {
        report(digest, Ok(vec![run]))
    }

    #[test]
    fn the_floor_itself_passes_and_a_line_less_fails() {
        assert_eq!(verdict(vec![file("a", lines(600, 1_000))]), "pass");
        assert_eq!(verdict(vec![file("a", lines(599, 1_000))]), "fail");
    }

    /// The cheat: a small part that is tested well, and copies of it.
    #[test]
    fn reports_are_added_up_and_a_copy_counts_once() {
        let good = || file("a", lines(90, 100));
        let bad = file("b", lines(0, 100));
        assert_eq!(verdict(vec![good(), bad.clone()]), "fail");
        assert_eq!(verdict(vec![good(), good(), good(), bad]), "fail");
    }

    #[test]
    fn without_a_line_or_beside_a_broken_report_it_is_unknown() {
        for facts in nothing_usable() {
            assert_eq!(
                verdict_of(&CoverageSufficient::default(), &facts),
                "unknown"
            );
        }
        assert_eq!(verdict(vec![file("a", lines(0, 0))]), "unknown");
        let other = handed_in(vec![run(ScanKind::Tests, vec![])]);
        assert_eq!(
            verdict_of(&CoverageSufficient::default(), &other),
            "unknown"
        );
        let broken = report("", Err(ScanFailure::Unparsable("at byte 7".to_owned())));
        assert_eq!(verdict(vec![file("a", lines(9, 9)), broken]), "unknown");
    }

    #[test]
    fn asking_for_less_is_weaker() {
        let less = CoverageSufficient { min_percent: 59 };
        assert!(less.weaker_than(&CoverageSufficient::default()).is_some());
        assert!(CoverageSufficient::default().weaker_than(&less).is_none());
    }
}
