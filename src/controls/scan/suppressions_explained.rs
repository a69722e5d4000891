//! SCAN-12: every finding that somebody suppressed carries a reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{Ran, doubt, in_doubt, runs_of};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Measured, Platform, ScanRun, Snapshot, Unknown, Why};

/// SCAN-12 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SuppressionsExplained {}

impl Control for SuppressionsExplained {
    const META: Meta = Meta {
        code: "SCAN-12",
        id: "suppressions-explained",
        title: "every suppressed finding carries a reason",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8"]),
            (Framework::PciDss, &["6.3.1"]),
            (Framework::Nist80053, &["RA-5", "SI-2"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "A finding may be accepted, but somebody has to say why; a comment that \
                    switches a rule off says nothing.",
        cheat: "Suppressing what is in the way with a bare comment or an entry in an ignore file. \
                        Each suppressed finding of a report counts, and one without a reason \
                        fails. What a scanner leaves out of its report is not seen here.",
        remedy_github: "give each suppression a reason (`justification` in SARIF, `reason` or \
                        `statement` in ignore files), or mend the finding",
        remedy_gitlab: "give each suppression a reason (`justification` in SARIF, `reason` or \
                        `statement` in ignore files), or mend the finding",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let mut unexplained = Vec::new();
        let mut doubts = Vec::new();
        let (mut seen, mut suppressed) = (0_u64, 0_u64);
        for Ran { report, run, .. } in runs_of(&fact.known()?.reports, &mut doubts) {
            seen += 1;
            suppressed += run.counts.iter().map(|count| count.suppressed).sum::<u64>();
            unexplained.extend(without_reason(run));
            doubts.extend(in_doubt(report, run, None, facts));
        }
        let key = FactKey::ScanResults;
        if !unexplained.is_empty() {
            let words = unexplained.join("; ");
            let evidence = Evidence::new(words.clone(), key, words, fact.sources());
            return Ok(Verdict::fail(evidence));
        }
        if let Some(unknown) = doubts.into_iter().next() {
            return Err(unknown);
        }
        if seen == 0 {
            let detail = "no scan report was handed in".to_owned();
            return Err(doubt(Why::NotCollected, detail));
        }
        let words = format!("{suppressed} findings are suppressed, each with a reason");
        let evidence = Evidence::new(words.clone(), key, words, fact.sources());
        Ok(Verdict::Pass(evidence))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// What of a run is suppressed or declared harmless without a reason.
fn without_reason(run: &ScanRun) -> Option<String> {
    let statements = match &run.measured {
        Some(Measured::Statements { unjustified, .. }) => *unjustified,
        Some(Measured::Lines { .. } | Measured::Components { .. } | Measured::Tests { .. })
        | None => 0,
    };
    let number = run.suppressed_without_reason.saturating_add(statements);
    let examples = match run.unexplained.as_slice() {
        [] => String::new(),
        some => format!(" ({})", some.join(", ")),
    };
    (number > 0).then(|| {
        format!(
            "{}: {number} suppressed without a reason{examples}",
            run.tool
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{handed_in, nothing_usable, report, reports, run};
    use super::*;
    use crate::controls::testing::{older, verdict_of};
    use crate::facts::{FindingCount, ScanFailure, ScanKind, Severity};

    fn suppressed(without_reason: u64) -> ScanRun {
        let counts = vec![FindingCount {
            severity: Severity::High,
            open: 3,
            new: None,
            suppressed: 2,
        }];
        ScanRun {
            suppressed_without_reason: without_reason,
            ..run(ScanKind::Sast, counts)
        }
    }

    fn verdict(run: ScanRun) -> String {
        verdict_of(&SuppressionsExplained {}, &handed_in(vec![run]))
    }

    #[test]
    fn reasons_pass_and_one_missing_reason_fails() {
        assert_eq!(verdict(suppressed(0)), "pass");
        assert_eq!(verdict(suppressed(1)), "fail");
    }

    #[test]
    fn a_statement_that_a_vulnerability_does_not_matter_needs_a_reason_too() {
        let vex = |unjustified| ScanRun {
            measured: Some(Measured::Statements {
                by_status: BTreeMap::from([("not_affected".to_owned(), 1)]),
                unjustified,
            }),
            ..run(ScanKind::Vex, vec![])
        };
        assert_eq!(verdict(vex(0)), "pass");
        assert_eq!(verdict(vex(1)), "fail");
    }

    #[test]
    fn what_cannot_be_relied_on_is_unknown_unless_it_fails_anyway() {
        for facts in nothing_usable() {
            assert_eq!(verdict_of(&SuppressionsExplained {}, &facts), "unknown");
        }
        let old = |number| ScanRun {
            revision: Some(older()),
            ..suppressed(number)
        };
        assert_eq!(verdict(old(0)), "unknown");
        assert_eq!(verdict(old(1)), "fail");
        let broken = report("", Err(ScanFailure::Unparsable("at byte 7".to_owned())));
        let beside = reports(vec![report("sha256:aa", Ok(vec![suppressed(0)])), broken]);
        assert_eq!(verdict_of(&SuppressionsExplained {}, &beside), "unknown");
    }
}
