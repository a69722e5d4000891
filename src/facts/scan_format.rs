//! The formats of scan reports by their names in policies. What they look like is
//! known to their readers only.

/// A format that a report can be said to have, where its content does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScanFormat {
    /// SARIF 2.1.0 and its pre-releases.
    Sarif,
    /// GitLab's security reports.
    Gitlab,
    /// GitLab's code quality report.
    GitlabCodequality,
    /// `semgrep --json`.
    Semgrep,
    /// `bandit -f json`.
    Bandit,
    /// `osv-scanner --format json`.
    OsvScanner,
    /// `trivy --format json`.
    Trivy,
    /// `grype -o json`.
    Grype,
    /// `gitleaks --report-format json`.
    Gitleaks,
    /// `trufflehog --json`.
    Trufflehog,
    /// `npm audit --json`.
    NpmAudit,
    /// `pip-audit -f json`.
    PipAudit,
    /// `cargo audit --json`.
    CargoAudit,
    /// `checkov -o json`.
    Checkov,
    /// `zizmor --format json`.
    Zizmor,
    /// `njsscan --json`.
    Njsscan,
    /// CycloneDX as JSON, components or statements.
    Cyclonedx,
    /// SPDX 2 as JSON.
    Spdx,
    /// OpenVEX.
    Openvex,
    /// JUnit's XML.
    Junit,
    /// Cobertura's XML.
    Cobertura,
    /// JaCoCo's XML.
    Jacoco,
    /// LCOV's tracefile.
    Lcov,
}

impl ScanFormat {
    /// Each with its name in policies.
    pub const ALL: [(&'static str, Self); 23] = [
        ("sarif", Self::Sarif),
        ("gitlab", Self::Gitlab),
        ("gitlab-codequality", Self::GitlabCodequality),
        ("semgrep", Self::Semgrep),
        ("bandit", Self::Bandit),
        ("osv-scanner", Self::OsvScanner),
        ("trivy", Self::Trivy),
        ("grype", Self::Grype),
        ("gitleaks", Self::Gitleaks),
        ("trufflehog", Self::Trufflehog),
        ("npm-audit", Self::NpmAudit),
        ("pip-audit", Self::PipAudit),
        ("cargo-audit", Self::CargoAudit),
        ("checkov", Self::Checkov),
        ("zizmor", Self::Zizmor),
        ("njsscan", Self::Njsscan),
        ("cyclonedx", Self::Cyclonedx),
        ("spdx", Self::Spdx),
        ("openvex", Self::Openvex),
        ("junit", Self::Junit),
        ("cobertura", Self::Cobertura),
        ("jacoco", Self::Jacoco),
        ("lcov", Self::Lcov),
    ];

    /// Its name in policies.
    pub fn word(self) -> &'static str {
        let own = Self::ALL.iter().find(|(_, format)| *format == self);
        own.map_or("", |(word, _)| word)
    }
}
