//! `bandit -f json`: <https://bandit.readthedocs.io/en/latest/formatters/json.html>

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::rating;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;

use super::{line, one};

#[derive(Deserialize)]
struct Issue {
    test_id: Option<String>,
    issue_severity: Option<String>,
    filename: Option<String>,
    line_number: Option<i64>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut generated_at: Option<String> = None;
    let (mut ended, mut problems) = (false, 0_u64);
    const KEYS: &[&str] = &["results", "errors", "generated_at"];
    stream.object("a bandit report", KEYS, &mut |stream, key| {
        match key {
            "generated_at" => generated_at = stream.value()?,
            "errors" => {
                stream.array("`errors`", &mut |stream| {
                    problems += 1;
                    stream.skip()
                })?;
            }
            _ => {
                ended = stream.values("`results`", |issue: Issue| {
                    let seen = Seen {
                        rule: issue.test_id.as_deref(),
                        rating: rating::of_word(issue.issue_severity.as_deref()),
                        path: issue.filename.as_deref(),
                        line: line(issue.line_number),
                        ..Seen::default()
                    };
                    findings.add(&seen, root);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        ended_at: generated_at.and_then(|time| time.parse().ok()),
        left_out: (problems > 0).then(|| format!("{problems} files could not be read")),
        kind: Some(ScanKind::Sast),
        ..findings.into_run("bandit")
    };
    one("bandit-json", run)
}
