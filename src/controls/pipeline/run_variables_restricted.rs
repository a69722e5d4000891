//! PIPE-16: who starts a pipeline by hand cannot steer a deployment with values of
//! their own. What a definition does with such a value is not known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jobs::unread;
use super::names::Names;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, PipelineDefinition, Platform, Snapshot, Unknown, Who};

/// Parameters of PIPE-16.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunVariablesRestricted {
    /// The most people who may set variables when they start a pipeline.
    max: Most,
    /// Patterns of names of inputs that may be free text although something is deployed.
    #[schemars(with = "Vec<String>")]
    free_text: Names,
}

/// Who at most, the fewest people first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Most {
    /// Nobody at all.
    Nobody,
    /// Owners of the organisation or group.
    Owners,
    /// Administrators of the repository, maintainers of the project.
    #[default]
    Administrators,
    /// Every member, every developer.
    Members,
}

impl Most {
    fn who(self) -> Who {
        match self {
            Self::Nobody => Who::Nobody,
            Self::Owners => Who::Owners,
            Self::Administrators => Who::Administrators,
            Self::Members => Who::Members,
        }
    }
}

impl Control for RunVariablesRestricted {
    const META: Meta = Meta {
        code: "PIPE-16",
        id: "run-variables-restricted",
        title: "nobody steers a deployment with values typed in at its start",
        criteria: &[Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.25", "A.8.31"]),
            (Framework::PciDss, &["6.5.3"]),
            (Framework::Nist80053, &["CM-5", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::PipelineSettings, FactKey::PipelineDefinition],
        rationale: "A value that is typed in at the start goes through no review, and it can choose \
                    what is deployed, or become a command.",
        cheat: "Reviewing the definition and starting it with other values. Who may set variables \
                is judged, and so is every input that takes free text where the same file deploys.",
        remedy_github: "give the inputs of workflows that deploy the type `choice`, `boolean` or \
                        `environment`, or name them in the policy under `free_text`",
        remedy_gitlab: "under Settings, CI/CD, Variables raise \"Minimum role to use pipeline \
                        variables\", and give inputs of pipelines that deploy `options`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let settings = &facts.settings.pipeline;
        let definition = &facts.settings.definition;
        let mut wrong = Vec::new();
        let mut hidden = None;
        match settings
            .known()
            .and_then(|known| known.variables_by.known().cloned())
        {
            Ok(Some(who)) if who > self.max.who() => {
                wrong.push(format!("variables may be set by {}", who.word()));
            }
            Ok(_) => {}
            Err(unknown) => hidden = Some(unknown),
        }
        match definition.known() {
            Ok(known) => {
                wrong.extend(self.open_inputs(known));
                hidden = hidden.or(unread(known));
            }
            Err(unknown) => hidden = hidden.or(Some(unknown)),
        }
        let evidence = |summary: String, seen: &str| {
            Evidence::new(summary, FactKey::PipelineSettings, seen, settings.sources()).and(
                FactKey::PipelineDefinition,
                seen,
                definition.sources(),
            )
        };
        if !wrong.is_empty() {
            let named = some(&wrong);
            let summary = format!("a run can be steered from outside of the review: {named}");
            return Ok(Verdict::fail(evidence(summary, &named)));
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(evidence(
                "nobody steers a deployment with values typed in at its start".to_owned(),
                "no free value",
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.max > base.max {
            return Some(format!("lets {} set variables", self.max.who().word()));
        }
        self.free_text
            .beyond(&base.free_text)
            .map(|more| format!("lets {more} be free text"))
    }
}

impl RunVariablesRestricted {
    /// Inputs that take free text in files that deploy.
    fn open_inputs(&self, definition: &PipelineDefinition) -> Vec<String> {
        let mut open = Vec::new();
        for file in &definition.files {
            let Ok(content) = file.content.known() else {
                continue;
            };
            if content.jobs.iter().all(|job| job.environment.is_none()) {
                continue;
            }
            open.extend(
                content
                    .inputs
                    .iter()
                    .filter(|input| input.free_text && !self.free_text.mean(&input.name))
                    .map(|input| format!("`{}` of {} is free text", input.name, file.path)),
            );
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::{definition, file, file_of, job, pipeline_of, strict};
    use crate::controls::testing::{hidden, nothing_seen, seen, settings, verdict_of};
    use crate::facts::{Fact, RunInput};

    fn with(who: Fact<Option<Who>>, free_text: bool, environment: Option<&str>) -> Snapshot {
        let mut one = job("deploy");
        one.environment = environment.map(str::to_owned);
        let mut content = definition(vec![one]);
        content.inputs = vec![RunInput {
            name: "version".to_owned(),
            free_text,
        }];
        settings(|all| {
            let mut pipeline = strict();
            pipeline.variables_by = who;
            all.pipeline = seen(pipeline);
            all.definition = seen(pipeline_of(vec![file("ci.yml", content)]));
        })
    }

    fn by(who: Who) -> String {
        let facts = with(seen(Some(who)), false, None);
        verdict_of(&RunVariablesRestricted::default(), &facts)
    }

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&RunVariablesRestricted::default(), facts)
    }

    #[test]
    fn variables_for_administrators_at_most_pass() {
        assert_eq!(by(Who::Nobody), "pass");
        assert_eq!(by(Who::Administrators), "pass");
        assert_eq!(
            verdict(&with(seen(None), false, Some("production"))),
            "pass"
        );
    }

    #[test]
    fn variables_for_members_fail_and_so_does_a_word_that_nobody_knows() {
        assert_eq!(by(Who::Members), "fail");
        assert_eq!(by(Who::Other("nobody at all".to_owned())), "fail");
    }

    #[test]
    fn free_text_fails_only_where_something_is_deployed() {
        assert_eq!(verdict(&with(seen(None), true, Some("production"))), "fail");
        assert_eq!(verdict(&with(seen(None), true, None)), "pass");
    }

    #[test]
    fn what_could_not_be_read_is_unknown_unless_something_is_wrong() {
        assert_eq!(verdict(&nothing_seen()), "unknown");
        assert_eq!(verdict(&with(hidden(), false, None)), "unknown");
        assert_eq!(verdict(&with(hidden(), true, Some("production"))), "fail");
        let mut facts = with(seen(None), false, None);
        facts.settings.definition = seen(pipeline_of(vec![file_of("b.yml", hidden())]));
        assert_eq!(verdict(&facts), "unknown");
        let mut facts = with(seen(Some(Who::Members)), false, None);
        facts.settings.definition = hidden();
        assert_eq!(verdict(&facts), "fail");
    }

    #[test]
    fn a_policy_may_let_more_people_or_inputs_through_and_is_weaker_then() {
        let lax = RunVariablesRestricted {
            max: Most::Members,
            free_text: Names::literal(&["version"]),
        };
        let facts = with(seen(Some(Who::Members)), true, Some("production"));
        assert_eq!(verdict_of(&lax, &facts), "pass");
        let base = RunVariablesRestricted::default();
        assert!(lax.weaker_than(&base).is_some() && base.weaker_than(&lax).is_none());
        let names = RunVariablesRestricted {
            free_text: Names::literal(&["version"]),
            ..RunVariablesRestricted::default()
        };
        assert!(names.weaker_than(&base).is_some());
    }
}
