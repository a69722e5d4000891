//! The `git+…:` stores: a ledger in a branch of its own, by plain `git`. The same files as in a
//! folder, one commit an append, which the server takes, or makes itself where it is asked to, only
//! if nobody was faster.

use std::path::Path;

use super::export::Export;
use super::place::GitPlace;
use super::remote::overlay::{Changes, Overlay};
use super::remote::receipts::{Receipt, Waiting};
use super::remote::{Patience, Remote, RemoteStore, Sent};
use super::verify::{Verification, VerifyOptions};
use super::{Guarantees, guarantees};

#[cfg(test)]
#[cfg(unix)]
mod anchoring_tests;
mod command;
mod history;
mod mirror;
mod publish;
#[cfg(test)]
#[cfg(unix)]
mod publish_tests;
#[cfg(test)]
#[cfg(unix)]
mod receipts_tests;
#[cfg(test)]
#[cfg(unix)]
mod tamper_tests;
#[cfg(test)]
#[cfg(unix)]
mod testing;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod tree;
mod waiting;

use mirror::Depth;
pub(super) use mirror::Mirror;
pub use publish::{NewCommit, Published, Publisher};
use tree::Tree;

pub(crate) type GitStore = RemoteStore<Mirror>;

impl Remote for Mirror {
    type Place = GitPlace;
    type Base = Tree;

    fn open(place: &GitPlace) -> anyhow::Result<Self> {
        Self::new(place)
    }

    fn look(&mut self) -> anyhow::Result<Option<Overlay<Tree>>> {
        self.check_made()?;
        self.fetch(Depth::Tip)
    }

    fn nothing(&self) -> anyhow::Result<Overlay<Tree>> {
        Ok(Overlay::over(Tree::default()))
    }

    fn send(
        &mut self,
        tip: Option<&Overlay<Tree>>,
        changes: &Changes,
        message: &str,
    ) -> anyhow::Result<Sent> {
        let commit = self.commit(tip.is_some(), changes, message)?;
        match (tip, self.place().publisher.clone()) {
            (Some(_), Some(publisher)) => self.publish(&*publisher, &commit, changes, message),
            // The first commit stands on no tip that could be expected. A push of it is taken only where
            // there is no such branch.
            (None, _) | (Some(_), None) => Ok(self.push(&commit)),
        }
    }

    fn named_in_receipts(place: &GitPlace) -> Option<String> {
        Some(place.reference())
    }

    fn look_for_receipts(&mut self) {
        self.with_receipts = true;
    }

    fn waiting(&self, tip: &Overlay<Tree>) -> anyhow::Result<Vec<Waiting>> {
        self.fetched_receipts(tip)
    }

    fn leave(&mut self, receipt: &Receipt) -> anyhow::Result<()> {
        self.push_receipt(receipt)
    }

    fn settle<'a>(&self, sealed: impl Iterator<Item = &'a Waiting>) {
        self.remove_receipts(sealed);
    }

    fn patience() -> Patience {
        Patience::default()
    }

    fn guarantees(place: &GitPlace) -> Guarantees {
        guarantees::git(place)
    }
}

/// Verifies a ledger in git: the files at the tip, and that the branch only ever grew.
///
/// # Errors
/// If the branch cannot be fetched. Whatever lies there, the answer is a verification.
pub(super) fn verify(
    place: &GitPlace,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Verification> {
    history::verify(place, options)
}

/// Copies a ledger in git out into a new folder, as it is at the tip.
///
/// # Errors
/// As for a ledger in a folder, and if the branch cannot be fetched or did not only grow.
pub(super) fn export(
    place: &GitPlace,
    pack: &Path,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Export> {
    history::export(place, pack, options)
}
