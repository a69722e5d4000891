//! The first round: what is the subject, and what is the policy. Knows when a
//! missing file is really missing; does not read the policy.

use crate::facts::{Fact, PROPOSED_POLICY, PolicyDocument, Snapshot, Subject, Unknown};

use super::super::context::{Group, Wanted};
use super::super::transport::NoAnswer;
use super::super::{PolicyWanted, access};
use super::association::merged_into;
use super::wire::{MergeRequest, Read, Reply, WireCommit, list, object};
use super::{Index, Session, permissions};

/// How often the index of merge requests is asked before it is believed.
pub(super) const INDEX_TRIES: u32 = 3;

/// How long to wait after so many tries.
pub(super) fn pause(tries: u32) -> std::time::Duration {
    std::time::Duration::from_millis(400 * u64::from(tries))
}

/// The tip of the default branch; no tag can be meant.
pub(super) const DEFAULT_TIP: &str = "HEAD";

pub(super) async fn open(session: &mut Session, policy: &PolicyWanted) -> Snapshot {
    match session.setup.place.wanted.clone() {
        Wanted::Change { number, target, .. } => change(session, policy, number, target).await,
        Wanted::Commit { sha, branch, .. } => commit(session, policy, sha, branch).await,
        Wanted::Repository { branch } => repository(session, policy, branch).await,
        Wanted::Group(Group { branch, .. }) => repository(session, policy, Some(branch)).await,
    }
}

async fn change(
    session: &mut Session,
    policy: &PolicyWanted,
    number: u64,
    target: Option<String>,
) -> Snapshot {
    session.transport.begin_wave();
    let path = policy_path(policy);
    let project_path = session.path("");
    let (merge_request, project, at_head, at_target) = tokio::join!(
        merge_request(session, number),
        session.settings.get(&project_path),
        file(session, path, Some(DEFAULT_TIP.to_owned())),
        file(session, path, tip(target.as_deref())),
    );
    session.opened.project = object("repository", permissions::PROJECT, &project);
    session.opened.merge_request = merge_request;
    let default = default_branch(session);
    let mr = session.opened.merge_request.as_ref().ok().map(|(mr, _)| mr);
    let head = mr.and_then(|mr| mr.sha.clone()).unwrap_or_default();
    let told = mr.and_then(|mr| mr.target_branch.clone());
    let readable = mr.is_some() || session.opened.project.is_ok();
    // The CI's word for the target is only a guess that saves a round: what
    // GitLab says now is what the change will be merged into.
    let at_target = if told.is_some() && told == target {
        at_target
    } else {
        None
    };
    let branch = told.or(target).unwrap_or_default();
    let mut snapshot = empty(session, Some(number), head, branch);
    snapshot.identity = super::change::identity(&session.opened.merge_request);
    let found = Found {
        at_head,
        at_target,
        default,
        readable,
    };
    policies(session, &mut snapshot, policy, found).await;
    snapshot
}

async fn commit(
    session: &mut Session,
    policy: &PolicyWanted,
    sha: Option<String>,
    branch: Option<String>,
) -> Snapshot {
    session.transport.begin_wave();
    let path = policy_path(policy);
    let project_path = session.path("");
    let reference = sha
        .clone()
        .or_else(|| tip(branch.as_deref()))
        .unwrap_or_else(|| DEFAULT_TIP.to_owned());
    let commit_path = session.path(&format!(
        "/repository/commits/{}",
        access::encode(&reference)
    ));
    // With both told by the CI, the index of changes is asked in the same round.
    let at_once = sha.as_deref().zip(branch.as_deref());
    let (early, commit, project, at_head, at_target) = tokio::join!(
        async {
            match at_once {
                Some((sha, branch)) => Some(index(session, sha, branch).await),
                None => None,
            }
        },
        session.change.get(&commit_path),
        session.settings.get(&project_path),
        file(session, path, Some(DEFAULT_TIP.to_owned())),
        file(session, path, tip(branch.as_deref())),
    );
    session.opened.project = object("repository", permissions::PROJECT, &project);
    let commit: Read<WireCommit> = object("change.association", permissions::FILES, &commit);
    let default = default_branch(session);
    let known_sha = commit
        .as_ref()
        .ok()
        .and_then(|(commit, _)| commit.id.clone());
    let target = branch
        .or_else(|| default.known().ok().cloned())
        .unwrap_or_default();
    let readable = known_sha.is_some();
    let head = known_sha.clone().or(sha).unwrap_or_default();
    let mut snapshot = empty(session, None, head, target.clone());
    let found = Found {
        at_head,
        at_target,
        default,
        readable,
    };
    match (commit, known_sha) {
        (Ok(_), Some(sha)) => {
            policies(session, &mut snapshot, policy, found).await;
            let index = match early {
                Some(index) => index,
                None => {
                    session.transport.begin_wave();
                    index(session, &sha, &target).await
                }
            };
            let through = index
                .0
                .as_ref()
                .ok()
                .and_then(|(all, _)| merged_into(all, &target));
            session.opened.commit = Some(index);
            if let Some((number, _)) = through {
                session.transport.begin_wave();
                session.opened.merge_request = merge_request(session, number).await;
                snapshot.subject.change = Some(number);
                snapshot.identity = super::change::identity(&session.opened.merge_request);
            }
        }
        (commit, _) => {
            policies(session, &mut snapshot, policy, found).await;
            let why = commit
                .err()
                .unwrap_or_else(|| super::left_out("change.association", "id", &[]));
            session.opened.commit = Some((Err(why), None));
        }
    }
    snapshot
}

/// The repository seen from one of its branches: no change, no commit.
async fn repository(
    session: &mut Session,
    policy: &PolicyWanted,
    branch: Option<String>,
) -> Snapshot {
    session.transport.begin_wave();
    let path = policy_path(policy);
    let project_path = session.path("");
    let (project, at_head, at_target) = tokio::join!(
        session.settings.get(&project_path),
        file(session, path, Some(DEFAULT_TIP.to_owned())),
        file(session, path, tip(branch.as_deref())),
    );
    session.opened.project = object("repository", permissions::PROJECT, &project);
    let default = default_branch(session);
    let target = branch
        .or_else(|| default.known().ok().cloned())
        .unwrap_or_default();
    let readable = session.opened.project.is_ok();
    let mut snapshot = empty(session, None, String::new(), target);
    let found = Found {
        at_head,
        at_target,
        default,
        readable,
    };
    policies(session, &mut snapshot, policy, found).await;
    snapshot
}

pub(super) async fn merge_request(session: &Session, number: u64) -> Read<MergeRequest> {
    let reply = session
        .change
        .get(&session.path(&format!("/merge_requests/{number}")))
        .await;
    object("change.identity", permissions::CHANGE, &reply)
}

/// Which changes GitLab ties to the commit. The index may lag behind a merge,
/// so an empty answer is asked for again before the log of pushes is read.
async fn index(session: &Session, sha: &str, branch: &str) -> Index {
    const FACT: &str = "change.association";
    let path = session.path(&format!(
        "/repository/commits/{}/merge_requests",
        access::encode(sha)
    ));
    let mut tries = 0;
    let changes = loop {
        let pages = session.change.get_all(&path, None).await;
        let changes: Read<Vec<MergeRequest>> = list(FACT, permissions::CHANGE, &pages);
        tries += 1;
        let settled = changes
            .as_ref()
            .map_or(true, |(all, _)| merged_into(all, branch).is_some());
        if settled || tries >= INDEX_TRIES {
            break changes;
        }
        session.transport.pause(pause(tries)).await;
    };
    let unsettled = changes
        .as_ref()
        .is_ok_and(|(all, _)| merged_into(all, branch).is_none());
    let events = if unsettled {
        let reply = session
            .settings
            .get(&session.path("/events?action=pushed&per_page=100"))
            .await;
        Some(object(FACT, permissions::CHANGE, &reply))
    } else {
        None
    };
    (changes, events)
}

struct Found {
    at_head: Option<Reply>,
    at_target: Option<Reply>,
    default: Fact<String>,
    readable: bool,
}

/// Fills in both policies. Asks once more only where the target was not known
/// before and is not the default branch.
async fn policies(session: &Session, snapshot: &mut Snapshot, policy: &PolicyWanted, found: Found) {
    let Found {
        at_head,
        at_target,
        default,
        readable,
    } = found;
    snapshot.repository.default_branch = default;
    let path = match policy {
        PolicyWanted::Given(document) => {
            snapshot.policy.target = Fact::known_without_source(Some(document.clone()));
            snapshot.policy.floor = Fact::known_without_source(None);
            return;
        }
        PolicyWanted::AtTarget(path) => path,
    };
    let target = snapshot.subject.target.clone();
    let default = snapshot.repository.default_branch.known().ok().cloned();
    let same = default.as_deref() == Some(target.as_str()) && !target.is_empty();
    let floor_name = default.unwrap_or_else(|| DEFAULT_TIP.to_owned());
    let at_target = match at_target {
        Some(reply) => Some(reply),
        None if same || target.is_empty() => None,
        None => {
            session.transport.begin_wave();
            file(session, Some(path), tip(Some(&target))).await
        }
    };
    let hidden = |fact: &str| {
        Fact::Unknown(Unknown::new(
            fact,
            crate::facts::Why::HiddenOrAbsent,
            "the target branch is not known, since the change could not be read",
        ))
    };
    let read = |fact: &str, name: &str, reply: &Option<Reply>| match reply {
        Some(reply) => document(fact, path, name, reply, readable),
        None => hidden(fact),
    };
    if same {
        // `HEAD` can only be the branch; a tag named like it would hide it.
        snapshot.policy.target = read("policy.target", &target, &at_head);
        snapshot.policy.floor = read("policy.floor", &target, &at_head);
    } else {
        snapshot.policy.target = read("policy.target", &target, &at_target);
        snapshot.policy.floor = read("policy.floor", &floor_name, &at_head);
    }
}

fn policy_path(policy: &PolicyWanted) -> Option<&str> {
    match policy {
        PolicyWanted::AtTarget(path) => Some(path),
        PolicyWanted::Given(_) => None,
    }
}

/// The tip of a branch by its full name. The bare name would mean a tag of that
/// name first, and whoever may push a tag could bring a policy of their own.
fn tip(branch: Option<&str>) -> Option<String> {
    branch.map(|branch| format!("refs/heads/{branch}"))
}

/// The tip of the subject's branch. For the default branch that is `HEAD`, as
/// the first round asks for it.
pub(super) fn target_tip(session: &Session, subject: &Subject) -> String {
    let is_default = session.opened.project.as_ref().is_ok_and(|(project, _)| {
        project.default_branch.as_deref() == Some(subject.target.as_str())
    });
    match tip(Some(&subject.target)) {
        Some(tip) if !is_default => tip,
        Some(_) | None => DEFAULT_TIP.to_owned(),
    }
}

/// A file at the tip of a branch, raw: the one form that a job token may read.
pub(super) async fn file(
    session: &Session,
    path: Option<&str>,
    tip: Option<String>,
) -> Option<Reply> {
    let (path, tip) = (path?, tip?);
    let path = session.path(&format!(
        "/repository/files/{}/raw?ref={}",
        access::encode(path),
        access::encode(&tip)
    ));
    Some(session.change.get(&path).await)
}

/// The policy file at the head of a change. The commit is in the project itself, also
/// where the change comes from a fork: the merge request keeps it there.
pub(super) async fn proposed(
    session: &Session,
    head: &str,
    path: &str,
) -> Fact<Option<PolicyDocument>> {
    let Some(reply) = file(session, Some(path), Some(head.to_owned())).await else {
        return Fact::Unknown(Unknown::not_collected(PROPOSED_POLICY));
    };
    let readable = session.opened.merge_request.is_ok();
    let read = document(PROPOSED_POLICY, path, head, &reply, readable);
    match (&read, &reply) {
        // A branch may be named like a commit, and would be read in its place.
        (
            Fact::Known {
                value: Some(document),
                ..
            },
            Ok(answer),
        ) if document.commit.as_deref().is_some_and(|of| of != head) => {
            Fact::Unknown(access::malformed(
                PROPOSED_POLICY,
                &answer.endpoint,
                answer.status,
                "the file is of another commit than the change's head",
            ))
        }
        _ => read,
    }
}

/// The document, or that there is none. GitLab answers 404 for what it hides
/// as well, so only its own words for a missing file count, and only where the
/// same token could read the project or the change.
pub(super) fn document(
    fact: &str,
    path: &str,
    branch: &str,
    reply: &Reply,
    readable: bool,
) -> Fact<Option<PolicyDocument>> {
    match reply {
        Ok(answer) => match std::str::from_utf8(&answer.body) {
            Ok(text) => {
                let document = PolicyDocument {
                    origin: format!("{path}@{branch}"),
                    commit: answer.header("x-gitlab-commit-id").map(str::to_owned),
                    digest: answer.source.digest.clone(),
                    text: text.to_owned(),
                };
                Fact::seen(Some(document), answer.source.clone())
            }
            Err(_) => Fact::Unknown(access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                "the file is not UTF-8 text",
            )),
        },
        Err(NoAnswer::Status(answer))
            if answer.status == 404 && readable && answer.message() == "404 File Not Found" =>
        {
            Fact::seen(None, answer.source.clone())
        }
        Err(no_answer) => Fact::Unknown(access::refused(fact, permissions::FILES, no_answer)),
    }
}

fn default_branch(session: &Session) -> Fact<String> {
    const FACT: &str = "repository.default_branch";
    match &session.opened.project {
        Ok((project, sources)) => match &project.default_branch {
            Some(name) => Fact::seen_in(name.clone(), sources.clone()),
            None => Fact::Unknown(super::left_out(FACT, "default_branch", sources)),
        },
        Err(unknown) => Fact::Unknown(Unknown {
            fact: FACT.to_owned(),
            ..unknown.clone()
        }),
    }
}

fn empty(session: &Session, change: Option<u64>, head: String, target: String) -> Snapshot {
    Snapshot::all_unknown(
        Subject {
            platform: session.setup.place.platform,
            repository: session.setup.place.repository.clone(),
            change,
            head,
            target,
        },
        session.setup.now,
        session.setup.program.clone(),
    )
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
