//! What the question holds, and what happens when the whole is refused.

use super::super::tests::session;
use super::*;
use crate::facts::Why;
use crate::platform::transport::testing::{Reply, Server};

fn needs(keys: &[FactKey]) -> Needs {
    keys.iter().copied().collect()
}

fn only(part: Part) -> String {
    form(&BTreeSet::from([part])).text()
}

#[test]
fn nothing_is_asked_that_nobody_wants() {
    let text = only(Part::Rulesets);
    assert!(text.contains("rulesets(") && !text.contains("$branch"));
    assert!(!text.contains("codeowners") && !text.contains("pullRequests"));
    assert!(!only(Part::Repository).contains("$ref"));
    assert!(!only(Part::AccessReview).contains("fragment"));
}

#[test]
fn every_place_of_the_file_is_asked_for_under_its_alias() {
    let text = only(Part::CodeOwners);
    for (alias, path) in PLACES {
        assert!(text.contains(&format!("{alias}: file(path: \"{path}\")")));
    }
}

#[tokio::test]
async fn every_variable_that_is_named_is_declared_and_given() {
    let server = Server::start(|_, _| Reply::json("{}")).await;
    let session = session(&server, None);
    let every = wanted(
        &session,
        "main",
        &needs(&[
            FactKey::BranchInventory,
            FactKey::RepositoryCodeOwners,
            FactKey::BranchCheckHistory,
            FactKey::PipelineDefinition,
            FactKey::RepositorySettings,
            FactKey::OrganizationReview,
            FactKey::AccessCollaborators,
        ]),
    );
    assert_eq!(every.len(), 8);
    let sets = every
        .iter()
        .map(|part| BTreeSet::from([*part]))
        .chain([every.clone()]);
    for parts in sets {
        let text = form(&parts).text();
        let (header, body) = text.split_once('{').unwrap();
        let given = variables(&session, "main", &parts);
        for name in ["owner", "name", "branch", "ref", "tree"] {
            let used = body.contains(&format!("${name}"));
            assert_eq!(
                header.contains(&format!("${name}:")),
                used,
                "{name}: {text}"
            );
            assert_eq!(given.get(name).is_some(), used, "{name}: {text}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_left_out() {
    let server = Server::start(|_, _| Reply::json("{}")).await;
    let keys = needs(&[
        FactKey::RepositoryCodeOwners,
        FactKey::PipelineDefinition,
        FactKey::AccessCollaborators,
    ]);
    let one = session(&server, None);
    assert_eq!(
        wanted(&one, "", &keys),
        BTreeSet::from([Part::Collaborators, Part::Outsiders]),
        "no branch, nothing about a branch"
    );
    let two = session(&server, Some("settings"));
    assert_eq!(
        wanted(&two, "main", &keys),
        BTreeSet::from([Part::CodeOwners, Part::Workflows]),
        "people are for the token that sees more"
    );
}

#[tokio::test]
async fn one_question_serves_every_part() {
    let server = Server::start(|_, _| Reply::json(r#"{"data":{"repository":{}}}"#)).await;
    let session = session(&server, None);
    let keys = needs(&[FactKey::RepositorySettings, FactKey::OrganizationReview]);
    let document = Document::new(&session, "main", &keys);
    let (one, other) = tokio::join!(
        document.answer(Part::Repository),
        document.answer(Part::AccessReview)
    );
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(server.count(), 1);
    let unknown = document.answer(Part::Workflows).await.unwrap_err();
    assert_eq!(unknown.why, Why::NotCollected);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_field_that_the_server_does_not_know_costs_its_own_part_only() {
    let server = Server::start(|_, request| {
        if request.body.contains("codeowners(") {
            Reply::json(r#"{"errors":[{"message":"Field 'codeowners' doesn't exist on type 'Repository'"}]}"#)
        } else {
            Reply::json(r#"{"data":{"repository":{"visibility":"PRIVATE"}}}"#)
        }
    })
    .await;
    let session = session(&server, None);
    let keys = needs(&[FactKey::RepositorySettings, FactKey::RepositoryCodeOwners]);
    let document = Document::new(&session, "main", &keys);
    let repository = document.answer(Part::Repository).await.unwrap();
    assert!(repository.data.is_some());
    let owners = document.answer(Part::CodeOwners).await.unwrap();
    assert!(owners.data.is_none());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_limit_that_the_server_ran_into_is_no_part_s_own() {
    let server = Server::start(|number, _| {
        if number == 1 {
            Reply::json(
                r#"{"data":{"repository":{}},"errors":[{"message":"Resource limits exceeded"}]}"#,
            )
        } else {
            Reply::json(r#"{"data":{"repository":{}}}"#)
        }
    })
    .await;
    let session = session(&server, None);
    let keys = needs(&[FactKey::RepositorySettings, FactKey::OrganizationReview]);
    let document = Document::new(&session, "main", &keys);
    let answer = document.answer(Part::Repository).await.unwrap();
    assert!(answer.errors.is_empty());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn an_error_at_one_part_is_left_to_that_part() {
    let server = Server::start(|_, _| {
        Reply::json(r#"{"data":{"repository":{"everybody":null}},"errors":[{"type":"FORBIDDEN","path":["repository","everybody"],"message":"no"}]}"#)
    })
    .await;
    let session = session(&server, None);
    let keys = needs(&[FactKey::RepositorySettings, FactKey::AccessCollaborators]);
    let document = Document::new(&session, "main", &keys);
    assert!(document.answer(Part::Repository).await.is_ok());
    assert_eq!(server.count(), 1);
}
