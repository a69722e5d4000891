//! The walk over the objects of the sequence that a verification makes: from them alone it reckons
//! every entry, tile and checkpoint that ever was the newest, and compares what lies there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::leaf::blob_path;
use super::super::merkle::{self, TILE_WIDTH, Tree};
use super::copy::{BATCH, Copy};
use super::note::Note;
use super::objects::{self, Objects};
use super::tip::{self, Step};
use super::view::{CHECKPOINTS, SEQUENCE};

/// What the names say, and what came of walking along them.
#[derive(Default)]
pub(super) struct Sequence {
    /// First numbers of the objects of the sequence, in order.
    numbers: Vec<u64>,
    /// Sizes that a checkpoint names.
    sizes: BTreeSet<u64>,
    tree: Tree,
    /// The entries of the last bundle, as long as it is not full.
    bundle: Vec<u8>,
    /// The newest checkpoint.
    pub(super) newest: Option<Checkpoint>,
    /// Blobs that the entries refer to.
    pub(super) blobs: BTreeSet<String>,
}

impl Sequence {
    pub(super) fn new(names: &BTreeSet<String>) -> Self {
        let of = |kind| {
            names
                .iter()
                .filter_map(move |path| objects::number_of(kind, path))
        };
        Self {
            numbers: of(SEQUENCE).collect(),
            sizes: of(CHECKPOINTS).collect(),
            ..Self::default()
        }
    }

    /// Takes out of `rest` what it accounts for, and writes what only a folder has.
    pub(super) fn walk(
        &mut self,
        objects: &dyn Objects,
        rest: &mut BTreeSet<String>,
        copy: &mut Copy,
    ) -> anyhow::Result<()> {
        rest.retain(|path| {
            objects::number_of(SEQUENCE, path).is_none()
                && objects::number_of(CHECKPOINTS, path).is_none()
        });
        let newest = self.sizes.last().copied();
        if let Some(size) = newest {
            let bytes = objects.read(&objects::numbered(CHECKPOINTS, size))?;
            self.newest = Some(tip::note(bytes, size)?.checkpoint);
        }
        let end = newest.unwrap_or(0);
        let numbers = std::mem::take(&mut self.numbers);
        let sealed = numbers.partition_point(|number| *number < end);
        let (sealed, beyond) = numbers.split_at(sealed);
        for batch in sealed.chunks(BATCH) {
            self.batch(objects, batch, rest, copy)?;
        }
        ensure!(
            self.tree.size() == end,
            "the entries from {} on are missing (`{}`)",
            self.tree.size(),
            objects::numbered(SEQUENCE, self.tree.size())
        );
        let width = end % TILE_WIDTH;
        if width > 0 {
            copy.write(&merkle::bundle_path(end / TILE_WIDTH, width), &self.bundle);
        }
        for size in &self.sizes {
            copy.problem(format!(
                "`{}` is of a size at which no append ended",
                objects::numbered(CHECKPOINTS, *size)
            ));
        }
        match beyond {
            [] => Ok(()),
            [one] if *one == end => self.interrupted(objects, rest, copy),
            [first, ..] => anyhow::bail!(
                "`{}` and what follows it lie beyond the newest checkpoint: checkpoints were taken away",
                objects::numbered(SEQUENCE, *first)
            ),
        }
    }

    /// Some objects with all that follows from each.
    fn batch(
        &mut self,
        objects: &dyn Objects,
        batch: &[u64],
        rest: &mut BTreeSet<String>,
        copy: &mut Copy,
    ) -> anyhow::Result<()> {
        let paths: Vec<String> = batch
            .iter()
            .map(|number| objects::numbered(SEQUENCE, *number))
            .collect();
        let mut steps = Vec::new();
        for ((number, path), bytes) in batch.iter().zip(&paths).zip(objects.read_all(&paths)?) {
            ensure!(
                *number == self.tree.size(),
                "the entries from {} on are missing, or `{path}` overlaps with them",
                self.tree.size()
            );
            let bytes = bytes.with_context(|| format!("`{path}` is missing"))?;
            let step = Step::of(&self.tree, &bytes).with_context(|| format!("`{path}`"))?;
            for leaf in &step.leaves {
                merkle::encode_entry(&mut self.bundle, &leaf.bytes)?;
                self.tree.push(merkle::leaf_hash(&leaf.bytes));
                if self.tree.size().is_multiple_of(TILE_WIDTH) {
                    self.bundle.clear();
                }
                if let Some(reference) = leaf.blob_reference() {
                    self.blobs.insert(blob_path(&reference?.0));
                }
            }
            steps.push(step);
        }
        self.checkpoints(objects, &steps, copy)?;
        self.superseded(objects, &steps, rest, copy)
    }

    /// Each of them was sealed by a checkpoint of its own, which is of this very beginning.
    fn checkpoints(
        &mut self,
        objects: &dyn Objects,
        steps: &[Step],
        copy: &mut Copy,
    ) -> anyhow::Result<()> {
        let sizes: Vec<u64> = steps.iter().map(|step| step.after().size()).collect();
        let paths: Vec<String> = sizes
            .iter()
            .map(|size| objects::numbered(CHECKPOINTS, *size))
            .collect();
        let origin = self.newest.as_ref().map(|newest| newest.origin.clone());
        for ((step, path), bytes) in steps.iter().zip(&paths).zip(objects.read_all(&paths)?) {
            let size = step.after().size();
            self.sizes.remove(&size);
            let note = match tip::note(bytes, size) {
                Ok(note) => note,
                Err(error) => {
                    copy.problem(format!("{error:#}"));
                    continue;
                }
            };
            let Note {
                checkpoint,
                signature,
            } = note;
            if checkpoint.root != step.after().root() {
                copy.problem(format!(
                    "the first {size} records are not those that `{path}` sealed: the history was rewritten"
                ));
            }
            if Some(&checkpoint.origin) != origin.as_ref() {
                copy.problem(format!("`{path}` belongs to `{}`", checkpoint.origin));
            }
            if let Some(signature) = signature {
                copy.write(
                    &format!("anchors/{size}.note"),
                    checkpoint.text().as_bytes(),
                );
                copy.write(&format!("anchors/{size}.sig"), signature.as_bytes());
            }
        }
        Ok(())
    }

    /// Tiles that were the right edge once are compared here; the folder's verification knows the last ones only.
    fn superseded(
        &self,
        objects: &dyn Objects,
        steps: &[Step],
        rest: &mut BTreeSet<String>,
        copy: &mut Copy,
    ) -> anyhow::Result<()> {
        let end = self.newest.as_ref().map_or(0, |newest| newest.size);
        let last: BTreeSet<String> = merkle::expected_tiles(end)
            .filter(|path| path.contains(".p/"))
            .collect();
        let old: BTreeMap<String, &Vec<u8>> = steps
            .iter()
            .flat_map(|step| &step.tiles)
            .filter(|(path, _)| path.contains(".p/") && !last.contains(*path))
            .map(|(path, bytes)| (path.clone(), bytes))
            .collect();
        let paths: Vec<String> = old.keys().cloned().collect();
        for chunk in paths.chunks(BATCH) {
            for (path, found) in chunk.iter().zip(objects.read_all(chunk)?) {
                rest.remove(path);
                if found.as_ref() != old.get(path).copied() {
                    copy.problem(format!(
                        "`{path}` is missing or does not fit the entries of its time"
                    ));
                }
            }
        }
        Ok(())
    }

    /// What an append that was stopped left: nothing of it counts, and nothing of it may be wrong.
    fn interrupted(
        &self,
        objects: &dyn Objects,
        rest: &mut BTreeSet<String>,
        copy: &mut Copy,
    ) -> anyhow::Result<()> {
        let path = objects::numbered(SEQUENCE, self.tree.size());
        let bytes = objects.read(&path)?;
        let bytes = bytes.with_context(|| format!("`{path}` is missing"))?;
        let step = Step::of(&self.tree, &bytes).with_context(|| format!("`{path}`"))?;
        let derived = step.derived(|_| Ok(self.bundle.clone()))?;
        for (derived, bytes) in derived {
            if rest.contains(&derived) {
                match objects::holds(objects, &derived, &bytes) {
                    Ok(_) => rest.remove(&derived),
                    Err(error) => {
                        copy.problem(format!("{error:#}"));
                        false
                    }
                };
            }
        }
        copy.note(format!(
            "an append was interrupted after `{path}`, or is under way; the next one finishes it"
        ));
        Ok(())
    }
}
