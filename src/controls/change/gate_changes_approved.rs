//! CHG-16: changes of the gate itself were approved by those who own it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::areas::{self, Area};
use super::owners::Owners;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::path_glob::PathGlobs;
use crate::controls::tree::Tree;
use crate::criteria::{Criterion, Framework};
use crate::facts::{Platform, Snapshot, Unknown};

/// Parameters of CHG-16.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GateChangesApproved {
    /// Patterns of the files that make the gate: policy, pipelines, code owners. Add
    /// the folders of local includes and scripts that the gate runs.
    #[schemars(with = "Vec<String>")]
    paths: PathGlobs,
    /// Users (`@ana`) and teams (`@acme/security`) who own the gate. Nobody: anybody
    /// with write access, and one approval more.
    owners: Owners,
    /// Fewest approvals by owners; 0 counts as 1.
    min: u32,
}

impl Default for GateChangesApproved {
    fn default() -> Self {
        Self {
            paths: PathGlobs::literal(&[
                ".ccgate.yml",
                ".github/workflows/**",
                ".github/actions/**",
                ".gitlab-ci.yml",
                ".gitlab/**",
                "**/CODEOWNERS",
            ]),
            owners: Owners::default(),
            min: 1,
        }
    }
}

impl Control for GateChangesApproved {
    const META: Meta = Meta {
        code: "CHG-16",
        id: "gate-changes-approved",
        title: "changes of the gate itself were approved by those who own it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.9"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: areas::NEEDS,
        rationale: "Whoever may change the policy or the pipeline decides what every later change has \
                    to meet.",
        cheat: "Weakening the policy inside a large change, moving a workflow away, or pushing to it \
                after an owner approved. The policy is read at the target branch, a moved file touches \
                both its paths, and only approvals of the newest commit by owners without a hand in the \
                change count.",
        remedy_github: "ask an owner of the gate for a review, and set `owners` to a team; a list of \
                        files that is cut off (more than 3,000) stays unknown: split the change",
        remedy_gitlab: "ask an owner of the gate for an approval, and set `owners` to a group; a list of \
                        files that is cut off (a count such as `1000+`) stays unknown: split the change",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        areas::judge(
            facts,
            &[self.area()],
            "the change touches no file that makes the gate",
        )
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        Some(areas::tree(facts, &[self.area()]))
    }

    fn teams(&self) -> Vec<String> {
        self.owners.teams()
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        self.paths
            .left_out(&base.paths)
            .or_else(|| self.area().weaker_than(&base.area()))
    }
}

impl GateChangesApproved {
    fn area(&self) -> Area<'_> {
        Area {
            paths: &self.paths,
            owners: &self.owners,
            min: self.min,
        }
    }
}

#[cfg(test)]
mod tests;
