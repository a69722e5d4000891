//! CHG: this change.

pub(super) mod agent_changes_approved;
pub(super) mod approval_covers_head;
pub(super) mod approvals;
pub(super) mod approvals_sufficient;
pub(super) mod approver_is_independent;
pub(super) mod approver_may_write;
pub(super) mod approvers_vary;
pub(super) mod areas;
mod arrived;
#[cfg(test)]
mod arrived_testing;
pub(super) mod branch_moves_through_changes;
pub(super) mod branch_protected_at_merge;
pub(super) mod change_through_pull_request;
pub(super) mod changes_met_requirements_at_merge;
pub(super) mod checks_succeeded;
pub(super) mod commits_signed;
mod cover;
pub(super) mod dependency_bot_stays_in_lane;
pub(super) mod description_filled;
pub(super) mod emergency_reviewed_in_time;
pub(super) mod gate_changes_approved;
mod hands;
mod head;
pub(super) mod history_only_grows;
pub(super) mod identities_resolved;
pub(super) mod merger_recorded;
pub(super) mod nothing_added_after_approval;
pub(super) mod original_approved;
pub(super) mod owners;
#[cfg(test)]
mod population;
pub(super) mod queue_result_reviewed;
pub(super) mod review_has_substance;
pub(super) mod review_settled;
pub(super) mod sensitive_paths_approved;
pub(super) mod tests_ran;
pub(super) mod ticket_accountable;
pub(super) mod ticket_linked;
mod ticket_worth;
