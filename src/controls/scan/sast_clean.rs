//! SCAN-01: static analysis ran on the newest commit and is clean.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change_analyses;
use super::runs::{
    Limits, describe, describe_run, doubt, in_doubt, is_tool, limit, limits_schema, looser,
};
use super::tally::Tally;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    FactKey, Platform, ScanFailure, ScanKind, ScanReport, ScanRun, Severity, Snapshot, Unknown, Why,
};

/// One scan result that has to be handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScanExpectation {
    /// Name of the tool as the report gives it, in any case.
    tool: String,
    /// The pattern that the report is found by.
    path: String,
    /// Whether it has to be there.
    required: bool,
    /// Oldest age of a run in seconds.
    #[serde(default)]
    max_age_seconds: Option<u64>,
    /// Most new findings allowed by severity.
    #[serde(default)]
    #[schemars(schema_with = "limits_schema")]
    new: Limits,
    /// Most findings allowed by severity.
    #[serde(default)]
    #[schemars(schema_with = "limits_schema")]
    total: Limits,
}

/// Parameters of SCAN-01.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SastClean {
    /// The results that are expected.
    scans: Vec<ScanExpectation>,
    /// Most findings allowed by severity where no expectation says otherwise;
    /// a limit also holds for worse severities that have none of their own.
    #[schemars(schema_with = "limits_schema")]
    max: Limits,
    /// Most alerts of the platform's own code scanning by severity that were not open on the
    /// target branch before the change was opened. `max` holds besides, and alone for a
    /// commit on the branch.
    #[schemars(schema_with = "limits_schema")]
    new: Limits,
    /// Whether the platform's own code scanning of the change decides where no report of
    /// static analysis was handed in and none is expected.
    platform_analyses: bool,
}

impl Default for SastClean {
    fn default() -> Self {
        Self {
            scans: Vec::new(),
            max: BTreeMap::from([(Severity::Critical, 0), (Severity::High, 0)]),
            new: BTreeMap::new(),
            platform_analyses: true,
        }
    }
}

impl Control for SastClean {
    const META: Meta = Meta {
        code: "SCAN-01",
        id: "sast-clean",
        title: "static analysis ran on the newest commit and is clean",
        criteria: &[Criterion::Cc7_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8", "A.8.28"]),
            (Framework::PciDss, &["6.2.4", "6.3.1"]),
            (Framework::Nist80053, &["RA-5", "SA-11"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ScanResults,
            FactKey::ScanChangeAnalyses,
            FactKey::ChangeIdentity,
        ],
        rationale: "A scanner finds weaknesses only if it ran, on this commit, to its end.",
        cheat: "Handing in an old, empty or crashed report, or splitting findings over many \
                        reports that are each within the limits. A report of another commit, without a \
                        run, or of a run that failed is never clean, and findings of one tool are \
                        added up. Where the platform's own analyses decide, the newest of each tool \
                        and part has to be of the newest commit, whatever older ones found, and one of \
                        them of a tool that is known to read code; a list \
                        that is hidden is never an empty one; and an alert that the change's author \
                        dismissed since it was opened counts as open. Whether somebody else who had a \
                        hand in it dismissed one, or a tool was taken out before it ever ran on the \
                        change, is not seen here: restrict who may dismiss, and see SCAN-11.",
        remedy_github: "fix or triage the findings, run the scanner on the newest commit, and let it \
                        upload its results to code scanning or hand its SARIF file in with `--scan`; \
                        a workflow needs `security-events: read` to read code scanning",
        remedy_gitlab: "fix or triage the findings, run the scanner on the newest commit and hand its \
                        SARIF file in with `--scan`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let reports = &fact.known()?.reports;
        let mut tally = Tally::default();
        let mut doubts = Vec::new();
        let mut clean = Vec::new();
        for report in reports {
            let expected: Vec<&ScanExpectation> = self
                .scans
                .iter()
                .filter(|scan| scan.path == report.pattern)
                .collect();
            let runs = match &report.runs {
                Ok(runs) => runs,
                Err(ScanFailure::Missing)
                    if !expected.is_empty() && expected.iter().all(|scan| !scan.required) =>
                {
                    continue;
                }
                Err(failure) => {
                    doubts.push(doubt(Why::Failed, describe(report, failure)));
                    continue;
                }
            };
            if runs.is_empty() {
                let none = format!("`{}` contains no run", report.path);
                doubts.push(doubt(Why::Failed, none));
            }
            for (place, run) in runs.iter().enumerate() {
                let of_tool: Vec<&ScanExpectation> = expected
                    .iter()
                    .copied()
                    .filter(|scan| is_tool(&scan.tool, &run.tool))
                    .collect();
                // What others judge, and nobody asked for here.
                if of_tool.is_empty() && is_told_otherwise(report, run) {
                    continue;
                }
                tally.add(report, place, run);
                let oldest = of_tool.iter().filter_map(|scan| scan.max_age_seconds).min();
                match in_doubt(report, run, oldest, facts) {
                    Some(unknown) => doubts.push(unknown),
                    None => clean.push((report, run)),
                }
            }
        }
        for scan in self.scans.iter().filter(|scan| scan.required) {
            let met = clean
                .iter()
                .any(|(report, run)| report.pattern == scan.path && is_tool(&scan.tool, &run.tool));
            if !met {
                doubts.push(doubt(
                    Why::NotCollected,
                    format!("no usable result of `{}` in `{}`", scan.tool, scan.path),
                ));
            }
        }
        let key = FactKey::ScanResults;
        let findings = self.findings(&tally);
        if !findings.is_empty() {
            let seen = findings.join("; ");
            return Ok(Verdict::fail_because(
                FailReason::Findings,
                Evidence::new(seen.clone(), key, seen, fact.sources()),
            ));
        }
        if let Some(unknown) = doubts.into_iter().next() {
            return Err(unknown);
        }
        if !clean
            .iter()
            .any(|(report, run)| is_static_analysis(report, run))
        {
            return self.without_report(&clean, facts);
        }
        let seen: Vec<String> = clean
            .iter()
            .map(|(report, run)| describe_run(report, run))
            .collect();
        let seen = seen.join(", ");
        Ok(Verdict::Pass(Evidence::new(
            format!("within the thresholds: {seen}"),
            key,
            seen,
            fact.sources(),
        )))
    }

    fn target_alerts(&self) -> bool {
        self.platform_analyses && !self.new.is_empty()
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        for scan in &base.scans {
            let Some(own) = self
                .scans
                .iter()
                .find(|own| own.tool.eq_ignore_ascii_case(&scan.tool) && own.path == scan.path)
            else {
                return Some(format!("no longer expects `{}`", scan.tool));
            };
            let older = match (own.max_age_seconds, scan.max_age_seconds) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(own), Some(base)) => own > base,
            };
            // Limits of its own take the place of `max`.
            let escapes = scan.new.is_empty()
                && scan.total.is_empty()
                && !(own.new.is_empty() && own.total.is_empty())
                && looser(&own.total, &base.max);
            if (scan.required && !own.required)
                || older
                || escapes
                || looser(&own.new, &scan.new)
                || looser(&own.total, &scan.total)
            {
                return Some(format!("asks less of `{}`", scan.tool));
            }
        }
        // Without it there is no pass but by a report.
        if self.platform_analyses && !base.platform_analyses {
            return Some("lets analyses of the platform stand in for a report".to_owned());
        }
        let looser = looser(&self.max, &base.max) || looser(&self.new, &base.new);
        looser.then(|| "allows more findings".to_owned())
    }
}

impl SastClean {
    /// No report of static analysis is there: the platform's own analyses decide, unless an
    /// expectation is left that asks for a report. `others` are clean, of another kind.
    fn without_report(
        &self,
        others: &[(&ScanReport, &ScanRun)],
        facts: &Snapshot,
    ) -> Result<Verdict, Unknown> {
        let missing = match others {
            [] => "no scan report was handed in",
            _ => "no report of static analysis was handed in",
        };
        let none = |detail: String| Err(doubt(Why::NotCollected, detail));
        let is_met = |scan: &ScanExpectation| {
            others
                .iter()
                .any(|(report, run)| report.pattern == scan.path && is_tool(&scan.tool, &run.tool))
        };
        if !self.platform_analyses || !self.scans.iter().all(is_met) {
            return none(missing.to_owned());
        }
        match change_analyses::judge(&self.max, &self.new, facts) {
            // Then a report is all that could help.
            Err(unknown) if unknown.why == Why::NotSupported => {
                none(format!("{missing}; {}", unknown.detail))
            }
            judged => judged,
        }
    }

    /// What is over a limit, one sentence for each tool.
    fn findings(&self, tally: &Tally<'_>) -> Vec<String> {
        let mut all = Vec::new();
        for sum in tally.sums() {
            let expected: Vec<&ScanExpectation> = self
                .scans
                .iter()
                .filter(|scan| scan.path == sum.pattern && is_tool(&scan.tool, sum.tool))
                .collect();
            let mut over = Vec::new();
            for count in &sum.counts {
                let limits = expected.iter().map(|scan| {
                    (
                        limit(&scan.new, count.severity),
                        limit(&scan.total, count.severity),
                    )
                });
                let mut named = false;
                for (new, total) in limits {
                    named |= new.is_some() || total.is_some();
                    over.extend(count.over_total(total));
                    over.extend(count.over_new(new));
                }
                if !named {
                    over.extend(count.over_total(limit(&self.max, count.severity)));
                }
            }
            over.dedup();
            if !over.is_empty() {
                let examples = sum.examples.join(", ");
                all.push(format!("{}: {}; {examples}", sum.tool, over.join(", ")));
            }
        }
        all
    }
}

/// Whether the format itself says that the run looked for something else.
fn is_told_otherwise(report: &ScanReport, run: &ScanRun) -> bool {
    let may_be = matches!(run.kind, None | Some(ScanKind::Sast | ScanKind::Dast));
    !may_be && !report.format.starts_with("sarif")
}

/// Whether the run may be one of static analysis: it says so, or SARIF leaves it open.
fn is_static_analysis(report: &ScanReport, run: &ScanRun) -> bool {
    match run.kind {
        Some(kind) => kind == ScanKind::Sast,
        None => report.format.starts_with("sarif"),
    }
}

#[cfg(test)]
mod tests;
