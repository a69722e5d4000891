//! What reaches into an organisation from outside: installed apps and
//! fine-grained tokens of its people. Classic tokens are on no list.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::{AccessToken, AppInstallation, Fact, FactKey, OrganizationTokens};
use crate::platform::transport::{Listing, NoAnswer};

use super::super::wire::RestUser;
use super::owner_side::Asker;
use super::reading;

const APPS: FactKey = FactKey::OrganizationApps;
const TOKENS: FactKey = FactKey::OrganizationTokens;

#[derive(Debug, Deserialize)]
struct Installation {
    app_slug: Option<String>,
    permissions: Option<BTreeMap<String, Value>>,
    repository_selection: Option<String>,
    suspended_at: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Grant {
    token_name: Option<String>,
    owner: Option<RestUser>,
    /// Kind of place, then right, then level.
    permissions: Option<BTreeMap<String, BTreeMap<String, Value>>>,
    token_expires_at: Option<Timestamp>,
    token_last_used_at: Option<Timestamp>,
}

/// Asks for the installed apps.
pub(super) async fn apps(asker: &Asker<'_>) -> Fact<Vec<AppInstallation>> {
    if let Some(unknown) = asker.no_organization(APPS, "the apps of an organisation") {
        return Fact::Unknown(unknown);
    }
    let path = format!("{}/installations", asker.organization_path());
    installations(&asker.client().get_all(&path, Some("installations")).await)
}

/// Asks for the tokens that members let into the organisation.
pub(super) async fn tokens(asker: &Asker<'_>) -> Fact<OrganizationTokens> {
    if let Some(unknown) = asker.no_organization(TOKENS, "the tokens of an organisation's people") {
        return Fact::Unknown(unknown);
    }
    let path = format!("{}/personal-access-tokens", asker.organization_path());
    let grants = grants(&asker.client().get_all(&path, None).await);
    let untold = |what: &str| {
        Fact::Unknown(reading::not_told(
            TOKENS,
            &format!("no interface of the platform tells whether {what}"),
        ))
    };
    Fact::known_without_source(OrganizationTokens {
        approval_required: untold("fine-grained tokens have to be approved"),
        classic_blocked: untold("classic tokens are kept out"),
        tokens: grants,
    })
}

fn installations(list: &Result<Listing, NoAnswer>) -> Fact<Vec<AppInstallation>> {
    reading::list_of(
        APPS,
        list,
        |wire: &Installation| {
            let permissions = wire.permissions.as_ref()?;
            Some(AppInstallation {
                name: wire.app_slug.clone()?,
                permissions: permissions
                    .iter()
                    .map(|(name, level)| format!("{name}: {}", word(level)))
                    .collect(),
                // A level that is not known counts as one that changes things.
                can_write: permissions.values().any(|level| word(level) != "read"),
                all_repositories: wire.repository_selection.as_deref() != Some("selected"),
                suspended: wire.suspended_at.as_ref().is_some_and(Value::is_string),
            })
        },
        "an installation has no name or no permissions",
    )
}

fn grants(list: &Result<Listing, NoAnswer>) -> Fact<Vec<AccessToken>> {
    reading::list_of(
        TOKENS,
        list,
        |wire: &Grant| {
            let scopes = wire
                .permissions
                .as_ref()?
                .iter()
                .flat_map(|(place, rights)| {
                    rights
                        .iter()
                        .map(move |(right, level)| format!("{place} {right}: {}", word(level)))
                });
            let owner = wire.owner.as_ref().and_then(|owner| owner.login.clone());
            Some(AccessToken {
                kind: "fine-grained token".to_owned(),
                name: wire
                    .token_name
                    .clone()
                    .or_else(|| owner.clone())
                    .unwrap_or_else(|| "a token without a name".to_owned()),
                owner,
                scopes: scopes.collect(),
                role: None,
                // The platform tells when the token was let in, which is later
                // than when it was made: a younger token than there is.
                created_at: None,
                expires_at: wire.token_expires_at,
                last_used: wire.token_last_used_at,
            })
        },
        "a token has no list of rights",
    )
}

fn word(level: &Value) -> String {
    level
        .as_str()
        .map_or_else(|| level.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::listing;
    use super::*;

    #[test]
    fn an_app_writes_if_any_level_is_more_than_read() {
        let seen = installations(&listing(&json!([
            {"app_slug": "reader", "permissions": {"metadata": "read"}, "repository_selection": "selected", "suspended_at": null},
            {"app_slug": "writer", "permissions": {"contents": "write", "metadata": "read"}, "repository_selection": "all", "suspended_at": "2026-01-01T00:00:00Z"},
            {"app_slug": "odd", "permissions": {"contents": "boundless"}, "repository_selection": "some"},
        ])));
        let apps = seen.known().unwrap();
        assert_eq!(
            apps.iter()
                .map(|app| (
                    app.name.as_str(),
                    app.can_write,
                    app.all_repositories,
                    app.suspended
                ))
                .collect::<Vec<_>>(),
            [
                ("odd", true, true, false),
                ("reader", false, false, false),
                ("writer", true, true, true)
            ]
        );
        assert_eq!(apps[2].permissions, ["contents: write", "metadata: read"]);
    }

    #[test]
    fn an_app_whose_permissions_are_not_shown_spoils_the_list() {
        assert!(!installations(&listing(&json!([{"app_slug": "x"}]))).is_known());
    }

    #[test]
    fn a_token_without_an_end_is_one_that_never_ends() {
        let seen = grants(&listing(&json!([
            {"token_name": "ci", "owner": {"login": "ana"}, "permissions": {"repository": {"contents": "write"}},
             "token_expires_at": null, "token_last_used_at": "2026-02-03T00:00:00Z"},
        ])));
        let token = &seen.known().unwrap()[0];
        assert_eq!(token.scopes, ["repository contents: write"]);
        assert_eq!(token.owner.as_deref(), Some("ana"));
        assert!(token.expires_at.is_none() && token.last_used.is_some());
    }
}
