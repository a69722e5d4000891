//! DEP: what holds a deployment to production back.

pub(super) mod administrators_cannot_skip_approval;
pub(super) mod deployer_cannot_approve;
pub(super) mod environments_separated;
pub(super) mod only_protected_refs_deployed;
mod production;
pub(super) mod production_deployment_approved;
