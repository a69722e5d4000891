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
use crate::scan::stream::Stream;

use super::one;

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    package: Name,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
    #[serde(default)]
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
        ended = stream.values("`results`", |found: Found| {
            packages += found.packages.len();
            for package in &found.packages {
                add(&mut findings, package, root);
            }
            Ok(())
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
