//! SPDX 2 as JSON: <https://spdx.github.io/spdx-spec/v2.3/>

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::facts::{Measured, ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::place;
use crate::scan::stream::Stream;

use super::count;

#[derive(Default, Deserialize)]
struct Creation {
    created: Option<String>,
    #[serde(default)]
    creators: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    license_concluded: Option<String>,
    license_declared: Option<String>,
}

impl Package {
    /// What was concluded, else what was declared; neither counts without a value.
    fn licence(&self) -> Option<&str> {
        [&self.license_concluded, &self.license_declared]
            .into_iter()
            .filter_map(|licence| licence.as_deref())
            .find(|licence| !matches!(licence.trim(), "" | "NOASSERTION" | "NONE"))
    }
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, _: &Path) -> Read {
    let mut version: Option<String> = None;
    let mut creation = Creation::default();
    let (mut total, mut unlicensed) = (0, 0);
    let mut licences = BTreeMap::new();
    let mut ended = false;
    const KEYS: &[&str] = &["spdxVersion", "creationInfo", "packages"];
    stream.object("an SPDX document", KEYS, &mut |stream, key| {
        match key {
            "spdxVersion" => version = stream.value()?,
            "creationInfo" => creation = stream.value()?,
            _ => {
                ended = stream.values("`packages`", |package: Package| {
                    total += 1;
                    match package.licence() {
                        Some(licence) => count(&mut licences, licence),
                        None => unlicensed += 1,
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    let version = version.unwrap_or_default();
    if !matches!(version.as_str(), "SPDX-2.2" | "SPDX-2.3") {
        return Err(stream.trouble("not a version of SPDX that is read (2.2 and 2.3)"));
    }
    let tool = creation
        .creators
        .iter()
        .find_map(|creator| creator.strip_prefix("Tool:"));
    let tool = tool.map(place::shown).filter(|tool| !tool.is_empty());
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        ended_at: creation.created.and_then(|time| time.parse().ok()),
        kind: Some(ScanKind::Sbom),
        left_out: (total == 0).then(|| "it names no component".to_owned()),
        measured: Some(Measured::Components {
            total,
            unlicensed,
            licences,
        }),
        ..ScanRun::of(tool.unwrap_or_else(|| "an unnamed tool".to_owned()))
    };
    Ok((version.to_ascii_lowercase(), vec![run]))
}
