//! The connections of the second round, page after page until all are there.
//! A list that cannot be completed is unknown, never cut off.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::facts::{FactKey, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{GraphqlAnswer, Transport};

use super::client::Client;
use super::graph::{self, Place};
use super::permissions;
use super::queries::{self, Part};
use super::wire;

/// Rounds after which a list counts as endless.
const MOST_ROUNDS: usize = 50;

/// All entries of one connection and the answers that they came in.
pub(super) type Pages = Result<(Vec<Value>, Vec<Source>), Unknown>;

/// What the connections hang on.
pub(super) struct Subject<'a> {
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
    pub(super) number: Option<u64>,
    pub(super) head: &'a str,
}

/// The group that a part belongs to.
pub(super) fn key(part: Part) -> FactKey {
    match part {
        Part::Commits => FactKey::ChangeCommits,
        Part::Reviews => FactKey::ChangeReviews,
        Part::Pushes => FactKey::ChangePushes,
        Part::Comments => FactKey::ChangeComments,
        Part::Checks => FactKey::ChangeChecks,
    }
}

#[derive(Default)]
struct Gathering {
    nodes: Vec<Value>,
    sources: Vec<Source>,
    cursor: Option<String>,
}

/// Asks for all parts in one document, and again for those that have more pages.
pub(super) async fn gather(
    client: &Client,
    transport: &Transport,
    subject: &Subject<'_>,
    parts: &[Part],
) -> BTreeMap<Part, Pages> {
    let mut done: BTreeMap<Part, Pages> = BTreeMap::new();
    let mut open: BTreeMap<Part, Gathering> = parts
        .iter()
        .map(|part| (*part, Gathering::default()))
        .collect();
    for round in 0..MOST_ROUNDS {
        if open.is_empty() {
            return done;
        }
        if round > 0 {
            transport.begin_wave();
        }
        let asked: Vec<Part> = open.keys().copied().collect();
        let mut variables = json!({"owner": subject.owner, "name": subject.name});
        if asked.iter().any(|part| *part != Part::Checks) {
            variables["number"] = json!(subject.number);
        }
        if asked.contains(&Part::Checks) {
            variables["head"] = json!(subject.head);
        }
        for (part, gathering) in &open {
            variables[part.cursor()] = json!(gathering.cursor);
        }
        let answer = client
            .graphql("CcgateCollect", &queries::collect(&asked), variables)
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(refusal) => {
                for part in asked {
                    let group = key(part);
                    done.insert(
                        part,
                        Err(access::refused(
                            group.name(),
                            permissions::needs(group),
                            &refusal,
                        )),
                    );
                }
                return done;
            }
        };
        for part in asked {
            let Some(mut gathering) = open.remove(&part) else {
                continue;
            };
            match add(&mut gathering, &answer, part, subject.head) {
                Err(unknown) => {
                    done.insert(part, Err(unknown));
                }
                Ok(true) => {
                    open.insert(part, gathering);
                }
                Ok(false) => {
                    done.insert(part, Ok((gathering.nodes, gathering.sources)));
                }
            }
        }
    }
    for (part, _) in open {
        done.insert(
            part,
            Err(Unknown::new(
                key(part).name(),
                Why::Failed,
                format!("the list did not end after {MOST_ROUNDS} pages"),
            )),
        );
    }
    done
}

/// Adds one page. `Ok(true)`: there is more.
fn add(
    gathering: &mut Gathering,
    answer: &GraphqlAnswer,
    part: Part,
    head: &str,
) -> Result<bool, Unknown> {
    let group = key(part);
    let (fact, needs) = (group.name(), permissions::needs(group));
    let failed = |detail: &str| access::malformed(fact, &answer.endpoint, answer.status, detail);
    gathering.sources.push(answer.source.clone());
    if let Some(unknown) = graph::errors_below(answer, part.path(), fact, needs) {
        return Err(unknown);
    }
    let value = match graph::place(answer, part.path(), fact, needs) {
        Place::There(value) => value,
        Place::Refused(unknown) => return Err(unknown),
        Place::Empty if part == Part::Checks && no_result_yet(answer) => return Ok(false),
        Place::Empty => return Err(graph::empty(answer, fact, needs, "such list")),
    };
    if part != Part::Checks && moved(answer, head) {
        return Err(Unknown::new(
            fact,
            Why::Failed,
            "the head of the change moved while it was read; run the check again",
        )
        .at(answer.endpoint.clone(), Some(answer.status)));
    }
    let list: wire::Nodes<Value> = graph::read(&value, answer, fact)?;
    let Some(nodes) = list.nodes else {
        return Err(graph::empty(answer, fact, needs, "entries of the list"));
    };
    for node in nodes {
        // An entry that is null is an entry hidden from this token.
        let Some(node) = node else {
            return Err(graph::empty(answer, fact, needs, "entry where one stands"));
        };
        gathering.nodes.push(node);
    }
    let page = list
        .page_info
        .ok_or_else(|| failed("a list says nothing about its pages"))?;
    match page.has_next_page {
        Some(true) => {
            let next = page.end_cursor.filter(|next| !next.is_empty());
            if next.is_none() || next == gathering.cursor {
                return Err(failed("a list has more pages but no way to the next one"));
            }
            gathering.cursor = next;
            Ok(true)
        }
        Some(false) => {
            let count = u64::try_from(gathering.nodes.len()).unwrap_or(u64::MAX);
            match list.total_count {
                Some(total) if total > count => Err(Unknown::new(
                    fact,
                    Why::NotSupported,
                    format!("the platform hands out {count} of {total} entries"),
                )
                .at(answer.endpoint.clone(), Some(answer.status))),
                _ => Ok(false),
            }
        }
        None => Err(failed("a list does not say whether it has more pages")),
    }
}

/// Whether the answer is not about that head. A head that it does not tell may be any.
fn moved(answer: &GraphqlAnswer, head: &str) -> bool {
    answer
        .data
        .as_ref()
        .and_then(|data| {
            data.get("repository")?
                .get("pullRequest")?
                .get("headRefOid")?
                .as_str()
        })
        .is_none_or(|now| now != head)
}

/// The commit is there and its rollup is null: nothing was reported.
fn no_result_yet(answer: &GraphqlAnswer) -> bool {
    answer
        .data
        .as_ref()
        .and_then(|data| {
            data.get("repository")?
                .get("object")?
                .get("statusCheckRollup")
        })
        .is_some_and(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::answer;
    use super::*;

    fn page(part: Part, body: &Value) -> Result<bool, Unknown> {
        add(&mut Gathering::default(), &answer(body), part, "aa")
    }

    fn reviews(list: &Value) -> Value {
        json!({"data": {"repository": {"pullRequest": {"headRefOid": "aa", "reviews": list}}}})
    }

    #[test]
    fn a_list_shorter_than_its_total_is_unknown() {
        let list = json!({"totalCount": 2, "pageInfo": {"hasNextPage": false}, "nodes": [{}]});
        assert_eq!(
            page(Part::Reviews, &reviews(&list)).unwrap_err().why,
            Why::NotSupported
        );
    }

    #[test]
    fn a_null_entry_is_a_hidden_one() {
        let list = json!({"totalCount": 1, "pageInfo": {"hasNextPage": false}, "nodes": [null]});
        assert!(page(Part::Reviews, &reviews(&list)).is_err());
    }

    #[test]
    fn a_list_without_page_information_is_unknown() {
        for list in [
            json!({"nodes": []}),
            json!({"nodes": [], "pageInfo": {}}),
            json!({"nodes": [], "pageInfo": {"hasNextPage": true}}),
            json!({"pageInfo": {"hasNextPage": false}}),
        ] {
            assert!(page(Part::Reviews, &reviews(&list)).is_err(), "{list}");
        }
    }

    #[test]
    fn an_error_beside_the_data_that_may_have_touched_the_list_makes_it_unknown() {
        let list = json!({"totalCount": 0, "pageInfo": {"hasNextPage": false}, "nodes": []});
        for path in [
            json!(null),
            json!([]),
            json!(["repository"]),
            json!(["repository", "pullRequest"]),
            json!(["repository", "pullRequest", "reviews", "nodes", 0, "author"]),
        ] {
            let mut body = reviews(&list);
            body["errors"] =
                json!([{"type": "RESOURCE_LIMITS_EXCEEDED", "path": path, "message": "limits"}]);
            assert!(page(Part::Reviews, &body).is_err(), "{path}");
        }
        let mut body = reviews(&list);
        body["errors"] =
            json!([{"path": ["repository", "pullRequest", "comments"], "message": "no"}]);
        assert_eq!(page(Part::Reviews, &body), Ok(false));
    }

    #[test]
    fn a_cursor_that_does_not_move_is_a_loop() {
        let body =
            reviews(&json!({"nodes": [{}], "pageInfo": {"hasNextPage": true, "endCursor": "x"}}));
        let mut gathering = Gathering::default();
        let answer = answer(&body);
        assert!(add(&mut gathering, &answer, Part::Reviews, "aa").unwrap());
        assert!(add(&mut gathering, &answer, Part::Reviews, "aa").is_err());
    }

    #[test]
    fn a_head_that_moved_meanwhile_makes_the_list_unknown() {
        let list = json!({"totalCount": 0, "pageInfo": {"hasNextPage": false}, "nodes": []});
        let mut body = reviews(&list);
        for other in [json!("bb"), json!(null)] {
            body["data"]["repository"]["pullRequest"]["headRefOid"] = other;
            assert!(page(Part::Reviews, &body).is_err());
        }
    }

    #[test]
    fn a_commit_without_any_result_has_an_empty_list_and_a_forbidden_one_has_none() {
        let empty = json!({"data": {"repository": {"object": {"statusCheckRollup": null}}}});
        assert_eq!(page(Part::Checks, &empty), Ok(false));
        let mut forbidden = empty.clone();
        forbidden["errors"] = json!([{"type": "FORBIDDEN", "message": "no", "path": ["repository", "object", "statusCheckRollup"]}]);
        assert_eq!(
            page(Part::Checks, &forbidden).unwrap_err().why,
            Why::NotPermitted
        );
        let hidden = json!({"data": {"repository": {"object": null}}});
        assert!(page(Part::Checks, &hidden).is_err());
    }
}
