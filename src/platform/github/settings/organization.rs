//! What an organisation demands of its members and lets them do, from its own
//! record. Keys that only owners are shown are unknown when they are missing or null.

use serde::Deserialize;

use crate::facts::{AccessRole, Fact, FactKey, Organization, Who};
use crate::platform::transport::{Answer, NoAnswer};

use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::OrganizationSettings;

#[derive(Debug, Deserialize)]
struct Wire {
    login: Option<String>,
    two_factor_requirement_enabled: Option<bool>,
    default_repository_permission: Option<String>,
    members_can_create_repositories: Option<bool>,
    members_can_create_public_repositories: Option<bool>,
    members_can_create_private_repositories: Option<bool>,
    members_can_create_internal_repositories: Option<bool>,
    members_can_delete_repositories: Option<bool>,
    members_can_change_repo_visibility: Option<bool>,
    members_can_invite_outside_collaborators: Option<bool>,
    members_can_fork_private_repositories: Option<bool>,
}

/// Asks for the organisation.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<Organization> {
    if let Some(unknown) = asker.no_organization(KEY, "the settings of an organisation") {
        return Fact::Unknown(unknown);
    }
    organization(asker.shared.organization().await)
}

fn organization(answer: &Result<Answer, NoAnswer>) -> Fact<Organization> {
    let read = match reading::one::<Wire>(KEY, answer) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let wire = &read.value;
    let Some(name) = wire.login.clone() else {
        return Fact::Unknown(read.malformed(KEY, "the organisation has no name"));
    };
    let or_owners = |members: Option<bool>, name: &str| {
        let who = members.map(|allowed| {
            if allowed {
                Who::Administrators
            } else {
                Who::Owners
            }
        });
        read.field(KEY, who, name)
    };
    read.fact(Organization {
        name,
        not_in_plan: Vec::new(),
        two_factor_required: read.field(
            KEY,
            wire.two_factor_requirement_enabled,
            "two_factor_requirement_enabled",
        ),
        // GitHub gives no time: who has no second factor loses access at once.
        two_factor_grace_hours: read.fact(0),
        base_permission: read.field(
            KEY,
            wire.default_repository_permission.as_deref().map(role),
            "default_repository_permission",
        ),
        repository_creation: read.field(KEY, creation(wire), "members_can_create_repositories"),
        repository_deletion: or_owners(
            wire.members_can_delete_repositories,
            "members_can_delete_repositories",
        ),
        visibility_change: or_owners(
            wire.members_can_change_repo_visibility,
            "members_can_change_repo_visibility",
        ),
        outside_invitation: or_owners(
            wire.members_can_invite_outside_collaborators,
            "members_can_invite_outside_collaborators",
        ),
        private_forking: read.field(
            KEY,
            wire.members_can_fork_private_repositories,
            "members_can_fork_private_repositories",
        ),
    })
}

/// Internal repositories exist in enterprises only, so that key may be missing
/// where the key over all of them says no.
fn creation(wire: &Wire) -> Option<Who> {
    let all = wire.members_can_create_repositories;
    let each = [
        wire.members_can_create_public_repositories,
        wire.members_can_create_private_repositories,
    ];
    let internal = wire.members_can_create_internal_repositories;
    if all == Some(true) || internal == Some(true) || each.contains(&Some(true)) {
        return Some(Who::Members);
    }
    let none = all == Some(false) && each.iter().all(|kind| *kind == Some(false));
    none.then_some(Who::Owners)
}

/// A role in the words of the platform's settings and of its interfaces.
pub(super) fn role(word: &str) -> AccessRole {
    match word.to_ascii_lowercase().as_str() {
        "none" => AccessRole::None,
        "read" | "pull" => AccessRole::Read,
        "triage" => AccessRole::Triage,
        "write" | "push" => AccessRole::Write,
        "maintain" => AccessRole::Maintain,
        "admin" => AccessRole::Admin,
        _ => AccessRole::Other(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::{refused, rest};
    use super::*;
    use crate::facts::Why;

    fn read(body: &Value) -> Organization {
        organization(&rest(body)).known().unwrap().clone()
    }

    fn owners_view() -> Value {
        json!({"login": "acme", "two_factor_requirement_enabled": true, "default_repository_permission": "read",
            "members_can_create_repositories": false, "members_can_create_public_repositories": false,
            "members_can_create_private_repositories": false, "members_can_create_internal_repositories": false,
            "members_can_delete_repositories": false, "members_can_change_repo_visibility": true,
            "members_can_invite_outside_collaborators": false, "members_can_fork_private_repositories": false})
    }

    #[test]
    fn an_owner_sees_every_setting() {
        let organization = read(&owners_view());
        assert_eq!(organization.two_factor_required.known(), Ok(&true));
        assert_eq!(organization.base_permission.known(), Ok(&AccessRole::Read));
        assert_eq!(organization.repository_creation.known(), Ok(&Who::Owners));
        assert_eq!(organization.repository_deletion.known(), Ok(&Who::Owners));
        assert_eq!(
            organization.visibility_change.known(),
            Ok(&Who::Administrators)
        );
        assert_eq!(organization.outside_invitation.known(), Ok(&Who::Owners));
        assert_eq!(organization.private_forking.known(), Ok(&false));
    }

    #[test]
    fn a_stranger_sees_a_name_and_nothing_that_could_pass() {
        for two_factor in [json!(null), json!({})] {
            let mut body = json!({"login": "acme", "type": "Organization"});
            if two_factor.is_null() {
                body["two_factor_requirement_enabled"] = two_factor;
            }
            let organization = read(&body);
            let unknown = organization.two_factor_required.known().unwrap_err();
            assert_eq!(unknown.why, Why::HiddenOrAbsent);
            assert!(unknown.needs.unwrap().contains("Administration: read"));
            assert!(!organization.base_permission.is_known());
            assert!(!organization.repository_creation.is_known());
            assert!(!organization.private_forking.is_known());
        }
    }

    #[test]
    fn one_kind_that_members_may_create_is_enough_and_one_that_is_hidden_is_too_much() {
        let with = |key: &str, value: Value| {
            let mut body = owners_view();
            body[key] = value;
            read(&body).repository_creation
        };
        assert_eq!(
            with("members_can_create_public_repositories", json!(true)).known(),
            Ok(&Who::Members)
        );
        assert!(!with("members_can_create_private_repositories", json!(null)).is_known());
        assert!(!with("members_can_create_repositories", json!(null)).is_known());
        assert_eq!(
            with("members_can_create_internal_repositories", json!(null)).known(),
            Ok(&Who::Owners)
        );
    }

    #[test]
    fn an_unknown_role_keeps_its_word() {
        let mut body = owners_view();
        body["default_repository_permission"] = json!("auditor");
        assert_eq!(
            read(&body).base_permission.known(),
            Ok(&AccessRole::Other("auditor".to_owned()))
        );
    }

    #[test]
    fn an_organisation_that_is_not_shown_is_unknown() {
        let unknown = organization(&refused(404, "Not Found"))
            .known()
            .unwrap_err();
        assert_eq!(unknown.why, Why::HiddenOrAbsent);
    }
}
