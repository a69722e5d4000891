//! Which leaves of an append are new, and which number each one has: the same in every store.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::Receipt;
use super::checkpoint::Checkpoint;
use super::leaf::Leaf;

/// Leaves in the order they were handed in, numbered.
pub(super) struct Numbering<'a> {
    leaves: &'a [Leaf],
    /// Those to be sealed, each once.
    pub(super) new: Vec<&'a Leaf>,
    indexes: Vec<u64>,
    duplicates: Vec<String>,
}

impl<'a> Numbering<'a> {
    /// `known` has the numbers of leaves that are among the first `size` records already.
    pub(super) fn of(leaves: &'a [Leaf], known: Vec<Option<u64>>, size: u64) -> Self {
        let mut new: Vec<&Leaf> = Vec::new();
        let mut indexes = Vec::new();
        let mut duplicates = Vec::new();
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for (leaf, known) in leaves.iter().zip(known) {
            if let Some(index) = known.or_else(|| numbers.get(leaf.id.as_str()).copied()) {
                duplicates.push(leaf.id.clone());
                indexes.push(index);
            } else {
                let index = size + new.len() as u64;
                numbers.insert(&leaf.id, index);
                indexes.push(index);
                new.push(leaf);
            }
        }
        Self {
            leaves,
            new,
            indexes,
            duplicates,
        }
    }

    /// The proof, once they are under this checkpoint.
    pub(super) fn receipt(self, sealed: &Checkpoint) -> Receipt {
        Receipt {
            indexes: self.indexes,
            size: sealed.size,
            root: hex::encode(sealed.root),
            leaf_digests: self
                .leaves
                .iter()
                .map(|leaf| hex::encode(Sha256::digest(&leaf.bytes)))
                .collect(),
            duplicates: self.duplicates,
        }
    }
}
