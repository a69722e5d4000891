//! SCAN-14: a list of the components was produced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{Ran, doubt, in_doubt, runs_of};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Measured, Platform, Snapshot, Unknown, Why};

/// Parameters of SCAN-14.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SbomProduced {
    /// Fewest components that all lists together have to name.
    #[schemars(range(min = 1))]
    min_components: u64,
}

impl Default for SbomProduced {
    fn default() -> Self {
        Self { min_components: 1 }
    }
}

impl Control for SbomProduced {
    const META: Meta = Meta {
        code: "SCAN-14",
        id: "sbom-produced",
        title: "a list of the components was produced",
        criteria: &[Criterion::Cc7_1, Criterion::Cc9_2],
        frameworks: &[
            (Framework::Iso27001, &["A.5.21", "A.8.8"]),
            (Framework::PciDss, &["6.3.2"]),
            (Framework::Nist80053, &["CM-8", "SR-4"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "When a component turns out to be weak, the question is where it is used; the list \
                    answers it.",
        cheat: "Handing in a list without components, or one that breaks off. Neither counts; \
                        whether the list is complete is not seen.",
        remedy_github: "let a generator such as syft, trivy or cyclonedx write CycloneDX or SPDX 2 as \
                        JSON, and hand it in with `--scan`",
        remedy_gitlab: "let a generator such as syft, trivy or cyclonedx write CycloneDX or SPDX 2 as \
                        JSON, and hand it in with `--scan`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let mut doubts = Vec::new();
        let mut lists = Vec::new();
        let mut components = 0_u64;
        for Ran { report, run, .. } in runs_of(&fact.known()?.reports, &mut doubts) {
            let Some(Measured::Components { total, .. }) = &run.measured else {
                continue;
            };
            match in_doubt(report, run, None, facts) {
                Some(unknown) => doubts.push(unknown),
                None => {
                    components = components.saturating_add(*total);
                    lists.push(format!("{} ({})", report.path, report.digest));
                }
            }
        }
        let seen = format!("{components} components in {}", lists.join(", "));
        let evidence = Evidence::new(seen.clone(), FactKey::ScanResults, seen, fact.sources());
        if !lists.is_empty() && components >= self.min_components.max(1) {
            return Ok(Verdict::Pass(evidence));
        }
        if let Some(unknown) = doubts.into_iter().next() {
            return Err(unknown);
        }
        if lists.is_empty() {
            let detail = "no list of components was handed in".to_owned();
            return Err(doubt(Why::NotCollected, detail));
        }
        Ok(Verdict::fail(evidence))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.min_components < base.min_components).then(|| "asks for fewer components".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{handed_in, nothing_usable, run};
    use super::*;
    use crate::controls::testing::verdict_of;
    use crate::facts::{ScanKind, ScanRun};

    fn list(total: u64) -> ScanRun {
        ScanRun {
            measured: Some(Measured::Components {
                total,
                unlicensed: 0,
                licences: BTreeMap::new(),
            }),
            ..run(ScanKind::Sbom, vec![])
        }
    }

    fn verdict(min_components: u64, run: ScanRun) -> String {
        verdict_of(&SbomProduced { min_components }, &handed_in(vec![run]))
    }

    #[test]
    fn a_list_with_components_passes_and_one_with_too_few_fails() {
        assert_eq!(verdict(1, list(1)), "pass");
        assert_eq!(verdict(9, list(8)), "fail");
    }

    /// The cheat: a list without components, as the reader tells it.
    #[test]
    fn an_empty_list_is_none() {
        let empty = ScanRun {
            left_out: Some("it names no component".to_owned()),
            ..list(0)
        };
        assert_eq!(verdict(1, empty), "unknown");
        assert_eq!(verdict(0, list(0)), "fail");
    }

    #[test]
    fn without_a_list_it_is_unknown() {
        for facts in nothing_usable() {
            assert_eq!(verdict_of(&SbomProduced::default(), &facts), "unknown");
        }
        assert_eq!(verdict(1, run(ScanKind::Sast, vec![])), "unknown");
    }

    #[test]
    fn asking_for_less_is_weaker() {
        let base = SbomProduced { min_components: 5 };
        assert!(SbomProduced::default().weaker_than(&base).is_some());
        assert!(base.weaker_than(&SbomProduced::default()).is_none());
    }
}
