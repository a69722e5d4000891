//! SCAN-05: container images were scanned for the newest commit and are clean.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{self, Asked};
use super::runs::{Limits, limits_schema};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, ScanKind, Severity, Snapshot, Unknown};

/// Parameters of SCAN-05.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ImagesClean {
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

impl Default for ImagesClean {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            max: BTreeMap::from([(Severity::Critical, 0), (Severity::High, 0)]),
            max_age_seconds: None,
        }
    }
}

impl ImagesClean {
    fn asked(&self) -> Asked<'_> {
        Asked {
            kind: ScanKind::Container,
            tools: &self.tools,
            max: &self.max,
            max_age_seconds: self.max_age_seconds,
        }
    }
}

impl Control for ImagesClean {
    const META: Meta = Meta {
        code: "SCAN-05",
        id: "images-clean",
        title: "container images were scanned for the newest commit and are clean",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8"]),
            (Framework::PciDss, &["6.3.1"]),
            (Framework::Nist80053, &["RA-5", "SI-2"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "An image carries an operating system whose weaknesses nobody in the \
                        change looked at.",
        cheat: "Scanning a small base image instead of the one that is delivered. \
                        Which image it was is not judged: the report's digest is recorded, so \
                        that an auditor can compare. A run that failed or left something out \
                        is never clean.",
        remedy_github: "rebuild on a patched base image, run a scanner such as trivy or grype \
                        on the image and hand its report in with `--scan`",
        remedy_gitlab: "rebuild on a patched base image, let the container scanning job run \
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
        let with = |tools: &[&str], max: Limits, max_age_seconds| ImagesClean {
            tools: tools.iter().map(|&tool| tool.to_owned()).collect(),
            max,
            max_age_seconds,
        };
        laws(ScanKind::Container, with);
    }

    #[test]
    fn the_default_limit_is_none_of_what_matters() {
        let verdict = |severity| {
            let found = run(ScanKind::Container, vec![open(severity, 1)]);
            verdict_of(&ImagesClean::default(), &handed_in(vec![found]))
        };
        assert_eq!(verdict(Severity::High), "fail findings");
        assert_eq!(verdict(Severity::Critical), "fail findings");
        assert_eq!(verdict(Severity::Low), "pass");
    }
}
