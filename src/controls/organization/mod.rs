//! ORG: the organisation or group above the repository: whom it lets in, what
//! members may do, and what reaches into it.

mod limits;
mod parts;
mod people;
#[cfg(test)]
mod testing;

pub(super) mod access_reviewed;
pub(super) mod apps_approved;
pub(super) mod base_permission_limited;
pub(super) mod domain_verified;
pub(super) mod inactive_members_removed;
pub(super) mod ip_allow_list_on;
pub(super) mod members_have_mfa;
pub(super) mod mfa_enforced;
pub(super) mod new_repositories_protected;
pub(super) mod organization_rules_cover_repository;
pub(super) mod organization_webhooks_secured;
pub(super) mod outside_collaborators_controlled;
pub(super) mod owners_within_bounds;
pub(super) mod private_forking_off;
pub(super) mod repository_creation_restricted;
pub(super) mod repository_removal_restricted;
pub(super) mod sso_enforced;
pub(super) mod tokens_governed;
