//! CHG-17: changes of sensitive paths were approved by those they belong to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::areas::{self, Area};
use super::owners::Owners;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::path_glob::PathGlobs;
use crate::controls::tree::Tree;
use crate::criteria::{Criterion, Framework};
use crate::facts::{Platform, Snapshot, Unknown};

/// Parameters of CHG-17.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SensitivePathsApproved {
    /// The areas. A file in several of them needs the approvals of each.
    areas: Vec<SensitiveArea>,
}

/// Paths that belong to certain people.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SensitiveArea {
    /// Patterns of its paths.
    #[schemars(with = "Vec<String>")]
    paths: PathGlobs,
    /// Users (`@ana`) and teams (`@acme/dba`) it belongs to. Nobody: anybody with
    /// write access, and one approval more.
    #[serde(default)]
    owners: Owners,
    /// Fewest approvals by them; 0 counts as 1.
    #[serde(default = "one")]
    min: u32,
}

fn one() -> u32 {
    1
}

impl SensitiveArea {
    fn area(&self) -> Area<'_> {
        Area {
            paths: &self.paths,
            owners: &self.owners,
            min: self.min,
        }
    }

    /// Whether it asks for as much as `base`, of as many paths.
    fn holds(&self, base: &Self) -> bool {
        self.paths.left_out(&base.paths).is_none()
            && self.area().weaker_than(&base.area()).is_none()
    }
}

impl Default for SensitivePathsApproved {
    fn default() -> Self {
        Self {
            areas: vec![SensitiveArea {
                paths: PathGlobs::literal(&[
                    "**/migrations/**",
                    "**/terraform/**",
                    "**/*.tf",
                    "**/auth/**",
                    "**/billing/**",
                    "**/payments/**",
                ]),
                owners: Owners::default(),
                min: 1,
            }],
        }
    }
}

impl Control for SensitivePathsApproved {
    const META: Meta = Meta {
        code: "CHG-17",
        id: "sensitive-paths-approved",
        title: "changes of sensitive paths were approved by those they belong to",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3.1", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: areas::NEEDS,
        rationale: "A migration, an access rule or a payment deserves the eyes of those who answer for \
                    it, not of anybody who happens to be awake.",
        cheat: "Moving a file out of the area and changing it there, approving one's own area as a \
                co-author, or pushing after the owner approved. A moved file touches both its paths, \
                and only approvals of the newest commit by owners without a hand in the change count.",
        remedy_github: "ask one of those whom the policy names for a review; name them in `areas`, and \
                        give their teams the paths in CODEOWNERS as well",
        remedy_gitlab: "ask one of those whom the policy names for an approval; name them in `areas`, \
                        and give their groups the paths in CODEOWNERS as well",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let areas: Vec<Area<'_>> = self.areas.iter().map(SensitiveArea::area).collect();
        areas::judge(facts, &areas, "the change touches no sensitive path")
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let areas: Vec<Area<'_>> = self.areas.iter().map(SensitiveArea::area).collect();
        Some(areas::tree(facts, &areas))
    }

    fn teams(&self) -> Vec<String> {
        self.areas
            .iter()
            .flat_map(|area| area.owners.teams())
            .collect()
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        base.areas
            .iter()
            .find(|wanted| !self.areas.iter().any(|own| own.holds(wanted)))
            .map(|wanted| {
                format!(
                    "asks for less about {} than {} approvals by {}",
                    wanted.paths.in_words(),
                    wanted.min.max(1),
                    wanted.owners.in_words()
                )
            })
    }
}

#[cfg(test)]
mod tests;
