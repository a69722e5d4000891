//! Settings of project and groups: one file per idea, all asked at once
//! beside the rest of the second round. No group is asked for that nobody needs.

mod owner_side;
mod server;

use crate::facts::{Fact, Needs, Server, Settings, Snapshot, Subject};

use super::Session;

/// Fills in the needed groups of settings.
pub(super) async fn collect(session: &Session, snapshot: &mut Snapshot, needs: &Needs) {
    let subject = snapshot.subject.clone();
    let (seen, ()) = tokio::join!(
        branch_side(session, &subject, needs),
        owner_side::collect(session, snapshot, needs),
    );
    snapshot.settings.server = seen.server;
}

/// What the repository itself holds, and which server answers.
struct BranchSide {
    server: Fact<Server>,
}

async fn branch_side(session: &Session, _subject: &Subject, needs: &Needs) -> BranchSide {
    let wanted = needs.any_of(Settings::KEYS);
    let server = if wanted {
        server::server(session).await.clone()
    } else {
        Settings::all_unknown().server
    };
    BranchSide { server }
}
