//! CHG: this change.

pub(super) mod approval_covers_head;
pub(super) mod approvals;
pub(super) mod approvals_sufficient;
pub(super) mod approver_is_independent;
pub(super) mod change_through_pull_request;
pub(super) mod checks_succeeded;
mod hands;
mod head;
pub(super) mod ticket_linked;
