//! Adds up the findings of one tool over everything that one pattern found, so
//! that a report split into many stays under no limit. It knows no limits.

use std::collections::BTreeSet;

use crate::facts::{ScanReport, ScanRun, Severity};

/// The findings by pattern and tool.
#[derive(Default)]
pub(super) struct Tally<'a> {
    sums: Vec<Sum<'a>>,
    /// A file that two patterns find, or a copy of it, counts once for each pattern.
    seen: BTreeSet<(&'a str, &'a str, usize)>,
}

/// The findings of one tool in the files of one pattern.
pub(super) struct Sum<'a> {
    pub(super) pattern: &'a str,
    pub(super) tool: &'a str,
    pub(super) counts: Vec<Count>,
    pub(super) examples: Vec<&'a str>,
}

/// The findings of one severity.
pub(super) struct Count {
    pub(super) severity: Severity,
    open: u64,
    new: u64,
    /// Whether every report tells old from new.
    baseline: bool,
}

impl<'a> Tally<'a> {
    pub(super) fn add(&mut self, report: &'a ScanReport, place: usize, run: &'a ScanRun) {
        let file = if report.digest.is_empty() {
            &report.path
        } else {
            &report.digest
        };
        if !self.seen.insert((&report.pattern, file, place)) {
            return;
        }
        let known = self.sums.iter().position(|sum| {
            sum.pattern == report.pattern && sum.tool.eq_ignore_ascii_case(&run.tool)
        });
        let at = known.unwrap_or_else(|| {
            self.sums.push(Sum {
                pattern: &report.pattern,
                tool: &run.tool,
                counts: Vec::new(),
                examples: Vec::new(),
            });
            self.sums.len() - 1
        });
        let Some(sum) = self.sums.get_mut(at) else {
            return;
        };
        sum.examples.extend(run.examples.iter().map(String::as_str));
        for found in &run.counts {
            // A report without a baseline tells no old from new: all count as new.
            let new = found.new.unwrap_or(found.open);
            match sum
                .counts
                .iter_mut()
                .find(|count| count.severity == found.severity)
            {
                Some(count) => {
                    count.open = count.open.saturating_add(found.open);
                    count.new = count.new.saturating_add(new);
                    count.baseline &= found.new.is_some();
                }
                None => sum.counts.push(Count {
                    severity: found.severity,
                    open: found.open,
                    new,
                    baseline: found.new.is_some(),
                }),
            }
        }
    }

    pub(super) fn sums(&self) -> &[Sum<'a>] {
        &self.sums
    }
}

impl Count {
    pub(super) fn over_total(&self, limit: Option<u64>) -> Option<String> {
        over(self.open, self.severity, limit)
    }

    pub(super) fn over_new(&self, limit: Option<u64>) -> Option<String> {
        let (new, word, limit) = (self.new, self.severity.word(), limit?);
        let note = if self.baseline {
            ""
        } else {
            " (not every report has a baseline; without one all count as new)"
        };
        (new > limit).then(|| format!("{new} new {word}, {limit} allowed{note}"))
    }
}

/// That there are more than allowed, in words; `None`: there are not.
pub(super) fn over(open: u64, severity: Severity, limit: Option<u64>) -> Option<String> {
    let (word, limit) = (severity.word(), limit?);
    (open > limit).then(|| format!("{open} {word}, {limit} allowed"))
}
