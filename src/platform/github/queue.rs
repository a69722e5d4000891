//! A group of the merge queue: the commits from its base to its head, and which
//! change in the queue each of them brings. Two requests in one round.
//!
//! The queue names for each of its changes the commit that it made last for it. The
//! commits between two such commits belong to the upper one; only a queue that
//! rebases makes more than one for a change.

use serde::Deserialize;
use serde_json::json;

use crate::facts::{
    Ancestry, Fact, FactKey, QueueCommit, QueueEntry, QueueKind, QueueResult, Source, Unknown, Why,
};
use crate::platform::access;
use crate::platform::context::Group;
use crate::platform::first_parents;
use crate::platform::transport::{GraphqlAnswer, NoAnswer};

use super::arrivals::{Compared, compare};
use super::graph::{self, Place};
use super::{Session, permissions, wire};

const FACT: FactKey = FactKey::ChangeQueue;

/// Variables: `owner`, `name`, `branch`.
const QUERY: &str = "query CcgateQueue($owner: String!, $name: String!, $branch: String!) {
  rateLimit { cost }
  repository(owner: $owner, name: $name) {
    mergeQueue(branch: $branch) {
      configuration { mergeMethod }
      entries(first: 100) {
        pageInfo { hasNextPage }
        nodes { headCommit { oid } pullRequest { number headRefOid baseRefName commits(first: 1) { totalCount } } }
      }
    }
  }
}";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireQueue {
    configuration: Option<WireConfiguration>,
    entries: Option<wire::Nodes<WireEntry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireConfiguration {
    merge_method: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireEntry {
    head_commit: Option<wire::Oid>,
    pull_request: Option<wire::Pull>,
}

/// A change in the queue, and the commit that the queue made last for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Queued {
    made: String,
    entry: QueueEntry,
    /// How many commits the change has, if that is told.
    count: Option<u64>,
}

/// What the queue holds.
struct Queue {
    queued: Vec<Queued>,
    rebases: bool,
}

fn unknown(why: Why, detail: impl Into<String>) -> Unknown {
    Unknown::new(FACT.name(), why, detail).needs(permissions::needs(FACT))
}

/// Asks what the group holds.
pub(super) async fn ask(session: &Session, group: &Group) -> Fact<QueueResult> {
    let variables = json!({"owner": session.owner, "name": session.name, "branch": group.branch});
    let (queue, compared) = tokio::join!(
        session.change.graphql("CcgateQueue", QUERY, variables),
        compare(session, &group.base, &group.head),
    );
    let (commits, sources) = match compared {
        Ok(compared) => {
            let mut sources = vec![compared.source.clone()];
            if let Ok(answer) = &queue {
                sources.push(answer.source.clone());
            }
            (commits(group, &queue, &compared), sources)
        }
        Err(why) => (
            Err(Unknown {
                fact: FACT.name().to_owned(),
                ..why
            }),
            Vec::new(),
        ),
    };
    let commits = match commits {
        Ok(commits) => Fact::seen_in(commits, sources.clone()),
        Err(unknown) => Fact::Unknown(unknown),
    };
    let result = QueueResult {
        kind: QueueKind::Queue,
        target: group.branch.clone(),
        head: group.head.clone(),
        base: Some(group.base.clone()),
        commits,
    };
    Fact::seen_in(result, sources)
}

fn commits(
    group: &Group,
    answer: &Result<GraphqlAnswer, NoAnswer>,
    compared: &Compared,
) -> Result<Vec<QueueCommit>, Unknown> {
    let queue = match answer {
        Ok(answer) => read(answer, &group.branch),
        Err(refusal) => Err(access::refused(
            FACT.name(),
            permissions::needs(FACT),
            refusal,
        )),
    };
    match compared.ancestry {
        Ancestry::Continues if compared.whole => {}
        Ancestry::Continues => {
            return Err(unknown(
                Why::NotSupported,
                "the platform does not hand out every commit of the group",
            ));
        }
        Ancestry::Rewritten | Ancestry::New => {
            return Err(unknown(
                Why::Failed,
                "the head of the group does not stand on its base",
            ));
        }
    }
    let (line, end) = first_parents::line(&group.head, &compared.commits);
    if end.as_deref() != Some(group.base.as_str()) {
        return Err(unknown(
            Why::Failed,
            "the commits of the group do not lead down to its base",
        ));
    }
    let source = answer.as_ref().ok().map(|answer| answer.source.clone());
    Ok(line
        .iter()
        .enumerate()
        .map(|(index, sha)| QueueCommit {
            sha: sha.clone(),
            parents: compared
                .commits
                .get(sha)
                .map(|link| link.parents.clone())
                .unwrap_or_default(),
            entry: match &queue {
                Ok(queue) => of(queue, &line, index, source.as_ref()),
                Err(why) => Fact::Unknown(why.clone()),
            },
        })
        .collect())
}

fn read(answer: &GraphqlAnswer, branch: &str) -> Result<Queue, Unknown> {
    let path = ["repository", "mergeQueue"];
    let (fact, needs) = (FACT.name(), permissions::needs(FACT));
    let wire: WireQueue = match graph::place(answer, &path, fact, needs) {
        Place::There(value) => graph::read(&value, answer, fact)?,
        Place::Empty => return Err(graph::empty(answer, fact, needs, "merge queue")),
        Place::Refused(unknown) => return Err(unknown),
    };
    if let Some(unknown) = graph::errors_below(answer, &path, fact, needs) {
        return Err(unknown);
    }
    let entries = wire
        .entries
        .filter(|list| list.page_info.as_ref().and_then(|page| page.has_next_page) == Some(false))
        .ok_or_else(|| graph::empty(answer, fact, needs, "whole merge queue"))?;
    let mut queued = Vec::new();
    for entry in entries.present() {
        // A change that waits for its turn has no commit of the queue yet.
        let Some(made) = entry
            .head_commit
            .as_ref()
            .and_then(|commit| commit.oid.clone())
        else {
            continue;
        };
        let pull = entry.pull_request.as_ref();
        let (Some(number), Some(head)) = (
            pull.and_then(|pull| pull.number),
            pull.and_then(|pull| pull.head_ref_oid.clone()),
        ) else {
            return Err(graph::empty(
                answer,
                fact,
                needs,
                "change of a queue's entry",
            ));
        };
        if pull.and_then(|pull| pull.base_ref_name.as_deref()) != Some(branch) {
            continue;
        }
        queued.push(Queued {
            made,
            entry: QueueEntry { number, head },
            count: pull
                .and_then(|pull| pull.commits.as_ref())
                .and_then(|commits| commits.total_count),
        });
    }
    let method = wire.configuration.and_then(|one| one.merge_method);
    Ok(Queue {
        queued,
        rebases: method.as_deref() == Some("REBASE"),
    })
}

/// The change that brings the commit at `index`: the one whose newest commit stands
/// there, or next above it where the queue rebases.
fn of(
    queue: &Queue,
    line: &[String],
    index: usize,
    source: Option<&Source>,
) -> Fact<Option<QueueEntry>> {
    let sources: Vec<Source> = source.into_iter().cloned().collect();
    for place in (0..=index).rev() {
        let found: Vec<&Queued> = queue
            .queued
            .iter()
            .filter(|one| line.get(place) == Some(&one.made))
            .collect();
        match found.as_slice() {
            [] => {}
            [one] => {
                let below = u64::try_from(index - place).unwrap_or(u64::MAX);
                let belongs =
                    below == 0 || (queue.rebases && one.count.is_some_and(|count| below < count));
                return Fact::seen_in(belongs.then(|| one.entry.clone()), sources);
            }
            _ => {
                return Fact::Unknown(unknown(
                    Why::Failed,
                    "the queue names several changes for one commit",
                ));
            }
        }
    }
    Fact::seen_in(None, sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(made: &str, number: u64, count: u64) -> Queued {
        Queued {
            made: made.to_owned(),
            entry: QueueEntry {
                number,
                head: format!("h{number}"),
            },
            count: Some(count),
        }
    }

    fn numbers(queued: Vec<Queued>, rebases: bool) -> Vec<Option<u64>> {
        let line = ["q3", "q2", "q1"].map(str::to_owned);
        let queue = Queue { queued, rebases };
        (0..line.len())
            .map(|index| match of(&queue, &line, index, None) {
                Fact::Known { value, .. } => value.map(|entry| entry.number),
                Fact::Unknown(_) => Some(0),
            })
            .collect()
    }

    #[test]
    fn each_commit_belongs_to_the_change_that_the_queue_made_it_for() {
        let all = vec![queued("q3", 9, 1), queued("q2", 8, 4), queued("q1", 7, 1)];
        assert_eq!(numbers(all, false), [Some(9), Some(8), Some(7)]);
    }

    #[test]
    fn a_commit_that_the_queue_made_for_nobody_belongs_to_no_change() {
        let gap = || vec![queued("q3", 9, 3), queued("q1", 7, 1)];
        assert_eq!(numbers(gap(), false), [Some(9), None, Some(7)]);
        assert_eq!(numbers(gap(), true), [Some(9), Some(9), Some(7)]);
        assert_eq!(
            numbers(vec![queued("q3", 9, 2)], true),
            [Some(9), Some(9), None]
        );
        assert_eq!(numbers(Vec::new(), true), [None, None, None]);
        // What stands above every entry.
        assert_eq!(numbers(vec![queued("q2", 8, 9)], true)[0], None);
    }

    #[test]
    fn two_changes_for_one_commit_tell_nothing() {
        let all = vec![queued("q3", 9, 3), queued("q3", 8, 3)];
        assert_eq!(numbers(all, true)[0], Some(0));
    }

    fn answer(queue: &serde_json::Value) -> GraphqlAnswer {
        GraphqlAnswer {
            data: Some(json!({"repository": {"mergeQueue": queue}})),
            errors: Vec::new(),
            source: Source {
                endpoint: "POST /graphql#CcgateQueue".to_owned(),
                digest: String::new(),
            },
            endpoint: "POST /graphql#CcgateQueue".to_owned(),
            status: 200,
        }
    }

    #[test]
    fn a_queue_that_is_hidden_cut_off_or_names_no_change_is_unknown() {
        let node = json!({"headCommit": {"oid": "q1"}, "pullRequest": {"number": 7, "headRefOid": "h7", "baseRefName": "main"}});
        let list = |more: bool, node: &serde_json::Value| json!({"entries": {"pageInfo": {"hasNextPage": more}, "nodes": [node]}});
        let whole = read(&answer(&list(false, &node)), "main").map(|queue| queue.queued);
        assert_eq!(whole.unwrap()[0].entry.number, 7);
        assert!(read(&answer(&list(true, &node)), "main").is_err());
        assert!(read(&answer(&serde_json::Value::Null), "main").is_err());
        assert!(read(&answer(&json!({})), "main").is_err());
        let nobody = json!({"headCommit": {"oid": "q1"}, "pullRequest": null});
        assert!(read(&answer(&list(false, &nobody)), "main").is_err());
        // A change to another branch explains nothing here.
        let other = read(&answer(&list(false, &node)), "dev").map(|queue| queue.queued);
        assert_eq!(other.unwrap(), []);
    }
}
