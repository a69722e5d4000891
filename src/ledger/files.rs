//! The few file operations a ledger needs, each one atomic or repeatable, so that a crash
//! between any two of them can be tested. Paths are relative to the ledger with `/`.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::FileExt;

/// File operations below one folder.
pub(crate) trait Files: Send {
    /// The file's bytes; `None` when there is no such file.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
    /// The same, and no more than one byte more than `most`: whether a file is too large shows
    /// without its being read.
    fn read_at_most(&self, path: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        Ok(self.read(path)?.map(|mut bytes| {
            bytes.truncate(most.saturating_add(1));
            bytes
        }))
    }
    /// All files below the folder (sorted), which may be missing.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// The same one by one, in any order; `except` is a folder below it that is passed over.
    fn visit(
        &self,
        folder: &str,
        except: Option<&str>,
        each: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        let passed_over = |path: &str| {
            except
                .and_then(|except| path.strip_prefix(except))
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let found = self.list(folder)?;
        let left = found.iter().filter(|path| !passed_over(path));
        left.for_each(|path| each(path));
        Ok(())
    }
    /// Whether the file holds these bytes; `None` when there is no such file.
    fn holds(&self, path: &str, bytes: &[u8]) -> io::Result<Option<bool>> {
        Ok(self.read(path)?.map(|found| found == bytes))
    }
    /// Makes the folder and its parents durable.
    fn make_folder(&self, folder: &str) -> io::Result<()>;
    /// Writes a new file and makes its bytes durable.
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// Renames over whatever is there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
    /// Removes a file; a missing one is no error.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Excludes other writers (and readers) until the guard is dropped.
    fn lock(&self, kind: Lock) -> io::Result<File>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Shared,
    Exclusive,
}

/// A real folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
    /// How long to wait for another writer before giving up.
    patience: Duration,
}

impl Folder {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            patience: Duration::from_secs(60),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn open(&self, path: &str) -> io::Result<Option<File>> {
        match File::open(self.at(path)) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
            Ok(_) => Err(io::Error::other("it is no file")),
        }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn read_at_most(&self, path: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take((most as u64).saturating_add(1))
            .read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        self.visit(folder, None, &mut |path| found.push(path.to_owned()))?;
        found.sort();
        Ok(found)
    }

    fn visit(
        &self,
        folder: &str,
        except: Option<&str>,
        each: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        let entries = match fs::read_dir(self.at(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| io::Error::other("a file's name is no UTF-8"))?;
            let path = if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            };
            // A link counts as a file: it is read and compared, never walked into.
            if entry.file_type()?.is_dir() {
                if except != Some(path.as_str()) {
                    self.visit(&path, except, each)?;
                }
            } else {
                each(&path);
            }
        }
        Ok(())
    }

    fn holds(&self, path: &str, bytes: &[u8]) -> io::Result<Option<bool>> {
        let Some(file) = self.open(path)? else {
            return Ok(None);
        };
        // One byte more than there should be, so that a longer file is seen to be one.
        let most = bytes.len() as u64 + 1;
        let mut found = Vec::with_capacity(bytes.len() + 1);
        file.take(most).read_to_end(&mut found)?;
        Ok(Some(found == bytes))
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        let path = self.at(folder);
        if path.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&path)?;
        // Every new name up to and including the ledger's own must be durable.
        for parent in path.ancestors().skip(1) {
            sync(parent)?;
            if parent == self.root {
                if let Some(above) = parent.parent() {
                    sync(above)?;
                }
                break;
            }
        }
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.at(path))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        sync(&self.at(folder))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.at(path)) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(())
            }
            done => done,
        }
    }

    fn lock(&self, kind: Lock) -> io::Result<File> {
        let path = self.at("lock");
        let file = match kind {
            Lock::Exclusive => {
                fs::create_dir_all(&self.root)?;
                File::options().create(true).append(true).open(path)?
            }
            Lock::Shared => File::open(path)?,
        };
        let pause = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        loop {
            let taken = match kind {
                Lock::Shared => FileExt::try_lock_shared(&file),
                Lock::Exclusive => FileExt::try_lock(&file),
            };
            match taken {
                Ok(()) => return Ok(file),
                Err(fs4::TryLockError::Error(error)) => return Err(error),
                Err(fs4::TryLockError::WouldBlock) if waited >= self.patience => {
                    return Err(io::Error::other(
                        "another process holds the ledger's lock; try again when it has ended",
                    ));
                }
                Err(fs4::TryLockError::WouldBlock) => {
                    std::thread::sleep(pause);
                    waited += pause;
                }
            }
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::ledger::torture::{Memory, snapshot};

    /// A real folder passes folders over as it walks, others leave files out of a list.
    #[test]
    fn a_folder_that_is_passed_over_is_the_same_one_on_disk_and_elsewhere() {
        let home = tempfile::tempdir().unwrap();
        let disk = Folder::new(home.path());
        for path in ["a", "ab/c", "a.b/c", "b/a/c", "b/ab", "b/c/d/e", "b/d"] {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            disk.make_folder(folder).unwrap();
            disk.write(path, b"").unwrap();
        }
        let memory = Memory(snapshot(home.path()));
        let visited = |files: &dyn Files, folder: &str, except: Option<&str>| {
            let mut found = Vec::new();
            files
                .visit(folder, except, &mut |path| found.push(path.to_owned()))
                .unwrap();
            found.sort();
            found
        };
        for folder in ["", "b", "b/c", "none"] {
            for except in [
                None,
                Some("a"),
                Some("ab"),
                Some("b"),
                Some("b/a"),
                Some("b/c"),
                Some("b/c/d"),
                Some("b/d"),
                Some("c"),
            ] {
                // Nobody asks for a folder and has it passed over.
                if except
                    .is_some_and(|except| format!("{folder}/").starts_with(&format!("{except}/")))
                {
                    continue;
                }
                assert_eq!(
                    visited(&disk, folder, except),
                    visited(&memory, folder, except),
                    "{folder} without {except:?}"
                );
            }
        }
        assert_eq!(visited(&disk, "", Some("b")), ["a", "a.b/c", "ab/c"]);
        assert_eq!(visited(&disk, "b", Some("b/c")), ["b/a/c", "b/ab", "b/d"]);
    }
}
