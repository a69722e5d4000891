//! `npm audit --json` since npm 7. It counts packages, not advisories.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::rating;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;

use super::one;

#[derive(Deserialize)]
struct Package {
    severity: Option<String>,
    #[serde(default)]
    nodes: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    dependencies: Option<Dependencies>,
}

#[derive(Deserialize)]
struct Dependencies {
    total: Option<u64>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut ended = false;
    let mut metadata = Metadata::default();
    let mut version: Option<u64> = None;
    const KEYS: &[&str] = &["auditReportVersion", "vulnerabilities", "metadata"];
    stream.object("an npm audit report", KEYS, &mut |stream, key| {
        match key {
            "auditReportVersion" => version = stream.value()?,
            "metadata" => metadata = stream.value()?,
            _ => {
                ended = stream.entries("`vulnerabilities`", &mut |stream, name| {
                    let package: Package = stream.value()?;
                    let seen = Seen {
                        rule: Some(name),
                        rating: rating::of_word(package.severity.as_deref()),
                        path: package.nodes.first().map(String::as_str),
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
    if version != Some(2) {
        return Err(stream.trouble("not a version of npm's reports that is read (2)"));
    }
    let looked_at = metadata.dependencies.and_then(|all| all.total).unwrap_or(0);
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        left_out: (looked_at == 0).then(|| "it names no dependency that it looked at".to_owned()),
        kind: Some(ScanKind::Dependencies),
        ..findings.into_run("npm audit")
    };
    one("npm-audit-json", run)
}
