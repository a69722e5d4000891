//! ACC: who and what can reach the repository.

pub(super) mod administrators_limited;
pub(super) mod outside_collaborators_cannot_write;
pub(super) mod pipelines_as_private_as_code;
#[cfg(test)]
mod testing;
pub(super) mod visibility_as_declared;
pub(super) mod write_access_through_teams;
