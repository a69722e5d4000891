//! Which format a report has, told by its first block, and whom to ask then.
//! A file that looks like two formats is refused: two tools could read two things.

use std::path::Path;

use crate::facts::{ScanFormat, ScanRun};

use super::glimpse::Glimpse;
use super::intake::Blocks;
use super::stream::{Stream, Trouble};
use super::{gitlab_reports, inventory, measures, native, sarif};

/// The name of a format and what its reader made of the report.
pub(super) type Read = Result<(String, Vec<ScanRun>), Trouble>;
type Reader = fn(&mut Stream<'_>, &Path) -> Read;

/// Reads the report in the format that it is said to have, else in the one that it shows.
pub(super) fn read(
    blocks: &mut Blocks,
    root: &Path,
    said: Option<ScanFormat>,
) -> Result<(String, Vec<ScanRun>), String> {
    let (format, runs) = match said {
        Some(said) => read_as(said, blocks, root)?,
        None => detect(blocks, root)?,
    };
    // No tool at all is no clean one.
    if runs.is_empty() {
        return Err("no tool reports in it".to_owned());
    }
    Ok((format, runs))
}

fn read_as(
    said: ScanFormat,
    blocks: &mut Blocks,
    root: &Path,
) -> Result<(String, Vec<ScanRun>), String> {
    let reader: Reader = match said {
        ScanFormat::Sarif => sarif::read,
        ScanFormat::Gitlab => gitlab_reports::security::read,
        ScanFormat::GitlabCodequality => gitlab_reports::quality::read,
        ScanFormat::Semgrep => native::semgrep::read,
        ScanFormat::Bandit => native::bandit::read,
        ScanFormat::OsvScanner => native::osv_scanner::read,
        ScanFormat::Trivy => native::trivy::read,
        ScanFormat::Grype => native::grype::read,
        ScanFormat::Gitleaks => native::gitleaks::read,
        ScanFormat::Trufflehog => native::trufflehog::read,
        ScanFormat::NpmAudit => native::npm_audit::read,
        ScanFormat::PipAudit => native::pip_audit::read,
        ScanFormat::CargoAudit => native::cargo_audit::read,
        ScanFormat::Checkov => native::checkov::read,
        ScanFormat::Zizmor => native::zizmor::read,
        ScanFormat::Njsscan => native::njsscan::read,
        ScanFormat::Cyclonedx => inventory::cyclonedx::read,
        ScanFormat::Spdx => inventory::spdx::read,
        ScanFormat::Openvex => inventory::openvex::read,
        ScanFormat::Lcov => return measures::lcov(blocks),
        ScanFormat::Junit | ScanFormat::Cobertura | ScanFormat::Jacoco => {
            let (format, runs) = measures::xml(blocks, root)?;
            if format != said.word() {
                return Err(format!("it is {format}, not {}", said.word()));
            }
            return Ok((format, runs));
        }
    };
    reader(&mut Stream::new(blocks), root).map_err(|trouble| trouble.to_string())
}

fn detect(blocks: &mut Blocks, root: &Path) -> Result<(String, Vec<ScanRun>), String> {
    let first = blocks
        .head()
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'<') => measures::xml(blocks, root),
        Some(b'{' | b'[') => {
            let reader = reader_of(blocks.head())?;
            reader(&mut Stream::new(blocks), root).map_err(|trouble| trouble.to_string())
        }
        Some(b'T' | b'S') if measures::is_lcov(blocks.head()) => measures::lcov(blocks),
        // What is neither is told by SARIF's reader, with its place.
        _ => sarif::read(&mut Stream::new(blocks), root).map_err(|trouble| trouble.to_string()),
    }
}

/// The reader of a JSON report.
fn reader_of(head: &[u8]) -> Result<Reader, String> {
    let seen = Glimpse::of(head);
    let formats = signatures(&seen);
    match formats.as_slice() {
        [(_, reader)] => Ok(*reader),
        // Of a report of SARIF the first block may show nothing of use.
        [] if seen.is_object => Ok(sarif::read),
        [] if seen.is_empty => Err(
            "an empty list names no tool, so it does not say that one ran; hand in SARIF"
                .to_owned(),
        ),
        [] => Err("it is no report of a format that is read, such as SARIF".to_owned()),
        more => {
            let names: Vec<&str> = more.iter().map(|(name, _)| *name).collect();
            Err(format!("it looks like {} at once", names.join(" and ")))
        }
    }
}

fn signatures(seen: &Glimpse) -> Vec<(&'static str, Reader)> {
    let has = |path: &str| seen.paths.contains(path);
    let all = |paths: &[&str]| paths.iter().all(|path| has(path));
    let cyclonedx = has("bomFormat");
    let gitlab = has("vulnerabilities[]") && !cyclonedx;
    let only_results = all(&["results[]"])
        && seen
            .top
            .iter()
            .all(|key| matches!(key.as_str(), "results" | "experimental_config"));
    let table: [(bool, &'static str, Reader); 21] = [
        (has("runs[]"), "SARIF", sarif::read),
        (gitlab, "a GitLab report", gitlab_reports::security::read),
        (
            all(&["[].fingerprint", "[].description"]),
            "GitLab code quality",
            gitlab_reports::quality::read,
        ),
        (
            all(&["results[]", "paths{}", "errors[]"]),
            "semgrep",
            native::semgrep::read,
        ),
        (
            all(&["results[]", "metrics{}", "errors[]"]),
            "bandit",
            native::bandit::read,
        ),
        (
            has("results[].packages[]") || only_results,
            "osv-scanner",
            native::osv_scanner::read,
        ),
        (
            all(&["SchemaVersion", "ArtifactName"]),
            "trivy",
            native::trivy::read,
        ),
        (
            all(&["matches[]", "descriptor{}"]),
            "grype",
            native::grype::read,
        ),
        (has("[].RuleID"), "gitleaks", native::gitleaks::read),
        (
            all(&["SourceMetadata{}", "DetectorName"]),
            "trufflehog",
            native::trufflehog::read,
        ),
        (
            has("auditReportVersion"),
            "npm audit",
            native::npm_audit::read,
        ),
        (
            has("dependencies[]") && !cyclonedx,
            "pip-audit",
            native::pip_audit::read,
        ),
        (
            all(&["lockfile{}", "vulnerabilities{}"]),
            "cargo-audit",
            native::cargo_audit::read,
        ),
        (
            has("check_type") || has("[].check_type") || has("checkov_version"),
            "checkov",
            native::checkov::read,
        ),
        (
            all(&["[].ident", "[].determinations{}"]),
            "zizmor",
            native::zizmor::read,
        ),
        (has("njsscan_version"), "njsscan", native::njsscan::read),
        (cyclonedx, "CycloneDX", inventory::cyclonedx::read),
        (has("spdxVersion"), "SPDX", inventory::spdx::read),
        (
            all(&["@context", "statements[]"]),
            "OpenVEX",
            inventory::openvex::read,
        ),
        (has("error{}"), "an error message", refuse_error),
        (has("advisories{}"), "an old npm audit", refuse_old_npm),
    ];
    let fitting = table.into_iter().filter(|(fits, _, _)| *fits);
    fitting.map(|(_, name, reader)| (name, reader)).collect()
}

fn refuse_error(stream: &mut Stream<'_>, _: &Path) -> Read {
    Err(stream.trouble("the tool wrote an error instead of a report"))
}

fn refuse_old_npm(stream: &mut Stream<'_>, _: &Path) -> Read {
    Err(stream.trouble("reports of npm before version 7 are not read; hand in a newer one"))
}
