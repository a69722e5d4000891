//! Answers about a branch's line as values: the page of commits, the log of moves,
//! the comparison of two tips. What is cut off is said to be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::facts::{Ancestry, Fact, FactKey, Move, MoveKind, PreviousTip, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::first_parents::{self, Link, ToldMoves};
use crate::platform::transport::{Answer, GraphqlAnswer, Listing, NoAnswer};

use super::super::graph::{self, Place};
use super::super::{Session, permissions, wire};
use super::questions;
use super::ways::Node;

/// Pages of a hundred commits that a comparison is read for.
const MOST_PAGES: usize = 10;

/// Moves of a branch that one look at its log shows.
const LOG_PAGE: usize = 100;

const FACT: FactKey = FactKey::BranchArrivals;

fn needs() -> &'static str {
    permissions::needs(FACT)
}

/// A commit as the page shows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireNode {
    oid: Option<String>,
    message: Option<String>,
    parents: Option<wire::Nodes<wire::Oid>>,
    associated_pull_requests: Option<wire::Nodes<wire::Pull>>,
}

/// The newest commits under a tip.
pub(super) fn page(answer: &GraphqlAnswer) -> Result<BTreeMap<String, Node>, Unknown> {
    let path = ["repository", "object", "history"];
    let value = match graph::place(answer, &path, FACT.name(), needs()) {
        Place::There(value) => value,
        Place::Empty => return Err(graph::empty(answer, FACT.name(), needs(), "such commit")),
        Place::Refused(unknown) => return Err(unknown),
    };
    let list: wire::Nodes<WireNode> = graph::read(&value, answer, FACT.name())?;
    Ok(list
        .present()
        .filter_map(|wire| node(wire, answer, &path))
        .collect())
}

/// Commits by their ids, in one document.
pub(super) async fn commits(session: &Session, shas: &[String]) -> Vec<(String, Node)> {
    let mut variables = json!({"owner": session.owner, "name": session.name});
    for (index, sha) in shas.iter().enumerate() {
        variables[format!("c{index}")] = json!(sha);
    }
    let query = questions::commits(shas.len());
    let Ok(answer) = session
        .change
        .graphql_behind("CcgateArrivals", &query, variables)
        .await
    else {
        // They stay as they are: not asked about, so unknown.
        return Vec::new();
    };
    (0..shas.len())
        .filter_map(|index| {
            let alias = format!("c{index}");
            let path = ["repository", alias.as_str()];
            match graph::place(&answer, &path, FACT.name(), needs()) {
                Place::There(value) => {
                    let wire: WireNode = graph::read(&value, &answer, FACT.name()).ok()?;
                    node(&wire, &answer, &path)
                }
                Place::Empty | Place::Refused(_) => None,
            }
        })
        .collect()
}

/// A commit whose parents are not all told is left out: no line may go through it.
fn node(wire: &WireNode, answer: &GraphqlAnswer, path: &[&str]) -> Option<(String, Node)> {
    let parents: Vec<String> = wire
        .parents
        .as_ref()?
        .present()
        .filter_map(|parent| parent.oid.clone())
        .collect();
    let told = wire.parents.as_ref()?.total_count;
    if told != u64::try_from(parents.len()).ok() {
        return None;
    }
    let candidates = match (
        &wire.associated_pull_requests,
        graph::errors_below(answer, path, FACT.name(), needs()),
    ) {
        (_, Some(unknown)) => Err(unknown),
        (None, None) => Err(graph::empty(
            answer,
            FACT.name(),
            needs(),
            "pull requests of the commit",
        )),
        (Some(list), None) => {
            let whole = list.page_info.as_ref().and_then(|page| page.has_next_page) == Some(false)
                && list
                    .nodes
                    .as_ref()
                    .is_some_and(|nodes| nodes.iter().all(Option::is_some));
            Ok((list.present().cloned().collect(), whole))
        }
    };
    Some((
        wire.oid.clone()?,
        Node {
            link: Link {
                parents,
                message: wire.message.clone().unwrap_or_default(),
            },
            candidates,
            source: answer.source.clone(),
        },
    ))
}

/// The newest hundred moves of the branch, newest first.
pub(super) fn log(answer: &Result<Answer, NoAnswer>, branch: &str) -> Fact<Vec<Move>> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(refusal) => return Fact::Unknown(access::refused(FACT.name(), needs(), refusal)),
    };
    let moves = answer.json().and_then(|entries| of_branch(entries, branch));
    match moves {
        Ok(moves) => Fact::seen(moves, answer.source.clone()),
        Err(detail) => Fact::Unknown(access::malformed(
            FACT.name(),
            &answer.endpoint,
            answer.status,
            &detail,
        )),
    }
}

/// The same of every page of it.
pub(super) fn whole_log(pages: &Result<Listing, NoAnswer>, branch: &str) -> Fact<Vec<Move>> {
    let listing = match pages {
        Ok(listing) => listing,
        Err(refusal) => return Fact::Unknown(access::refused(FACT.name(), needs(), refusal)),
    };
    let entries = serde_json::from_value(Value::Array(listing.items.clone()));
    let moves = entries
        .map_err(|error: serde_json::Error| error.to_string())
        .and_then(|entries| of_branch(entries, branch));
    match moves {
        Ok(moves) => Fact::seen_in(moves, listing.sources.clone()),
        Err(detail) => {
            let endpoint = &listing.endpoint;
            Fact::Unknown(access::malformed(FACT.name(), endpoint, 200, &detail))
        }
    }
}

fn of_branch(entries: Vec<wire::Activity>, branch: &str) -> Result<Vec<Move>, String> {
    let reference = format!("refs/heads/{branch}");
    entries
        .into_iter()
        .filter(|entry| entry.reference.as_deref() == Some(&reference))
        .map(|entry| {
            Ok(Move {
                kind: kind(entry.activity_type.as_deref().unwrap_or("none")),
                before: entry.before.filter(|id| !zeros(id)),
                after: entry.after.ok_or("an entry names no tip")?,
                actor: entry.actor.as_ref().and_then(wire::RestUser::account),
                at: entry.timestamp,
            })
        })
        .collect()
}

/// Whether a page of the log goes back to what the ledger tells of, or is all of it.
pub(super) fn goes_back(log: &Fact<Vec<Move>>, told: &ToldMoves) -> bool {
    log.known()
        .is_ok_and(|log| log.len() < LOG_PAGE || first_parents::goes_back(log, told))
}

/// How far back the log has to be asked for, in its own words; `None`: as far as it goes.
pub(super) fn time_period(now: Timestamp, since: Timestamp) -> Option<&'static str> {
    // A little less than each of them, whose ends nobody tells.
    let hours = now.duration_since(since).as_hours();
    [
        (23, "day"),
        (6 * 24, "week"),
        (27 * 24, "month"),
        (89 * 24, "quarter"),
        (364 * 24, "year"),
    ]
    .into_iter()
    .find_map(|(most, period)| (hours < most).then_some(period))
}

/// The words of the log: <https://docs.github.com/rest/repos/repos#list-repository-activities>.
fn kind(word: &str) -> MoveKind {
    match word {
        "push" => MoveKind::Push,
        "force_push" => MoveKind::ForcePush,
        "pr_merge" => MoveKind::Merge,
        "merge_queue_merge" => MoveKind::QueueMerge,
        "branch_creation" => MoveKind::Creation,
        other => MoveKind::Other(other.to_owned()),
    }
}

fn zeros(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// The moves from one tip to the other.
pub(super) fn moves(
    log: &Fact<Vec<Move>>,
    after: &str,
    before: Option<&PreviousTip>,
) -> Fact<Vec<Move>> {
    in_log(log, |log| first_parents::moves(log, after, before))
}

/// The same, and what of the log no ledger tells of.
pub(super) fn all_moves(
    log: &Fact<Vec<Move>>,
    followed: &Fact<Vec<Move>>,
    after: &str,
    told: Option<&ToldMoves>,
) -> Fact<Vec<Move>> {
    match followed {
        Fact::Known {
            value: followed, ..
        } => in_log(log, |log| {
            first_parents::with_unseen(followed, log, after, told)
        }),
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    }
}

fn in_log(
    log: &Fact<Vec<Move>>,
    look: impl FnOnce(&[Move]) -> Result<Vec<Move>, String>,
) -> Fact<Vec<Move>> {
    match log {
        Fact::Known { value, sources } => match look(value) {
            Ok(moves) => Fact::seen_in(moves, sources.clone()),
            Err(detail) => {
                let unknown = Unknown::new(FACT.name(), Why::Failed, detail).needs(needs());
                Fact::Unknown(match sources.first() {
                    Some(source) => unknown.at(source.endpoint.clone(), Some(200)),
                    None => unknown,
                })
            }
        },
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    }
}

/// Whether the log knows a branch of that name from before it was made.
pub(super) fn earlier_life(
    log: &Fact<Vec<Move>>,
    moves: &Fact<Vec<Move>>,
    new: bool,
) -> Fact<bool> {
    if !new {
        return Fact::known_without_source(false);
    }
    let (log, sources, moves) = match (log, moves) {
        (Fact::Known { value, sources }, Fact::Known { value: moves, .. }) => {
            (value, sources, moves)
        }
        (Fact::Unknown(unknown), _) | (_, Fact::Unknown(unknown)) => {
            return Fact::Unknown(unknown.clone());
        }
    };
    match first_parents::earlier_life(log, moves, LOG_PAGE) {
        Some(earlier) => Fact::seen_in(earlier, sources.clone()),
        None => Fact::Unknown(Unknown::new(
            FACT.name(),
            Why::NotSupported,
            "the branch moved so often since it was made that its log does not reach back further",
        )),
    }
}

/// How two tips stand to each other.
pub(in crate::platform::github) struct Compared {
    pub(in crate::platform::github) ancestry: Ancestry,
    pub(in crate::platform::github) commits: BTreeMap<String, Link>,
    /// Whether these are all.
    pub(in crate::platform::github) whole: bool,
    pub(in crate::platform::github) source: Source,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireComparison {
    status: Option<String>,
    total_commits: Option<usize>,
    commits: Option<Vec<WireCommit>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireCommit {
    sha: Option<String>,
    commit: Option<WireText>,
    parents: Option<Vec<WireParent>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireText {
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireParent {
    sha: Option<String>,
}

/// Compares two tips, page after page. The first page carries the changed files as
/// well; nothing but a smaller page could leave them out.
pub(in crate::platform::github) async fn compare(
    session: &Session,
    base: &str,
    after: &str,
) -> Result<Compared, Unknown> {
    let path = format!(
        "{}/compare/{}...{}",
        session.repository_path(),
        access::encode(base),
        access::encode(after)
    );
    let mut commits = BTreeMap::new();
    let mut first: Option<(Ancestry, usize, Source)> = None;
    for page in 1..=MOST_PAGES {
        let paged = format!("{path}?per_page=100&page={page}");
        let answer = session
            .change
            .get_behind(&paged)
            .await
            .map_err(|refusal| access::refused(FACT.name(), needs(), &refusal))?;
        let failed =
            |detail: &str| access::malformed(FACT.name(), &answer.endpoint, answer.status, detail);
        let read: WireComparison = answer.json().map_err(|detail| failed(&detail))?;
        let total = read
            .total_commits
            .ok_or_else(|| failed("a comparison does not say how many commits there are"))?;
        if first.is_none() {
            let ancestry = match read.status.as_deref() {
                Some("ahead" | "identical") => Ancestry::Continues,
                Some("diverged" | "behind") => Ancestry::Rewritten,
                other => {
                    return Err(failed(&format!(
                        "a comparison has the unfamiliar status `{}`",
                        other.unwrap_or("none")
                    )));
                }
            };
            first = Some((ancestry, total, answer.source.clone()));
        }
        let list = read.commits.unwrap_or_default();
        let ended = list.is_empty();
        for commit in list {
            let link = commit.parents.as_ref().and_then(|parents| {
                let parents: Option<Vec<String>> =
                    parents.iter().map(|parent| parent.sha.clone()).collect();
                Some(Link {
                    parents: parents?,
                    message: commit.commit.as_ref()?.message.clone().unwrap_or_default(),
                })
            });
            let (Some(sha), Some(link)) = (commit.sha, link) else {
                return Err(failed("a commit of the comparison has no id or no parents"));
            };
            commits.insert(sha, link);
        }
        if ended || commits.len() >= total {
            break;
        }
    }
    let (ancestry, total, source) = first
        .ok_or_else(|| Unknown::new(FACT.name(), Why::Failed, "the two tips were not compared"))?;
    Ok(Compared {
        ancestry,
        whole: commits.len() == total,
        commits,
        source,
    })
}

/// Whether a value is a list that stands there whole, with its entries; `None`: there are more.
pub(super) fn whole_list(
    answer: &GraphqlAnswer,
    path: &[&str],
    key: FactKey,
) -> Result<Option<Vec<Value>>, Unknown> {
    let (fact, needs) = (key.name(), permissions::needs(key));
    if let Some(unknown) = graph::errors_below(answer, path, fact, needs) {
        return Err(unknown);
    }
    let value = match graph::place(answer, path, fact, needs) {
        Place::There(value) => value,
        Place::Empty => return Err(graph::empty(answer, fact, needs, "such list")),
        Place::Refused(unknown) => return Err(unknown),
    };
    let list: wire::Nodes<Value> = graph::read(&value, answer, fact)?;
    let more = list.page_info.as_ref().and_then(|page| page.has_next_page);
    let nodes: Option<Vec<Value>> = list.nodes.unwrap_or_default().into_iter().collect();
    match (more, nodes) {
        (Some(true), _) => Ok(None),
        (Some(false), Some(nodes))
            if list
                .total_count
                .is_none_or(|total| u64::try_from(nodes.len()) == Ok(total)) =>
        {
            Ok(Some(nodes))
        }
        _ => Err(graph::empty(answer, fact, needs, "whole list")),
    }
}
