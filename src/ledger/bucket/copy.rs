//! A bucket copied into a folder of its own and verified there: the files like those of any ledger,
//! and beyond that the sequence, every checkpoint that was ever created, and that nothing else lies there.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use super::super::dir::{self, CHECKPOINT, FORMAT, SIGNERS, anchor_size};
use super::super::export::{Export, export_files};
use super::super::files::Folder;
use super::super::keep::BUNDLE;
use super::super::verify::{Verification, VerifyOptions, verify_files};
use super::objects::{self, Listing, Objects};
use super::place::BucketPlace;
use super::remote::Remote;
use super::sequence::Sequence;
use super::view::{CHECKPOINTS, SEQUENCE};

/// Problems that are told; a wrong bucket has thousands.
const MOST_PROBLEMS: usize = 100;
/// Objects that are held in memory at once.
pub(super) const BATCH: usize = 64;
/// Listings of a ledger that grows meanwhile.
const MOST_LISTINGS: usize = 8;

/// Verifies a ledger in a bucket.
///
/// # Errors
/// If the bucket cannot be read. Whatever lies there, the answer is a verification.
pub(in super::super) fn verify(
    place: &BucketPlace,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Verification> {
    let objects = Remote::new(place)?;
    Ok(Copy::of(&objects)?.verification(&place.to_string(), options))
}

/// Copies a ledger in a bucket out into a new folder, as it is under its newest checkpoint.
///
/// # Errors
/// As for a ledger in a folder, and if the bucket cannot be read or its sequence does not hold.
pub(in super::super) fn export(
    place: &BucketPlace,
    pack: &Path,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Export> {
    let objects = Remote::new(place)?;
    Copy::of(&objects)?.export(&place.to_string(), pack, options)
}

/// The layout of a folder, in a folder that goes away with this.
pub(super) struct Copy {
    home: tempfile::TempDir,
    problems: Vec<String>,
    notes: Vec<String>,
}

impl Copy {
    pub(super) fn of(objects: &dyn Objects) -> anyhow::Result<Self> {
        let mut copy = Self {
            home: tempfile::tempdir().context("no temporary folder can be made")?,
            problems: Vec::new(),
            notes: Vec::new(),
        };
        let mut rest = listed(objects)?;
        rest.retain(|path| {
            let belongs = belongs(path);
            if !belongs {
                copy.problem(format!(
                    "`{}` does not belong into a ledger's bucket",
                    path.escape_debug()
                ));
            }
            belongs
        });
        let mut sequence = Sequence::new(&rest);
        if let Err(error) = sequence.walk(objects, &mut rest, &mut copy) {
            copy.problem(format!("{error:#}"));
        }
        copy.blobs(objects, &sequence, &mut rest)?;
        copy.plain(objects, rest)?;
        if let Some(newest) = &sequence.newest {
            copy.write(CHECKPOINT, newest.text().as_bytes());
            match dir::signer_lines(&Folder::new(copy.home.path()), &newest.origin, newest.size) {
                Ok(lines) if lines.is_empty() => {}
                Ok(lines) => copy.write(SIGNERS, lines.as_bytes()),
                Err(error) => copy.problem(format!("{error:#}")),
            }
        }
        Ok(copy)
    }

    pub(super) fn verification(&self, name: &str, options: &VerifyOptions<'_>) -> Verification {
        let found = verify_files(&Folder::new(self.home.path()), options);
        self.judged(name, found)
    }

    pub(super) fn export(
        &self,
        name: &str,
        pack: &Path,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<Export> {
        let verification = self.verification(name, options);
        export_files(&Folder::new(self.home.path()), verification, pack, options)
    }

    /// What was found in the folder, with what was found on the way into it.
    fn judged(&self, name: &str, mut found: Verification) -> Verification {
        found.notes.extend(self.notes.iter().cloned());
        let sound = format!(
            "{name}: the sequence gives every entry, and every checkpoint is of a beginning of it"
        );
        found.with(self.problems.clone(), sound)
    }

    pub(super) fn problem(&mut self, problem: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < MOST_PROBLEMS {
            self.notes.push(note);
        }
    }

    /// Two names that cannot be files beside each other are a problem of the bucket, not of ours.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) {
        let place = self.home.path().join(path);
        let folder = place.parent().unwrap_or(self.home.path());
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&place, bytes));
        if let Err(error) = written {
            self.problem(format!("`{path}` cannot be copied out: {error}"));
        }
    }

    /// Blobs that records refer to are copied. Others were left by writers that lost, or were stopped.
    fn blobs(
        &mut self,
        objects: &dyn Objects,
        sequence: &Sequence,
        rest: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let left: Vec<String> = rest
            .iter()
            .filter(|path| path.starts_with("blobs/") && !sequence.blobs.contains(*path))
            .cloned()
            .collect();
        for path in left {
            rest.remove(&path);
            let bytes = objects.read(&path)?.unwrap_or_default();
            if path == format!("blobs/{}", hex::encode(Sha256::digest(&bytes))) {
                self.note(format!(
                    "`{path}` is left from an append that was not made and counts for nothing"
                ));
            } else {
                self.problem(format!("`{path}` belongs to no record"));
            }
        }
        Ok(())
    }

    /// Copies everything that is the same in a bucket and in a folder.
    fn plain(&mut self, objects: &dyn Objects, rest: BTreeSet<String>) -> anyhow::Result<()> {
        let paths: Vec<String> = rest.into_iter().collect();
        for batch in paths.chunks(BATCH) {
            for (path, bytes) in batch.iter().zip(objects.read_all(batch)?) {
                match bytes {
                    Some(bytes) => self.write(path, &bytes),
                    None => self.problem(format!("`{path}` was taken away while it was read")),
                }
            }
        }
        Ok(())
    }
}

/// All names, at a moment at which no append was finished while they were listed.
fn listed(objects: &dyn Objects) -> anyhow::Result<BTreeSet<String>> {
    let newest = || objects::newest(objects, [CHECKPOINTS]);
    let mut before = newest()?;
    for _ in 0..MOST_LISTINGS {
        let names = names(objects)?;
        let after = newest()?;
        if before == after {
            return Ok(names);
        }
        before = after;
    }
    bail!("the ledger grows faster than it can be listed; try again when fewer append to it")
}

fn names(objects: &dyn Objects) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut folders = vec![String::new()];
    while !folders.is_empty() {
        let mut below = Vec::new();
        for batch in folders.chunks(BATCH) {
            for (folder, listing) in batch.iter().zip(objects.list_all(batch)?) {
                let Listing {
                    folders,
                    objects: found,
                } = listing;
                let at = |name: &String| match folder.as_str() {
                    "" => name.clone(),
                    folder => format!("{folder}/{name}"),
                };
                below.extend(folders.iter().map(at));
                names.extend(found.iter().map(at));
            }
        }
        folders = below;
    }
    Ok(names)
}

/// Names that an append gives. In lower case only, so that two of them are two files everywhere.
fn belongs(path: &str) -> bool {
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/._-".contains(&byte));
    let clean = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    let bundle = path.starts_with("log/tile/entries/") && path.contains(".p/");
    let known = ["log/tile/", "records/", "blobs/"]
        .iter()
        .any(|folder| path.starts_with(folder));
    path == FORMAT
        || plain
            && clean
            && (known && !bundle
                || ["tsr", BUNDLE]
                    .iter()
                    .any(|kind| anchor_size(path, kind).is_some())
                || objects::number_of(SEQUENCE, path).is_some()
                || objects::number_of(CHECKPOINTS, path).is_some_and(|size| size > 0))
}
