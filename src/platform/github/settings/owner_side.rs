//! The groups around owners: organisation, access, pipelines, environments.
//! Knows which of them are wanted; asks nothing about branches.

use crate::facts::{Needs, Settings, Snapshot};

use super::super::Session;
use super::shared::Shared;

/// The groups of this side that are needed; all others are not collected.
pub(super) async fn owner_side(
    _session: &Session,
    _shared: &Shared<'_>,
    _snapshot: &Snapshot,
    _needs: &Needs,
) -> Settings {
    Settings::all_unknown()
}
