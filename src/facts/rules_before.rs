//! The rules of the branch at an earlier moment, from a settings snapshot that was
//! kept: what was in force before something was merged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::branch::BranchRules;
use super::fact::Fact;

/// The rules of the branch as an earlier settings snapshot has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesBefore {
    /// When they were seen; the earlier of the two clocks.
    pub seen_at: Timestamp,
    /// `sha256:<64 hex>` of the snapshot's content, as it was checked.
    pub digest: String,
    /// Fingerprint of the key that signed it; `None`: no signature was asked for.
    pub signed_by: Option<String>,
    /// The rules of the branch that is judged.
    pub rules: Fact<BranchRules>,
}
