//! The commit that a merge train made for the change: what it would leave on the
//! branch. Each change of a train has a pipeline of its own on top of those before it,
//! so only the change's own commit is looked at.

use crate::facts::{
    Fact, FactKey, Needs, QueueCommit, QueueEntry, QueueKind, QueueResult, Snapshot, Unknown,
};
use crate::platform::access;

use super::wire::{Read, WireCommit, object};
use super::{Session, left_out, permissions};

const FACT: FactKey = FactKey::ChangeQueue;

/// What the train made. Known `None`: the run is for no train. That it is for one is
/// told also where nobody needs to know more, and then nothing is asked.
pub(super) async fn queue(
    session: &Session,
    snapshot: &Snapshot,
    needs: &Needs,
) -> Fact<Option<QueueResult>> {
    let Some(train) = &session.setup.place.train else {
        return Fact::known_without_source(None);
    };
    let commits = if needs.has(FACT) {
        made(session, snapshot, train).await
    } else {
        Fact::Unknown(Unknown::not_collected(FACT.name()))
    };
    let sources = commits.sources().to_vec();
    let result = QueueResult {
        kind: QueueKind::Train,
        target: snapshot.subject.target.clone(),
        head: train.clone(),
        base: None,
        commits,
    };
    Fact::seen_in(Some(result), sources)
}

async fn made(session: &Session, snapshot: &Snapshot, train: &str) -> Fact<Vec<QueueCommit>> {
    let path = session.path(&format!("/repository/commits/{}", access::encode(train)));
    let reply = session.change.get(&path).await;
    let read: Read<WireCommit> = object(FACT.name(), permissions::CHANGE, &reply);
    let (commit, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let (Some(sha), Some(parents)) = (commit.id, commit.parent_ids) else {
        return Fact::Unknown(left_out(FACT.name(), "parent_ids", &sources));
    };
    if sha != train {
        return Fact::Unknown(left_out(FACT.name(), "id", &sources));
    }
    let entry = match &snapshot.identity {
        Fact::Known { value, sources } => Fact::seen_in(
            Some(QueueEntry {
                number: value.number,
                head: value.head.clone(),
            }),
            sources.clone(),
        ),
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    };
    Fact::seen_in(
        vec![QueueCommit {
            sha,
            parents,
            entry,
        }],
        sources,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Platform, Subject, Why};
    use crate::platform::context::Wanted;
    use crate::platform::transport::testing::{Reply, Server};
    use crate::platform::{Limits, Place, Setup, Thrift, Token};

    const MADE: &str = "dddddddddddddddddddddddddddddddddddddddd";

    /// What is seen of a train that made this commit, and what was asked.
    async fn seen(
        train: Option<&str>,
        answer: &'static str,
        needs: &Needs,
    ) -> (Fact<Option<QueueResult>>, Vec<String>) {
        let server = Server::start(move |_, _| Reply::json(answer)).await;
        let session = Session::new(Setup {
            place: Place {
                platform: Platform::Gitlab,
                api: server.url.join("/api/v4").unwrap(),
                graphql: server.url.join("/api/graphql").unwrap(),
                repository: "acme/app".to_owned(),
                wanted: Wanted::Repository { branch: None },
                train: train.map(str::to_owned),
                run_url: None,
            },
            token: Token::new("change".to_owned()),
            settings_token: None,
            ca_bundle: None,
            limits: Limits::default(),
            now: jiff::Timestamp::UNIX_EPOCH,
            program: "ccgate/test".to_owned(),
            thrift: Thrift::Rounds,
        })
        .unwrap();
        let snapshot = Snapshot::all_unknown(
            Subject {
                platform: Platform::Gitlab,
                repository: "acme/app".to_owned(),
                change: Some(7),
                head: "f1".to_owned(),
                target: "main".to_owned(),
            },
            jiff::Timestamp::UNIX_EPOCH,
            "ccgate/test".to_owned(),
        );
        let queue = queue(&session, &snapshot, needs).await;
        let asked = server.received();
        (queue, asked.into_iter().map(|one| one.line).collect())
    }

    fn needed() -> Needs {
        [FACT].into_iter().collect()
    }

    const GOOD: &str =
        r#"{"id":"dddddddddddddddddddddddddddddddddddddddd","parent_ids":["t1","f1"]}"#;

    fn commits(queue: Fact<Option<QueueResult>>) -> Fact<Vec<QueueCommit>> {
        match queue {
            Fact::Known { value, .. } => value.expect("the run is for a train").commits,
            Fact::Unknown(unknown) => Fact::Unknown(unknown),
        }
    }

    #[tokio::test]
    async fn without_a_train_there_is_none_and_nothing_is_asked() {
        let (queue, asked) = seen(None, GOOD, &needed()).await;
        assert_eq!(queue.known(), Ok(&None));
        assert_eq!(asked, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_train_is_one_request_and_told_even_where_nobody_needs_it() {
        let (queue, asked) = seen(Some(MADE), GOOD, &needed()).await;
        assert_eq!(asked.len(), 1, "{asked:?}");
        let commits = commits(queue);
        let commit = &commits.known().unwrap()[0];
        assert_eq!(commit.parents, ["t1", "f1"]);
        // Who it belongs to hangs on the change, of which nothing was seen.
        assert!(!commit.entry.is_known());
        let (queue, asked) = seen(Some(MADE), GOOD, &Needs::none()).await;
        assert!(asked.is_empty());
        assert!(queue.known().unwrap().is_some());
    }

    #[tokio::test]
    async fn another_commit_or_one_without_parents_is_unknown() {
        for answer in [
            r#"{"id":"eeee","parent_ids":["t1","f1"]}"#,
            r#"{"id":"dddddddddddddddddddddddddddddddddddddddd"}"#,
            "{}",
            "[]",
        ] {
            let (queue, _) = seen(Some(MADE), answer, &needed()).await;
            let unknown = commits(queue).known().unwrap_err();
            assert_ne!(unknown.why, Why::NotCollected, "{answer}");
        }
    }
}
