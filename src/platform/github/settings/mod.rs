//! The settings: what no single change brings with it. Two sides are asked at
//! once, the one around branches and the one of owners, access and pipelines.
//! What answers mean stands in the modules below.

mod above;
mod branch_side;
mod collaborators;
mod defaults;
mod definition;
mod deployment;
mod document;
mod history;
mod hooks;
mod identity;
mod inventory;
mod keys;
mod members;
mod organization;
mod owner_side;
mod owners;
mod paths;
mod pipeline;
mod plan;
mod reach;
pub(super) mod reading;
mod releases;
mod repository;
mod review;
mod runners;
mod scanning;
mod secrets;
mod shared;
mod tags;

use crate::facts::{FactKey, Needs, Settings, Snapshot};

use super::Session;

use shared::Shared;

pub(super) use document::asked;

/// The groups that are needed, all in the round that is under way. A group that
/// nobody asked for comes back as not collected.
pub(super) async fn collect(session: &Session, snapshot: &Snapshot, needs: &Needs) -> Settings {
    let shared = Shared::new(session, &snapshot.subject.target, needs);
    let (mut settings, owner_side) = tokio::join!(
        Box::pin(branch_side::branch_side(session, &shared, snapshot, needs)),
        Box::pin(owner_side::owner_side(session, &shared, snapshot, needs)),
    );
    settings.take_from(owner_side);
    settings
}

/// What the rules of the target branch tell about settings, once they are there.
pub(super) fn follow(snapshot: &mut Snapshot, needs: &Needs) {
    let target = &snapshot.subject.target;
    if needs.has(FactKey::BranchInventory) && inventory::is_target_alone(target, needs) {
        snapshot.settings.in_scope_branches = inventory::of_target(&snapshot.branch_rules);
    }
}

#[cfg(test)]
pub(super) mod tests;
