//! SCAN: scan results as controls.

mod runs;
pub(super) mod sast_clean;
mod tally;
