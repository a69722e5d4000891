//! Files of a change. GraphQL names the path that a file has now; the one that a
//! moved file had before stands in REST's list only, so the pages of that list with
//! moved files are read behind it. Decides nothing about paths.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::facts::{ChangedFile, Fact, FactKey, FileChange, Source, Unknown, Why};
use crate::platform::transport::{Answer, NoAnswer, PER_PAGE};
use crate::platform::{access, join};

use super::client::Client;
use super::{permissions, wire};

/// Most pages of REST's list that are read to learn where moved files were.
const MOST_PAGES: usize = 4;
/// The same where the files themselves took many questions already.
const MOST_OF_A_LARGE_CHANGE: usize = 2;
/// Files from which on a change counts as large.
const LARGE: usize = 1000;

/// Where moved files were before, as far as it was told.
#[derive(Default)]
pub(super) struct Moves {
    from: BTreeMap<String, Fact<Option<String>>>,
    /// Why others are not told.
    untold: Option<Unknown>,
    /// Whether the change is known to have another head by now.
    pub(super) are_of_another_head: bool,
}

impl Moves {
    fn of(&self, path: &str) -> Fact<Option<String>> {
        self.from.get(path).cloned().unwrap_or_else(|| {
            Fact::Unknown(self.untold.clone().unwrap_or_else(|| {
                Unknown::new(
                    FactKey::ChangeFiles.name(),
                    Why::HiddenOrAbsent,
                    "the platform does not tell where a moved file was before",
                )
            }))
        })
    }
}

/// Asks where the moved files among `nodes` were; no request if none moved. REST's list
/// names no head, but its entries link to files at one; where those say something else, or
/// nothing, the change is asked once more where it stands.
pub(super) async fn moves(client: &Client, pull_path: &str, head: &str, nodes: &[Value]) -> Moves {
    let pages: BTreeSet<usize> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| kind_of(node).as_deref() == Some("RENAMED"))
        .map(|(index, _)| index / PER_PAGE + 1)
        .collect();
    let mut moves = Moves::default();
    let most = if nodes.len() < LARGE {
        MOST_PAGES
    } else {
        MOST_OF_A_LARGE_CHANGE
    };
    if pages.len() > most {
        moves.untold = Some(Unknown::new(
            FactKey::ChangeFiles.name(),
            Why::NotSupported,
            format!(
                "files moved on {} pages of the list; where they were is read on {most} at most",
                pages.len()
            ),
        ));
    }
    let answers = join::all(pages.into_iter().take(most).map(|page| async move {
        let path = format!("{pull_path}/files?per_page={PER_PAGE}&page={page}");
        client.get_behind(&path).await
    }))
    .await;
    let mut of_head = true;
    for answer in &answers {
        match learn(&mut moves.from, answer, head) {
            Ok(tied) => of_head &= tied,
            Err(unknown) => moves.untold = Some(unknown),
        }
    }
    if !of_head {
        match head_now(&client.get_behind_pages(pull_path).await) {
            Ok(now) => moves.are_of_another_head = now != head,
            Err(unknown) => {
                moves.from.clear();
                moves.untold = Some(unknown);
            }
        }
    }
    moves
}

/// The head of the change now.
fn head_now(answer: &Result<Answer, NoAnswer>) -> Result<String, Unknown> {
    let fact = FactKey::ChangeFiles;
    let answer = answer
        .as_ref()
        .map_err(|refusal| access::refused(fact.name(), permissions::needs(fact), refusal))?;
    let failed =
        |detail: &str| access::malformed(fact.name(), &answer.endpoint, answer.status, detail);
    let pull: wire::RestPull = answer.json().map_err(|detail| failed(&detail))?;
    pull.head
        .sha
        .ok_or_else(|| failed("the change does not name its head"))
}

/// Whether the entry links to its file at that head.
fn is_at(file: &wire::RestFile, head: &str) -> bool {
    let url = file.contents_url.as_deref();
    url.and_then(|url| url.rsplit_once("?ref="))
        .is_some_and(|(_, at)| at == head)
}

/// Learns from one page; whether all that was learnt is of that head.
fn learn(
    from: &mut BTreeMap<String, Fact<Option<String>>>,
    answer: &Result<Answer, NoAnswer>,
    head: &str,
) -> Result<bool, Unknown> {
    let mut of_head = true;
    let fact = FactKey::ChangeFiles;
    let answer = answer
        .as_ref()
        .map_err(|refusal| access::refused(fact.name(), permissions::needs(fact), refusal))?;
    let list: Vec<wire::RestFile> = answer.json().map_err(|detail| {
        access::malformed(fact.name(), &answer.endpoint, answer.status, &detail)
    })?;
    for file in list {
        let tied = is_at(&file, head);
        if let (Some(path), Some(before)) = (file.filename, file.previous_filename) {
            of_head &= tied;
            from.insert(path, Fact::seen(Some(before), answer.source.clone()));
        }
    }
    Ok(of_head)
}

fn kind_of(node: &Value) -> Option<String> {
    node.get("changeType")?.as_str().map(str::to_owned)
}

/// The files, in the platform's order.
pub(super) fn files(
    nodes: &[Value],
    source: &Source,
    moves: &Moves,
) -> Result<Vec<ChangedFile>, String> {
    nodes
        .iter()
        .map(|node| {
            let file: wire::ChangedFile = serde::Deserialize::deserialize(node)
                .map_err(|error: serde_json::Error| error.to_string())?;
            let path = file
                .path
                .filter(|path| !path.is_empty())
                .ok_or("a file has no path")?;
            let kind = match file.change_type.as_deref() {
                Some("ADDED") => FileChange::Added,
                Some("MODIFIED" | "CHANGED") => FileChange::Modified,
                Some("DELETED") => FileChange::Removed,
                Some("RENAMED") => FileChange::Renamed,
                Some("COPIED") => FileChange::Copied,
                Some(other) => FileChange::Other(other.to_owned()),
                None => return Err(format!("it is not told what happened to `{path}`")),
            };
            let previous_path = match kind {
                // The file that it was copied from is as it was.
                FileChange::Added
                | FileChange::Modified
                | FileChange::Removed
                | FileChange::Copied => Fact::seen(None, source.clone()),
                FileChange::Renamed | FileChange::Other(_) => moves.of(&path),
            };
            // None counted is the sign of a binary: a count that is left out is not one of some.
            let (Some(additions), Some(deletions)) = (file.additions, file.deletions) else {
                return Err(format!("it is not told how many lines of `{path}` changed"));
            };
            Ok(ChangedFile {
                path,
                previous_path,
                kind,
                additions: Some(additions),
                deletions: Some(deletions),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::{refused, rest};
    use super::*;
    use serde_json::json;

    fn source() -> Source {
        Source {
            endpoint: "POST /graphql#Test".to_owned(),
            digest: String::new(),
        }
    }

    fn of(node: &Value, moves: &Moves) -> Result<ChangedFile, String> {
        files(std::slice::from_ref(node), &source(), moves).map(|mut list| list.remove(0))
    }

    fn renamed() -> Value {
        json!({"path": "b.rs", "changeType": "RENAMED", "additions": 0, "deletions": 0})
    }

    #[test]
    fn a_file_that_stayed_has_no_path_before_and_a_copy_leaves_its_source_alone() {
        for kind in ["ADDED", "MODIFIED", "CHANGED", "DELETED", "COPIED"] {
            let node = json!({"path": "a.rs", "changeType": kind, "additions": 3, "deletions": 1});
            let file = of(&node, &Moves::default()).unwrap();
            assert_eq!(file.previous_path.known(), Ok(&None), "{kind}");
            assert_eq!((file.additions, file.deletions), (Some(3), Some(1)));
        }
    }

    #[test]
    fn where_a_moved_file_was_is_unknown_until_the_platform_tells_it() {
        let file = of(&renamed(), &Moves::default()).unwrap();
        assert!(!file.previous_path.is_known());
        let mut moves = Moves::default();
        let list = json!([{"filename": "b.rs", "status": "renamed", "previous_filename": "a.rs"}]);
        learn(&mut moves.from, &rest(&list), "aa").unwrap();
        let file = of(&renamed(), &moves).unwrap();
        assert_eq!(file.paths().collect::<Vec<_>>(), ["b.rs", "a.rs"]);
    }

    #[test]
    fn a_list_that_names_no_path_before_or_is_refused_leaves_it_unknown() {
        let mut moves = Moves::default();
        learn(&mut moves.from, &rest(&json!([{"filename": "b.rs"}])), "aa").unwrap();
        assert!(!of(&renamed(), &moves).unwrap().previous_path.is_known());
        assert!(learn(&mut moves.from, &refused(403, "no"), "aa").is_err());
        assert!(learn(&mut moves.from, &rest(&json!({})), "aa").is_err());
    }

    #[test]
    fn a_moved_file_is_of_the_head_that_its_entry_links_to() {
        let mut from = BTreeMap::new();
        let mut of = |url: Value| {
            let list =
                json!([{"filename": "b.rs", "previous_filename": "a.rs", "contents_url": url}]);
            learn(&mut from, &rest(&list), "aa").unwrap()
        };
        assert!(of(json!(
            "https://x.test/repos/acme/app/contents/b.rs?ref=aa"
        )));
        assert!(!of(json!(
            "https://x.test/repos/acme/app/contents/b.rs?ref=bb"
        )));
        assert!(!of(Value::Null));
        assert_eq!(
            head_now(&rest(&json!({"head": {"sha": "aa"}}))),
            Ok("aa".to_owned())
        );
        assert!(head_now(&rest(&json!({}))).is_err());
        assert!(head_now(&refused(404, "no")).is_err());
    }

    #[test]
    fn a_word_that_is_not_known_may_be_a_move() {
        let node =
            json!({"path": "a.rs", "changeType": "TELEPORTED", "additions": 1, "deletions": 0});
        let file = of(&node, &Moves::default()).unwrap();
        assert!(!file.previous_path.is_known());
        assert_eq!(file.kind, FileChange::Other("TELEPORTED".to_owned()));
    }

    #[test]
    fn a_file_without_a_path_or_without_a_word_is_an_error() {
        for node in [
            json!({"changeType": "ADDED"}),
            json!({"path": "", "changeType": "ADDED"}),
            json!({"path": "a.rs", "changeType": "ADDED", "additions": 1}),
            json!({"path": "a.rs", "changeType": "ADDED", "deletions": 0}),
            json!({"path": "a.rs"}),
            json!("a.rs"),
        ] {
            assert!(of(&node, &Moves::default()).is_err(), "{node}");
        }
    }
}
