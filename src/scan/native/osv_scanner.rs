//! `osv-scanner --format json`. One finding for each group of ids that mean the
//! same vulnerability, rated by the worst score in it.
//!
//! By default only packages with a vulnerability stand there: a report without any is
//! the same whether all packages are sound or none was found. It has to list all.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun, Severity, SeverityOrigin};
use crate::scan::format::Read;
use crate::scan::rating;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::stream::{Step, Stream, Trouble};

use super::one;

/// Most vulnerabilities, and groups of them, of one package: a kernel has thousands.
const MOST_OF_A_PACKAGE: usize = 100_000;

#[derive(Default)]
struct Package {
    package: Name,
    vulnerabilities: Vec<Vulnerability>,
    groups: Vec<Group>,
}

#[derive(Default, Deserialize)]
struct Name {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    aliases: Vec<String>,
    max_severity: Option<String>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut ended = false;
    let mut packages = 0;
    stream.object("an osv-scanner report", &["results"], &mut |stream, _| {
        ended = stream.array("`results`", &mut |stream| {
            let is_object = stream.object("a result", &["packages"], &mut |stream, _| {
                let is_list = stream.array("`packages`", &mut |stream| {
                    packages += 1;
                    add(&mut findings, &Package::read(stream)?, root);
                    Ok(())
                })?;
                not_null(stream, is_list)
            })?;
            not_null(stream, is_object)
        })?;
        Ok(())
    })?;
    stream.end()?;
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        left_out: (packages == 0)
            .then(|| "it names no package that it looked at; let it list all packages".to_owned()),
        kind: Some(ScanKind::Dependencies),
        ..findings.into_run("osv-scanner")
    };
    one("osv-scanner-json", run)
}

fn not_null(stream: &Stream<'_>, is_there: bool) -> Step {
    if is_there {
        return Ok(());
    }
    Err(stream.trouble("a part of the report is null"))
}

impl Package {
    /// Piece by piece: all that is known of the vulnerabilities of a package stands in it.
    fn read(stream: &mut Stream<'_>) -> Result<Self, Trouble> {
        let mut read = Self::default();
        const KEYS: &[&str] = &["package", "vulnerabilities", "groups"];
        let is_object = stream.object("a package", KEYS, &mut |stream, key| {
            let is_there = match key {
                "package" => {
                    read.package = stream.value()?;
                    true
                }
                "vulnerabilities" => {
                    let all = &mut read.vulnerabilities;
                    stream.values("`vulnerabilities`", |each| put(all, each))?
                }
                _ => {
                    let all = &mut read.groups;
                    stream.values("`groups`", |each| put(all, each))?
                }
            };
            not_null(stream, is_there)
        })?;
        not_null(stream, is_object)?;
        Ok(read)
    }
}

fn put<T>(all: &mut Vec<T>, each: T) -> Result<(), String> {
    if all.len() >= MOST_OF_A_PACKAGE {
        return Err(format!(
            "a package has more than {MOST_OF_A_PACKAGE} vulnerabilities"
        ));
    }
    all.push(each);
    Ok(())
}

fn add(findings: &mut Reduction, package: &Package, root: &Path) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let place = format!(
        "{}@{}",
        text(&package.package.name),
        text(&package.package.version)
    );
    for group in &package.groups {
        let score: Option<f64> = group
            .max_severity
            .as_ref()
            .and_then(|score| score.parse().ok());
        let rating = score
            .and_then(rating::of_score)
            .map_or((Severity::High, SeverityOrigin::Assumed), |severity| {
                (severity, SeverityOrigin::Score)
            });
        let seen = Seen {
            rule: group.ids.first().map(String::as_str),
            ids: {
                let others = group.ids.iter().skip(1).chain(&group.aliases);
                others.map(String::as_str).collect()
            },
            rating,
            path: Some(&place),
            ..Seen::default()
        };
        findings.add(&seen, root);
    }
    let grouped = |id: &str| {
        package
            .groups
            .iter()
            .any(|group| group.ids.iter().any(|one| one == id))
    };
    for vulnerability in &package.vulnerabilities {
        let id = vulnerability.id.as_deref();
        if id.is_some_and(grouped) {
            continue;
        }
        let seen = Seen {
            rule: id,
            ids: vulnerability.aliases.iter().map(String::as_str).collect(),
            path: Some(&place),
            ..Seen::default()
        };
        findings.add(&seen, root);
    }
}
