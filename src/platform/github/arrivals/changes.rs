//! The changes that came onto the branch, with everything that decides whether they
//! were fit to be merged: twenty in one document, lists that go on asked for apart.

use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::facts::{Arrivals, ArrivedChange, Fact, FactKey, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::join;
use crate::platform::transport::{GraphqlAnswer, NoAnswer};

use super::super::queries::Part;
use super::super::{Session, checks, commits, conversation, graph, opening, pages, permissions};
use super::{questions, read};

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
    let found = join::all(
        numbers
            .chunks(questions::CHANGES_AT_ONCE)
            .map(|chunk| some(session, chunk)),
    )
    .await;
    Fact::seen_in(Some(found.into_iter().flatten().collect()), sources.clone())
}

pub(super) async fn some(session: &Session, numbers: &[u64]) -> Vec<ArrivedChange> {
    let query = questions::changes(numbers);
    let variables = json!({"owner": session.owner, "name": session.name});
    let answer = session
        .change
        .graphql_behind("CcgateArrivedChanges", &query, variables)
        .await;
    match answer {
        Ok(answer) => join::all(numbers.iter().map(|number| one(session, &answer, *number))).await,
        Err(refusal) => numbers
            .iter()
            .map(|number| ArrivedChange::unseen(*number, &refused(&refusal)))
            .collect(),
    }
}

fn refused(refusal: &NoAnswer) -> Unknown {
    let key = FactKey::BranchArrivedChanges;
    access::refused(key.name(), permissions::needs(key), refusal)
}

async fn one(session: &Session, answer: &GraphqlAnswer, number: u64) -> ArrivedChange {
    let alias = format!("p{number}");
    let at = ["repository", alias.as_str()];
    let pull = match opening::pull_at(answer, &at) {
        Ok(pull) => pull,
        Err(unknown) => return ArrivedChange::unseen(number, &unknown),
    };
    let identity = opening::identity(&pull, answer, &session.setup.place.repository);
    let Some(head) = pull.head_ref_oid.filter(|_| pull.number == Some(number)) else {
        return ArrivedChange::unseen(
            number,
            &access::malformed(
                FactKey::BranchArrivedChanges.name(),
                &answer.endpoint,
                answer.status,
                "the answer is not about the change, or names no head of it",
            ),
        );
    };
    let firsts = [
        (Part::Commits, first(answer, &at, "commits", Part::Commits)),
        (Part::Reviews, first(answer, &at, "reviews", Part::Reviews)),
        (
            Part::Pushes,
            first(answer, &at, "timelineItems", Part::Pushes),
        ),
        (Part::Checks, first_checks(answer, &at, &head)),
    ];
    let going_on: Vec<Part> = firsts
        .iter()
        .filter(|(_, page)| matches!(page, Ok(None)))
        .map(|(part, _)| *part)
        .collect();
    let mut rest = if going_on.is_empty() {
        std::collections::BTreeMap::new()
    } else {
        let subject = pages::Subject {
            owner: &session.owner,
            name: &session.name,
            number: Some(number),
            head: &head,
            target: pull.base_ref_name.as_deref().unwrap_or_default(),
            moved: AtomicBool::new(false),
        };
        pages::gather(&session.change, &session.transport, &subject, &going_on).await
    };
    let mut list = |wanted: Part| -> pages::Pages {
        let first = firsts.iter().find(|(part, _)| *part == wanted);
        match first {
            Some((_, Ok(Some(nodes)))) => Ok((nodes.clone(), vec![answer.source.clone()])),
            Some((_, Err(unknown))) => Err(unknown.clone()),
            Some((_, Ok(None))) | None => rest
                .remove(&wanted)
                .unwrap_or_else(|| Err(Unknown::not_collected(pages::key(wanted).name()))),
        }
    };
    ArrivedChange {
        number,
        identity,
        commits: super::super::fact(Part::Commits, list(Part::Commits), commits::commits),
        reviews: super::super::fact(Part::Reviews, list(Part::Reviews), conversation::reviews),
        pushes: super::super::fact(Part::Pushes, list(Part::Pushes), conversation::pushes),
        checks: super::super::fact(Part::Checks, list(Part::Checks), |nodes, _: &Source| {
            checks::checks(&when_merged(nodes, pull.merged_at), &head)
        }),
    }
}

/// The results as they stood at the merge: what ended later had not ended. Of a
/// status only the newest word is shown; one from after the merge hides what was
/// said before, so it counts as pending and not as absent.
fn when_merged(nodes: &[Value], merged_at: Option<Timestamp>) -> Vec<Value> {
    let Some(merged_at) = merged_at else {
        return nodes.to_vec();
    };
    let before = |node: &Value, field: &str| {
        node[field]
            .as_str()
            .and_then(|time| time.parse::<Timestamp>().ok())
            .is_some_and(|time| time <= merged_at)
    };
    nodes
        .iter()
        .map(|node| {
            let mut node = node.clone();
            if node["__typename"] == "StatusContext" && !before(&node, "createdAt") {
                node["state"] = json!("PENDING");
            }
            if node["__typename"] == "CheckRun" && !before(&node, "completedAt") {
                node["status"] = json!("IN_PROGRESS");
                node["conclusion"] = Value::Null;
            }
            node
        })
        .collect()
}

fn first(
    answer: &GraphqlAnswer,
    at: &[&str; 2],
    field: &str,
    part: Part,
) -> Result<Option<Vec<Value>>, Unknown> {
    read::whole_list(answer, &[at[0], at[1], field], pages::key(part))
}

/// The results of the newest commit, which has to be the head. A rollup that is
/// null on a commit that is there: nothing was reported.
fn first_checks(
    answer: &GraphqlAnswer,
    at: &[&str; 2],
    head: &str,
) -> Result<Option<Vec<Value>>, Unknown> {
    let key = FactKey::ChangeChecks;
    let (fact, needs) = (key.name(), permissions::needs(key));
    let path = [at[0], at[1], "newest"];
    if let Some(unknown) = graph::errors_below(answer, &path, fact, needs) {
        return Err(unknown);
    }
    let commit = match graph::place(answer, &path, fact, needs) {
        graph::Place::There(value) => value
            .pointer("/nodes/0/commit")
            .filter(|commit| commit["oid"].as_str() == Some(head))
            .cloned(),
        graph::Place::Empty => None,
        graph::Place::Refused(unknown) => return Err(unknown),
    };
    let Some(commit) = commit else {
        return Err(Unknown::new(
            fact,
            Why::HiddenOrAbsent,
            "the platform does not show the head of the change",
        )
        .needs(needs)
        .at(answer.endpoint.clone(), Some(answer.status)));
    };
    match commit.get("statusCheckRollup") {
        Some(Value::Null) => Ok(Some(Vec::new())),
        Some(rollup) => {
            let contexts = GraphqlAnswer {
                data: Some(rollup.clone()),
                errors: Vec::new(),
                ..answer.clone()
            };
            read::whole_list(&contexts, &["contexts"], key)
        }
        None => Err(graph::empty(answer, fact, needs, "results of the head")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_turned_green_after_the_merge_had_not_ended() {
        let merged_at = "2026-06-01T10:00:00Z".parse().ok();
        let run = |at: Value| {
            json!({"__typename": "CheckRun", "name": "test", "status": "COMPLETED",
                "conclusion": "SUCCESS", "completedAt": at})
        };
        let status = |at: &str| json!({"__typename": "StatusContext", "context": "lint", "state": "SUCCESS", "createdAt": at});
        let seen = when_merged(
            &[
                run(json!("2026-06-01T10:00:00Z")),
                run(json!("2026-06-01T10:00:01Z")),
                run(Value::Null),
                status("2026-06-01T09:00:00Z"),
                status("2026-06-01T11:00:00Z"),
            ],
            merged_at,
        );
        let states: Vec<_> = seen
            .iter()
            .map(|node| node["status"].as_str().or(node["state"].as_str()).unwrap())
            .collect();
        assert_eq!(
            states,
            [
                "COMPLETED",
                "IN_PROGRESS",
                "IN_PROGRESS",
                "SUCCESS",
                "PENDING"
            ]
        );
    }
}
