//! One model for the findings of all formats, and what is kept of them: counts of
//! all, where the severities came from, and details of a bounded number, the worst
//! first. Messages and snippets never come here, they may hold the secret.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::facts::{Finding, FindingCount, FindingState, ScanRun, Severity, SeverityOrigin};

use super::place;

/// Examples given for a run.
pub(super) const EXAMPLES: usize = 5;
/// Most findings of which details are kept, of a run and of all reports together.
pub(super) const KEPT: usize = 10_000;
/// Most suppressed ones among them.
const SUPPRESSED_KEPT: usize = 1_000;
/// Most other ids of one vulnerability.
const MOST_IDS: usize = 8;

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

/// A finding that is kept, its position among all, and what it is known by but for
/// the tool, whose name may come last.
struct Kept {
    position: u64,
    identity: [u8; 16],
    explained: bool,
    finding: Finding,
}

/// Kept findings, worst first, then as they stand in the report.
#[derive(Default)]
struct Shelf {
    by_severity: BTreeMap<Severity, Vec<Kept>>,
    size: usize,
}

impl Shelf {
    /// Whether one more of that severity has its place.
    fn has_room(&self, severity: Severity, most: usize) -> bool {
        self.size < most
            || self
                .by_severity
                .first_key_value()
                .is_some_and(|(mildest, _)| *mildest < severity)
    }

    fn put(&mut self, kept: Kept, most: usize) {
        if self.size >= most {
            self.drop_mildest();
        }
        let severity = kept.finding.severity;
        self.by_severity.entry(severity).or_default().push(kept);
        self.size += 1;
    }

    fn drop_mildest(&mut self) {
        let Some(mut mildest) = self.by_severity.first_entry() else {
            return;
        };
        self.size -= usize::from(mildest.get_mut().pop().is_some());
        if mildest.get().is_empty() {
            mildest.remove();
        }
    }

    fn into_sorted(self) -> impl Iterator<Item = Kept> {
        self.by_severity.into_values().rev().flat_map(|mut alike| {
            alike.sort_by_key(|kept| kept.position);
            alike
        })
    }
}

/// The findings of a run so far.
#[derive(Default)]
pub(super) struct Reduction {
    counts: BTreeMap<Severity, FindingCount>,
    from: BTreeMap<SeverityOrigin, u64>,
    without_reason: u64,
    position: u64,
    open: Shelf,
    suppressed: Shelf,
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
        self.keep(self.position, seen, root);
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
    pub(super) fn keep(&mut self, position: u64, seen: &Seen<'_>, root: &Path) {
        let (severity, severity_from) = seen.rating;
        let reason = seen.reason.map(place::sentence);
        let (shelf, most, state, explained) = match seen.state {
            State::Open => (&mut self.open, KEPT, FindingState::Open, true),
            State::Suppressed { explained } => {
                let state = FindingState::Suppressed {
                    reason: reason.filter(|reason| !reason.is_empty()),
                };
                (&mut self.suppressed, SUPPRESSED_KEPT, state, explained)
            }
        };
        if !shelf.has_room(severity, most) {
            return;
        }
        let place = seen
            .path
            .map(|path| place::relative(path, root))
            .filter(|path| !path.is_empty());
        let rule = place::spelt(seen.rule.unwrap_or_default());
        let ids = seen.ids.iter().take(MOST_IDS);
        let kept = Kept {
            position,
            identity: identity(seen, place.as_deref()),
            explained,
            finding: Finding {
                rule: if rule.is_empty() {
                    "an unnamed rule".to_owned()
                } else {
                    rule
                },
                ids: ids.map(|id| place::spelt(id)).collect(),
                severity,
                severity_from,
                place: place.map(|place| place::spelt(&place)),
                line: seen.line.filter(|line| *line > 0),
                // Set when the tool is known.
                fingerprint: String::new(),
                state,
                is_new: seen.is_new,
                first_seen: seen.first_seen,
            },
        };
        shelf.put(kept, most);
    }

    /// How many are open.
    pub(super) fn open(&self) -> u64 {
        self.counts.values().map(|count| count.open).sum()
    }

    /// The run of this tool with these findings, worst first; the rest is for the reader to fill in.
    pub(super) fn into_run(self, tool: impl Into<String>) -> ScanRun {
        let run = ScanRun::of(tool);
        let finished = |kept: Kept| Finding {
            fingerprint: fingerprint(&run.tool, kept.identity),
            ..kept.finding
        };
        let mut unexplained = Vec::new();
        let mut findings: Vec<Finding> = self.open.into_sorted().map(finished).collect();
        let examples = findings.iter().take(EXAMPLES).map(Finding::words).collect();
        for kept in self.suppressed.into_sorted() {
            if !kept.explained && unexplained.len() < EXAMPLES {
                unexplained.push(kept.finding.words());
            }
            if findings.len() < KEPT {
                findings.push(finished(kept));
            }
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

fn fingerprint(tool: &str, identity: [u8; 16]) -> String {
    hex::encode(short_digest(&[tool.as_bytes(), &identity]))
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
    fn names_that_only_look_alike_are_two_findings() {
        let placed = |path: &'static str| {
            let seen = Seen {
                path: Some(path),
                ..seen("a", 1)
            };
            run_of(&[seen]).findings.remove(0)
        };
        let (plain, hidden) = (placed("src/a.rs"), placed("src/a\u{200b}.rs"));
        assert_ne!(plain.fingerprint, hidden.fingerprint);
        assert_eq!(hidden.place.as_deref(), Some("src/a\\u{200b}.rs"));
        let long = |end: &str| format!("src/{}{end}", "x".repeat(300));
        let of = |path: &str| {
            let seen = Seen {
                path: Some(path),
                ..seen("a", 1)
            };
            run_of(&[seen]).findings.remove(0)
        };
        let (one, other) = (of(&long("1")), of(&long("2")));
        assert_eq!(one.place, other.place);
        assert_ne!(one.fingerprint, other.fingerprint);
    }

    #[test]
    fn the_number_of_kept_details_is_bounded_and_the_worst_are_kept() {
        let rated = |severity, line| Seen {
            rating: (severity, SeverityOrigin::Finding),
            ..seen("a", line)
        };
        let mut reduction = Reduction::default();
        let root = Path::new("/builds/acme");
        for line in 1..=KEPT as u64 + 5 {
            reduction.add(&rated(Severity::Low, line), root);
        }
        for line in 1..=3 {
            reduction.add(&rated(Severity::Critical, line), root);
        }
        let mut runs = [reduction.into_run("probe")];
        let open: u64 = runs[0].counts.iter().map(|count| count.open).sum();
        assert_eq!(open, KEPT as u64 + 8);
        assert_eq!(runs[0].findings.len(), KEPT);
        let critical = |run: &ScanRun| {
            let is = |one: &&Finding| one.severity == Severity::Critical;
            run.findings.iter().filter(is).count()
        };
        assert_eq!(critical(&runs[0]), 3);
        let mut room = 4;
        keep_at_most(&mut runs, &mut room);
        assert_eq!(
            (runs[0].findings.len(), critical(&runs[0]), room),
            (4, 3, 0)
        );
    }

    #[test]
    fn a_reason_is_kept_and_what_may_be_a_secret_in_it_is_not() {
        let secret = "a1B2".repeat(6);
        let reason = format!("only a test key: {secret}");
        let suppressed = Seen {
            state: State::Suppressed { explained: true },
            reason: Some(&reason),
            ..seen("a", 1)
        };
        let run = run_of(&[suppressed]);
        let text = serde_json::to_string(&run).expect("a run as text");
        assert!(text.contains("only a test key: [masked]"), "{text}");
    }

    #[test]
    fn the_worst_come_first_in_the_order_of_the_report() {
        let rated = |severity, line| Seen {
            rating: (severity, SeverityOrigin::Finding),
            ..seen("a", line)
        };
        let mut all: Vec<_> = (1..=6).map(|line| rated(Severity::Low, line)).collect();
        all.push(rated(Severity::Critical, 7));
        let lines: Vec<_> = run_of(&all).findings.iter().map(|one| one.line).collect();
        assert_eq!(lines, [7, 1, 2, 3, 4, 5, 6].map(Some));
    }
}
