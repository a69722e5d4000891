//! GitLab's security reports, schemas 14 and 15, of all scan types.
//! <https://gitlab.com/gitlab-org/security-products/security-report-schemas>
//!
//! Infrastructure scans call themselves `sast` there; the scanner's name tells them apart.

use std::borrow::Cow;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::{InPlace, Stream};
use crate::scan::{known_tools, place, rating};

#[derive(Default, Deserialize)]
struct Scan {
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    end_time: Option<String>,
    scanner: Option<Scanner>,
}

#[derive(Default, Deserialize)]
struct Scanner {
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

/// A text that is copied only where something in it is escaped: there are millions.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Vulnerability<'a> {
    #[serde(borrow)]
    cve: Option<Text<'a>>,
    #[serde(borrow)]
    severity: Option<Text<'a>>,
    #[serde(borrow)]
    scanner: Option<Named<'a>>,
    #[serde(borrow, default)]
    location: Location<'a>,
    #[serde(borrow, default)]
    identifiers: Vec<Identifier<'a>>,
}

impl InPlace for Vulnerability<'_> {
    type Of<'de> = Vulnerability<'de>;
}

/// A scanner that a finding names.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    version: Option<Text<'a>>,
}

impl Named<'_> {
    fn into_owned(self) -> Scanner {
        let owned = |text: Option<Text<'_>>| text.map(|text| text.0.into_owned());
        Scanner {
            id: owned(self.id),
            name: owned(self.name),
            version: owned(self.version),
        }
    }
}

#[derive(Default, Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    file: Option<Text<'a>>,
    start_line: Option<i64>,
    #[serde(borrow)]
    image: Option<Text<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    #[serde(borrow)]
    dependency: Option<Dependency<'a>>,
}

#[derive(Deserialize)]
struct Dependency<'a> {
    #[serde(borrow)]
    package: Option<Package<'a>>,
    #[serde(borrow)]
    version: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Identifier<'a> {
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

impl Identifier<'_> {
    fn value(&self) -> Option<&str> {
        Some(&*self.value.as_ref()?.0)
    }
}

impl Location<'_> {
    /// The dependency if it is one, else the file, image or path.
    fn place(&self) -> Option<Cow<'_, str>> {
        let dependency = self.dependency.as_ref().and_then(|dependency| {
            let Text(name) = dependency.package.as_ref()?.name.as_ref()?;
            Some(match &dependency.version {
                Some(Text(version)) => Cow::Owned(format!("{name}@{version}")),
                None => Cow::Borrowed(&**name),
            })
        });
        let file = self.file.as_ref().or(self.image.as_ref());
        let file = file.or(self.path.as_ref());
        dependency.or_else(|| Some(Cow::Borrowed(&*file?.0)))
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
                has_findings =
                    stream.looked_at::<Vulnerability<'_>>("`vulnerabilities`", |each| {
                        let place = each.location.place();
                        let line = each.location.start_line;
                        findings.add(
                            &Seen {
                                rule: each.identifiers.first().and_then(Identifier::value),
                                ids: {
                                    let others = each.identifiers.iter().skip(1);
                                    others.filter_map(Identifier::value).collect()
                                },
                                rating: rating::of_word(
                                    each.severity.as_ref().map(|word| &*word.0),
                                ),
                                path: place.as_deref(),
                                line: line.and_then(|line| u64::try_from(line).ok()),
                                own_fingerprint: each.cve.as_ref().map(|text| &*text.0),
                                ..Seen::default()
                            },
                            root,
                        );
                        if first_tool.is_none() {
                            first_tool = each.scanner.map(Named::into_owned);
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
