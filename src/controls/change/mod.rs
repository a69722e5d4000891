//! CHG: this change.

pub(super) mod approval_covers_head;
mod approvals;
pub(super) mod approvals_sufficient;
pub(super) mod approver_is_independent;
mod arrived;
#[cfg(test)]
mod arrived_testing;
pub(super) mod branch_moves_through_changes;
pub(super) mod change_through_pull_request;
pub(super) mod changes_met_requirements_at_merge;
pub(super) mod checks_succeeded;
mod hands;
mod head;
pub(super) mod history_only_grows;
pub(super) mod nothing_added_after_approval;
pub(super) mod ticket_linked;
