//! Readers of scan reports. Foreign bytes in, counts and digests out; the
//! native report never leaves this room. Whether a report is good enough is
//! none of this room's business: it tells apart what it saw, nothing else.

mod cursor;
mod find;
mod format;
mod gitlab_reports;
mod glimpse;
mod intake;
mod inventory;
mod json;
mod known_tools;
mod lists;
mod mask;
mod measures;
mod native;
mod pass;
mod place;
mod rating;
mod reduction;
mod report;
mod sarif;
mod stream;
mod utf8;
mod xml;

use std::io::Read;
use std::path::Path;

use crate::facts::{BaselineFile, ExploitedFile, ScanFormat, ScanResults};

/// Reports that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPattern {
    /// A file, a glob, a pipe named by hand, or `-` for the standard input.
    pub pattern: String,
    /// What they are read as; `None`: what their content shows.
    pub format: Option<ScanFormat>,
}

impl ReportPattern {
    /// Reports that are told by their content.
    pub fn by_content(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            format: None,
        }
    }
}

/// Reads every file that the patterns match below `root`. One entry a pattern
/// and file, and one for each pattern that matched nothing. Never fails: what is
/// wrong with a file stands in its entry. `stdin` is read once at most, and only
/// where a pattern asks for it.
pub fn read(wanted: &[ReportPattern], root: &Path, stdin: &mut (dyn Read + Send)) -> ScanResults {
    report::read_all(wanted, root, stdin)
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
