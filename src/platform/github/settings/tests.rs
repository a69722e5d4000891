//! What is asked of the platform for which groups, against a server on loopback.

use jiff::Timestamp;

use crate::facts::{Platform, Subject, Why};
use crate::platform::context::{Place, Wanted};
use crate::platform::transport::testing::{Reply, Server};
use crate::platform::transport::{Limits, Token};
use crate::platform::{PolicyWanted, Setup};

use super::*;

#[path = "fleet_tests.rs"]
mod fleet;
#[path = "thrift_tests.rs"]
mod thrift;

const GROUPS: [FactKey; 6] = [
    FactKey::BranchInventory,
    FactKey::RepositoryTags,
    FactKey::RepositoryReleases,
    FactKey::RepositoryCodeOwners,
    FactKey::RepositoryPaths,
    FactKey::BranchCheckHistory,
];

/// A session; with a second token if one is named.
pub(in super::super) fn session(server: &Server, settings_token: Option<&str>) -> Session {
    Session::new(Setup {
        place: Place {
            platform: Platform::Github,
            api: server.url.clone(),
            graphql: server.url.join("/graphql").unwrap(),
            repository: "acme/app".to_owned(),
            wanted: Wanted::Repository {
                branch: Some("main".to_owned()),
            },
            train: None,
            run_url: None,
        },
        token: Token::new("ghs_x".to_owned()),
        settings_token: settings_token.map(|token| Token::new(token.to_owned())),
        ca_bundle: None,
        limits: Limits {
            attempts: 1,
            ..Limits::default()
        },
        now: Timestamp::UNIX_EPOCH,
        program: "ccgate/test".to_owned(),
        thrift: crate::platform::Thrift::Rounds,
    })
    .unwrap()
}

pub(in super::super) fn snapshot() -> Snapshot {
    Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: None,
            head: String::new(),
            target: "main".to_owned(),
        },
        Timestamp::UNIX_EPOCH,
        "ccgate/test".to_owned(),
    )
}

#[tokio::test]
async fn nothing_is_asked_for_groups_that_nobody_needs() {
    let server = Server::start(|_, _| Reply::json("{}")).await;
    let settings = collect(&session(&server, None), &snapshot(), &Needs::none()).await;
    assert_eq!(server.count(), 0);
    assert_eq!(settings, Settings::all_unknown());
}

#[tokio::test]
async fn what_a_server_does_not_offer_is_not_supported_and_nothing_else() {
    let server = Server::start(|_, _| Reply::status(501)).await;
    let mut session = session(&server, None);
    session.tip = Some("aa".to_owned());
    let needs = GROUPS.into_iter().collect();
    let settings = collect(&session, &snapshot(), &needs).await;
    for key in GROUPS {
        match settings.unknown(key) {
            Some(unknown) => assert_eq!(unknown.why, Why::NotSupported, "{unknown}"),
            // The two facts in it are known or unknown each by itself.
            None => assert_eq!(key, FactKey::RepositoryReleases),
        }
    }
    let releases = settings.releases.known().unwrap();
    let why = releases.immutable.known().unwrap_err();
    assert_eq!(why.why, Why::NotSupported);
}

#[tokio::test]
async fn an_own_server_names_its_version_in_the_first_answer() {
    let server = Server::start(|_, _| {
        Reply::json(r#"{"data":{"repository":{"releases":{"totalCount":0}}}}"#)
            .header("x-github-enterprise-version", "3.19.1")
    })
    .await;
    let mut session = session(&server, None);
    let opened = session
        .open(&PolicyWanted::AtTarget(".ccgate.yml".to_owned()))
        .await;
    let told = opened.settings.server.known().unwrap();
    assert_eq!(told.product, "GitHub Enterprise Server");
    assert_eq!(told.version.as_deref(), Some("3.19.1"));
    // Without a release there is nothing to ask about.
    let needs = [FactKey::RepositoryReleases].into_iter().collect();
    let settings = collect(&session, &opened, &needs).await;
    assert_eq!(settings.releases.known().unwrap().exist.known(), Ok(&false));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_server_that_knows_no_rulesets_still_tells_of_the_repository() {
    let server = Server::start(|_, request| {
        let answer = if request.body.contains("rulesets(") {
            r#"{"errors":[{"message":"Field 'rulesets' doesn't exist on type 'Repository'","path":["query","repository","rulesets"]}]}"#
        } else {
            r#"{"data":{"viewer":{"login":"ana"},"repository":{"branch":{"name":"main","target":{"oid":"aa"}},"defaultBranchRef":{"name":"main","target":{"oid":"aa"}}}}}"#
        };
        Reply::json(answer).header("x-github-enterprise-version", "3.9.2")
    })
    .await;
    let mut session = session(&server, None);
    let opened = session
        .open(&PolicyWanted::AtTarget(".ccgate.yml".to_owned()))
        .await;
    assert_eq!(
        opened.repository.default_branch.known(),
        Ok(&"main".to_owned())
    );
    assert!(session.heads.is_none());
    assert_eq!((server.count(), session.requests().waves), (2, 2));
}
