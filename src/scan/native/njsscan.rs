//! `njsscan --json`: rules with the files that they matched.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;
use crate::scan::{place, rating};

use super::{line, one};

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    files: Vec<File>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct File {
    file_path: Option<String>,
    #[serde(default)]
    match_lines: Vec<i64>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    severity: Option<String>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut version: Option<String> = None;
    let (mut ended, mut problems) = (false, 0_u64);
    const KEYS: &[&str] = &["njsscan_version", "errors", "nodejs", "templates"];
    stream.object("an njsscan report", KEYS, &mut |stream, key| {
        match key {
            "njsscan_version" => version = stream.value()?,
            "errors" => {
                stream.array("`errors`", &mut |stream| {
                    problems += 1;
                    stream.skip()
                })?;
            }
            _ => {
                ended |= stream.entries("a list of rules", &mut |stream, name| {
                    let rule: Rule = stream.value()?;
                    let seen = |file: Option<&File>| Seen {
                        rule: Some(name),
                        rating: rating::of_word(rule.metadata.severity.as_deref()),
                        path: None,
                        line: line(file.and_then(|file| file.match_lines.first().copied())),
                        ..Seen::default()
                    };
                    // A rule about something that is missing matches no file.
                    if rule.files.is_empty() {
                        findings.add(&seen(None), root);
                    }
                    for file in &rule.files {
                        let path = file.file_path.as_deref();
                        findings.add(
                            &Seen {
                                path,
                                ..seen(Some(file))
                            },
                            root,
                        );
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    let run = ScanRun {
        version: version.map(|version| place::shown(&version)),
        execution_successful: (!ended).then_some(false),
        left_out: (problems > 0).then(|| format!("{problems} errors of its own")),
        kind: Some(ScanKind::Sast),
        ..findings.into_run("njsscan")
    };
    one("njsscan-json", run)
}
