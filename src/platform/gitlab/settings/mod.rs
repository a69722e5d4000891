//! Settings of project and groups: one file per idea, all asked at once
//! beside the rest of the second round. No group is asked for that nobody needs.

mod branch_side;
mod definition;
mod history;
mod inventory;
mod owner_side;
mod owners;
mod server;
mod tags;

use crate::facts::{Needs, Snapshot};

use super::Session;

/// Fills in the needed groups of settings.
pub(super) async fn collect(session: &Session, snapshot: &mut Snapshot, needs: &Needs) {
    let subject = snapshot.subject.clone();
    let (seen, ()) = tokio::join!(
        branch_side::collect(session, &subject, needs),
        owner_side::collect(session, snapshot, needs),
    );
    seen.put_into(&mut snapshot.settings);
}
