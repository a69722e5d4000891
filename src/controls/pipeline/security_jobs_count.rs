//! PIPE-09: the jobs behind the required checks exist, and their failure counts.
//! Whether they do anything useful is PIPE-11's question.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jobs::{Behind, Conditions, asks_less, required_jobs};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of PIPE-09.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SecurityJobsCount {
    /// Names of jobs that have to be there beside those of the required checks.
    jobs: Vec<String>,
    /// Names of required checks that other systems report, so that no job does.
    outside: Vec<String>,
    /// Conditions of jobs that hold for every change, as the definition writes them.
    conditions: Conditions,
}

impl Control for SecurityJobsCount {
    const META: Meta = Meta {
        code: "PIPE-09",
        id: "security-jobs-count",
        title: "the jobs behind the required checks exist and their failure counts",
        criteria: &[Criterion::Cc7_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.25"]),
            (Framework::PciDss, &["6.2.3", "6.5.1"]),
            (Framework::Nist80053, &["SA-11", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::PipelineDefinition],
        rationale: "A required check is as good as the job behind it: one that may fail or be \
                    skipped is green whatever it found.",
        cheat: "`continue-on-error`, `allow_failure`, or a condition that is never true: the check \
                stays required and always succeeds. So does a second job of the same name. Every \
                job that reports the name has to count, and conditions are refused unless the \
                policy names them.",
        remedy_github: "remove `continue-on-error` and `if:` from the jobs behind required checks; \
                        name checks of other systems in the policy under `outside`",
        remedy_gitlab: "remove `allow_failure`, `when: manual` and narrow `rules` from the jobs \
                        that matter and name them in the policy under `jobs`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let required = required_jobs(facts, &self.jobs, &self.outside)?;
        let wrong = required
            .found
            .iter()
            .flat_map(|behind| self.wrong(behind, required.hidden.is_some()))
            .collect();
        required.judge(
            facts,
            wrong,
            "the jobs behind the required checks exist and count",
            "jobs that have to count do not",
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        asks_less((&self.jobs, &self.outside), (&base.jobs, &base.outside))
            .or_else(|| self.conditions.beyond(&base.conditions))
    }
}

impl SecurityJobsCount {
    /// What keeps the jobs behind a check from counting. Of a whole pipeline only
    /// one job has to count, the others may be meant to be advice.
    fn wrong(&self, behind: &Behind<'_>, may_be_more: bool) -> Vec<String> {
        let soft: Vec<String> = behind
            .jobs
            .iter()
            .filter_map(|at| at.gives_way(&self.conditions))
            .collect();
        if !behind.whole {
            return soft;
        }
        if soft.len() < behind.jobs.len() || may_be_more {
            return Vec::new();
        }
        vec![format!("no job of the pipeline counts: {}", some(&soft))]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::pipeline::testing::{checks, definition, file, file_of, job, requiring};
    use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};
    use crate::facts::{DefinitionFile, LayerKind, PipelineJob};

    fn ci(jobs: Vec<PipelineJob>) -> DefinitionFile {
        file("ci.yml", definition(jobs))
    }

    fn verdict(names: &[&str], files: Vec<DefinitionFile>) -> String {
        let facts = requiring(seen(checks(names, None)), files);
        verdict_of(&SecurityJobsCount::default(), &facts)
    }

    fn soft(id: &str) -> PipelineJob {
        PipelineJob {
            soft_fail: Some("continue-on-error: true".to_owned()),
            ..job(id)
        }
    }

    fn conditional(id: &str, condition: &str) -> PipelineJob {
        PipelineJob {
            condition: Some(condition.to_owned()),
            ..job(id)
        }
    }

    #[test]
    fn a_required_job_that_counts_passes() {
        assert_eq!(
            verdict(&["sast"], vec![ci(vec![job("sast"), soft("lint")])]),
            "pass"
        );
    }

    #[test]
    fn a_job_that_may_fail_or_be_skipped_fails() {
        assert_eq!(verdict(&["sast"], vec![ci(vec![soft("sast")])]), "fail");
        let skipped = conditional("sast", "github.actor != 'eve'");
        assert_eq!(verdict(&["sast"], vec![ci(vec![skipped])]), "fail");
    }

    #[test]
    fn a_second_job_of_the_name_has_to_count_too() {
        let files = vec![ci(vec![job("sast")]), ci(vec![soft("sast")])];
        assert_eq!(verdict(&["sast"], files), "fail");
    }

    #[test]
    fn a_check_that_nobody_reports_fails() {
        assert_eq!(verdict(&["sast"], vec![ci(vec![job("lint")])]), "fail");
        assert_eq!(verdict(&["sast"], Vec::new()), "fail");
    }

    #[test]
    fn a_check_of_another_system_is_not_judged() {
        let facts = requiring(
            seen(checks(&["scanner"], Some("99"))),
            vec![ci(vec![job("lint")])],
        );
        assert_eq!(
            verdict_of(&SecurityJobsCount::default(), &facts),
            "not_applicable"
        );
        let named = SecurityJobsCount {
            outside: vec!["scanner".to_owned()],
            ..SecurityJobsCount::default()
        };
        let facts = requiring(seen(checks(&["scanner"], None)), vec![ci(Vec::new())]);
        assert_eq!(verdict_of(&named, &facts), "not_applicable");
        assert!(named.weaker_than(&SecurityJobsCount::default()).is_some());
    }

    #[test]
    fn a_name_that_cannot_be_told_or_a_file_that_cannot_be_read_leaves_it_unknown() {
        let mut nameless = job("sast");
        nameless.reported_as.clear();
        assert_eq!(verdict(&["sast"], vec![ci(vec![nameless])]), "unknown");
        let unread = || file_of("b.yml", hidden());
        assert_eq!(verdict(&["sast"], vec![unread()]), "unknown");
        assert_eq!(
            verdict(&["sast"], vec![ci(vec![job("sast")]), unread()]),
            "unknown"
        );
        assert_eq!(
            verdict(&["sast"], vec![unread(), ci(vec![soft("sast")])]),
            "fail"
        );
        let pinned = requiring(seen(checks(&["sast"], Some("99"))), vec![unread()]);
        assert_eq!(
            verdict_of(&SecurityJobsCount::default(), &pinned),
            "unknown"
        );
    }

    #[test]
    fn hidden_rules_leave_it_unknown_unless_a_named_job_is_wrong() {
        let named = SecurityJobsCount {
            jobs: vec!["sast".to_owned()],
            ..SecurityJobsCount::default()
        };
        let good = requiring(hidden(), vec![ci(vec![job("sast")])]);
        assert_eq!(verdict_of(&named, &good), "unknown");
        let bad = requiring(hidden(), vec![ci(vec![soft("sast")])]);
        assert_eq!(verdict_of(&named, &bad), "fail");
        assert_eq!(verdict_of(&named, &nothing_seen()), "unknown");
        assert!(SecurityJobsCount::default().weaker_than(&named).is_some());
        assert!(named.weaker_than(&SecurityJobsCount::default()).is_none());
    }

    #[test]
    fn where_no_check_is_required_nothing_counts() {
        assert_eq!(verdict(&[], vec![ci(vec![job("sast")])]), "fail");
    }

    #[test]
    fn of_a_whole_pipeline_one_job_has_to_count() {
        let whole = |jobs: Vec<PipelineJob>| {
            let mut facts = requiring(seen(checks(&["pipeline"], None)), vec![ci(jobs)]);
            if let crate::facts::Fact::Known { value, .. } = &mut facts.branch_rules {
                value.layers[0].kind = LayerKind::ProjectSetting;
            }
            verdict_of(&SecurityJobsCount::default(), &facts)
        };
        assert_eq!(whole(vec![soft("a"), job("b")]), "pass");
        assert_eq!(whole(vec![soft("a")]), "fail");
        assert_eq!(whole(Vec::new()), "fail");
    }

    #[test]
    fn a_condition_that_the_policy_names_is_accepted() {
        let lax: SecurityJobsCount =
            serde_json::from_value(json!({"conditions": ["github.event_name != 'push'"]}))
                .expect("they are valid");
        let facts = requiring(
            seen(checks(&["sast"], None)),
            vec![ci(vec![conditional(
                "sast",
                "github.event_name != \"push\"",
            )])],
        );
        assert_eq!(verdict_of(&lax, &facts), "pass");
        assert!(lax.weaker_than(&SecurityJobsCount::default()).is_some());
    }
}
