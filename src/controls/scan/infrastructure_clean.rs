//! SCAN-06: infrastructure code was scanned on the newest commit and is clean.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{self, Asked};
use super::runs::{Limits, limits_schema};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, ScanKind, Severity, Snapshot, Unknown};

/// Parameters of SCAN-06.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InfrastructureClean {
    /// Tools that have to have run. A run of such a tool counts here also where its
    /// report does not say what it looked for.
    tools: Vec<String>,
    /// Most findings allowed by severity; a limit also holds for worse severities
    /// that have none of their own.
    #[schemars(schema_with = "limits_schema")]
    max: Limits,
    /// Oldest age of a run in seconds.
    max_age_seconds: Option<u64>,
}

impl Default for InfrastructureClean {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            max: BTreeMap::from([(Severity::Critical, 0), (Severity::High, 0)]),
            max_age_seconds: None,
        }
    }
}

impl InfrastructureClean {
    fn asked(&self) -> Asked<'_> {
        Asked {
            kind: ScanKind::Iac,
            tools: &self.tools,
            max: &self.max,
            max_age_seconds: self.max_age_seconds,
        }
    }
}

impl Control for InfrastructureClean {
    const META: Meta = Meta {
        code: "SCAN-06",
        id: "infrastructure-clean",
        title: "infrastructure code was scanned on the newest commit and is clean",
        criteria: &[Criterion::Cc7_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.9", "A.8.32"]),
            (Framework::PciDss, &["2.2.1", "6.3.1"]),
            (Framework::Nist80053, &["CM-6", "RA-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "A wrong line of infrastructure code opens a system as surely as a bug \
                        does.",
        cheat: "Scanning a folder without any infrastructure code, or files that the \
                        scanner cannot read. A run that looked at nothing, or left files out, \
                        is never clean.",
        remedy_github: "mend the configuration, run a scanner such as checkov or trivy on the \
                        newest commit and hand its report in with `--scan`",
        remedy_gitlab: "mend the configuration, let the infrastructure scanning job run on the \
                        newest commit and hand its report in with `--scan`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        kinds::judge(&self.asked(), facts)
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        kinds::weaker(&self.asked(), &base.asked())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{handed_in, laws, open, run};
    use super::*;
    use crate::controls::testing::verdict_of;

    #[test]
    fn it_keeps_the_laws_of_all_scans_of_a_kind() {
        let with = |tools: &[&str], max: Limits, max_age_seconds| InfrastructureClean {
            tools: tools.iter().map(|&tool| tool.to_owned()).collect(),
            max,
            max_age_seconds,
        };
        laws(ScanKind::Iac, with);
    }

    #[test]
    fn the_default_limit_is_none_of_what_matters() {
        let verdict = |severity| {
            let found = run(ScanKind::Iac, vec![open(severity, 1)]);
            verdict_of(&InfrastructureClean::default(), &handed_in(vec![found]))
        };
        assert_eq!(verdict(Severity::High), "fail findings");
        assert_eq!(verdict(Severity::Critical), "fail findings");
        assert_eq!(verdict(Severity::Low), "pass");
    }
}
