//! Counts of findings by severity, as they are put together anew.

use std::collections::BTreeMap;

use crate::facts::{FindingCount, Severity};

/// Counts by severity.
pub(super) struct Sums {
    counts: BTreeMap<Severity, FindingCount>,
    tells_new: bool,
}

impl Sums {
    pub(super) fn new(tells_new: bool) -> Self {
        Self {
            counts: BTreeMap::new(),
            tells_new,
        }
    }

    fn of(&mut self, severity: Severity) -> &mut FindingCount {
        let new = self.tells_new.then_some(0);
        self.counts.entry(severity).or_insert(FindingCount {
            severity,
            open: 0,
            new,
            suppressed: 0,
        })
    }

    pub(super) fn add_open(&mut self, severity: Severity, open: u64, new: u64) {
        let count = self.of(severity);
        count.open = count.open.saturating_add(open);
        count.new = count.new.map(|all| all.saturating_add(new));
    }

    pub(super) fn add_suppressed(&mut self, severity: Severity, suppressed: u64) {
        let count = self.of(severity);
        count.suppressed = count.suppressed.saturating_add(suppressed);
    }

    /// Worst first, those without a finding left out.
    pub(super) fn counts(self) -> Vec<FindingCount> {
        let all = self.counts.into_values().rev();
        all.filter(|count| count.open > 0 || count.suppressed > 0)
            .collect()
    }
}
