//! A bucket as the files of a folder, at one checkpoint: what the folder store checks and reads, it
//! checks and reads here. What a bucket does not keep (the newest checkpoint, the bundle of entries that is
//! not full, notes beside their signatures) is put together from what it keeps.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};

use super::super::dir::{CHECKPOINT, SIGNERS, anchor_size};
use super::super::files::{Files, Lock};
use super::super::merkle::{self, TILE_WIDTH};
use super::note::Note;
use super::objects::{self, Objects};

pub(super) const SEQUENCE: &str = "seq";
pub(super) const CHECKPOINTS: &str = "checkpoint";

#[derive(Clone)]
pub(super) struct BucketFiles {
    objects: Arc<dyn Objects>,
    /// The checkpoint that is the newest one here.
    note: Option<Note>,
    /// Files on their way to their names.
    written: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl BucketFiles {
    pub(super) fn new(objects: Arc<dyn Objects>, note: Option<Note>) -> Self {
        Self {
            objects,
            note,
            written: Arc::default(),
        }
    }

    fn find(&self, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let size = self.note.as_ref().map_or(0, |note| note.checkpoint.size);
        let width = size % TILE_WIDTH;
        if path == CHECKPOINT {
            return Ok(self
                .note
                .as_ref()
                .map(|note| note.checkpoint.text().into_bytes()));
        }
        if let Some(size) = anchor_size(path, "note") {
            let note = self.anchor(size)?;
            return Ok(note.map(|note| note.checkpoint.text().into_bytes()));
        }
        if let Some(size) = anchor_size(path, "sig") {
            let note = self.anchor(size)?;
            return Ok(note.and_then(|note| note.signature).map(String::into_bytes));
        }
        if width > 0 && path == merkle::bundle_path(size / TILE_WIDTH, width) {
            return entries(self.objects.as_ref(), size - width..size).map(Some);
        }
        ensure!(
            path != SIGNERS,
            "a bucket keeps no list of keys; `ccgate ledger export` makes it"
        );
        self.objects.read(path)
    }

    /// The checkpoint of this size, if it is signed.
    fn anchor(&self, size: u64) -> anyhow::Result<Option<Note>> {
        let path = objects::numbered(CHECKPOINTS, size);
        let note = self.objects.read(&path)?;
        let note = note.map(|bytes| Note::parse(&bytes).with_context(|| format!("`{path}`")));
        Ok(note.transpose()?.filter(|note| note.signature.is_some()))
    }
}

/// The entries with these numbers, as in a bundle, from the objects of the sequence.
pub(super) fn entries(
    objects: &dyn Objects,
    range: std::ops::Range<u64>,
) -> anyhow::Result<Vec<u8>> {
    let mut bundle = Vec::new();
    if range.is_empty() {
        return Ok(bundle);
    }
    let numbers = objects::numbers(objects, SEQUENCE, range.clone())?;
    let paths: Vec<String> = numbers
        .iter()
        .map(|number| objects::numbered(SEQUENCE, *number))
        .collect();
    let mut next = numbers.first().copied().unwrap_or_default();
    for ((number, path), bytes) in numbers.iter().zip(&paths).zip(objects.read_all(&paths)?) {
        ensure!(
            *number == next,
            "the entries from {next} on are missing, or `{path}` overlaps with them"
        );
        let bytes = bytes.with_context(|| format!("`{path}` is missing"))?;
        for entry in merkle::decode_entries(&bytes).with_context(|| format!("`{path}`"))? {
            if range.contains(&next) {
                merkle::encode_entry(&mut bundle, entry)?;
            }
            next += 1;
        }
    }
    ensure!(next >= range.end, "the entries from {next} on are missing");
    Ok(bundle)
}

impl Files for BucketFiles {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.find(path)
            .map_err(|error| io::Error::other(format!("{error:#}")))
    }

    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        Err(io::Error::other("a bucket is listed when it is copied out"))
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    /// Creates the object; one that is there stays, and has to be the same.
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = written
            .remove(from)
            .ok_or_else(|| io::Error::other("nothing was written under that name"))?;
        objects::put(self.objects.as_ref(), vec![(to.to_owned(), bytes)])
            .map_err(|error| io::Error::other(format!("{error:#}")))
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::Error::other("nothing is removed from a bucket"))
    }

    fn lock(&self, _: Lock) -> io::Result<File> {
        // Between writers the server decides.
        tempfile::tempfile()
    }
}
