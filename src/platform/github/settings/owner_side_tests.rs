//! What is asked for which groups, seen from a server.

use super::super::super::opening::About;
use super::*;
use crate::facts::{Platform, Subject, Why};
use crate::platform::context::Wanted;
use crate::platform::transport::testing::{Reply, Server};
use crate::platform::transport::{Limits, Token};
use crate::platform::{Place, Setup};

fn session(server: &Server) -> Session {
    Session::new(Setup {
        place: Place {
            platform: Platform::Github,
            api: server.url.clone(),
            graphql: server.url.join("/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Commit {
                sha: None,
                branch: None,
                before: None,
            },
            train: None,
            run_url: None,
        },
        token: Token::new("change".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: "2026-05-01T00:00:00Z".parse().unwrap(),
        program: "ccgate/test".to_owned(),
        thrift: crate::platform::Thrift::Rounds,
    })
    .unwrap()
}

async fn collected(session: &Session, needs: &Needs) -> Settings {
    let snapshot = Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: None,
            head: "aa".to_owned(),
            target: "main".to_owned(),
        },
        "2026-05-01T00:00:00Z".parse().unwrap(),
        "ccgate/test".to_owned(),
    );
    let shared = Shared::new(session, &snapshot.subject.target, needs);
    owner_side(session, &shared, &snapshot, needs).await
}

fn needs(keys: &[FactKey]) -> Needs {
    keys.iter().copied().collect()
}

async fn refusing() -> Server {
    Server::start(|_, _| Reply::Full(403, Vec::new(), r#"{"message":"no"}"#.to_owned())).await
}

fn lines(server: &Server) -> Vec<String> {
    let mut lines: Vec<String> = server
        .received()
        .into_iter()
        .map(|request| request.line)
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn nothing_is_asked_when_no_group_of_this_side_is_needed() {
    let server = refusing().await;
    let session = session(&server);
    let seen = collected(
        &session,
        &needs(&[FactKey::BranchRules, FactKey::RepositoryTags]),
    )
    .await;
    assert_eq!(server.count(), 0);
    assert_eq!(seen, Settings::all_unknown());
}

#[tokio::test]
async fn each_group_asks_its_own_questions_and_fills_its_own_place() {
    let orgs = |tail: &str| format!("GET /orgs/acme{tail}");
    let repo = |tail: &str| format!("GET /repos/acme/app/{tail}");
    let table: Vec<(FactKey, Vec<String>)> = vec![
        (FactKey::OrganizationSettings, vec![orgs("")]),
        (FactKey::OrganizationActivity, vec![]),
        (FactKey::AccessTokens, vec![]),
        (
            FactKey::OrganizationApps,
            vec![orgs("/installations?per_page=100")],
        ),
        (
            FactKey::OrganizationWebhooks,
            vec![orgs("/hooks?per_page=100")],
        ),
        (
            FactKey::OrganizationOutside,
            vec![orgs("/outside_collaborators?per_page=100")],
        ),
        (
            FactKey::OrganizationOwners,
            vec![
                orgs("/members?role=admin&per_page=100"),
                orgs("/outside_collaborators?per_page=100"),
            ],
        ),
        (FactKey::AccessDeployKeys, vec![repo("keys?per_page=100")]),
        (FactKey::AccessWebhooks, vec![repo("hooks?per_page=100")]),
        (
            FactKey::DeploymentEnvironments,
            vec![repo("environments?per_page=100")],
        ),
        (
            FactKey::PipelineSecrets,
            vec![
                repo("actions/organization-secrets?per_page=100"),
                repo("actions/secrets?per_page=100"),
                repo("environments?per_page=100"),
            ],
        ),
        (
            FactKey::PipelineDefinition,
            vec!["POST /graphql".to_owned()],
        ),
        (
            FactKey::RepositorySettings,
            vec!["POST /graphql".to_owned()],
        ),
    ];
    for (key, expected) in table {
        let server = refusing().await;
        let session = session(&server);
        let seen = collected(&session, &needs(&[key])).await;
        assert_eq!(lines(&server), expected, "{key:?}");
        for other in Settings::KEYS {
            let collected = seen
                .unknown(*other)
                .is_none_or(|unknown| unknown != Unknown::not_collected(other.name()));
            assert_eq!(collected, *other == key, "{key:?} and {other:?}");
        }
    }
}

#[tokio::test]
async fn a_workflow_token_is_not_asked_for_what_it_can_never_have() {
    let server = refusing().await;
    let mut session = session(&server);
    session.workflow_token = true;
    let keys = [
        FactKey::OrganizationSettings,
        FactKey::OrganizationIdentity,
        FactKey::OrganizationTwoFactor,
        FactKey::OrganizationOwners,
        FactKey::OrganizationMembers,
        FactKey::OrganizationOutside,
        FactKey::OrganizationApps,
        FactKey::OrganizationTokens,
        FactKey::OrganizationWebhooks,
        FactKey::AccessDeployKeys,
        FactKey::AccessWebhooks,
        FactKey::PipelineRunners,
        FactKey::PipelineSecrets,
    ];
    let seen = collected(&session, &needs(&keys)).await;
    assert_eq!(lines(&server), Vec::<String>::new());
    for key in keys {
        let unknown = seen.unknown(key).unwrap();
        assert_eq!(unknown.why, Why::NotPermitted, "{key:?}");
        assert_eq!(unknown.fact, key.name());
        assert!(unknown.needs.is_some(), "{key:?}");
    }
}

#[tokio::test]
async fn a_repository_of_a_person_has_no_organisation_to_ask() {
    let server = refusing().await;
    let mut session = session(&server);
    session.about = About {
        in_organization: Some(false),
        public: Some(false),
        ..About::default()
    };
    let keys = [
        FactKey::OrganizationSettings,
        FactKey::OrganizationMembers,
        FactKey::OrganizationActivity,
        FactKey::OrganizationDefaults,
        FactKey::OrganizationTokens,
    ];
    let seen = collected(&session, &needs(&keys)).await;
    assert_eq!(server.count(), 0);
    for key in keys {
        let unknown = seen.unknown(key).unwrap();
        assert_eq!(unknown.why, Why::NotSupported, "{key:?}");
        assert!(unknown.detail.contains("belongs to a person"));
    }
}

#[tokio::test]
async fn what_the_plan_lacks_is_told_by_the_organisation_s_record() {
    for (public, plan, asked, lacking) in [
        (Some(false), "team", 1, vec!["required reviewers"]),
        (Some(false), "enterprise", 1, vec![]),
        (Some(true), "team", 0, vec![]),
        (None, "team", 0, vec![]),
    ] {
        let server = Server::start(move |_, request| {
            if request.line.contains("/environments?") {
                Reply::json(r#"{"total_count":1,"environments":[{"name":"production","protection_rules":[]}]}"#)
            } else {
                Reply::json(&format!(r#"{{"login":"acme","plan":{{"name":"{plan}"}}}}"#))
            }
        })
        .await;
        let mut session = session(&server);
        session.about.public = public;
        let seen = collected(&session, &needs(&[FactKey::DeploymentEnvironments])).await;
        assert_eq!(seen.environments.known().unwrap().not_in_plan, lacking);
        let orgs = "GET /orgs/acme".to_owned();
        assert_eq!(
            lines(&server).iter().filter(|line| **line == orgs).count(),
            asked
        );
    }
}

#[tokio::test]
async fn the_record_of_the_organisation_is_asked_once_for_all_who_read_it() {
    let server =
        Server::start(|_, _| Reply::json(r#"{"login":"acme","plan":{"name":"free"}}"#)).await;
    let session = session(&server);
    let keys = [FactKey::OrganizationSettings, FactKey::OrganizationIdentity];
    let seen = collected(&session, &needs(&keys)).await;
    assert_eq!(lines(&server), ["GET /orgs/acme", "POST /graphql"]);
    assert!(seen.organization.is_known());
    let identity = seen.organization_identity.known();
    assert!(identity.is_err(), "an answer without data tells nothing");
}

#[tokio::test]
async fn of_forks_only_the_question_that_fits_is_asked() {
    for (public, word) in [
        (Some(true), "fork-pr-contributor-approval"),
        (Some(false), "fork-pr-workflows-private-repos"),
    ] {
        let server = refusing().await;
        let mut session = session(&server);
        session.about.public = public;
        collected(&session, &needs(&[FactKey::PipelineSettings])).await;
        let forks: Vec<String> = lines(&server)
            .into_iter()
            .filter(|line| line.contains("/fork-pr-"))
            .collect();
        assert!(forks.len() == 1 && forks[0].contains(word), "{forks:?}");
    }
}

#[tokio::test]
async fn names_that_the_first_answers_bring_are_asked_for_behind_them() {
    let server = Server::start(|_, request| {
        Reply::json(if request.line.contains("/environments?") {
            r#"{"total_count":1,"environments":[{"name":"a/b","protection_rules":[],"deployment_branch_policy":{"protected_branches":false,"custom_branch_policies":true}}]}"#
        } else if request.line.contains("deployment-branch-policies") {
            r#"{"total_count":1,"branch_policies":[{"name":"main","type":"branch"}]}"#
        } else {
            r#"{"total_count":1,"secrets":[{"name":"KEY","updated_at":"2026-01-01T00:00:00Z"}]}"#
        })
    })
    .await;
    let session = session(&server);
    session.transport.begin_wave();
    let seen = collected(
        &session,
        &needs(&[FactKey::PipelineSecrets, FactKey::DeploymentEnvironments]),
    )
    .await;
    assert_eq!(server.count(), 5);
    let asked = lines(&server);
    assert!(
        asked.contains(&"GET /repos/acme/app/environments/a%2Fb/secrets?per_page=100".to_owned()),
        "{asked:?}"
    );
    assert_eq!(seen.secrets.known().unwrap().len(), 3);
    assert!(seen.environments.known().unwrap().list[0].refs.is_known());
    assert_eq!(session.transport.requests().waves, 2);
}
