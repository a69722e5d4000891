//! The table of controls. Each stands in its own file and knows only facts.
//!
//! To add one: write its file, add its `mod` line and its line in [`TABLE`],
//! regenerate the documents (see CONTRIBUTING.md).

mod branch;
mod change;
mod control;
mod judging;
mod pipeline;
mod scan;
#[cfg(test)]
pub(crate) mod testing;

use control::entry;
pub use control::{
    Awaiting, Bound, Control, Entry, Evidence, FailReason, Failure, Meta, Observation, Scope,
    Verdict,
};

pub(crate) use pipeline::guarding;

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
    entry::<pipeline::job_token_read_only::JobTokenReadOnly>(), // PIPE-01
    entry::<pipeline::pipelines_cannot_approve::PipelinesCannotApprove>(), // PIPE-02
    entry::<pipeline::foreign_parts_restricted::ForeignPartsRestricted>(), // PIPE-03
    entry::<pipeline::foreign_parts_pinned::ForeignPartsPinned>(), // PIPE-04
    entry::<pipeline::job_rights_least::JobRightsLeast>(),      // PIPE-05
    entry::<pipeline::fork_runs_held::ForkRunsHeld>(),          // PIPE-07
    entry::<pipeline::runners_isolated::RunnersIsolated>(),     // PIPE-08
    entry::<pipeline::security_jobs_count::SecurityJobsCount>(), // PIPE-09
    entry::<pipeline::workflow_imposed_from_outside::WorkflowImposedFromOutside>(), // PIPE-10
    entry::<pipeline::required_jobs_do_something::RequiredJobsDoSomething>(), // PIPE-11
    entry::<pipeline::gate_guards_itself::GateGuardsItself>(),  // PIPE-12
    entry::<pipeline::secrets_scoped::SecretsScoped>(),         // PIPE-13
    entry::<pipeline::cloud_access_without_stored_keys::CloudAccessWithoutStoredKeys>(), // PIPE-14
    entry::<pipeline::run_variables_restricted::RunVariablesRestricted>(), // PIPE-16
    // Scan results.
    entry::<scan::sast_clean::SastClean>(), // SCAN-01
];

/// The control of that id (`force-push-blocked`) or code (`BR-18`).
pub fn find(id_or_code: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| {
        entry.meta.id == id_or_code || entry.meta.code.eq_ignore_ascii_case(id_or_code)
    })
}
