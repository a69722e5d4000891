//! ACC: who and what can reach the repository.

pub(super) mod access_tokens_limited;
pub(super) mod administrators_limited;
pub(super) mod deploy_keys_limited;
pub(super) mod outside_collaborators_cannot_write;
pub(super) mod pipelines_as_private_as_code;
pub(super) mod repository_active_or_archived;
#[cfg(test)]
mod testing;
pub(super) mod visibility_as_declared;
pub(super) mod webhooks_secured;
pub(super) mod write_access_through_teams;
