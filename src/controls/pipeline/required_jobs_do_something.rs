//! PIPE-11: the jobs behind the required checks run something. Knows only whether
//! there is anything at all; a job that prints a word and ends is not found out here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jobs::{Behind, asks_less, required_jobs};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, PipelineJob, Platform, Snapshot, Unknown};

/// Parameters of PIPE-11.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RequiredJobsDoSomething {
    /// Names of jobs that are judged beside those of the required checks.
    jobs: Vec<String>,
    /// Names of required checks that other systems report, so that no job does.
    outside: Vec<String>,
}

impl Control for RequiredJobsDoSomething {
    const META: Meta = Meta {
        code: "PIPE-11",
        id: "required-jobs-do-something",
        title: "the jobs behind the required checks run something",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29"]),
            (Framework::PciDss, &["6.2.3"]),
            (Framework::Nist80053, &["SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::PipelineDefinition],
        rationale: "A job that only checks the code out is green for ever and tests nothing. This \
                    is advice by its nature, best used with `enforce: warn`: what a command is \
                    worth cannot be read from the definition.",
        cheat: "Keeping the name of a scan and taking its steps away. A job without any command or \
                part is found; one with a command that does nothing looks busy, so a pass is no \
                proof that something was tested.",
        remedy_github: "give the job the steps that its name promises, or take its check off the \
                        list of required ones",
        remedy_gitlab: "give the job the script that its name promises, or remove it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let required = required_jobs(facts, &self.jobs, &self.outside)?;
        let may_be_more = required.hidden.is_some();
        let wrong = required
            .found
            .iter()
            .flat_map(|behind| hollow(behind, may_be_more))
            .collect();
        required.judge(
            facts,
            wrong,
            "the jobs behind the required checks run something",
            "nothing is done where something has to be",
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        asks_less((&self.jobs, &self.outside), (&base.jobs, &base.outside))
    }
}

/// The jobs behind a check that do nothing. In a whole pipeline those whose
/// failure does not count are not required.
fn hollow(behind: &Behind<'_>, may_be_more: bool) -> Vec<String> {
    if behind.whole && behind.jobs.is_empty() && !may_be_more {
        return vec!["the pipeline has no job".to_owned()];
    }
    behind
        .jobs
        .iter()
        .filter(|at| !behind.whole || at.job.soft_fail.is_none())
        .filter(|at| is_hollow(at.job))
        .map(|at| format!("{} does nothing", at.named()))
        .collect()
}

/// What stands behind an `exit 0` is never run.
fn is_hollow(job: &PipelineJob) -> bool {
    job.does
        .first()
        .is_none_or(|first| job.does.len() == 1 && first.trim() == "exit 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::{
        checks, definition, file, file_of, job, pipeline_of, requiring,
    };
    use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};
    use crate::facts::{DefinitionFile, Fact, LayerKind};

    fn empty(id: &str) -> PipelineJob {
        PipelineJob {
            does: Vec::new(),
            ..job(id)
        }
    }

    fn ci(jobs: Vec<PipelineJob>) -> DefinitionFile {
        file("ci.yml", definition(jobs))
    }

    fn verdict(names: &[&str], files: Vec<DefinitionFile>) -> String {
        let facts = requiring(seen(checks(names, None)), files);
        verdict_of(&RequiredJobsDoSomething::default(), &facts)
    }

    #[test]
    fn a_required_job_that_runs_something_passes() {
        assert_eq!(
            verdict(&["scan"], vec![ci(vec![job("scan"), empty("lint")])]),
            "pass"
        );
    }

    #[test]
    fn f25_a_required_job_that_only_checks_out_fails() {
        assert_eq!(verdict(&["scan"], vec![ci(vec![empty("scan")])]), "fail");
        let exits = PipelineJob {
            does: vec!["exit 0".to_owned()],
            ..job("scan")
        };
        assert_eq!(verdict(&["scan"], vec![ci(vec![exits])]), "fail");
    }

    #[test]
    fn f25_a_check_that_no_job_reports_is_no_job_that_does_something() {
        assert_eq!(verdict(&["scan"], vec![ci(vec![job("lint")])]), "fail");
        assert_eq!(verdict(&[], vec![ci(vec![job("lint")])]), "fail");
    }

    #[test]
    fn what_could_not_be_read_is_unknown_unless_a_hollow_job_is_seen() {
        let unread = || file_of("b.yml", hidden());
        assert_eq!(
            verdict(&["scan"], vec![ci(vec![job("scan")]), unread()]),
            "unknown"
        );
        assert_eq!(
            verdict(&["scan"], vec![ci(vec![empty("scan")]), unread()]),
            "fail"
        );
        let nothing = nothing_seen();
        assert_eq!(
            verdict_of(&RequiredJobsDoSomething::default(), &nothing),
            "unknown"
        );
        let rules = requiring(hidden(), vec![ci(vec![job("scan")])]);
        assert_eq!(
            verdict_of(&RequiredJobsDoSomething::default(), &rules),
            "unknown"
        );
    }

    #[test]
    fn of_a_whole_pipeline_every_job_that_counts_does_something() {
        let whole = |jobs: Vec<PipelineJob>| {
            let mut facts = requiring(seen(checks(&["pipeline"], None)), vec![ci(jobs)]);
            if let Fact::Known { value, .. } = &mut facts.branch_rules {
                value.layers[0].kind = LayerKind::ProjectSetting;
            }
            let before = verdict_of(&RequiredJobsDoSomething::default(), &facts);
            facts.settings.definition = seen(pipeline_of(vec![file_of("ci.yml", hidden())]));
            let control = RequiredJobsDoSomething::default();
            assert_eq!(verdict_of(&control, &facts), "unknown");
            before
        };
        let mut advice = empty("advice");
        advice.soft_fail = Some("allow_failure: true".to_owned());
        assert_eq!(whole(vec![job("a"), advice]), "pass");
        assert_eq!(whole(vec![job("a"), empty("b")]), "fail");
        assert_eq!(whole(Vec::new()), "fail");
    }

    #[test]
    fn checks_of_other_systems_are_left_to_them_and_naming_more_is_weaker() {
        let named = RequiredJobsDoSomething {
            jobs: vec!["scan".to_owned()],
            outside: vec!["cloud".to_owned()],
        };
        let facts = requiring(seen(checks(&["cloud"], None)), vec![ci(vec![job("scan")])]);
        assert_eq!(verdict_of(&named, &facts), "pass");
        let less = RequiredJobsDoSomething {
            outside: vec!["cloud".to_owned()],
            ..RequiredJobsDoSomething::default()
        };
        assert_eq!(verdict_of(&less, &facts), "not_applicable");
        assert!(less.weaker_than(&named).is_some());
        assert!(named.weaker_than(&named).is_none());
        assert!(
            named
                .weaker_than(&RequiredJobsDoSomething::default())
                .is_some()
        );
    }
}
