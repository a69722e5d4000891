//! How a commit that stands on a branch came there: through a merged change, by
//! a direct push, or in a way that cannot be told yet.

use serde_json::Value;

use crate::facts::{Association, Fact, FactKey, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, NoAnswer};

use super::permissions;
use super::wire;

/// The merged pull requests that brought `sha` into `branch`: a candidate counts
/// only if the commit is its merge commit, one of the commits that a rebase left
/// on the branch, or one of its own commits. (A commit pushed later to the branch
/// of a merged pull request is associated with it too, and did not come through it.)
pub(super) fn merged_change<'a>(
    candidates: &'a wire::Nodes<wire::Pull>,
    sha: &str,
    branch: &str,
) -> Option<&'a wire::Pull> {
    let mut merged: Vec<&wire::Pull> = candidates
        .present()
        .filter(|pull| pull.state.as_deref() == Some("MERGED"))
        .filter(|pull| pull.base_ref_name.as_deref() == Some(branch))
        .filter(|pull| pull.number.is_some())
        .filter(|pull| brought(pull, sha))
        .collect();
    merged.sort_by_key(|pull| (merge_commit(pull) != Some(sha), pull.number));
    merged.first().copied()
}

fn merge_commit(pull: &wire::Pull) -> Option<&str> {
    pull.merge_commit.as_ref()?.oid.as_deref()
}

fn brought(pull: &wire::Pull, sha: &str) -> bool {
    if merge_commit(pull) == Some(sha) {
        return true;
    }
    let Some(commits) = &pull.commits else {
        return false;
    };
    let own = commits.present().any(|entry| {
        entry
            .commit
            .as_ref()
            .and_then(|commit| commit.oid.as_deref())
            == Some(sha)
    });
    // A rebase leaves as many commits on the branch as the change has.
    let count = commits
        .total_count
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    let rebased = pull
        .merge_commit
        .as_ref()
        .and_then(|commit| commit.history.as_ref())
        .is_some_and(|history| {
            history
                .present()
                .take(count)
                .any(|commit| commit.oid.as_deref() == Some(sha))
        });
    own || rebased
}

/// What the branch's log of pushes says about a commit without a change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// It was pushed.
    Pushed(Association),
    /// A change was merged; the index is not up to date yet.
    NotIndexedYet,
    /// The log does not name the commit.
    Silent,
    /// The log names it in a way that this version does not know.
    Unclear(String),
}

/// Path of the log of one branch.
pub(super) fn log_path(repository_path: &str, branch: &str) -> String {
    format!(
        "{repository_path}/activity?ref={}&per_page=100",
        access::encode(&format!("refs/heads/{branch}"))
    )
}

/// Looks for the entry whose result was `sha`.
pub(super) fn in_log(entries: &[Value], sha: &str, branch: &str) -> Result<Log, String> {
    let reference = format!("refs/heads/{branch}");
    for entry in entries {
        let entry: wire::Activity = serde::Deserialize::deserialize(entry)
            .map_err(|error: serde_json::Error| error.to_string())?;
        if entry.after.as_deref() != Some(sha) || entry.reference.as_deref() != Some(&reference) {
            continue;
        }
        let kind = entry.activity_type.as_deref().unwrap_or("none");
        return Ok(match kind {
            "push" | "force_push" => Log::Pushed(Association::DirectPush {
                pusher: entry.actor.as_ref().and_then(wire::RestUser::account),
                evidence: format!(
                    "no merged pull request brought it, and the branch's log has a {} to `{reference}`",
                    kind.replace('_', " ")
                ),
            }),
            "pr_merge" | "merge_queue_merge" => Log::NotIndexedYet,
            other => Log::Unclear(other.to_owned()),
        });
    }
    Ok(Log::Silent)
}

/// The log's answer as a fact, once the index had its chances.
pub(super) fn from_log(log: &Log, source: &Source) -> Fact<Association> {
    let fact = FactKey::ChangeAssociation.name();
    let unknown = |why: Why, detail: String| {
        Fact::Unknown(
            Unknown::new(fact, why, detail)
                .needs(permissions::needs(FactKey::ChangeAssociation))
                .at(source.endpoint.clone(), Some(200)),
        )
    };
    match log {
        Log::Pushed(association) => Fact::seen(association.clone(), source.clone()),
        Log::NotIndexedYet => unknown(
            Why::Failed,
            "the branch's log says that a change was merged, but the platform does not say yet which one; run the check again".to_owned(),
        ),
        Log::Silent => unknown(
            Why::HiddenOrAbsent,
            "no merged pull request brought the commit, and the branch's log does not name it".to_owned(),
        ),
        Log::Unclear(kind) => unknown(
            Why::NotSupported,
            format!("the branch's log names the commit with `{kind}`, which says nothing about a change"),
        ),
    }
}

/// Reads the log out of an answer.
pub(super) fn read_log(
    answer: &Result<Answer, NoAnswer>,
    sha: &str,
    branch: &str,
) -> Result<(Log, Source), Unknown> {
    let fact = FactKey::ChangeAssociation.name();
    let answer = answer.as_ref().map_err(|refusal| {
        access::refused(
            fact,
            permissions::needs(FactKey::ChangeAssociation),
            refusal,
        )
    })?;
    let malformed =
        |detail: String| access::malformed(fact, &answer.endpoint, answer.status, &detail);
    let entries: Vec<Value> = answer.json().map_err(malformed)?;
    let log = in_log(&entries, sha, branch).map_err(malformed)?;
    Ok((log, answer.source.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Account;
    use serde_json::json;

    fn candidates(change: impl FnOnce(&mut Value)) -> wire::Nodes<wire::Pull> {
        let mut pull = json!({"number": 9, "state": "MERGED", "baseRefName": "main",
            "mergeCommit": {"oid": "m5", "history": {"nodes": [{"oid": "m5"}, {"oid": "m4"}, {"oid": "m3"}]}},
            "commits": {"totalCount": 2, "nodes": [{"commit": {"oid": "c1"}}, {"commit": {"oid": "c2"}}]}});
        change(&mut pull);
        serde_json::from_value(json!({ "nodes": [pull] })).unwrap()
    }

    fn number(list: &wire::Nodes<wire::Pull>, sha: &str) -> Option<u64> {
        merged_change(list, sha, "main").and_then(|pull| pull.number)
    }

    #[test]
    fn f18_the_commits_that_a_rebase_merge_left_came_through_the_change() {
        let list = candidates(|_| {});
        assert_eq!(number(&list, "m5"), Some(9));
        assert_eq!(number(&list, "m4"), Some(9));
        assert_eq!(
            number(&list, "c1"),
            Some(9),
            "a merge commit brings the change's own commits"
        );
    }

    #[test]
    fn a_commit_before_the_rebased_ones_did_not_come_through_the_change() {
        assert_eq!(number(&candidates(|_| {}), "m3"), None);
    }

    #[test]
    fn a_commit_pushed_to_the_branch_of_a_merged_change_did_not_come_through_it() {
        assert_eq!(number(&candidates(|_| {}), "late"), None);
    }

    #[test]
    fn an_open_change_or_one_into_another_branch_brings_nothing() {
        assert_eq!(
            number(&candidates(|pull| pull["state"] = json!("OPEN")), "m5"),
            None
        );
        assert_eq!(
            number(&candidates(|pull| pull["baseRefName"] = json!("dev")), "m5"),
            None
        );
    }

    fn log(kind: &str) -> Log {
        let entries = [
            json!({"after": "aa", "ref": "refs/heads/main", "activity_type": kind,
            "actor": {"login": "alice", "type": "User"}}),
        ];
        in_log(&entries, "aa", "main").unwrap()
    }

    #[test]
    fn f17_a_push_without_a_change_is_a_direct_push_with_its_pusher() {
        let Log::Pushed(Association::DirectPush { pusher, .. }) = log("push") else {
            panic!("a push is a push");
        };
        assert_eq!(pusher, Some(Account::human("alice")));
        assert!(matches!(log("force_push"), Log::Pushed(_)));
    }

    #[test]
    fn f19_a_merge_that_is_not_indexed_yet_is_unknown_and_no_direct_push() {
        assert_eq!(log("pr_merge"), Log::NotIndexedYet);
        let source = Source {
            endpoint: String::new(),
            digest: String::new(),
        };
        assert!(!from_log(&Log::NotIndexedYet, &source).is_known());
    }

    #[test]
    fn a_commit_that_the_log_does_not_name_or_names_strangely_is_unknown() {
        let source = Source {
            endpoint: String::new(),
            digest: String::new(),
        };
        assert_eq!(in_log(&[], "aa", "main"), Ok(Log::Silent));
        assert!(!from_log(&Log::Silent, &source).is_known());
        assert!(!from_log(&log("branch_creation"), &source).is_known());
    }

    #[test]
    fn a_push_to_another_branch_says_nothing_about_this_one() {
        let entries = [json!({"after": "aa", "ref": "refs/heads/dev", "activity_type": "push"})];
        assert_eq!(in_log(&entries, "aa", "main"), Ok(Log::Silent));
    }
}
