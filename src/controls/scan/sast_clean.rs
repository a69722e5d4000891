//! SCAN-01: static analysis ran on the newest commit and is clean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{FactKey, Platform, ScanFailure, ScanReport, ScanRun, Snapshot, Unknown, Why};

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
    new: BTreeMap<String, u64>,
    /// Most findings allowed by severity.
    #[serde(default)]
    total: BTreeMap<String, u64>,
}

/// Parameters of SCAN-01.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SastClean {
    /// The results that are expected.
    scans: Vec<ScanExpectation>,
    /// Most findings allowed by severity where no expectation says otherwise.
    max: BTreeMap<String, u64>,
}

impl Default for SastClean {
    fn default() -> Self {
        Self {
            scans: Vec::new(),
            max: BTreeMap::from([("critical".to_owned(), 0), ("high".to_owned(), 0)]),
        }
    }
}

impl Control for SastClean {
    const META: Meta = Meta {
        code: "SCAN-01",
        id: "sast-clean",
        title: "static analysis ran on the newest commit and is clean",
        criteria: &[Criterion::Cc7_1, Criterion::Cc8_1],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "A scanner finds weaknesses only if it ran, on this commit, to its end.",
        cheat: "Handing in an old, empty or crashed report. A report of another commit, without a run, or of a run that failed is never clean.",
        remedy_github: "fix or triage the findings, run the scanner on the newest commit and hand its SARIF file in",
        remedy_gitlab: "fix or triage the findings, run the scanner on the newest commit and hand its SARIF file in",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let reports = &fact.known()?.reports;
        let mut findings = Vec::new();
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
                doubts.push(doubt(
                    Why::Failed,
                    format!("`{}` contains no run", report.path),
                ));
            }
            for run in runs {
                let expectation = expected
                    .iter()
                    .find(|scan| scan.tool.eq_ignore_ascii_case(&run.tool));
                if let Some(bad) = self.findings(run, expectation.copied()) {
                    findings.push(bad);
                }
                match in_doubt(run, expectation.copied(), facts) {
                    Some(unknown) => doubts.push(unknown),
                    None => clean.push((report, run)),
                }
            }
        }
        for scan in self.scans.iter().filter(|scan| scan.required) {
            let met = clean.iter().any(|(report, run)| {
                report.pattern == scan.path && scan.tool.eq_ignore_ascii_case(&run.tool)
            });
            if !met {
                doubts.push(doubt(
                    Why::NotCollected,
                    format!("no usable result of `{}` in `{}`", scan.tool, scan.path),
                ));
            }
        }
        let key = FactKey::ScanResults;
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
        if clean.is_empty() {
            return Err(doubt(
                Why::NotCollected,
                "no scan report was handed in".to_owned(),
            ));
        }
        let seen: Vec<String> = clean
            .iter()
            .map(|(report, run)| {
                format!(
                    "{} {} ({} open findings, {})",
                    run.tool,
                    run.version.as_deref().unwrap_or("of unknown version"),
                    run.counts.iter().map(|count| count.open).sum::<u64>(),
                    report.digest,
                )
            })
            .collect();
        let seen = seen.join(", ");
        Ok(Verdict::Pass(Evidence::new(
            format!("within the thresholds: {seen}"),
            key,
            seen,
            fact.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        for scan in &base.scans {
            let Some(own) = self
                .scans
                .iter()
                .find(|own| own.tool == scan.tool && own.path == scan.path)
            else {
                return Some(format!("no longer expects `{}`", scan.tool));
            };
            let older = match (own.max_age_seconds, scan.max_age_seconds) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(own), Some(base)) => own > base,
            };
            if (scan.required && !own.required)
                || older
                || looser(&own.new, &scan.new)
                || looser(&own.total, &scan.total)
            {
                return Some(format!("asks less of `{}`", scan.tool));
            }
        }
        looser(&self.max, &base.max).then(|| "allows more findings".to_owned())
    }
}

impl SastClean {
    fn findings(&self, run: &ScanRun, scan: Option<&ScanExpectation>) -> Option<String> {
        let none = BTreeMap::new();
        let (new, total) = match scan {
            Some(scan) if scan.new.is_empty() && scan.total.is_empty() => (&none, &self.max),
            Some(scan) => (&scan.new, &scan.total),
            None => (&none, &self.max),
        };
        let mut over = Vec::new();
        for count in &run.counts {
            let word = count.severity.word();
            if let Some(limit) = total.get(word)
                && count.open > *limit
            {
                over.push(format!("{} {word}, {limit} allowed", count.open));
            }
            // A report without a baseline tells no old from new: all count as new.
            let fresh = count.new.unwrap_or(count.open);
            if let Some(limit) = new.get(word)
                && fresh > *limit
            {
                let note = if count.new.is_some() {
                    ""
                } else {
                    " (no baseline, all count as new)"
                };
                over.push(format!("{fresh} new {word}, {limit} allowed{note}"));
            }
        }
        (!over.is_empty()).then(|| {
            format!(
                "{}: {}; {}",
                run.tool,
                over.join(", "),
                run.examples.join(", ")
            )
        })
    }
}

fn in_doubt(run: &ScanRun, scan: Option<&ScanExpectation>, facts: &Snapshot) -> Option<Unknown> {
    if run.execution_successful == Some(false) {
        return Some(doubt(Why::Failed, format!("`{}` ran and failed", run.tool)));
    }
    if let Some(revision) = &run.revision
        && !revision.eq_ignore_ascii_case(&facts.subject.head)
    {
        return Some(doubt(
            Why::Stale,
            format!("`{}` looked at another commit, `{revision}`", run.tool),
        ));
    }
    let limit = scan.and_then(|scan| scan.max_age_seconds)?;
    match run.ended_at {
        None => Some(doubt(
            Why::Stale,
            format!(
                "`{}` does not say when it ran, and its age is limited",
                run.tool
            ),
        )),
        Some(ended) => (facts.observed_at.duration_since(ended).as_secs()
            > i64::try_from(limit).unwrap_or(i64::MAX))
        .then(|| {
            doubt(
                Why::Stale,
                format!("`{}` ran at {ended}, longer ago than {limit} s", run.tool),
            )
        }),
    }
}

fn doubt(why: Why, detail: String) -> Unknown {
    Unknown::new(FactKey::ScanResults.name(), why, detail)
}

fn describe(report: &ScanReport, failure: &ScanFailure) -> String {
    match failure {
        ScanFailure::Missing => format!("`{}` matched no file", report.pattern),
        ScanFailure::Unreadable(why) => format!("`{}` could not be read: {why}", report.path),
        ScanFailure::Unparsable(why) => {
            format!("`{}` is no report we understand: {why}", report.path)
        }
    }
}

/// Whether a limit of `base` is missing or higher.
fn looser(own: &BTreeMap<String, u64>, base: &BTreeMap<String, u64>) -> bool {
    base.iter()
        .any(|(word, limit)| own.get(word).is_none_or(|own| own > limit))
}
