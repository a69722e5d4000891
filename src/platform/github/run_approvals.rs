//! Who let a workflow run pass into an environment, and for which commit the run is. GitHub tells no
//! time of it.

use serde::Deserialize;

use crate::facts::{
    EnvironmentApproval, EnvironmentState, Fact, RUN_APPROVALS, RunApprovals, Source, Unknown,
};
use crate::platform::access;

use super::Session;
use super::permissions::ACTIONS;
use super::wire::RestUser;

#[derive(Debug, Deserialize)]
struct Run {
    id: Option<u64>,
    head_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Review {
    state: Option<String>,
    comment: Option<String>,
    environments: Option<Vec<Environment>>,
    user: Option<RestUser>,
}

#[derive(Debug, Deserialize)]
struct Environment {
    name: Option<String>,
}

pub(super) async fn collect(session: &Session, run: u64) -> Fact<RunApprovals> {
    match ask(session, run).await {
        Ok((approvals, sources)) => Fact::seen_in(approvals, sources),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

async fn ask(session: &Session, run: u64) -> Result<(RunApprovals, Vec<Source>), Unknown> {
    session.transport.begin_wave();
    let path = format!("{}/actions/runs/{run}", session.repository_path());
    let list = format!("{path}/approvals");
    let (about, reviews) = tokio::join!(
        session.change.get(&path),
        session.change.get_all(&list, None),
    );
    let about = about.map_err(|why| access::refused(RUN_APPROVALS, ACTIONS, &why))?;
    let reviews = reviews.map_err(|why| access::refused(RUN_APPROVALS, ACTIONS, &why))?;
    let malformed =
        |endpoint: &str, detail: &str| access::malformed(RUN_APPROVALS, endpoint, 200, detail);
    let of: Run = about
        .json()
        .map_err(|detail| malformed(&about.endpoint, &detail))?;
    let head = of
        .head_sha
        .filter(|_| of.id == Some(run))
        .ok_or_else(|| malformed(&about.endpoint, "it does not tell this run and its commit"))?;
    let mut approvals = Vec::with_capacity(reviews.items.len());
    for item in &reviews.items {
        let detail = |error: serde_json::Error| malformed(&reviews.endpoint, &error.to_string());
        let review: Review = serde_json::from_value(item.clone()).map_err(detail)?;
        // One that does not say what it is about may be a refusal of the very environment.
        let names = review.environments.unwrap_or_default().into_iter();
        let names: Option<Vec<String>> = names.map(|one| one.name).collect();
        let environments = names
            .filter(|names| !names.is_empty())
            .ok_or_else(|| malformed(&reviews.endpoint, "an approval names no environment"))?;
        approvals.push(EnvironmentApproval {
            // One that does not say so may be a refusal.
            state: match review
                .state
                .as_deref()
                .ok_or_else(|| malformed(&reviews.endpoint, "an approval has no `state`"))?
            {
                "approved" => EnvironmentState::Approved,
                "rejected" => EnvironmentState::Rejected,
                other => EnvironmentState::Other(other.to_owned()),
            },
            comment: review.comment.unwrap_or_default(),
            environments,
            by: review.user.and_then(|user| user.account()),
        });
    }
    let mut sources = vec![about.source.clone()];
    sources.extend(reviews.sources.iter().cloned());
    Ok((
        RunApprovals {
            run,
            head,
            // A workflow's token is an app's, and reviews no deployment.
            jobs_may_give: false,
            approvals,
        },
        sources,
    ))
}
