//! Settings that owners and maintainers keep: groups, access, pipelines,
//! runners, secrets, environments. Does not know what stands in the repository.

use crate::facts::{Needs, Snapshot};

use super::super::Session;

/// Fills in the needed groups.
pub(super) async fn collect(_session: &Session, _snapshot: &mut Snapshot, _needs: &Needs) {}
