//! SCAN-10: every scan result says on which commit, by what version and when it was made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{Ran, doubt, runs_of};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, ScanKind, ScanReport, ScanRun, Snapshot, Unknown, Why};

/// Parameters of SCAN-10.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScanResultsBound {
    /// Whether a result has to name the commit that it looked at.
    commit: bool,
    /// Whether it has to name the version of its tool.
    version: bool,
    /// Whether it has to say when the run ended; the date of the file is no proof.
    time: bool,
}

impl Default for ScanResultsBound {
    fn default() -> Self {
        Self {
            commit: true,
            version: true,
            time: true,
        }
    }
}

impl Control for ScanResultsBound {
    const META: Meta = Meta {
        code: "SCAN-10",
        id: "scan-results-bound",
        title: "every scan result names the newest commit, its tool's version and its time",
        criteria: &[Criterion::Cc7_1, Criterion::Cc2_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8", "A.5.28"]),
            (Framework::PciDss, &["6.3.1"]),
            (Framework::Nist80053, &["RA-5", "AU-10"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "A result that names no commit and no time may be anybody's, of any day.",
        cheat: "Keeping one clean report and handing it in again and again. A report of another \
                        commit fails, and so does one that does not say which it is; the date of \
                        the file counts for nothing here, because a copy is young.",
        remedy_github: "let the scanner write SARIF with `versionControlProvenance` and `endTimeUtc`, or \
                        switch off what your scanners cannot say with `commit`, `version` or `time`",
        remedy_gitlab: "let the scanner write SARIF with `versionControlProvenance` and `endTimeUtc`, or \
                        switch off what your scanners cannot say with `commit`, `version` or `time`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let mut loose = Vec::new();
        let mut bound = Vec::new();
        let mut doubts = Vec::new();
        let runs = runs_of(&fact.known()?.reports, &mut doubts);
        for Ran { report, run, .. } in runs.into_iter().filter(|ran| is_scan(ran.run)) {
            let missing = self.missing(run, &facts.subject.head);
            if missing.is_empty() {
                bound.push(describe_bound(report, run));
            } else {
                let missing = missing.join(", ");
                loose.push(format!("`{}` in `{}` {missing}", run.tool, report.path));
            }
        }
        let key = FactKey::ScanResults;
        let evidence = |seen: String| Evidence::new(seen.clone(), key, seen, fact.sources());
        if !loose.is_empty() {
            return Ok(Verdict::fail(evidence(loose.join("; "))));
        }
        if let Some(unknown) = doubts.into_iter().next() {
            return Err(unknown);
        }
        if bound.is_empty() {
            let detail = "no scan report was handed in".to_owned();
            return Err(doubt(Why::NotCollected, detail));
        }
        Ok(Verdict::Pass(evidence(bound.join(", "))))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let drops = [
            (self.commit, base.commit, "commit"),
            (self.version, base.version, "version"),
            (self.time, base.time, "time"),
        ];
        drops
            .iter()
            .find(|(own, base, _)| *base && !own)
            .map(|(_, _, what)| format!("no longer asks for the {what}"))
    }
}

impl ScanResultsBound {
    /// What ties the run to this change and is not there.
    fn missing(&self, run: &ScanRun, head: &str) -> Vec<String> {
        let mut missing = Vec::new();
        match &run.revision {
            Some(revision) if !revision.eq_ignore_ascii_case(head) => {
                missing.push(format!("looked at another commit, `{revision}`"));
            }
            None if self.commit => missing.push("names no commit".to_owned()),
            Some(_) | None => {}
        }
        if self.version && run.version.is_none() {
            missing.push("names no version".to_owned());
        }
        if self.time && run.ended_at.is_none() {
            missing.push("does not say when it ran".to_owned());
        }
        missing
    }
}

/// Tests, coverage, component lists and statements are no scans.
fn is_scan(run: &ScanRun) -> bool {
    match run.kind {
        None
        | Some(
            ScanKind::Sast
            | ScanKind::Secrets
            | ScanKind::Dependencies
            | ScanKind::Container
            | ScanKind::Iac
            | ScanKind::Dast,
        ) => true,
        Some(
            ScanKind::Quality
            | ScanKind::Tests
            | ScanKind::Coverage
            | ScanKind::Sbom
            | ScanKind::Vex,
        ) => false,
    }
}

fn describe_bound(report: &ScanReport, run: &ScanRun) -> String {
    let version = run.version.as_deref().unwrap_or("of unknown version");
    let mut seen = format!("{} {version}", run.tool);
    if let Some(ended) = run.ended_at {
        seen.push_str(&format!(" at {ended}"));
    }
    if run.revision.is_some() {
        seen.push_str(" on the newest commit");
    }
    format!("{seen} ({})", report.digest)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{handed_in, nothing_usable, report, reports, run};
    use super::*;
    use crate::controls::testing::{older, verdict_of};
    use crate::facts::ScanFailure;

    fn verdict(run: ScanRun) -> String {
        verdict_of(&ScanResultsBound::default(), &handed_in(vec![run]))
    }

    #[test]
    fn a_result_that_says_it_all_passes_and_each_gap_fails() {
        let whole = || run(ScanKind::Sast, vec![]);
        assert_eq!(verdict(whole()), "pass");
        for loose in [
            ScanRun {
                revision: None,
                ..whole()
            },
            ScanRun {
                revision: Some(older()),
                ..whole()
            },
            ScanRun {
                version: None,
                ..whole()
            },
            ScanRun {
                ended_at: None,
                ..whole()
            },
        ] {
            assert_eq!(verdict(loose.clone()), "fail", "{loose:?}");
        }
    }

    /// The cheat: the date of a file is made by copying it.
    #[test]
    fn the_date_of_the_file_is_no_time_of_the_run() {
        let silent = ScanRun {
            ended_at: None,
            ..run(ScanKind::Sast, vec![])
        };
        let written = ScanReport {
            modified_at: Some(crate::controls::testing::at("2026-06-01T11:59:00Z")),
            ..report("sha256:aa", Ok(vec![silent]))
        };
        let facts = reports(vec![written]);
        assert_eq!(verdict_of(&ScanResultsBound::default(), &facts), "fail");
    }

    #[test]
    fn what_is_not_asked_for_may_be_missing_but_another_commit_never_passes() {
        let lenient = ScanResultsBound {
            commit: false,
            version: false,
            time: false,
        };
        let verdict = |run| verdict_of(&lenient, &handed_in(vec![run]));
        assert_eq!(verdict(ScanRun::of("probe")), "pass");
        let other = ScanRun {
            revision: Some(older()),
            ..ScanRun::of("probe")
        };
        assert_eq!(verdict(other), "fail");
        assert!(lenient.weaker_than(&ScanResultsBound::default()).is_some());
        assert!(ScanResultsBound::default().weaker_than(&lenient).is_none());
    }

    #[test]
    fn without_a_usable_scan_it_is_unknown() {
        for facts in nothing_usable() {
            assert_eq!(verdict_of(&ScanResultsBound::default(), &facts), "unknown");
        }
        assert_eq!(verdict(run(ScanKind::Coverage, vec![])), "unknown");
        let broken = report("", Err(ScanFailure::Unparsable("at byte 7".to_owned())));
        let whole = report("sha256:aa", Ok(vec![run(ScanKind::Sast, vec![])]));
        let beside = reports(vec![whole, broken]);
        assert_eq!(verdict_of(&ScanResultsBound::default(), &beside), "unknown");
    }
}
