//! PIPE: what pipelines may do, what they bring in, and what keeps the gate in them.

pub(super) mod cloud_access_without_stored_keys;
pub(super) mod foreign_parts_pinned;
pub(super) mod foreign_parts_restricted;
pub(super) mod fork_runs_held;
pub(super) mod gate_guards_itself;
pub(crate) mod guarding;
pub(super) mod job_rights_least;
pub(super) mod job_token_read_only;
mod jobs;
mod names;
pub(super) mod pipelines_cannot_approve;
pub(super) mod required_jobs_do_something;
pub(super) mod run_variables_restricted;
pub(super) mod runners_isolated;
pub(super) mod secrets_scoped;
pub(super) mod security_jobs_count;
#[cfg(test)]
pub(crate) mod testing;
pub(super) mod workflow_imposed_from_outside;
