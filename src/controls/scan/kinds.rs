//! The judgement that controls over one kind of scan have in common: it ran on the
//! newest commit, to its end, over everything, and what it found is within limits.
//!
//! Which runs count: those whose report says that they looked for this, and those of
//! tools that the policy names for it where the report leaves it open. A report that
//! cannot be read may have been one of them, and leaves it unknown.

use super::runs::{Limits, Ran, describe_run, doubt, in_doubt, is_tool, limit, looser, runs_of};
use super::tally::Tally;
use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::facts::{FactKey, ScanKind, ScanRun, Snapshot, Unknown, Why};

/// What a control asks for.
pub(super) struct Asked<'a> {
    pub(super) kind: ScanKind,
    pub(super) tools: &'a [String],
    pub(super) max: &'a Limits,
    pub(super) max_age_seconds: Option<u64>,
}

impl Asked<'_> {
    pub(super) fn is_about(&self, run: &ScanRun) -> bool {
        match run.kind {
            Some(kind) => kind == self.kind,
            None => self.tools.iter().any(|tool| is_tool(tool, &run.tool)),
        }
    }
}

/// Judges all reports that were handed in.
pub(super) fn judge(asked: &Asked<'_>, facts: &Snapshot) -> Result<Verdict, Unknown> {
    let fact = &facts.scans;
    let key = FactKey::ScanResults;
    let mut tally = Tally::default();
    let mut doubts = Vec::new();
    let mut clean = Vec::new();
    for Ran { report, place, run } in runs_of(&fact.known()?.reports, &mut doubts) {
        if !asked.is_about(run) {
            continue;
        }
        tally.add(report, place, run);
        match in_doubt(report, run, asked.max_age_seconds, facts) {
            Some(unknown) => doubts.push(unknown),
            None => clean.push((report, run)),
        }
    }
    let over = over_limit(asked, &tally);
    if !over.is_empty() {
        let seen = over.join("; ");
        return Ok(Verdict::fail_because(
            FailReason::Findings,
            Evidence::new(seen.clone(), key, seen, fact.sources()),
        ));
    }
    let missing = asked
        .tools
        .iter()
        .find(|tool| !clean.iter().any(|(_, run)| is_tool(tool, &run.tool)));
    if let Some(tool) = missing {
        let detail = format!("no usable result of `{tool}` was handed in");
        doubts.push(doubt(Why::NotCollected, detail));
    }
    if let Some(unknown) = doubts.into_iter().next() {
        return Err(unknown);
    }
    if clean.is_empty() {
        let detail = format!("no report of {} was handed in", asked.kind.words());
        return Err(doubt(Why::NotCollected, detail));
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

/// What is over a limit, one sentence for each tool.
fn over_limit(asked: &Asked<'_>, tally: &Tally<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for sum in tally.sums() {
        let over = sum
            .counts
            .iter()
            .filter_map(|count| count.over_total(limit(asked.max, count.severity)));
        let over: Vec<String> = over.collect();
        if !over.is_empty() {
            let examples = sum.examples.join(", ");
            all.push(format!("{}: {}; {examples}", sum.tool, over.join(", ")));
        }
    }
    all
}

/// Whether `own` asks for less than `base`.
pub(super) fn weaker(own: &Asked<'_>, base: &Asked<'_>) -> Option<String> {
    let dropped = base.tools.iter().find(|tool| {
        let same = |own: &String| own.eq_ignore_ascii_case(tool);
        !own.tools.iter().any(same)
    });
    if let Some(tool) = dropped {
        return Some(format!("no longer expects `{tool}`"));
    }
    // A tool that is named speaks for the kind, whatever it looks for.
    let added = own.tools.iter().find(|tool| {
        let same = |base: &String| base.eq_ignore_ascii_case(tool);
        !base.tools.iter().any(same)
    });
    if let Some(tool) = added {
        return Some(format!("takes a result of `{tool}` for one of its kind"));
    }
    let older = match (own.max_age_seconds, base.max_age_seconds) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(own), Some(base)) => own > base,
    };
    if older {
        return Some("allows older results".to_owned());
    }
    looser(own.max, base.max).then(|| "allows more findings".to_owned())
}
