//! (being built)

mod client;

use crate::facts::{Needs, Snapshot};

use super::{PolicyWanted, Setup};

/// A session about one subject.
pub struct Session {
    setup: Setup,
}

impl Session {
    pub(super) fn new(setup: Setup) -> anyhow::Result<Self> {
        Ok(Self { setup })
    }

    pub(super) async fn open(&mut self, _policy: &PolicyWanted) -> Snapshot {
        Snapshot::all_unknown(
            crate::facts::Subject {
                platform: self.setup.place.platform,
                repository: self.setup.place.repository.clone(),
                change: None,
                head: String::new(),
                target: String::new(),
            },
            self.setup.now,
            self.setup.program.clone(),
        )
    }

    pub(super) async fn collect(&mut self, _snapshot: &mut Snapshot, _needs: &Needs) {}

    pub(super) async fn collect_override_people(
        &mut self,
        _snapshot: &mut Snapshot,
        _teams: &[String],
    ) {
    }
}
