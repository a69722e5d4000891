//! SCAN-08: the running system was tested and is clean.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{self, Asked};
use super::runs::{Limits, limits_schema};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, ScanKind, Severity, Snapshot, Unknown};

/// Parameters of SCAN-08.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunningSystemClean {
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

impl Default for RunningSystemClean {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            max: BTreeMap::from([(Severity::Critical, 0), (Severity::High, 0)]),
            max_age_seconds: None,
        }
    }
}

impl RunningSystemClean {
    fn asked(&self) -> Asked<'_> {
        Asked {
            kind: ScanKind::Dast,
            tools: &self.tools,
            max: &self.max,
            max_age_seconds: self.max_age_seconds,
        }
    }
}

impl Control for RunningSystemClean {
    const META: Meta = Meta {
        code: "SCAN-08",
        id: "running-system-clean",
        title: "the running system was tested for this commit and is clean",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.8"]),
            (Framework::PciDss, &["6.2.3", "11.3.2"]),
            (Framework::Nist80053, &["SA-11", "CA-8"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "Some weaknesses show only when the system runs: headers, sessions, what an \
                    interface answers to a stranger.",
        cheat: "Testing a page that says that it is being mended, or a system that runs another \
                commit. A report that names another commit never counts; which system answered is \
                not seen, so keep the job in a file that owners guard. List this control only where \
                there is a system to test.",
        remedy_github: "mend the finding, test the system that runs the newest commit, and hand the \
                        SARIF file of the scanner in with `--scan`, its name in `tools`",
        remedy_gitlab: "mend the finding, let the DAST job test the environment of the newest commit \
                        and hand its report in with `--scan`",
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
        let with = |tools: &[&str], max: Limits, max_age_seconds| RunningSystemClean {
            tools: tools.iter().map(|&tool| tool.to_owned()).collect(),
            max,
            max_age_seconds,
        };
        laws(ScanKind::Dast, with);
    }

    #[test]
    fn the_default_limit_is_none_of_what_matters() {
        let verdict = |severity| {
            let found = run(ScanKind::Dast, vec![open(severity, 1)]);
            verdict_of(&RunningSystemClean::default(), &handed_in(vec![found]))
        };
        assert_eq!(verdict(Severity::High), "fail findings");
        assert_eq!(verdict(Severity::Critical), "fail findings");
        assert_eq!(verdict(Severity::Low), "pass");
    }
}
