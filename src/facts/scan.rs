//! Scan reports, reduced to what a verdict needs. A native report may contain
//! the secret it reports, so only digests, names and counts are kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How bad a finding is, after normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing to act upon.
    None,
    /// Low, note.
    Low,
    /// Medium, warning.
    Medium,
    /// High, error.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word, as it stands in policies and decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Number of open findings of one severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCount {
    /// How bad.
    pub severity: Severity,
    /// How many are open (not suppressed).
    pub open: u64,
    /// How many of the open ones the report itself marks as new (`baselineState: new`);
    /// `None` if the report carries no baseline.
    pub new: Option<u64>,
    /// How many are suppressed in the report.
    pub suppressed: u64,
}

/// Why a report cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanFailure {
    /// The pattern matched no file.
    Missing,
    /// The file could not be read.
    Unreadable(String),
    /// Not a report that we understand; says where.
    Unparsable(String),
}

/// One run of one tool inside a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRun {
    /// Name of the tool as the report gives it.
    pub tool: String,
    /// Its version, if told.
    pub version: Option<String>,
    /// Whether the tool says that it ended well. `None`: it does not say.
    pub execution_successful: Option<bool>,
    /// Commit that the report says it looked at.
    pub revision: Option<String>,
    /// When the run ended, if the report says so (the tool's clock).
    pub ended_at: Option<Timestamp>,
    /// Counts, worst first; severities without findings are left out.
    pub counts: Vec<FindingCount>,
    /// Up to five open findings, worst first, as `rule at path:line`: enough to act, no snippets.
    pub examples: Vec<String>,
}

/// One report file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// The pattern by which it was found.
    pub pattern: String,
    /// Path of the file; empty if the pattern matched none.
    pub path: String,
    /// `sha256:<64 hex>` of the file; empty if it could not be read.
    pub digest: String,
    /// The format found by content, e.g. `sarif-2.1.0`.
    pub format: String,
    /// When the file was last written, by the file system. Weaker than a time inside
    /// the report (a copy may look younger than it is), and used only where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// The runs, or why there are none. A readable report without a run is [`ScanFailure::Unparsable`].
    pub runs: Result<Vec<ScanRun>, ScanFailure>,
}

/// All reports that were handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanResults {
    /// One entry a file, and one for each pattern that matched nothing.
    pub reports: Vec<ScanReport>,
}
