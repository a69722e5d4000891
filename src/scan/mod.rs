//! Readers of scan reports. Foreign bytes in, counts and digests out; the
//! native report never leaves this room. Whether a report is good enough is
//! none of this room's business: it tells apart what it saw, nothing else.

mod find;
mod format;
mod gitlab_reports;
mod intake;
mod inventory;
mod json;
mod known_tools;
mod lists;
mod mask;
mod measures;
mod native;
mod place;
mod rating;
mod reduction;
mod report;
mod sarif;
mod stream;
mod xml;

use std::path::Path;

use crate::facts::{BaselineFile, ExploitedFile, ScanResults};

/// Reads every file that the patterns match below `root`. One entry a pattern
/// and file, and one for each pattern that matched nothing. Never fails: what is
/// wrong with a file stands in its entry.
pub fn read(patterns: &[String], root: &Path) -> ScanResults {
    report::read_all(patterns, root)
}

/// Reads a file of findings that were there before, below `root`. Never fails.
pub fn read_baseline(path: &str, root: &Path) -> BaselineFile {
    lists::baseline(path, root)
}

/// Reads a list of vulnerabilities that are known to be exploited, JSON or CSV, below
/// `root`. Never fails.
pub fn read_exploited(path: &str, root: &Path) -> ExploitedFile {
    lists::exploited(path, root)
}

/// A file of all open findings in these results, for [`read_baseline`], and how many of
/// them are not in it because nothing but their number is known.
pub fn baseline(results: &ScanResults) -> (String, u64) {
    lists::baseline_of(results)
}

#[cfg(test)]
mod tests;
