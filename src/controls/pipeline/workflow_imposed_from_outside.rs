//! PIPE-10: a workflow or pipeline is imposed on the repository from outside.
//! What it does is not known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::Names;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, RequiredWorkflow, Snapshot, Unknown};

/// What a plan may lack so that nothing can be imposed.
const SOLD_AS: [&str; 2] = ["rulesets", "pipeline execution policies"];

/// Parameters of PIPE-10.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WorkflowImposedFromOutside {
    /// Patterns of the repositories that it may come from; empty: any but this one.
    #[schemars(with = "Vec<String>")]
    repositories: Names,
}

impl Control for WorkflowImposedFromOutside {
    const META: Meta = Meta {
        code: "PIPE-10",
        id: "workflow-imposed-from-outside",
        title: "a workflow is imposed from outside the repository",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.25", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "What a repository's own definition demands, its own people can take away; what \
                    the organisation imposes they cannot.",
        cheat: "Imposing a workflow that lies in this very repository. It has to come from another \
                one, and from those that the policy names if it names any.",
        remedy_github: "add \"Require workflows to pass before merging\" to an active ruleset of the \
                        organisation, with a workflow of a repository that few can write to",
        remedy_gitlab: "add a pipeline execution policy to the security policy project of the group",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let own = facts.subject.repository.as_str();
        let imposed = rules
            .required_workflows
            .holds(|list| list.iter().any(|workflow| self.counts(workflow, own)));
        let key = FactKey::BranchRules;
        if *imposed.known()? {
            let by = rules
                .required_workflows
                .layers_where(|list| list.iter().any(|workflow| self.counts(workflow, own)))
                .join(", ");
            return Ok(Verdict::Pass(Evidence::new(
                format!(
                    "{}: a workflow is imposed from outside, by {by}",
                    rules.branch
                ),
                key,
                format!("imposed by {by}"),
                imposed.sources(),
            )));
        }
        let evidence = |words: &str| {
            Evidence::new(
                format!("{}: {words}", rules.branch),
                key,
                "no workflow that counts",
                fact.sources(),
            )
        };
        let bad = "no workflow is imposed from outside the repository";
        let not_sold = rules
            .not_in_plan
            .iter()
            .any(|feature| SOLD_AS.contains(&feature.as_str()));
        Ok(if not_sold {
            let words = format!("{bad}; the plan does not include it");
            Verdict::fail_because(FailReason::Plan, evidence(&words))
        } else if rules.layers.is_empty() {
            Verdict::fail_because(FailReason::Unprotected, evidence(bad))
        } else {
            Verdict::fail(evidence(bad))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if base.repositories.is_empty() {
            return None;
        }
        if self.repositories.is_empty() {
            return Some("takes a workflow of any repository".to_owned());
        }
        self.repositories
            .beyond(&base.repositories)
            .map(|more| format!("takes a workflow of {more}"))
    }
}

impl WorkflowImposedFromOutside {
    fn counts(&self, workflow: &RequiredWorkflow, own: &str) -> bool {
        !workflow.repository.eq_ignore_ascii_case(own)
            && (self.repositories.is_empty() || self.repositories.mean(&workflow.repository))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, demand, hidden, nothing_seen, seen, verdict_of};
    use crate::facts::{Fact, Requirement};

    fn workflow(repository: &str) -> Fact<Vec<RequiredWorkflow>> {
        seen(vec![RequiredWorkflow {
            path: "ci/security.yml".to_owned(),
            repository: repository.to_owned(),
            reference: None,
        }])
    }

    fn with(layers: Vec<Fact<Vec<RequiredWorkflow>>>) -> Snapshot {
        branch(|rules| {
            rules.required_workflows =
                Requirement::any_layer(layers.into_iter().map(|list| demand("r", list)).collect());
        })
    }

    fn verdict(layers: Vec<Fact<Vec<RequiredWorkflow>>>) -> String {
        verdict_of(&WorkflowImposedFromOutside::default(), &with(layers))
    }

    #[test]
    fn one_workflow_of_another_repository_is_enough_whatever_is_hidden() {
        assert_eq!(verdict(vec![hidden(), workflow("acme/ci")]), "pass");
    }

    #[test]
    fn an_empty_list_or_a_workflow_of_this_very_repository_fails() {
        assert_eq!(verdict(vec![seen(Vec::new())]), "fail");
        assert_eq!(verdict(vec![workflow("Acme/App")]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(vec![hidden(), seen(Vec::new())]), "unknown");
        let nothing = nothing_seen();
        assert_eq!(
            verdict_of(&WorkflowImposedFromOutside::default(), &nothing),
            "unknown"
        );
    }

    #[test]
    fn an_unprotected_branch_and_a_plan_without_it_fail_with_that_reason() {
        let bare = |lacks: &[&str]| {
            let facts = branch(|rules| {
                rules.layers.clear();
                rules.not_in_plan = lacks.iter().map(|&text| text.to_owned()).collect();
                rules.required_workflows = Requirement::any_layer(Vec::new());
            });
            verdict_of(&WorkflowImposedFromOutside::default(), &facts)
        };
        assert_eq!(bare(&[]), "fail unprotected");
        assert_eq!(bare(&["push rules"]), "fail unprotected");
        assert_eq!(bare(&["rulesets"]), "fail plan");
    }

    #[test]
    fn a_policy_may_name_the_repositories_and_fewer_names_are_stricter() {
        let strict = WorkflowImposedFromOutside {
            repositories: Names::literal(&["acme/*"]),
        };
        assert_eq!(
            verdict_of(&strict, &with(vec![workflow("acme/ci")])),
            "pass"
        );
        assert_eq!(verdict_of(&strict, &with(vec![workflow("eve/ci")])), "fail");
        let lax = WorkflowImposedFromOutside::default();
        assert!(lax.weaker_than(&strict).is_some() && strict.weaker_than(&lax).is_none());
    }
}
