//! BR-14: the checks that the policy names are required.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::{is_whole_pipeline, requires};
use super::lists::{at_least_one, names};
use super::requirement::{met_by, unmet};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    BranchRules, Fact, FactKey, PipelineDefinition, Platform, Snapshot, Unknown, Why, all_of,
    any_of,
};

/// Parameters of BR-14.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NamedChecksRequired {
    /// Names of the checks or jobs that have to succeed before a merge; at least one.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    checks: Vec<String>,
}

impl Default for NamedChecksRequired {
    fn default() -> Self {
        Self {
            checks: vec!["ccgate".to_owned()],
        }
    }
}

impl Control for NamedChecksRequired {
    const META: Meta = Meta {
        code: "BR-14",
        id: "named-checks-required",
        title: "the checks that the policy names are required",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::PipelineDefinition],
        rationale: "A gate that is not on the list of required checks can be red and hold nothing \
                        back.",
        cheat: "Requiring some other check, or keeping the job in a pipeline that must succeed \
                        while its own failure is allowed or a condition skips it. A job of a \
                        required pipeline counts only if it always runs and its failure counts.",
        remedy_github: "add each named check to \"Require status checks to pass\" in an active \
                        ruleset that targets the branch",
        remedy_gitlab: "turn \"Pipelines must succeed\" on and \"Skipped pipelines are considered \
                        successful\" off, and give each named job neither `rules` that skip it nor \
                        `allow_failure`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let mut missing = Vec::new();
        let mut hidden = None;
        for name in &self.checks {
            match self::required(rules, &facts.settings.definition, name).known() {
                Ok(true) => {}
                Ok(false) => missing.push(format!("`{name}`")),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !missing.is_empty() {
            let bad = format!("nothing has to wait for {}", missing.join(", "));
            return Ok(unmet(fact, rules, &bad, None));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        let listed = self.checks.join(", ");
        let by = rules
            .required_checks
            .layers_where(|checks| !checks.is_empty());
        Ok(Verdict::Pass(met_by(
            rules,
            &by,
            &format!("{}: a merge waits for {listed}", rules.branch),
            format!("{listed} required"),
            fact.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let dropped: Vec<&str> = base
            .checks
            .iter()
            .filter(|name| !names(&self.checks, name))
            .map(String::as_str)
            .collect();
        (!dropped.is_empty()).then(|| format!("does not ask for {}", dropped.join(", ")))
    }
}

/// Whether a merge waits for the check: by its own name, or as a job of a pipeline
/// that has to succeed and does not count as that when it is skipped.
fn required(rules: &BranchRules, definition: &Fact<PipelineDefinition>, name: &str) -> Fact<bool> {
    any_of([
        requires(rules, |_, check| check.name == *name),
        all_of([
            requires(rules, |layer, check| is_whole_pipeline(rules, layer, check)),
            rules.skipped_checks_block.holds(|on| *on),
            counts(definition, name),
        ]),
    ])
}

/// Whether the pipeline has a job that reports under that name, always runs, and
/// fails the pipeline. A filter that keeps the whole pipeline from starting does
/// not matter here: a merge then waits for a pipeline that is not there.
fn counts(definition: &Fact<PipelineDefinition>, name: &str) -> Fact<bool> {
    let definition = match definition {
        Fact::Known { value, .. } => value,
        Fact::Unknown(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut found = false;
    let mut hidden = None;
    for file in &definition.files {
        let content = match &file.content {
            Fact::Known { value, .. } => value,
            Fact::Unknown(unknown) => {
                hidden = hidden.or_else(|| Some(unknown.clone()));
                continue;
            }
        };
        for job in &content.jobs {
            if job.reported_as.is_empty() {
                hidden = hidden.or_else(|| {
                    Some(Unknown::new(
                        FactKey::PipelineDefinition.name(),
                        Why::NotSupported,
                        format!("the name of the job `{}` cannot be told", job.id),
                    ))
                });
            } else if job.reported_as.iter().any(|reported| reported == name) {
                if job.soft_fail.is_some() || job.condition.is_some() {
                    return Fact::known_without_source(false);
                }
                found = true;
            }
        }
    }
    match hidden {
        Some(unknown) if !found => Fact::Unknown(unknown),
        Some(_) | None => Fact::known_without_source(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::controls::branch::testing::{any_layer, checks, plan};
    use crate::controls::testing::{branch, seen, verdict_of};
    use crate::facts::{Definition, DefinitionFile, PipelineJob};

    /// What is required, whether skipping blocks, and the jobs of the pipeline
    /// (`None`: the definition could not be read).
    fn verdict(required: Option<&[&str]>, strict: bool, jobs: Option<Vec<PipelineJob>>) -> String {
        let mut facts = branch(|rules| {
            rules.required_checks = any_layer(&[required.map(checks)]);
            rules.skipped_checks_block = any_layer(&[Some(strict)]);
        });
        if let Some(jobs) = jobs {
            facts.settings.definition = seen(definition(jobs));
        }
        verdict_of(&NamedChecksRequired::default(), &facts)
    }

    fn definition(jobs: Vec<PipelineJob>) -> PipelineDefinition {
        PipelineDefinition {
            imposed_by: None,
            files: vec![DefinitionFile {
                path: ".gitlab-ci.yml".to_owned(),
                digest: String::new(),
                content: seen(Definition {
                    name: None,
                    triggers: Vec::new(),
                    filtered: true,
                    token: None,
                    parts: Vec::new(),
                    jobs,
                    inputs: Vec::new(),
                }),
            }],
        }
    }

    fn job(name: &str) -> PipelineJob {
        PipelineJob {
            id: name.to_owned(),
            reported_as: vec![name.to_owned()],
            token: None,
            rights: Vec::new(),
            identity_token: false,
            soft_fail: None,
            condition: None,
            does: Vec::new(),
            environment: None,
            self_hosted: None,
            secrets: Vec::new(),
        }
    }

    #[test]
    fn a_check_that_is_required_by_its_name_passes() {
        assert_eq!(verdict(Some(&["test", "ccgate"]), true, None), "pass");
    }

    #[test]
    fn another_check_or_none_fails() {
        assert_eq!(verdict(Some(&["test"]), true, None), "fail");
        assert_eq!(verdict(Some(&[]), true, None), "fail");
    }

    #[test]
    fn a_job_that_counts_in_a_required_pipeline_passes() {
        let jobs = vec![job("test"), job("ccgate")];
        assert_eq!(verdict(Some(&["pipeline"]), true, Some(jobs)), "pass");
    }

    #[test]
    fn a_job_that_may_fail_be_skipped_or_is_missing_fails() {
        let soft = PipelineJob {
            soft_fail: Some("allow_failure: true".to_owned()),
            ..job("ccgate")
        };
        let conditional = PipelineJob {
            condition: Some("when: manual".to_owned()),
            ..job("ccgate")
        };
        for jobs in [
            vec![soft.clone()],
            vec![job("ccgate"), soft],
            vec![conditional],
            vec![job("test")],
        ] {
            assert_eq!(verdict(Some(&["pipeline"]), true, Some(jobs)), "fail");
        }
        let jobs = vec![job("ccgate")];
        assert_eq!(verdict(Some(&["pipeline"]), false, Some(jobs)), "fail");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(None, true, None), "unknown");
        assert_eq!(verdict(Some(&["pipeline"]), true, None), "unknown");
        let nameless = PipelineJob {
            reported_as: Vec::new(),
            ..job("matrix")
        };
        let jobs = vec![nameless];
        assert_eq!(verdict(Some(&["pipeline"]), true, Some(jobs)), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&NamedChecksRequired::default(), "branch protection"),
            "fail plan"
        );
    }

    #[test]
    fn a_policy_that_names_no_check_is_refused_and_one_that_names_fewer_is_weaker() {
        assert!(serde_json::from_value::<NamedChecksRequired>(json!({"checks": []})).is_err());
        let two: NamedChecksRequired =
            serde_json::from_value(json!({"checks": ["a", "ccgate"]})).unwrap();
        assert!(NamedChecksRequired::default().weaker_than(&two).is_some());
        assert_eq!(two.weaker_than(&NamedChecksRequired::default()), None);
    }
}
