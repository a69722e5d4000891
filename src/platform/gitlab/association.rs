//! How a commit came onto its branch: through a merged change, by a push, or
//! nobody can tell yet. Pure.

use crate::facts::{Association, Fact, Unknown, Why};

use super::people::account;
use super::wire::{Event, MergeRequest, Read};

/// Judges the index of merge requests and the log of pushes together. A
/// missing entry in the index alone proves nothing: it is filled after the
/// merge, so only a push event that ends at this very commit makes a direct push.
pub(super) fn association(
    commit: &str,
    branch: &str,
    changes: &Read<Vec<MergeRequest>>,
    events: Option<&Read<Vec<Event>>>,
) -> Fact<Association> {
    const FACT: &str = "change.association";
    let (changes, sources) = match changes {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    if let Some((number, target_branch)) = merged_into(changes, branch) {
        return Fact::seen_in(
            Association::Change {
                number,
                target_branch,
            },
            sources.clone(),
        );
    }
    let unknown = |why, detail: &str| {
        Fact::Unknown(Unknown::new(FACT, why, detail).needs(super::permissions::CHANGE))
    };
    match events {
        Some(Ok((events, more))) => {
            let pushed = events.iter().find(|event| {
                event.push_data.as_ref().is_some_and(|push| {
                    push.commit_to.as_deref() == Some(commit)
                        && push.reference.as_deref() == Some(branch)
                        && push.ref_type.as_deref().is_none_or(|kind| kind == "branch")
                })
            });
            match pushed {
                // A merge in GitLab's pages leaves a push event as well, so a
                // merged change that the index does not show yet looks like
                // this. The index was asked again before we say so.
                Some(event) => {
                    let mut all = sources.clone();
                    all.extend(more.clone());
                    Fact::seen_in(
                        Association::DirectPush {
                            pusher: event.author.as_ref().and_then(account),
                            evidence: format!(
                                "GitLab knows no merged change with this commit and logged a push of it to `{branch}`"
                            ),
                        },
                        all,
                    )
                }
                None => unknown(
                    Why::HiddenOrAbsent,
                    "GitLab knows neither a merged change nor a push of this commit (yet)",
                ),
            }
        }
        Some(Err(refused)) => Fact::Unknown(refused.clone()),
        None => unknown(Why::NotCollected, "the log of pushes was not read"),
    }
}

/// The merged change into this branch, if the index shows one.
pub(super) fn merged_into(changes: &[MergeRequest], branch: &str) -> Option<(u64, String)> {
    changes
        .iter()
        .find(|mr| {
            mr.state.as_deref() == Some("merged") && mr.target_branch.as_deref() == Some(branch)
        })
        .and_then(|mr| Some((mr.iid?, mr.target_branch.clone()?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    fn push(to: &str, branch: &str) -> Read<Vec<Event>> {
        read(json!([{"author": {"username": "paul"},
            "push_data": {"commit_to": to, "ref": branch, "ref_type": "branch"}}]))
    }

    #[test]
    fn f17_a_push_without_a_change_is_a_direct_push_by_somebody() {
        let fact = association("c1", "main", &read(json!([])), Some(&push("c1", "main")));
        assert!(matches!(
            fact.known(),
            Ok(Association::DirectPush { pusher: Some(who), .. }) if who.is("paul")
        ));
    }

    #[test]
    fn f18_a_rebased_commit_that_the_index_ties_to_its_change_is_no_direct_push() {
        let changes = read(json!([{"iid": 4, "state": "merged", "target_branch": "main"}]));
        let fact = association("c1", "main", &changes, Some(&push("c1", "main")));
        assert!(matches!(
            fact.known(),
            Ok(Association::Change { number: 4, .. })
        ));
    }

    #[test]
    fn f19_a_commit_that_nothing_tells_about_is_unknown_and_no_direct_push() {
        let none = read(json!([]));
        assert!(!association("c1", "main", &none, Some(&read(json!([])))).is_known());
        assert!(!association("c1", "main", &none, Some(&push("c2", "main"))).is_known());
        assert!(!association("c1", "main", &none, Some(&push("c1", "other"))).is_known());
        assert!(!association("c1", "main", &none, None).is_known());
    }

    #[test]
    fn an_open_change_or_one_into_another_branch_is_not_how_it_came_here() {
        let changes = read(json!([
            {"iid": 4, "state": "opened", "target_branch": "main"},
            {"iid": 5, "state": "merged", "target_branch": "develop"}
        ]));
        assert!(!association("c1", "main", &changes, Some(&read(json!([])))).is_known());
    }
}
