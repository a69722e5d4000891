//! What is written of a decision: in-toto statements with our own predicates.

use serde_json::Value;

use super::decide::Decision;

/// Predicate type of the record of a decision.
pub const CHANGE_RECORD_TYPE: &str = "https://ccgate.dev/change-record/v1";
/// Predicate type of the record of an accepted override.
pub const OVERRIDE_RECORD_TYPE: &str = "https://ccgate.dev/override/v1";

/// The in-toto statements of a decision: one change record, then one for each accepted override.
pub fn records(_decision: &Decision) -> Vec<Value> {
    Vec::new()
}
