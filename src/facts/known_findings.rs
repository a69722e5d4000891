//! Lists that findings are held against: those that were there before, and the
//! vulnerabilities that are known to be exploited. Whether a list is the one that the
//! policy means, and still holds, is not decided here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::finding::Severity;
use super::scan::ScanFailure;

/// Findings that were there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineFile {
    /// Path of the file, as the policy names it.
    pub path: String,
    /// `sha256:<64 hex>` of the file; empty if it could not be read.
    pub digest: String,
    /// What stands in it, or why nothing does.
    pub findings: Result<Vec<KnownFinding>, ScanFailure>,
}

/// A finding that was there before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFinding {
    /// See [`super::Finding::fingerprint`].
    pub fingerprint: String,
    /// How bad the report said that it was.
    pub severity: Severity,
    /// How many had this fingerprint and severity.
    pub count: u64,
}

/// Vulnerabilities that are known to be exploited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExploitedFile {
    /// Path of the file, as the policy names it.
    pub path: String,
    /// `sha256:<64 hex>` of the file; empty if it could not be read.
    pub digest: String,
    /// Their ids in capitals, or why there are none.
    pub ids: Result<BTreeSet<String>, ScanFailure>,
}
