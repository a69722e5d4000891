//! The Merkle tree of RFC 6962 as tiles of 256 hashes (C2SP tlog-tiles): hashes,
//! roots, tile names. It knows bytes and numbers, neither files nor records.

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

pub(crate) type Hash = [u8; 32];

/// Hashes in a full tile, and entries in a full bundle.
pub(crate) const TILE_WIDTH: u64 = 256;

pub(crate) fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(leaf);
    hasher.finalize().into()
}

pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of the tree without leaves: the hash of nothing.
pub(crate) fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tile that is complete for the size at hand: level, index, width, bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) level: usize,
    pub(crate) index: u64,
    pub(crate) hashes: Vec<Hash>,
}

impl Tile {
    pub(crate) fn path(&self) -> String {
        tile_path(
            &self.level.to_string(),
            self.index,
            self.hashes.len() as u64,
        )
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }
}

/// The right edge of a growing tree: fewer than 256 hashes at each level. This is all
/// that an append or a verification must hold in memory, whatever the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Restores the right edge from the partial tiles that `read` finds.
    pub(crate) fn load(
        size: u64,
        read: impl Fn(&str) -> anyhow::Result<Vec<u8>>,
    ) -> anyhow::Result<Self> {
        let mut levels = Vec::new();
        let mut count = size;
        while count > 0 {
            let width = count % TILE_WIDTH;
            let mut hashes = Vec::new();
            if width > 0 {
                let path = tile_path(&levels.len().to_string(), count / TILE_WIDTH, width);
                let bytes = read(&path)?;
                let (chunks, rest) = bytes.as_chunks::<32>();
                if !rest.is_empty() || chunks.len() as u64 != width {
                    bail!(
                        "`{path}` has {} bytes where {} belong",
                        bytes.len(),
                        width * 32
                    );
                }
                hashes = chunks.to_vec();
            }
            levels.push(hashes);
            count /= TILE_WIDTH;
        }
        Ok(Self { size, levels })
    }

    /// Adds a leaf and returns the tiles which it filled.
    pub(crate) fn push(&mut self, leaf: Hash) -> Vec<Tile> {
        let mut filled = Vec::new();
        let mut hash = leaf;
        let mut count = self.size;
        self.size += 1;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(level) else {
                break;
            };
            hashes.push(hash);
            if (hashes.len() as u64) < TILE_WIDTH {
                break;
            }
            let tile = Tile {
                level,
                index: count / TILE_WIDTH,
                hashes: std::mem::take(hashes),
            };
            hash = fold(peaks(&tile.hashes));
            count /= TILE_WIDTH;
            filled.push(tile);
        }
        filled
    }

    /// The partial tiles of the right edge.
    pub(crate) fn edge(&self) -> Vec<Tile> {
        let mut count = self.size;
        let mut tiles = Vec::new();
        for (level, hashes) in self.levels.iter().enumerate() {
            if !hashes.is_empty() {
                tiles.push(Tile {
                    level,
                    index: count / TILE_WIDTH,
                    hashes: hashes.clone(),
                });
            }
            count /= TILE_WIDTH;
        }
        tiles
    }

    pub(crate) fn root(&self) -> Hash {
        if self.size == 0 {
            return empty_root();
        }
        fold(
            self.levels
                .iter()
                .rev()
                .flat_map(|hashes| peaks(hashes))
                .collect(),
        )
    }
}

/// `tile/LEVEL/INDEX[.p/WIDTH]` below `log/`; the level of entry bundles is `entries`.
pub(crate) fn tile_path(level: &str, index: u64, width: u64) -> String {
    let mut path = format!("log/tile/{level}");
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    for group in groups.iter().rev() {
        path.push('/');
        path.push_str(group);
    }
    if width < TILE_WIDTH {
        path.push_str(&format!(".p/{width}"));
    }
    path
}

pub(crate) fn bundle_path(index: u64, width: u64) -> String {
    tile_path("entries", index, width)
}

/// The names of all tiles and bundles of a log of this size, each exactly once.
pub(crate) fn expected_tiles(size: u64) -> impl Iterator<Item = String> {
    let mut levels = vec![("entries".to_owned(), size)];
    let mut count = size;
    let mut level = 0_u32;
    while count > 0 {
        levels.push((level.to_string(), count));
        count /= TILE_WIDTH;
        level += 1;
    }
    levels.into_iter().flat_map(|(level, count)| {
        let full = count / TILE_WIDTH;
        let partial = count % TILE_WIDTH;
        let last = (partial > 0).then(|| tile_path(&level, full, partial));
        (0..full)
            .map(move |index| tile_path(&level, index, TILE_WIDTH))
            .chain(last)
    })
}

/// Entries with their length in two bytes, big-endian, before each.
pub(crate) fn encode_entry(bundle: &mut Vec<u8>, leaf: &[u8]) -> anyhow::Result<()> {
    let length = u16::try_from(leaf.len()).context("a leaf is longer than 65535 bytes")?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

pub(crate) fn decode_entries(bundle: &[u8]) -> anyhow::Result<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let (length, after) = rest
            .split_first_chunk::<2>()
            .context("a length is cut off")?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after
            .split_at_checked(length)
            .context("an entry is cut off")?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// The roots of the perfect subtrees under a row of hashes, largest first.
fn peaks(hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    let mut rest = hashes;
    while !rest.is_empty() {
        let (perfect, after) = rest.split_at(1 << rest.len().ilog2());
        let mut row = perfect.to_vec();
        while row.len() > 1 {
            row = row
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[left, right]| node_hash(left, right))
                .collect();
        }
        peaks.extend(row);
        rest = after;
    }
    peaks
}

fn fold(peaks: Vec<Hash>) -> Hash {
    peaks
        .into_iter()
        .rev()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(empty_root)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 as it is written: split at the largest power of two below the size.
    fn root_by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let split = 1 << (leaves.len() - 1).ilog2();
                node_hash(
                    &root_by_definition(&leaves[..split]),
                    &root_by_definition(&leaves[split..]),
                )
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_published_test_vectors() {
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert_eq!(
            hex::encode(tree.root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (input, root) in inputs.iter().zip(roots) {
            tree.push(leaf_hash(&hex::decode(input).unwrap()));
            assert_eq!(hex::encode(tree.root()), root);
        }
    }

    #[test]
    fn the_root_from_tiles_is_the_root_of_the_definition_at_every_size() {
        let leaves: Vec<Vec<u8>> = (0..600_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut tree = Tree::default();
        for (index, leaf) in leaves.iter().enumerate() {
            tree.push(leaf_hash(leaf));
            if index < 20 || index % 37 == 0 || (250..260).contains(&index) || index > 590 {
                assert_eq!(tree.root(), root_by_definition(&leaves[..=index]));
            }
        }
    }

    #[test]
    fn the_right_edge_comes_back_from_its_tiles_at_every_size() {
        let mut tree = Tree::default();
        let mut files = std::collections::BTreeMap::new();
        for n in 0..66_000_u32 {
            for tile in tree.push(leaf_hash(&n.to_be_bytes())) {
                files.insert(tile.path(), tile.bytes());
            }
            if n % 1021 == 0 || n > 65_530 && n < 65_540 {
                let edge: std::collections::BTreeMap<_, _> =
                    tree.edge().iter().map(|t| (t.path(), t.bytes())).collect();
                let expected: std::collections::BTreeSet<_> = expected_tiles(tree.size())
                    .filter(|p| !p.contains("/entries/"))
                    .collect();
                assert_eq!(
                    files
                        .keys()
                        .chain(edge.keys())
                        .cloned()
                        .collect::<std::collections::BTreeSet<_>>(),
                    expected
                );
                let loaded = Tree::load(tree.size(), |path| {
                    edge.get(path).cloned().context("no such tile")
                })
                .unwrap();
                assert_eq!(loaded.root(), tree.root());
            }
        }
    }

    #[test]
    fn tile_names_follow_the_specification() {
        assert_eq!(tile_path("0", 5, 256), "log/tile/0/005");
        assert_eq!(tile_path("0", 1_234_067, 8), "log/tile/0/x001/x234/067.p/8");
        assert_eq!(bundle_path(1000, 256), "log/tile/entries/x001/000");
    }
}
