//! Changes in memory over files that cannot be written one by one: reads come from below, writes
//! stay here until they are sent as a whole. What an append may change is told here as well.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::ensure;

use super::super::dir::{CHECKPOINT, FORMAT, SIGNERS};
use super::super::files::{Files, Lock};

/// What an append leaves: bytes for a file that is written, `None` for one that is removed.
pub(in super::super) type Changes = BTreeMap<String, Option<Vec<u8>>>;

/// Files as they are somewhere else at one moment.
pub(in super::super) trait Base: Send + Sync {
    /// The file's bytes; `None` where there is no such file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
    /// Whether there is such a file.
    fn has(&self, path: &str) -> io::Result<bool>;
    /// All files below the folder, in any order. An empty name means all there are.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
}

/// The files of one moment, and what was changed since.
pub(in super::super) struct Overlay<B> {
    base: Arc<B>,
    changed: Arc<Mutex<Changes>>,
}

// A derived one would ask the same of `B`.
impl<B> Clone for Overlay<B> {
    fn clone(&self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            changed: Arc::clone(&self.changed),
        }
    }
}

impl<B: Base> Overlay<B> {
    pub(in super::super) fn over(base: B) -> Self {
        Self {
            base: Arc::new(base),
            changed: Arc::default(),
        }
    }

    /// The same files without the changes.
    pub(in super::super) fn fresh(&self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            changed: Arc::default(),
        }
    }

    /// What lies below.
    pub(in super::super) fn base(&self) -> &B {
        &self.base
    }

    /// What differs from what lies below.
    pub(in super::super) fn changes(&self) -> io::Result<Changes> {
        let mut changes = Changes::new();
        for (path, bytes) in self.changed().iter() {
            if *bytes != self.base.read(path)? {
                changes.insert(path.clone(), bytes.clone());
            }
        }
        Ok(changes)
    }

    fn changed(&self) -> MutexGuard<'_, Changes> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Base> Files for Overlay<B> {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.changed().get(path) {
            return Ok(bytes.clone());
        }
        self.base.read(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let changed = self.changed();
        let written = changed
            .iter()
            .filter(|(path, bytes)| bytes.is_some() && is_inside(path, folder))
            .map(|(path, _)| path.clone());
        let mut found = self.base.list(folder)?;
        found.retain(|path| !changed.contains_key(path));
        found.extend(written);
        found.sort();
        Ok(found)
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.changed().insert(path.to_owned(), Some(bytes.to_vec()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let bytes = self.read(from)?;
        let mut changed = self.changed();
        changed.insert(to.to_owned(), bytes);
        changed.insert(from.to_owned(), None);
        Ok(())
    }

    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.changed().insert(path.to_owned(), None);
        Ok(())
    }

    fn lock(&self, _: Lock) -> io::Result<File> {
        // Nobody shares these changes; between writers the other side decides.
        tempfile::tempfile()
    }
}

pub(in super::super) fn is_inside(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// An append only adds; what it may replace or take away is named in the format.
pub(in super::super) fn may_be_replaced(path: &str) -> bool {
    path == CHECKPOINT || path == SIGNERS
}

/// Partial tiles and bundles are superseded by longer ones.
pub(in super::super) fn may_be_removed(path: &str) -> bool {
    path.starts_with("log/tile/")
        && Path::new(path)
            .parent()
            .is_some_and(|folder| folder.extension().is_some_and(|end| end == "p"))
}

/// Files that belong into a ledger that is kept somewhere else at all.
pub(in super::super) fn belongs(path: &str) -> bool {
    let folders = ["log/tile/", "records/", "blobs/", "anchors/"];
    matches!(path, FORMAT | CHECKPOINT | SIGNERS)
        || folders.iter().any(|folder| path.starts_with(folder))
}

/// A name that belongs into a ledger and means nothing more to git, to a folder or to a shell.
pub(in super::super) fn is_plain(path: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    let parts = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    belongs(path) && parts && path.chars().all(plain)
}

/// Whether these changes only add to what is there.
pub(in super::super) fn check_growth<B: Base>(
    tip: &Overlay<B>,
    changes: &Changes,
) -> anyhow::Result<()> {
    for (path, bytes) in changes {
        ensure!(
            is_plain(path),
            "an append would have written `{}`, which belongs into no ledger",
            path.escape_debug()
        );
        let fine = match (tip.base.has(path)?, bytes) {
            (false, _) => true,
            (true, Some(_)) => may_be_replaced(path),
            (true, None) => may_be_removed(path),
        };
        ensure!(
            fine,
            "an append would have changed `{}`, which may only be added",
            path.escape_debug()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Base for BTreeMap<String, Vec<u8>> {
        fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
            Ok(self.get(path).cloned())
        }

        fn has(&self, path: &str) -> io::Result<bool> {
            Ok(self.contains_key(path))
        }

        fn list(&self, folder: &str) -> io::Result<Vec<String>> {
            let inside = self.keys().filter(|path| is_inside(path, folder));
            Ok(inside.cloned().collect())
        }
    }

    fn overlay() -> Overlay<BTreeMap<String, Vec<u8>>> {
        let files = [
            ("FORMAT", "f"),
            ("log/checkpoint", "1"),
            ("log/tile/0/000.p/1", "t"),
            ("logs", "l"),
        ];
        Overlay::over(
            files
                .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
                .into(),
        )
    }

    #[test]
    fn changes_are_read_listed_and_told_and_what_lies_below_stays() {
        let files = overlay();
        files.write("tmp/0", b"2").unwrap();
        files.rename("tmp/0", "log/checkpoint").unwrap();
        files.write("log/tile/0/000.p/2", b"tt").unwrap();
        files.remove("log/tile/0/000.p/1").unwrap();
        files.write("FORMAT", b"f").unwrap();
        assert_eq!(files.read("log/checkpoint").unwrap().unwrap(), b"2");
        assert_eq!(files.read("log/tile/0/000.p/1").unwrap(), None);
        assert_eq!(
            files.list("log").unwrap(),
            ["log/checkpoint", "log/tile/0/000.p/2"],
            "`logs` is in no folder `log`"
        );
        let expected: Changes = [
            ("log/checkpoint", Some(b"2".to_vec())),
            ("log/tile/0/000.p/1", None),
            ("log/tile/0/000.p/2", Some(b"tt".to_vec())),
        ]
        .map(|(path, bytes)| (path.to_owned(), bytes))
        .into();
        assert_eq!(
            files.changes().unwrap(),
            expected,
            "what was written as it was, and what came and went, is no change"
        );
        assert_eq!(files.fresh().read("log/checkpoint").unwrap().unwrap(), b"1");
        assert!(files.fresh().changes().unwrap().is_empty());
    }

    #[test]
    fn an_append_adds_replaces_the_checkpoint_and_takes_away_partial_tiles_only() {
        let files = overlay();
        let growth = |path: &str, bytes: Option<&[u8]>| {
            let bytes = bytes.map(<[u8]>::to_vec);
            check_growth(&files, &[(path.to_owned(), bytes)].into()).is_ok()
        };
        assert!(growth("log/checkpoint", Some(b"2")));
        assert!(growth("log/tile/0/000.p/1", None));
        assert!(growth("records/2026/11/rec_1.json", Some(b"{}")));
        for (path, bytes) in [
            ("log/checkpoint", None),
            ("log/tile/0/000.p/1", Some(&b"x"[..])),
            ("FORMAT", Some(b"x")),
            ("FORMAT", None),
            ("strange", Some(b"x")),
            ("records/../FORMAT", Some(b"x")),
            ("records//x", Some(b"x")),
            ("records/a b", Some(b"x")),
        ] {
            assert!(!growth(path, bytes), "{path}");
        }
    }
}
