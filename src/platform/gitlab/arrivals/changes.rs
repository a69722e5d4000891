//! The changes that came onto the branch, with everything that decides whether they
//! were fit to be merged. GitLab has no one question for that: each costs some
//! requests, so only so many are looked at.

use jiff::Timestamp;

use crate::facts::{Arrivals, ArrivedChange, Fact, FactKey, Unknown, Why};

use super::super::checks::Results;
use super::super::people::{Directory, names};
use super::super::wire::{
    Approvals, Member, MergeRequest, Note, Read, Version, WireCommit, list, object, time,
};
use super::super::{Session, approvals, change, checks, lookups, permissions};
use crate::platform::join;

/// Changes of one move that are looked at.
const MOST_CHANGES: usize = 20;

pub(super) async fn ask(
    session: &Session,
    arrivals: &Fact<Arrivals>,
) -> Fact<Option<Vec<ArrivedChange>>> {
    let key = FactKey::BranchArrivedChanges;
    let (arrivals, sources) = match arrivals {
        Fact::Known { value, sources } => (value, sources),
        Fact::Unknown(unknown) => {
            return Fact::Unknown(Unknown {
                fact: key.name().to_owned(),
                ..unknown.clone()
            });
        }
    };
    let numbers = arrivals.changes();
    if numbers.is_empty() {
        return Fact::seen_in(Some(Vec::new()), sources.clone());
    }
    session.transport.begin_wave();
    Fact::seen_in(Some(some(session, &numbers).await), sources.clone())
}

/// The changes of these numbers, as many as are looked at.
pub(super) async fn some(session: &Session, numbers: &[u64]) -> Vec<ArrivedChange> {
    let key = FactKey::BranchArrivedChanges;
    let (asked, rest) = numbers.split_at(numbers.len().min(MOST_CHANGES));
    let members = lookups::members(true, false, session).await;
    let (members, more) =
        members.unwrap_or_else(|| (Err(Unknown::not_collected(key.name())), false));
    let mut all = join::all(
        asked
            .iter()
            .map(|number| one(session, *number, &members, more)),
    )
    .await;
    let left_out = Unknown::new(
        key.name(),
        Why::NotSupported,
        format!("only {MOST_CHANGES} changes of one move are looked at"),
    );
    all.extend(
        rest.iter()
            .map(|number| ArrivedChange::unseen(*number, &left_out)),
    );
    all
}

async fn one(
    session: &Session,
    number: u64,
    members: &Read<Vec<Member>>,
    more: bool,
) -> ArrivedChange {
    let mr = |rest: &str| session.path(&format!("/merge_requests/{number}{rest}"));
    let of = &session.settings;
    let (itself, given, versions, commits) =
        (mr(""), mr("/approvals"), mr("/versions"), mr("/commits"));
    let notes_path = mr("/notes?sort=asc&order_by=created_at");
    let (itself, given, versions, commits, notes, authors) = tokio::join!(
        session.change.get(&itself),
        of.get(&given),
        of.get_all(&versions, None),
        of.get_all(&commits, None),
        session.change.get_all(&notes_path, None),
        lookups::authors(true, session, Some(number)),
    );
    let merge_request: Read<MergeRequest> =
        object(FactKey::ChangeIdentity.name(), permissions::CHANGE, &itself);
    let given: Read<Approvals> = object(FactKey::ChangeReviews.name(), permissions::CHANGE, &given);
    let notes: Read<Vec<Note>> = list(FactKey::ChangeComments.name(), permissions::CHANGE, &notes);
    let mut members = members.clone();
    if more {
        lookups::add_approvers(session, &mut members, Some(&given)).await;
    }
    let versions: Read<Vec<Version>> =
        list(FactKey::ChangePushes.name(), permissions::CHANGE, &versions);
    let commits: Read<Vec<WireCommit>> =
        list(FactKey::ChangeCommits.name(), permissions::CHANGE, &commits);
    let directory = Directory {
        members: members
            .as_ref()
            .map_or_else(|_| std::collections::BTreeMap::new(), |(all, _)| names(all)),
        host: session
            .setup
            .place
            .api
            .host_str()
            .unwrap_or_default()
            .to_owned(),
        ..authors
    };
    let at_merge = merge_request
        .clone()
        .map(|(mr, sources)| (when_merged(mr), sources));
    let wanted = checks::wanted(at_merge.as_ref().ok().map(|(mr, _)| mr));
    let mut results = lookups::results(session, &wanted).await;
    if let Ok((mr, _)) = &at_merge {
        jobs_when_merged(&mut results, time(mr.merged_at.as_deref()));
    }
    ArrivedChange {
        number,
        identity: change::identity(&merge_request),
        commits: change::commits(&commits, &directory),
        reviews: approvals::reviews(&given, &notes, &members, &directory.approvers),
        pushes: change::pushes(&versions, &notes),
        checks: checks::checks(
            &at_merge.map_err(|unknown| Unknown {
                fact: FactKey::ChangeChecks.name().to_owned(),
                ..unknown
            }),
            &results,
        ),
    }
}

/// A pipeline that ended after the merge had not ended when it counted.
fn when_merged(mut mr: MergeRequest) -> MergeRequest {
    let merged_at = time(mr.merged_at.as_deref());
    if let Some(Some(pipeline)) = &mut mr.head_pipeline
        && let (Some(ended), Some(merged_at)) = (time(pipeline.finished_at.as_deref()), merged_at)
        && ended > merged_at
    {
        pipeline.status = Some("running".to_owned());
    }
    mr
}

/// A job that ended after the merge, perhaps at its second try, had not ended either.
fn jobs_when_merged(results: &mut Results, merged_at: Option<Timestamp>) {
    let lists = [results.jobs.as_mut(), results.triggers.as_mut()];
    let jobs = lists.into_iter().flatten().flatten();
    for job in jobs.flat_map(|(jobs, _)| jobs) {
        if let (Some(ended), Some(merged_at)) = (time(job.finished_at.as_deref()), merged_at)
            && ended > merged_at
        {
            job.status = Some("running".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_that_was_run_again_after_the_merge_had_not_ended() {
        let jobs = json!([{"name": "test", "status": "success", "finished_at": "2026-06-01T10:05:00Z"},
            {"name": "lint", "status": "success", "finished_at": "2026-06-01T09:00:00Z"}]);
        let mut results = Results {
            jobs: Some(Ok((serde_json::from_value(jobs).unwrap(), Vec::new()))),
            triggers: None,
            merged_result: None,
        };
        jobs_when_merged(&mut results, "2026-06-01T10:00:00Z".parse().ok());
        let jobs = results.jobs.unwrap().unwrap().0;
        assert_eq!(jobs[0].status.as_deref(), Some("running"));
        assert_eq!(jobs[1].status.as_deref(), Some("success"));
    }

    #[test]
    fn a_pipeline_that_ended_after_the_merge_had_not_ended() {
        let status = |finished: &str| {
            let mr = serde_json::from_value(json!({"merged_at": "2026-06-01T10:00:00Z",
                "head_pipeline": {"id": 1, "sha": "c1", "status": "success", "finished_at": finished}}))
            .unwrap();
            when_merged(mr)
                .head_pipeline
                .unwrap()
                .unwrap()
                .status
                .unwrap()
        };
        assert_eq!(status("2026-06-01T09:59:59Z"), "success");
        assert_eq!(status("2026-06-01T10:00:01Z"), "running");
    }
}
