//! The groups around branches: inventory, tags, releases, code owners, paths and
//! what reported on merged heads. Knows which of them are wanted.

use crate::facts::{Needs, Settings, Snapshot};

use super::super::Session;
use super::shared::Shared;

/// The groups of this side that are needed; all others are not collected.
pub(super) async fn branch_side(
    _session: &Session,
    _shared: &Shared<'_>,
    _snapshot: &Snapshot,
    _needs: &Needs,
) -> Settings {
    Settings::all_unknown()
}
