//! Names and places of secrets that workflows are handed. Values are never shown.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{Fact, FactKey, Secret, SecretScope, Unknown};
use crate::platform::access;
use crate::platform::join::when;
use crate::platform::transport::{Listing, NoAnswer};

use super::super::join::all;
use super::above::Meant;
use super::deployment;
use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::PipelineSecrets;

#[derive(Debug, Deserialize)]
struct Wire {
    name: Option<String>,
    updated_at: Option<Timestamp>,
    /// Told of secrets of an organisation.
    visibility: Option<String>,
}

/// Asks for the secrets of the repository, and for those of the organisation
/// that it gets.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<Vec<Secret>> {
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(KEY, "names of secrets"));
    }
    let own = asker.path("actions/secrets");
    let (own, inherited) = tokio::join!(
        asker.client().get_all(&own, Some("secrets")),
        when(!asker.of_a_person(), || inherited(asker)),
    );
    let own = secrets(&own, &SecretScope::Repository);
    match inherited {
        Some(inherited) => both(own, inherited),
        None => own,
    }
}

/// Asks for the secrets of the organisation that the repository gets.
async fn inherited(asker: &Asker<'_>) -> Fact<Vec<Secret>> {
    if asker.shares()
        && let Ok(found) = shared(asker).await
    {
        return found;
    }
    let path = asker.path("actions/organization-secrets");
    let list = asker.client().get_all(&path, Some("secrets")).await;
    secrets(&list, &SecretScope::Organization)
}

/// The same from lists that serve every repository of a run. They need a right of
/// their own: without it the repository is asked.
async fn shared(asker: &Asker<'_>) -> Result<Fact<Vec<Secret>>, Unknown> {
    let base = format!("{}/actions/secrets", asker.organization_path());
    let list = asker.client().get_all_shared(&base, Some("secrets")).await;
    let read = reading::list::<Wire>(KEY, &list)?;
    let mut got = read.fact(Vec::new());
    for wire in read.value {
        let Some(name) = &wire.name else {
            return Ok(Fact::Unknown(reading::not_told(KEY, NAMELESS)));
        };
        let listed = format!("{base}/{}/repositories", access::encode(name));
        let meant = Meant::of(wire.visibility.as_deref());
        let (is_meant, sources) = asker.is_meant(KEY, meant, &listed).await?;
        let secret = is_meant.then(|| secret(&wire, &SecretScope::Organization));
        got = both(
            got,
            Fact::seen_in(secret.flatten().into_iter().collect(), sources),
        );
    }
    Ok(got)
}

const NAMELESS: &str = "a secret has no name";

/// Asks for the secrets of environments whose names are known.
pub(super) async fn of_named(asker: &Asker<'_>, names: &[String]) -> Fact<Vec<Secret>> {
    let lists = all(names.iter().map(|name| async move {
        let path = asker.path(&format!("environments/{}/secrets", access::encode(name)));
        let list = asker.client().get_all(&path, Some("secrets")).await;
        secrets(&list, &SecretScope::Environment(name.clone()))
    }))
    .await;
    lists
        .into_iter()
        .fold(Fact::known_without_source(Vec::new()), both)
}

/// Asks for the secrets of every environment in the list.
pub(super) async fn of_environments(
    asker: &Asker<'_>,
    environments: &Result<Listing, NoAnswer>,
) -> Fact<Vec<Secret>> {
    let names = match deployment::names(KEY, environments) {
        Ok(names) => names,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let lists = all(names.into_iter().map(|name| async move {
        let path = asker.path(&format!("environments/{}/secrets", access::encode(&name)));
        let list = asker.client().get_all_behind(&path, Some("secrets")).await;
        secrets(&list, &SecretScope::Environment(name))
    }))
    .await;
    lists
        .into_iter()
        .fold(Fact::known_without_source(Vec::new()), both)
}

/// All secrets, if every place was seen.
pub(super) fn together(
    secrets: Fact<Vec<Secret>>,
    of_environments: Option<Fact<Vec<Secret>>>,
) -> Fact<Vec<Secret>> {
    match of_environments {
        Some(more) => both(secrets, more),
        None => secrets,
    }
}

fn both(one: Fact<Vec<Secret>>, other: Fact<Vec<Secret>>) -> Fact<Vec<Secret>> {
    match (one, other) {
        (
            Fact::Known { mut value, sources },
            Fact::Known {
                value: more,
                sources: further,
            },
        ) => {
            value.extend(more);
            value.sort();
            Fact::seen_in(value, sources.into_iter().chain(further).collect())
        }
        (Fact::Unknown(unknown), _) | (_, Fact::Unknown(unknown)) => Fact::Unknown(unknown),
    }
}

fn secrets(list: &Result<Listing, NoAnswer>, scope: &SecretScope) -> Fact<Vec<Secret>> {
    reading::list_of(KEY, list, |wire: &Wire| secret(wire, scope), NAMELESS)
}

fn secret(wire: &Wire, scope: &SecretScope) -> Option<Secret> {
    Some(Secret {
        name: wire.name.clone()?,
        scope: scope.clone(),
        // Branches are kept from secrets by environments, not by the secret.
        protected: None,
        // The platform hides every secret in logs.
        masked: true,
        updated_at: wire.updated_at,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;

    fn of(scope: &SecretScope) -> Fact<Vec<Secret>> {
        let list = listing(&json!([{"name": "KEY", "updated_at": "2026-01-01T00:00:00Z"}]));
        secrets(&list, scope)
    }

    #[test]
    fn secrets_keep_their_place() {
        let seen = together(
            of(&SecretScope::Repository),
            Some(of(&SecretScope::Environment("prod".to_owned()))),
        );
        let seen = seen.known().unwrap();
        assert_eq!(seen[0].scope, SecretScope::Repository);
        assert_eq!(seen[1].scope, SecretScope::Environment("prod".to_owned()));
        assert!(seen[0].updated_at.is_some() && seen[0].masked);
    }

    #[test]
    fn one_place_that_is_hidden_leaves_the_list_unknown() {
        let hidden = secrets(&no_listing(403, "no"), &SecretScope::Repository);
        assert!(!together(of(&SecretScope::Repository), Some(hidden.clone())).is_known());
        assert!(!together(hidden, Some(of(&SecretScope::Organization))).is_known());
    }
}
