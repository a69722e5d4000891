//! Tests of which questions are asked, against a server on loopback.

use serde_json::json;

use super::*;
use crate::facts::{Platform, Settings, Why};
use crate::platform::context::Wanted;
use crate::platform::transport::testing::{Received, Reply, Server};
use crate::platform::{Limits, Place, PolicyWanted, Setup, Token};

/// Opens change 7 and collects the groups; gives what was asked, and what was seen.
async fn collected(
    needs: &[FactKey],
    answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> (Vec<String>, Settings) {
    let server = Server::start(move |_, request: &Received| {
        let path = request.line.split(' ').nth(1).unwrap_or_default();
        if path.ends_with("/merge_requests/7") {
            return Reply::json(r#"{"iid":7,"sha":"f1","target_branch":"main"}"#);
        }
        answer(path).unwrap_or_else(|| Reply::status(404))
    })
    .await;
    let mut session = Session::new(Setup {
        place: Place {
            platform: Platform::Gitlab,
            api: server.url.join("/api/v4").unwrap(),
            graphql: server.url.join("/api/graphql").unwrap(),
            repository: "acme/pay/app".to_owned(),
            wanted: Wanted::Change {
                number: 7,
                head: None,
                target: Some("main".to_owned()),
            },
            train: None,
            run_url: None,
        },
        token: Token::new("glpat-x".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
        program: "ccgate/test".to_owned(),
        thrift: crate::platform::Thrift::Rounds,
    })
    .unwrap();
    let policy = PolicyWanted::AtTarget(".ccgate.yml".to_owned());
    let mut snapshot = session.open(&policy).await;
    let before = server.received().len();
    let needs: Needs = needs.iter().copied().collect();
    collect(&session, &mut snapshot, &needs).await;
    let asked = server.received().into_iter().skip(before);
    let asked = asked
        .filter_map(|one| one.line.split(' ').nth(1).map(str::to_owned))
        .collect();
    (asked, snapshot.settings)
}

fn project(path: &str) -> Option<Reply> {
    path.ends_with("/projects/acme%2Fpay%2Fapp").then(|| {
        Reply::json(
            &json!({
                "default_branch": "main",
                "namespace": {"kind": "group", "full_path": "acme/pay"},
                "permissions": {"project_access": {"access_level": 40}, "group_access": null}
            })
            .to_string(),
        )
    })
}

const OWNERS_KEYS: &[FactKey] = &[
    FactKey::OrganizationSettings,
    FactKey::OrganizationIdentity,
    FactKey::OrganizationTwoFactor,
    FactKey::OrganizationOwners,
    FactKey::OrganizationMembers,
    FactKey::OrganizationOutside,
    FactKey::OrganizationActivity,
    FactKey::OrganizationApps,
    FactKey::OrganizationTokens,
    FactKey::OrganizationWebhooks,
    FactKey::OrganizationDefaults,
    FactKey::RepositorySettings,
    FactKey::AccessCollaborators,
    FactKey::AccessDeployKeys,
    FactKey::AccessTokens,
    FactKey::AccessWebhooks,
    FactKey::PipelineSettings,
    FactKey::PipelineRunners,
    FactKey::PipelineSecrets,
];

#[tokio::test]
async fn what_a_job_token_can_never_read_is_not_asked_for_and_names_the_role() {
    let (asked, seen) = collected(OWNERS_KEYS, |_| Some(Reply::status(401))).await;
    assert!(asked.is_empty(), "{asked:?}");
    for key in OWNERS_KEYS {
        let unknown = seen.unknown(*key).unwrap();
        assert_eq!(unknown.why, Why::NotPermitted, "{unknown}");
        assert!(unknown.needs.is_some(), "{unknown}");
        assert_eq!(unknown.fact, key.name());
    }
}

#[tokio::test]
async fn nothing_is_asked_that_nobody_needs() {
    let (asked, _) = collected(&[FactKey::RepositorySettings], project).await;
    assert!(asked.is_empty(), "{asked:?}");
    let (asked, _) = collected(&[FactKey::AccessDeployKeys], project).await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains("/deploy_keys"), "{asked:?}");
}

#[tokio::test]
async fn the_members_of_the_group_are_asked_for_once() {
    let keys = [
        FactKey::OrganizationOwners,
        FactKey::OrganizationMembers,
        FactKey::OrganizationTwoFactor,
        FactKey::OrganizationOutside,
        FactKey::AccessCollaborators,
    ];
    let (asked, _) = collected(&keys, project).await;
    let lists = |part: &str| asked.iter().filter(|path| path.contains(part)).count();
    assert_eq!(lists("/groups/acme%2Fpay/members/all"), 1, "{asked:?}");
    assert_eq!(
        lists("/projects/acme%2Fpay%2Fapp/members/all"),
        1,
        "{asked:?}"
    );
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[tokio::test]
async fn two_missing_features_beside_a_maintainers_project_prove_the_free_tier_and_one_does_not() {
    let environments = |path: &str| {
        path.contains("/environments")
            .then(|| Reply::json(r#"[{"name":"live","tier":"production"}]"#))
    };
    let keys = [FactKey::DeploymentEnvironments];
    let (_, seen) = collected(&keys, move |path| {
        project(path).or_else(|| environments(path))
    })
    .await;
    let found = seen.environments.known().unwrap();
    assert_eq!(found.not_in_plan, ["protected environments"]);
    assert_eq!(found.list[0].approvals.known(), Ok(&0));
    let (_, seen) = collected(&keys, move |path| {
        let paid = path.contains("/push_rule").then(|| Reply::json("null"));
        project(path).or_else(|| environments(path)).or(paid)
    })
    .await;
    let found = seen.environments.known().unwrap();
    assert!(found.not_in_plan.is_empty());
    assert!(!found.list[0].approvals.is_known());
}

#[tokio::test]
async fn a_job_token_sees_which_environments_there_are_and_not_what_guards_them() {
    let (asked, seen) = collected(&[FactKey::DeploymentEnvironments], |path| {
        Some(if path.contains("/environments") {
            Reply::json(r#"[{"name":"live","tier":"production"}]"#)
        } else {
            Reply::status(401)
        })
    })
    .await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    let live = &seen.environments.known().unwrap().list[0];
    let unknown = live.approvals.known().unwrap_err();
    assert_eq!(unknown.why, Why::NotPermitted);
    assert!(unknown.needs.is_some());
}
