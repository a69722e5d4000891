//! Follows one commit back to the change that brought it: the first answer,
//! then the branch's log, then the index again for as long as it may lag.

use std::time::Duration;

use serde_json::json;

use crate::facts::{Association, Fact, FactKey, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{GraphqlAnswer, Transport};

use super::association::{self, Log};
use super::client::Client;
use super::graph::{self, Place};
use super::permissions;
use super::queries;
use super::wire;

/// How long to wait before each further look at the index.
pub(super) const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) client: &'a Client,
    pub(super) transport: &'a Transport,
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
    pub(super) repository_path: &'a str,
    pub(super) branch: &'a str,
    /// The commit as it was given, perhaps shortened.
    pub(super) given: Option<&'a str>,
}

/// What was found.
pub(super) struct Origin {
    /// Full id of the commit.
    pub(super) sha: Option<String>,
    /// How it came to the branch.
    pub(super) association: Fact<Association>,
    /// The change that brought it, with the answer it stands in.
    pub(super) pull: Option<(wire::Pull, GraphqlAnswer)>,
}

/// What one look at the index says.
enum Look {
    Brought(Box<wire::Pull>, String),
    Nothing(String),
}

impl Origin {
    /// Starts from the first answer.
    pub(super) async fn find(
        question: &Question<'_>,
        first: &GraphqlAnswer,
        path: &[&str],
    ) -> Self {
        let sha = match look(question, first, path) {
            Ok(Look::Brought(pull, sha)) => return brought(question, *pull, sha, first),
            Ok(Look::Nothing(sha)) => sha,
            Err(unknown) => {
                return Self {
                    sha: None,
                    association: Fact::Unknown(unknown),
                    pull: None,
                };
            }
        };
        question.transport.begin_wave();
        let path = association::log_path(question.repository_path, question.branch);
        let answer = question.client.get(&path).await;
        let (log, source) = match association::read_log(&answer, &sha, question.branch) {
            Ok(read) => read,
            Err(unknown) => {
                return Self {
                    sha: Some(sha),
                    association: Fact::Unknown(unknown),
                    pull: None,
                };
            }
        };
        if log == Log::NotIndexedYet
            && let Some(found) = look_again(question, &sha).await
        {
            return found;
        }
        Self {
            association: association::from_log(&log, &source),
            sha: Some(sha),
            pull: None,
        }
    }
}

async fn look_again(question: &Question<'_>, sha: &str) -> Option<Origin> {
    let query = queries::origin();
    for pause in PAUSES {
        question.transport.pause(pause).await;
        question.transport.begin_wave();
        let variables = json!({"owner": question.owner, "name": question.name, "commit": sha});
        let answer = question
            .client
            .graphql("CcgateOrigin", &query, variables)
            .await
            .ok()?;
        if let Ok(Look::Brought(pull, sha)) = look(question, &answer, &["repository", "commit"]) {
            return Some(brought(question, *pull, sha, &answer));
        }
    }
    None
}

fn brought(
    question: &Question<'_>,
    pull: wire::Pull,
    sha: String,
    answer: &GraphqlAnswer,
) -> Origin {
    let association = match pull.number {
        Some(number) => Fact::seen(
            Association::Change {
                number,
                target_branch: question.branch.to_owned(),
            },
            answer.source.clone(),
        ),
        None => Fact::Unknown(access::malformed(
            FactKey::ChangeAssociation.name(),
            &answer.endpoint,
            answer.status,
            "a pull request has no number",
        )),
    };
    Origin {
        sha: Some(sha),
        association,
        pull: Some((pull, answer.clone())),
    }
}

fn look(question: &Question<'_>, answer: &GraphqlAnswer, path: &[&str]) -> Result<Look, Unknown> {
    let fact = FactKey::ChangeAssociation.name();
    let needs = permissions::needs(FactKey::ChangeAssociation);
    let value = match graph::place(answer, path, fact, needs) {
        Place::There(value) => value,
        Place::Empty => return Err(graph::empty(answer, fact, needs, "such commit")),
        Place::Refused(unknown) => return Err(unknown),
    };
    let target: wire::Target = graph::read(&value, answer, fact)?;
    let failed = |detail: &str| access::malformed(fact, &answer.endpoint, answer.status, detail);
    let sha = target.oid.ok_or_else(|| failed("the commit has no id"))?;
    if let Some(given) = question.given
        && !sha
            .get(..given.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(given))
    {
        return Err(Unknown::new(
            fact,
            Why::Failed,
            format!("the platform resolves `{given}` to commit {sha}; give the commit's own id"),
        ));
    }
    let inner: Vec<&str> = path
        .iter()
        .copied()
        .chain(["associatedPullRequests"])
        .collect();
    let Some(candidates) = target.associated_pull_requests else {
        return Err(match graph::place(answer, &inner, fact, needs) {
            Place::Refused(unknown) => unknown,
            Place::Empty | Place::There(_) => {
                graph::empty(answer, fact, needs, "pull requests of the commit")
            }
        });
    };
    if let Some(pull) = association::merged_change(&candidates, &sha, question.branch) {
        return Ok(Look::Brought(Box::new(pull.clone()), sha));
    }
    let whole = candidates
        .page_info
        .as_ref()
        .and_then(|page| page.has_next_page)
        == Some(false)
        && candidates
            .nodes
            .as_ref()
            .is_some_and(|nodes| nodes.iter().all(Option::is_some));
    if whole {
        Ok(Look::Nothing(sha))
    } else {
        Err(failed(
            "the list of the commit's pull requests is not complete",
        ))
    }
}
