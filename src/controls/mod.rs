//! The table of controls. Each stands in its own file and knows only facts.
//!
//! To add one: write its file, add its `mod` line and its line in [`TABLE`],
//! regenerate the documents (see CONTRIBUTING.md).

mod branch;
mod change;
mod control;
mod judging;
mod scan;
#[cfg(test)]
pub(crate) mod testing;

use control::entry;
pub use control::{
    Awaiting, Bound, Control, Entry, Evidence, FailReason, Failure, Meta, Observation, Scope,
    Verdict,
};

/// Every control, sorted by code.
pub static TABLE: &[Entry] = &[
    // Access to the repository.
    // Branches.
    entry::<branch::branch_protected::BranchProtected>(), // BR-01
    entry::<branch::pull_request_required::PullRequestRequired>(), // BR-02
    entry::<branch::approvals_required::ApprovalsRequired>(), // BR-03
    entry::<branch::stale_approvals_dismissed::StaleApprovalsDismissed>(), // BR-04
    entry::<branch::checks_required::ChecksRequired>(),   // BR-13
    entry::<branch::force_push_blocked::ForcePushBlocked>(), // BR-18
    entry::<branch::deletion_blocked::DeletionBlocked>(), // BR-19
    entry::<branch::administrators_bound::AdministratorsBound>(), // BR-21
    entry::<branch::bypass_limited::BypassLimited>(),     // BR-22
    // The change.
    entry::<change::change_through_pull_request::ChangeThroughPullRequest>(), // CHG-01
    entry::<change::approvals_sufficient::ApprovalsSufficient>(),             // CHG-02
    entry::<change::approval_covers_head::ApprovalCoversHead>(),              // CHG-03
    entry::<change::approver_is_independent::ApproverIsIndependent>(),        // CHG-04
    entry::<change::ticket_linked::TicketLinked>(),                           // CHG-10
    entry::<change::checks_succeeded::ChecksSucceeded>(),                     // CHG-13
    // Deployment.
    // Organisation.
    // Pipeline.
    // Scan results.
    entry::<scan::sast_clean::SastClean>(), // SCAN-01
];

/// The control of that id (`force-push-blocked`) or code (`BR-18`).
pub fn find(id_or_code: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| {
        entry.meta.id == id_or_code || entry.meta.code.eq_ignore_ascii_case(id_or_code)
    })
}
