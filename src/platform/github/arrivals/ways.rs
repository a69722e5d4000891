//! How each commit of the line came onto the branch: what the index of pull
//! requests says, and what the branch's log says, both together. Pure.

use std::collections::BTreeMap;

use crate::facts::{ArrivalMethod, Fact, FactKey, Move, MoveKind, Source, Unknown, Way, Why};
use crate::platform::first_parents::{Link, brought_by};

use super::super::{permissions, wire};

/// A commit as the index shows it.
pub(super) struct Node {
    pub(super) link: Link,
    /// The pull requests that it may have come through, and whether these are all.
    pub(super) candidates: Result<(Vec<wire::Pull>, bool), Unknown>,
    pub(super) source: Source,
}

/// How one commit came, and whether asking again later may tell more.
pub(super) struct Seen {
    pub(super) way: Fact<Way>,
    pub(super) late: bool,
}

/// Everything about the line that one commit's way hangs on.
pub(super) struct Line<'a> {
    pub(super) branch: &'a str,
    pub(super) shas: &'a [String],
    pub(super) nodes: &'a BTreeMap<String, Node>,
    pub(super) moves: &'a Fact<Vec<Move>>,
}

fn unknown(why: Why, detail: String) -> Unknown {
    Unknown::new(FactKey::BranchArrivals.name(), why, detail)
        .needs(permissions::needs(FactKey::BranchArrivals))
}

impl Line<'_> {
    /// How the commit at `index` came.
    pub(super) fn way(&self, index: usize) -> Seen {
        let settled = |way: Fact<Way>| Seen { way, late: false };
        let Some(node) = self.shas.get(index).and_then(|sha| self.nodes.get(sha)) else {
            return settled(Fact::Unknown(unknown(
                Why::Failed,
                "nothing was asked about the commit".to_owned(),
            )));
        };
        let (pulls, whole) = match &node.candidates {
            Ok((pulls, whole)) => (pulls, *whole),
            Err(why) => return settled(Fact::Unknown(why.clone())),
        };
        let by = self.moves.known().and_then(|moves| {
            brought_by(self.shas, index, moves).map_err(|detail| unknown(Why::Failed, detail))
        });
        let mut sources = vec![node.source.clone()];
        sources.extend_from_slice(self.moves.sources());
        if let Some((number, shape)) = self.brought(index, pulls) {
            let method = match by {
                Ok(entry) => method(entry, shape, &sources),
                Err(why) => Fact::Unknown(why),
            };
            return settled(Fact::seen_in(Way::Change { number, method }, sources));
        }
        if !whole {
            return settled(Fact::Unknown(unknown(
                Why::Failed,
                "the list of the commit's pull requests is not complete".to_owned(),
            )));
        }
        let entry = match by {
            Ok(entry) => entry,
            Err(why) => return settled(Fact::Unknown(why)),
        };
        let pushed = |evidence: String| {
            settled(Fact::seen_in(
                Way::DirectPush {
                    pusher: entry.actor.clone(),
                    evidence,
                },
                sources.clone(),
            ))
        };
        let without = "no merged pull request brought it";
        match &entry.kind {
            MoveKind::Push => pushed(format!("{without}, and the branch's log has a push")),
            MoveKind::ForcePush => {
                pushed(format!("{without}, and the branch's log has a force push"))
            }
            MoveKind::Creation => pushed(format!("{without}; the branch was made with it")),
            MoveKind::Merge | MoveKind::QueueMerge => Seen {
                way: Fact::Unknown(unknown(
                    Why::Failed,
                    "the branch's log says that a change was merged, but the platform does not \
                     say yet which one; run the check again"
                        .to_owned(),
                )),
                late: true,
            },
            MoveKind::Other(word) => settled(Fact::Unknown(unknown(
                Why::NotSupported,
                format!(
                    "the branch's log names the move with `{word}`, which says nothing about a change"
                ),
            ))),
        }
    }

    /// The merged pull request that brought the commit, and in which shape. Being among
    /// its candidates is not enough: the pull request's merge commit has to be this very
    /// commit, or to stand as many commits above it as a rebase explains. (A commit that
    /// was pushed by itself and also stood in a pull request did not come through it.)
    fn brought(&self, index: usize, pulls: &[wire::Pull]) -> Option<(u64, ArrivalMethod)> {
        let mut found: Vec<(usize, u64, ArrivalMethod)> = pulls
            .iter()
            .filter(|pull| pull.state.as_deref() == Some("MERGED"))
            .filter(|pull| pull.base_ref_name.as_deref() == Some(self.branch))
            .filter_map(|pull| {
                let merge = pull.merge_commit.as_ref()?.oid.as_deref()?;
                let place = self.shas.iter().position(|sha| sha == merge)?;
                let distance = index.checked_sub(place)?;
                let shape = self.shape(pull, place, distance)?;
                Some((distance, pull.number?, shape))
            })
            .collect();
        found.sort_by_key(|(distance, number, _)| (*distance, *number));
        found.first().map(|(_, number, shape)| (*number, *shape))
    }

    fn shape(&self, pull: &wire::Pull, place: usize, distance: usize) -> Option<ArrivalMethod> {
        let merge = self.nodes.get(self.shas.get(place)?)?;
        let head = pull.head_ref_oid.as_deref() == self.shas.get(place).map(String::as_str);
        let count = pull
            .commits
            .as_ref()
            .and_then(|commits| commits.total_count)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0);
        if merge.link.parents.len() > 1 && !head {
            // A merge commit stands alone on the line; its side line is not on it.
            return (distance == 0).then_some(ArrivalMethod::Merge);
        }
        if distance > 0 && distance >= count {
            return None;
        }
        Some(if head {
            ArrivalMethod::FastForward
        } else if distance > 0 || (count > 1 && self.has_candidate(place + 1, pull)) {
            ArrivalMethod::Rebase
        } else {
            ArrivalMethod::Squash
        })
    }

    fn has_candidate(&self, index: usize, pull: &wire::Pull) -> bool {
        self.shas
            .get(index)
            .and_then(|sha| self.nodes.get(sha))
            .and_then(|node| node.candidates.as_ref().ok())
            .is_some_and(|(pulls, _)| pulls.iter().any(|other| other.number == pull.number))
    }
}

/// The log decides whether the platform merged: a pull request also counts as merged
/// when somebody pushed its commits, with whatever else.
fn method(entry: &Move, shape: ArrivalMethod, sources: &[Source]) -> Fact<ArrivalMethod> {
    let method = match &entry.kind {
        MoveKind::Merge => shape,
        MoveKind::QueueMerge => ArrivalMethod::Queue,
        MoveKind::Push | MoveKind::ForcePush | MoveKind::Creation => ArrivalMethod::Pushed,
        MoveKind::Other(word) => {
            return Fact::Unknown(unknown(
                Why::NotSupported,
                format!(
                    "the branch's log names the move with `{word}`, so it is not known who merged"
                ),
            ));
        }
    };
    Fact::seen_in(method, sources.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Account;
    use serde_json::{Value, json};

    fn source() -> Source {
        Source {
            endpoint: "POST /graphql#Test".to_owned(),
            digest: String::new(),
        }
    }

    /// A line given newest first as (id, parents, pull requests).
    fn nodes(commits: &[(&str, &[&str], Value)]) -> (Vec<String>, BTreeMap<String, Node>) {
        let shas = commits.iter().map(|(sha, ..)| (*sha).to_owned()).collect();
        let nodes = commits
            .iter()
            .map(|(sha, parents, pulls)| {
                let node = Node {
                    link: Link {
                        parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
                        message: String::new(),
                    },
                    candidates: Ok((serde_json::from_value(pulls.clone()).unwrap(), true)),
                    source: source(),
                };
                ((*sha).to_owned(), node)
            })
            .collect();
        (shas, nodes)
    }

    fn pull(number: u64, merge: &str, head: &str, count: u64) -> Value {
        json!({"number": number, "state": "MERGED", "baseRefName": "main", "headRefOid": head,
            "mergeCommit": {"oid": merge}, "commits": {"totalCount": count}})
    }

    fn entry(kind: MoveKind, after: &str) -> Move {
        Move {
            kind,
            before: Some("m0".to_owned()),
            after: after.to_owned(),
            actor: Some(Account::human("eve")),
            at: None,
        }
    }

    fn ways(commits: &[(&str, &[&str], Value)], moves: Vec<Move>) -> Vec<String> {
        let (shas, nodes) = nodes(commits);
        let moves = Fact::seen(moves, source());
        let line = Line {
            branch: "main",
            shas: &shas,
            nodes: &nodes,
            moves: &moves,
        };
        (0..shas.len())
            .map(|index| {
                let seen = line.way(index);
                let late = if seen.late { " late" } else { "" };
                match seen.way.known() {
                    Ok(Way::Change { number, method }) => format!(
                        "{number} {}",
                        method.known().map_or("unknown", |method| method.word())
                    ),
                    Ok(Way::DirectPush { .. }) => "push".to_owned(),
                    Err(_) => format!("unknown{late}"),
                }
            })
            .collect()
    }

    #[test]
    fn a_merge_commit_a_squash_and_a_queue_are_told_apart() {
        let merge = [("m1", &["m0", "c1"][..], json!([pull(7, "m1", "c1", 1)]))];
        let squash = [("m1", &["m0"][..], json!([pull(7, "m1", "c2", 2)]))];
        let by = |kind| vec![entry(kind, "m1")];
        assert_eq!(ways(&merge, by(MoveKind::Merge)), ["7 merge"]);
        assert_eq!(ways(&squash, by(MoveKind::Merge)), ["7 squash"]);
        assert_eq!(ways(&squash, by(MoveKind::QueueMerge)), ["7 queue"]);
    }

    #[test]
    fn f18_every_commit_that_a_rebase_left_came_through_the_change() {
        let pulls = json!([pull(9, "m2", "c2", 2)]);
        let line = [
            ("m2", &["m1"][..], pulls.clone()),
            ("m1", &["m0"][..], pulls),
        ];
        let moves = vec![entry(MoveKind::Merge, "m2")];
        assert_eq!(ways(&line, moves), ["9 rebase", "9 rebase"]);
    }

    #[test]
    fn f17_a_commit_that_no_change_brought_was_pushed() {
        for kind in [MoveKind::Push, MoveKind::ForcePush, MoveKind::Creation] {
            let line = [("m1", &["m0"][..], json!([]))];
            assert_eq!(ways(&line, vec![entry(kind, "m1")]), ["push"]);
        }
    }

    #[test]
    fn f19_a_merge_that_is_not_indexed_yet_is_late_and_no_push() {
        let line = [("m1", &["m0"][..], json!([]))];
        for kind in [MoveKind::Merge, MoveKind::QueueMerge] {
            assert_eq!(ways(&line, vec![entry(kind, "m1")]), ["unknown late"]);
        }
        assert_eq!(ways(&line, Vec::new()), ["unknown"]);
    }

    /// The cheat: merge by hand with something else in it, and push. The platform
    /// calls the pull request merged.
    #[test]
    fn a_change_that_was_merged_by_hand_and_pushed_is_called_pushed() {
        let line = [("m1", &["m0", "c1"][..], json!([pull(7, "m1", "c1", 1)]))];
        assert_eq!(ways(&line, vec![entry(MoveKind::Push, "m1")]), ["7 pushed"]);
    }

    /// The cheat: push a commit that also stands in a pull request, and merge that later.
    #[test]
    fn a_commit_pushed_before_the_merge_of_a_change_that_holds_it_was_pushed() {
        let pulls = json!([pull(7, "m2", "c9", 5)]);
        let line = [
            ("m2", &["m1", "c9"][..], pulls.clone()),
            ("m1", &["m0"][..], pulls),
        ];
        let moves = vec![
            Move {
                before: Some("m1".to_owned()),
                ..entry(MoveKind::Merge, "m2")
            },
            entry(MoveKind::Push, "m1"),
        ];
        assert_eq!(ways(&line, moves), ["7 merge", "push"]);
    }

    #[test]
    fn a_rebase_explains_no_more_commits_than_the_change_has() {
        let pulls = json!([pull(9, "m3", "c2", 2)]);
        let line = [
            ("m3", &["m2"][..], pulls.clone()),
            ("m2", &["m1"][..], pulls.clone()),
            ("m1", &["m0"][..], pulls),
        ];
        let moves = vec![entry(MoveKind::Push, "m3")];
        assert_eq!(ways(&line, moves), ["9 pushed", "9 pushed", "push"]);
    }

    #[test]
    fn an_open_change_or_one_into_another_branch_brings_nothing() {
        for (key, value) in [("state", "OPEN"), ("baseRefName", "dev")] {
            let mut pull = pull(7, "m1", "c1", 1);
            pull[key] = json!(value);
            let line = [("m1", &["m0"][..], json!([pull]))];
            assert_eq!(ways(&line, vec![entry(MoveKind::Push, "m1")]), ["push"]);
        }
    }

    #[test]
    fn an_unfamiliar_word_in_the_log_says_nothing() {
        let strange = || vec![entry(MoveKind::Other("teleport".to_owned()), "m1")];
        let alone = [("m1", &["m0"][..], json!([]))];
        let merged = [("m1", &["m0"][..], json!([pull(7, "m1", "c2", 1)]))];
        assert_eq!(ways(&alone, strange()), ["unknown"]);
        assert_eq!(ways(&merged, strange()), ["7 unknown"]);
    }

    #[test]
    fn a_list_that_may_lack_the_change_is_unknown() {
        let (shas, mut nodes) = nodes(&[("m1", &["m0"], json!([]))]);
        nodes.get_mut("m1").unwrap().candidates = Ok((Vec::new(), false));
        let moves = Fact::seen(vec![entry(MoveKind::Push, "m1")], source());
        let line = Line {
            branch: "main",
            shas: &shas,
            nodes: &nodes,
            moves: &moves,
        };
        assert!(!line.way(0).way.is_known());
    }
}
