//! Stored baselines: which of the findings were there before. One that is expired,
//! missing or another file than the policy means makes no finding old.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::facts::{BaselineFile, Finding, Fingerprint, Severity};
use crate::policy::{Note, ScanExpectation, StoredBaseline};

/// How many of a fingerprint were there, how bad, and how many of those were met.
struct Known {
    severity: Severity,
    count: u64,
    met: u64,
}

/// A baseline that holds, or why it does not.
type Usable = Result<HashMap<Fingerprint, Vec<Known>>, String>;

/// The baselines of the expected results, by their position in the policy.
pub(super) struct Baselines<'p> {
    by_scan: HashMap<usize, Usable>,
    tools: HashMap<usize, &'p str>,
}

impl<'p> Baselines<'p> {
    pub(super) fn new(
        scans: &'p [ScanExpectation],
        files: &[BaselineFile],
        now: Timestamp,
    ) -> Self {
        let mut by_scan = HashMap::new();
        let mut tools = HashMap::new();
        for (index, scan) in scans.iter().enumerate() {
            if let Some(stored) = &scan.baseline {
                by_scan.insert(index, usable(stored, files, now));
                tools.insert(index, scan.tool.as_str());
            }
        }
        Self { by_scan, tools }
    }

    /// Whether that result's baseline can tell new from old.
    pub(super) fn holds(&self, scan: usize) -> bool {
        self.by_scan.get(&scan).is_some_and(Result::is_ok)
    }

    /// Whether the finding was not there before, or is worse now than it was then. Each
    /// one of the baseline stands for one finding.
    pub(super) fn is_new(&mut self, scan: usize, finding: &Finding, as_read: Severity) -> bool {
        let Some(Ok(known)) = self.by_scan.get_mut(&scan) else {
            return true;
        };
        let alike = known.get_mut(&finding.fingerprint);
        let mut alike = alike.into_iter().flatten();
        match alike.find(|known| known.met < known.count && as_read <= known.severity) {
            Some(known) => {
                known.met += 1;
                false
            }
            None => true,
        }
    }

    /// What people have to see.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut indexes: Vec<_> = self.by_scan.keys().copied().collect();
        indexes.sort_unstable();
        let notes = indexes.into_iter().filter_map(|index| {
            let why = self.by_scan.get(&index)?.as_ref().err()?;
            let tool = self.tools.get(&index)?;
            Some(Note {
                place: None,
                message: format!(
                    "the baseline of {tool} does not hold, so every finding counts as new: {why}"
                ),
            })
        });
        notes.collect()
    }
}

fn usable(stored: &StoredBaseline, files: &[BaselineFile], now: Timestamp) -> Usable {
    let today = now.to_zoned(TimeZone::UTC).date();
    if today > stored.expires {
        return Err(format!("it expired on {}", stored.expires));
    }
    let Some(file) = files.iter().find(|file| file.path == stored.path) else {
        return Err(format!("{} was not read", stored.path));
    };
    let findings = file
        .findings
        .as_ref()
        .map_err(|failure| format!("{}: {}", stored.path, super::exploited::why(failure)))?;
    if !file.digest.eq_ignore_ascii_case(&stored.digest) {
        return Err(format!(
            "{} is another file than the policy means",
            stored.path
        ));
    }
    let mut known: HashMap<Fingerprint, Vec<Known>> = HashMap::with_capacity(findings.len());
    for finding in findings {
        // What is no fingerprint is that of no finding.
        let Some(fingerprint) = Fingerprint::read(&finding.fingerprint) else {
            continue;
        };
        known.entry(fingerprint).or_default().push(Known {
            severity: finding.severity,
            count: finding.count,
            met: 0,
        });
    }
    // The mildest that will do, so that a worse one is left for a worse finding.
    for alike in known.values_mut() {
        alike.sort_by_key(|known| known.severity);
    }
    Ok(known)
}
