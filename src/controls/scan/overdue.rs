//! Findings that have been known for longer than the policy lets them stay. When a
//! finding was first seen is known where its report says so, by the tool's clock; a
//! report that was made from nothing every time calls everything young.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::runs::{Limits, limit};
use crate::facts::{ScanRun, Severity};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What is too old, and of what nobody knows.
#[derive(Default)]
pub(super) struct Overdue {
    /// In words, each finding with its age.
    pub(super) late: Vec<String>,
    /// How many findings with a deadline do not say since when they are known.
    pub(super) undated: u64,
}

impl Overdue {
    /// Adds the open findings of a run; `days` by severity, where a deadline also holds
    /// for whatever is worse and has none of its own.
    pub(super) fn add(&mut self, run: &ScanRun, days: &Limits, now: Timestamp) {
        let mut dated: BTreeMap<Severity, u64> = BTreeMap::new();
        for finding in run
            .findings
            .iter()
            .filter(|finding| finding.state.is_open())
        {
            let Some(days) = limit(days, finding.severity) else {
                continue;
            };
            // A day that is yet to come says nothing, and would never be too long ago.
            let Some(first_seen) = finding.first_seen.filter(|day| *day <= now) else {
                continue;
            };
            *dated.entry(finding.severity).or_default() += 1;
            let age = now.duration_since(first_seen).as_secs() / DAY_SECONDS;
            if age > i64::try_from(days).unwrap_or(i64::MAX) {
                let (words, severity) = (finding.words(), finding.severity.word());
                self.late.push(format!(
                    "{words} ({severity}) for {age} days, {days} allowed"
                ));
            }
        }
        // The others are undated, or nothing but their number is known.
        for count in &run.counts {
            if limit(days, count.severity).is_some() {
                let dated = dated.get(&count.severity).copied().unwrap_or(0);
                self.undated = self
                    .undated
                    .saturating_add(count.open.saturating_sub(dated));
            }
        }
    }
}
