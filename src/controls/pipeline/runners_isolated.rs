//! PIPE-08: the owner's own machines run no code of strangers. Which jobs they
//! took lately is not looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jobs::{all_jobs, unread};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{Fact, FactKey, Platform, Runner, Snapshot, Unknown, Visibility, Why};

/// Parameters of PIPE-08.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunnersIsolated {
    /// Whether own machines may serve repositories outside of the organisation or group.
    allow_shared: bool,
    /// Whether own machines must be made anew for each job; unknown where the platform
    /// does not tell.
    ephemeral: bool,
    /// Whether own machines may take jobs of protected branches and tags only; unknown
    /// where the platform does not tell.
    protected_only: bool,
}

impl Default for RunnersIsolated {
    fn default() -> Self {
        Self {
            allow_shared: false,
            ephemeral: true,
            protected_only: false,
        }
    }
}

impl Control for RunnersIsolated {
    const META: Meta = Meta {
        code: "PIPE-08",
        id: "runners-isolated",
        title: "own machines that run jobs are kept apart from strangers",
        criteria: &[Criterion::Cc6_8, Criterion::Cc6_6],
        frameworks: &[
            (Framework::Iso27001, &["A.8.31", "A.8.25"]),
            (Framework::PciDss, &["6.5.3", "2.2.1"]),
            (Framework::Nist80053, &["CM-7", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::PipelineRunners,
            FactKey::RepositorySettings,
            FactKey::PipelineDefinition,
        ],
        rationale: "A job can leave something behind on a machine that lives on, and on a public \
                    repository anybody can propose a job.",
        cheat: "Registering the machine above the repository so that it does not look like the \
                repository's own. Every machine that is listed is judged, jobs that ask for one \
                are looked for, and a visibility that is not known counts as public.",
        remedy_github: "take self-hosted runners away from public repositories, limit runner groups \
                        to chosen repositories, and register runners with `--ephemeral`",
        remedy_gitlab: "lock project runners to their projects, keep own runners away from public \
                        projects, and tick \"Protected\" where the policy asks for it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.runners;
        let public = match facts.settings.repository.known() {
            Ok(repository) => repository
                .visibility
                .map_ref(|visibility| *visibility >= Visibility::Public),
            Err(unknown) => Fact::Unknown(unknown),
        };
        let runners = fact.known()?;
        let own = || runners.iter().filter(|runner| runner.self_hosted);
        let listed = none_wrong(
            own(),
            &Says {
                key: FactKey::PipelineRunners,
                good: "own machines are kept apart from strangers and from each other's jobs",
                bad: "own machines are within reach of others",
            },
            fact.sources(),
            |runner| self.wrong(runner, &public),
        );
        if let Ok(Verdict::Fail(_)) = listed {
            return listed;
        }
        let definition = facts.settings.definition.known();
        let asks = definition.clone().ok().and_then(|definition| {
            all_jobs(definition).find(|at| at.job.self_hosted == Some(true))
        });
        if let Some(at) = asks
            && public.known() == Ok(&true)
        {
            let said = format!(
                "{} runs on own machines and the repository is public",
                at.named()
            );
            return Ok(Verdict::fail(Evidence::new(
                said.clone(),
                FactKey::PipelineDefinition,
                said,
                facts.settings.definition.sources(),
            )));
        }
        let passed = listed?;
        if let Some(unknown) = unread(definition?) {
            return Err(unknown);
        }
        match asks {
            Some(at) if own().next().is_none() => Err(Unknown::new(
                FactKey::PipelineRunners.name(),
                Why::NotSupported,
                format!(
                    "{} asks for own machines and none is listed; they may be registered above \
                     the repository",
                    at.named()
                ),
            )),
            Some(_) | None => Ok(passed),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        [
            (
                self.allow_shared && !base.allow_shared,
                "lets own machines serve repositories outside",
            ),
            (
                base.ephemeral && !self.ephemeral,
                "lets own machines live on after a job",
            ),
            (
                base.protected_only && !self.protected_only,
                "lets own machines take jobs of any branch",
            ),
        ]
        .into_iter()
        .find_map(|(weaker, words)| weaker.then(|| words.to_owned()))
    }
}

impl RunnersIsolated {
    fn wrong(&self, runner: &Runner, public: &Fact<bool>) -> Result<Option<String>, Unknown> {
        let mut wrong = Vec::new();
        if public.known() == Ok(&true) {
            wrong.push("the repository is public");
        }
        if runner.shared && !self.allow_shared {
            wrong.push("others outside use it too");
        }
        if self.ephemeral && runner.ephemeral == Some(false) {
            wrong.push("it lives on after a job");
        }
        if self.protected_only && runner.protected_only == Some(false) {
            wrong.push("it takes jobs of any branch");
        }
        if !wrong.is_empty() {
            return Ok(Some(format!("`{}` ({})", runner.name, wrong.join(", "))));
        }
        public.known()?;
        let untold = [
            (self.ephemeral && runner.ephemeral.is_none(), "ephemeral"),
            (
                self.protected_only && runner.protected_only.is_none(),
                "protected_only",
            ),
        ];
        match untold.iter().find(|(untold, _)| *untold) {
            Some((_, word)) => Err(Unknown::new(
                FactKey::PipelineRunners.name(),
                Why::NotSupported,
                format!(
                    "the platform does not tell of `{}` what `{word}` asks; `{word}: false` leaves \
                     it out",
                    runner.name
                ),
            )),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::{definition, file, file_of, job, pipeline_of};
    use crate::controls::testing::{hidden, nothing_seen, seen, settings, verdict_of};
    use crate::facts::RepositorySettings;

    fn runner() -> Runner {
        Runner {
            name: "box".to_owned(),
            self_hosted: true,
            shared: false,
            ephemeral: Some(true),
            protected_only: Some(true),
        }
    }

    fn with(visibility: Fact<Visibility>, runners: Vec<Runner>) -> Snapshot {
        settings(|all| {
            all.runners = seen(runners);
            all.definition = seen(pipeline_of(Vec::new()));
            all.repository = seen(RepositorySettings {
                visibility,
                archived: hidden(),
                last_activity: hidden(),
                merge_methods: hidden(),
                auto_merge: hidden(),
                public_pipelines: hidden(),
            });
        })
    }

    fn verdict(visibility: Fact<Visibility>, runner: Runner) -> String {
        verdict_of(&RunnersIsolated::default(), &with(visibility, vec![runner]))
    }

    #[test]
    fn a_machine_of_a_private_repository_that_is_made_anew_passes() {
        assert_eq!(verdict(seen(Visibility::Private), runner()), "pass");
        assert_eq!(verdict(seen(Visibility::Internal), runner()), "pass");
    }

    /// The trick: a machine that lives on, where nobody tells that it does.
    #[test]
    fn what_the_platform_does_not_tell_is_unknown_unless_the_policy_lets_it_go() {
        let quiet = |ephemeral, protected_only| Runner {
            ephemeral,
            protected_only,
            ..runner()
        };
        let asking = |ephemeral, protected_only, runner: Runner| {
            let control = RunnersIsolated {
                allow_shared: false,
                ephemeral,
                protected_only,
            };
            verdict_of(&control, &with(seen(Visibility::Private), vec![runner]))
        };
        assert_eq!(asking(true, false, quiet(None, None)), "unknown");
        assert_eq!(asking(false, true, quiet(Some(true), None)), "unknown");
        assert_eq!(asking(true, true, quiet(None, Some(false))), "fail");
        assert_eq!(asking(true, false, quiet(Some(true), None)), "pass");
        assert_eq!(asking(false, false, quiet(None, None)), "pass");
    }

    #[test]
    fn an_own_machine_on_a_public_repository_fails() {
        assert_eq!(verdict(seen(Visibility::Public), runner()), "fail");
        let strange = Visibility::Other("secret".to_owned());
        assert_eq!(verdict(seen(strange), runner()), "fail");
    }

    #[test]
    fn the_platforms_own_machines_are_not_judged() {
        let rented = Runner {
            self_hosted: false,
            shared: true,
            ephemeral: Some(false),
            ..runner()
        };
        assert_eq!(verdict(seen(Visibility::Public), rented.clone()), "pass");
        assert_eq!(verdict(hidden(), rented), "pass");
    }

    #[test]
    fn a_job_that_asks_for_an_own_machine_is_seen_even_if_no_machine_is() {
        let asking = |visibility: Visibility, runners: Vec<Runner>| {
            let mut facts = with(seen(visibility), runners);
            let mut own = job("build");
            own.self_hosted = Some(true);
            let files = vec![file("ci.yml", definition(vec![own]))];
            facts.settings.definition = seen(pipeline_of(files));
            verdict_of(&RunnersIsolated::default(), &facts)
        };
        assert_eq!(asking(Visibility::Public, Vec::new()), "fail");
        assert_eq!(asking(Visibility::Private, Vec::new()), "unknown");
        assert_eq!(asking(Visibility::Private, vec![runner()]), "pass");
    }

    #[test]
    fn a_definition_that_cannot_be_read_may_ask_for_an_own_machine() {
        let mut facts = with(seen(Visibility::Private), vec![runner()]);
        facts.settings.definition = seen(pipeline_of(vec![file_of("b.yml", hidden())]));
        assert_eq!(verdict_of(&RunnersIsolated::default(), &facts), "unknown");
        facts.settings.definition = hidden();
        assert_eq!(verdict_of(&RunnersIsolated::default(), &facts), "unknown");
    }

    #[test]
    fn a_shared_machine_and_one_that_lives_on_fail_unless_the_policy_lets_them() {
        let shared = Runner {
            shared: true,
            ..runner()
        };
        let old = Runner {
            ephemeral: Some(false),
            ..runner()
        };
        assert_eq!(verdict(hidden(), shared.clone()), "fail");
        assert_eq!(verdict(hidden(), old.clone()), "fail");
        let lax = RunnersIsolated {
            allow_shared: true,
            ephemeral: false,
            protected_only: false,
        };
        let facts = with(seen(Visibility::Private), vec![shared, old]);
        assert_eq!(verdict_of(&lax, &facts), "pass");
        assert!(lax.weaker_than(&RunnersIsolated::default()).is_some());
        assert!(RunnersIsolated::default().weaker_than(&lax).is_none());
    }

    #[test]
    fn a_policy_may_want_protected_branches_only() {
        let open = Runner {
            protected_only: Some(false),
            ..runner()
        };
        assert_eq!(verdict(seen(Visibility::Private), open.clone()), "pass");
        let strict = RunnersIsolated {
            protected_only: true,
            ..RunnersIsolated::default()
        };
        let facts = with(seen(Visibility::Private), vec![open]);
        assert_eq!(verdict_of(&strict, &facts), "fail");
        assert!(RunnersIsolated::default().weaker_than(&strict).is_some());
    }

    #[test]
    fn an_own_machine_where_nobody_knows_who_can_see_the_code_is_unknown() {
        assert_eq!(verdict(hidden(), runner()), "unknown");
        let nothing = nothing_seen();
        assert_eq!(verdict_of(&RunnersIsolated::default(), &nothing), "unknown");
    }
}
