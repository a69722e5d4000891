//! `checkov -o json`: one report, or a list with one for each framework. Without a
//! platform key it rates nothing, so all counts as high.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen, State};
use crate::scan::stream::Step;
use crate::scan::stream::Stream;
use crate::scan::{place, rating};

use super::line;

#[derive(Deserialize)]
struct Check {
    check_id: Option<String>,
    severity: Option<String>,
    file_path: Option<String>,
    #[serde(default)]
    file_line_range: Vec<i64>,
    check_result: Option<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    suppress_comment: Option<String>,
}

#[derive(Default, Deserialize)]
struct Summary {
    parsing_errors: Option<u64>,
    resource_count: Option<u64>,
    checkov_version: Option<String>,
}

#[derive(Default)]
struct Part {
    check_type: Option<String>,
    summary: Summary,
    findings: Reduction,
    ended: bool,
    passed: u64,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut runs = Vec::new();
    if stream.peek()? == Some(b'[') {
        stream.array("the report", &mut |stream| {
            let mut part = Part::default();
            part.read(stream, root)?;
            runs.push(part.finish());
            Ok(())
        })?;
    } else {
        let mut part = Part::default();
        part.read(stream, root)?;
        runs.push(part.finish());
    }
    stream.end()?;
    Ok(("checkov-json".to_owned(), runs))
}

impl Part {
    fn read(&mut self, stream: &mut Stream<'_>, root: &Path) -> Step {
        const KEYS: &[&str] = &["check_type", "results", "summary"];
        stream.object("a checkov report", KEYS, &mut |stream, key| {
            match key {
                "check_type" => self.check_type = stream.value()?,
                "summary" => self.summary = stream.value()?,
                _ => self.results(stream, root)?,
            }
            Ok(())
        })?;
        Ok(())
    }

    fn results(&mut self, stream: &mut Stream<'_>, root: &Path) -> Step {
        const KEYS: &[&str] = &["failed_checks", "skipped_checks", "passed_checks"];
        stream.object("`results`", KEYS, &mut |stream, key| {
            match key {
                "failed_checks" => {
                    self.ended = stream.values("`failed_checks`", |check: Check| {
                        add(&mut self.findings, &check, State::Open, root);
                        Ok(())
                    })?;
                }
                "skipped_checks" => {
                    stream.values("`skipped_checks`", |check: Check| {
                        let comment = check.check_result.as_ref();
                        let comment =
                            comment.and_then(|outcome| outcome.suppress_comment.as_deref());
                        // What it writes where the comment gives no reason.
                        let explained = comment.is_some_and(|comment| {
                            !matches!(comment.trim(), "" | "No comment provided")
                        });
                        add(
                            &mut self.findings,
                            &check,
                            State::Suppressed { explained },
                            root,
                        );
                        Ok(())
                    })?;
                }
                _ => {
                    stream.array("`passed_checks`", &mut |stream| {
                        self.passed += 1;
                        stream.skip()
                    })?;
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    fn finish(self) -> ScanRun {
        let errors = self.summary.parsing_errors.unwrap_or(0);
        let looked_at = self.findings.open() + self.passed;
        let left_out = if errors > 0 {
            Some(format!("{errors} files could not be read"))
        } else if looked_at == 0 && self.summary.resource_count.unwrap_or(0) == 0 {
            Some("no resource was looked at".to_owned())
        } else {
            None
        };
        ScanRun {
            version: self
                .summary
                .checkov_version
                .map(|version| place::shown(&version)),
            execution_successful: (!self.ended).then_some(false),
            left_out,
            kind: Some(match self.check_type.as_deref() {
                Some("secrets") => ScanKind::Secrets,
                Some("sca_package" | "sca_image") => ScanKind::Dependencies,
                _ => ScanKind::Iac,
            }),
            ..self.findings.into_run("checkov")
        }
    }
}

fn add(findings: &mut Reduction, check: &Check, state: State, root: &Path) {
    // Its paths begin at the folder that it was given.
    let path = check
        .file_path
        .as_deref()
        .map(|path| path.trim_start_matches('/'));
    let seen = Seen {
        rule: check.check_id.as_deref(),
        rating: rating::of_word(check.severity.as_deref()),
        path,
        line: line(check.file_line_range.first().copied()),
        state,
        ..Seen::default()
    };
    findings.add(&seen, root);
}
