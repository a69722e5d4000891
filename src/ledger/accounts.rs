//! Whether the copies of the records and the files below `records/` are the same ones, each
//! once, without a list of either: both are summed up under keys that nobody can know
//! before. Only if the sums differ is it worth finding out by what.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use anyhow::Context as _;

use super::checkpoint::Checkpoint;
use super::files::Files;
use super::leaf::Leaf;
use super::merkle::{self, TILE_WIDTH};
use super::walk::Walk;

pub(super) const RECORDS: &str = "records";

/// Two keyed hashes of 64 bits: that other files come to the same sums by chance, or by
/// somebody's work who does not know the keys, takes 2^128 tries.
#[derive(Default)]
pub(super) struct Keys(RandomState, RandomState);

/// How many paths there were, and the sum of their hashes in any order.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    count: u64,
    hashes: [u64; 2],
}

impl Sum {
    pub(super) fn add(&mut self, keys: &Keys, path: &str) {
        self.count += 1;
        for (sum, key) in self.hashes.iter_mut().zip([&keys.0, &keys.1]) {
            *sum = sum.wrapping_add(key.hash_one(path));
        }
    }
}

impl Walk {
    /// Notes a file that the folder holds.
    pub(super) fn list(&mut self, path: &str, rest: &mut BTreeSet<String>) {
        let record = path
            .strip_prefix(RECORDS)
            .is_some_and(|rest| rest.starts_with('/'));
        if record {
            self.listed.add(&self.keys, path);
        } else {
            rest.insert(path.to_owned());
        }
    }

    /// After all entries: each has a copy of its own, and there is no other file. What is wrong
    /// otherwise is named; files that belong to nobody are given to `rest`.
    pub(super) fn compare(
        &mut self,
        files: &dyn Files,
        checkpoint: &Checkpoint,
        rest: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        if self.listed == self.sealed {
            return Ok(());
        }
        let mut copies: HashMap<String, u64> = HashMap::new();
        for index in 0..checkpoint.size.div_ceil(TILE_WIDTH) {
            let first = index * TILE_WIDTH;
            let path = merkle::bundle_path(index, (checkpoint.size - first).min(TILE_WIDTH));
            let bundle = files
                .read(&path)?
                .with_context(|| format!("`{path}` is gone"))?;
            for (number, entry) in (first..).zip(merkle::decode_entries(&bundle)?) {
                let leaf = Leaf::parse(entry)?;
                if let Some(earlier) = copies.insert(leaf.path, number) {
                    self.twice.push(format!(
                        "`{}` is sealed twice, as entries {earlier} and {number}",
                        leaf.id
                    ));
                }
            }
        }
        files
            .visit(RECORDS, None, &mut |path| {
                if !copies.contains_key(path) {
                    rest.insert(path.to_owned());
                }
            })
            .context("the folder cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(keys: &Keys, paths: &[&str]) -> Sum {
        let mut sum = Sum::default();
        for path in paths {
            sum.add(keys, path);
        }
        sum
    }

    #[test]
    fn sums_are_the_same_for_the_same_paths_in_any_order_and_for_no_others() {
        let keys = Keys::default();
        let whole = sum(&keys, &["a", "b", "c"]);
        assert_eq!(whole, sum(&keys, &["c", "a", "b"]));
        for other in [
            &["a", "b"][..],
            &["a", "b", "d"],
            &["a", "b", "b"],
            &["a", "b", "c", "c"],
            &["ab", "c", ""],
        ] {
            assert_ne!(whole, sum(&keys, other), "{other:?}");
        }
        // Nobody can reckon with the keys of another process.
        assert_ne!(whole, sum(&Keys::default(), &["a", "b", "c"]));
    }
}
