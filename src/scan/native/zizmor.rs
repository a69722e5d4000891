//! `zizmor --format json`: a list of findings on pipelines.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::rating;
use crate::scan::reduction::{Reduction, Seen, State};
use crate::scan::stream::Stream;

use super::{line, one};

#[derive(Deserialize)]
struct Audit {
    ident: Option<String>,
    #[serde(default)]
    determinations: Determinations,
    #[serde(default)]
    locations: Vec<Location>,
    ignored: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Determinations {
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Location {
    symbolic: Option<Symbolic>,
    concrete: Option<Concrete>,
}

#[derive(Deserialize)]
struct Symbolic {
    key: Option<Key>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "Local")]
    local: Option<Local>,
}

#[derive(Deserialize)]
struct Local {
    given_path: Option<String>,
}

#[derive(Deserialize)]
struct Concrete {
    location: Option<Span>,
}

#[derive(Deserialize)]
struct Span {
    start_point: Option<Point>,
}

#[derive(Deserialize)]
struct Point {
    row: Option<i64>,
}

impl Location {
    fn path(&self) -> Option<&str> {
        let local = self.symbolic.as_ref()?.key.as_ref()?.local.as_ref()?;
        local.given_path.as_deref()
    }

    /// Rows are counted from 0 on.
    fn line(&self) -> Option<i64> {
        let start = self
            .concrete
            .as_ref()?
            .location
            .as_ref()?
            .start_point
            .as_ref()?;
        start.row?.checked_add(1)
    }
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    stream.document(|audit: Audit| {
        let place = audit.locations.first();
        let seen = Seen {
            rule: audit.ident.as_deref(),
            rating: rating::of_word(audit.determinations.severity.as_deref()),
            path: place.and_then(Location::path),
            line: line(place.and_then(Location::line)),
            state: match audit.ignored {
                Some(true) => State::Suppressed { explained: false },
                _ => State::Open,
            },
            ..Seen::default()
        };
        findings.add(&seen, root);
        Ok(())
    })?;
    let run = ScanRun {
        kind: Some(ScanKind::Sast),
        ..findings.into_run("zizmor")
    };
    one("zizmor-json", run)
}
