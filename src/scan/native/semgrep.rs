//! `semgrep scan --json`: <https://semgrep.dev/docs/semgrep-appsec-platform/json-and-sarif>

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen, State};
use crate::scan::stream::Stream;
use crate::scan::{place, rating};

use super::{line, one};

#[derive(Deserialize)]
struct Hit {
    check_id: Option<String>,
    path: Option<String>,
    #[serde(default)]
    start: Position,
    #[serde(default)]
    extra: Extra,
}

#[derive(Default, Deserialize)]
struct Position {
    line: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Extra {
    severity: Option<String>,
    #[serde(default)]
    is_ignored: Option<bool>,
}

#[derive(Deserialize)]
struct Problem {
    level: Option<String>,
    /// A word, or a list that begins with one.
    #[serde(rename = "type")]
    kind: Option<serde_json::Value>,
}

impl Problem {
    /// Whether it only says that a file was parsed in part, the rest of it looked at.
    fn is_partial(&self) -> bool {
        let word = match &self.kind {
            Some(serde_json::Value::Array(parts)) => parts.first().and_then(|part| part.as_str()),
            Some(kind) => kind.as_str(),
            None => None,
        };
        self.level.as_deref() == Some("warn") && word == Some("PartialParsing")
    }
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut version: Option<String> = None;
    let (mut ended, mut problems) = (false, 0_u64);
    const KEYS: &[&str] = &["version", "results", "errors"];
    stream.object("a semgrep report", KEYS, &mut |stream, key| {
        match key {
            "version" => version = stream.value()?,
            "results" => {
                ended = stream.values("`results`", |hit: Hit| {
                    let seen = Seen {
                        rule: hit.check_id.as_deref(),
                        rating: rating::of_word(hit.extra.severity.as_deref()),
                        path: hit.path.as_deref(),
                        line: line(hit.start.line),
                        // By a comment in the source.
                        state: match hit.extra.is_ignored {
                            Some(true) => State::Suppressed { explained: false },
                            _ => State::Open,
                        },
                        ..Seen::default()
                    };
                    findings.add(&seen, root);
                    Ok(())
                })?;
            }
            _ => {
                // Any other is a rule or a file that was not looked at.
                stream.values("`errors`", |problem: Problem| {
                    problems += u64::from(!problem.is_partial());
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
        ..findings.into_run("semgrep")
    };
    one("semgrep-json", run)
}
