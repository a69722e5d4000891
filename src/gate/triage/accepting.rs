//! Which findings an acceptance of the policy covers, and what became of each
//! acceptance. One that is expired, covers nothing or less than it meets is said.

use std::collections::HashMap;

use crate::controls::is_tool;
use crate::facts::{Finding, Fingerprint, ScanReport, ScanResults, ScanRun};
use crate::policy::{AcceptedFinding, Binding, Clocks, LONGEST_EXEMPTION, Note, Standing};

/// What became of an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptanceState {
    /// It covers findings.
    Applied,
    /// The finding is there and worse than what was accepted.
    Worse,
    /// It covers nothing in the reports.
    Unmatched,
    /// Its last day is over.
    Expired,
    /// Its end is further away than an acceptance may hold.
    NotYet,
}

impl AcceptanceState {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Worse => "worse",
            Self::Unmatched => "unmatched",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
        }
    }
}

/// One acceptance in the decision.
#[derive(Clone, Debug)]
pub struct AcceptanceReport {
    /// The acceptance.
    pub accepted: AcceptedFinding,
    /// What became of it.
    pub state: AcceptanceState,
    /// How many findings it covers.
    pub covered: u64,
    /// How many more it would cover if it named a larger number.
    pub beyond: u64,
}

/// What an acceptance met in the reports of one pattern.
#[derive(Clone, Copy, Default)]
struct Met {
    covered: u64,
    beyond: u64,
    worse: bool,
}

/// The acceptances, by what they are bound to.
pub(super) struct Accepting<'p> {
    all: &'p [AcceptedFinding],
    standing: Vec<Standing>,
    by_fingerprint: HashMap<Fingerprint, Vec<usize>>,
    by_place: HashMap<(&'p str, &'p str), Vec<usize>>,
    /// By acceptance and pattern: the same report may be found by two patterns.
    met: HashMap<(usize, &'p str), Met>,
}

impl<'p> Accepting<'p> {
    pub(super) fn new(all: &'p [AcceptedFinding], clocks: Clocks) -> Self {
        let mut by_fingerprint: HashMap<Fingerprint, Vec<usize>> = HashMap::new();
        let mut by_place: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (index, accepted) in all.iter().enumerate() {
            match &accepted.binding {
                Binding::Fingerprint(fingerprint) => {
                    // What is no fingerprint is that of no finding.
                    if let Some(fingerprint) = Fingerprint::read(fingerprint) {
                        by_fingerprint.entry(fingerprint).or_default().push(index);
                    }
                }
                Binding::Place { rule, place } => {
                    by_place.entry((rule, place)).or_default().push(index);
                }
            }
        }
        Self {
            all,
            standing: all
                .iter()
                .map(|accepted| accepted.standing(clocks))
                .collect(),
            by_fingerprint,
            by_place,
            met: HashMap::new(),
        }
    }

    /// Whether an acceptance covers this open finding, whose severity is the one that
    /// it has here. Each covers as many as it says.
    pub(super) fn accepts(
        &mut self,
        report: &'p ScanReport,
        run: &ScanRun,
        finding: &Finding,
    ) -> bool {
        let by_fingerprint = self.by_fingerprint.get(&finding.fingerprint);
        let place = finding
            .place
            .as_deref()
            .filter(|_| !self.by_place.is_empty());
        let by_place = place.and_then(|place| self.by_place.get(&(finding.rule.as_str(), place)));
        for index in by_fingerprint
            .into_iter()
            .chain(by_place)
            .flatten()
            .copied()
        {
            let (Some(accepted), Some(Standing::Stands)) =
                (self.all.get(index), self.standing.get(index))
            else {
                continue;
            };
            if !is_tool(&accepted.tool, &run.tool) {
                continue;
            }
            let met = self
                .met
                .entry((index, report.pattern.as_str()))
                .or_default();
            if finding.severity > accepted.severity {
                met.worse = true;
            } else if met.covered < accepted.count {
                met.covered += 1;
                return true;
            } else {
                met.beyond += 1;
            }
        }
        false
    }

    /// What became of each. Without results nobody knows what one would have covered.
    pub(super) fn reports(self, results: Option<&ScanResults>) -> Vec<AcceptanceReport> {
        let mut met: HashMap<usize, Met> = HashMap::new();
        for ((index, _), one) in self.met {
            let all = met.entry(index).or_default();
            all.covered = all.covered.max(one.covered);
            all.beyond = all.beyond.max(one.beyond);
            all.worse |= one.worse;
        }
        let reports = self.all.iter().zip(self.standing).enumerate();
        let reports = reports.filter_map(|(index, (accepted, standing))| {
            let met = met.get(&index).copied().unwrap_or_default();
            let state = match standing {
                Standing::Expired => AcceptanceState::Expired,
                Standing::NotYet => AcceptanceState::NotYet,
                Standing::Stands if met.worse => AcceptanceState::Worse,
                Standing::Stands if met.covered > 0 => AcceptanceState::Applied,
                Standing::Stands => {
                    results?;
                    AcceptanceState::Unmatched
                }
            };
            Some(AcceptanceReport {
                accepted: accepted.clone(),
                state,
                covered: met.covered,
                beyond: met.beyond,
            })
        });
        reports.collect()
    }
}

/// Most notes about single acceptances.
const MOST_NOTES: usize = 20;

/// What people have to see about them.
pub(in crate::gate) fn notes(reports: &[AcceptanceReport]) -> Vec<Note> {
    let mut notes = all_notes(reports);
    if notes.len() > MOST_NOTES {
        let more = notes.len() - MOST_NOTES;
        notes.truncate(MOST_NOTES);
        notes.push(Note {
            place: None,
            message: format!("{more} more acceptances of findings need looking after"),
        });
    }
    notes
}

fn all_notes(reports: &[AcceptanceReport]) -> Vec<Note> {
    let notes = reports.iter().filter_map(|report| {
        let accepted = &report.accepted;
        let what = accepted.words();
        let message = match report.state {
            AcceptanceState::Applied if report.beyond == 0 => return None,
            AcceptanceState::Applied => format!(
                "the acceptance of {what} covers {} of {} findings: the others count",
                report.covered,
                report.covered.saturating_add(report.beyond)
            ),
            AcceptanceState::Worse => format!(
                "the acceptance of {what} is for {} at most, and the finding is worse now: it counts",
                accepted.severity.word()
            ),
            AcceptanceState::Unmatched => {
                format!("the acceptance of {what} covers nothing in the reports: remove it")
            }
            AcceptanceState::Expired => format!(
                "the acceptance of {what} expired on {}: mend the finding, or accept it anew with a new approval",
                accepted.expires
            ),
            AcceptanceState::NotYet => format!(
                "the acceptance of {what} ends on {}, and one acts only in the last {LONGEST_EXEMPTION} days before its end: it does not count",
                accepted.expires
            ),
        };
        Some(Note {
            place: Some(accepted.at.clone()),
            message,
        })
    });
    notes.collect()
}
