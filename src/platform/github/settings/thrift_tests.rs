//! What waits for an answer when requests are saved, and that it is still asked.

use super::super::*;
use super::{session, snapshot};
use crate::facts::{AllowedSources, BranchRules, Fact};
use crate::platform::Thrift;
use crate::platform::transport::testing::{Received, Reply, Server};

fn thrifty(server: &Server) -> Session {
    let mut session = session(server, None);
    session.setup.thrift = Thrift::Requests;
    session
}

fn asked(server: &Server, tail: &str) -> usize {
    let received = server.received();
    let lines = received.iter().map(|request| request.line.as_str());
    lines
        .filter(|line| {
            line.split('?')
                .next()
                .is_some_and(|path| path.ends_with(tail))
        })
        .count()
}

async fn sources(word: &'static str) -> (usize, Fact<AllowedSources>) {
    let server = Server::start(move |_, request: &Received| {
        if request.line.ends_with("/actions/permissions") {
            Reply::json(&format!(r#"{{"enabled":true,"allowed_actions":"{word}"}}"#))
        } else {
            Reply::json(
                r#"{"github_owned_allowed":true,"verified_allowed":false,"patterns_allowed":[]}"#,
            )
        }
    })
    .await;
    let session = thrifty(&server);
    let needs = [FactKey::PipelineSettings].into_iter().collect();
    let seen = collect(&session, &snapshot(), &needs).await;
    let sources = seen.pipeline.known().unwrap().allowed_sources.clone();
    (asked(&server, "/selected-actions"), sources)
}

#[tokio::test]
async fn the_list_of_actions_is_asked_once_the_setting_names_it() {
    let (count, seen) = sources("all").await;
    assert_eq!((count, seen.known()), (0, Ok(&AllowedSources::Anything)));
    let (count, seen) = sources("selected").await;
    assert_eq!(count, 1);
    assert!(matches!(seen.known(), Ok(AllowedSources::Selected { .. })));
}

async fn rules(message: &'static str, thrift: Thrift) -> (usize, BranchRules) {
    let server = Server::start(move |_, request: &Received| {
        if request.line.ends_with("/protection") {
            Reply::Full(404, Vec::new(), format!(r#"{{"message":"{message}"}}"#))
        } else if request.line.ends_with("/branches/main") && !request.line.contains("/rules/") {
            Reply::json(r#"{"protected":true}"#)
        } else {
            Reply::json("[]")
        }
    })
    .await;
    let mut session = session(&server, None);
    session.setup.thrift = thrift;
    let needs = [FactKey::BranchRules].into_iter().collect();
    let rules = session.branch_rules("main", &needs).await;
    let count = server
        .received()
        .iter()
        .filter(|request| request.line == "GET /repos/acme/app/branches/main")
        .count();
    (count, rules.known().unwrap().clone())
}

#[tokio::test]
async fn the_summary_of_a_branch_is_asked_where_its_protection_is_hidden() {
    let (count, open) = rules("Branch not protected", Thrift::Requests).await;
    assert_eq!(count, 0);
    assert_eq!(open.protected.holds(|on| *on).known(), Ok(&false));
    let (count, hidden) = rules("Not Found", Thrift::Requests).await;
    assert_eq!(count, 1);
    let (_, at_once) = rules("Not Found", Thrift::Rounds).await;
    assert_eq!(hidden, at_once, "the same is seen, in another order");
}

#[tokio::test]
async fn lists_of_owners_are_asked_for_the_kinds_that_are_named() {
    for (text, collaborators, teams) in [
        ("* @acme/ops", 0, 1),
        ("* @ana", 1, 0),
        ("* ana@example.com", 0, 0),
        ("* @ana @acme/ops", 1, 1),
    ] {
        let server = Server::start(move |_, request: &Received| {
            if !request.line.starts_with("POST") {
                return Reply::json("[]");
            }
            let size = text.len();
            Reply::json(&format!(
                r#"{{"data":{{"repository":{{"ref":{{"target":{{"oid":"aa","inGithub":{{"mode":33188,"object":{{"__typename":"Blob","byteSize":{size},"text":"{text}","isTruncated":false,"isBinary":false}}}},"inRoot":null,"inDocs":null}}}},"codeowners":{{"errors":[]}}}}}}}}"#
            ))
        })
        .await;
        let session = thrifty(&server);
        let needs = [FactKey::RepositoryCodeOwners].into_iter().collect();
        let seen = collect(&session, &snapshot(), &needs).await;
        let owners = &seen.code_owners.known().unwrap().owners;
        assert!(!owners.is_empty(), "{text}");
        assert!(
            owners
                .iter()
                .all(|owner| owner.name.starts_with('a') || owner.can_write.known() == Ok(&false)),
            "who is not in the list cannot write: {owners:?}"
        );
        assert_eq!(
            (asked(&server, "/collaborators"), asked(&server, "/teams")),
            (collaborators, teams),
            "{text}"
        );
    }
}
