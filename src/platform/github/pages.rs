//! The connections of the second round, page after page until all are there.
//! A list that cannot be completed is unknown, never cut off.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::facts::{FactKey, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::join;
use crate::platform::transport::{GraphqlAnswer, NoAnswer, Transport};

use super::client::Client;
use super::graph::{self, Place};
use super::leap;
use super::permissions;
use super::queries::{self, Page, Part};
use super::wire;

/// Rounds after which a list counts as endless.
const MOST_ROUNDS: usize = 50;

/// Most pages in one document: more would take the server too long to answer.
const IN_ONE_DOCUMENT: usize = 10;

/// All entries of one connection and the answers that they came in.
pub(super) type Pages = Result<(Vec<Value>, Vec<Source>), Unknown>;

/// What the connections hang on.
pub(super) struct Subject<'a> {
    pub(super) owner: &'a str,
    pub(super) name: &'a str,
    pub(super) number: Option<u64>,
    pub(super) head: &'a str,
    /// The branch that the change goes to.
    pub(super) target: &'a str,
    /// Set once an answer names another head or target.
    pub(super) moved: AtomicBool,
}

/// The group that a part belongs to.
pub(super) fn key(part: Part) -> FactKey {
    match part {
        Part::Commits => FactKey::ChangeCommits,
        Part::Reviews => FactKey::ChangeReviews,
        Part::Pushes | Part::Targets => FactKey::ChangePushes,
        Part::Comments => FactKey::ChangeComments,
        Part::Files => FactKey::ChangeFiles,
        Part::Threads => FactKey::ChangeThreads,
        Part::Signatures => FactKey::ChangeSignatures,
        Part::Checks => FactKey::ChangeChecks,
    }
}

#[derive(Default)]
struct Gathering {
    nodes: Vec<Value>,
    sources: Vec<Source>,
    pages: usize,
    cursor: Option<String>,
    total: Option<u64>,
    /// A cursor that was foretold turned out to be wrong.
    astray: bool,
}

impl Gathering {
    /// The pages to ask for now: the next one, and those whose cursors it foretells.
    fn next(&self, part: Part) -> Vec<Asked> {
        let foretold = match (&self.cursor, self.total) {
            (Some(cursor), Some(total)) if !self.astray => {
                leap::behind(cursor, self.nodes.len(), total)
            }
            _ => Vec::new(),
        };
        std::iter::once(self.cursor.clone())
            .chain(foretold.into_iter().map(Some))
            .zip(self.pages..)
            .map(|(cursor, number)| Asked {
                page: Page { part, number },
                foretold: number > self.pages,
                cursor,
            })
            .collect()
    }

    /// Whether the page follows what is there. One asked with a cursor that the
    /// platform did not give stands somewhere else.
    fn is_followed_by(&self, asked: &Asked) -> bool {
        asked.page.number == self.pages
            && match (&self.cursor, &asked.cursor) {
                (Some(given), Some(cursor)) => leap::same(given, cursor),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
    }
}

/// A page that is asked for.
struct Asked {
    page: Page,
    /// Whether its cursor is a guess.
    foretold: bool,
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
        let asked: Vec<Asked> = open
            .iter()
            .flat_map(|(part, gathering)| gathering.next(*part))
            .collect();
        let documents = || asked.chunks(IN_ONE_DOCUMENT);
        let answers = join::all(documents().map(|pages| ask(client, subject, pages))).await;
        for (pages, answer) in documents().zip(&answers) {
            for page in pages {
                take(page, answer, subject, &mut open, &mut done);
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

/// Asks for some pages in one document.
async fn ask(
    client: &Client,
    subject: &Subject<'_>,
    asked: &[Asked],
) -> Result<GraphqlAnswer, NoAnswer> {
    let mut variables = json!({"owner": subject.owner, "name": subject.name});
    if asked.iter().any(|asked| asked.page.part != Part::Checks) {
        variables["number"] = json!(subject.number);
    }
    if asked.iter().any(|asked| asked.page.part == Part::Checks) {
        variables["head"] = json!(subject.head);
    }
    for asked in asked {
        variables[asked.page.cursor()] = json!(asked.cursor);
    }
    let pages: Vec<Page> = asked.iter().map(|asked| asked.page).collect();
    client
        .graphql("CcgateCollect", &queries::collect(&pages), variables)
        .await
}

/// Takes one page out of an answer. Where a guess went wrong, the list is read on
/// from the last page that follows.
fn take(
    asked: &Asked,
    answer: &Result<GraphqlAnswer, NoAnswer>,
    subject: &Subject<'_>,
    open: &mut BTreeMap<Part, Gathering>,
    done: &mut BTreeMap<Part, Pages>,
) {
    let part = asked.page.part;
    let Some(gathering) = open
        .get_mut(&part)
        .filter(|gathering| !gathering.astray || !asked.foretold)
    else {
        return;
    };
    if !gathering.is_followed_by(asked) {
        gathering.astray = true;
        return;
    }
    let group = key(part);
    let added = match answer {
        Ok(answer) => add(gathering, answer, asked.page, subject),
        Err(refusal) => Err(access::refused(
            group.name(),
            permissions::needs(group),
            refusal,
        )),
    };
    match added {
        Ok(true) => {}
        Ok(false) => {
            if let Some(gathering) = open.remove(&part) {
                done.insert(part, Ok((gathering.nodes, gathering.sources)));
            }
        }
        // The guess may have been refused, not the list.
        Err(_) if asked.foretold => gathering.astray = true,
        Err(unknown) => {
            open.remove(&part);
            done.insert(part, Err(unknown));
        }
    }
}

/// Adds one page; nothing of it if it cannot be read. `Ok(true)`: there is more.
fn add(
    gathering: &mut Gathering,
    answer: &GraphqlAnswer,
    page: Page,
    subject: &Subject<'_>,
) -> Result<bool, Unknown> {
    let part = page.part;
    let group = key(part);
    let (fact, needs) = (group.name(), permissions::needs(group));
    let failed = |detail: &str| access::malformed(fact, &answer.endpoint, answer.status, detail);
    let path = page.path();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some(unknown) = graph::errors_below(answer, &path, fact, needs) {
        return Err(unknown);
    }
    let value = match graph::place(answer, &path, fact, needs) {
        Place::There(value) => value,
        Place::Refused(unknown) => return Err(unknown),
        Place::Empty if part == Part::Checks && no_result_yet(answer) => {
            gathering.sources.push(answer.source.clone());
            return Ok(false);
        }
        Place::Empty => return Err(graph::empty(answer, fact, needs, "such list")),
    };
    if part != Part::Checks && moved(answer, subject) {
        subject.moved.store(true, Ordering::Relaxed);
        return Err(Unknown::new(
            fact,
            Why::Failed,
            "the head or the target of the change moved while it was read; run the check again",
        )
        .at(answer.endpoint.clone(), Some(answer.status)));
    }
    let list: wire::Nodes<Value> = graph::read(&value, answer, fact)?;
    let Some(nodes) = list.nodes else {
        return Err(graph::empty(answer, fact, needs, "entries of the list"));
    };
    // An entry that is null is an entry hidden from this token.
    let Some(nodes) = nodes.into_iter().collect::<Option<Vec<Value>>>() else {
        return Err(graph::empty(answer, fact, needs, "entry where one stands"));
    };
    let info = list
        .page_info
        .ok_or_else(|| failed("a list says nothing about its pages"))?;
    let count = u64::try_from(gathering.nodes.len() + nodes.len()).unwrap_or(u64::MAX);
    let more = match info.has_next_page {
        Some(true) => {
            let next = info.end_cursor.filter(|next| !next.is_empty());
            if next.is_none() || next == gathering.cursor {
                return Err(failed("a list has more pages but no way to the next one"));
            }
            gathering.cursor = next;
            true
        }
        Some(false) => {
            let cut = |total: u64| {
                Unknown::new(
                    fact,
                    Why::NotSupported,
                    format!("the platform hands out {count} of {total} entries"),
                )
                .at(answer.endpoint.clone(), Some(answer.status))
            };
            if let Some(total) = list.total_count.filter(|total| *total > count) {
                return Err(cut(total));
            }
            if part == Part::Files {
                // Files beyond the platform's limit are missing from the list and its
                // total, but not from the number that the change itself gives.
                let total = changed_files(answer)
                    .ok_or_else(|| failed("the change does not say how many files it has"))?;
                if total != count {
                    return Err(cut(total));
                }
            }
            false
        }
        None => return Err(failed("a list does not say whether it has more pages")),
    };
    gathering.nodes.extend(nodes);
    gathering.total = list.total_count;
    gathering.pages += 1;
    if gathering.sources.last() != Some(&answer.source) {
        gathering.sources.push(answer.source.clone());
    }
    Ok(more)
}

/// How many files the change has by its own count.
fn changed_files(answer: &GraphqlAnswer) -> Option<u64> {
    answer
        .data
        .as_ref()?
        .get("repository")?
        .get("pullRequest")?
        .get("changedFiles")?
        .as_u64()
}

/// Whether the answer is not about that head, or about another target: against
/// another branch a change has other commits and files. A head that it does not tell
/// may be any.
fn moved(answer: &GraphqlAnswer, subject: &Subject<'_>) -> bool {
    let field = |name: &str| {
        let data = answer.data.as_ref()?;
        let pull = data.get("repository")?.get("pullRequest")?;
        pull.get(name)?.as_str()
    };
    field("headRefOid") != Some(subject.head)
        || field("baseRefName").is_some_and(|now| now != subject.target)
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

    fn subject() -> Subject<'static> {
        Subject {
            owner: "acme",
            name: "app",
            number: Some(7),
            head: "aa",
            target: "main",
            moved: AtomicBool::new(false),
        }
    }

    fn page(part: Part, body: &Value) -> Result<bool, Unknown> {
        let first = Page { part, number: 0 };
        add(&mut Gathering::default(), &answer(body), first, &subject())
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
        let page = |number| Page {
            part: Part::Reviews,
            number,
        };
        assert!(add(&mut gathering, &answer, page(0), &subject()).unwrap());
        assert!(add(&mut gathering, &answer, page(0), &subject()).is_err());
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
    fn a_target_that_changed_meanwhile_makes_the_list_unknown() {
        let list = json!({"totalCount": 0, "pageInfo": {"hasNextPage": false}, "nodes": []});
        let mut body = reviews(&list);
        body["data"]["repository"]["pullRequest"]["baseRefName"] = json!("main");
        assert_eq!(page(Part::Reviews, &body), Ok(false));
        body["data"]["repository"]["pullRequest"]["baseRefName"] = json!("decoy");
        assert!(page(Part::Reviews, &body).is_err());
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

#[cfg(test)]
#[path = "pages_tests.rs"]
mod large_changes;
