//! From a pattern to its entries: finds the files, opens each once, and says of
//! each what became of it. Knows nothing about formats beyond whom to ask.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::facts::{ScanFailure, ScanFormat, ScanReport, ScanResults, ScanRun};

use super::ReportPattern;
use super::find::{self, Found};
use super::format;
use super::intake::{self, Halt, Outcome};
use super::place;
use super::reduction;

/// The pattern that is the standard input. A file of that name is `./-`.
const STDIN: &str = "-";
/// The format of a file that could not be read as a report.
const UNKNOWN_FORMAT: &str = "unknown";

/// What one file is worth, whoever asked for it.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) digest: String,
    pub(super) format: String,
    pub(super) runs: Result<Vec<ScanRun>, ScanFailure>,
}

impl Content {
    fn of(report: &ScanReport) -> Self {
        Self {
            digest: report.digest.clone(),
            format: report.format.clone(),
            runs: report.runs.clone(),
        }
    }
}

/// All entries, in the order of the patterns, files in the order of their names.
/// A pattern that stands twice counts once, unless it is read as different formats.
pub(super) fn read_all(
    wanted: &[ReportPattern],
    root: &Path,
    stdin: &mut (dyn io::Read + Send),
) -> ScanResults {
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    // Reports give absolute paths, whatever way we were told the folder.
    let absolute = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    // Where the report of a file stands that was read already.
    let mut known: BTreeMap<(PathBuf, Option<ScanFormat>), usize> = BTreeMap::new();
    let mut reports: Vec<ScanReport> = Vec::new();
    let mut room = reduction::KEPT;
    for (index, each) in wanted.iter().enumerate() {
        if wanted.iter().take(index).any(|earlier| earlier == each) {
            continue;
        }
        let ReportPattern { pattern, format } = each;
        if pattern == STDIN {
            let mut content = content(&mut *stdin, &absolute, *format);
            if let Ok(runs) = &mut content.runs {
                reduction::keep_at_most(runs, &mut room);
            }
            reports.push(entry(pattern, STDIN.to_owned(), content));
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
                    let by_hand = path == Path::new(pattern);
                    let path = root.join(path);
                    let modified_at = modified_at(&path);
                    let key = (path, *format);
                    let earlier = known.get(&key).and_then(|index| reports.get(*index));
                    let mut content = match earlier {
                        Some(report) => Content::of(report),
                        None => match open(&key.0, by_hand) {
                            Ok(file) => content(file, &absolute, *format),
                            Err(error) => unreadable(&error),
                        },
                    };
                    known.entry(key).or_insert(reports.len());
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

/// When the file was last written, where the file system tells. A pipe has no such time.
fn modified_at(path: &Path) -> Option<Timestamp> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Timestamp::try_from(metadata.modified().ok()?).ok()
}

fn failed(pattern: &str, path: String, failure: ScanFailure) -> ScanReport {
    let content = Content {
        digest: String::new(),
        format: UNKNOWN_FORMAT.to_owned(),
        runs: Err(failure),
    };
    entry(pattern, path, content)
}

/// A regular file, or a pipe that is named by hand. A pipe that a glob happens to find
/// may never get a writer, and a device may never end.
fn open(path: &Path, by_hand: bool) -> io::Result<File> {
    let fits = |metadata: &fs::Metadata| metadata.is_file() || (by_hand && is_pipe(metadata));
    let refused = || io::Error::other("it is neither a regular file nor a pipe named by hand");
    // Asked before opening too, because opening a pipe waits for its writer.
    if !fits(&fs::metadata(path)?) {
        return Err(refused());
    }
    let file = File::open(path)?;
    if !fits(&file.metadata()?) {
        return Err(refused());
    }
    Ok(file)
}

#[cfg(unix)]
fn is_pipe(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

/// Reads a whole report in one pass. The digest is of all bytes of the file,
/// also where the report is refused half-way.
pub(super) fn content(
    source: impl io::Read + Send,
    root: &Path,
    said: Option<ScanFormat>,
) -> Content {
    let Outcome { read, halt, digest } =
        intake::through(source, |blocks| format::read(blocks, root, said));
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
