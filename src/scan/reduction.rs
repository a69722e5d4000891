//! One model for the findings of all formats, and what is kept of them: counts of
//! all, where the severities came from, and details of a bounded number, the worst
//! first. Messages and snippets never come here, they may hold the secret.

mod shelf;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::facts::{
    Finding, FindingCount, FindingState, Fingerprint, ScanRun, Severity, SeverityOrigin, SharedText,
};

use super::place;
use shelf::Shelf;

/// Examples given for a run.
pub(super) const EXAMPLES: usize = 5;
/// Most findings of which details are kept, of a run and of all reports together.
pub(super) const KEPT: usize = 10_000;
/// Most suppressed ones among them.
const SUPPRESSED_KEPT: usize = 1_000;
/// Most other ids of one vulnerability.
const MOST_IDS: usize = 8;
/// Most different names that are kept once: tools have a few thousand rules, and whoever
/// names each finding otherwise gains nothing by it.
const MOST_SHARED: usize = 4_096;

/// Whether somebody took a finding off the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody did.
    #[default]
    Open,
    /// Suppressed in the source or accepted; whether a reason is given.
    Suppressed { explained: bool },
    /// Dismissed where findings are kept; whether a reason is given.
    Dismissed { explained: bool },
}

/// A finding as a reader saw it; texts are foreign and as they stand in the report.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) rule: Option<&'a str>,
    /// Other ids of the same vulnerability.
    pub(super) ids: Vec<&'a str>,
    pub(super) rating: (Severity, SeverityOrigin),
    /// A path or URI.
    pub(super) path: Option<&'a str>,
    pub(super) line: Option<u64>,
    /// The report's own fingerprint, if it does not change with the line.
    pub(super) own_fingerprint: Option<&'a str>,
    pub(super) state: State,
    /// Why it is suppressed.
    pub(super) reason: Option<&'a str>,
    /// Whether the report itself marks it as new.
    pub(super) is_new: Option<bool>,
    pub(super) first_seen: Option<Timestamp>,
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self {
            rule: None,
            ids: Vec::new(),
            rating: (Severity::High, SeverityOrigin::Assumed),
            path: None,
            line: None,
            own_fingerprint: None,
            state: State::Open,
            reason: None,
            is_new: None,
            first_seen: None,
        }
    }
}

/// Findings that are rated alike.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub(super) open: u64,
    /// How many of the open ones are new; `None`: the report has no baseline.
    pub(super) new: Option<u64>,
    pub(super) suppressed: u64,
    pub(super) without_reason: u64,
}

/// The findings of a run so far.
#[derive(Default)]
pub(super) struct Reduction {
    counts: BTreeMap<Severity, FindingCount>,
    from: BTreeMap<SeverityOrigin, u64>,
    without_reason: u64,
    open: Shelf<Finding>,
    suppressed: Shelf<Suppressed>,
    /// Rules and ids, each kept once.
    names: HashSet<SharedText>,
}

/// A suppressed finding, and whether anybody said why.
struct Suppressed {
    finding: Finding,
    explained: bool,
}

impl Reduction {
    /// Adds one finding.
    pub(super) fn add(&mut self, seen: &Seen<'_>, root: &Path) {
        let (open, suppressed, explained) = match seen.state {
            State::Open => (1, 0, true),
            State::Suppressed { explained } | State::Dismissed { explained } => (0, 1, explained),
        };
        let numbers = Numbers {
            open,
            new: None,
            suppressed,
            without_reason: u64::from(!explained),
        };
        self.count(seen.rating, numbers);
        self.keep(seen, root);
    }

    /// Adds the numbers of findings that are rated alike.
    pub(super) fn count(&mut self, rating: (Severity, SeverityOrigin), numbers: Numbers) {
        let (severity, from) = rating;
        let count = self.counts.entry(severity).or_insert(FindingCount {
            severity,
            open: 0,
            new: numbers.new.map(|_| 0),
            suppressed: 0,
        });
        count.open += numbers.open;
        count.suppressed += numbers.suppressed;
        count.new = count.new.zip(numbers.new).map(|(all, new)| all + new);
        self.without_reason += numbers.without_reason;
        *self.from.entry(from).or_default() += numbers.open + numbers.suppressed;
    }

    /// Keeps the details of a finding if it is among the worst. Of findings that are
    /// rated alike the first ones are kept, so they have to come in their order.
    pub(super) fn keep(&mut self, seen: &Seen<'_>, root: &Path) {
        let (severity, _) = seen.rating;
        match seen.state {
            State::Open => {
                if self.open.has_room(severity, KEPT) {
                    let finding = self.finding(seen, FindingState::Open, root);
                    self.open.put(severity, finding, KEPT);
                }
            }
            State::Suppressed { explained } | State::Dismissed { explained } => {
                if self.suppressed.has_room(severity, SUPPRESSED_KEPT) {
                    let reason = seen.reason.map(place::sentence);
                    let reason = reason.filter(|reason| !reason.is_empty());
                    let state = match seen.state {
                        // No format tells who.
                        State::Dismissed { .. } => FindingState::Dismissed { by: None, reason },
                        State::Suppressed { .. } | State::Open => {
                            FindingState::Suppressed { reason }
                        }
                    };
                    let finding = self.finding(seen, state, root);
                    let suppressed = Suppressed { finding, explained };
                    self.suppressed.put(severity, suppressed, SUPPRESSED_KEPT);
                }
            }
        }
    }

    /// The details of a finding, known as yet by all but the tool, whose name may come last.
    fn finding(&mut self, seen: &Seen<'_>, state: FindingState, root: &Path) -> Finding {
        let (severity, severity_from) = seen.rating;
        let place = seen
            .path
            .map(|path| place::relative(path, root))
            .filter(|path| !path.is_empty());
        let mut rule = place::spelt(seen.rule.unwrap_or_default());
        if rule.is_empty() {
            "an unnamed rule".clone_into(&mut rule);
        }
        let ids = seen.ids.iter().take(MOST_IDS);
        Finding {
            rule: self.shared(&rule),
            ids: ids.map(|id| self.shared(&place::spelt(id))).collect(),
            severity,
            severity_from,
            fingerprint: Fingerprint::of(identity(seen, place.as_deref())),
            place: place.map(|place| place::spelt(&place).into()),
            line: seen.line.filter(|line| *line > 0),
            state,
            is_new: seen.is_new,
            first_seen: seen.first_seen,
        }
    }

    /// The name, kept once as long as there are few.
    fn shared(&mut self, name: &str) -> SharedText {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name = SharedText::from(name);
        if self.names.len() < MOST_SHARED {
            self.names.insert(name.clone());
        }
        name
    }

    /// How many are open.
    pub(super) fn open(&self) -> u64 {
        self.counts.values().map(|count| count.open).sum()
    }

    /// The run of this tool with these findings, worst first; the rest is for the reader to fill in.
    pub(super) fn into_run(self, tool: impl Into<String>) -> ScanRun {
        let run = ScanRun::of(tool);
        let mut unexplained = Vec::new();
        let mut findings = self.open.into_worst_first();
        let examples = findings.iter().take(EXAMPLES).map(Finding::words).collect();
        for suppressed in self.suppressed.into_worst_first() {
            if !suppressed.explained && unexplained.len() < EXAMPLES {
                unexplained.push(suppressed.finding.words());
            }
            if findings.len() < KEPT {
                findings.push(suppressed.finding);
            }
        }
        for finding in &mut findings {
            finding.fingerprint = fingerprint(&run.tool, finding.fingerprint);
        }
        ScanRun {
            counts: self.counts.into_values().rev().collect(),
            examples,
            findings,
            severity_from: self.from,
            suppressed_without_reason: self.without_reason,
            unexplained,
            ..run
        }
    }
}

/// Drops details beyond what is left to keep. The first findings of a run are its
/// worst, and what is dropped still counts.
pub(super) fn keep_at_most(runs: &mut [ScanRun], room: &mut usize) {
    for run in runs {
        run.findings.truncate(*room);
        run.findings.shrink_to_fit();
        *room -= run.findings.len();
    }
}

/// What a finding is known by but for its tool: over the names as they stand in the
/// report, so that two that only look alike when shown are two.
fn identity(seen: &Seen<'_>, place: Option<&str>) -> [u8; 16] {
    let (rule, own) = (seen.rule, seen.own_fingerprint);
    let parts = [rule, place, own].map(|part| part.unwrap_or_default().as_bytes());
    short_digest(&parts)
}

fn fingerprint(tool: &str, identity: Fingerprint) -> Fingerprint {
    Fingerprint::of(short_digest(&[tool.as_bytes(), identity.bytes()]))
}

fn short_digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().zip(hasher.finalize()) {
        *to = from;
    }
    short
}
