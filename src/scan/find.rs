//! From a pattern to files. Knows the folder that is searched and what it must
//! not leave; reads no file.
//!
//! Strict on purpose. A file that is named by hand is taken wherever it lies. A
//! glob stays below the folder: `..` and foreign absolute paths are refused, a
//! matching link that leads out is named as a problem, folders behind links and
//! `.git` are not entered. What could not be looked at is a problem of its own,
//! so that a hidden report never looks like none.

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
    let deepest = if relative.contains("**") || relative.contains('{') {
        DEEPEST
    } else {
        parts.len() - 1 - fixed
    };
    let mut walk = Walk {
        root,
        matcher,
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
    matcher: GlobMatcher,
    deepest: usize,
    entries: usize,
    files: usize,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let absolute = self.root.join(folder);
        // Also the fixed part of a pattern must not lead out through a link.
        if depth == 0 && !self.stays_inside(&absolute) {
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
        if metadata.is_dir() {
            let is_git = path.file_name().is_some_and(|name| name == ".git");
            if is_git || depth >= self.deepest {
                if !is_git && self.deepest == DEEPEST {
                    let reason = format!("folders below {DEEPEST} levels are not entered");
                    self.found.push(problem(path, reason));
                }
                return;
            }
            self.folder(path, depth + 1);
            return;
        }
        if !self.matcher.is_match(path) {
            return;
        }
        if metadata.is_symlink() {
            if !self.stays_inside(&absolute) {
                let reason = "it is a link that leads nowhere or out of the working folder; name the file by hand";
                self.found.push(problem(path, reason));
                return;
            }
            if absolute.is_dir() {
                return;
            }
        }
        self.files += 1;
        self.found.push(Found::File(path.to_path_buf()));
    }

    fn stays_inside(&self, path: &Path) -> bool {
        match (fs::canonicalize(path), fs::canonicalize(self.root)) {
            (Ok(path), Ok(root)) => path.starts_with(root),
            _ => false,
        }
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A folder with these empty files in it.
    fn folder(files: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
            fs::write(path, "").expect("the file");
        }
        folder
    }

    fn taken(pattern: &str, root: &Path) -> Vec<String> {
        let found = files(pattern, root);
        let shown = found.into_iter().map(|found| match found {
            Found::File(path) => path.to_string_lossy().into_owned(),
            Found::Problem { path, reason } => format!("! {} {reason}", path.display()),
        });
        shown.collect()
    }

    #[test]
    fn a_glob_takes_the_files_of_its_folder_in_order() {
        let root = folder(&[
            "results/b.sarif",
            "results/a.sarif",
            "results/c.txt",
            "results/d/e.sarif",
        ]);
        let expected = ["results/a.sarif", "results/b.sarif"];
        assert_eq!(taken("results/*.sarif", root.path()), expected);
        assert_eq!(taken("./results/*.sarif", root.path()), expected);
        let absolute = format!("{}/results/*.sarif", root.path().display());
        assert_eq!(taken(&absolute, root.path()), expected);
    }

    #[test]
    fn two_stars_enter_folders_but_not_git() {
        let root = folder(&[
            "a.sarif",
            "x/y/b.sarif",
            ".git/c.sarif",
            "x/.git/d.sarif",
            ".e/f.sarif",
        ]);
        assert_eq!(
            taken("**/*.sarif", root.path()),
            [".e/f.sarif", "a.sarif", "x/y/b.sarif"]
        );
    }

    #[test]
    fn a_file_that_is_named_is_taken_wherever_it_lies() {
        let root = folder(&["inside/x", "out.sarif"]);
        let inside = root.path().join("inside");
        assert_eq!(taken("../out.sarif", &inside), ["../out.sarif"]);
        let absolute = root.path().join("out.sarif").display().to_string();
        assert_eq!(taken(&absolute, &inside), [absolute.as_str()]);
    }

    #[test]
    fn a_glob_does_not_climb_out() {
        let root = folder(&["inside/x", "out.sarif"]);
        let inside = root.path().join("inside");
        for pattern in [
            "../*.sarif".to_owned(),
            "a/../../*.sarif".to_owned(),
            format!("{}/*.sarif", root.path().display()),
        ] {
            let taken = taken(&pattern, &inside);
            assert!(taken[0].starts_with("! "), "{taken:?}");
            assert_eq!(taken.len(), 1);
        }
    }

    #[test]
    fn a_file_called_like_the_glob_does_not_hide_the_others() {
        let root = folder(&["r/*.sarif", "r/bad.sarif"]);
        assert_eq!(
            taken("r/*.sarif", root.path()),
            ["r/*.sarif", "r/bad.sarif"]
        );
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let root = folder(&["a.txt"]);
        for pattern in [
            "a.sarif",
            "*.sarif",
            "none/*.sarif",
            "a.txt/*.sarif",
            "**/*.sarif",
        ] {
            assert_eq!(taken(pattern, root.path()), [""; 0], "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_for_files_is_a_problem() {
        let root = folder(&["r/a.sarif"]);
        for pattern in ["", " ", "r", "r/", "r/[a.sarif", "r/{a", "."] {
            let taken = taken(pattern, root.path());
            assert!(taken[0].starts_with("! "), "{pattern}: {taken:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_matching_link_is_followed_only_inside() {
        use std::os::unix::fs::symlink;
        let root = folder(&["out.sarif", "in/real.sarif", "in/r/x"]);
        let inside = root.path().join("in");
        symlink("../real.sarif", inside.join("r/a.sarif")).expect("a link");
        symlink("../../out.sarif", inside.join("r/b.sarif")).expect("a link");
        symlink("nowhere", inside.join("r/c.sarif")).expect("a link");
        symlink("..", inside.join("r/d.sarif")).expect("a link");
        let taken = taken("r/*.sarif", &inside);
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert!(taken.contains(&"r/a.sarif".to_owned()));
        assert!(taken.iter().any(|taken| taken.starts_with("! r/b.sarif")));
        assert!(taken.iter().any(|taken| taken.starts_with("! r/c.sarif")));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_behind_a_link_that_leads_out_is_a_problem() {
        let root = folder(&["out/a.sarif", "in/x"]);
        let inside = root.path().join("in");
        std::os::unix::fs::symlink("../out", inside.join("r")).expect("a link");
        let taken = taken("r/*.sarif", &inside);
        assert!(taken[0].starts_with("! r it leads out"), "{taken:?}");
    }

    #[test]
    fn too_many_matches_are_said() {
        let names: Vec<String> = (0..=MOST_FILES)
            .map(|number| format!("{number}.sarif"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let root = folder(&names);
        let problems = taken("*.sarif", root.path())
            .into_iter()
            .filter(|taken| taken.starts_with('!'));
        assert_eq!(problems.count(), 1);
    }
}
