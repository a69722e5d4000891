//! One model for the findings of all formats, and what is kept of them: counts,
//! where the severities came from, and the five worst. Messages and snippets never
//! come here, they may hold the secret.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::facts::{Finding, FindingCount, ScanRun, Severity, SeverityOrigin};

use super::place;

/// Examples given for a run.
pub(super) const EXAMPLES: usize = 5;

/// Whether somebody took a finding off the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody did.
    #[default]
    Open,
    /// Suppressed in the source, dismissed or accepted; whether a reason is given.
    Suppressed { explained: bool },
}

/// A finding as a reader saw it; texts are foreign and as they stand in the report.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) rule: Option<&'a str>,
    pub(super) rating: (Severity, SeverityOrigin),
    /// A path or URI.
    pub(super) path: Option<&'a str>,
    pub(super) line: Option<u64>,
    /// The report's own fingerprint, if it does not change with the line.
    pub(super) own_fingerprint: Option<&'a str>,
    pub(super) state: State,
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self {
            rule: None,
            rating: (Severity::High, SeverityOrigin::Assumed),
            path: None,
            line: None,
            own_fingerprint: None,
            state: State::Open,
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

/// An example, and its position among the findings.
struct Example {
    position: u64,
    severity: Severity,
    from: SeverityOrigin,
    rule: String,
    place: Option<String>,
    line: Option<u64>,
    own_fingerprint: String,
}

/// The findings of a run so far.
#[derive(Default)]
pub(super) struct Reduction {
    counts: BTreeMap<Severity, FindingCount>,
    from: BTreeMap<SeverityOrigin, u64>,
    without_reason: u64,
    position: u64,
    worst: Vec<Example>,
    unexplained: Vec<Example>,
}

impl Reduction {
    /// Adds one finding.
    pub(super) fn add(&mut self, seen: &Seen<'_>, root: &Path) {
        self.position += 1;
        let (open, suppressed, explained) = match seen.state {
            State::Open => (1, 0, true),
            State::Suppressed { explained } => (0, 1, explained),
        };
        let numbers = Numbers {
            open,
            new: None,
            suppressed,
            without_reason: u64::from(!explained),
        };
        self.count(seen.rating, numbers);
        self.example(self.position, seen, root);
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

    /// Keeps a finding as an example if it is among the worst.
    pub(super) fn example(&mut self, position: u64, seen: &Seen<'_>, root: &Path) {
        let kept = match seen.state {
            State::Open => &mut self.worst,
            State::Suppressed { explained: false } => &mut self.unexplained,
            State::Suppressed { explained: true } => return,
        };
        let (severity, from) = seen.rating;
        let rank = |severity: Severity, position: u64| (std::cmp::Reverse(severity), position);
        let at = kept.partition_point(|example| {
            rank(example.severity, example.position) < rank(severity, position)
        });
        if at >= EXAMPLES {
            return;
        }
        kept.insert(
            at,
            Example {
                position,
                severity,
                from,
                rule: place::shown(seen.rule.unwrap_or_default()),
                place: seen
                    .path
                    .map(|path| place::path(path, root))
                    .filter(|path| !path.is_empty()),
                line: seen.line.filter(|line| *line > 0),
                own_fingerprint: seen.own_fingerprint.unwrap_or_default().to_owned(),
            },
        );
        kept.truncate(EXAMPLES);
    }

    /// How many are open.
    pub(super) fn open(&self) -> u64 {
        self.counts.values().map(|count| count.open).sum()
    }

    /// The run of this tool with these findings, worst first; the rest is for the reader to fill in.
    pub(super) fn into_run(self, tool: impl Into<String>) -> ScanRun {
        let run = ScanRun::of(tool);
        let findings = self.worst.iter().map(|example| example.finding(&run.tool));
        ScanRun {
            counts: self.counts.into_values().rev().collect(),
            examples: self.worst.iter().map(Example::words).collect(),
            findings: findings.collect(),
            severity_from: self.from,
            suppressed_without_reason: self.without_reason,
            unexplained: self.unexplained.iter().map(Example::words).collect(),
            ..run
        }
    }
}

impl Example {
    fn rule(&self) -> &str {
        if self.rule.is_empty() {
            return "an unnamed rule";
        }
        &self.rule
    }

    fn words(&self) -> String {
        let rule = self.rule();
        match (&self.place, self.line) {
            (Some(place), Some(line)) => format!("{rule} at {place}:{line}"),
            (Some(place), None) => format!("{rule} at {place}"),
            (None, _) => format!("{rule} at an unnamed place"),
        }
    }

    fn finding(&self, tool: &str) -> Finding {
        let mut hasher = Sha256::new();
        let place = self.place.as_deref().unwrap_or_default();
        for part in [tool, &self.rule, place, &self.own_fingerprint] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut fingerprint = hex::encode(hasher.finalize());
        fingerprint.truncate(32);
        Finding {
            rule: self.rule().to_owned(),
            severity: self.severity,
            severity_from: self.from,
            place: self.place.clone(),
            line: self.line,
            fingerprint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(rule: &'static str, line: u64) -> Seen<'static> {
        Seen {
            rule: Some(rule),
            path: Some("src/a.rs"),
            line: Some(line),
            ..Seen::default()
        }
    }

    fn run_of(all: &[Seen<'_>]) -> ScanRun {
        let mut reduction = Reduction::default();
        for each in all {
            reduction.add(each, Path::new("/builds/acme"));
        }
        reduction.into_run("probe")
    }

    #[test]
    fn a_fingerprint_stays_when_the_line_moves_and_changes_with_all_else() {
        let of = |seen: Seen<'_>| run_of(&[seen]).findings.remove(0).fingerprint;
        let first = of(seen("a", 1));
        assert_eq!(first, of(seen("a", 99)));
        assert_ne!(first, of(seen("b", 1)));
        let elsewhere = Seen {
            path: Some("src/b.rs"),
            ..seen("a", 1)
        };
        assert_ne!(first, of(elsewhere));
        let own = Seen {
            own_fingerprint: Some("abc"),
            ..seen("a", 1)
        };
        assert_ne!(first, of(own));
        assert_eq!(first.len(), 32);
    }

    #[test]
    fn suppressed_findings_are_counted_apart_and_those_without_a_reason_named() {
        let suppressed = |explained| Seen {
            state: State::Suppressed { explained },
            ..seen("a", 1)
        };
        let run = run_of(&[suppressed(true), suppressed(false), seen("b", 2)]);
        assert_eq!((run.counts[0].open, run.counts[0].suppressed), (1, 2));
        assert_eq!(run.suppressed_without_reason, 1);
        assert_eq!(run.unexplained, ["a at src/a.rs:1"]);
        assert_eq!(run.examples, ["b at src/a.rs:2"]);
    }

    #[test]
    fn the_five_worst_are_kept_in_the_order_of_the_report() {
        let rated = |severity, line| Seen {
            rating: (severity, SeverityOrigin::Finding),
            ..seen("a", line)
        };
        let mut all: Vec<_> = (1..=6).map(|line| rated(Severity::Low, line)).collect();
        all.push(rated(Severity::Critical, 7));
        let lines: Vec<_> = run_of(&all).findings.iter().map(|one| one.line).collect();
        assert_eq!(lines, [7, 1, 2, 3, 4].map(Some));
    }
}
