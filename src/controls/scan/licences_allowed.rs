//! SCAN-07: the licences of all components are allowed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::licence_expression::{Licence, Stand, stand};
use super::runs::{describe, doubt, in_doubt};
use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Measured, Platform, ScanFailure, Snapshot, Unknown, Why};

/// Parameters of SCAN-07.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LicencesAllowed {
    /// Licences that may be used: SPDX ids, ids with their exception
    /// (`GPL-2.0-only WITH Classpath-exception-2.0`), or whatever else a list writes,
    /// whole. With an empty list every SPDX id may be used that is not denied.
    allowed: Vec<String>,
    /// Licences that may not be used, whatever is allowed.
    denied: Vec<String>,
    /// Most components that carry no licence at all.
    max_unlicensed: u64,
}

impl Default for LicencesAllowed {
    fn default() -> Self {
        let list = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        Self {
            allowed: list(&[
                "0BSD",
                "Apache-2.0",
                "Apache-2.0 WITH LLVM-exception",
                "BSD-2-Clause",
                "BSD-3-Clause",
                "BSL-1.0",
                "CC0-1.0",
                "ISC",
                "MIT",
                "MIT-0",
                "MPL-2.0",
                "PSF-2.0",
                "Python-2.0",
                "Unicode-3.0",
                "Unicode-DFS-2016",
                "Unlicense",
                "Zlib",
            ]),
            denied: Vec::new(),
            max_unlicensed: 0,
        }
    }
}

impl Control for LicencesAllowed {
    const META: Meta = Meta {
        code: "SCAN-07",
        id: "licences-allowed",
        title: "the licences of all components are allowed",
        criteria: &[Criterion::Cc9_2],
        frameworks: &[
            (Framework::Iso27001, &["A.5.32", "A.5.21"]),
            (Framework::PciDss, &["6.3.2"]),
            (Framework::Nist80053, &["CM-10", "SR-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanResults],
        rationale: "The licence of a component binds the product that it goes into, and is cheapest \
                    to refuse on the day it comes in.",
        cheat: "Leaving the licence out, writing a name that no list knows, hiding it behind an OR, \
                or handing in a second list that is clean. Of AND all have to be allowed and of OR \
                one, what cannot be read is unknown, and every list that was handed in counts.",
        remedy_github: "replace the component, or let the policy's owners put its licence into \
                        `allowed`; correct what the generator of the list got wrong",
        remedy_gitlab: "replace the component, or let the policy's owners put its licence into \
                        `allowed`; correct what the generator of the list got wrong",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.scans;
        let key = FactKey::ScanResults;
        let mut doubts = Vec::new();
        let mut lists = Vec::new();
        let mut refused = BTreeMap::new();
        for report in &fact.known()?.reports {
            let runs = match &report.runs {
                Ok(runs) => runs,
                Err(ScanFailure::Missing) => continue,
                Err(failure) => {
                    doubts.push(doubt(Why::Failed, describe(report, failure)));
                    continue;
                }
            };
            for run in runs {
                let Some(Measured::Components {
                    total,
                    unlicensed,
                    licences,
                }) = &run.measured
                else {
                    continue;
                };
                lists.push(format!("{total} components in {}", report.path));
                doubts.extend(in_doubt(report, run, None, facts));
                if *unlicensed > self.max_unlicensed {
                    doubts.push(doubt(
                        Why::NotCollected,
                        format!(
                            "{unlicensed} components of `{}` carry no licence",
                            report.path
                        ),
                    ));
                }
                for (licence, count) in licences {
                    match self.stand(licence) {
                        Stand::Allowed => {}
                        Stand::Refused => {
                            refused.insert(licence.clone(), *count);
                        }
                        Stand::Undecided => doubts.push(doubt(
                            Why::NotCollected,
                            format!(
                                "`{licence}` of `{}` is no licence that the policy or SPDX can read",
                                report.path
                            ),
                        )),
                    }
                }
            }
        }
        if !refused.is_empty() {
            let words: Vec<String> = refused
                .iter()
                .map(|(licence, count)| format!("`{licence}` of {count} components"))
                .collect();
            let words = format!("not allowed: {}", some(&words));
            return Ok(Verdict::fail_because(
                FailReason::Findings,
                Evidence::new(words.clone(), key, words, fact.sources()),
            ));
        }
        if let Some(unknown) = doubts.into_iter().next() {
            return Err(unknown);
        }
        if lists.is_empty() {
            let detail = "no list of components was handed in".to_owned();
            return Err(doubt(Why::NotCollected, detail));
        }
        let seen = lists.join(", ");
        Ok(Verdict::Pass(Evidence::new(
            format!("every licence is allowed: {seen}"),
            key,
            seen,
            fact.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.max_unlicensed > base.max_unlicensed {
            return Some("allows more components without a licence".to_owned());
        }
        if let Some(gone) = more(&base.denied, &self.denied) {
            return Some(format!("no longer denies {gone}"));
        }
        match (self.allowed.is_empty(), base.allowed.is_empty()) {
            (true, false) => Some("allows whatever is not denied".to_owned()),
            // Ids are fewer then, but what only a list knows by name is more.
            (_, true) => self
                .allowed
                .iter()
                .find(|name| base.stand(name) != Stand::Allowed)
                .map(|name| format!("also allows {name}")),
            (false, false) => {
                more(&self.allowed, &base.allowed).map(|more| format!("also allows {more}"))
            }
        }
    }
}

impl LicencesAllowed {
    /// How the policy stands to what a list of components writes.
    fn stand(&self, written: &str) -> Stand {
        let written = written.trim();
        if names(&self.denied, written) {
            return Stand::Refused;
        }
        if names(&self.allowed, written) {
            return Stand::Allowed;
        }
        stand(written, &|licence| self.of(licence))
    }

    fn of(&self, licence: Licence<'_>) -> Stand {
        let Licence {
            id,
            or_later,
            exception,
        } = licence;
        let plus = format!("{id}+");
        let mut spellings = vec![id];
        if or_later {
            spellings.push(&plus);
        }
        // One that is named with its licence outweighs what is said of that alone.
        if let Some(exception) = exception {
            let whole: Vec<String> = spellings
                .iter()
                .map(|id| format!("{id} WITH {exception}"))
                .collect();
            if whole.iter().any(|whole| names(&self.denied, whole)) {
                return Stand::Refused;
            }
            if whole.iter().any(|whole| names(&self.allowed, whole)) {
                return Stand::Allowed;
            }
        }
        let is_in = |list: &[String]| spellings.iter().any(|id| names(list, id));
        if is_in(&self.denied) {
            Stand::Refused
        } else if is_in(&self.allowed) {
            // What is added to a licence should grant more, but anybody may add a clause.
            match exception {
                Some(_) => Stand::Undecided,
                None => Stand::Allowed,
            }
        } else if !self.allowed.is_empty() {
            Stand::Refused
        } else if exception.is_some() || is_reference(id) {
            // A name of the list's own may stand for any licence.
            Stand::Undecided
        } else {
            Stand::Allowed
        }
    }
}

fn is_reference(id: &str) -> bool {
    let id = id.to_ascii_lowercase();
    id.contains("licenseref-") || id.contains("documentref-") || id == "noassertion" || id == "none"
}

#[cfg(test)]
#[path = "licences_allowed_tests.rs"]
mod tests;
