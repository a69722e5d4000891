//! Webhooks of a repository or an organisation. Of an address only scheme, host
//! and port are kept: its path and its user may be secrets.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::facts::{Fact, FactKey, Unknown, Webhook, Why};
use crate::platform::transport::{Listing, NoAnswer};

use super::super::permissions;
use super::owner_side::Asker;
use super::reading;

#[derive(Debug, Deserialize)]
struct Hook {
    active: Option<bool>,
    config: Option<Config>,
}

#[derive(Debug, Deserialize)]
struct Config {
    url: Option<String>,
    insecure_ssl: Option<Value>,
    secret: Option<String>,
}

/// Asks for the hooks of the organisation.
pub(super) async fn of_organization(asker: &Asker<'_>) -> Fact<Vec<Webhook>> {
    let key = FactKey::OrganizationWebhooks;
    if let Some(unknown) = asker.no_organization(key, "the webhooks of an organisation") {
        return Fact::Unknown(unknown);
    }
    let path = format!("{}/hooks", asker.organization_path());
    hooks(key, &asker.client().get_all(&path, None).await)
}

/// Asks for the hooks of the repository.
pub(super) async fn of_repository(asker: &Asker<'_>) -> Fact<Vec<Webhook>> {
    let key = FactKey::AccessWebhooks;
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(key, "the webhooks of a repository"));
    }
    let path = format!("{}/hooks", asker.session.repository_path());
    hooks(key, &asker.client().get_all(&path, None).await)
}

fn hooks(key: FactKey, list: &Result<Listing, NoAnswer>) -> Fact<Vec<Webhook>> {
    match reading::list::<Hook>(key, list) {
        Ok(read) => read.translated(key, |hooks| {
            let mut all = hooks
                .iter()
                .map(|wire| {
                    hook(key, wire).ok_or_else(|| "a webhook has no readable address".to_owned())
                })
                .collect::<Result<Vec<Webhook>, String>>()?;
            all.sort_by(|one, other| one.target.cmp(&other.target));
            Ok(all)
        }),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn hook(key: FactKey, wire: &Hook) -> Option<Webhook> {
    let config = wire.config.as_ref()?;
    let url = Url::parse(config.url.as_deref()?).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let insecure = config.insecure_ssl.as_ref().map(|value| {
        let word = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        // Anything but a plain no counts as not verified.
        word != "0" && word != "false"
    });
    Some(Webhook {
        target: format!("{}://{host}{port}", url.scheme()),
        https: url.scheme() == "https",
        verifies_tls: match insecure {
            Some(insecure) => Fact::known_without_source(!insecure),
            None => Fact::Unknown(
                Unknown::new(
                    key.name(),
                    Why::HiddenOrAbsent,
                    format!(
                        "the webhook to `{host}` does not say whether it verifies certificates"
                    ),
                )
                .needs(permissions::needs(key)),
            ),
        },
        // The platform shows stars for a secret, and leaves the key out where there is none.
        has_secret: Fact::known_without_source(
            config
                .secret
                .as_ref()
                .is_some_and(|secret| !secret.is_empty()),
        ),
        // A hook that does not say that it is off may send.
        active: wire.active != Some(false),
        host,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;

    const KEY: FactKey = FactKey::AccessWebhooks;

    #[test]
    fn no_path_and_no_user_of_an_address_is_kept() {
        let seen = hooks(
            KEY,
            &listing(
                &json!([{"active": true, "config": {"url": "https://bob:pw@CI.example:8443/hook?token=s3cret", "insecure_ssl": "0", "secret": "********"}}]),
            ),
        );
        let hook = &seen.known().unwrap()[0];
        assert_eq!(hook.target, "https://ci.example:8443");
        assert_eq!(hook.host, "ci.example");
        assert!(hook.https && hook.active);
        assert_eq!(hook.verifies_tls.known(), Ok(&true));
        assert_eq!(hook.has_secret.known(), Ok(&true));
        assert!(!format!("{hook:?}").contains("s3cret"));
    }

    #[test]
    fn certificates_are_verified_only_if_the_answer_says_so() {
        let verifies = |insecure: Value| {
            let seen = hooks(
                KEY,
                &listing(
                    &json!([{"config": {"url": "http://a.example", "insecure_ssl": insecure}}]),
                ),
            );
            seen.known().unwrap()[0].verifies_tls.clone()
        };
        assert_eq!(verifies(json!("1")).known(), Ok(&false));
        assert_eq!(verifies(json!(0)).known(), Ok(&true));
        assert_eq!(verifies(json!("perhaps")).known(), Ok(&false));
        assert!(!verifies(json!(null)).is_known());
    }

    #[test]
    fn a_hook_without_a_readable_address_spoils_the_list() {
        assert!(
            !hooks(
                KEY,
                &listing(&json!([{"config": {"url": "not an address"}}]))
            )
            .is_known()
        );
        assert!(!hooks(KEY, &listing(&json!([{"active": true}]))).is_known());
    }

    #[test]
    fn not_found_is_a_missing_right_or_nothing_at_all_and_so_unknown() {
        let unknown = hooks(KEY, &no_listing(404, "Not Found"))
            .known()
            .unwrap_err();
        assert_eq!(unknown.why, Why::HiddenOrAbsent);
        assert_eq!(unknown.needs.as_deref(), Some("Webhooks: read"));
    }
}
