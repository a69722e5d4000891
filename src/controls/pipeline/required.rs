//! The jobs that stand behind the required checks, and the judgement over them.
//! What is wrong with a job is the control's to say.

use super::jobs::{JobAt, PIPELINES, all_jobs, is_whole_pipeline, reporting, unread, untold};
use super::names::{beyond, is_among};
use crate::controls::control::{Evidence, Verdict};
use crate::controls::judging::some;
use crate::facts::{FactKey, RequiredCheck, Snapshot, Unknown};

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
