//! The `git+…:` stores: a ledger in a branch of its own, by plain `git`. The same files as in a
//! folder, one commit an append, pushed so that the server takes it only if nobody was faster.

use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail, ensure};

use super::checkpoint::Checkpoint;
use super::dir::{CHECKPOINT, DirStore};
use super::export::Export;
use super::files::Files as _;
use super::leaf::Leaf;
use super::place::GitPlace;
use super::sign::Signer;
use super::verify::{Verification, VerifyOptions};
use super::{Guarantees, Make, Receipt, Store, guarantees};

mod anchoring;
#[cfg(test)]
#[cfg(unix)]
mod anchoring_tests;
mod command;
mod history;
mod mirror;
pub(super) mod patience;
#[cfg(test)]
#[cfg(unix)]
mod tamper_tests;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod tree;

pub(super) use anchoring::{keep_token, signed_note};
use mirror::{Depth, Mirror, Push};
use patience::{Patience, Watch};
use tree::TreeFiles;

pub(crate) struct GitStore {
    place: GitPlace,
    /// Whose ledger it must be; `None`: whoever's it is.
    origin: Option<String>,
    signer: Option<Signer>,
    patience: Patience,
    copy: Mutex<Held>,
}

/// What was fetched and is not used up.
#[derive(Default)]
struct Held {
    mirror: Option<Mirror>,
    /// The branch when it was looked at; the inner one is `None` where there was none.
    tip: Option<Option<TreeFiles>>,
    /// The newest checkpoint that was ever seen here.
    newest: Option<Checkpoint>,
}

impl GitStore {
    pub(crate) fn new(place: &GitPlace, origin: Option<&str>, signer: Option<Signer>) -> Self {
        Self {
            place: place.clone(),
            origin: origin.map(str::to_owned),
            signer,
            patience: Patience::default(),
            copy: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder store over a tip: its checks of what is there are the same in git.
    fn over(&self, files: &TreeFiles) -> anyhow::Result<Option<DirStore>> {
        let origin = match (&self.origin, checkpoint_of(files)?) {
            (Some(origin), _) => origin.clone(),
            (None, Some(checkpoint)) => checkpoint.origin,
            (None, None) => return Ok(None),
        };
        let signer = self.signer.clone();
        Ok(Some(DirStore::over(
            Box::new(files.clone()),
            &origin,
            signer,
        )))
    }

    /// One try on what is held. `last` was pushed before, and nobody knows with what outcome.
    fn attempt(
        &self,
        held: &mut Held,
        last: Option<&[Leaf]>,
        make: Make<'_>,
    ) -> anyhow::Result<Attempt> {
        let tip = held.tip(&self.place)?;
        if let (Some(leaves), Some(files)) = (last, &tip)
            && let Some(receipt) = self.there(files, leaves)?
        {
            return Ok(Attempt {
                receipt,
                leaves: leaves.to_vec(),
                pushed: None,
            });
        }
        let begun = tip.is_some();
        let (mirror, files) = held.working(tip.as_ref())?;
        let mut store = self
            .over(&files)?
            .context("it is not known whose ledger this is")?;
        let leaves = make(&store)?;
        let receipt = store.append(&leaves)?;
        let changes = files.changes()?;
        let mut pushed = None;
        if !changes.is_empty() {
            mirror::check_growth(&files, &changes)?;
            let message = format!("Seal {} records", receipt.size);
            let commit = mirror.commit(begun, &changes, &message)?;
            pushed = Some(mirror.push(&commit));
            // Used up, whatever came of it.
            held.tip = None;
        }
        Ok(Attempt {
            receipt,
            leaves,
            pushed,
        })
    }

    /// The proof of leaves that are there already.
    fn there(&self, tip: &TreeFiles, leaves: &[Leaf]) -> anyhow::Result<Option<Receipt>> {
        let files = tip.fresh();
        let Some(mut store) = self.over(&files)? else {
            return Ok(None);
        };
        let receipt = store.append(leaves)?;
        Ok(files.changes()?.is_empty().then_some(receipt))
    }
}

/// A try to append.
struct Attempt {
    receipt: Receipt,
    leaves: Vec<Leaf>,
    /// `None`: there was nothing to push.
    pushed: Option<Push>,
}

impl Held {
    fn mirror(&mut self, place: &GitPlace) -> anyhow::Result<&mut Mirror> {
        if self.mirror.is_none() {
            self.mirror = Some(Mirror::new(place)?);
        }
        self.mirror
            .as_mut()
            .context("there is no copy of the branch")
    }

    /// The tip that is held, else the one that is there now.
    fn tip(&mut self, place: &GitPlace) -> anyhow::Result<Option<TreeFiles>> {
        if let Some(tip) = &self.tip {
            return Ok(tip.as_ref().map(TreeFiles::fresh));
        }
        let tip = self.mirror(place)?.fetch(Depth::Tip)?;
        let checkpoint = match &tip {
            Some(files) => Some(checkpoint_of(files)?.with_context(|| {
                format!("{place} is there and holds no ledger (`{CHECKPOINT}` is missing); name another branch")
            })?),
            None => None,
        };
        self.went_on(checkpoint)
            .with_context(|| format!("{place} was changed by somebody else than an append"))?;
        self.tip = Some(tip.clone());
        Ok(tip)
    }

    /// A log only grows while we look.
    fn went_on(&mut self, now: Option<Checkpoint>) -> anyhow::Result<()> {
        if let Some(before) = &self.newest {
            let now = now
                .as_ref()
                .context("it was deleted since it was last read")?;
            ensure!(
                now.size > before.size || (now.size, now.root) == (before.size, before.root),
                "it held {} records a moment ago, and now it holds {} or others",
                before.size,
                now.size
            );
        }
        self.newest = now.or(self.newest.take());
        Ok(())
    }

    fn working(&mut self, tip: Option<&TreeFiles>) -> anyhow::Result<(&mut Mirror, TreeFiles)> {
        let mirror = self
            .mirror
            .as_mut()
            .context("there is no copy of the branch")?;
        let files = tip.map_or_else(|| mirror.nothing(), TreeFiles::fresh);
        Ok((mirror, files))
    }
}

impl Store for GitStore {
    fn append_after(&mut self, make: Make<'_>) -> anyhow::Result<Receipt> {
        let watch = Watch::start();
        let (mut refusals, mut unclear) = (0, 0);
        let mut before: Option<Vec<String>> = None;
        let mut last: Option<(Vec<Leaf>, String)> = None;
        loop {
            let leaves = last.as_ref().map(|(leaves, _)| leaves.as_slice());
            let outcome = self.attempt(&mut self.held(), leaves, make);
            let attempt = match (outcome, &last) {
                (Ok(attempt), _) => attempt,
                (Err(error), None) => return Err(error),
                // The last push may have come through.
                (Err(error), Some((_, why))) => return Err(error.context(unknown(why))),
            };
            let mut receipt = attempt.receipt;
            // What a push of our own brought was not there before.
            let duplicates = before.get_or_insert_with(|| receipt.duplicates.clone());
            receipt.duplicates.clone_from(duplicates);
            let (count, most, why) = match attempt.pushed {
                None | Some(Push::Done) => return Ok(receipt),
                Some(Push::Refused(why)) => {
                    refusals += 1;
                    (refusals, self.patience.refusals, why)
                }
                Some(Push::Unclear(why)) => {
                    unclear += 1;
                    (unclear, self.patience.unclear, why)
                }
            };
            if count >= most || watch.is_over(&self.patience) {
                let found = self
                    .look_again(&attempt.leaves)
                    .with_context(|| unknown(&why))?;
                let found = found.with_context(|| {
                    let tries = refusals + unclear;
                    format!(
                        "{} did not take the record in {tries} tries, and does not hold it: {why}",
                        self.place
                    )
                })?;
                return Ok(Receipt {
                    duplicates: receipt.duplicates,
                    ..found
                });
            }
            last = Some((attempt.leaves, why));
            self.patience.wait(count);
        }
    }

    fn read(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        let tip = self.held().tip(&self.place)?;
        let store = tip.as_ref().map(|files| self.over(files)).transpose()?;
        match store.flatten() {
            Some(store) => store.read(range),
            None => bail!("{} holds no records", self.place),
        }
    }

    fn read_blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let tip = self.held().tip(&self.place)?;
        let store = tip.as_ref().map(|files| self.over(files)).transpose()?;
        match store.flatten() {
            Some(store) => store.read_blob(digest),
            None => bail!("{} holds no records", self.place),
        }
    }

    fn checkpoint(&self) -> anyhow::Result<Option<Checkpoint>> {
        let mut held = self.held();
        held.tip = None;
        let tip = held.tip(&self.place)?;
        drop(held);
        let store = tip.as_ref().map(|files| self.over(files)).transpose()?;
        store.flatten().map_or(Ok(None), |store| store.checkpoint())
    }

    fn guarantees(&self) -> Guarantees {
        guarantees::GIT
    }
}

impl GitStore {
    /// The last look: what was pushed last may be there in spite of what was said.
    fn look_again(&self, leaves: &[Leaf]) -> anyhow::Result<Option<Receipt>> {
        let mut held = self.held();
        held.tip = None;
        match held.tip(&self.place)? {
            Some(files) => self.there(&files, leaves),
            None => Ok(None),
        }
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

fn unknown(said: &str) -> String {
    format!(
        "whether the record is in the ledger is not known, so run it again, which is safe; the last push: {said}"
    )
}

fn checkpoint_of(files: &TreeFiles) -> anyhow::Result<Option<Checkpoint>> {
    let Some(bytes) = files.read(CHECKPOINT)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes)
        .ok()
        .context("the checkpoint is no text")?;
    Checkpoint::parse(&text).map(Some)
}
