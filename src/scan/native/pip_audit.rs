//! `pip-audit -f json`. It rates nothing, so all counts as high; a dependency that
//! it could not look up stands there with a reason, and the run ends well all the same.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;

use super::one;

#[derive(Deserialize)]
struct Dependency {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    vulns: Vec<Vulnerability>,
    skip_reason: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut ended = false;
    let (mut all, mut skipped) = (0_u64, 0_u64);
    stream.object("a pip-audit report", &["dependencies"], &mut |stream, _| {
        ended = stream.values("`dependencies`", |each: Dependency| {
            all += 1;
            skipped += u64::from(each.skip_reason.is_some());
            let (name, version) = (each.name.unwrap_or_default(), each.version);
            let place = format!("{name}@{}", version.unwrap_or_default());
            for vulnerability in &each.vulns {
                let seen = Seen {
                    rule: vulnerability.id.as_deref(),
                    ids: vulnerability.aliases.iter().map(String::as_str).collect(),
                    path: Some(&place),
                    ..Seen::default()
                };
                findings.add(&seen, root);
            }
            Ok(())
        })?;
        Ok(())
    })?;
    stream.end()?;
    let left_out = match (all, skipped) {
        (0, _) => Some("no dependency was looked at".to_owned()),
        (_, 0) => None,
        _ => Some(format!(
            "{skipped} of {all} dependencies could not be looked up"
        )),
    };
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        left_out,
        kind: Some(ScanKind::Dependencies),
        ..findings.into_run("pip-audit")
    };
    one("pip-audit-json", run)
}
