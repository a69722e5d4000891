//! One small report of each format, written for these tests. Each holds the word
//! `hunter2` where a tool would repeat the secret, and a place to cut, turn and fill.

use crate::facts::Severity::{self, Critical, High, Low, Medium};

/// A report and what stands in it.
pub(super) struct Sample {
    pub(super) format: &'static str,
    pub(super) tool: &'static str,
    pub(super) text: &'static str,
    /// Open findings by severity over all runs, worst first.
    pub(super) open: &'static [(Severity, u64)],
}

const fn sample(
    format: &'static str,
    tool: &'static str,
    open: &'static [(Severity, u64)],
    text: &'static str,
) -> Sample {
    Sample {
        format,
        tool,
        text,
        open,
    }
}

pub(super) const SAMPLES: &[Sample] = &[
    sample(
        "sarif-2.1.0",
        "probe",
        &[(High, 1)],
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe"}},"results":[{"ruleId":"R1","level":"error","message":{"text":"hunter2"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.rs"},"region":{"startLine":7,"snippet":{"text":"hunter2"}}}}]}]}]}"#,
    ),
    sample(
        "gitlab-15.0.4",
        "Probe",
        &[(High, 1), (Low, 1)],
        r#"{"version":"15.0.4","vulnerabilities":[{"category":"sast","message":"hunter2","severity":"High","cve":"a","location":{"file":"src/a.rs","start_line":7},"identifiers":[{"type":"t","name":"R1","value":"R1"}]},{"severity":"Info","location":{"dependency":{"package":{"name":"left"},"version":"1"}},"identifiers":[]}],"scan":{"status":"success","type":"sast","end_time":"2026-01-02T03:04:05","scanner":{"id":"p","name":"Probe","version":"1.2"}}}"#,
    ),
    sample(
        "gitlab-codequality",
        "code quality",
        &[(Medium, 1)],
        r#"[{"description":"hunter2","check_name":"R1","fingerprint":"f1","severity":"minor","location":{"path":"src/a.rs","lines":{"begin":7}}}]"#,
    ),
    sample(
        "semgrep-json",
        "semgrep",
        &[(High, 1)],
        r#"{"version":"1.2","results":[{"check_id":"R1","path":"src/a.rs","start":{"line":7},"extra":{"severity":"ERROR","lines":"hunter2"}},{"check_id":"R2","path":"src/a.rs","start":{"line":9},"extra":{"severity":"INFO","is_ignored":true}}],"errors":[],"paths":{"scanned":["src/a.rs"]}}"#,
    ),
    sample(
        "bandit-json",
        "bandit",
        &[(Medium, 1)],
        r#"{"errors":[],"generated_at":"2026-01-02T03:04:05Z","metrics":{"_totals":{"loc":9}},"results":[{"code":"hunter2","filename":"src/a.py","issue_severity":"MEDIUM","line_number":7,"test_id":"R1"}]}"#,
    ),
    sample(
        "trivy-json",
        "trivy",
        &[(Critical, 1), (High, 1), (Low, 1)],
        r#"{"SchemaVersion":2,"Trivy":{"Version":"1.2"},"CreatedAt":"2026-01-02T03:04:05.5Z","ArtifactName":".","ArtifactType":"repository","Results":[{"Target":"Cargo.lock","Class":"lang-pkgs","Vulnerabilities":[{"VulnerabilityID":"CVE-1","PkgName":"left","InstalledVersion":"1","Severity":"CRITICAL"}]},{"Target":"Dockerfile","Class":"config","Misconfigurations":[{"ID":"D1","Severity":"LOW","Status":"FAIL","CauseMetadata":{"StartLine":7}},{"ID":"D2","Severity":"HIGH","Status":"PASS"}]},{"Target":"a.env","Class":"secret","Secrets":[{"RuleID":"S1","Severity":"HIGH","StartLine":7,"Match":"hunter2"}]}]}"#,
    ),
    sample(
        "grype-json",
        "grype",
        &[(High, 1)],
        r#"{"matches":[{"vulnerability":{"id":"CVE-1","severity":"High","description":"hunter2"},"artifact":{"name":"left","version":"1"}}],"ignoredMatches":[{"vulnerability":{"id":"CVE-2","severity":"Low"},"artifact":{"name":"left","version":"1"},"appliedIgnoreRules":[{"reason":"not reached"}]}],"source":{"type":"image"},"descriptor":{"name":"grype","version":"1.2","timestamp":"2026-01-02T03:04:05Z"}}"#,
    ),
    sample(
        "osv-scanner-json",
        "osv-scanner",
        &[(High, 1), (Medium, 1)],
        r#"{"results":[{"source":{"path":"Cargo.lock"},"packages":[{"package":{"name":"left","version":"1"},"vulnerabilities":[{"id":"A-1","details":"hunter2"},{"id":"A-2"},{"id":"A-3"}],"groups":[{"ids":["A-1","A-2"],"max_severity":"5.0"}]}]}]}"#,
    ),
    sample(
        "gitleaks-json",
        "gitleaks",
        &[(High, 1)],
        r#"[{"RuleID":"R1","StartLine":7,"Match":"hunter2","Secret":"hunter2","File":"src/a.rs","Fingerprint":"src/a.rs:R1:7"}]"#,
    ),
    sample(
        "trufflehog-json",
        "trufflehog",
        &[(Critical, 1)],
        r#"{"SourceMetadata":{"Data":{"Filesystem":{"file":"src/a.rs","line":7}}},"DetectorName":"R1","Verified":true,"Raw":"hunter2"}"#,
    ),
    sample(
        "npm-audit-json",
        "npm audit",
        &[(Medium, 1)],
        r#"{"auditReportVersion":2,"vulnerabilities":{"left":{"name":"left","severity":"moderate","via":[{"title":"hunter2"},"right"],"nodes":["node_modules/left"]}},"metadata":{"dependencies":{"total":3}}}"#,
    ),
    sample(
        "pip-audit-json",
        "pip-audit",
        &[(High, 1)],
        r#"{"dependencies":[{"name":"left","version":"1","vulns":[{"id":"P-1","description":"hunter2"}]},{"name":"right","version":"2","vulns":[]}],"fixes":[]}"#,
    ),
    sample(
        "cargo-audit-json",
        "cargo-audit",
        &[(High, 1), (Low, 1)],
        r#"{"database":{"advisory-count":9},"lockfile":{"dependency-count":9},"settings":{"ignore":["X-9"]},"vulnerabilities":{"found":true,"count":1,"list":[{"advisory":{"id":"X-1","description":"hunter2"},"package":{"name":"left","version":"1"}}]},"warnings":{"unmaintained":[{"advisory":{"id":"X-2"},"package":{"name":"right","version":"1"}}]}}"#,
    ),
    sample(
        "checkov-json",
        "checkov",
        &[(High, 1)],
        r#"{"check_type":"terraform","results":{"passed_checks":[{"check_id":"C0"}],"failed_checks":[{"check_id":"C1","severity":null,"file_path":"/main.tf","file_line_range":[7,9],"code_block":[[7,"hunter2"]]}],"skipped_checks":[{"check_id":"C2","check_result":{"suppress_comment":"public on purpose"}}],"parsing_errors":[]},"summary":{"parsing_errors":0,"resource_count":3,"checkov_version":"1.2"}}"#,
    ),
    sample(
        "zizmor-json",
        "zizmor",
        &[(High, 1)],
        r#"[{"ident":"R1","desc":"hunter2","determinations":{"confidence":"High","severity":"High"},"locations":[{"symbolic":{"key":{"Local":{"given_path":".github/workflows/a.yml"}}},"concrete":{"location":{"start_point":{"row":6}}}}],"ignored":false}]"#,
    ),
    sample(
        "njsscan-json",
        "njsscan",
        &[(High, 1), (Medium, 1)],
        r#"{"errors":[],"njsscan_version":"1.2","nodejs":{"R1":{"files":[{"file_path":"src/a.js","match_lines":[7,7],"match_string":"hunter2"}],"metadata":{"severity":"ERROR"}}},"templates":{"R2":{"metadata":{"severity":"WARNING"}}}}"#,
    ),
    sample(
        "cyclonedx-1.6",
        "CycloneDX",
        &[],
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-01-02T03:04:05Z"},"components":[{"name":"left","description":"hunter2","licenses":[{"license":{"id":"MIT"}}],"components":[{"name":"inner"}]}],"vulnerabilities":[{"id":"CVE-1","analysis":{"state":"not_affected"}}]}"#,
    ),
    sample(
        "spdx-2.3",
        "probe-1.2",
        &[],
        r#"{"spdxVersion":"SPDX-2.3","creationInfo":{"created":"2026-01-02T03:04:05Z","creators":["Organization: acme","Tool: probe-1.2"]},"packages":[{"name":"left","comment":"hunter2","licenseConcluded":"NOASSERTION","licenseDeclared":"MIT"},{"name":"right"}]}"#,
    ),
    sample(
        "openvex",
        "OpenVEX",
        &[],
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-01-02T03:04:05Z","statements":[{"vulnerability":{"name":"CVE-1"},"status":"not_affected","impact_statement":"hunter2"},{"vulnerability":{"name":"CVE-2"},"status":"not_affected"}]}"#,
    ),
    sample(
        "junit",
        "probe",
        &[(High, 1)],
        r#"<?xml version="1.0" encoding="UTF-8"?><testsuites tests="3" failures="1"><testsuite name="probe"><testcase name="a" file="src/a.rs" line="7"><failure message="hunter2">hunter2 &lt;</failure></testcase><testcase name="b"/><testcase name="c"><skipped/></testcase></testsuite></testsuites>"#,
    ),
    sample(
        "cobertura",
        "Cobertura",
        &[],
        r#"<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://example.invalid/coverage-04.dtd"><coverage lines-covered="99" lines-valid="99"><packages><package><classes><class filename="hunter2"><methods><method><lines><line number="1" hits="1"/></lines></method></methods><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>"#,
    ),
    sample(
        "jacoco",
        "JaCoCo",
        &[],
        r#"<report name="hunter2"><package name="p"><counter type="LINE" missed="9" covered="9"/></package><counter type="BRANCH" missed="1" covered="1"/><counter type="LINE" missed="1" covered="3"/></report>"#,
    ),
    sample(
        "lcov",
        "LCOV",
        &[],
        "TN:\nSF:src/hunter2.rs\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nend_of_record",
    ),
];
