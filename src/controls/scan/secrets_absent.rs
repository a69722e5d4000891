//! SCAN-03: secrets were searched for on the newest commit and none is left.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{self, Asked};
use super::runs::{Limits, limits_schema};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, ScanKind, Severity, Snapshot, Unknown};

/// Parameters of SCAN-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SecretsAbsent {
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

impl Default for SecretsAbsent {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            max: BTreeMap::from([(Severity::None, 0)]),
            max_age_seconds: None,
        }
    }
}

impl SecretsAbsent {
    fn asked(&self) -> Asked<'_> {
        Asked {
            kind: ScanKind::Secrets,
            tools: &self.tools,
            max: &self.max,
            max_age_seconds: self.max_age_seconds,
        }
    }
}

impl Control for SecretsAbsent {
    const META: Meta = Meta {
        code: "SCAN-03",
        id: "secrets-absent",
        title: "secrets were searched for on the newest commit and none is left",
        criteria: &[Criterion::Cc6_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.4", "A.8.12"]),
            (Framework::PciDss, &["6.2.4", "8.6.2"]),
            (Framework::Nist80053, &["IA-5", "SA-11"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "A secret in the repository is known to everybody who can read it, for \
                        ever.",
        cheat: "Running the scanner over an empty folder, with rules switched off, or \
                        suppressing what it finds. A run that failed or looked at another \
                        commit is never clean; what is suppressed without a reason is for \
                        `suppressions-explained`.",
        remedy_github: "revoke the secret, take it out of the repository, run a scanner such \
                        as gitleaks on the newest commit and hand its SARIF file in with \
                        `--scan`",
        remedy_gitlab: "revoke the secret, take it out of the repository, let the secret \
                        detection job run on the newest commit and hand its report in with \
                        `--scan`",
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
        let with = |tools: &[&str], max: Limits, max_age_seconds| SecretsAbsent {
            tools: tools.iter().map(|&tool| tool.to_owned()).collect(),
            max,
            max_age_seconds,
        };
        laws(ScanKind::Secrets, with);
    }

    #[test]
    fn the_default_limit_is_none_of_what_matters() {
        let verdict = |severity| {
            let found = run(ScanKind::Secrets, vec![open(severity, 1)]);
            verdict_of(&SecretsAbsent::default(), &handed_in(vec![found]))
        };
        assert_eq!(verdict(Severity::High), "fail findings");
        assert_eq!(verdict(Severity::Critical), "fail findings");
        assert_eq!(verdict(Severity::Low), "fail findings");
    }
}
