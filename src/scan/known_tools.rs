//! What a tool looks for, by its name: SARIF does not say. Only tools that look
//! for one thing stand here.

use crate::facts::ScanKind;

const TOOLS: &[(&str, ScanKind)] = &[
    ("bandit", ScanKind::Sast),
    ("brakeman", ScanKind::Sast),
    ("codeql", ScanKind::Sast),
    ("gosec", ScanKind::Sast),
    ("njsscan", ScanKind::Sast),
    ("gitleaks", ScanKind::Secrets),
    ("trufflehog", ScanKind::Secrets),
    ("detect-secrets", ScanKind::Secrets),
    ("grype", ScanKind::Dependencies),
    ("osv-scanner", ScanKind::Dependencies),
    ("checkov", ScanKind::Iac),
    ("kics", ScanKind::Iac),
    ("tfsec", ScanKind::Iac),
    ("terrascan", ScanKind::Iac),
];

/// The kind of a tool that does one thing only.
pub(super) fn kind_of(tool: &str) -> Option<ScanKind> {
    let is = |known: &str| {
        tool.split_whitespace()
            .any(|word| word.eq_ignore_ascii_case(known))
    };
    TOOLS
        .iter()
        .find(|(known, _)| is(known))
        .map(|(_, kind)| *kind)
}
