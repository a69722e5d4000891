//! The policy file as it was read, before anybody interpreted it.

use serde::{Deserialize, Serialize};

/// The bytes of a policy file and where they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// Where it was read, e.g. `.ccgate.yml@main`, `preset soc2-baseline`, `file policy.yml`.
    pub origin: String,
    /// The commit of the branch tip it was read from; `None` for presets and local files.
    pub commit: Option<String>,
    /// `sha256:<64 hex>` of the text.
    pub digest: String,
    /// The text itself.
    pub text: String,
}
