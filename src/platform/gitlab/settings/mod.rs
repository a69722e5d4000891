//! Settings of project and groups: one file per idea, all asked at once
//! beside the rest of the second round. No group is asked for that nobody needs.

mod above;
mod access;
mod branch_side;
mod definition;
mod deployment;
mod group;
mod group_people;
mod group_reach;
mod history;
mod inventory;
mod machines;
mod owner_side;
mod owners;
mod pipeline;
mod review;
mod runners;
mod scanning;
mod secrets;
mod server;
mod tags;
#[cfg(test)]
pub(super) mod testing;

use crate::facts::{Needs, Snapshot};

use super::Session;

/// Fills in the needed groups of settings.
pub(super) async fn collect(session: &Session, snapshot: &mut Snapshot, needs: &Needs) {
    let subject = snapshot.subject.clone();
    let (seen, ()) = tokio::join!(
        Box::pin(branch_side::collect(session, &subject, needs)),
        Box::pin(owner_side::collect(session, snapshot, needs)),
    );
    seen.put_into(&mut snapshot.settings);
}
