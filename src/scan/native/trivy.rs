//! `trivy --format json`, schema 2: one run for each thing that it looked for.
//!
//! A part that found nothing is left out of the report, so that a clean search for
//! vulnerabilities looks like none. Only what stands there counts as looked for;
//! packages without any are a further run whose kind is not told.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen, State};
use crate::scan::stream::Step;
use crate::scan::stream::Stream;
use crate::scan::{place, rating};

use super::line;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Hit {
    #[serde(rename = "VulnerabilityID")]
    vulnerability: Option<String>,
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "RuleID")]
    rule: Option<String>,
    pkg_name: Option<String>,
    installed_version: Option<String>,
    severity: Option<String>,
    status: Option<String>,
    start_line: Option<i64>,
    cause_metadata: Option<Cause>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cause {
    start_line: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Modified {
    r#type: Option<String>,
    statement: Option<String>,
    finding: Option<Hit>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    commit: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Program {
    version: Option<String>,
}

#[derive(Default)]
struct Report {
    /// Vulnerabilities, misconfigurations, secrets; `None`: nothing says that it looked.
    vulnerabilities: Option<Reduction>,
    misconfigurations: Option<Reduction>,
    secrets: Option<Reduction>,
    /// Whether packages are listed: then it may have looked for vulnerabilities, or not.
    packages: bool,
    results: u64,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut report = Report::default();
    let mut schema: Option<u64> = None;
    let mut created: Option<String> = None;
    let mut artifact: Option<String> = None;
    let mut metadata = Metadata::default();
    let mut program = Program::default();
    const KEYS: &[&str] = &[
        "SchemaVersion",
        "CreatedAt",
        "ArtifactType",
        "Metadata",
        "Trivy",
        "Results",
    ];
    stream.object("a trivy report", KEYS, &mut |stream, key| {
        match key {
            "SchemaVersion" => schema = stream.value()?,
            "CreatedAt" => created = stream.value()?,
            "ArtifactType" => artifact = stream.value()?,
            "Metadata" => metadata = stream.value()?,
            "Trivy" => program = stream.value()?,
            _ => {
                stream.array("`Results`", &mut |stream| report.result(stream, root))?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    if schema != Some(2) {
        return Err(stream.trouble("not a version of trivy's reports that is read (2)"));
    }
    let dependencies = match artifact.as_deref() {
        Some("container_image") => ScanKind::Container,
        _ => ScanKind::Dependencies,
    };
    let nothing = report.results == 0;
    let has_vulnerabilities = report.vulnerabilities.is_some();
    let parts = [
        (Some(dependencies), report.vulnerabilities),
        (Some(ScanKind::Iac), report.misconfigurations),
        (Some(ScanKind::Secrets), report.secrets),
    ];
    let mut parts: Vec<_> = parts
        .into_iter()
        .filter_map(|(kind, part)| Some((kind, part?)))
        .collect();
    // Found nothing, or did not look: only who ran it can tell.
    if parts.is_empty() || (report.packages && !has_vulnerabilities) {
        parts.push((None, Reduction::default()));
    }
    let ended_at = created.and_then(|time| time.parse().ok());
    let version = program.version.map(|version| place::shown(&version));
    let revision = metadata.commit.filter(|commit| !commit.is_empty());
    let runs = parts.into_iter().map(|(kind, part)| ScanRun {
        version: version.clone(),
        revision: revision.as_deref().map(place::shown),
        ended_at,
        kind,
        left_out: nothing.then(|| "nothing was looked at".to_owned()),
        ..part.into_run("trivy")
    });
    Ok(("trivy-json".to_owned(), runs.collect()))
}

impl Report {
    fn result(&mut self, stream: &mut Stream<'_>, root: &Path) -> Step {
        self.results += 1;
        let mut target: Option<String> = None;
        const KEYS: &[&str] = &[
            "Target",
            "Class",
            "Vulnerabilities",
            "Misconfigurations",
            "MisconfSummary",
            "Secrets",
            "ExperimentalModifiedFindings",
        ];
        stream.object("a result", KEYS, &mut |stream, key| {
            let part = match key {
                "Target" => {
                    target = stream.value()?;
                    return Ok(());
                }
                "Class" => {
                    let class: Option<String> = stream.value()?;
                    self.packages |= matches!(class.as_deref(), Some("lang-pkgs" | "os-pkgs"));
                    return Ok(());
                }
                "MisconfSummary" => {
                    self.misconfigurations.get_or_insert_default();
                    return stream.skip();
                }
                "ExperimentalModifiedFindings" => {
                    return self.modified(stream, target.as_deref(), root);
                }
                "Vulnerabilities" => &mut self.vulnerabilities,
                "Misconfigurations" => &mut self.misconfigurations,
                _ => &mut self.secrets,
            };
            let part = part.get_or_insert_default();
            stream.values("a list of findings", |hit: Hit| {
                if hit.is_finding() {
                    hit.add(part, (State::Open, None), target.as_deref(), root);
                }
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    }

    /// What ignore files and VEX documents took away.
    fn modified(&mut self, stream: &mut Stream<'_>, target: Option<&str>, root: &Path) -> Step {
        stream.values("`ExperimentalModifiedFindings`", |each: Modified| {
            let part = match each.r#type.as_deref() {
                Some("misconfiguration") => &mut self.misconfigurations,
                Some("secret") => &mut self.secrets,
                _ => &mut self.vulnerabilities,
            };
            let statement = each.statement.as_deref().unwrap_or_default();
            let explained = !statement.trim().is_empty();
            if let Some(hit) = each.finding {
                let state = (State::Suppressed { explained }, Some(statement));
                hit.add(part.get_or_insert_default(), state, target, root);
            }
            Ok(())
        })?;
        Ok(())
    }
}

impl Hit {
    /// Misconfigurations that passed stand in the list too, if asked for.
    fn is_finding(&self) -> bool {
        self.vulnerability.is_some() || self.status.as_deref() != Some("PASS")
    }

    fn add(
        &self,
        part: &mut Reduction,
        (state, reason): (State, Option<&str>),
        target: Option<&str>,
        root: &Path,
    ) {
        let package = self.pkg_name.as_ref().map(|name| {
            let version = self.installed_version.as_deref().unwrap_or_default();
            format!("{name}@{version}")
        });
        let cause = self
            .cause_metadata
            .as_ref()
            .and_then(|cause| cause.start_line);
        let rule = self
            .vulnerability
            .as_ref()
            .or(self.rule.as_ref())
            .or(self.id.as_ref());
        let seen = Seen {
            rule: rule.map(String::as_str),
            rating: rating::of_word(self.severity.as_deref()),
            path: package.as_deref().or(target),
            line: line(self.start_line.or(cause)),
            state,
            reason,
            ..Seen::default()
        };
        part.add(&seen, root);
    }
}
