//! SCAN: scan results as controls.

pub(super) mod coverage_sufficient;
pub(super) mod dependencies_clean;
pub(super) mod images_clean;
pub(super) mod infrastructure_clean;
mod kinds;
mod overdue;
pub(super) mod runs;
pub(super) mod sast_clean;
pub(super) mod sbom_produced;
pub(super) mod scan_results_bound;
pub(super) mod secrets_absent;
pub(super) mod suppressions_explained;
mod tally;
#[cfg(test)]
pub(super) mod testing;
