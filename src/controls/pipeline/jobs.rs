//! The jobs that definitions hold, and which of them stand behind the required
//! checks. Where a file cannot be read, or a job does not tell under which name
//! it reports, there may be more than what is found here, and that is said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{beyond, is_among};
use crate::controls::control::{Evidence, Verdict};
use crate::controls::judging::some;
use crate::facts::{
    BranchRules, Definition, FactKey, LayerKind, PipelineDefinition, PipelineJob, RequiredCheck,
    Snapshot, Unknown, Why,
};

/// Id of the app that reports what pipelines of GitHub's cloud come to. Own servers
/// have another one there, so a foreign id alone proves nothing good.
pub(crate) const PIPELINES: &str = "15368";

/// A job and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobAt<'a> {
    /// Path of the file.
    pub(crate) path: &'a str,
    /// What the file defines.
    pub(crate) definition: &'a Definition,
    /// The job.
    pub(crate) job: &'a PipelineJob,
}

impl JobAt<'_> {
    /// The job as it is named in a sentence.
    pub(crate) fn named(&self) -> String {
        format!("`{}` of {}", self.job.id, self.path)
    }

    /// Why its result does not stand in the way of a merge, if so: its failure does
    /// not count, or it is skipped where a condition does not hold.
    pub(crate) fn gives_way(&self, accepted: &Conditions) -> Option<String> {
        if let Some(words) = &self.job.soft_fail {
            return Some(format!("{} may fail ({words})", self.named()));
        }
        let condition = self.job.condition.as_ref()?;
        (!accepted.accept(condition))
            .then(|| format!("{} has a condition ({condition})", self.named()))
    }
}

/// Every job that could be read.
pub(crate) fn all_jobs(definition: &PipelineDefinition) -> impl Iterator<Item = JobAt<'_>> {
    definition.files.iter().flat_map(|file| {
        let content = file.content.known().ok();
        content.into_iter().flat_map(|content| {
            content.jobs.iter().map(|job| JobAt {
                path: &file.path,
                definition: content,
                job,
            })
        })
    })
}

/// Why there may be jobs that nobody could read.
pub(crate) fn unread(definition: &PipelineDefinition) -> Option<Unknown> {
    definition
        .files
        .iter()
        .find_map(|file| file.content.known().err())
}

/// The jobs that report under a name.
pub(crate) fn reporting<'a>(definition: &'a PipelineDefinition, name: &str) -> Vec<JobAt<'a>> {
    all_jobs(definition)
        .filter(|at| at.job.reported_as.iter().any(|reported| reported == name))
        .collect()
}

/// Why a name that no job is seen to report may be reported all the same.
pub(crate) fn untold(definition: &PipelineDefinition) -> Option<Unknown> {
    unread(definition).or_else(|| {
        all_jobs(definition)
            .find(|at| at.job.reported_as.is_empty())
            .map(|at| {
                Unknown::new(
                    FactKey::PipelineDefinition.name(),
                    Why::NotSupported,
                    format!(
                        "under which name the result of {} is reported cannot be told from the file",
                        at.named()
                    ),
                )
            })
    })
}

/// Whether the check is the platform's own sign for all jobs of a pipeline. Where
/// layers list contexts by name, `pipeline` is a context like any other.
pub(crate) fn is_whole_pipeline(rules: &BranchRules, layer: &str, check: &RequiredCheck) -> bool {
    check.name == "pipeline"
        && rules
            .layers
            .iter()
            .filter(|known| known.id == layer)
            .all(|known| match known.kind {
                LayerKind::ClassicProtection | LayerKind::Ruleset => false,
                LayerKind::ProtectedBranch | LayerKind::ProjectSetting => true,
            })
}

/// Conditions of jobs that are accepted, since they hold for every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Conditions(Vec<String>);

impl Default for Conditions {
    fn default() -> Self {
        Self(vec![
            "always()".to_owned(),
            "rules: if: $CI_PIPELINE_SOURCE == \"merge_request_event\"".to_owned(),
        ])
    }
}

impl Conditions {
    /// Whether the condition is on the list, however it is spaced and quoted.
    fn accept(&self, condition: &str) -> bool {
        let bare = bare(condition);
        self.0.iter().any(|listed| self::bare(listed) == bare)
    }

    /// What is accepted here and not in `base`.
    pub(crate) fn beyond(&self, base: &Self) -> Option<String> {
        let more: Vec<&str> = self
            .0
            .iter()
            .filter(|listed| !base.accept(listed))
            .map(String::as_str)
            .collect();
        (!more.is_empty()).then(|| format!("accepts the condition `{}`", more.join("`, `")))
    }
}

fn bare(condition: &str) -> String {
    let text: String = condition
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| if letter == '\'' { '"' } else { letter })
        .collect();
    let text = text.strip_prefix("if:").unwrap_or(&text);
    text.strip_prefix("${{")
        .and_then(|inner| inner.strip_suffix("}}"))
        .unwrap_or(text)
        .to_owned()
}

/// One thing that has to succeed before a merge.
pub(super) struct Behind<'a> {
    /// The name of the check.
    pub(super) name: String,
    /// Whether it stands for the pipeline as a whole; then these are all its jobs.
    pub(super) whole: bool,
    /// The jobs that report it. Never empty, unless it is a whole pipeline.
    pub(super) jobs: Vec<JobAt<'a>>,
}

/// What stands behind the required checks.
#[derive(Default)]
pub(super) struct RequiredJobs<'a> {
    /// Checks with their jobs.
    pub(super) found: Vec<Behind<'a>>,
    /// Checks that no job reports, where every job could be read.
    pub(super) absent: Vec<String>,
    /// Checks that other systems report.
    pub(super) outside: Vec<String>,
    /// Why there may be more of anything.
    pub(super) hidden: Option<Unknown>,
}

impl RequiredJobs<'_> {
    /// Judges them: `wrong` is what is wrong with those that were found, `good` and
    /// `bad` the sentence and its opposite. A required check without a job is wrong,
    /// and so it is if nothing is required at all.
    pub(super) fn judge(
        self,
        facts: &Snapshot,
        mut wrong: Vec<String>,
        good: &str,
        bad: &str,
    ) -> Result<Verdict, Unknown> {
        wrong.extend(
            self.absent
                .iter()
                .map(|name| format!("no job reports `{name}`")),
        );
        let nothing = self.found.is_empty() && self.absent.is_empty() && self.outside.is_empty();
        if nothing && self.hidden.is_none() {
            wrong.push("no check is required and the policy names no job".to_owned());
        }
        let evidence = |summary: String, seen: String| {
            let sources = facts.settings.definition.sources();
            let evidence = Evidence::new(summary, FactKey::PipelineDefinition, seen, sources);
            if self.outside.is_empty() {
                return evidence;
            }
            evidence.and(
                FactKey::BranchRules,
                format!("from other systems, not judged: {}", some(&self.outside)),
                facts.branch_rules.sources(),
            )
        };
        if !wrong.is_empty() {
            let seen = some(&wrong);
            return Ok(Verdict::fail(evidence(format!("{bad}: {seen}"), seen)));
        }
        if let Some(unknown) = self.hidden {
            return Err(unknown);
        }
        let names: Vec<String> = self
            .found
            .iter()
            .map(|behind| behind.name.clone())
            .collect();
        Ok(if names.is_empty() {
            Verdict::NotApplicable(evidence(
                "every required check comes from another system".to_owned(),
                "no job is required".to_owned(),
            ))
        } else {
            let seen = some(&names);
            Verdict::Pass(evidence(format!("{good}: {seen}"), seen))
        })
    }
}

/// The jobs behind the required checks and behind the names in `more`. Checks named
/// in `outside` come from other systems. So do those that are pinned to an app, if
/// no job reports them: apps beside the pipeline report under their own id.
pub(super) fn required_jobs<'a>(
    facts: &'a Snapshot,
    more: &[String],
    outside: &[String],
) -> Result<RequiredJobs<'a>, Unknown> {
    let definition = facts.settings.definition.known()?;
    let mut jobs = RequiredJobs {
        hidden: unread(definition),
        ..RequiredJobs::default()
    };
    let mut wanted: Vec<(RequiredCheck, bool)> = more
        .iter()
        .map(|name| {
            let check = RequiredCheck {
                name: name.clone(),
                app: None,
            };
            (check, false)
        })
        .collect();
    match facts.branch_rules.known() {
        Ok(rules) => {
            for (layer, list) in rules.required_checks.known() {
                wanted.extend(
                    list.iter()
                        .map(|check| (check.clone(), is_whole_pipeline(rules, layer, check))),
                );
            }
            let unseen = rules
                .required_checks
                .demands
                .iter()
                .find_map(|demand| demand.value.known().err());
            jobs.hidden = jobs.hidden.or(unseen);
        }
        Err(unknown) => jobs.hidden = jobs.hidden.or(Some(unknown)),
    }
    wanted.sort();
    wanted.dedup();
    for (check, whole) in wanted {
        if is_among(outside, &check.name) {
            jobs.outside.push(check.name);
            continue;
        }
        let mut behind = reporting(definition, &check.name);
        if behind.is_empty() && whole {
            behind = all_jobs(definition).collect();
        } else if behind.is_empty() {
            match untold(definition) {
                Some(unknown) => jobs.hidden = jobs.hidden.or(Some(unknown)),
                None if check.app.is_some_and(|app| app != PIPELINES) => {
                    jobs.outside.push(check.name);
                }
                None => jobs.absent.push(check.name),
            }
            continue;
        }
        jobs.found.push(Behind {
            whole: whole
                && behind
                    .iter()
                    .all(|at| !at.job.reported_as.contains(&check.name)),
            name: check.name,
            jobs: behind,
        });
    }
    Ok(jobs)
}

/// What `own` leaves out of the names that `base` asks for, or lets come from
/// elsewhere.
pub(super) fn asks_less(
    own: (&[String], &[String]),
    base: (&[String], &[String]),
) -> Option<String> {
    if let Some(left_out) = beyond(base.0, own.0) {
        return Some(format!("does not ask for {left_out}"));
    }
    beyond(own.1, base.1).map(|more| format!("does not judge {more}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{definition, file, job, pipeline_of};
    use super::*;
    use crate::controls::testing::branch;

    #[test]
    fn a_condition_is_accepted_however_it_is_written_and_no_other_one_is() {
        let usual = Conditions::default();
        assert!(usual.accept("${{ always() }}") && usual.accept("if: always()"));
        assert!(usual.accept("rules: if: $CI_PIPELINE_SOURCE == 'merge_request_event'"));
        let more = "rules: if: $CI_PIPELINE_SOURCE == \"merge_request_event\", changes: src/**";
        assert!(!usual.accept(more) && !usual.accept("always() && false") && !usual.accept(""));
    }

    #[test]
    fn a_job_without_a_known_name_may_report_anything() {
        let mut nameless = job("test");
        nameless.reported_as.clear();
        let seen = pipeline_of(vec![file("a.yml", definition(vec![job("lint")]))]);
        let half = pipeline_of(vec![file("a.yml", definition(vec![nameless]))]);
        assert!(untold(&seen).is_none());
        assert_eq!(
            untold(&half).map(|unknown| unknown.why),
            Some(Why::NotSupported)
        );
    }

    #[test]
    fn a_context_that_is_called_pipeline_is_no_pipeline() {
        let check = RequiredCheck {
            name: "pipeline".to_owned(),
            app: None,
        };
        let whole = |kind: LayerKind, layer: &str| {
            let facts = branch(|rules| rules.layers[0].kind = kind);
            is_whole_pipeline(facts.branch_rules.known().unwrap(), layer, &check)
        };
        assert!(!whole(LayerKind::Ruleset, "ruleset \"main\""));
        assert!(!whole(LayerKind::ClassicProtection, "ruleset \"main\""));
        assert!(whole(LayerKind::ProtectedBranch, "ruleset \"main\""));
        // A setting of the project is no layer of the branch.
        assert!(whole(LayerKind::Ruleset, "project merge checks"));
    }
}
