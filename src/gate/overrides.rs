//! Override commands on the change: found, checked rule by rule, never taken on trust.

use crate::facts::Snapshot;
use crate::policy::Policy;

use super::decide::OverrideReport;

/// Whether anybody wrote an override command, so that the facts about people are needed.
pub fn has_override_command(_facts: &Snapshot) -> bool {
    false
}

/// The teams or groups of `allowed_by` whose members have to be looked up.
pub fn teams_to_look_up(policy: &Policy) -> Vec<String> {
    policy
        .overrides
        .allowed_by
        .iter()
        .filter(|entry| entry.contains('/'))
        .cloned()
        .collect()
}

pub(super) fn reports(
    _policy: &Policy,
    _facts: &Snapshot,
    _needs_it: impl Fn(&str) -> bool,
) -> Vec<OverrideReport> {
    Vec::new()
}
