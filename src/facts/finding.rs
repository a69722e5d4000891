//! One finding of a scan, whatever tool it is from. Message and snippet are not
//! among its parts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::shared_text::SharedText;

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
    /// All, worst first.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::None,
    ];

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

/// What a severity was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeverityOrigin {
    /// A score from 0 to 10: `security-severity` or CVSS, of the finding or its rule.
    Score,
    /// The word of the finding itself.
    Finding,
    /// The default of its rule.
    Rule,
    /// The policy: its map of severities, or its list of exploited vulnerabilities. No
    /// report says so.
    Policy,
    /// Nothing: the report does not rate it, or with a word that is not known. It
    /// counts as high, except where the format has a default of its own.
    Assumed,
}

/// What became of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nothing.
    #[default]
    Open,
    /// Suppressed in the source or in a file of the tool.
    Suppressed {
        /// Why, as far as it is told; what looks like a secret is masked.
        reason: Option<String>,
    },
    /// Dismissed by somebody where findings are kept.
    Dismissed {
        /// Who.
        by: Option<String>,
        /// Why.
        reason: Option<String>,
    },
    /// Accepted by the policy. No report says so.
    Accepted,
}

/// One finding, without its message and snippet: they may hold the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule, or of the vulnerability.
    pub rule: SharedText,
    /// Other ids of the same vulnerability.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub ids: Box<[SharedText]>,
    /// How bad.
    pub severity: Severity,
    /// What the severity was taken from.
    pub severity_from: SeverityOrigin,
    /// Path relative to the repository, or `package@version`; `None`: the report names no place.
    pub place: Option<SharedText>,
    /// Line in the file, from 1 on.
    pub line: Option<u64>,
    /// 32 hex digits over tool, rule and place (not the line), or over the report's own
    /// fingerprint where it has one that does not hold a line. Two findings of one rule in one
    /// file may have the same.
    pub fingerprint: Fingerprint,
    /// What became of it.
    #[serde(default, skip_serializing_if = "FindingState::is_open")]
    pub state: FindingState,
    /// Whether the report itself marks it as new; `None`: it tells no new from old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_new: Option<bool>,
    /// When it was first seen, if the report says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
}

impl FindingState {
    /// Whether it counts.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

impl Finding {
    /// `rule at path:line`.
    pub fn words(&self) -> String {
        let rule = &self.rule;
        match (&self.place, self.line) {
            (Some(place), Some(line)) => format!("{rule} at {place}:{line}"),
            (Some(place), None) => format!("{rule} at {place}"),
            (None, _) => format!("{rule} at an unnamed place"),
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
