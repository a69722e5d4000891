//! The presets of `policies/`, compiled in.

use crate::facts::PolicyDocument;

/// Names of the presets.
pub const PRESETS: [&str; 3] = ["soc2-all", "soc2-baseline", "soc2-strict"];

/// The document of a preset.
pub fn preset(_name: &str) -> Option<PolicyDocument> {
    None
}
