//! From a pattern to its entries: finds the files, opens each once, and says of
//! each what became of it. Knows nothing about formats beyond whom to ask.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::facts::{ScanFailure, ScanReport, ScanResults, ScanRun};

use super::find::{self, Found};
use super::format;
use super::intake::{self, Halt, Outcome};
use super::place;
use super::reduction;

/// The format of a file that could not be read as a report.
const UNKNOWN_FORMAT: &str = "unknown";

/// What one file is worth, whoever asked for it.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) digest: String,
    pub(super) format: String,
    pub(super) runs: Result<Vec<ScanRun>, ScanFailure>,
}

/// All entries, in the order of the patterns, files in the order of their names.
/// A pattern that stands twice counts once.
pub(super) fn read_all(patterns: &[String], root: &Path) -> ScanResults {
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    // Reports give absolute paths, whatever way we were told the folder.
    let absolute = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let mut contents: BTreeMap<PathBuf, Content> = BTreeMap::new();
    let mut reports = Vec::new();
    let mut room = reduction::KEPT;
    for (index, pattern) in patterns.iter().enumerate() {
        if patterns
            .iter()
            .take(index)
            .any(|earlier| earlier == pattern)
        {
            continue;
        }
        let found = find::files(pattern, root);
        if found.is_empty() {
            reports.push(failed(pattern, String::new(), ScanFailure::Missing));
        }
        for each in found {
            reports.push(match each {
                Found::File(path) => {
                    let name = place::shown(&path.to_string_lossy());
                    let path = root.join(path);
                    let modified_at = modified_at(&path);
                    let content = contents
                        .entry(path)
                        .or_insert_with_key(|path| content_of(path, &absolute));
                    let mut content = content.clone();
                    if let Ok(runs) = &mut content.runs {
                        reduction::keep_at_most(runs, &mut room);
                    }
                    ScanReport {
                        modified_at,
                        ..entry(pattern, name, content)
                    }
                }
                Found::Problem { path, reason } => {
                    let name = place::shown(&path.to_string_lossy());
                    failed(pattern, name, ScanFailure::Unreadable(reason))
                }
            });
        }
    }
    ScanResults::of(reports)
}

fn entry(pattern: &str, path: String, content: Content) -> ScanReport {
    ScanReport {
        pattern: pattern.to_owned(),
        path,
        digest: content.digest,
        format: content.format,
        modified_at: None,
        runs: content.runs,
    }
}

/// When the file was last written, where the file system tells.
fn modified_at(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}

fn failed(pattern: &str, path: String, failure: ScanFailure) -> ScanReport {
    let content = Content {
        digest: String::new(),
        format: UNKNOWN_FORMAT.to_owned(),
        runs: Err(failure),
    };
    entry(pattern, path, content)
}

fn content_of(path: &Path, root: &Path) -> Content {
    match open(path) {
        Ok(file) => content(file, root),
        Err(error) => unreadable(&error),
    }
}

/// Only a regular file: a pipe or a device may never end.
fn open(path: &Path) -> io::Result<File> {
    let regular = || io::Error::other("it is not a regular file");
    // Asked before opening too, because opening a pipe waits for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(regular());
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(regular());
    }
    Ok(file)
}

/// Reads a whole report in one pass. The digest is of all bytes of the file,
/// also where the report is refused half-way.
pub(super) fn content(source: impl io::Read + Send, root: &Path) -> Content {
    let Outcome { read, halt, digest } =
        intake::through(source, |blocks| format::read(blocks, root));
    let digest = match (&halt, digest) {
        (Some(Halt::Failed(error)), _) => return unreadable(error),
        (_, Err(error)) => return unreadable(&error),
        (_, Ok(digest)) => digest,
    };
    match (halt, read) {
        (Some(Halt::Refused(reason)), _) | (_, Some(Err(reason))) => unparsable(digest, reason),
        (_, Some(Ok((format, runs)))) => Content {
            digest,
            format,
            runs: Ok(runs),
        },
        (_, None) => unparsable(digest, "it was not read".to_owned()),
    }
}

fn unreadable(error: &io::Error) -> Content {
    Content {
        digest: String::new(),
        format: UNKNOWN_FORMAT.to_owned(),
        runs: Err(ScanFailure::Unreadable(error.to_string())),
    }
}

fn unparsable(digest: String, reason: String) -> Content {
    Content {
        digest,
        format: UNKNOWN_FORMAT.to_owned(),
        runs: Err(ScanFailure::Unparsable(reason)),
    }
}
