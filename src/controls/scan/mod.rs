//! SCAN: scan results as controls.

pub(super) mod alerts_closed_in_time;
pub(super) mod automatic_updates_configured;
mod change_analyses;
pub(super) mod change_free_of_secrets_and_binaries;
pub(super) mod coverage_sufficient;
pub(super) mod dependencies_clean;
pub(super) mod images_clean;
pub(super) mod infrastructure_clean;
mod kinds;
mod licence_expression;
pub(super) mod licences_allowed;
mod overdue;
pub(super) mod platform_scans_on;
pub(super) mod push_protection_on;
pub(super) mod running_system_clean;
pub(super) mod runs;
pub(super) mod sast_clean;
pub(super) mod sbom_produced;
pub(super) mod scan_configuration_kept;
pub(super) mod scan_results_bound;
pub(super) mod secrets_absent;
pub(super) mod suppressions_explained;
mod tally;
#[cfg(test)]
pub(super) mod testing;
