//! Hands the platform's own way of making commits to a ledger in a branch of the judged repository.
//! Only carries: the ledger knows no platform, the platform knows no ledger.

use std::sync::Arc;
use std::thread;

use crate::ledger::{NewCommit, Published, Publisher};
use crate::platform::{
    self, CommitAnswer, CommitWanted, Limits, Place, Setup, Thrift, Token, commit_on_branch,
};

use super::session::{PROGRAM, ca_bundle};
use super::world::World;

/// Commits through the API of the platform at hand.
#[derive(Debug)]
struct Api {
    setup: Setup,
}

/// Nothing is asked yet.
///
/// # Errors
/// A bundle of certificate authorities that cannot be read.
pub(super) fn publisher(
    place: &platform::Place,
    token: &str,
    world: &World,
) -> anyhow::Result<Arc<dyn Publisher>> {
    Ok(Arc::new(Api {
        setup: Setup {
            place: Place::clone(place),
            token: Token::new(token.to_owned()),
            settings_token: None,
            ca_bundle: ca_bundle(world)?,
            limits: Limits::default(),
            now: world.now,
            program: PROGRAM.to_owned(),
            thrift: Thrift::default(),
        },
    }))
}

impl Publisher for Api {
    fn publish(&self, commit: &NewCommit<'_>) -> Published {
        let wanted = CommitWanted {
            reference: commit.reference,
            expected_head: commit.expected_head,
            headline: commit.headline,
            changes: commit.changes,
        };
        let ask = || -> anyhow::Result<CommitAnswer> {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(commit_on_branch(&self.setup, &wanted))
        };
        // Whoever appends may stand inside another runtime, in which nobody may wait.
        match thread::scope(|scope| scope.spawn(ask).join()) {
            Ok(Ok(CommitAnswer::Made(id))) => Published::Made(id),
            Ok(Ok(CommitAnswer::Refused(why))) => Published::Refused(why),
            Ok(Ok(CommitAnswer::Denied(why))) => Published::Denied(why),
            Ok(Ok(CommitAnswer::Unclear(why))) => Published::Unclear(why),
            // Nothing was sent.
            Ok(Err(error)) => Published::Denied(format!("{error:#}")),
            Err(_) => Published::Unclear(
                "the request broke off inside the program; please report it".to_owned(),
            ),
        }
    }
}
