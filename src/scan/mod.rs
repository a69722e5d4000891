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

use crate::facts::ScanResults;

/// Reads every file that the patterns match below `root`. One entry a pattern
/// and file, and one for each pattern that matched nothing. Never fails: what is
/// wrong with a file stands in its entry.
pub fn read(patterns: &[String], root: &Path) -> ScanResults {
    report::read_all(patterns, root)
}

#[cfg(test)]
mod tests;
