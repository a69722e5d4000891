//! What an anchor outside needs of a ledger: its newest signed note, and a place for the
//! token that came back. The token is there whole or not at all, and replaces nothing.

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
    match place {
        Place::Folder(folder) => store(folder)?.keep_token(note, token),
        Place::Git(place) => GitStore::new(place, None, None).keep_token(note, token),
        #[cfg(feature = "postgres")]
        Place::Database(place) => DatabaseStore::new(place, None, None).keep_token(note, token),
        #[cfg(feature = "s3")]
        Place::Bucket(place) => bucket::keep_token(place, note, token),
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

impl DirStore {
    pub(crate) fn signed_note(&self) -> anyhow::Result<SignedNote> {
        let _lock = self.files().lock(Lock::Shared);
        let read = |path: &str| self.files().read(path);
        let text = read(CHECKPOINT)?.context("there is no checkpoint")?;
        let checkpoint = Checkpoint::parse(
            std::str::from_utf8(&text)
                .ok()
                .context("the checkpoint is no text")?,
        )?;
        ensure!(
            !checkpoint.signatures.is_empty(),
            "the newest checkpoint is not signed, so a time-stamp would say nothing of who made it; record with `CCGATE_LEDGER_KEY` set"
        );
        let size = checkpoint.size;
        ensure!(
            read(&note_path(size))?.as_ref() == Some(&text),
            "`{}` is not the newest checkpoint; run `ccgate ledger verify`",
            note_path(size)
        );
        Ok(SignedNote {
            size,
            text,
            token: read(&token_path(size))?,
        })
    }

    pub(crate) fn keep_token(&self, note: &SignedNote, token: &[u8]) -> anyhow::Result<()> {
        use sha2::Digest as _;
        ensure!(
            Token::parse(token)?.imprint() == sha2::Sha256::digest(&note.text).as_slice(),
            "the token is over another note"
        );
        let _lock = self
            .files()
            .lock(Lock::Exclusive)
            .context("the ledger cannot be locked")?;
        let read = |path: &str| self.files().read(path);
        // An append may have come between, but it leaves the notes before it.
        ensure!(
            read(&note_path(note.size))?.as_ref() == Some(&note.text),
            "`{}` is not the note that was stamped",
            note_path(note.size)
        );
        let path = token_path(note.size);
        if let Some(there) = read(&path)? {
            ensure!(
                there == token,
                "`{path}` is there already; a token that was kept is not replaced"
            );
            return Ok(());
        }
        self.put(&BTreeMap::from([(path, token.to_vec())]))
    }
}
