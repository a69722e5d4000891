//! The `dir:` store: a ledger in a folder. New files first, the checkpoint last, by rename:
//! whoever reads sees the state before an append or the one after it, whenever it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::checkpoint::Checkpoint;
use super::files::{Files, Folder, Lock};
use super::leaf::{Leaf, blob_path};
use super::merkle::{self, TILE_WIDTH, Tree};
use super::numbering::Numbering;
use super::sign::{self, Signer};
use super::{Guarantees, Make, Receipt, Sealed, Store, guarantees, journal};

pub(crate) const CHECKPOINT: &str = "log/checkpoint";
pub(crate) const FORMAT: &str = "FORMAT";
pub(crate) const SIGNERS: &str = "keys/allowed_signers";

pub(crate) struct DirStore {
    files: Box<dyn Files>,
    origin: String,
    signer: Option<Signer>,
}

impl DirStore {
    pub(crate) fn new(path: &Path, origin: &str, signer: Option<Signer>) -> Self {
        Self::over(Box::new(Folder::new(path)), origin, signer)
    }

    pub(crate) fn over(files: Box<dyn Files>, origin: &str, signer: Option<Signer>) -> Self {
        Self {
            files,
            origin: origin.to_owned(),
            signer,
        }
    }

    pub(crate) fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    fn load(&self) -> anyhow::Result<Option<Checkpoint>> {
        let Some(bytes) = self
            .files
            .read(CHECKPOINT)
            .context("the checkpoint cannot be read")?
        else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes)
            .ok()
            .context("the checkpoint is no text")?;
        let checkpoint = Checkpoint::parse(&text)?;
        ensure!(
            checkpoint.origin == self.origin,
            "this ledger belongs to `{}`, not to `{}`; use another folder",
            checkpoint.origin,
            self.origin
        );
        Ok(Some(checkpoint))
    }

    /// Takes away what an interrupted append left.
    fn recover(&self, size: u64) -> anyhow::Result<()> {
        for path in self.files.list("tmp")? {
            self.files.remove(&path)?;
        }
        let Some(bytes) = self.files.read(journal::PATH)? else {
            return Ok(());
        };
        let journal = journal::parse(&bytes)?;
        let committed = size >= journal.size;
        let tiles: BTreeSet<String> = merkle::expected_tiles(size).collect();
        for path in &journal.paths {
            let keep = if path.starts_with("log/tile/") {
                tiles.contains(path)
            } else {
                committed || path == FORMAT || path == SIGNERS
            };
            if !keep {
                self.files.remove(path)?;
            }
        }
        if !committed && journal.paths.contains(SIGNERS) {
            let lines = signer_lines(self.files.as_ref(), &self.origin, size)?;
            if lines.is_empty() {
                self.files.remove(SIGNERS)?;
            } else {
                self.put(&BTreeMap::from([(SIGNERS.to_owned(), lines.into_bytes())]))?;
            }
        }
        let folders: BTreeSet<&str> = journal.paths.iter().map(|path| folder_of(path)).collect();
        for folder in folders {
            self.files.make_folder(folder)?;
            self.files.sync_folder(folder)?;
        }
        self.files.remove(journal::PATH)?;
        Ok(self.files.sync_folder("")?)
    }

    /// Writes files so that each is whole or absent, and durable when this returns.
    pub(crate) fn put(&self, files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
        self.files.make_folder("tmp")?;
        let mut folders = BTreeSet::new();
        for (number, (path, bytes)) in files.iter().enumerate() {
            let folder = folder_of(path);
            if folders.insert(folder) && !folder.is_empty() {
                self.files.make_folder(folder)?;
            }
            let temporary = format!("tmp/{number}");
            self.files
                .write(&temporary, bytes)
                .with_context(|| format!("`{path}` cannot be written"))?;
            self.files
                .rename(&temporary, path)
                .with_context(|| format!("`{path}` cannot be written"))?;
        }
        for folder in folders {
            self.files.sync_folder(folder)?;
        }
        Ok(())
    }

    /// The tree's right edge and the entries of the last bundle, both checked: an append never
    /// builds on a damaged ledger, for that would seal the damage.
    fn right_edge(&self, checkpoint: Option<&Checkpoint>) -> anyhow::Result<(Tree, Vec<u8>)> {
        let Some(checkpoint) = checkpoint else {
            ensure!(
                self.files.list("log/tile")?.is_empty(),
                "the ledger has records but no checkpoint; restore `{CHECKPOINT}`"
            );
            return Ok((Tree::default(), Vec::new()));
        };
        let read = |path: &str| {
            self.files
                .read(path)?
                .with_context(|| format!("`{path}` is missing"))
        };
        let tree = Tree::load(checkpoint.size, read)?;
        ensure!(
            tree.root() == checkpoint.root,
            "the tiles do not give the checkpoint's root"
        );
        let width = checkpoint.size % TILE_WIDTH;
        if width == 0 {
            return Ok((tree, Vec::new()));
        }
        let path = merkle::bundle_path(checkpoint.size / TILE_WIDTH, width);
        let bundle = read(&path)?;
        let hashes: Vec<_> = merkle::decode_entries(&bundle)?
            .into_iter()
            .map(merkle::leaf_hash)
            .collect();
        ensure!(
            tree.edge()
                .first()
                .is_some_and(|tile| tile.hashes == hashes),
            "`{path}` does not fit its tile"
        );
        Ok((tree, bundle))
    }

    /// The number of a leaf whose copy is there: newest bundles first.
    fn find(&self, leaf: &Leaf, size: u64) -> anyhow::Result<u64> {
        for index in (0..size.div_ceil(TILE_WIDTH)).rev() {
            let first = index * TILE_WIDTH;
            let bundle = self.bundle(index, size)?;
            let entries = merkle::decode_entries(&bundle)?;
            if let Some(offset) = (first..)
                .zip(entries)
                .find(|(_, entry)| *entry == leaf.bytes)
            {
                return Ok(offset.0);
            }
        }
        bail!(
            "`{}` is there although the log does not hold it; somebody put it there, remove it",
            leaf.path
        )
    }

    fn bundle(&self, index: u64, size: u64) -> anyhow::Result<Vec<u8>> {
        let path = merkle::bundle_path(index, (size - index * TILE_WIDTH).min(TILE_WIDTH));
        self.files
            .read(&path)?
            .with_context(|| format!("`{path}` is missing"))
    }

    /// Numbers of the leaves that are there already; `None` for those to append.
    pub(crate) fn known(&self, leaves: &[Leaf], size: u64) -> anyhow::Result<Vec<Option<u64>>> {
        leaves
            .iter()
            .map(|leaf| match self.files.read(&leaf.path)? {
                None => Ok(None),
                Some(copy) => {
                    ensure!(copy == leaf.bytes, "`{}` was altered", leaf.path);
                    self.find(leaf, size).map(Some)
                }
            })
            .collect()
    }

    fn seal(&self, checkpoint: Option<&Checkpoint>, new: &[&Leaf]) -> anyhow::Result<Checkpoint> {
        let (mut tree, mut bundle) = self.right_edge(checkpoint)?;
        let mut files = BTreeMap::new();
        let mut gone: BTreeSet<String> = checkpoint
            .map(|old| edge_paths(&tree, old.size))
            .unwrap_or_default();
        for leaf in new {
            merkle::encode_entry(&mut bundle, &leaf.bytes)?;
            let index = tree.size() / TILE_WIDTH;
            for tile in tree.push(merkle::leaf_hash(&leaf.bytes)) {
                files.insert(tile.path(), tile.bytes());
            }
            if tree.size().is_multiple_of(TILE_WIDTH) {
                files.insert(
                    merkle::bundle_path(index, TILE_WIDTH),
                    std::mem::take(&mut bundle),
                );
            }
            files.insert(leaf.path.clone(), leaf.bytes.clone());
            if let Some((digest, bytes)) = &leaf.blob {
                files.insert(blob_path(digest), bytes.clone());
            }
        }
        if !bundle.is_empty() {
            files.insert(
                merkle::bundle_path(tree.size() / TILE_WIDTH, tree.size() % TILE_WIDTH),
                bundle,
            );
        }
        for tile in tree.edge() {
            files.insert(tile.path(), tile.bytes());
        }
        let mut next = Checkpoint {
            origin: self.origin.clone(),
            size: tree.size(),
            root: tree.root(),
            signatures: Vec::new(),
        };
        if let Some(signer) = &self.signer {
            signer.sign_note(&mut next)?;
            let text = next.text();
            files.insert(
                format!("anchors/{}.sig", next.size),
                signer.sign_file(text.as_bytes())?.into_bytes(),
            );
            files.insert(format!("anchors/{}.note", next.size), text.into_bytes());
            let line = sign::allowed_signer_line(&self.origin, signer.public())?;
            let mut lines = String::from_utf8(self.files.read(SIGNERS)?.unwrap_or_default())
                .ok()
                .with_context(|| format!("`{SIGNERS}` is no text"))?;
            if !lines.contains(&line) {
                lines.push_str(&line);
                files.insert(SIGNERS.to_owned(), lines.into_bytes());
            }
        }
        files.insert(FORMAT.to_owned(), format_text(&self.origin).into_bytes());
        // A tile of the right edge that does not change keeps its name and its bytes.
        gone.retain(|path| !files.contains_key(path));
        let paths = files.keys().cloned().chain(gone.iter().cloned()).collect();
        self.put(&BTreeMap::from([(
            journal::PATH.to_owned(),
            journal::Journal {
                size: next.size,
                paths,
            }
            .render(),
        )]))?;
        self.put(&files)?;
        self.put(&BTreeMap::from([(
            CHECKPOINT.to_owned(),
            next.text().into_bytes(),
        )]))?;
        Ok(next)
    }

    /// An append by whoever holds the lock.
    fn append_locked(&self, leaves: &[Leaf]) -> anyhow::Result<Receipt> {
        let checkpoint = self.load()?;
        let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
        if let Some(format) = self.files.read(FORMAT)? {
            ensure!(
                format == format_text(&self.origin).as_bytes(),
                "`{FORMAT}` names another format or another owner than `{}`; use another folder",
                self.origin
            );
        }
        self.recover(size)?;
        let known = self.known(leaves, size)?;
        let numbering = Numbering::of(leaves, known, size);
        let sealed = match checkpoint {
            Some(checkpoint) if numbering.new.is_empty() => checkpoint,
            None if numbering.new.is_empty() => bail!("there is nothing to append"),
            checkpoint => {
                let sealed = self
                    .seal(checkpoint.as_ref(), &numbering.new)
                    .context("the ledger could not be extended")?;
                // The record is sealed: what is left now is tidying, which the next append repeats.
                let _tidied_later_if_this_fails = self.recover(sealed.size);
                sealed
            }
        };
        Ok(numbering.receipt(&sealed))
    }
}

impl Sealed for DirStore {
    fn size(&self) -> anyhow::Result<u64> {
        Ok(self.load()?.map_or(0, |checkpoint| checkpoint.size))
    }

    fn leaves(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        let size = self.load()?.map_or(0, |checkpoint| checkpoint.size);
        ensure!(range.end <= size, "the ledger holds {size} records");
        let mut leaves = Vec::new();
        for index in range.start / TILE_WIDTH..range.end.div_ceil(TILE_WIDTH) {
            let bundle = self.bundle(index, size)?;
            let numbered = (index * TILE_WIDTH..).zip(merkle::decode_entries(&bundle)?);
            leaves.extend(
                numbered
                    .filter(|(number, _)| range.contains(number))
                    .map(|(_, entry)| entry.to_vec()),
            );
        }
        ensure!(
            leaves.len() as u64 == range.end.saturating_sub(range.start),
            "a bundle of entries is too short"
        );
        Ok(leaves)
    }

    fn blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let path = blob_path(digest);
        self.files
            .read(&path)?
            .with_context(|| format!("its blob `{path}` is missing"))
    }
}

impl Store for DirStore {
    fn append_after(&mut self, make: Make<'_>) -> anyhow::Result<Receipt> {
        let _lock = self
            .files
            .lock(Lock::Exclusive)
            .context("the ledger cannot be locked")?;
        let leaves = make(self)?;
        self.append_locked(&leaves)
    }

    fn read(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        let _lock = self.files.lock(Lock::Shared);
        self.leaves(range)
    }

    fn read_blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let _lock = self.files.lock(Lock::Shared);
        self.blob(digest)
    }

    fn checkpoint(&self) -> anyhow::Result<Option<Checkpoint>> {
        self.load()
    }

    fn guarantees(&self) -> Guarantees {
        guarantees::FOLDER
    }
}

pub(crate) fn checkpoint_text(path: &Path) -> anyhow::Result<Option<String>> {
    let bytes = Folder::new(path)
        .read(CHECKPOINT)
        .context("the checkpoint cannot be read")?;
    bytes
        .map(|bytes| {
            String::from_utf8(bytes)
                .ok()
                .context("the checkpoint is no text")
        })
        .transpose()
}

/// The lines that `keys/allowed_signers` must hold: every key that signed, in order of first use.
pub(crate) fn signer_lines(files: &dyn Files, origin: &str, size: u64) -> anyhow::Result<String> {
    let mut sizes: Vec<u64> = files
        .list("anchors")?
        .iter()
        .filter_map(|path| anchor_size(path, "sig"))
        .collect();
    sizes.sort_unstable();
    let mut lines = String::new();
    for anchor in sizes.into_iter().filter(|anchor| *anchor <= size) {
        let note = files
            .read(&format!("anchors/{anchor}.note"))?
            .unwrap_or_default();
        let signature = files
            .read(&format!("anchors/{anchor}.sig"))?
            .unwrap_or_default();
        let line = sign::allowed_signer_line(origin, &sign::verify_file(&signature, &note)?)?;
        if !lines.contains(&line) {
            lines.push_str(&line);
        }
    }
    Ok(lines)
}

/// The size in `anchors/SIZE.KIND`, if that is what the path is.
pub(crate) fn anchor_size(path: &str, kind: &str) -> Option<u64> {
    let size: u64 = path
        .strip_prefix("anchors/")?
        .strip_suffix(kind)?
        .strip_suffix('.')?
        .parse()
        .ok()?;
    (path == format!("anchors/{size}.{kind}")).then_some(size)
}

pub(crate) fn format_text(origin: &str) -> String {
    format!("ccgate.ledger/v1\n{origin}\n")
}

fn edge_paths(tree: &Tree, size: u64) -> BTreeSet<String> {
    let mut paths: BTreeSet<String> = tree.edge().iter().map(merkle::Tile::path).collect();
    if !size.is_multiple_of(TILE_WIDTH) {
        paths.insert(merkle::bundle_path(size / TILE_WIDTH, size % TILE_WIDTH));
    }
    paths
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
