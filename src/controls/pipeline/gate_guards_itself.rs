//! PIPE-12: the gate is demanded, cannot be forged, skipped or edited by the change
//! that it judges, and its files are owned. Who can go around the rules of the
//! branch is BR-22's question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::guarding::{
    Demanded, Owning, POLICY, Runs, is_started_from_base, lies_elsewhere, requires,
};
use super::jobs::Conditions;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    BranchRules, CodeOwners, Fact, FactKey, PipelineDefinition, Platform, Requirement, Snapshot,
    Unknown, Why, all_of, any_of,
};

/// Parameters of PIPE-12.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GateGuardsItself {
    /// Name of the gate's own check or job.
    check: String,
    /// Path of the policy file.
    policy: String,
    /// Whether the gate is a service of its own, so that no job reports its check.
    outside: bool,
    /// Whether filters on paths, branches or types may stand in the definition that
    /// runs the gate.
    allow_filters: bool,
    /// Conditions of the gate's job that hold for every change, as the definition
    /// writes them.
    #[schemars(with = "Vec<String>")]
    conditions: Conditions,
}

impl Default for GateGuardsItself {
    fn default() -> Self {
        Self {
            check: "ccgate".to_owned(),
            policy: POLICY.to_owned(),
            outside: false,
            allow_filters: false,
            conditions: Conditions::default(),
        }
    }
}

impl Control for GateGuardsItself {
    const META: Meta = Meta {
        code: "PIPE-12",
        id: "gate-guards-itself",
        title: "the gate is required, pinned and not editable by the change that it judges",
        criteria: &[Criterion::Cc8_1, Criterion::Cc4_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.25", "A.8.32"]),
            (Framework::PciDss, &["6.5.1", "6.4.3"]),
            (Framework::Nist80053, &["CM-3", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::BranchRules,
            FactKey::RepositoryCodeOwners,
            FactKey::PipelineDefinition,
        ],
        rationale: "A gate that the change can edit, skip or answer for judges nothing; every other \
                    control rests on this one.",
        cheat: "Editing the gate's workflow in the very change, keeping it from starting by a \
                filter or a condition, posting a result of the same name from elsewhere, or taking \
                owners off the policy or off CODEOWNERS first. Each of these ways is looked at by \
                itself, and an event that is not known counts as one that runs what the change says.",
        remedy_github: "require the gate's check with its app, run it on `pull_request_target` \
                        without filters and conditions, give .github/workflows, .ccgate.yml and \
                        CODEOWNERS owners, and require review from code owners",
        remedy_gitlab: "turn \"Pipelines must succeed\" on and \"Skipped pipelines are considered \
                        successful\" off, let the gate's job run in every pipeline without \
                        `allow_failure`, give .gitlab-ci.yml, .ccgate.yml and CODEOWNERS owners, and \
                        require their approval",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let demanded = Demanded::of(&facts.branch_rules, &self.check, &facts.subject.repository);
        let mut pieces = self.demands(&facts.branch_rules, &demanded);
        let own = facts.subject.repository.as_str();
        pieces.extend(match &facts.settings.code_owners {
            Fact::Known { value, .. } => self.owners(value, &facts.settings.definition, own),
            Fact::Unknown(unknown) => vec![unseen(unknown)],
        });
        pieces.extend(match &facts.settings.definition {
            Fact::Known { value, .. } => self.runs(value, &demanded, own),
            Fact::Unknown(unknown) => vec![unseen(unknown)],
        });
        let wrong: Vec<String> = pieces
            .iter()
            .filter(|piece| piece.holds.known() == Ok(&false))
            .map(|piece| piece.bad.clone())
            .collect();
        let evidence = |summary: String, seen: &str| {
            Evidence::new(
                summary,
                FactKey::BranchRules,
                seen,
                facts.branch_rules.sources(),
            )
            .and(
                FactKey::RepositoryCodeOwners,
                seen,
                facts.settings.code_owners.sources(),
            )
            .and(
                FactKey::PipelineDefinition,
                seen,
                facts.settings.definition.sources(),
            )
        };
        if !wrong.is_empty() {
            let named = some(&wrong);
            let summary = format!("the gate `{}` can be got around: {named}", self.check);
            return Ok(Verdict::fail(evidence(summary, &named)));
        }
        for piece in &pieces {
            piece.holds.known()?;
        }
        Ok(Verdict::Pass(evidence(
            format!("the gate `{}` guards itself", self.check),
            "required, pinned, owned, neither skippable nor editable",
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.check != base.check {
            return Some(format!("looks at the check `{}` instead", self.check));
        }
        if self.policy != base.policy {
            return Some(format!(
                "looks at the policy file `{}` instead",
                self.policy
            ));
        }
        if self.outside && !base.outside {
            return Some("takes the gate for a service of its own".to_owned());
        }
        if self.allow_filters && !base.allow_filters {
            return Some("accepts filters".to_owned());
        }
        self.conditions.beyond(&base.conditions)
    }
}

/// One thing that has to hold, and what is the case if it does not.
struct Piece {
    holds: Fact<bool>,
    bad: String,
}

fn piece(holds: Fact<bool>, bad: impl Into<String>) -> Piece {
    Piece {
        holds,
        bad: bad.into(),
    }
}

fn unseen(unknown: &Unknown) -> Piece {
    piece(Fact::Unknown(unknown.clone()), "")
}

impl GateGuardsItself {
    /// The check is required and cannot come from anybody, reviews by owners are required.
    fn demands(&self, rules: &Fact<BranchRules>, demanded: &Demanded) -> Vec<Piece> {
        let rules = match rules {
            Fact::Known { value, .. } => value,
            Fact::Unknown(unknown) => return vec![unseen(unknown)],
        };
        let on = |requirement: &Requirement<bool>| requirement.holds(|on| *on);
        let by_one_app = requires(rules, |_, required| {
            required.name == self.check && required.app.is_some()
        });
        let imposed = &demanded.imposed;
        vec![
            piece(demanded.at_all(), "it is not required"),
            piece(
                any_of([imposed.clone(), on(&rules.skipped_checks_block)]),
                "a skipped result counts as success",
            ),
            piece(
                any_of([imposed.clone(), demanded.in_pipeline.clone(), by_one_app]),
                "its check is pinned to no app",
            ),
            piece(
                on(&rules.code_owner_review_required),
                "a review by code owners is not required",
            ),
        ]
    }

    /// The policy, the file of code owners and the definitions that run the gate are owned.
    fn owners(
        &self,
        owners: &CodeOwners,
        definition: &Fact<PipelineDefinition>,
        own: &str,
    ) -> Vec<Piece> {
        let Some(file) = &owners.file else {
            let none = Fact::known_without_source(false);
            return vec![piece(none, "there is no file of code owners")];
        };
        let mut paths = vec![self.policy.clone(), file.path.clone()];
        if let Fact::Known { value, .. } = definition
            && !lies_elsewhere(value, own)
        {
            let runs = Runs::of(value, &self.check);
            paths.extend(runs.jobs.iter().map(|at| at.path.to_owned()));
        }
        paths.sort();
        paths.dedup();
        let owning = Owning::of(owners);
        paths
            .iter()
            .map(|path| {
                piece(
                    owning.is_owned(path),
                    format!("nobody who can act owns {path}"),
                )
            })
            .collect()
    }

    /// A job runs the gate, its result counts, and the change does not say what runs.
    fn runs(&self, definition: &PipelineDefinition, demanded: &Demanded, own: &str) -> Vec<Piece> {
        let runs = Runs::of(definition, &self.check);
        let mut pieces = vec![self.is_run(&runs, demanded)];
        let way_out = runs
            .jobs
            .iter()
            .find_map(|at| at.gives_way(&self.conditions))
            .unwrap_or_default();
        pieces.push(piece(
            runs.none_is(|at| at.gives_way(&self.conditions).is_some()),
            way_out,
        ));
        pieces.push(piece(
            runs.none_is(|at| at.definition.filtered && !self.allow_filters),
            "a filter may keep it from starting",
        ));
        if !lies_elsewhere(definition, own) && !runs.jobs.is_empty() {
            let editable = || {
                runs.jobs
                    .iter()
                    .all(|at| !is_started_from_base(&at.definition.triggers))
            };
            let from_base = match (editable(), &runs.hidden) {
                (false, _) => Fact::known_without_source(true),
                (true, Some(unknown)) => Fact::Unknown(unknown.clone()),
                (true, None) => Fact::known_without_source(false),
            };
            // As a job of a pipeline there is no other way than to run what the change
            // says; then only the owners of the definition stand before it.
            pieces.push(piece(
                any_of([from_base, demanded.in_pipeline.clone()]),
                "what runs is what the change itself says",
            ));
        }
        pieces
    }

    /// Something is known to run the gate.
    fn is_run(&self, runs: &Runs<'_>, demanded: &Demanded) -> Piece {
        let imposed = any_of([
            demanded.imposed.clone(),
            Fact::known_without_source(self.outside),
        ]);
        let of_pipeline = all_of([demanded.in_pipeline.clone(), negated(&demanded.by_name)]);
        let exists = match (runs.exist(), of_pipeline.known()) {
            // A check by name may come from a service: no job is no proof of anything.
            (Fact::Known { value: false, .. }, Ok(false)) => Fact::Unknown(Unknown::new(
                FactKey::PipelineDefinition.name(),
                Why::NotSupported,
                format!(
                    "no job of a definition reports `{}`, so what runs it cannot be told; set \
                     `outside: true` if it is a service of its own",
                    self.check
                ),
            )),
            (Fact::Known { value: false, .. }, Err(unknown)) => Fact::Unknown(unknown),
            (exists, _) => exists,
        };
        piece(
            any_of([imposed, exists]),
            format!("no job of the pipeline runs `{}`", self.check),
        )
    }
}

fn negated(fact: &Fact<bool>) -> Fact<bool> {
    fact.map_ref(|value| !value)
}

#[cfg(test)]
mod tests;
