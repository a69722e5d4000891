//! CycloneDX as JSON: components with their licences, and VEX statements if there
//! are any. <https://cyclonedx.org/specification/overview/>

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::facts::{Measured, ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::stream::Stream;

use super::count;

#[derive(Default, Deserialize)]
struct Metadata {
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    licenses: Vec<Choice>,
    #[serde(default)]
    components: Vec<Self>,
}

#[derive(Deserialize)]
struct Choice {
    license: Option<License>,
    expression: Option<String>,
}

#[derive(Deserialize)]
struct License {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    analysis: Option<Analysis>,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<String>,
    justification: Option<String>,
    detail: Option<String>,
}

#[derive(Default)]
struct Components {
    total: u64,
    unlicensed: u64,
    licences: BTreeMap<String, u64>,
}

impl Components {
    fn add(&mut self, component: &Component) {
        self.total += 1;
        let mut named = false;
        for choice in &component.licenses {
            let license = choice.license.as_ref();
            let name = license.and_then(|license| license.id.as_ref().or(license.name.as_ref()));
            if let Some(name) = choice.expression.as_ref().or(name) {
                named = true;
                count(&mut self.licences, name);
            }
        }
        self.unlicensed += u64::from(!named);
        // How deep they nest is bounded by the parser.
        for inner in &component.components {
            self.add(inner);
        }
    }
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, _: &Path) -> Read {
    let mut format: Option<String> = None;
    let mut version: Option<String> = None;
    let mut metadata = Metadata::default();
    let mut components = Components::default();
    let mut by_status = BTreeMap::new();
    let mut unjustified = 0;
    let (mut has_components, mut has_statements) = (false, false);
    const KEYS: &[&str] = &[
        "bomFormat",
        "specVersion",
        "metadata",
        "components",
        "vulnerabilities",
    ];
    stream.object("a CycloneDX document", KEYS, &mut |stream, key| {
        match key {
            "bomFormat" => format = stream.value()?,
            "specVersion" => version = stream.value()?,
            "metadata" => metadata = stream.value()?,
            "components" => {
                has_components = stream.values("`components`", |component: Component| {
                    components.add(&component);
                    Ok(())
                })?;
            }
            _ => {
                stream.values("`vulnerabilities`", |vulnerability: Vulnerability| {
                    let Some(analysis) = vulnerability.analysis else {
                        return Ok(());
                    };
                    has_statements = true;
                    let state = analysis.state.unwrap_or_default();
                    let justified = analysis.justification.or(analysis.detail);
                    let justified = justified.is_some_and(|text| !text.trim().is_empty());
                    unjustified += u64::from(state == "not_affected" && !justified);
                    count(&mut by_status, &state);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    let version = version.unwrap_or_default();
    let known = matches!(
        version.as_str(),
        "1.2" | "1.3" | "1.4" | "1.5" | "1.6" | "1.7"
    );
    if format.as_deref() != Some("CycloneDX") || !known {
        return Err(stream.trouble("not a version of CycloneDX that is read (1.2 to 1.7)"));
    }
    let ended_at = metadata.timestamp.and_then(|time| time.parse().ok());
    let mut runs = Vec::new();
    if has_components || !has_statements {
        runs.push(ScanRun {
            execution_successful: (!has_components).then_some(false),
            ended_at,
            kind: Some(ScanKind::Sbom),
            left_out: (components.total == 0).then(|| "it names no component".to_owned()),
            measured: Some(Measured::Components {
                total: components.total,
                unlicensed: components.unlicensed,
                licences: components.licences,
            }),
            ..ScanRun::of("CycloneDX")
        });
    }
    if has_statements {
        runs.push(ScanRun {
            ended_at,
            kind: Some(ScanKind::Vex),
            measured: Some(Measured::Statements {
                by_status,
                unjustified,
            }),
            ..ScanRun::of("CycloneDX")
        });
    }
    Ok((format!("cyclonedx-{version}"), runs))
}
