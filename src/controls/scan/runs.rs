//! What the controls over scan results have in common: limits, whether a run can be
//! relied on, and how runs are put into words.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::facts::{
    FactKey, FindingState, ScanFailure, ScanReport, ScanRun, Severity, Snapshot, Unknown, Why,
};

/// How far the clocks of scanner and gate may differ.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Most findings by severity. A limit also holds for whatever is worse and has
/// none of its own. A misspelt severity is refused.
pub(super) type Limits = BTreeMap<Severity, u64>;

pub(super) fn limits_schema(_: &mut SchemaGenerator) -> Schema {
    let most = || json_schema!({"type": "integer", "minimum": 0});
    json_schema!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "critical": most(), "high": most(), "medium": most(), "low": most(), "none": most(),
        },
    })
}

/// The limit of a severity: its own, else that of the next milder one.
pub(super) fn limit(limits: &Limits, severity: Severity) -> Option<u64> {
    limits.range(..=severity).next_back().map(|(_, most)| *most)
}

/// Tools add words to their name (`Semgrep OSS`); the expected name is the whole
/// of it or one of its words.
pub(crate) fn is_tool(expected: &str, named: &str) -> bool {
    named.eq_ignore_ascii_case(expected)
        || named
            .split_whitespace()
            .any(|word| word.eq_ignore_ascii_case(expected))
}

/// Why a run is no proof of anything: it failed, left something out, looked at another
/// commit, or is older than `oldest` seconds.
pub(in crate::controls) fn in_doubt(
    report: &ScanReport,
    run: &ScanRun,
    oldest: Option<u64>,
    facts: &Snapshot,
) -> Option<Unknown> {
    let tool = &run.tool;
    if run.execution_successful == Some(false) {
        return Some(doubt(Why::Failed, format!("`{tool}` ran and failed")));
    }
    if let Some(left_out) = &run.left_out {
        let detail = format!("`{tool}` did not look at everything: {left_out}");
        return Some(doubt(Why::Failed, detail));
    }
    if let Some(revision) = &run.revision
        && !revision.eq_ignore_ascii_case(&facts.subject.head)
    {
        return Some(doubt(
            Why::Stale,
            format!("`{tool}` looked at another commit, `{revision}`"),
        ));
    }
    let limit = oldest?;
    // The report's own time if it tells one, else the file's.
    let Some(ended) = run.ended_at.or(report.modified_at) else {
        return Some(doubt(
            Why::Stale,
            format!("`{tool}` does not say when it ran, and its age is limited"),
        ));
    };
    let age = facts.latest_time().duration_since(ended).as_secs();
    if age > i64::try_from(limit).unwrap_or(i64::MAX) {
        return Some(doubt(
            Why::Stale,
            format!("`{tool}` ran at {ended}, longer ago than {limit} s"),
        ));
    }
    // A report from the future would never grow too old.
    (age < -CLOCK_SKEW_SECONDS).then(|| {
        doubt(
            Why::Stale,
            format!("`{tool}` says that it ran at {ended}, which is yet to come"),
        )
    })
}

/// A run, in its report and at its place there.
#[derive(Clone, Copy)]
pub(in crate::controls) struct Ran<'a> {
    pub(in crate::controls) report: &'a ScanReport,
    pub(in crate::controls) place: usize,
    pub(in crate::controls) run: &'a ScanRun,
}

/// All runs that could be read. A report that could not may have held what was looked
/// for, and is a doubt; one that matched no file is none: each control says what has to
/// be there.
pub(in crate::controls) fn runs_of<'a>(
    reports: &'a [ScanReport],
    doubts: &mut Vec<Unknown>,
) -> Vec<Ran<'a>> {
    let mut all = Vec::new();
    for report in reports {
        match &report.runs {
            Ok(runs) => {
                let runs = runs.iter().enumerate();
                all.extend(runs.map(|(place, run)| Ran { report, place, run }));
            }
            Err(ScanFailure::Missing) => {}
            Err(failure) => doubts.push(doubt(Why::Failed, describe(report, failure))),
        }
    }
    all
}

/// What is unknown about scan results.
pub(in crate::controls) fn doubt(why: Why, detail: String) -> Unknown {
    Unknown::new(FactKey::ScanResults.name(), why, detail)
}

/// Why a report cannot be used.
pub(in crate::controls) fn describe(report: &ScanReport, failure: &ScanFailure) -> String {
    match failure {
        ScanFailure::Missing => format!("`{}` matched no file", report.pattern),
        ScanFailure::Unreadable(why) => format!("`{}` could not be read: {why}", report.path),
        ScanFailure::Unparsable(why) => {
            format!("`{}` is no report we understand: {why}", report.path)
        }
    }
}

/// What was seen of a run, and what it did not say: an auditor asks for both.
pub(super) fn describe_run(report: &ScanReport, run: &ScanRun) -> String {
    let sum =
        |number: fn(&crate::facts::FindingCount) -> u64| run.counts.iter().map(number).sum::<u64>();
    let (open, suppressed) = (sum(|count| count.open), sum(|count| count.suppressed));
    let accepted = run.findings.iter();
    let accepted = accepted
        .filter(|finding| finding.state == FindingState::Accepted)
        .count();
    let mut seen = format!(
        "{} {} ({open} open findings, {suppressed} suppressed",
        run.tool,
        run.version.as_deref().unwrap_or("of unknown version"),
    );
    if accepted > 0 {
        seen.push_str(&format!(", {accepted} accepted"));
    }
    if run.revision.is_none() {
        seen.push_str(", names no commit");
    }
    if run.execution_successful.is_none() {
        seen.push_str(", does not say how it ended");
    }
    format!("{seen}, {})", report.digest)
}

/// Whether a limit of `base` is missing or higher.
pub(super) fn looser(own: &Limits, base: &Limits) -> bool {
    base.iter()
        .any(|(severity, most)| limit(own, *severity).is_none_or(|own| own > *most))
        // A limit that `base` passes on to what is worse may be raised there.
        || own
            .iter()
            .any(|(severity, own)| limit(base, *severity).is_some_and(|base| *own > base))
}
