//! BR: what protects the branch that a change goes to.

pub(super) mod administrators_bound;
pub(super) mod approvals_required;
pub(super) mod branch_protected;
pub(super) mod bypass_limited;
pub(super) mod checks_required;
pub(super) mod deletion_blocked;
pub(super) mod force_push_blocked;
pub(super) mod pull_request_required;
mod requirement;
pub(super) mod stale_approvals_dismissed;
