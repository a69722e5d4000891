//! Appends to a ledger in a bucket, and reads from it. Whoever appends finishes first what a
//! writer that was stopped left behind; then its own records are one object, or somebody was faster.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::dir::{DirStore, FORMAT, format_text};
use super::super::keep::{Anchor, SignedNote};
use super::super::leaf::blob_path;
use super::super::merkle;
use super::super::numbering::Numbering;
use super::super::remote::{Patience, Watch};
use super::super::sign::Signer;
use super::super::{Guarantees, Make, Receipt, Store, guarantees};
use super::note::Note;
use super::objects::{self, Created, Objects};
use super::place::BucketPlace;
use super::remote::Remote;
use super::tip::{self, Tip};
use super::view::{BucketFiles, CHECKPOINTS};

/// Creations of one object of which nobody knows how they ended.
const UNCLEAR: usize = 3;
/// Looks for the checkpoint of somebody else, with longer and longer pauses between.
const LOOKS: u32 = 6;
/// Appends of others that are followed one by one; behind more of them the end is looked for.
const STEPS: usize = 4;

pub(crate) struct BucketStore {
    objects: Arc<dyn Objects>,
    /// As it is named in messages.
    name: String,
    /// Whose ledger it must be; `None`: whoever's it is.
    origin: Option<String>,
    signer: Option<Signer>,
    pub(super) patience: Patience,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The checkpoint that reads go by; the inner one is `None` where there was none.
    note: Option<Option<Note>>,
    /// The newest one that was ever seen here.
    newest: Option<Checkpoint>,
}

/// What became of the own object of the sequence.
enum Taken {
    Ours,
    /// Somebody was faster, with these bytes.
    Theirs(Vec<u8>),
}

impl BucketStore {
    pub(crate) fn new(
        place: &BucketPlace,
        origin: Option<&str>,
        signer: Option<Signer>,
    ) -> anyhow::Result<Self> {
        let objects = Arc::new(Remote::new(place)?);
        Ok(Self::over(objects, &place.to_string(), origin, signer))
    }

    pub(super) fn over(
        objects: Arc<dyn Objects>,
        name: &str,
        origin: Option<&str>,
        signer: Option<Signer>,
    ) -> Self {
        Self {
            objects,
            name: name.to_owned(),
            origin: origin.map(str::to_owned),
            signer,
            patience: Patience {
                total: std::time::Duration::from_secs(180),
                pause: std::time::Duration::from_millis(50),
                longest_pause: std::time::Duration::from_secs(4),
                ..Patience::default()
            },
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server has to refuse to create what is there: the whole ledger rests on it. `FORMAT` is
    /// there from the beginning, so asking for it once more leaves nothing behind.
    fn begin(&self, origin: &str) -> anyhow::Result<()> {
        let text = format_text(origin);
        let mut why = None;
        for _ in 0..UNCLEAR {
            match self.objects.create(FORMAT, text.as_bytes()) {
                Ok(Created::Now) => continue,
                Ok(Created::Before) => {}
                Err(error) => {
                    why = Some(error);
                    continue;
                }
            }
            // Said of a creation under way as well.
            let Some(found) = self.objects.read(FORMAT)? else {
                continue;
            };
            ensure!(
                found == text.as_bytes(),
                "`{FORMAT}` in {} names another format or another owner than `{origin}`; use another place",
                self.name
            );
            return Ok(());
        }
        if let Some(error) = why {
            return Err(error.context("nothing was recorded"));
        }
        bail!(
            "the server of {} creates an object although it is there already (it does not know `If-None-Match: *`), so two writers could replace each other's records; nothing was recorded; use a server that refuses, or another kind of ledger",
            self.name
        )
    }

    /// The end of the log, read anew.
    fn tip(&self) -> anyhow::Result<Tip> {
        let tip = Tip::read(self.objects.as_ref())?;
        self.went_on(tip.note.as_ref())?;
        Ok(tip)
    }

    /// A log only grows while we look.
    fn went_on(&self, note: Option<&Note>) -> anyhow::Result<()> {
        let now = note.map(|note| &note.checkpoint);
        if let (Some(now), Some(origin)) = (now, &self.origin) {
            ensure!(
                now.origin == *origin,
                "the ledger in {} belongs to `{}`, not to `{origin}`; use another place",
                self.name,
                now.origin
            );
        }
        let mut held = self.held();
        if let Some(before) = &held.newest {
            ensure!(
                now.is_some_and(|now| now.size > before.size
                    || (now.size, now.root) == (before.size, before.root)),
                "{} held {} records a moment ago, and now it holds fewer or others; somebody changed it",
                self.name,
                before.size
            );
        }
        held.newest = now.cloned().or(held.newest.take());
        Ok(())
    }

    /// The folder store over the files at a checkpoint: its checks are the same here.
    fn over_files(&self, files: BucketFiles, origin: &str) -> DirStore {
        DirStore::over(Box::new(files), origin, self.signer.clone())
    }

    /// Creates the object of the sequence. An answer that was lost is asked for again: the object
    /// with our own bytes is ours.
    fn take(&self, path: &str, bytes: &[u8]) -> anyhow::Result<Taken> {
        let mut why = None;
        for _ in 0..UNCLEAR {
            match self.objects.create(path, bytes) {
                Ok(Created::Now) => return Ok(Taken::Ours),
                Ok(Created::Before) => {}
                Err(error) => why = Some(error),
            }
            match self.objects.read(path) {
                Ok(Some(found)) if found == bytes => return Ok(Taken::Ours),
                Ok(Some(theirs)) => return Ok(Taken::Theirs(theirs)),
                // Somebody's creation is under way, or nothing came of ours.
                Ok(None) => {}
                Err(error) => why = Some(error),
            }
        }
        let unknown =
            "whether the record is in the ledger is not known, so run it again, which is safe";
        Err(match why {
            Some(error) => error.context(unknown),
            None => anyhow::anyhow!(
                "{unknown}; the server says that `{path}` is there, and then that it is not"
            ),
        })
    }

    /// The end of the log behind the object that comes next. Whoever made it is given time to finish
    /// it, because twenty who help at once are no help; after that it is finished here.
    fn follow(&self, tip: &Tip, sealed: &[u8], origin: &str) -> anyhow::Result<Tip> {
        let step = tip.step(sealed)?;
        let objects = self.objects.as_ref();
        for look in 1..=LOOKS {
            if let Some(tip) = step.finished(objects, origin)? {
                return Ok(tip);
            }
            self.patience.wait(look);
        }
        step.finish(objects, origin, self.signer.as_ref())
    }

    /// The end of the log after somebody was faster.
    fn caught_up(&self, tip: &Tip, sealed: &[u8], origin: &str) -> anyhow::Result<Tip> {
        let mut tip = self.follow(tip, sealed, origin)?;
        for _ in 0..STEPS {
            match self.objects.read(&tip.next_path())? {
                Some(sealed) => tip = self.follow(&tip, &sealed, origin)?,
                None => return Ok(tip),
            }
        }
        self.tip()
    }

    /// One try on what is there. Gives the bytes of whoever was faster.
    fn attempt(
        &self,
        tip: &Tip,
        origin: &str,
        make: Make<'_>,
    ) -> anyhow::Result<Result<Receipt, Vec<u8>>> {
        let store = self.over_files(tip.files(&self.objects), origin);
        let leaves = make(&store)?;
        let known = match store.known(&leaves, tip.size()) {
            Ok(known) => known,
            // A copy that the log does not hold: of an append that is under way, or was stopped?
            Err(error) => {
                let theirs = self.objects.read(&tip.next_path())?;
                return theirs.map(Err).ok_or(error);
            }
        };
        let numbering = Numbering::of(&leaves, known, tip.size());
        if numbering.new.is_empty() {
            let note = tip.note.as_ref().context("there is nothing to append")?;
            return Ok(Ok(numbering.receipt(&note.checkpoint)));
        }
        let mut sealed = Vec::new();
        let mut blobs = Vec::new();
        for leaf in &numbering.new {
            merkle::encode_entry(&mut sealed, &leaf.bytes)?;
            let blob = leaf.blob.iter();
            blobs.extend(blob.map(|(digest, bytes)| (blob_path(digest), bytes.clone())));
        }
        // All that could be wrong with it, before it is there for good.
        let step = tip.step(&sealed)?;
        if !blobs.is_empty() {
            objects::put(self.objects.as_ref(), blobs)?;
        }
        match self.take(&tip.next_path(), &sealed)? {
            Taken::Theirs(theirs) => Ok(Err(theirs)),
            Taken::Ours => {
                let sealed = step
                    .finish(self.objects.as_ref(), origin, self.signer.as_ref())
                    .context(
                        "the record is sealed, but its checkpoint is not; run it again, which is safe",
                    )?;
                self.went_on(sealed.note.as_ref())?;
                let note = sealed.note.context("there is no checkpoint")?;
                Ok(Ok(numbering.receipt(&note.checkpoint)))
            }
        }
    }

    /// The checkpoint that reads go by.
    fn note(&self) -> anyhow::Result<Option<Note>> {
        if let Some(note) = &self.held().note {
            return Ok(note.clone());
        }
        let note = match tip::newest(self.objects.as_ref())? {
            None => None,
            Some(size) => {
                let bytes = self.objects.read(&objects::numbered(CHECKPOINTS, size))?;
                Some(tip::note(bytes, size)?)
            }
        };
        self.went_on(note.as_ref())?;
        self.held().note = Some(note.clone());
        Ok(note)
    }

    fn reading(&self) -> anyhow::Result<DirStore> {
        let note = self.note()?;
        let origin = note
            .as_ref()
            .map(|note| note.checkpoint.origin.clone())
            .with_context(|| format!("there is no ledger in {}", self.name))?;
        let files = BucketFiles::new(Arc::clone(&self.objects), note);
        Ok(self.over_files(files, &origin))
    }

    pub(super) fn signed_note(&self) -> anyhow::Result<SignedNote> {
        self.reading()?.signed_note()
    }

    pub(super) fn keep(&self, note: &SignedNote, anchor: Anchor<'_>) -> anyhow::Result<()> {
        self.reading()?.keep(note, anchor)
    }
}

impl Store for BucketStore {
    fn append_after(&mut self, make: Make<'_>) -> anyhow::Result<Receipt> {
        let origin = self
            .origin
            .clone()
            .context("it is not known whose ledger this is")?;
        let watch = Watch::start();
        self.begin(&origin)?;
        let mut tip = self.tip()?;
        // Reads that follow are of what is there then.
        self.held().note = None;
        for losses in 1.. {
            let theirs = match self.attempt(&tip, &origin, make)? {
                Ok(receipt) => return Ok(receipt),
                Err(theirs) => theirs,
            };
            ensure!(
                !watch.is_over(&self.patience),
                "others were faster in each of {losses} tries to append to {}; nothing was recorded; run it again",
                self.name
            );
            self.patience.wait(losses);
            tip = self.caught_up(&tip, &theirs, &origin)?;
        }
        bail!("others were always faster; nothing was recorded; run it again")
    }

    fn read(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        self.reading()?.read(range)
    }

    fn read_blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        self.reading()?.read_blob(digest)
    }

    fn checkpoint(&self) -> anyhow::Result<Option<Checkpoint>> {
        self.held().note = None;
        Ok(self.note()?.map(|note| note.checkpoint))
    }

    fn guarantees(&self) -> Guarantees {
        guarantees::BUCKET
    }
}

/// The newest note of the ledger.
///
/// # Errors
/// As for a ledger in a folder, and if the bucket cannot be read.
pub(in super::super) fn signed_note(place: &BucketPlace) -> anyhow::Result<SignedNote> {
    BucketStore::new(place, None, None)?.signed_note()
}

/// Keeps the token or the bundle beside its note. To repeat it is safe.
///
/// # Errors
/// As for a ledger in a folder, and if the server does not take it.
pub(in super::super) fn keep(
    place: &BucketPlace,
    note: &SignedNote,
    anchor: Anchor<'_>,
) -> anyhow::Result<()> {
    BucketStore::new(place, None, None)?.keep(note, anchor)
}
