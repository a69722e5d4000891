//! What is asked of the project's scans over GraphQL: findings and policies in one
//! question, as far as they are needed.

use serde_json::json;

use crate::facts::{Alerts, Fact, FactKey, Needs, ScanSetup};

use super::super::super::super::transport::{GraphqlAnswer, NoAnswer};
use super::super::super::{Session, permissions};
use super::super::above;
use super::{findings, policies};

/// Asks for the groups that are needed, and beside that whether the tier sells them.
pub(in super::super) async fn both(
    session: &Session,
    needs: &Needs,
) -> (Option<Fact<Alerts>>, Option<Fact<ScanSetup>>) {
    let (alerts, setup) = (
        needs.has(FactKey::ScanAlerts),
        needs.has(FactKey::ScanSetup),
    );
    if !alerts && !setup {
        return (None, None);
    }
    let needed = permissions::FINDINGS;
    if let Err(unknown) = above::project(session, FactKey::ScanAlerts.name(), needed) {
        let of = |key: FactKey| crate::facts::Unknown {
            fact: key.name().to_owned(),
            ..unknown.clone()
        };
        return (
            alerts.then(|| Fact::Unknown(of(FactKey::ScanAlerts))),
            setup.then(|| Fact::Unknown(of(FactKey::ScanSetup))),
        );
    }
    let mut fields = Vec::new();
    if alerts {
        fields.push(findings::FIELDS);
    }
    if setup {
        fields.push(policies::FIELDS);
    }
    let (answer, free) = tokio::join!(ask(session, &fields, None), above::free_tier(session));
    let setup = setup.then(|| policies::setup(&answer, free.clone()));
    let alerts = if alerts {
        Some(findings::alerts(session, &answer, free).await)
    } else {
        None
    };
    (alerts, setup)
}

/// One question with these fields.
pub(super) async fn ask(
    session: &Session,
    fields: &[&str],
    after: Option<&str>,
) -> Result<GraphqlAnswer, NoAnswer> {
    let findings = fields.contains(&findings::FIELDS);
    // A variable that no field uses is an error.
    let query = format!(
        "query scans($project: ID!{}) {{\n  project(fullPath: $project) {{\n{}  }}\n}}",
        if findings { ", $after: String" } else { "" },
        fields.concat()
    );
    let project = &session.setup.place.repository;
    let variables = if findings {
        json!({"project": project, "after": after})
    } else {
        json!({"project": project})
    };
    session.settings.graphql("scans", &query, variables).await
}
