//! From the head pipeline and its jobs to results. Pure; does not know which
//! of them are required.

use crate::facts::{CheckConclusion, CheckKind, CheckResult, CheckStatus, Fact, Source};

use super::wire::{Job, MergeRequest, Pipeline, Read, WireCommit, time};

/// What the second round has to fetch to know the results for the head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The pipeline whose jobs are read.
    pub(super) jobs: Option<u64>,
    /// The pipeline whose trigger jobs are read: while it runs, they stand for
    /// child pipelines that the list of jobs does not show.
    pub(super) triggers: Option<u64>,
    /// The commit that the pipeline ran for, where that is not the head: a merged
    /// result has the head as a parent.
    pub(super) merged_result: Option<String>,
}

/// What the second round brought.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) jobs: Option<Read<Vec<Job>>>,
    pub(super) triggers: Option<Read<Vec<Job>>>,
    pub(super) merged_result: Option<Read<WireCommit>>,
}

/// Decides what to fetch.
pub(super) fn wanted(mr: Option<&MergeRequest>) -> Wanted {
    let Some(mr) = mr else {
        return Wanted::default();
    };
    let Some(Some(pipeline)) = &mr.head_pipeline else {
        return Wanted::default();
    };
    let (Some(of), Some(head)) = (&pipeline.sha, &mr.sha) else {
        return Wanted::default();
    };
    let runs = words(pipeline.status.as_deref()).0 != CheckStatus::Completed;
    Wanted {
        jobs: pipeline.id,
        triggers: pipeline.id.filter(|_| runs),
        merged_result: (of != head).then(|| of.clone()),
    }
}

/// Results for the head. A pipeline of another commit is no result for it,
/// unless that commit is the head merged into its target.
pub(super) fn checks(mr: &Read<MergeRequest>, results: &Results) -> Fact<Vec<CheckResult>> {
    const FACT: &str = "change.checks";
    let (mr, sources) = match mr {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let Some(head) = &mr.sha else {
        return Fact::Unknown(super::left_out(FACT, "sha", sources));
    };
    let pipeline = match &mr.head_pipeline {
        None => return Fact::Unknown(super::left_out(FACT, "head_pipeline", sources)),
        Some(None) => return Fact::seen_in(Vec::new(), sources.clone()),
        Some(Some(pipeline)) => pipeline,
    };
    let Some(of) = &pipeline.sha else {
        return Fact::Unknown(super::left_out(FACT, "head_pipeline.sha", sources));
    };
    let mut all = sources.clone();
    if of != head {
        match &results.merged_result {
            Some(Ok((commit, more))) => {
                all.extend(more.clone());
                match &commit.parent_ids {
                    Some(parents) if parents.contains(head) => {}
                    Some(_) => return Fact::seen_in(Vec::new(), all),
                    None => return Fact::Unknown(super::left_out(FACT, "parent_ids", &all)),
                }
            }
            Some(Err(unknown)) => return Fact::Unknown(unknown.clone()),
            None => return Fact::Unknown(super::left_out(FACT, "parent_ids", &all)),
        }
    }
    let mut out = vec![whole(pipeline, head)];
    // Jobs that may not be read (a job token cannot) are left out: no control
    // can take a missing job for a success. The jobs of a running pipeline say
    // nothing while its trigger jobs are hidden.
    match (&results.jobs, &results.triggers) {
        (Some(Ok((jobs, more))), None) => add_jobs(&mut out, jobs, head, &mut all, more),
        (Some(Ok((jobs, more))), Some(Ok((triggers, also)))) => {
            add_jobs(&mut out, jobs, head, &mut all, more);
            add_jobs(&mut out, triggers, head, &mut all, also);
        }
        (Some(Ok(_)), Some(Err(_))) | (Some(Err(_)) | None, _) => {}
    }
    Fact::seen_in(out, all)
}

fn add_jobs(
    out: &mut Vec<CheckResult>,
    jobs: &[Job],
    head: &str,
    all: &mut Vec<Source>,
    more: &[Source],
) {
    all.extend_from_slice(more);
    for job in jobs {
        let Some(name) = job.name.clone() else {
            continue;
        };
        let (status, conclusion) = words(job.status.as_deref());
        out.push(CheckResult {
            name,
            kind: CheckKind::Job,
            app: None,
            status,
            conclusion,
            head: head.to_owned(),
            allow_failure: job.allow_failure == Some(true),
            ended_at: time(job.finished_at.as_deref()),
        });
    }
}

fn whole(pipeline: &Pipeline, head: &str) -> CheckResult {
    let (status, conclusion) = words(pipeline.status.as_deref());
    CheckResult {
        name: "pipeline".to_owned(),
        kind: CheckKind::Pipeline,
        app: None,
        status,
        conclusion,
        head: head.to_owned(),
        allow_failure: false,
        ended_at: time(pipeline.finished_at.as_deref()),
    }
}

/// GitLab's one word as status and end. A pipeline that waits for somebody's
/// click is not finished.
fn words(status: Option<&str>) -> (CheckStatus, Option<CheckConclusion>) {
    let done = |conclusion| (CheckStatus::Completed, Some(conclusion));
    match status {
        Some("success") => done(CheckConclusion::Success),
        Some("failed") => done(CheckConclusion::Failure),
        Some("skipped") => done(CheckConclusion::Skipped),
        Some(word @ ("canceled" | "canceling")) => done(CheckConclusion::Other(word.to_owned())),
        Some(
            "created"
            | "waiting_for_resource"
            | "waiting_for_callback"
            | "preparing"
            | "pending"
            | "running"
            | "manual"
            | "scheduled",
        ) => (CheckStatus::Running, None),
        Some(other) => (CheckStatus::Other(other.to_owned()), None),
        None => (CheckStatus::Other("not told".to_owned()), None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    fn mr(pipeline_sha: &str, status: &str) -> Read<MergeRequest> {
        read(json!({"sha": "head",
            "head_pipeline": {"id": 9, "sha": pipeline_sha, "status": status}}))
    }

    #[test]
    fn the_head_pipeline_and_its_jobs_are_results_for_the_head() {
        let jobs = read(json!([
            {"name": "test", "status": "success", "allow_failure": false},
            {"name": "lint", "status": "failed", "allow_failure": true}
        ]));
        let fact = checks(
            &mr("head", "success"),
            &Results {
                jobs: Some(jobs),
                ..Results::default()
            },
        );
        let found = fact.known().unwrap();
        assert_eq!(found[0].name, "pipeline");
        assert_eq!(found[0].conclusion, Some(CheckConclusion::Success));
        assert!(found[2].allow_failure);
        assert_eq!(found[2].conclusion, Some(CheckConclusion::Failure));
    }

    #[test]
    fn a_green_pipeline_of_an_older_commit_is_no_result_for_the_head() {
        let old = read(json!({"parent_ids": ["something"]}));
        let of = Results {
            merged_result: Some(old),
            ..Results::default()
        };
        let fact = checks(&mr("old", "success"), &of);
        assert_eq!(fact.known(), Ok(&Vec::new()));
        assert!(!checks(&mr("old", "success"), &Results::default()).is_known());
    }

    #[test]
    fn a_merged_result_counts_when_the_head_is_a_parent_of_it() {
        let merged = read(json!({"parent_ids": ["tip", "head"]}));
        let of = Results {
            merged_result: Some(merged),
            ..Results::default()
        };
        let fact = checks(&mr("merged", "success"), &of);
        assert_eq!(fact.known().unwrap().len(), 1);
        assert_eq!(
            wanted(mr("merged", "success").as_ref().ok().map(|(mr, _)| mr)),
            Wanted {
                jobs: Some(9),
                triggers: None,
                merged_result: Some("merged".to_owned())
            }
        );
    }

    #[test]
    fn a_running_pipeline_shows_its_jobs_only_together_with_its_trigger_jobs() {
        let running = mr("head", "running");
        let asked = wanted(running.as_ref().ok().map(|(mr, _)| mr));
        assert_eq!((asked.jobs, asked.triggers), (Some(9), Some(9)));
        let names = |triggers: Read<Vec<Job>>| {
            let of = Results {
                jobs: Some(read(json!([{"name": "unit", "status": "success"}]))),
                triggers: Some(triggers),
                merged_result: None,
            };
            let fact = checks(&running, &of);
            let found = fact.known().unwrap();
            found
                .iter()
                .map(|check| check.name.clone())
                .collect::<Vec<_>>()
        };
        let child = read(json!([{"name": "child", "status": "running"}]));
        assert_eq!(names(child), ["pipeline", "unit", "child"]);
        let hidden = Err(crate::facts::Unknown::not_collected("change.checks"));
        assert_eq!(names(hidden), ["pipeline"]);
    }

    #[test]
    fn no_pipeline_is_known_and_a_field_that_is_left_out_is_not() {
        let none = checks(
            &read(json!({"sha": "head", "head_pipeline": null})),
            &Results::default(),
        );
        assert_eq!(none.known(), Ok(&Vec::new()));
        assert!(!checks(&read(json!({"sha": "head"})), &Results::default()).is_known());
    }

    #[test]
    fn only_success_is_green_and_waiting_for_a_click_is_running() {
        assert_eq!(words(Some("manual")), (CheckStatus::Running, None));
        assert_eq!(
            words(Some("skipped")),
            (CheckStatus::Completed, Some(CheckConclusion::Skipped))
        );
        assert_eq!(
            words(Some("brand-new")),
            (CheckStatus::Other("brand-new".to_owned()), None)
        );
        for word in ["failed", "canceled", "created", "success_with_warnings"] {
            assert_ne!(
                words(Some(word)).1,
                Some(CheckConclusion::Success),
                "{word}"
            );
        }
    }
}
