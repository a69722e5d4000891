//! How each commit of the line came onto the branch, from what merge requests say
//! about their own merge. Pure.
//!
//! GitLab's log of pushes holds merges made in its pages too, so it cannot tell who
//! merged; it is only asked for a commit that no merge request explains.

use std::collections::BTreeMap;

use crate::facts::{ArrivalMethod, Fact, Move, MoveKind, Source, Way, Why};
use crate::platform::first_parents::{Link, brought_by};

use super::super::wire::{MergeRequest, Read};
use super::unknown;

/// Everything about the line that one commit's way hangs on.
pub(super) struct Line<'a> {
    pub(super) branch: &'a str,
    pub(super) shas: &'a [String],
    pub(super) commits: &'a BTreeMap<String, Link>,
    /// Merge requests into the branch that were merged and touched last.
    pub(super) merged: &'a (Vec<MergeRequest>, Vec<Source>),
    /// What the index names for single commits.
    pub(super) index: &'a BTreeMap<String, Read<Vec<MergeRequest>>>,
    pub(super) moves: &'a Fact<Vec<Move>>,
}

impl Line<'_> {
    /// Whether a merge request explains the commit.
    pub(super) fn is_brought(&self, place: usize) -> bool {
        self.brought(place).is_some()
    }

    /// How the commit came.
    pub(super) fn way(&self, place: usize) -> Fact<Way> {
        if let Some((number, method, sources)) = self.brought(place) {
            let method = Fact::seen_in(method, sources.clone());
            return Fact::seen_in(Way::Change { number, method }, sources);
        }
        let mut sources = match self.shas.get(place).and_then(|sha| self.index.get(sha)) {
            Some(Ok((_, sources))) => sources.clone(),
            Some(Err(why)) => return Fact::Unknown(why.clone()),
            None => {
                return Fact::Unknown(unknown(
                    Why::NotCollected,
                    "too many commits came at once to ask about each",
                ));
            }
        };
        let (moves, more) = match self.moves {
            Fact::Known { value, sources } => (value, sources),
            Fact::Unknown(why) => return Fact::Unknown(why.clone()),
        };
        let entry = match brought_by(self.shas, place, moves) {
            Ok(entry) => entry,
            Err(detail) => return Fact::Unknown(unknown(Why::Failed, detail)),
        };
        sources.extend(more.iter().cloned());
        let evidence = match &entry.kind {
            MoveKind::Push => "GitLab knows no merged change with this commit and logged a push",
            MoveKind::Creation => {
                "GitLab knows no merged change with this commit; the branch was made with it"
            }
            MoveKind::ForcePush | MoveKind::Merge | MoveKind::QueueMerge | MoveKind::Other(_) => {
                return Fact::Unknown(unknown(
                    Why::NotSupported,
                    "GitLab's log names the move in a way that this version does not know",
                ));
            }
        };
        Fact::seen_in(
            Way::DirectPush {
                pusher: entry.actor.clone(),
                evidence: evidence.to_owned(),
            },
            sources,
        )
    }

    fn brought(&self, place: usize) -> Option<(u64, ArrivalMethod, Vec<Source>)> {
        let sha = self.shas.get(place)?;
        let (last, sources) = self.merged;
        if let Some((number, method)) = self.among(last, place) {
            return Some((number, method, sources.clone()));
        }
        let (own, sources) = self.index.get(sha)?.as_ref().ok()?;
        let (number, method) = self.among(own, place).or_else(|| {
            // The index ties the commit to the change; its newest commit has to stand
            // above it on the line, and no merge commit in between explains it.
            self.merged_here(own).find_map(|mr| {
                let top = self.top(mr)?;
                let above = self.shas.iter().position(|sha| sha == top)?;
                (above < place).then_some((mr.iid?, ArrivalMethod::FastForward))
            })
        })?;
        Some((number, method, sources.clone()))
    }

    /// The merge request that calls the commit its merge, its squash, or its head.
    fn among(&self, list: &[MergeRequest], place: usize) -> Option<(u64, ArrivalMethod)> {
        let sha = self.shas.get(place)?;
        let is = |id: &Option<String>| id.as_ref() == Some(sha);
        self.merged_here(list).find_map(|mr| {
            let method = if is(&mr.squash_commit_sha)
                || (is(&mr.merge_commit_sha) && mr.squash_commit_sha.is_some())
            {
                ArrivalMethod::Squash
            } else if is(&mr.merge_commit_sha) {
                if self.commits.get(sha)?.parents.len() > 1 {
                    ArrivalMethod::Merge
                } else {
                    ArrivalMethod::FastForward
                }
            } else if is(&mr.sha) && self.top(mr).is_some() {
                ArrivalMethod::FastForward
            } else {
                return None;
            };
            Some((mr.iid?, method))
        })
    }

    fn merged_here<'m>(
        &'m self,
        list: &'m [MergeRequest],
    ) -> impl Iterator<Item = &'m MergeRequest> {
        list.iter().filter(|mr| {
            mr.state.as_deref() == Some("merged")
                && mr.target_branch.as_deref() == Some(self.branch)
        })
    }

    /// The newest commit of a change that was merged without a merge or squash commit.
    fn top<'m>(&self, mr: &'m MergeRequest) -> Option<&'m String> {
        if mr.squash_commit_sha.is_some() {
            return None;
        }
        match &mr.merge_commit_sha {
            None => mr.sha.as_ref(),
            Some(merge) => (self.commits.get(merge)?.parents.len() == 1).then_some(merge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Account;
    use serde_json::{Value, json};

    fn ways(commits: &[(&str, &[&str])], merged: Value, index: &[(&str, Value)]) -> Vec<String> {
        let shas: Vec<String> = commits.iter().map(|(sha, _)| (*sha).to_owned()).collect();
        let commits = commits
            .iter()
            .map(|(sha, parents)| {
                let link = Link {
                    parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
                    message: String::new(),
                };
                ((*sha).to_owned(), link)
            })
            .collect();
        let merged = (serde_json::from_value(merged).unwrap(), Vec::new());
        let index = index
            .iter()
            .map(|(sha, list)| {
                let list = serde_json::from_value(list.clone()).unwrap();
                ((*sha).to_owned(), Ok((list, Vec::new())))
            })
            .collect();
        let moves = Fact::known_without_source(vec![Move {
            kind: MoveKind::Push,
            before: Some("m0".to_owned()),
            after: shas[0].clone(),
            actor: Some(Account::human("paul")),
            at: None,
        }]);
        let line = Line {
            branch: "main",
            shas: &shas,
            commits: &commits,
            merged: &merged,
            index: &index,
            moves: &moves,
        };
        (0..shas.len())
            .map(|place| match line.way(place).known() {
                Ok(Way::Change { number, method }) => {
                    format!("{number} {}", method.known().unwrap().word())
                }
                Ok(Way::DirectPush { .. }) => "push".to_owned(),
                Err(_) => "unknown".to_owned(),
            })
            .collect()
    }

    fn merged(iid: u64, head: &str, merge: Option<&str>, squash: Option<&str>) -> Value {
        json!({"iid": iid, "state": "merged", "target_branch": "main", "sha": head,
            "merge_commit_sha": merge, "squash_commit_sha": squash})
    }

    #[test]
    fn a_merge_a_squash_and_a_fast_forward_are_told_apart() {
        let merge = json!([merged(4, "c1", Some("m1"), None)]);
        assert_eq!(ways(&[("m1", &["m0", "c1"])], merge, &[]), ["4 merge"]);
        let both = json!([merged(4, "c1", Some("m1"), Some("s1"))]);
        assert_eq!(ways(&[("m1", &["m0", "s1"])], both, &[]), ["4 squash"]);
        let squash = json!([merged(4, "c1", None, Some("s1"))]);
        assert_eq!(ways(&[("s1", &["m0"])], squash, &[]), ["4 squash"]);
        let forward = json!([merged(4, "c1", None, None)]);
        assert_eq!(ways(&[("c1", &["m0"])], forward, &[]), ["4 fast-forward"]);
    }

    #[test]
    fn f18_every_commit_of_a_fast_forward_came_through_its_change() {
        let four = merged(4, "c2", None, None);
        let found = ways(
            &[("c2", &["c1"]), ("c1", &["m0"])],
            json!([four.clone()]),
            &[("c1", json!([four]))],
        );
        assert_eq!(found, ["4 fast-forward", "4 fast-forward"]);
    }

    #[test]
    fn f17_a_commit_that_no_change_brought_was_pushed() {
        assert_eq!(
            ways(&[("d1", &["m0"])], json!([]), &[("d1", json!([]))]),
            ["push"]
        );
    }

    #[test]
    fn f19_a_commit_whose_index_was_not_asked_is_unknown_and_no_push() {
        assert_eq!(ways(&[("d1", &["m0"])], json!([]), &[]), ["unknown"]);
    }

    /// The cheat: push a commit that also stands in a merge request with a merge commit.
    #[test]
    fn a_commit_on_the_line_is_not_explained_by_a_merge_commit_elsewhere() {
        let four = merged(4, "c2", Some("m2"), None);
        let found = ways(
            &[("m2", &["c1", "c2"]), ("c1", &["m0"])],
            json!([four.clone()]),
            &[("c1", json!([four]))],
        );
        assert_eq!(found, ["4 merge", "push"]);
    }

    #[test]
    fn an_open_change_or_one_into_another_branch_brings_nothing() {
        for (key, value) in [("state", "opened"), ("target_branch", "dev")] {
            let mut four = merged(4, "c1", Some("m1"), None);
            four[key] = json!(value);
            let found = ways(&[("m1", &["m0"])], json!([four]), &[("m1", json!([]))]);
            assert_eq!(found, ["push"]);
        }
    }
}
