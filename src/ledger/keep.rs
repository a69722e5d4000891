//! What an anchor outside needs of a ledger: its newest signed note, and a place for the token
//! or the bundle that came back. It is there whole or not at all, and replaces nothing.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};

#[cfg(feature = "s3")]
use super::bucket;
use super::checkpoint::Checkpoint;
#[cfg(feature = "postgres")]
use super::database::DatabaseStore;
use super::dir::{CHECKPOINT, DirStore, checkpoint_text};
use super::files::Lock;
use super::git::GitStore;
use super::place::Place;
use super::sigstore;
use super::timestamp::Token;

/// A checkpoint that was signed, and the time-stamp over it, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    /// Records that it vouches for.
    pub size: u64,
    /// The file.
    pub text: Vec<u8>,
    /// The token that is kept already.
    pub token: Option<Vec<u8>>,
}

impl SignedNote {
    /// A note that was handed in: the newest one at some time, which the ledger may have outgrown
    /// while an anchor was made.
    ///
    /// # Errors
    /// What is no checkpoint, or one that nobody signed.
    pub fn parse(text: Vec<u8>) -> anyhow::Result<Self> {
        let checkpoint = Checkpoint::parse(
            std::str::from_utf8(&text)
                .ok()
                .context("the checkpoint is no text")?,
        )?;
        ensure!(!checkpoint.signatures.is_empty(), UNSIGNED);
        Ok(Self {
            size: checkpoint.size,
            text,
            token: None,
        })
    }
}

/// Why there is nothing to anchor.
const UNSIGNED: &str = "the checkpoint is not signed, so an anchor would say nothing of who made it; record with `CCGATE_LEDGER_KEY` set";

/// The newest note of the ledger at a place.
///
/// # Errors
/// No ledger, one whose newest checkpoint is not signed, or an append that was interrupted.
pub fn signed_note(place: &Place) -> anyhow::Result<SignedNote> {
    match place {
        Place::Folder(folder) => store(folder)?.signed_note(),
        Place::Git(place) => GitStore::new(place, None, None).signed_note(),
        #[cfg(feature = "postgres")]
        Place::Database(place) => DatabaseStore::new(place, None, None).signed_note(),
        #[cfg(feature = "s3")]
        Place::Bucket(place) => bucket::signed_note(place),
    }
}

/// Keeps the token beside its note.
///
/// # Errors
/// A token that is over another note, one that is there already, or a place that cannot be
/// written to.
pub fn keep_token(place: &Place, note: &SignedNote, token: &[u8]) -> anyhow::Result<()> {
    keep(place, note, Anchor::Token(token))
}

/// Keeps the Sigstore bundle beside its note. Whether it holds is the caller's to find out.
///
/// # Errors
/// A bundle that is over another note, one that is there already, or a place that cannot be
/// written to.
pub fn keep_bundle(place: &Place, note: &SignedNote, bundle: &[u8]) -> anyhow::Result<()> {
    keep(place, note, Anchor::Bundle(bundle))
}

fn keep(place: &Place, note: &SignedNote, anchor: Anchor<'_>) -> anyhow::Result<()> {
    match place {
        Place::Folder(folder) => store(folder)?.keep(note, anchor),
        Place::Git(place) => GitStore::new(place, None, None).keep(note, anchor),
        #[cfg(feature = "postgres")]
        Place::Database(place) => DatabaseStore::new(place, None, None).keep(note, anchor),
        #[cfg(feature = "s3")]
        Place::Bucket(place) => bucket::keep(place, note, anchor),
    }
}

/// What is kept beside a note.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor<'a> {
    /// A time-stamp.
    Token(&'a [u8]),
    /// A Sigstore bundle.
    Bundle(&'a [u8]),
}

impl<'a> Anchor<'a> {
    /// As sentences have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Token(_) => "time-stamp",
            Self::Bundle(_) => "Sigstore bundle",
        }
    }

    fn path(self, size: u64) -> String {
        match self {
            Self::Token(_) => token_path(size),
            Self::Bundle(_) => bundle_path(size),
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Token(bytes) | Self::Bundle(bytes) => bytes,
        }
    }

    fn is_over(self, note: &[u8]) -> anyhow::Result<()> {
        use sha2::Digest as _;
        match self {
            Self::Token(token) => ensure!(
                Token::parse(token)?.imprint() == sha2::Sha256::digest(note).as_slice(),
                "the token is over another note"
            ),
            Self::Bundle(bundle) => {
                sigstore::look(bundle, note).context("the bundle is not kept")?;
            }
        }
        Ok(())
    }
}

fn store(folder: &Path) -> anyhow::Result<DirStore> {
    let text = checkpoint_text(folder)?;
    let text = text.with_context(|| format!("there is no ledger at `{}`", folder.display()))?;
    let origin = Checkpoint::parse(&text)?.origin;
    Ok(DirStore::new(folder, &origin, None))
}

pub(crate) fn note_path(size: u64) -> String {
    format!("anchors/{size}.note")
}

pub(crate) fn token_path(size: u64) -> String {
    format!("anchors/{size}.tsr")
}

/// What the name of a Sigstore bundle ends in.
pub(crate) const BUNDLE: &str = "sigstore.json";

pub(crate) fn bundle_path(size: u64) -> String {
    format!("anchors/{size}.{BUNDLE}")
}

impl DirStore {
    pub(crate) fn signed_note(&self) -> anyhow::Result<SignedNote> {
        let _lock = self.files().lock(Lock::Shared);
        let read = |path: &str| self.files().read(path);
        let text = read(CHECKPOINT)?.context("there is no checkpoint")?;
        let mut note = SignedNote::parse(text)?;
        let size = note.size;
        ensure!(
            read(&note_path(size))?.as_ref() == Some(&note.text),
            "`{}` is not the newest checkpoint; run `ccgate ledger verify`",
            note_path(size)
        );
        note.token = read(&token_path(size))?;
        Ok(note)
    }

    pub(crate) fn keep(&self, note: &SignedNote, anchor: Anchor<'_>) -> anyhow::Result<()> {
        anchor.is_over(&note.text)?;
        let _lock = self
            .files()
            .lock(Lock::Exclusive)
            .context("the ledger cannot be locked")?;
        let read = |path: &str| self.files().read(path);
        // An append may have come between, but it leaves the notes before it.
        ensure!(
            read(&note_path(note.size))?.as_ref() == Some(&note.text),
            "`{}` is not the note that the {} is over",
            note_path(note.size),
            anchor.word()
        );
        let path = anchor.path(note.size);
        if let Some(there) = read(&path)? {
            ensure!(
                there == anchor.bytes(),
                "`{path}` is there already; a {} that was kept is not replaced",
                anchor.word()
            );
            return Ok(());
        }
        self.put(&BTreeMap::from([(path, anchor.bytes().to_vec())]))
    }
}
