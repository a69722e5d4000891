//! Checkpoints that once stood somewhere: each has to be one of a beginning of the log that is
//! there now. A ledger whose past was written anew has others.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::files::Files;
use super::super::merkle::{self, Hash, TILE_WIDTH, Tree};

/// What a checkpoint of each size claimed, and who sealed it, e.g. `commit 1f3a…`.
pub(in super::super) type Claims = BTreeMap<u64, (String, Checkpoint)>;

/// Every claim is about a beginning of the log in `files`; adds what is not to `problems`.
///
/// # Errors
/// If tiles are missing.
pub(in super::super) fn check(
    files: &dyn Files,
    claims: &Claims,
    problems: &mut Vec<String>,
) -> anyhow::Result<()> {
    let Some(size) = claims.keys().next_back() else {
        return Ok(());
    };
    let mut roots = Roots::of(files, *size);
    for (sealed_by, claim) in claims.values() {
        problems.extend(roots.problem(claim, sealed_by)?);
    }
    Ok(())
}

/// The roots of all beginnings of a log, the shortest first. Holds one tile at a time.
pub(in super::super) struct Roots<'a> {
    files: &'a dyn Files,
    size: u64,
    tree: Tree,
    tile: Vec<u8>,
}

impl<'a> Roots<'a> {
    /// Those of the log of this size in `files`.
    pub(in super::super) fn of(files: &'a dyn Files, size: u64) -> Self {
        Self {
            files,
            size,
            tree: Tree::default(),
            tile: Vec::new(),
        }
    }

    /// What is wrong with a claim about a beginning, if anything; no claim may be about fewer
    /// records than the one before it.
    ///
    /// # Errors
    /// If tiles are missing.
    pub(in super::super) fn problem(
        &mut self,
        claim: &Checkpoint,
        sealed_by: &str,
    ) -> anyhow::Result<Option<String>> {
        let root = self.at(claim.size)?;
        Ok((root != claim.root).then(|| {
            format!(
                "the first {} records are not those that {sealed_by} sealed: the history was rewritten",
                claim.size
            )
        }))
    }

    fn at(&mut self, size: u64) -> anyhow::Result<Hash> {
        ensure!(
            (self.tree.size()..=self.size).contains(&size),
            "a checkpoint of {size} records is beside a log of {}",
            self.size
        );
        while self.tree.size() < size {
            let (index, place) = (
                self.tree.size() / TILE_WIDTH,
                usize::try_from(self.tree.size() % TILE_WIDTH)?,
            );
            let path =
                merkle::tile_path("0", index, (self.size - index * TILE_WIDTH).min(TILE_WIDTH));
            if place == 0 {
                self.tile = self
                    .files
                    .read(&path)?
                    .with_context(|| format!("`{path}` is missing"))?;
            }
            let hash = self.tile.as_chunks::<32>().0.get(place);
            self.tree
                .push(*hash.with_context(|| format!("`{path}` is too short"))?);
        }
        Ok(self.tree.root())
    }
}
