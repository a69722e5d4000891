//! The presets of `policies/`, compiled in. They are written in the language of
//! every other policy file and read by the same reader.

use crate::facts::PolicyDocument;

use super::load::digest;

/// Names of the presets.
pub const PRESETS: [&str; 3] = ["soc2-all", "soc2-baseline", "soc2-strict"];

/// The document of a preset.
pub fn preset(name: &str) -> Option<PolicyDocument> {
    let text = match name {
        "soc2-all" => include_str!("../../policies/soc2-all.yml"),
        "soc2-baseline" => include_str!("../../policies/soc2-baseline.yml"),
        "soc2-strict" => include_str!("../../policies/soc2-strict.yml"),
        _ => return None,
    };
    Some(PolicyDocument {
        origin: format!("preset {name}"),
        commit: None,
        digest: digest(text),
        text: text.to_owned(),
    })
}
