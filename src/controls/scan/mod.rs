//! SCAN: scan results as controls.

pub(super) mod sast_clean;
mod tally;
