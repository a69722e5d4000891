//! The own JSON of single tools, one file each. They say less than SARIF: most
//! name neither the commit nor how the run ended, and what they do not say stays open.

pub(super) mod bandit;
pub(super) mod cargo_audit;
pub(super) mod checkov;
pub(super) mod gitleaks;
pub(super) mod grype;
pub(super) mod njsscan;
pub(super) mod npm_audit;
pub(super) mod osv_scanner;
pub(super) mod pip_audit;
pub(super) mod semgrep;
pub(super) mod trivy;
pub(super) mod trufflehog;
pub(super) mod zizmor;

use crate::facts::ScanRun;

use super::format::Read;

/// The report of one run.
fn one(format: &str, run: ScanRun) -> Read {
    Ok((format.to_owned(), vec![run]))
}

/// A line from 1 on; all else is none.
fn line(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}
