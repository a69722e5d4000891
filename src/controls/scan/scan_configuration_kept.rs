//! SCAN-11: who changes what scanners look for has an owner of that agree.
//! What changed inside a file is not seen, so any change of it counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::change::areas::{self, Area};
use crate::controls::change::owners::Owners;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::path_glob::PathGlobs;
use crate::controls::tree::Tree;
use crate::criteria::{Criterion, Framework};
use crate::facts::{Definition, DefinitionFile, FactKey, Platform, Snapshot, Unknown};

/// Parameters of SCAN-11.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScanConfigurationKept {
    /// Patterns of files that tell scanners what to look for and what to leave out.
    #[schemars(with = "Vec<String>")]
    paths: PathGlobs,
    /// Words by which a job or a part of a pipeline is known to scan. A file of the
    /// target branch with such a job counts like one of `paths`.
    scanners: Vec<String>,
    /// Users (`@ana`) and teams (`@acme/security`) who own the scans. Nobody: anybody
    /// with write access, and one approval more.
    owners: Owners,
    /// Fewest approvals by owners; 0 counts as 1.
    min: u32,
}

/// What scanners read beside the code, by the names that their manuals give.
const PATHS: &[&str] = &[
    "**/.semgrepignore",
    "**/.semgrep.{yml,yaml}",
    "**/.semgrep/**",
    "**/.gitleaks.toml",
    "**/.gitleaksignore",
    "**/.gitleaksbaseline*",
    "**/.secrets.baseline",
    "**/.gitguardian.{yml,yaml}",
    "**/.trivyignore*",
    "**/trivy.{yml,yaml}",
    "**/trivy-secret.yaml",
    "**/.grype.{yml,yaml}",
    "**/.snyk",
    "**/.bandit*",
    "**/bandit.{yml,yaml}",
    "**/.checkov.{yml,yaml,baseline}",
    "**/.tfsec/**",
    "**/.tflint.hcl",
    "**/kics.config*",
    "**/osv-scanner.toml",
    "**/audit.toml",
    "**/deny.toml",
    "**/.nsprc",
    "**/audit-ci.{json,json5,jsonc}",
    "**/.njsscan",
    "**/zizmor.{yml,yaml}",
    "**/.zizmor.{yml,yaml}",
    "**/sonar-project.properties",
    "**/.vex/**",
    "**/*.{openvex,vex}.json",
    "**/.lgtm.yml",
    ".github/codeql/**",
    ".github/secret_scanning.yml",
    ".github/dependency-review-config.yml",
    ".gitlab/*-ruleset.toml",
];

const SCANNERS: &[&str] = &[
    "audit",
    "bandit",
    "brakeman",
    "cargo deny",
    "cargo-deny",
    "checkov",
    "codeql",
    "container_scanning",
    "container-scanning",
    "dast",
    "dependency_scanning",
    "dependency-review",
    "dependency-scanning",
    "detect-secrets",
    "gitleaks",
    "gosec",
    "grype",
    "kics",
    "njsscan",
    "osv-scanner",
    "sast",
    "secret_detection",
    "secret-detection",
    "semgrep",
    "snyk",
    "sonar",
    "tfsec",
    "trivy",
    "trufflehog",
    "upload-sarif",
    "zizmor",
];

impl Default for ScanConfigurationKept {
    fn default() -> Self {
        Self {
            paths: PathGlobs::literal(PATHS),
            scanners: SCANNERS.iter().map(|&word| word.to_owned()).collect(),
            owners: Owners::default(),
            min: 1,
        }
    }
}

impl Control for ScanConfigurationKept {
    const META: Meta = Meta {
        code: "SCAN-11",
        id: "scan-configuration-kept",
        title: "scans were not weakened in this change, or their owners approved it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.8"]),
            (Framework::PciDss, &["6.3.1", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "RA-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeFiles,
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
            FactKey::TeamMembers,
            FactKey::PipelineDefinition,
        ],
        rationale: "One line in an ignore file makes a scan clean, and the change that brings the \
                    weakness may bring that line as well.",
        cheat: "Adding an entry to an ignore file or a baseline beside the weakness, moving the \
                configuration away, or dropping the scan from the pipeline. Every such file counts \
                by both its paths, and so does a file of the pipeline with a job that scans. What a \
                comment in the code switches off is for `suppressions-explained`.",
        remedy_github: "ask an owner of the scans for a review of the newest commit, and set `owners` \
                        to a team",
        remedy_gitlab: "ask an owner of the scans for an approval of the newest commit, and set \
                        `owners` to a group",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let none = "the change touches nothing that tells scanners what to look for";
        let scanning = self.scanning(facts);
        let known = scanning.as_ref().map(|(known, _)| known);
        let verdict = areas::judge(facts, &self.areas(known.ok()), none)?;
        if let Verdict::Fail(_) = verdict {
            return Ok(verdict);
        }
        // A file that could not be read may hold a scan.
        let (_, unread) = scanning.map_err(|unknown| unknown.clone())?;
        let files = facts.files.known()?;
        for file in unread {
            if files
                .iter()
                .any(|changed| changed.paths().any(|path| path == file.path))
            {
                file.content.known()?;
            }
        }
        Ok(verdict)
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let scanning = self.scanning(facts);
        let known = scanning.as_ref().map(|(known, _)| known);
        Some(areas::tree(facts, &self.areas(known.ok())))
    }

    fn teams(&self) -> Vec<String> {
        self.owners.teams()
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let known = |word: &String| {
            self.scanners
                .iter()
                .any(|own| own.eq_ignore_ascii_case(word))
        };
        if let Some(word) = base.scanners.iter().find(|word| !known(word)) {
            return Some(format!("no longer knows `{word}` as a scanner"));
        }
        self.paths
            .left_out(&base.paths)
            .or_else(|| self.area(&self.paths).weaker_than(&base.area(&base.paths)))
    }
}

impl ScanConfigurationKept {
    fn area<'a>(&'a self, paths: &'a PathGlobs) -> Area<'a> {
        Area {
            paths,
            owners: &self.owners,
            min: self.min,
        }
    }

    fn areas<'a>(&'a self, scanning: Option<&'a PathGlobs>) -> Vec<Area<'a>> {
        std::iter::once(&self.paths)
            .chain(scanning)
            .map(|paths| self.area(paths))
            .collect()
    }

    /// The files of the pipeline that scan, and those that nobody could read.
    ///
    /// # Errors
    /// Why the definition could not be seen.
    fn scanning<'a>(
        &self,
        facts: &'a Snapshot,
    ) -> Result<(PathGlobs, Vec<&'a DefinitionFile>), Unknown> {
        let definition = facts.settings.definition.known()?;
        let mut paths = Vec::new();
        let mut unread = Vec::new();
        for file in &definition.files {
            match file.content.known() {
                Ok(content) if self.scans(content) => paths.push(file.path.as_str()),
                Ok(_) => {}
                Err(_) => unread.push(file),
            }
        }
        Ok((PathGlobs::exactly(&paths), unread))
    }

    /// Whether a job or a part of it is known to scan.
    fn scans(&self, definition: &Definition) -> bool {
        let names = |text: &str| {
            let text = text.to_ascii_lowercase();
            self.scanners
                .iter()
                .any(|word| !word.is_empty() && text.contains(&word.to_ascii_lowercase()))
        };
        definition.parts.iter().any(|part| names(&part.name))
            || definition
                .jobs
                .iter()
                .any(|job| names(&job.id) || job.does.iter().any(|step| names(step)))
    }
}

#[cfg(test)]
#[path = "scan_configuration_kept_tests.rs"]
mod tests;
