//! SCAN-02: dependencies were scanned on the newest commit and are clean.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{self, Asked};
use super::overdue::Overdue;
use super::runs::{Limits, Ran, doubt, limits_schema, looser, runs_of};
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, ScanKind, Severity, Snapshot, Unknown, Why};

/// Parameters of SCAN-02.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DependenciesClean {
    /// Tools that have to have run. A run of such a tool counts here also where its
    /// report does not say what it looked for.
    tools: Vec<String>,
    /// Most findings allowed by severity; a limit also holds for worse severities
    /// that have none of their own.
    #[schemars(schema_with = "limits_schema")]
    max: Limits,
    /// Oldest age of a run in seconds.
    max_age_seconds: Option<u64>,
    /// Most days by severity since a vulnerability was first seen; a deadline also holds
    /// for worse severities that have none of their own. A report that does not say when
    /// it was first seen leaves it unknown.
    #[schemars(schema_with = "limits_schema")]
    fix_within_days: Limits,
}

impl Default for DependenciesClean {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            max: BTreeMap::from([(Severity::Critical, 0), (Severity::High, 0)]),
            max_age_seconds: None,
            fix_within_days: Limits::new(),
        }
    }
}

impl DependenciesClean {
    fn asked(&self) -> Asked<'_> {
        Asked {
            kind: ScanKind::Dependencies,
            tools: &self.tools,
            max: &self.max,
            max_age_seconds: self.max_age_seconds,
        }
    }
}

impl DependenciesClean {
    /// What has been known for too long, over all reports that can be read: one that
    /// cannot is for the count to complain of.
    fn overdue(&self, facts: &Snapshot) -> Result<Overdue, Unknown> {
        let mut overdue = Overdue::default();
        let mut seen = BTreeSet::new();
        let asked = self.asked();
        for Ran { report, place, run } in runs_of(&facts.scans.known()?.reports, &mut Vec::new()) {
            if asked.is_about(run) && seen.insert((&report.digest, &report.path, place)) {
                overdue.add(run, &self.fix_within_days, facts.latest_time());
            }
        }
        overdue.late.sort();
        overdue.late.dedup();
        Ok(overdue)
    }
}

impl Control for DependenciesClean {
    const META: Meta = Meta {
        code: "SCAN-02",
        id: "dependencies-clean",
        title: "dependencies were scanned on the newest commit and are clean",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8"]),
            (Framework::PciDss, &["6.3.1", "6.3.2"]),
            (Framework::Nist80053, &["RA-5", "SI-2"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "Most of a program is other people's code, and its weaknesses are \
                        public knowledge.",
        cheat: "Handing in the report of a run without advisory data, or of one that \
                        skipped what it could not look up: both end well and find nothing. \
                        Such a run is never clean, and findings of one tool are added up over \
                        all its files.",
        remedy_github: "update or replace the dependencies, run a scanner such as grype, \
                        osv-scanner or trivy on the newest commit and hand its report in with \
                        `--scan`",
        remedy_gitlab: "update or replace the dependencies, let the dependency scanning job \
                        run on the newest commit and hand its report in with `--scan`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let verdict = kinds::judge(&self.asked(), facts);
        if self.fix_within_days.is_empty() || matches!(verdict, Ok(Verdict::Fail(_))) {
            return verdict;
        }
        let overdue = self.overdue(facts)?;
        if !overdue.late.is_empty() {
            let seen = overdue.late.join("; ");
            let sources = facts.scans.sources();
            return Ok(Verdict::fail_because(
                FailReason::Findings,
                Evidence::new(seen.clone(), FactKey::ScanResults, seen, sources),
            ));
        }
        let verdict = verdict?;
        if overdue.undated > 0 {
            let number = overdue.undated;
            let detail = format!(
                "the reports do not say since when {number} findings with a deadline are known"
            );
            return Err(doubt(Why::Failed, detail));
        }
        Ok(verdict)
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        kinds::weaker(&self.asked(), &base.asked()).or_else(|| {
            looser(&self.fix_within_days, &base.fix_within_days)
                .then(|| "allows findings to stay longer".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{handed_in, laws, open, run};
    use super::*;
    use crate::controls::testing::{at, verdict_of};
    use crate::facts::{Finding, FindingState, Fingerprint, ScanRun, SeverityOrigin};

    #[test]
    fn it_keeps_the_laws_of_all_scans_of_a_kind() {
        let with = |tools: &[&str], max: Limits, max_age_seconds| DependenciesClean {
            tools: tools.iter().map(|&tool| tool.to_owned()).collect(),
            max,
            max_age_seconds,
            fix_within_days: Limits::new(),
        };
        laws(ScanKind::Dependencies, with);
    }

    fn within(days: u64) -> DependenciesClean {
        DependenciesClean {
            max: BTreeMap::from([(Severity::Critical, 0)]),
            fix_within_days: BTreeMap::from([(Severity::Medium, days)]),
            ..DependenciesClean::default()
        }
    }

    /// A finding that was first seen then; the clock of the tests says the first of June.
    fn known_since(severity: Severity, first_seen: Option<&str>) -> ScanRun {
        let finding = Finding {
            rule: "CVE-2026-1".into(),
            ids: Box::default(),
            severity,
            severity_from: SeverityOrigin::Finding,
            place: Some("left@1".into()),
            line: None,
            fingerprint: Fingerprint::of([0xab; 16]),
            state: FindingState::Open,
            is_new: None,
            first_seen: first_seen.map(at),
        };
        ScanRun {
            findings: vec![finding],
            ..run(ScanKind::Dependencies, vec![open(severity, 1)])
        }
    }

    #[test]
    fn a_vulnerability_that_stays_too_long_fails() {
        let verdict = |days, run| verdict_of(&within(days), &handed_in(vec![run]));
        let since = |severity| known_since(severity, Some("2026-05-01T12:00:00Z"));
        assert_eq!(verdict(31, since(Severity::Medium)), "pass");
        assert_eq!(verdict(30, since(Severity::Medium)), "fail findings");
        // A deadline holds for what is worse as well, and not for what is milder.
        assert_eq!(verdict(30, since(Severity::High)), "fail findings");
        assert_eq!(verdict(30, since(Severity::Low)), "pass");
    }

    /// The cheat: a report that does not say since when, or a finding beyond those kept.
    #[test]
    fn a_vulnerability_of_unknown_age_leaves_it_unknown() {
        let verdict = |run| verdict_of(&within(30), &handed_in(vec![run]));
        assert_eq!(verdict(known_since(Severity::High, None)), "unknown");
        assert_eq!(verdict(known_since(Severity::Low, None)), "pass");
        let mut more = known_since(Severity::High, Some("2026-05-30T12:00:00Z"));
        assert_eq!(verdict(more.clone()), "pass");
        more.counts[0].open = 2;
        assert_eq!(verdict(more), "unknown");
        let mut accepted = known_since(Severity::High, Some("2026-01-01T12:00:00Z"));
        accepted.findings[0].state = FindingState::Accepted;
        accepted.counts[0].open = 0;
        assert_eq!(verdict(accepted), "pass");
    }

    #[test]
    fn longer_deadlines_are_weaker() {
        assert!(within(31).weaker_than(&within(30)).is_some());
        assert!(within(30).weaker_than(&within(31)).is_none());
        let none = DependenciesClean {
            fix_within_days: Limits::new(),
            ..within(30)
        };
        assert!(none.weaker_than(&within(30)).is_some());
    }

    #[test]
    fn the_default_limit_is_none_of_what_matters() {
        let verdict = |severity| {
            let found = run(ScanKind::Dependencies, vec![open(severity, 1)]);
            verdict_of(&DependenciesClean::default(), &handed_in(vec![found]))
        };
        assert_eq!(verdict(Severity::High), "fail findings");
        assert_eq!(verdict(Severity::Critical), "fail findings");
        assert_eq!(verdict(Severity::Low), "pass");
    }
}
