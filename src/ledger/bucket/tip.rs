//! The end of the log: the newest checkpoint with the tree's right edge, and the step from
//! one to the next. What a step creates follows from the records alone, so that whoever comes can finish it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::leaf::Leaf;
use super::super::merkle::{self, Hash, TILE_WIDTH, Tree};
use super::note::Note;
use super::objects::{self, Created, Objects};
use super::view::{BucketFiles, CHECKPOINTS, SEQUENCE, entries};

#[derive(Clone, Default)]
pub(super) struct Tip {
    /// `None`: nothing is recorded yet.
    pub(super) note: Option<Note>,
    tree: Tree,
}

/// An object of the sequence, and where the log stands with it.
pub(super) struct Step {
    before: Tree,
    after: Tree,
    pub(super) leaves: Vec<Leaf>,
    /// Tiles that it filled, and those of the new right edge.
    pub(super) tiles: BTreeMap<String, Vec<u8>>,
}

/// The newest checkpoint.
///
/// # Errors
/// If records lie beyond it: each one was sealed on a checkpoint that was there.
pub(super) fn newest(objects: &dyn Objects) -> anyhow::Result<Option<u64>> {
    let [sealed, mut newest] = objects::newest(objects, [SEQUENCE, CHECKPOINTS])?;
    let Some(sealed) = sealed.filter(|sealed| *sealed > 0) else {
        return Ok(newest);
    };
    if newest.is_none_or(|newest| newest < sealed) {
        // Listed a moment before the other one, perhaps.
        [newest] = objects::newest(objects, [CHECKPOINTS])?;
    }
    ensure!(
        newest.is_some_and(|newest| newest >= sealed),
        "`{}` was sealed on a checkpoint that is not there any more; somebody took checkpoints away, so nothing is built on it; run `ccgate ledger verify`",
        objects::numbered(SEQUENCE, sealed)
    );
    Ok(newest)
}

/// The checkpoint of this size.
pub(super) fn note(bytes: Option<Vec<u8>>, size: u64) -> anyhow::Result<Note> {
    let path = objects::numbered(CHECKPOINTS, size);
    let bytes = bytes.with_context(|| format!("`{path}` is missing"))?;
    let note = Note::parse(&bytes).with_context(|| format!("`{path}`"))?;
    ensure!(
        note.checkpoint.size == size && size > 0,
        "`{path}` is about another size"
    );
    Ok(note)
}

impl Tip {
    /// The end of the log as it is now. Its right edge is checked: nothing is built on a damaged log.
    pub(super) fn read(objects: &dyn Objects) -> anyhow::Result<Self> {
        let Some(size) = newest(objects)? else {
            return Ok(Self::default());
        };
        let mut paths = vec![objects::numbered(CHECKPOINTS, size)];
        paths.extend(edge_paths(size));
        let mut found = objects.read_all(&paths)?.into_iter();
        let note = note(found.next().flatten(), size)?;
        let tiles: BTreeMap<String, Vec<u8>> = paths
            .into_iter()
            .skip(1)
            .zip(found)
            .filter_map(|(path, bytes)| Some((path, bytes?)))
            .collect();
        let tree = Tree::load(size, |path| {
            let tile = tiles.get(path).cloned();
            tile.with_context(|| format!("`{path}` is missing"))
        })?;
        ensure!(
            tree.root() == note.checkpoint.root,
            "the tiles do not give the checkpoint's root; run `ccgate ledger verify`"
        );
        Ok(Self {
            note: Some(note),
            tree,
        })
    }

    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The object of the sequence that comes next.
    pub(super) fn next_path(&self) -> String {
        objects::numbered(SEQUENCE, self.size())
    }

    pub(super) fn files(&self, objects: &Arc<dyn Objects>) -> BucketFiles {
        BucketFiles::new(Arc::clone(objects), self.note.clone())
    }

    /// What the next object of the sequence makes of it.
    pub(super) fn step(&self, sealed: &[u8]) -> anyhow::Result<Step> {
        Step::of(&self.tree, sealed).with_context(|| format!("`{}`", self.next_path()))
    }
}

impl Step {
    pub(super) fn of(before: &Tree, sealed: &[u8]) -> anyhow::Result<Self> {
        let mut after = before.clone();
        let mut leaves = Vec::new();
        let mut tiles = BTreeMap::new();
        for entry in merkle::decode_entries(sealed)? {
            leaves.push(Leaf::parse(entry)?);
            let filled = after.push(merkle::leaf_hash(entry));
            tiles.extend(filled.iter().map(|tile| (tile.path(), tile.bytes())));
        }
        ensure!(!leaves.is_empty(), "it holds no records");
        ensure!(
            after.size() <= objects::MOST_RECORDS,
            "the ledger is full; begin another one"
        );
        // A tile of the right edge that did not change is there.
        let old: BTreeSet<String> = before.edge().iter().map(merkle::Tile::path).collect();
        tiles.extend(
            after
                .edge()
                .iter()
                .filter(|tile| !old.contains(&tile.path()))
                .map(|tile| (tile.path(), tile.bytes())),
        );
        Ok(Self {
            before: before.clone(),
            after,
            leaves,
            tiles,
        })
    }

    pub(super) fn after(&self) -> &Tree {
        &self.after
    }

    /// Everything that follows from it but the checkpoint: tiles, bundles that are full now, and
    /// copies of the records. `entries` gives those before it, as in a bundle.
    pub(super) fn derived(
        &self,
        entries: impl FnOnce(std::ops::Range<u64>) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let mut derived = self.tiles.clone();
        for leaf in &self.leaves {
            derived.insert(leaf.path.clone(), leaf.bytes.clone());
        }
        let size = self.before.size();
        let mut index = size / TILE_WIDTH;
        if index == self.after.size() / TILE_WIDTH {
            return Ok(derived);
        }
        let mut bundle = entries(index * TILE_WIDTH..size)?;
        self.check(&bundle)?;
        for (number, leaf) in (size..).zip(&self.leaves) {
            merkle::encode_entry(&mut bundle, &leaf.bytes)?;
            if (number + 1).is_multiple_of(TILE_WIDTH) {
                derived.insert(
                    merkle::bundle_path(index, TILE_WIDTH),
                    std::mem::take(&mut bundle),
                );
                index += 1;
            }
        }
        Ok(derived)
    }

    /// Entries that were read again are those in the tree.
    fn check(&self, bundle: &[u8]) -> anyhow::Result<()> {
        let hashes: Vec<Hash> = merkle::decode_entries(bundle)?
            .into_iter()
            .map(merkle::leaf_hash)
            .collect();
        let edge = self.before.edge();
        let tile = edge.iter().find(|tile| tile.level == 0);
        ensure!(
            tile.map_or(&[][..], |tile| &tile.hashes) == hashes,
            "the objects of the sequence do not fit the tiles; run `ccgate ledger verify`"
        );
        Ok(())
    }

    /// Sees to it that it is finished, by us or by somebody else, and gives the log's new end.
    pub(super) fn finish(
        self,
        objects: &dyn Objects,
        origin: &str,
        signer: Option<&super::super::sign::Signer>,
    ) -> anyhow::Result<Tip> {
        let derived = self.derived(|range| entries(objects, range))?;
        objects::put(objects, derived.into_iter().collect())?;
        let ours = Note::sign(self.checkpoint(origin), signer)?;
        let path = objects::numbered(CHECKPOINTS, self.after.size());
        for _ in 0..3 {
            let made = objects.create(&path, &ours.bytes());
            if matches!(made, Ok(Created::Now)) {
                return Ok(Tip {
                    note: Some(ours),
                    tree: self.after,
                });
            }
            // Where the answer was lost it may be there; somebody else's of these records is as good.
            if let Some(tip) = self.finished(objects, origin)? {
                return Ok(tip);
            }
            made?;
        }
        anyhow::bail!(
            "the checkpoint `{path}` could not be created, although the server does not refuse it; run it again, which is safe"
        )
    }

    /// The log's new end, if somebody finished it.
    pub(super) fn finished(
        &self,
        objects: &dyn Objects,
        origin: &str,
    ) -> anyhow::Result<Option<Tip>> {
        let path = objects::numbered(CHECKPOINTS, self.after.size());
        let Some(bytes) = objects.read(&path)? else {
            return Ok(None);
        };
        let note = note(Some(bytes), self.after.size())?;
        let ours = self.checkpoint(origin);
        ensure!(
            note.checkpoint.body() == ours.body(),
            "`{path}` is not the checkpoint of these records; somebody put it there, so nothing is built on it; run `ccgate ledger verify`"
        );
        Ok(Some(Tip {
            note: Some(note),
            tree: self.after.clone(),
        }))
    }

    fn checkpoint(&self, origin: &str) -> Checkpoint {
        Checkpoint {
            origin: origin.to_owned(),
            size: self.after.size(),
            root: self.after.root(),
            signatures: Vec::new(),
        }
    }
}

/// The partial tiles of a log of this size.
fn edge_paths(size: u64) -> Vec<String> {
    let mut paths = Vec::new();
    let mut count = size;
    let mut level = 0_u32;
    while count > 0 {
        let width = count % TILE_WIDTH;
        if width > 0 {
            paths.push(merkle::tile_path(
                &level.to_string(),
                count / TILE_WIDTH,
                width,
            ));
        }
        count /= TILE_WIDTH;
        level += 1;
    }
    paths
}
