//! Appends to a ledger that lies somewhere else. The folder store runs over its files, the changes
//! are sent, and where somebody was faster, or nobody knows what came of it, it begins anew.

use std::cell::Cell;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::dir::DirStore;
use super::super::keep::{Anchor, SignedNote};
use super::super::leaf::Leaf;
use super::super::sign::Signer;
use super::super::{Guarantees, Make, Receipt, Sealed, Store};
use super::held::{Held, checkpoint_of};
use super::overlay::Overlay;
use super::receipts::{Receipts, Waiting};
use super::{Patience, Remote, Sent, Watch};

pub(in super::super) struct RemoteStore<R: Remote> {
    place: R::Place,
    /// Whose ledger it must be; `None`: whoever's it is.
    origin: Option<String>,
    pub(in super::super) signer: Option<Signer>,
    pub(in super::super) patience: Patience,
    held: Mutex<Held<R>>,
}

/// A try to append.
struct Attempt {
    receipt: Receipt,
    leaves: Vec<Leaf>,
    /// Whether the leaves are the same whatever is sealed before them.
    independent: bool,
    /// `None`: there was nothing to send.
    sent: Option<Sent>,
}

impl<R: Remote> RemoteStore<R> {
    pub(in super::super) fn new(
        place: &R::Place,
        origin: Option<&str>,
        signer: Option<Signer>,
    ) -> Self {
        Self {
            place: place.clone(),
            origin: origin.map(str::to_owned),
            signer,
            patience: R::patience(),
            held: Mutex::new(Held::new()),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held<R>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder store over a tip: its checks of what is there are the same everywhere.
    fn over(&self, files: &Overlay<R::Base>) -> anyhow::Result<Option<DirStore>> {
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

    /// The folder store over the tip that is held, if anything is there.
    fn now(&self) -> anyhow::Result<Option<DirStore>> {
        let tip = self.held().tip(&self.place)?;
        let store = tip.as_ref().map(|files| self.over(files)).transpose()?;
        Ok(store.flatten())
    }

    /// One try. `last` was sent before, and nobody knows with what outcome.
    fn attempt(
        &self,
        held: &mut Held<R>,
        last: Option<&[Leaf]>,
        make: Make<'_>,
    ) -> anyhow::Result<Attempt> {
        if held.remote(&self.place)?.take_turn()? {
            // Others had theirs since it was looked at.
            held.forget();
        }
        let attempt = self.attempt_in_turn(held, last, make);
        held.remote(&self.place)?.end_turn();
        attempt
    }

    fn attempt_in_turn(
        &self,
        held: &mut Held<R>,
        last: Option<&[Leaf]>,
        make: Make<'_>,
    ) -> anyhow::Result<Attempt> {
        let tip = held.tip(&self.place)?;
        if let (Some(leaves), Some(files)) = (last, &tip)
            && !leaves.is_empty()
            && let Some(receipt) = self.there(files, leaves)?
        {
            return Ok(Attempt {
                receipt,
                leaves: leaves.to_vec(),
                independent: true,
                sent: None,
            });
        }
        let files = match &tip {
            Some(tip) => tip.fresh(),
            None => held.remote(&self.place)?.nothing()?,
        };
        let mut store = self
            .over(&files)?
            .context("it is not known whose ledger this is")?;
        let looking = Looking {
            at: &store,
            looked: Cell::new(false),
        };
        let leaves = make(&looking)?;
        let independent = !looking.looked.get();
        let waiting = match &tip {
            Some(tip) => self.ours(held.remote(&self.place)?.waiting(tip)?),
            None => Vec::new(),
        };
        let others = waiting.iter().flat_map(|(_, leaves)| leaves);
        // A receipt of our own is no second record.
        let others = others.filter(|other| leaves.iter().all(|leaf| leaf.id != other.id));
        let all: Vec<Leaf> = leaves.iter().chain(others).cloned().collect();
        let mut receipt = store.append(&all)?;
        let message = format!("Seal {} records", receipt.size);
        receipt.keep_only(&leaves);
        let sent = held.send(&self.place, tip.as_ref(), &files, &message)?;
        if matches!(sent, None | Some(Sent::Done)) {
            let sealed = waiting.iter().map(|(waiting, _)| waiting);
            held.remote(&self.place)?.settle(sealed);
        }
        Ok(Attempt {
            receipt,
            leaves,
            independent,
            sent,
        })
    }

    /// From now on what waits is read with the files, which are read anew.
    pub(in super::super) fn look_for_receipts(&self) -> anyhow::Result<()> {
        let mut held = self.held();
        held.remote(&self.place)?.look_for_receipts();
        held.forget();
        Ok(())
    }

    /// The receipts of this ledger, signed with this very key, and their records. Others are not
    /// ours to seal, and not ours to take away.
    fn ours(&self, waiting: Vec<Waiting>) -> Vec<(Waiting, Vec<Leaf>)> {
        let name = R::named_in_receipts(&self.place);
        let Some(receipts) = self.receipts(name.as_deref()) else {
            return Vec::new();
        };
        waiting
            .into_iter()
            .filter_map(|one| receipts.read(&one).ok().map(|leaves| (one, leaves)))
            .collect()
    }

    /// Without a key nobody could tell our receipts from a stranger's.
    fn receipts<'a>(&'a self, name: Option<&'a str>) -> Option<Receipts<'a>> {
        Some(Receipts {
            signer: self.signer.as_ref()?,
            origin: self.origin.as_deref()?,
            ledger: name?,
        })
    }

    /// Leaves the records for others to seal, if that can be. Where it cannot, they go on alone.
    fn leave(&self, leaves: &[Leaf]) -> anyhow::Result<()> {
        let name = R::named_in_receipts(&self.place);
        let Some(receipts) = self.receipts(name.as_deref()) else {
            return Ok(());
        };
        match receipts.make(leaves)? {
            Some(receipt) => self.held().remote(&self.place)?.leave(&receipt),
            None => Ok(()),
        }
    }

    /// The proof of leaves that are there already.
    fn there(&self, tip: &Overlay<R::Base>, leaves: &[Leaf]) -> anyhow::Result<Option<Receipt>> {
        let files = tip.fresh();
        let Some(mut store) = self.over(&files)? else {
            return Ok(None);
        };
        let receipt = store.append(leaves)?;
        Ok(files.changes()?.is_empty().then_some(receipt))
    }

    /// The last look: what was sent last may be there in spite of what was said.
    fn look_again(&self, leaves: &[Leaf]) -> anyhow::Result<Option<Receipt>> {
        let mut held = self.held();
        held.forget();
        match held.tip(&self.place)? {
            Some(files) => self.there(&files, leaves),
            None => Ok(None),
        }
    }

    /// The newest note of the ledger.
    ///
    /// # Errors
    /// As for a ledger in a folder, and if it cannot be read.
    pub(in super::super) fn signed_note(&self) -> anyhow::Result<SignedNote> {
        self.now()?
            .with_context(|| format!("there is no ledger in {}", self.place))?
            .signed_note()
    }

    /// Keeps the token or the bundle beside its note. To repeat it is safe.
    ///
    /// # Errors
    /// As for a ledger in a folder, and if the other side does not take it.
    pub(in super::super) fn keep(
        &self,
        note: &SignedNote,
        anchor: Anchor<'_>,
    ) -> anyhow::Result<()> {
        let watch = Watch::start();
        let mut tries = 0;
        loop {
            let why = match self.try_to_keep(&mut self.held(), note, anchor)? {
                None | Some(Sent::Done) => return Ok(()),
                Some(Sent::Denied(why)) => {
                    bail!("{} did not take the {}: {why}", self.place, anchor.word())
                }
                // What came through nevertheless is found by the next try.
                Some(Sent::Refused(why) | Sent::Unclear(why)) => why,
            };
            tries += 1;
            if tries >= self.patience.refusals || watch.is_over(&self.patience) {
                bail!(
                    "{} did not take the {} in {tries} tries, so run it again: {why}",
                    self.place,
                    anchor.word()
                );
            }
            self.patience.wait(tries);
        }
    }

    /// `None`: it is there already.
    fn try_to_keep(
        &self,
        held: &mut Held<R>,
        note: &SignedNote,
        anchor: Anchor<'_>,
    ) -> anyhow::Result<Option<Sent>> {
        let tip = held
            .tip(&self.place)?
            .with_context(|| format!("there is no ledger in {}", self.place))?;
        let files = tip.fresh();
        self.over(&files)?
            .context("it is not known whose ledger this is")?
            .keep(note, anchor)?;
        let message = format!("Keep a {} over {} records", anchor.word(), note.size);
        held.send(&self.place, Some(&tip), &files, &message)
    }
}

/// What is sealed, and whether anybody asked for it.
struct Looking<'a> {
    at: &'a dyn Sealed,
    looked: Cell<bool>,
}

impl Looking<'_> {
    fn at(&self) -> &dyn Sealed {
        self.looked.set(true);
        self.at
    }
}

impl Sealed for Looking<'_> {
    fn size(&self) -> anyhow::Result<u64> {
        self.at().size()
    }

    fn leaves(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        self.at().leaves(range)
    }

    fn blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        self.at().blob(digest)
    }
}

impl<R: Remote> Store for RemoteStore<R> {
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
                // What was sent last may have come through.
                (Err(error), Some((_, why))) => return Err(error.context(unknown(why))),
            };
            let mut receipt = attempt.receipt;
            // What we sent ourselves was not there before.
            let duplicates = before.get_or_insert_with(|| receipt.duplicates.clone());
            receipt.duplicates.clone_from(duplicates);
            let (count, most, why) = match attempt.sent {
                None | Some(Sent::Done) => return Ok(receipt),
                Some(Sent::Refused(why)) => {
                    refusals += 1;
                    if self.signer.is_some() {
                        self.look_for_receipts()?;
                    }
                    if refusals == self.patience.receipt_after && attempt.independent {
                        self.leave(&attempt.leaves)?;
                    }
                    (refusals, self.patience.refusals, why)
                }
                Some(Sent::Denied(why)) => {
                    refusals += 1;
                    (refusals, refusals, why)
                }
                Some(Sent::Unclear(why)) => {
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
        match self.now()? {
            Some(store) => store.read(range),
            None => bail!("{} holds no records", self.place),
        }
    }

    fn read_blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        match self.now()? {
            Some(store) => store.read_blob(digest),
            None => bail!("{} holds no records", self.place),
        }
    }

    fn checkpoint(&self) -> anyhow::Result<Option<Checkpoint>> {
        self.held().forget();
        self.now()?.map_or(Ok(None), |store| store.checkpoint())
    }

    fn seal_waiting(&mut self) -> anyhow::Result<u64> {
        if R::named_in_receipts(&self.place).is_none() {
            return Ok(0);
        }
        ensure!(
            self.signer.is_some(),
            "receipts are signed: set `CCGATE_LEDGER_KEY` to the key of the gate that left them"
        );
        let before = self.checkpoint()?.map_or(0, |checkpoint| checkpoint.size);
        ensure!(before > 0, "there is no ledger in {}", self.place);
        self.look_for_receipts()?;
        let sealed = self.append_after(&mut |_| Ok(Vec::new()))?;
        Ok(sealed.size.saturating_sub(before))
    }

    fn guarantees(&self) -> Guarantees {
        R::guarantees(&self.place)
    }
}

/// A ledger that is there, for reading, whoever owns it, and its checkpoint.
///
/// # Errors
/// If there is none, or if it cannot be read.
pub(in super::super) fn open_any<R: Remote + 'static>(
    place: &R::Place,
) -> anyhow::Result<(Box<dyn Store>, Checkpoint)> {
    let store = RemoteStore::<R>::new(place, None, None);
    let checkpoint = store
        .checkpoint()?
        .with_context(|| format!("there is no ledger in {place}"))?;
    Ok((Box::new(store), checkpoint))
}

fn unknown(said: &str) -> String {
    format!(
        "whether the record is in the ledger is not known, so run it again, which is safe; the last try: {said}"
    )
}
