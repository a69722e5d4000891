//! What people said and did on the change: reviews, comments, force pushes.
//! Everything is kept; which of it counts is not decided here.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::facts::{
    Account, Comment, Fact, FactKey, Push, PushKind, Review, ReviewState, Source, Thread, Unknown,
    Why,
};

use super::wire;

fn read<T: DeserializeOwned>(node: &Value) -> Result<T, String> {
    T::deserialize(node).map_err(|error| error.to_string())
}

fn left_out<T>(key: FactKey, what: &str) -> Fact<T> {
    Fact::Unknown(Unknown::new(
        key.name(),
        Why::HiddenOrAbsent,
        format!("the platform does not say {what}"),
    ))
}

/// Reviews, oldest first. Where one that was submitted has no time, they stay in the
/// platform's order, which is the same: an opinion must not become the newest for want of a time.
pub(super) fn reviews(nodes: &[Value], source: &Source) -> Result<Vec<Review>, String> {
    let mut wires: Vec<wire::Review> = nodes.iter().map(read).collect::<Result<_, _>>()?;
    let told = |review: &wire::Review| {
        review.submitted_at.is_some() || review.state.as_deref() == Some("PENDING")
    };
    if wires.iter().all(told) {
        wires.sort_by_key(|review| (review.submitted_at.is_none(), review.submitted_at));
    }
    Ok(wires
        .into_iter()
        .map(|review| Review {
            reviewer: review.author.as_ref().and_then(wire::Actor::account),
            state: match review.state.as_deref() {
                Some("APPROVED") => ReviewState::Approved,
                Some("CHANGES_REQUESTED") => ReviewState::ChangesRequested,
                Some("COMMENTED") => ReviewState::Commented,
                Some("DISMISSED") => ReviewState::Dismissed,
                other => ReviewState::Other(other.unwrap_or("no state").to_owned()),
            },
            submitted_at: review.submitted_at.map_or_else(
                || left_out(FactKey::ChangeReviews, "when the review was given"),
                |at| Fact::seen(at, source.clone()),
            ),
            // Known `None` would mean that this platform ties reviews to no commit.
            commit: review.commit.and_then(|commit| commit.oid).map_or_else(
                || left_out(FactKey::ChangeReviews, "which commit was reviewed"),
                |oid| Fact::seen(Some(oid), source.clone()),
            ),
            can_write: review.author_can_push_to_repository.map_or_else(
                || left_out(FactKey::ChangeReviews, "whether the reviewer may write"),
                |can| Fact::seen(can, source.clone()),
            ),
        })
        .collect())
}

/// Threads of the review.
pub(super) fn threads(nodes: &[Value], source: &Source) -> Result<Vec<Thread>, String> {
    nodes
        .iter()
        .map(|node| {
            let thread: wire::Thread = read(node)?;
            let first = thread
                .comments
                .as_ref()
                .and_then(|list| list.present().next());
            Ok(Thread {
                resolved: thread
                    .is_resolved
                    .ok_or("a thread does not say whether it is resolved")?,
                author: account_in(first, "author", "who started a thread", source)?,
                resolved_by: account_in(Some(node), "resolvedBy", "who resolved a thread", source)?,
                path: thread.path,
            })
        })
        .collect()
}

/// The account under a key. Null is an account that is gone, or nobody; a key that
/// is not there tells nothing.
fn account_in(
    object: Option<&Value>,
    key: &str,
    what: &str,
    source: &Source,
) -> Result<Fact<Option<Account>>, String> {
    let Some(value) = object.and_then(|object| object.get(key)) else {
        return Ok(left_out(FactKey::ChangeThreads, what));
    };
    let actor: Option<wire::Actor> = read(value)?;
    Ok(Fact::seen(
        actor.as_ref().and_then(wire::Actor::account),
        source.clone(),
    ))
}

/// Comments, oldest first.
pub(super) fn comments(nodes: &[Value], source: &Source) -> Result<Vec<Comment>, String> {
    let mut list = nodes
        .iter()
        .map(|node| {
            // No time of an edit is null; whether there is one in the text is never null.
            let edit_is_told = node.get("lastEditedAt").is_some()
                && node
                    .get("includesCreatedEdit")
                    .is_some_and(Value::is_boolean);
            let comment: wire::Comment = read(node)?;
            let edited =
                comment.last_edited_at.is_some() || comment.includes_created_edit == Some(true);
            Ok(Comment {
                id: comment
                    .database_id
                    .map(|id| id.to_string())
                    .or(comment.id)
                    .ok_or("a comment has no id")?,
                author: comment.author.as_ref().and_then(wire::Actor::account),
                body: comment.body.ok_or("a comment has no text")?,
                created_at: comment.created_at.ok_or("a comment has no time")?,
                edited: if edited || edit_is_told {
                    Fact::seen(edited, source.clone())
                } else {
                    left_out(FactKey::ChangeComments, "whether the comment was edited")
                },
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    list.sort_by_key(|comment| comment.created_at);
    Ok(list)
}

/// Force pushes, oldest first. Plain pushes leave no event of their own here.
pub(super) fn pushes(nodes: &[Value], source: &Source) -> Result<Vec<Push>, String> {
    let mut list = nodes
        .iter()
        .map(|node| {
            let push: wire::ForcePush = read(node)?;
            let actor_is_told = node.get("actor").is_some();
            Ok(Push {
                kind: PushKind::ForcePush,
                at: push.created_at.ok_or("a force push has no time")?,
                actor: if actor_is_told {
                    Fact::seen(
                        push.actor.as_ref().and_then(wire::Actor::account),
                        source.clone(),
                    )
                } else {
                    left_out(FactKey::ChangePushes, "who pushed")
                },
                before: push.before_commit.and_then(|commit| commit.oid),
                after: push.after_commit.and_then(|commit| commit.oid),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    list.sort_by_key(|push| push.at);
    Ok(list)
}

/// When the change was pointed at another branch, by people or since its branch went away.
pub(super) fn targets(nodes: &[Value], _: &Source) -> Result<Vec<Timestamp>, String> {
    nodes
        .iter()
        .map(|node| {
            let moment: wire::Moment = read(node)?;
            let at = moment.created_at;
            at.ok_or_else(|| "a change of the target has no time".to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source() -> Source {
        Source {
            endpoint: "POST /graphql#Test".to_owned(),
            digest: String::new(),
        }
    }

    #[test]
    fn reviews_are_kept_all_oldest_first_with_unknown_words() {
        let list = reviews(
            &[
                json!({"state": "APPLAUDED", "submittedAt": "2026-05-02T00:00:00Z", "author": null, "commit": null}),
                json!({"state": "APPROVED", "submittedAt": "2026-05-01T00:00:00Z", "authorCanPushToRepository": false,
                    "author": {"__typename": "Bot", "login": "ok"}, "commit": {"oid": "aa"}}),
            ],
            &source(),
        )
        .unwrap();
        assert_eq!(list[0].state, ReviewState::Approved);
        assert_eq!(list[0].reviewer.as_ref().unwrap().login, "ok[bot]");
        assert_eq!(list[0].can_write.known(), Ok(&false));
        assert_eq!(list[1].state, ReviewState::Other("APPLAUDED".to_owned()));
        assert_eq!(list[1].reviewer, None);
        assert!(!list[1].can_write.is_known(), "silence is not a right");
        assert!(
            !list[1].commit.is_known(),
            "a lost commit is not a platform without commits"
        );
    }

    #[test]
    fn a_review_without_a_time_does_not_become_the_newest() {
        let by_bob = |state: &str, at: Option<&str>| json!({"state": state, "submittedAt": at, "author": {"__typename": "User", "login": "bob"}});
        let list = reviews(
            &[
                by_bob("APPROVED", None),
                by_bob("CHANGES_REQUESTED", Some("2026-05-02T00:00:00Z")),
            ],
            &source(),
        )
        .unwrap();
        assert_eq!(list[1].state, ReviewState::ChangesRequested);
    }

    #[test]
    fn an_edit_mark_of_either_kind_counts_and_silence_is_unknown() {
        let at = "2026-05-01T00:00:00Z";
        let list = comments(
            &[
                json!({"databaseId": 1, "body": "a", "createdAt": at, "lastEditedAt": null, "includesCreatedEdit": false,
                    "author": {"__typename": "User", "login": "ana", "databaseId": 12}}),
                json!({"databaseId": 2, "body": "b", "createdAt": at, "lastEditedAt": at, "includesCreatedEdit": false}),
                json!({"databaseId": 3, "body": "c", "createdAt": at, "lastEditedAt": null, "includesCreatedEdit": true}),
                json!({"databaseId": 4, "body": "d", "createdAt": at}),
                json!({"databaseId": 5, "body": "e", "createdAt": at, "lastEditedAt": null, "includesCreatedEdit": null}),
            ],
            &source(),
        )
        .unwrap();
        let author = list[0].author.as_ref().unwrap();
        assert_eq!((author.login.as_str(), author.id), ("ana", Some(12)));
        let edited: Vec<_> = list
            .iter()
            .map(|comment| comment.edited.known().ok().copied())
            .collect();
        assert_eq!(edited, [Some(false), Some(true), Some(true), None, None]);
    }

    #[test]
    fn a_comment_without_text_or_time_is_an_error_and_not_left_out() {
        assert!(comments(&[json!({"databaseId": 1, "body": "a"})], &source()).is_err());
        assert!(
            comments(
                &[json!({"databaseId": 1, "createdAt": "2026-05-01T00:00:00Z"})],
                &source()
            )
            .is_err()
        );
    }

    #[test]
    fn a_force_push_of_a_deleted_account_is_known_to_be_nobodys() {
        let list = pushes(
            &[json!({"createdAt": "2026-05-01T00:00:00Z", "actor": null, "afterCommit": {"oid": "bb"}})],
            &source(),
        )
        .unwrap();
        assert_eq!(list[0].actor.known(), Ok(&None));
        assert_eq!(list[0].after.as_deref(), Some("bb"));
    }
}
