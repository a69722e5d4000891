//! GitLab's code quality report: a list of findings that names no tool.
//! <https://docs.gitlab.com/ci/testing/code_quality/>

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::rating;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;

#[derive(Deserialize)]
struct Issue {
    check_name: Option<String>,
    fingerprint: Option<String>,
    severity: Option<String>,
    #[serde(default)]
    location: Location,
}

#[derive(Default, Deserialize)]
struct Location {
    path: Option<String>,
    lines: Option<Lines>,
    positions: Option<Positions>,
}

#[derive(Deserialize)]
struct Lines {
    begin: Option<i64>,
}

#[derive(Deserialize)]
struct Positions {
    begin: Option<Position>,
}

#[derive(Deserialize)]
struct Position {
    line: Option<i64>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    stream.document(|issue: Issue| {
        let line = issue.location.lines.and_then(|lines| lines.begin);
        let position = || issue.location.positions?.begin?.line;
        let line = line.or_else(position);
        findings.add(
            &Seen {
                rule: issue.check_name.as_deref(),
                rating: rating::of_word(issue.severity.as_deref()),
                path: issue.location.path.as_deref(),
                line: line.and_then(|line| u64::try_from(line).ok()),
                own_fingerprint: issue.fingerprint.as_deref(),
                ..Seen::default()
            },
            root,
        );
        Ok(())
    })?;
    let run = ScanRun {
        kind: Some(ScanKind::Quality),
        ..findings.into_run("code quality")
    };
    Ok(("gitlab-codequality".to_owned(), vec![run]))
}
