//! What the repositories of a run share, and that each is still seen by itself.

use serde_json::{Value, json};

use super::super::*;
use super::{session, snapshot};
use crate::facts::{Alerts, Fact, Runner, Secret, Watch};
use crate::platform::github::Fleet;
use crate::platform::github::opening::About;
use crate::platform::transport::testing::{Received, Reply, Server};
use crate::platform::{Host, Thrift};

/// The repositories `acme/app` and `acme/other` in one run, both of an organisation.
fn run(server: &Server) -> [Session; 2] {
    let fleet = Fleet::default();
    ["app", "other"].map(|name| {
        let mut session = session(server, None);
        session.name = name.to_owned();
        session.setup.place.repository = format!("acme/{name}");
        session.setup.thrift = Thrift::Requests;
        session.about = About {
            in_organization: Some(true),
            public: Some(false),
            environments: Some(Vec::new()),
        };
        session.join(&fleet);
        session
    })
}

async fn collected(sessions: &[Session; 2], keys: &[FactKey]) -> [Settings; 2] {
    let needs: Needs = keys.iter().copied().collect();
    [
        collect(&sessions[0], &snapshot(), &needs).await,
        collect(&sessions[1], &snapshot(), &needs).await,
    ]
}

/// The answer whose path ends the longest way like the request's; 404 without one.
fn by_path(answers: &'static [(&'static str, &'static str)]) -> impl Fn(usize, &Received) -> Reply {
    move |_, request| {
        let path = request.line.split('?').next().unwrap_or_default();
        let fitting = answers.iter().filter(|(tail, _)| path.ends_with(tail));
        match fitting.max_by_key(|(tail, _)| tail.len()) {
            Some((_, body)) => Reply::json(body),
            None => Reply::Full(404, Vec::new(), r#"{"message":"Not Found"}"#.to_owned()),
        }
    }
}

fn asked(server: &Server, part: &str) -> usize {
    let received = server.received();
    received.iter().filter(|it| it.line.contains(part)).count()
}

fn names(secrets: &Fact<Vec<Secret>>) -> Vec<&str> {
    let secrets = secrets.known().unwrap();
    secrets.iter().map(|secret| secret.name.as_str()).collect()
}

#[tokio::test]
async fn a_secret_from_above_reaches_those_that_it_is_meant_for() {
    let server = Server::start(by_path(&[
        (
            "/orgs/acme/actions/secrets",
            r#"{"secrets":[{"name":"ALL","visibility":"all"},{"name":"FEW","visibility":"selected"},
                {"name":"INNER","visibility":"private"},{"name":"ODD","visibility":"some"}]}"#,
        ),
        (
            "/secrets/FEW/repositories",
            r#"{"repositories":[{"full_name":"acme/other"}]}"#,
        ),
        ("/app/actions/secrets", r#"{"secrets":[{"name":"OWN"}]}"#),
        ("/other/actions/secrets", r#"{"secrets":[]}"#),
    ]))
    .await;
    let mut sessions = run(&server);
    sessions[1].about.public = Some(true);
    let [app, other] = collected(&sessions, &[FactKey::PipelineSecrets]).await;
    let mut seen = names(&app.secrets);
    seen.sort_unstable();
    assert_eq!(seen, ["ALL", "INNER", "ODD", "OWN"]);
    assert_eq!(names(&other.secrets), ["ALL", "FEW", "ODD"]);
    assert_eq!(asked(&server, "/orgs/"), 2, "each list above once");
    assert_eq!(asked(&server, "organization-secrets"), 0);
}

/// The cheat: hiding the list above, or the list of those that are meant.
#[tokio::test]
async fn where_the_list_above_is_hidden_the_repository_is_asked() {
    for hidden in ["/orgs/acme/actions/secrets", "/secrets/FEW/repositories"] {
        let server = Server::start(move |_, request: &Received| {
            let path = request.line.split('?').next().unwrap_or_default();
            if path.ends_with(hidden) {
                return Reply::Full(403, Vec::new(), r#"{"message":"no"}"#.to_owned());
            }
            Reply::json(if path.ends_with("organization-secrets") {
                r#"{"secrets":[{"name":"FEW"}]}"#
            } else if path.ends_with("/orgs/acme/actions/secrets") {
                r#"{"secrets":[{"name":"FEW","visibility":"selected"}]}"#
            } else {
                r#"{"secrets":[]}"#
            })
        })
        .await;
        let seen = collected(&run(&server), &[FactKey::PipelineSecrets]).await;
        assert_eq!(names(&seen[0].secrets), ["FEW"], "{hidden}");
        assert_eq!(names(&seen[1].secrets), ["FEW"], "{hidden}");
        assert_eq!(asked(&server, "organization-secrets"), 2);
    }
}

fn machines(runners: &Fact<Vec<Runner>>) -> Vec<&str> {
    let runners = runners.known().unwrap();
    runners.iter().map(|runner| runner.name.as_str()).collect()
}

#[tokio::test]
async fn machines_of_a_group_serve_those_that_may_use_it() {
    let server = Server::start(by_path(&[
        (
            "/actions/runner-groups",
            r#"{"runner_groups":[{"id":1,"visibility":"all","allows_public_repositories":false},
                {"id":2,"visibility":"selected"},{"id":3}]}"#,
        ),
        (
            "/runner-groups/2/repositories",
            r#"{"repositories":[{"full_name":"acme/app"}]}"#,
        ),
        (
            "/runner-groups/1/runners",
            r#"{"runners":[{"name":"one"}]}"#,
        ),
        (
            "/runner-groups/2/runners",
            r#"{"runners":[{"name":"two"}]}"#,
        ),
        (
            "/runner-groups/3/runners",
            r#"{"runners":[{"name":"three"}]}"#,
        ),
        ("/actions/runners", r#"{"runners":[]}"#),
    ]))
    .await;
    let mut sessions = run(&server);
    sessions[1].about.public = Some(true);
    let [app, other] = collected(&sessions, &[FactKey::PipelineRunners]).await;
    assert_eq!(machines(&app.runners), ["one", "three", "two"]);
    assert_eq!(
        machines(&other.runners),
        ["three"],
        "nothing says that it may not"
    );
    assert_eq!(asked(&server, "/orgs/"), 5);
}

#[tokio::test]
async fn a_group_whose_users_are_hidden_leaves_the_machines_unknown() {
    let server = Server::start(by_path(&[
        (
            "/actions/runner-groups",
            r#"{"runner_groups":[{"id":2,"visibility":"selected"}]}"#,
        ),
        ("/actions/runners", r#"{"runners":[]}"#),
    ]))
    .await;
    let seen = collected(&run(&server), &[FactKey::PipelineRunners]).await;
    assert!(seen.iter().all(|settings| !settings.runners.is_known()));
}

#[tokio::test]
async fn a_configuration_from_above_holds_where_it_is_attached() {
    let server = Server::start(by_path(&[
        (
            "/code-security/configurations",
            r#"[{"id":7,"name":"base","enforcement":"enforced","secret_scanning":"enabled"}]"#,
        ),
        (
            "/configurations/7/repositories",
            r#"[{"status":"attached","repository":{"full_name":"acme/app"}},
                {"status":"failed","repository":{"full_name":"acme/third"}}]"#,
        ),
        ("/default-setup", r#"{"state":"not-configured"}"#),
    ]))
    .await;
    let seen = collected(&run(&server), &[FactKey::ScanSetup]).await;
    let imposed = |at: usize| {
        let setup = seen[at].scan_setup.known().unwrap();
        setup.scans_from_above.known().unwrap().len()
    };
    assert_eq!((imposed(0), imposed(1)), (1, 0));
    assert_eq!(asked(&server, "/orgs/"), 2);
    assert_eq!(asked(&server, "code-security-configuration"), 0);
}

#[tokio::test]
async fn a_configuration_of_which_it_is_not_told_where_it_holds_is_asked_about() {
    let server = Server::start(by_path(&[
        (
            "/code-security/configurations",
            r#"[{"id":7,"name":"base"}]"#,
        ),
        (
            "/configurations/7/repositories",
            r#"[{"status":"attached"}]"#,
        ),
    ]))
    .await;
    let seen = collected(&run(&server), &[FactKey::ScanSetup]).await;
    assert_eq!(asked(&server, "code-security-configuration"), 2);
    for settings in seen {
        let setup = settings.scan_setup.known().unwrap().clone();
        assert!(!setup.scans_from_above.is_known());
    }
}

fn alerts(settings: &Settings) -> Alerts {
    settings.alerts.known().unwrap().clone()
}

#[tokio::test]
async fn alerts_of_what_is_off_are_not_asked_for() {
    let off = Server::start(|_, request: &Received| {
        if request.line.starts_with("POST") {
            Reply::json(r#"{"data":{"repository":{"hasVulnerabilityAlertsEnabled":false}}}"#)
        } else if request.line.ends_with("/default-setup") {
            let message = "Code Security must be enabled for this repository";
            Reply::Full(403, Vec::new(), format!(r#"{{"message":"{message}"}}"#))
        } else {
            Reply::json(r#"{"security_and_analysis":{"secret_scanning":{"status":"disabled"}}}"#)
        }
    })
    .await;
    let keys = [
        FactKey::ScanAlerts,
        FactKey::ScanPushProtection,
        FactKey::ScanSetup,
    ];
    let seen = collected(&run(&off), &keys).await;
    for settings in &seen {
        let alerts = alerts(settings);
        for watch in [&alerts.code, &alerts.dependencies, &alerts.leaked_secrets] {
            assert_eq!(watch.known(), Ok(&Watch::Off));
            assert!(!watch.sources().is_empty(), "it says where that was seen");
        }
        let protection = settings.push_protection.known().unwrap();
        assert_eq!(protection.push_bypasses.known(), Ok(&Vec::new()));
    }
    assert_eq!(asked(&off, "alerts?"), 0);
}

/// The cheat: an answer that is not there is not the answer that something is off.
#[tokio::test]
async fn alerts_are_asked_for_where_nothing_says_that_they_are_off() {
    let server = Server::start(by_path(&[("/graphql", r#"{"data":{"repository":{}}}"#)])).await;
    let keys = [
        FactKey::ScanAlerts,
        FactKey::ScanPushProtection,
        FactKey::ScanSetup,
    ];
    let seen = collected(&run(&server), &keys).await;
    assert_eq!(asked(&server, "/dependabot/alerts?"), 2);
    assert_eq!(asked(&server, "/code-scanning/alerts?"), 2);
    assert_eq!(asked(&server, "/secret-scanning/alerts?"), 4);
    for settings in &seen {
        let alerts = alerts(settings);
        for watch in [&alerts.code, &alerts.dependencies, &alerts.leaked_secrets] {
            assert!(!watch.is_known());
        }
    }
}

fn workflow(text: &str) -> String {
    let file = json!({"name": "ci.yml", "object": {"__typename": "Blob", "text": text,
        "isTruncated": false, "isBinary": false}});
    let repository = json!({"tip": {"target": {"__typename": "Commit", "oid": "aa"}},
        "workflows": {"__typename": "Tree", "entries": [file]}});
    json!({"data": {"repository": repository}}).to_string()
}

#[tokio::test]
async fn the_subject_of_identity_tokens_is_asked_for_where_a_job_may_ask_for_one() {
    let plain = "on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}";
    let asks =
        "on: push\npermissions: {id-token: write}\njobs: {a: {runs-on: x, steps: [{run: make}]}}";
    let keys = [FactKey::PipelineSettings, FactKey::PipelineDefinition];
    for (text, count) in [(plain, 0), (asks, 2), ("jobs: [", 2)] {
        let body = workflow(text);
        let server = Server::start(move |_, request: &Received| {
            Reply::json(if request.line.starts_with("POST") {
                &body
            } else {
                r#"{"use_default":true}"#
            })
        })
        .await;
        let seen = collected(&run(&server), &keys).await;
        assert_eq!(asked(&server, "/oidc/"), count, "{text}");
        let known = seen.iter().all(|settings| {
            let pipeline = settings.pipeline.known().unwrap();
            pipeline.oidc_subject.is_known()
        });
        assert_eq!(known, count > 0, "what was not asked is unknown");
    }
    let server = Server::start(by_path(&[])).await;
    collected(&run(&server), &keys[..1]).await;
    assert_eq!(asked(&server, "/oidc/"), 2, "no definition was needed");
}

/// The first answer about both repositories, as they stand in it.
fn opened(guard: &Value, rulesets: &Value, errors: &Value) -> String {
    let repository = json!({
        "isInOrganization": true, "visibility": "PRIVATE",
        "environments": {"pageInfo": {"hasNextPage": false}, "nodes": []},
        "rulesets": {"pageInfo": {"hasNextPage": false}, "nodes": rulesets},
        "releases": {"totalCount": 0},
        "defaultBranchRef": {"name": "main", "target": {"__typename": "Commit", "oid": "aa", "file": null}},
        "branch": {"name": "main", "target": {"__typename": "Commit", "oid": "aa", "file": null}},
        "guard": guard,
    });
    json!({"data": {"viewer": {"login": "ana"}, "r0": repository, "r1": repository},
        "errors": errors})
    .to_string()
}

/// The rules of both repositories, and how often the list of rules and the
/// protection were asked for.
async fn rules(first: String) -> (usize, usize, bool) {
    let server = Server::start(move |_, request: &Received| {
        if request.line.starts_with("POST") {
            Reply::json(&first)
        } else if request.line.contains("/rules/branches/") {
            Reply::json("[]")
        } else {
            Reply::Full(
                404,
                Vec::new(),
                r#"{"message":"Branch not protected"}"#.to_owned(),
            )
        }
    })
    .await;
    let mut sessions = run(&server);
    let policy = crate::platform::PolicyWanted::AtTarget(".ccgate.yml".to_owned());
    super::super::super::openings(&sessions.iter().collect::<Vec<_>>(), &policy).await;
    let needs: Needs = [FactKey::BranchRules].into_iter().collect();
    let mut open = true;
    for session in &mut sessions {
        let snapshot = session.open(&policy).await;
        assert!(snapshot.policy.target.is_known(), "{:?}", snapshot.policy);
        let seen = session.branch_rules("main", &needs).await;
        let seen = seen.known().unwrap();
        open &= seen.protected.holds(|on| *on).known() == Ok(&false);
    }
    assert_eq!(
        asked(&server, "POST"),
        1,
        "both are opened with one question"
    );
    (
        asked(&server, "/rules/branches/"),
        asked(&server, "/protection"),
        open,
    )
}

#[tokio::test]
async fn rules_are_asked_for_unless_the_first_answer_says_that_there_are_none() {
    let unguarded = json!({"refUpdateRule": null, "branchProtectionRule": null});
    let active =
        json!([{"databaseId": 3, "name": "main", "target": "BRANCH", "enforcement": "ACTIVE"}]);
    let idle = json!([{"databaseId": 3, "name": "main", "target": "BRANCH", "enforcement": "EVALUATE"},
        {"databaseId": 4, "name": "tags", "target": "TAG", "enforcement": "ACTIVE"}]);
    let untold = json!([{"databaseId": 3, "name": "main"}]);
    let none = json!([]);
    let no_errors = json!([]);
    assert_eq!(
        rules(opened(&unguarded, &none, &no_errors)).await,
        (0, 0, true)
    );
    assert_eq!(
        rules(opened(&unguarded, &idle, &no_errors)).await,
        (0, 0, true)
    );
    assert_eq!(
        rules(opened(&unguarded, &active, &no_errors)).await,
        (2, 0, true)
    );
    assert_eq!(
        rules(opened(&unguarded, &untold, &no_errors)).await,
        (2, 0, true)
    );
}

/// The cheat: nothing is seen, so nothing is asked, and nothing is protected by a rule
/// that somebody can go around.
#[tokio::test]
async fn protection_is_asked_for_unless_two_fields_say_that_there_is_none() {
    let none = json!([]);
    for guard in [
        json!({"refUpdateRule": {"__typename": "RefUpdateRule"}, "branchProtectionRule": null}),
        json!({"refUpdateRule": null, "branchProtectionRule": {"__typename": "BranchProtectionRule"}}),
        json!({"refUpdateRule": null}),
        json!(null),
    ] {
        let (_, protection, _) = rules(opened(&guard, &none, &none)).await;
        assert_eq!(protection, 2, "{guard}");
    }
    let guard = json!({"refUpdateRule": null, "branchProtectionRule": null});
    let refused = json!([
        {"type": "FORBIDDEN", "path": ["r0", "guard", "branchProtectionRule"], "message": "no"},
        {"type": "FORBIDDEN", "path": ["r1", "guard", "branchProtectionRule"], "message": "no"},
    ]);
    let (_, protection, _) = rules(opened(&guard, &none, &refused)).await;
    assert_eq!(protection, 2, "the policy is read all the same");
}

#[tokio::test]
async fn what_cannot_be_asked_together_is_asked_apart() {
    let server = Server::start(|number, _| match number {
        1 => Reply::status(502),
        _ => Reply::json(r#"{"data":{"repository":null}}"#),
    })
    .await;
    let mut sessions = run(&server);
    let policy = crate::platform::PolicyWanted::AtTarget(".ccgate.yml".to_owned());
    super::super::super::openings(&sessions.iter().collect::<Vec<_>>(), &policy).await;
    for session in &mut sessions {
        session.open(&policy).await;
    }
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_question_that_the_platform_gave_up_on_is_asked_in_halves() {
    let server = Server::start(|_, request: &Received| {
        let count = request.body.matches(": repository(").count();
        match count {
            3.. => Reply::status(502),
            _ => Reply::json(r#"{"data":{"viewer":{"login":"x"},"r0":{"a":1},"r1":{"a":1}}}"#),
        }
    })
    .await;
    let [one, other] = run(&server);
    let policy = crate::platform::PolicyWanted::AtTarget(".ccgate.yml".to_owned());
    let all = [&one, &other, &one, &other, &one];
    super::super::super::openings(&all, &policy).await;
    let sizes: Vec<usize> = server
        .received()
        .iter()
        .map(|request| request.body.matches(": repository(").count())
        .collect();
    assert_eq!(sizes, [5, 3, 2, 2], "what stands alone asks for itself");
}

#[test]
fn a_host_of_a_run_saves_requests() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::start(|_, _| Reply::json("{}")));
    let setup = session(&server, None).setup;
    let host = Host::in_fleet(setup, &Fleet::default()).unwrap();
    let session = host.github().unwrap();
    assert_eq!(session.setup.thrift, Thrift::Requests);
    assert!(session.fleet.is_some());
}
