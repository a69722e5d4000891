//! A bounded number of findings, the worst of those that came by.

use std::collections::BTreeMap;

use crate::facts::{Finding, Severity};

/// A finding that is kept, its position among all, and what it is known by but for
/// the tool, whose name may come last.
pub(super) struct Kept {
    pub(super) position: u64,
    pub(super) identity: [u8; 16],
    pub(super) explained: bool,
    pub(super) finding: Finding,
}

/// Kept findings, worst first, then as they stand in the report.
#[derive(Default)]
pub(super) struct Shelf {
    by_severity: BTreeMap<Severity, Vec<Kept>>,
    size: usize,
}

impl Shelf {
    /// Whether one more of that severity has its place.
    pub(super) fn has_room(&self, severity: Severity, most: usize) -> bool {
        self.size < most
            || self
                .by_severity
                .first_key_value()
                .is_some_and(|(mildest, _)| *mildest < severity)
    }

    pub(super) fn put(&mut self, kept: Kept, most: usize) {
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

    pub(super) fn into_sorted(self) -> impl Iterator<Item = Kept> {
        self.by_severity.into_values().rev().flat_map(|mut alike| {
            alike.sort_by_key(|kept| kept.position);
            alike
        })
    }
}
