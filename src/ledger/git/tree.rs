//! A commit's tree as the files of a ledger: reads come from git's objects, writes stay in
//! memory until they become the next commit. Nothing is ever checked out, so no name and no
//! link in a foreign tree can reach a file of this machine.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};

use super::super::remote::overlay::{Base, is_inside};
use super::command::{Git, Talk};

/// Largest object that is read.
const LARGEST: usize = 1 << 30;

/// The files of one commit (of none, before the first).
#[derive(Default)]
pub(crate) struct Tree {
    /// The object behind each path.
    paths: BTreeMap<String, String>,
    objects: Option<Mutex<Objects>>,
}

impl Tree {
    /// The tree of a commit. Everything in it has to be a plain file.
    pub(super) fn of(git: &Git, commit: &str) -> anyhow::Result<Self> {
        let listed = git.must(&["ls-tree", "-r", "-z", "--full-tree", commit], Vec::new())?;
        let mut paths = BTreeMap::new();
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
            paths.insert(path.to_owned(), (*object).to_owned());
        }
        Ok(Self {
            paths,
            objects: Some(Mutex::new(Objects(git.talk(&["cat-file", "--batch"])?))),
        })
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
}

impl Base for Tree {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.paths.get(path).map(|id| self.object(id)).transpose()
    }

    fn has(&self, path: &str) -> io::Result<bool> {
        Ok(self.paths.contains_key(path))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let inside = self.paths.keys().filter(|path| is_inside(path, folder));
        Ok(inside.cloned().collect())
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
