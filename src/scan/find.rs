//! From a pattern to files. Knows the folder that is searched and what it must
//! not leave; reads no file.
//!
//! Strict on purpose. A file that is named by hand is taken wherever it lies. A
//! glob stays below the folder: `..` and foreign absolute paths are refused,
//! links that lead out are named as a problem, `.git` is not entered, nor is a
//! folder behind a link where `**` reaches it without the link. What could not
//! be looked at is a problem of its own, so that a hidden report never looks
//! like none.

use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// More entries than a results folder has; a glob over everything is a mistake.
const MOST_ENTRIES: usize = 200_000;
/// Most files of one pattern.
const MOST_FILES: usize = 1_000;
/// Deepest folder below the start of a glob.
const DEEPEST: usize = 32;

/// One thing that a pattern leads to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// A file, relative to the folder or as it was named.
    File(PathBuf),
    /// Something that should have been looked at and could not be.
    Problem {
        /// Where; empty if it is the pattern itself.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What the pattern leads to, sorted by path. Nothing: it matched nothing.
pub(super) fn files(pattern: &str, root: &Path) -> Vec<Found> {
    if pattern.trim().is_empty() {
        return vec![problem("", "the pattern is empty; name a file or a glob")];
    }
    let mut found = Vec::new();
    // A file whose name looks like the glob is taken as well, never instead of it.
    let by_hand = root.join(pattern);
    match fs::metadata(&by_hand) {
        Ok(metadata) if metadata.is_dir() => {
            let reason = "it is a folder; name a file or a glob such as `folder/*.sarif`";
            return vec![problem(pattern, reason)];
        }
        Ok(_) => found.push(Found::File(PathBuf::from(pattern))),
        Err(_) => {}
    }
    if is_glob(pattern) {
        found.extend(matches(pattern, root));
    }
    found.sort();
    found.dedup();
    found
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

fn problem(path: impl Into<PathBuf>, reason: impl Into<String>) -> Found {
    Found::Problem {
        path: path.into(),
        reason: reason.into(),
    }
}

fn matches(pattern: &str, root: &Path) -> Vec<Found> {
    let relative = match below(pattern, root) {
        Ok(relative) => relative,
        Err(reason) => return vec![problem("", reason)],
    };
    let glob = GlobBuilder::new(&relative)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    let matcher = match glob {
        Ok(glob) => glob.compile_matcher(),
        Err(error) => {
            return vec![problem(
                "",
                format!("it is no valid glob: {}", error.kind()),
            )];
        }
    };
    // Only the folders that can hold a match are entered.
    let parts: Vec<&str> = relative.split('/').collect();
    let fixed = parts
        .iter()
        .take(parts.len() - 1)
        .take_while(|part| !is_glob(part) && !part.contains('\\'))
        .count();
    let start: PathBuf = parts.iter().take(fixed).collect();
    let any_depth = relative.contains("**") || relative.contains('{');
    let deepest = if any_depth {
        DEEPEST
    } else {
        parts.len() - 1 - fixed
    };
    let mut walk = Walk {
        root,
        start: &start,
        matcher,
        any_depth,
        deepest,
        entries: 0,
        files: 0,
        found: Vec::new(),
    };
    walk.folder(&start, 0);
    walk.found
}

/// The pattern relative to the folder, or why it leads out of it.
fn below(pattern: &str, root: &Path) -> Result<String, String> {
    let path = Path::new(pattern);
    let inside = if path.is_absolute() {
        let canonical = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        path.strip_prefix(root)
            .or_else(|_| path.strip_prefix(&canonical))
            .map_err(|_| {
                "a glob must stay below the working folder; name the file by hand".to_owned()
            })?
    } else {
        path
    };
    let mut parts = Vec::new();
    for component in inside.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err("a glob must not contain `..`; name the file by hand".to_owned());
            }
        }
    }
    Ok(parts.join("/"))
}

/// A walk that names what it could not see.
struct Walk<'a> {
    root: &'a Path,
    /// The fixed front of the pattern.
    start: &'a Path,
    matcher: GlobMatcher,
    /// Whether the pattern reaches folders of any depth.
    any_depth: bool,
    deepest: usize,
    entries: usize,
    files: usize,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let absolute = self.root.join(folder);
        // Also the fixed part of a pattern must not lead out through a link.
        if depth == 0 && !is_below(&absolute, self.root) {
            if absolute.exists() {
                let reason = "it leads out of the working folder; name the file by hand";
                self.found.push(problem(folder, reason));
            }
            return;
        }
        let listing = match fs::read_dir(&absolute) {
            Ok(listing) => listing,
            Err(error) => {
                let absent = matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                );
                if !(depth == 0 && absent) {
                    let reason = format!("the folder could not be listed: {error}");
                    self.found.push(problem(folder, reason));
                }
                return;
            }
        };
        let mut names = Vec::new();
        for entry in listing {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                break;
            }
            match entry {
                Ok(entry) => names.push(entry.file_name()),
                Err(error) => {
                    let reason = format!("the folder could not be listed: {error}");
                    self.found.push(problem(folder, reason));
                }
            }
        }
        names.sort();
        for name in names {
            if self.full(folder) {
                return;
            }
            self.entry(&folder.join(name), depth);
        }
        self.full(folder);
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        let absolute = self.root.join(path);
        let Ok(metadata) = fs::symlink_metadata(&absolute) else {
            // It was listed, but is gone or hidden: only a match would matter.
            if self.matcher.is_match(path) {
                let reason = "it is listed, but could not be looked at";
                self.found.push(problem(path, reason));
            }
            return;
        };
        let is_link = metadata.is_symlink();
        if metadata.is_dir() || (is_link && absolute.is_dir()) {
            self.inner_folder(path, depth, is_link);
            return;
        }
        if !self.matcher.is_match(path) {
            return;
        }
        if is_link && !is_below(&absolute, self.root) {
            let reason = "it is a link that leads nowhere or out of the working folder; name the file by hand";
            self.found.push(problem(path, reason));
            return;
        }
        self.files += 1;
        self.found.push(Found::File(path.to_path_buf()));
    }

    fn inner_folder(&mut self, path: &Path, depth: usize, is_link: bool) {
        let is_git = path.file_name().is_some_and(|name| name == ".git");
        if is_git || (depth >= self.deepest && !self.any_depth) {
            return;
        }
        if depth >= self.deepest {
            let reason = format!("folders below {DEEPEST} levels are not entered");
            self.found.push(problem(path, reason));
            return;
        }
        if is_link {
            let absolute = self.root.join(path);
            let start = self.root.join(self.start);
            // Without `**` a link cannot lead in circles for long.
            let reached_anyway = self.any_depth && is_below(&absolute, &start);
            if reached_anyway {
                return;
            }
            if self.any_depth || !is_below(&absolute, self.root) {
                let reason =
                    "it is a link to a folder that is not searched; give a pattern for that folder";
                self.found.push(problem(path, reason));
                return;
            }
        }
        self.folder(path, depth + 1);
    }

    /// Whether a limit is reached; says so once.
    fn full(&mut self, folder: &Path) -> bool {
        let reason = if self.entries > MOST_ENTRIES {
            format!("more than {MOST_ENTRIES} entries were searched; narrow the pattern")
        } else if self.files > MOST_FILES {
            format!("more than {MOST_FILES} files match; narrow the pattern")
        } else {
            return false;
        };
        let told = self
            .found
            .iter()
            .any(|found| matches!(found, Found::Problem { reason: told, .. } if *told == reason));
        if !told {
            self.found.push(problem(folder, reason));
        }
        true
    }
}

/// Whether the path, links followed, lies in the folder.
fn is_below(path: &Path, folder: &Path) -> bool {
    match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
