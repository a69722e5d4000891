//! SCAN: scan results as controls.
