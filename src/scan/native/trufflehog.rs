//! `trufflehog --json`: one object a finding, one after the other. A verified
//! secret is critical, because it works; the others count as high.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun, Severity, SeverityOrigin};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;

use super::{line, one};

#[derive(Deserialize)]
struct Leak {
    #[serde(rename = "DetectorName")]
    detector: Option<String>,
    #[serde(rename = "Verified")]
    verified: Option<bool>,
    #[serde(rename = "SourceMetadata", default)]
    source: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(rename = "Data", default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(rename = "Filesystem")]
    filesystem: Option<Place>,
    #[serde(rename = "Git")]
    git: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    file: Option<String>,
    line: Option<i64>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    // It writes nothing where it finds nothing; so does a tool that did not start.
    if stream.peek()?.is_none() {
        return Err(stream.trouble("the report is empty"));
    }
    while stream.peek()?.is_some() {
        let leak: Leak = stream.value()?;
        let Some(detector) = leak.detector else {
            return Err(stream.trouble("a finding does not name its detector"));
        };
        let place = leak.source.data.git.or(leak.source.data.filesystem);
        let seen = Seen {
            rule: Some(&detector),
            rating: match leak.verified {
                Some(true) => (Severity::Critical, SeverityOrigin::Finding),
                _ => (Severity::High, SeverityOrigin::Assumed),
            },
            path: place.as_ref().and_then(|place| place.file.as_deref()),
            line: line(place.as_ref().and_then(|place| place.line)),
            ..Seen::default()
        };
        findings.add(&seen, root);
    }
    let run = ScanRun {
        kind: Some(ScanKind::Secrets),
        ..findings.into_run("trufflehog")
    };
    one("trufflehog-json", run)
}
