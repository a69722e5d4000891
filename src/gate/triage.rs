//! What the policy makes of the findings that were read: how severe they are here, which
//! it accepts, which were there before, which are known to be exploited. It is put upon
//! the facts once, before any control counts, so that all of them count alike.
//!
//! Of a large report only some findings are known one by one. Those of which nothing but
//! a severity is known are never accepted and never milder than reported; they count as
//! new, and as the worst that the policy could make of them.

pub(super) mod accepting;
mod baseline;
mod exploited;
mod sums;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::controls::is_tool;
use crate::facts::{
    Fact, Finding, FindingCount, FindingState, ScanKind, ScanReport, ScanResults, ScanRun,
    Severity, SeverityOrigin, Snapshot,
};
use crate::policy::{Clocks, Note, Policy, ScanExpectation, SeverityMap, worst};

use accepting::Accepting;
pub use accepting::{AcceptanceReport, AcceptanceState};
use baseline::Baselines;
use exploited::Exploited;
use sums::Sums;

/// Examples given for a run.
const EXAMPLES: usize = 5;

/// Scan results as the policy sees them.
pub(super) struct Triaged {
    /// The results that controls count; `None`: as they were read.
    pub(super) scans: Option<Fact<ScanResults>>,
    /// What became of each acceptance.
    pub(super) accepted: Vec<AcceptanceReport>,
    /// What people have to see.
    pub(super) notes: Vec<Note>,
}

/// Puts the policy upon the scan results of a snapshot.
pub(super) fn triage(policy: &Policy, facts: &Snapshot) -> Triaged {
    let now = facts.latest_time();
    let mut accepting = Accepting::new(&policy.accepted_findings, Clocks::of(facts));
    let Fact::Known { value, sources } = &facts.scans else {
        return Triaged {
            scans: None,
            accepted: accepting.reports(None),
            notes: Vec::new(),
        };
    };
    let of_scans =
        |scan: &ScanExpectation| !scan.severity_maps.is_empty() || scan.baseline.is_some();
    let changes_nothing = policy.accepted_findings.is_empty()
        && policy.known_exploited.is_empty()
        && !policy.scans.iter().any(of_scans);
    if changes_nothing {
        return Triaged {
            scans: None,
            accepted: Vec::new(),
            notes: Vec::new(),
        };
    }
    let mut baselines = Baselines::new(&policy.scans, &value.baselines, now);
    let exploited = Exploited::new(&policy.known_exploited, &value.exploited);
    let mut notes = baselines.notes();
    notes.extend(exploited.notes());
    // A copy of a file counts once, and is worth what the first one was: where that stands.
    let mut seen: HashMap<(&str, &str, usize), usize> = HashMap::new();
    let mut reports: Vec<ScanReport> = Vec::with_capacity(value.reports.len());
    for report in &value.reports {
        let runs = report.runs.as_ref().map(|runs| {
            let runs = runs.iter().enumerate().map(|(place, run)| {
                let key = (report.pattern.as_str(), file(report), place);
                let first = *seen.entry(key).or_insert(reports.len());
                let first = reports
                    .get(first)
                    .and_then(|first| first.runs.as_ref().ok());
                if let Some(known) = first.and_then(|runs| runs.get(place)) {
                    return known.clone();
                }
                let mut desk = Desk {
                    policy,
                    report,
                    run,
                    accepting: &mut accepting,
                    baselines: &mut baselines,
                    exploited: &exploited,
                };
                desk.judged()
            });
            runs.collect::<Vec<_>>()
        });
        reports.push(ScanReport {
            runs: runs.map_err(Clone::clone),
            ..without_runs(report)
        });
    }
    Triaged {
        scans: Some(Fact::Known {
            value: ScanResults::of(reports),
            sources: sources.clone(),
        }),
        accepted: accepting.reports(Some(value)),
        notes,
    }
}

/// What tells a file from others.
fn file(report: &ScanReport) -> &str {
    if report.digest.is_empty() {
        &report.path
    } else {
        &report.digest
    }
}

fn without_runs(report: &ScanReport) -> ScanReport {
    ScanReport {
        pattern: report.pattern.clone(),
        path: report.path.clone(),
        digest: report.digest.clone(),
        format: report.format.clone(),
        modified_at: report.modified_at,
        runs: Ok(Vec::new()),
    }
}

/// One run, and everything that it is held against.
struct Desk<'a, 'p> {
    policy: &'p Policy,
    report: &'p ScanReport,
    run: &'p ScanRun,
    accepting: &'a mut Accepting<'p>,
    baselines: &'a mut Baselines<'p>,
    exploited: &'a Exploited<'p>,
}

impl Desk<'_, '_> {
    fn judged(&mut self) -> ScanRun {
        let run = self.run;
        if !has_findings(run) {
            return run.clone();
        }
        let expected: Vec<(usize, &ScanExpectation)> = self
            .policy
            .scans
            .iter()
            .enumerate()
            .filter(|(_, scan)| scan.path == self.report.pattern && is_tool(&scan.tool, &run.tool))
            .collect();
        // Of several lines about the same result the worst holds; one without a map is one
        // that changes nothing.
        let maps: Vec<SeverityMap> = expected
            .iter()
            .flat_map(|(_, scan)| match scan.severity_maps.as_slice() {
                [] => vec![SeverityMap::default()],
                maps => maps.to_vec(),
            })
            .collect();
        let stored: Vec<usize> = expected
            .iter()
            .filter(|(_, scan)| scan.baseline.is_some())
            .map(|(index, _)| *index)
            .collect();
        let own_baseline = run.counts.iter().all(|count| count.new.is_some());
        let tells_new = if stored.is_empty() {
            own_baseline
        } else {
            stored.iter().all(|index| self.baselines.holds(*index))
        };
        let mut sums = Sums::new(tells_new);
        let may_be_exploited = self.exploited.concerns(run);
        for (count, unknown, unknown_new) in unknown_ones(run) {
            let mapped = maps.iter().map(|map| map.at_worst(count.severity));
            let mut severity = mapped.max().unwrap_or(count.severity).max(count.severity);
            if may_be_exploited {
                severity = Severity::Critical;
            }
            let new = if stored.is_empty() {
                unknown_new
            } else {
                unknown
            };
            sums.add_open(severity, unknown, new);
            sums.add_suppressed(count.severity, count.suppressed);
        }
        let mut from = run.severity_from.clone();
        let mut findings = Vec::with_capacity(run.findings.len());
        for finding in &run.findings {
            let mut finding = finding.clone();
            if finding.state.is_open() {
                let as_read = finding.severity;
                // Each baseline is asked, for each uses up what it knows.
                let mut was_new = false;
                for index in &stored {
                    was_new |= self.baselines.is_new(*index, &finding, as_read);
                }
                let is_new = if stored.is_empty() {
                    finding.is_new == Some(true)
                } else {
                    was_new
                };
                self.rate(&mut finding, &maps, &mut from);
                if self.accepting.accepts(self.report, run, &finding) {
                    finding.state = FindingState::Accepted;
                } else {
                    sums.add_open(finding.severity, 1, u64::from(is_new));
                }
            }
            findings.push(finding);
        }
        findings.sort_by_key(|finding| (!finding.state.is_open(), Reverse(finding.severity)));
        let open = findings.iter().filter(|finding| finding.state.is_open());
        let mut examples: Vec<String> = open.take(EXAMPLES).map(Finding::words).collect();
        if run.findings.is_empty() {
            examples.clone_from(&run.examples);
        }
        ScanRun {
            tool: run.tool.clone(),
            version: run.version.clone(),
            execution_successful: run.execution_successful,
            revision: run.revision.clone(),
            ended_at: run.ended_at,
            counts: sums.counts(),
            examples,
            kind: run.kind,
            findings,
            severity_from: from,
            suppressed_without_reason: run.suppressed_without_reason,
            unexplained: run.unexplained.clone(),
            left_out: run.left_out.clone().or_else(|| self.exploited.doubt(run)),
            measured: run.measured.clone(),
        }
    }

    /// How severe the finding is here.
    fn rate(
        &self,
        finding: &mut Finding,
        maps: &[SeverityMap],
        from: &mut BTreeMap<SeverityOrigin, u64>,
    ) {
        let mut severity = worst(maps, &finding.rule, finding.severity, finding.severity_from);
        if self.exploited.names(self.run, finding) {
            severity = Severity::Critical;
        }
        if severity == finding.severity {
            return;
        }
        if let Some(number) = from.get_mut(&finding.severity_from) {
            *number = number.saturating_sub(1);
        }
        *from.entry(SeverityOrigin::Policy).or_default() += 1;
        finding.severity = severity;
        finding.severity_from = SeverityOrigin::Policy;
    }
}

/// Whether what the run counts are findings. A test that failed is none: nobody accepts
/// that, or calls it mild.
fn has_findings(run: &ScanRun) -> bool {
    match run.kind {
        None
        | Some(
            ScanKind::Sast
            | ScanKind::Secrets
            | ScanKind::Dependencies
            | ScanKind::Container
            | ScanKind::Iac
            | ScanKind::Dast
            | ScanKind::Quality,
        ) => true,
        Some(ScanKind::Tests | ScanKind::Coverage | ScanKind::Sbom | ScanKind::Vex) => false,
    }
}

/// For each severity how many open findings are not known one by one, and how many of
/// those the report marks as new.
fn unknown_ones(run: &ScanRun) -> impl Iterator<Item = (&FindingCount, u64, u64)> {
    run.counts.iter().map(|count| {
        let open = || {
            let open = run
                .findings
                .iter()
                .filter(|finding| finding.state.is_open());
            open.filter(|finding| finding.severity == count.severity)
        };
        let known = open().count() as u64;
        let known_new = open()
            .filter(|finding| finding.is_new == Some(true))
            .count() as u64;
        let unknown = count.open.saturating_sub(known);
        let new = count.new.unwrap_or(count.open).saturating_sub(known_new);
        (count, unknown, new.min(unknown))
    })
}
