//! Files that findings are held against. A policy names them; what stands in them is
//! a fact.

use jiff::civil::Date;

/// Findings that were there before. The digest ties it to what somebody looked at:
/// a file that a change brings along counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBaseline {
    /// Path of the file.
    pub path: String,
    /// `sha256:<64 hex>` of it.
    pub digest: String,
    /// The last day on which it holds (UTC).
    pub expires: Date,
}

/// Vulnerabilities that are known to be exploited: they count as critical.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExploitedList {
    /// Path of the file.
    pub path: String,
    /// `sha256:<64 hex>` of it, if it has to be that one.
    pub digest: Option<String>,
}
