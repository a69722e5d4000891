//! The journal of an append in flight: the size it is going to reach, the files it is about
//! to write, and those it has yet to remove. While it lies there, these files may be left
//! over; nothing else ever may.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};

pub(crate) const PATH: &str = "journal";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) size: u64,
    pub(crate) paths: BTreeSet<String>,
}

impl Journal {
    /// The size, then one path a line.
    pub(crate) fn render(&self) -> Vec<u8> {
        let mut text = format!("{}\n", self.size);
        for path in &self.paths {
            text.push_str(path);
            text.push('\n');
        }
        text.into_bytes()
    }
}

/// A journal is read from disk before files are removed: it may only name files that an
/// append itself could have written.
pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<Journal> {
    let text = std::str::from_utf8(bytes)
        .ok()
        .context("the journal is no text")?;
    let mut lines = text.lines();
    let size = lines
        .next()
        .and_then(|size| size.parse().ok())
        .context("the journal names no size")?;
    let mut paths = BTreeSet::new();
    for line in lines {
        let plain = line
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "/._-".contains(character));
        let clean = line
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
        let ours = ["log/tile/", "records/", "blobs/", "anchors/"]
            .iter()
            .any(|folder| line.starts_with(folder));
        let ours = ours || line == "keys/allowed_signers" || line == "FORMAT";
        ensure!(
            plain && clean && ours,
            "the journal names a file that no append writes"
        );
        paths.insert(line.to_owned());
    }
    let journal = Journal { size, paths };
    ensure!(
        journal.render() == bytes,
        "the journal is not in its canonical form"
    );
    Ok(journal)
}
