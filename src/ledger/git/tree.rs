//! A commit's tree as the files of a ledger: reads come from git's objects, writes stay in
//! memory until they become the next commit. Nothing is ever checked out, so no name and no
//! link in a foreign tree can reach a file of this machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};

use super::super::files::{Files, Lock};
use super::command::{Git, Talk};

/// Largest object that is read.
const LARGEST: usize = 1 << 30;

/// What an append leaves: bytes for a file that is written, `None` for one that is removed.
pub(super) type Changes = BTreeMap<String, Option<Vec<u8>>>;

/// The files of one commit (of none, before the first), and what was changed since.
#[derive(Clone)]
pub(super) struct TreeFiles {
    base: Arc<BTreeMap<String, String>>,
    objects: Option<Arc<Mutex<Objects>>>,
    changed: Arc<Mutex<Changes>>,
    /// An empty file of ours, for the guard that a lock gives.
    lock: PathBuf,
}

impl TreeFiles {
    /// No commit yet.
    pub(super) fn empty(lock: PathBuf) -> Self {
        Self {
            base: Arc::default(),
            objects: None,
            changed: Arc::default(),
            lock,
        }
    }

    /// The tree of a commit. Everything in it has to be a plain file.
    pub(super) fn of(git: &Git, commit: &str, lock: PathBuf) -> anyhow::Result<Self> {
        let listed = git.must(&["ls-tree", "-r", "-z", "--full-tree", commit], Vec::new())?;
        let mut base = BTreeMap::new();
        for entry in listed
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
        {
            let entry = std::str::from_utf8(entry)
                .ok()
                .context("the ledger's branch holds a file whose name is no UTF-8")?;
            let (about, path) = entry
                .split_once('\t')
                .context("git lists the branch in a form that is not known")?;
            let about: Vec<&str> = about.split(' ').collect();
            let [mode, "blob", object] = about.as_slice() else {
                anyhow::bail!(
                    "`{}` in the ledger's branch is no file",
                    path.escape_debug()
                );
            };
            ensure!(
                *mode == "100644",
                "`{}` in the ledger's branch is no plain file but has mode {mode}",
                path.escape_debug()
            );
            base.insert(path.to_owned(), (*object).to_owned());
        }
        Ok(Self {
            base: Arc::new(base),
            objects: Some(Arc::new(Mutex::new(Objects(
                git.talk(&["cat-file", "--batch"])?,
            )))),
            changed: Arc::default(),
            lock,
        })
    }

    /// The same commit without the changes.
    pub(super) fn fresh(&self) -> Self {
        Self {
            changed: Arc::default(),
            ..self.clone()
        }
    }

    /// What differs from the commit.
    pub(super) fn changes(&self) -> io::Result<Changes> {
        let mut changes = Changes::new();
        for (path, bytes) in self.changed().iter() {
            if *bytes != self.committed(path)? {
                changes.insert(path.clone(), bytes.clone());
            }
        }
        Ok(changes)
    }

    /// Whether the commit has the file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.base.contains_key(path)
    }

    /// The object behind a name, if the commit has it.
    pub(super) fn object(&self, id: &str) -> io::Result<Vec<u8>> {
        let objects = self
            .objects
            .as_ref()
            .ok_or_else(|| io::Error::other("there is no commit to read from"))?;
        let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.read(id)
    }

    fn committed(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.base.get(path).map(|id| self.object(id)).transpose()
    }

    fn changed(&self) -> MutexGuard<'_, Changes> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for TreeFiles {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.changed().get(path) {
            return Ok(bytes.clone());
        }
        self.committed(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let changed = self.changed();
        let inside = |path: &str| {
            folder.is_empty()
                || path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let kept = self.base.keys().filter(|path| !changed.contains_key(*path));
        let written = changed
            .iter()
            .filter_map(|(path, bytes)| bytes.as_ref().map(|_| path));
        let mut found: Vec<String> = kept
            .chain(written)
            .filter(|path| inside(path))
            .cloned()
            .collect();
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
        // Nobody shares this copy; between writers the server decides.
        File::create(&self.lock)
    }
}

/// A conversation with `git cat-file --batch`, which checks what it hands out.
struct Objects(Talk);

impl Objects {
    fn read(&mut self, id: &str) -> io::Result<Vec<u8>> {
        let head = self.0.ask(id)?;
        let words: Vec<&str> = head.split_whitespace().collect();
        let [_, "blob", size] = words.as_slice() else {
            return Err(io::Error::other(format!("git does not have the file {id}")));
        };
        let size: usize = size
            .parse()
            .ok()
            .filter(|size| *size <= LARGEST)
            .ok_or_else(|| io::Error::other(format!("the file {id} is too large")))?;
        // A line break follows.
        let mut bytes = self.0.take(size + 1)?;
        bytes.pop();
        Ok(bytes)
    }
}
