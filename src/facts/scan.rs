//! Scan reports, reduced to what a verdict needs. A native report may contain
//! the secret it reports, so only digests, names and counts are kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, FindingCount, SeverityOrigin};
use super::known_findings::{BaselineFile, ExploitedFile};

/// What a run looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanKind {
    /// Weaknesses in source code.
    Sast,
    /// Secrets.
    Secrets,
    /// Known vulnerabilities of dependencies.
    Dependencies,
    /// Known vulnerabilities in an image.
    Container,
    /// Infrastructure as code.
    Iac,
    /// A running system.
    Dast,
    /// Style and maintainability.
    Quality,
    /// Tests.
    Tests,
    /// Test coverage.
    Coverage,
    /// A list of components.
    Sbom,
    /// Statements on whether vulnerabilities matter.
    Vex,
}

impl ScanKind {
    /// Its name in sentences.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sast => "static analysis",
            Self::Secrets => "secret detection",
            Self::Dependencies => "dependency scanning",
            Self::Container => "container scanning",
            Self::Iac => "infrastructure scanning",
            Self::Dast => "dynamic analysis",
            Self::Quality => "code quality",
            Self::Tests => "tests",
            Self::Coverage => "test coverage",
            Self::Sbom => "component list",
            Self::Vex => "exploitability statements",
        }
    }
}

/// What a report says that is no finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// Lines that tests ran through.
    Lines {
        /// How many they ran through.
        covered: u64,
        /// Of how many.
        total: u64,
    },
    /// Components of an SBOM.
    Components {
        /// How many.
        total: u64,
        /// How many carry neither a licence id nor an expression.
        unlicensed: u64,
        /// How many components carry each licence (SPDX ids and expressions as they stand there).
        licences: BTreeMap<String, u64>,
    },
    /// VEX statements.
    Statements {
        /// How many there are of each status.
        by_status: BTreeMap<String, u64>,
        /// How many say `not_affected` without a justification.
        unjustified: u64,
    },
    /// Tests that ran, and those that were skipped.
    Tests {
        /// All.
        total: u64,
        /// Skipped ones.
        skipped: u64,
    },
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
    /// What it looked for; `None`: the report does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ScanKind>,
    /// Findings of which details were kept: open ones first, worst first, then suppressed
    /// ones. Their number is bounded; those left out stand in the counts only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// How many findings, open and suppressed, took their severity from where.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severity_from: BTreeMap<SeverityOrigin, u64>,
    /// How many of the suppressed ones carry no reason.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed_without_reason: u64,
    /// Up to five of these, as `rule at path:line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexplained: Vec<String>,
    /// What the tool says that it should have looked at and did not, or where it broke
    /// down on the way; in our words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// What it says that is no finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

impl ScanRun {
    /// A run of a tool that has said nothing else yet.
    pub fn of(tool: impl Into<String>) -> Self {
        Self {
            tool: tool.into(),
            version: None,
            execution_successful: None,
            revision: None,
            ended_at: None,
            counts: Vec::new(),
            examples: Vec::new(),
            kind: None,
            findings: Vec::new(),
            severity_from: BTreeMap::new(),
            suppressed_without_reason: 0,
            unexplained: Vec::new(),
            left_out: None,
            measured: None,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
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
    /// Files of findings that were there before, as the policy names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<BaselineFile>,
    /// Lists of vulnerabilities that are known to be exploited, as the policy names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploited: Vec<ExploitedFile>,
}

impl ScanResults {
    /// Reports, and no other file.
    pub fn of(reports: Vec<ScanReport>) -> Self {
        Self {
            reports,
            baselines: Vec::new(),
            exploited: Vec::new(),
        }
    }
}
