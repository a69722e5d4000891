//! GitLab's security reports, schemas 14 and 15, of all scan types.
//! <https://gitlab.com/gitlab-org/security-products/security-report-schemas>
//!
//! Infrastructure scans call themselves `sast` there; the scanner's name tells them apart.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::Stream;
use crate::scan::{known_tools, place, rating};

#[derive(Default, Deserialize)]
struct Scan {
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    end_time: Option<String>,
    scanner: Option<Scanner>,
}

#[derive(Deserialize)]
struct Scanner {
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    severity: Option<String>,
    scanner: Option<Scanner>,
    #[serde(default)]
    location: Location,
    #[serde(default)]
    identifiers: Vec<Identifier>,
}

#[derive(Default, Deserialize)]
struct Location {
    file: Option<String>,
    start_line: Option<i64>,
    image: Option<String>,
    path: Option<String>,
    dependency: Option<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    package: Option<Package>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    value: Option<String>,
}

impl Location {
    /// The dependency if it is one, else the file, image or path.
    fn place(&self) -> Option<String> {
        let dependency = self.dependency.as_ref().and_then(|dependency| {
            let name = dependency.package.as_ref()?.name.as_deref()?;
            Some(match &dependency.version {
                Some(version) => format!("{name}@{version}"),
                None => name.to_owned(),
            })
        });
        let file = self.file.as_ref().or(self.image.as_ref());
        dependency.or_else(|| file.or(self.path.as_ref()).cloned())
    }
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut version: Option<String> = None;
    let mut scan: Option<Scan> = None;
    let mut findings = Reduction::default();
    let mut first_tool = None;
    let mut has_findings = false;
    const KEYS: &[&str] = &["version", "scan", "vulnerabilities"];
    stream.object("a GitLab report", KEYS, &mut |stream, key| {
        match key {
            "version" => version = stream.value()?,
            "scan" => scan = stream.value()?,
            _ => {
                has_findings = stream.values("`vulnerabilities`", |each: Vulnerability| {
                    let place = each.location.place();
                    let line = each.location.start_line;
                    findings.add(
                        &Seen {
                            rule: each
                                .identifiers
                                .first()
                                .and_then(|one| one.value.as_deref()),
                            ids: {
                                let others = each.identifiers.iter().skip(1);
                                others.filter_map(|one| one.value.as_deref()).collect()
                            },
                            rating: rating::of_word(each.severity.as_deref()),
                            path: place.as_deref(),
                            line: line.and_then(|line| u64::try_from(line).ok()),
                            own_fingerprint: each.cve.as_deref(),
                            ..Seen::default()
                        },
                        root,
                    );
                    if first_tool.is_none() {
                        first_tool = each.scanner;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    let Some(version) = version else {
        return Err(stream.trouble("not a GitLab report: it has no `version`"));
    };
    let known = version.starts_with("14.") || version.starts_with("15.");
    let digits = |character: char| character.is_ascii_digit() || character == '.';
    if !known || !version.chars().all(digits) || version.len() > 20 {
        return Err(stream.trouble("not a version of GitLab's reports that is read (14 and 15)"));
    }
    let scan = scan.unwrap_or_default();
    let scanner = scan.scanner.or(first_tool);
    let (id, name, tool_version) = scanner
        .map(|scanner| (scanner.id, scanner.name, scanner.version))
        .unwrap_or_default();
    let tool = place::shown(&name.or(id).unwrap_or_default());
    if tool.is_empty() {
        return Err(stream.trouble("the report does not name its tool"));
    }
    let run = ScanRun {
        version: tool_version.map(|version| place::shown(&version)),
        execution_successful: match scan.status.as_deref() {
            // No list: it did not come to its end.
            _ if !has_findings => Some(false),
            Some("success") => Some(true),
            Some(_) => Some(false),
            None => None,
        },
        ended_at: scan.end_time.as_deref().and_then(time),
        kind: kind(scan.kind.as_deref(), &tool),
        ..findings.into_run(tool)
    };
    Ok((format!("gitlab-{version}"), vec![run]))
}

/// Times carry no zone and are meant as UTC.
fn time(text: &str) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    text.parse()
        .ok()
        .or_else(|| Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

fn kind(word: Option<&str>, tool: &str) -> Option<ScanKind> {
    match word? {
        "sast" => match known_tools::kind_of(tool) {
            Some(ScanKind::Iac) => Some(ScanKind::Iac),
            _ => Some(ScanKind::Sast),
        },
        "secret_detection" => Some(ScanKind::Secrets),
        "dependency_scanning" => Some(ScanKind::Dependencies),
        "container_scanning" | "cluster_image_scanning" => Some(ScanKind::Container),
        "dast" | "api_fuzzing" | "coverage_fuzzing" => Some(ScanKind::Dast),
        _ => None,
    }
}
