//! `gitleaks --report-format json`: a list of findings. Secrets have no severity
//! there and count as high.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;

use super::{line, one};

#[derive(Deserialize)]
struct Leak {
    #[serde(rename = "RuleID")]
    rule: Option<String>,
    #[serde(rename = "File")]
    file: Option<String>,
    #[serde(rename = "StartLine")]
    line: Option<i64>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    stream.document(|leak: Leak| {
        let seen = Seen {
            rule: leak.rule.as_deref(),
            path: leak.file.as_deref(),
            line: line(leak.line),
            ..Seen::default()
        };
        findings.add(&seen, root);
        Ok(())
    })?;
    let run = ScanRun {
        kind: Some(ScanKind::Secrets),
        ..findings.into_run("gitleaks")
    };
    one("gitleaks-json", run)
}
