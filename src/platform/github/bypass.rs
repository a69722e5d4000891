//! Who can go around one ruleset. A list that the answer leaves out is hidden,
//! never empty.

use crate::facts::{BypassActor, BypassKind, BypassMode, Fact, FactKey, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, NoAnswer};

use super::permissions;
use super::wire;

/// Who can go around a ruleset. A list that is absent or null is hidden, never empty.
pub(super) fn bypass(
    detail: Option<&Result<Answer, NoAnswer>>,
    hidden: &Unknown,
) -> Fact<Vec<BypassActor>> {
    let fact = FactKey::BranchBypass.name();
    let needs = permissions::needs(FactKey::BranchBypass);
    match detail {
        None => Fact::Unknown(hidden.clone()),
        Some(Err(refusal)) => Fact::Unknown(access::refused(fact, needs, refusal)),
        Some(Ok(answer)) => match answer.json::<wire::Ruleset>() {
            Err(detail) => Fact::Unknown(access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                &detail,
            )),
            Ok(wire::Ruleset {
                bypass_actors: Some(actors),
                ..
            }) => Fact::seen(actors.iter().map(actor).collect(), answer.source.clone()),
            Ok(_) => Fact::Unknown(
                Unknown::new(
                    fact,
                    Why::NotPermitted,
                    "the answer leaves out the bypass list, which the platform does for callers who may not change the ruleset",
                )
                .needs(needs)
                .at(answer.endpoint.clone(), Some(answer.status)),
            ),
        },
    }
}

fn actor(actor: &wire::BypassActor) -> BypassActor {
    let id = actor
        .actor_id
        .map_or_else(|| "without id".to_owned(), |id| id.to_string());
    let (kind, name) = match actor.actor_type.as_deref() {
        Some("RepositoryRole") => match actor.actor_id {
            Some(5) => (BypassKind::Administrators, "role admin".to_owned()),
            Some(4) => (BypassKind::Role, "role write".to_owned()),
            Some(2) => (BypassKind::Role, "role maintain".to_owned()),
            _ => (BypassKind::Role, format!("role {id}")),
        },
        Some("Team") => (BypassKind::Team, format!("team {id}")),
        Some("Integration") => (BypassKind::App, format!("app {id}")),
        Some("OrganizationAdmin") => (
            BypassKind::OrganizationOwners,
            "organization owners".to_owned(),
        ),
        Some("EnterpriseOwner") => (BypassKind::EnterpriseOwners, "enterprise owners".to_owned()),
        Some("EnterpriseRole") => (
            BypassKind::EnterpriseOwners,
            format!("enterprise role {id}"),
        ),
        Some("DeployKey") => (BypassKind::DeployKey, "deploy keys".to_owned()),
        Some("User") => (BypassKind::User, format!("user {id}")),
        other => {
            let word = other.unwrap_or("actor of no kind");
            (BypassKind::Other(word.to_owned()), format!("{word} {id}"))
        }
    };
    let mode = match actor.bypass_mode.as_deref() {
        None | Some("always") => BypassMode::Always,
        Some("pull_request") => BypassMode::PullRequest,
        Some("exempt") => BypassMode::Exempt,
        Some(other) => BypassMode::Other(other.to_owned()),
    };
    BypassActor { kind, name, mode }
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::{refused, rest};
    use super::*;
    use serde_json::{Value, json};

    fn bypass_of(detail: &Value) -> Fact<Vec<BypassActor>> {
        bypass(Some(&rest(detail)), &Unknown::new("x", Why::Failed, "x"))
    }

    #[test]
    fn f9_a_bypass_list_that_is_absent_or_null_is_unknown_and_never_empty() {
        assert!(!bypass_of(&json!({"name": "main"})).is_known());
        assert!(!bypass_of(&json!({"bypass_actors": null})).is_known());
        assert!(!bypass(None, &Unknown::new("x", Why::NotPermitted, "x")).is_known());
        assert!(
            !bypass(
                Some(&refused(404, "Not Found")),
                &Unknown::new("x", Why::Failed, "x")
            )
            .is_known()
        );
        assert_eq!(
            bypass_of(&json!({"bypass_actors": []})).known(),
            Ok(&vec![])
        );
    }

    #[test]
    fn f27_exempt_modes_and_new_actor_kinds_are_read_as_what_they_are() {
        let fact = bypass_of(&json!({"bypass_actors": [
            {"actor_id": 9, "actor_type": "Integration", "bypass_mode": "exempt"},
            {"actor_id": 7, "actor_type": "User", "bypass_mode": "pull_request"},
            {"actor_id": 8, "actor_type": "EnterpriseRole"},
            {"actor_type": "DeployKey", "bypass_mode": "sometimes"},
            {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"},
            {"actor_id": 1, "actor_type": "Spaceship", "bypass_mode": "always"}]}));
        let list: Vec<_> = fact
            .known()
            .unwrap()
            .iter()
            .map(|actor| (actor.kind.clone(), actor.mode.clone()))
            .collect();
        assert_eq!(
            list,
            [
                (BypassKind::App, BypassMode::Exempt),
                (BypassKind::User, BypassMode::PullRequest),
                (BypassKind::EnterpriseOwners, BypassMode::Always),
                (
                    BypassKind::DeployKey,
                    BypassMode::Other("sometimes".to_owned())
                ),
                (BypassKind::Administrators, BypassMode::Always),
                (
                    BypassKind::Other("Spaceship".to_owned()),
                    BypassMode::Always
                ),
            ]
        );
    }
}
