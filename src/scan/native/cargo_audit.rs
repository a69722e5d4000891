//! `cargo audit --json`. Advisories carry a CVSS vector and no rating, so they count
//! as high; warnings (unmaintained, unsound, yanked) have a kind that rates them. Ids
//! that the settings ignore are findings that somebody suppressed without a reason.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun, Severity, SeverityOrigin};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen, State};
use crate::scan::stream::Stream;

use super::one;

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Database {
    advisory_count: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lockfile {
    dependency_count: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Settings {
    #[serde(default)]
    ignore: Vec<String>,
}

#[derive(Deserialize)]
struct Hit {
    advisory: Option<Advisory>,
    #[serde(default)]
    package: Package,
}

#[derive(Deserialize)]
struct Advisory {
    id: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Package {
    name: Option<String>,
    version: Option<String>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut ended = false;
    let mut database = Database::default();
    let mut lockfile = Lockfile::default();
    let mut settings = Settings::default();
    const KEYS: &[&str] = &[
        "database",
        "lockfile",
        "settings",
        "vulnerabilities",
        "warnings",
    ];
    stream.object("a cargo-audit report", KEYS, &mut |stream, key| {
        match key {
            "database" => database = stream.value()?,
            "lockfile" => lockfile = stream.value()?,
            "settings" => settings = stream.value()?,
            "vulnerabilities" => {
                let high = (Severity::High, SeverityOrigin::Assumed);
                stream.object("`vulnerabilities`", &["list"], &mut |stream, _| {
                    ended = stream.values("`list`", |hit: Hit| {
                        add(&mut findings, &hit, high, root);
                        Ok(())
                    })?;
                    Ok(())
                })?;
            }
            _ => {
                stream.entries("`warnings`", &mut |stream, kind| {
                    let severity = match kind {
                        "unmaintained" | "yanked" | "notice" => Severity::Low,
                        "unsound" => Severity::Medium,
                        _ => Severity::High,
                    };
                    stream.values("a list of warnings", |hit: Hit| {
                        add(&mut findings, &hit, (severity, SeverityOrigin::Rule), root);
                        Ok(())
                    })?;
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    for id in &settings.ignore {
        let seen = Seen {
            rule: Some(id),
            state: State::Suppressed { explained: false },
            ..Seen::default()
        };
        findings.add(&seen, root);
    }
    let left_out = if database.advisory_count.unwrap_or(0) == 0 {
        Some("it had no advisory data".to_owned())
    } else if lockfile.dependency_count.unwrap_or(0) == 0 {
        Some("it names no dependency that it looked at".to_owned())
    } else {
        None
    };
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        left_out,
        kind: Some(ScanKind::Dependencies),
        ..findings.into_run("cargo-audit")
    };
    one("cargo-audit-json", run)
}

fn add(findings: &mut Reduction, hit: &Hit, rating: (Severity, SeverityOrigin), root: &Path) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let place = format!("{}@{}", text(&hit.package.name), text(&hit.package.version));
    let id = hit
        .advisory
        .as_ref()
        .and_then(|advisory| advisory.id.as_deref());
    let seen = Seen {
        rule: id,
        ids: hit
            .advisory
            .iter()
            .flat_map(|one| &one.aliases)
            .map(String::as_str)
            .collect(),
        rating,
        path: Some(&place),
        ..Seen::default()
    };
    findings.add(&seen, root);
}
