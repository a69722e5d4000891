//! Who approved the deployment of the job that judges, and for which commit it is. GitLab names the
//! deployment nowhere to the job, but each deployment names its job. What is listed and what is told of
//! the one have to agree.

use serde::Deserialize;

use crate::facts::{
    EnvironmentApproval, EnvironmentState, Fact, RUN_APPROVALS, RunApprovals, Source, Subject,
    Unknown, Why,
};
use crate::platform::access;
use crate::platform::transport::PER_PAGE;

use super::Session;
use super::people::account;
use super::permissions::{CHANGE, DEPLOYMENTS};
use super::wire::{Read, User, WireCommit, object};

/// Most pages of deployments to one environment that are looked through, newest first: the job's own
/// is as old as its pipeline.
const MOST_PAGES: usize = 10;

#[derive(Debug, Deserialize)]
struct Deployment {
    id: Option<u64>,
    sha: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    environment: Option<Environment>,
    deployable: Option<Deployable>,
    approvals: Option<Vec<Approval>>,
}

#[derive(Debug, Deserialize)]
struct Environment {
    name: Option<String>,
}

/// The job that deploys.
#[derive(Debug, Deserialize)]
struct Deployable {
    id: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Approval {
    user: Option<User>,
    status: Option<String>,
    comment: Option<String>,
}

/// What of a deployment tells that it is the job's.
#[derive(Debug, PartialEq, Eq)]
struct Own {
    id: u64,
    sha: String,
    reference: Option<String>,
}

impl Deployment {
    fn is_of(&self, job: u64) -> bool {
        let deployable = self.deployable.as_ref();
        deployable.and_then(|deployable| deployable.id) == Some(job)
    }

    /// `None`: it is another job's or another environment's, or does not say so.
    fn own(&self, job: u64, environment: &str) -> Option<Own> {
        let name = self.environment.as_ref()?.name.as_deref()?;
        (self.is_of(job) && name == environment).then_some(())?;
        Some(Own {
            id: self.id?,
            sha: self.sha.clone()?,
            reference: self.reference.clone(),
        })
    }
}

pub(super) async fn collect(
    session: &Session,
    subject: &Subject,
    job: u64,
    environment: &str,
) -> Fact<RunApprovals> {
    match ask(session, subject, job, environment).await {
        Ok((approvals, sources)) => Fact::seen_in(approvals, sources),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

async fn ask(
    session: &Session,
    subject: &Subject,
    job: u64,
    environment: &str,
) -> Read<RunApprovals> {
    let (own, mut sources) = listed(session, job, environment).await?;
    session.transport.begin_wave();
    let reply = session
        .settings
        .get(&session.path(&format!("/deployments/{}", own.id)))
        .await;
    let (told, more): (Deployment, _) = object(RUN_APPROVALS, DEPLOYMENTS, &reply)?;
    sources.extend(more);
    if told.own(job, environment).as_ref() != Some(&own) {
        return Err(odd(
            &sources,
            "it is not the deployment that the list tells of; run the job again",
        ));
    }
    let Some(approvals) = told.approvals else {
        return Err(Unknown::new(
            RUN_APPROVALS,
            Why::NotSupported,
            "GitLab tells no `approvals` of the deployment: it has them in its tiers Premium and Ultimate",
        ));
    };
    let approvals = approvals
        .into_iter()
        .map(|one| {
            approval(one, environment).ok_or_else(|| odd(&sources, "an approval has no `status`"))
        })
        .collect::<Result<Vec<EnvironmentApproval>, Unknown>>()?;
    let (head, more) = head(session, subject, own).await?;
    sources.extend(more);
    let approvals = RunApprovals {
        run: job,
        head,
        // The endpoint that approves takes the token of a job, which acts for whoever started it:
        // https://docs.gitlab.com/ci/jobs/fine_grained_permissions/
        jobs_may_give: true,
        approvals,
    };
    Ok((approvals, sources))
}

/// The job's deployment among those to its environment, newest first. Pages shift while others deploy,
/// in this order only downwards, so that it is passed over by none.
async fn listed(session: &Session, job: u64, environment: &str) -> Read<Own> {
    let path = session.path(&format!(
        "/deployments?environment={}&order_by=id&sort=desc&per_page={PER_PAGE}",
        access::encode(environment)
    ));
    for page in 1..=MOST_PAGES {
        session.transport.begin_wave();
        let reply = session.settings.get(&format!("{path}&page={page}")).await;
        let (deployments, sources): (Vec<Deployment>, _) =
            object(RUN_APPROVALS, DEPLOYMENTS, &reply)?;
        let mut of_job = deployments.iter().filter(|one| one.is_of(job));
        match (of_job.next(), of_job.next()) {
            (None, _) if deployments.len() < PER_PAGE => break,
            (None, _) => {}
            (Some(one), None) => {
                return match one.own(job, environment) {
                    Some(own) => Ok((own, sources)),
                    None => Err(odd(
                        &sources,
                        "the deployment of this job names no number, no commit or another environment",
                    )),
                };
            }
            (Some(_), Some(_)) => return Err(odd(&sources, "the job is said to deploy twice")),
        }
    }
    Err(Unknown::new(
        RUN_APPROVALS,
        Why::HiddenOrAbsent,
        format!(
            "of the newest {} deployments to `{environment}` none is of job {job}: only a job that \
             deploys (`environment: action: start`, as without `action`) has one to approve",
            MOST_PAGES.saturating_mul(PER_PAGE)
        ),
    ))
}

/// The change's head, where GitLab made the commit that the job runs for of target and head, in a
/// pipeline for merged results or in a merge train; else that commit.
async fn head(session: &Session, subject: &Subject, own: Own) -> Read<String> {
    let refs = |number: u64| {
        ["merge", "train"].map(|kind| Some(format!("refs/merge-requests/{number}/{kind}")))
    };
    let made = subject
        .change
        .is_some_and(|number| refs(number).contains(&own.reference));
    if own.sha == subject.head || !made {
        return Ok((own.sha, Vec::new()));
    }
    session.transport.begin_wave();
    let path = format!("/repository/commits/{}", access::encode(&own.sha));
    let reply = session.settings.get(&session.path(&path)).await;
    let (commit, sources): (WireCommit, _) = object(RUN_APPROVALS, CHANGE, &reply)?;
    let (Some(id), Some(parents)) = (commit.id, commit.parent_ids) else {
        return Err(super::left_out(RUN_APPROVALS, "parent_ids", &sources));
    };
    if id != own.sha {
        return Err(odd(&sources, "it is another commit than was asked for"));
    }
    let head = match parents.as_slice() {
        [_, head] if *head == subject.head => head.clone(),
        _ => own.sha,
    };
    Ok((head, sources))
}

/// `None`: it does not say what it is, and may be a refusal.
fn approval(one: Approval, environment: &str) -> Option<EnvironmentApproval> {
    Some(EnvironmentApproval {
        state: match one.status?.as_str() {
            "approved" => EnvironmentState::Approved,
            "rejected" => EnvironmentState::Rejected,
            other => EnvironmentState::Other(other.to_owned()),
        },
        comment: one.comment.unwrap_or_default(),
        environments: vec![environment.to_owned()],
        by: one.user.as_ref().and_then(account),
    })
}

/// An answer that is not what GitLab documents.
fn odd(sources: &[Source], detail: &str) -> Unknown {
    let endpoint = sources.last().map_or("", |source| source.endpoint.as_str());
    access::malformed(RUN_APPROVALS, endpoint, 200, detail)
}
