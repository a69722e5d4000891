//! Single sign-on, address list and domains of an organisation. Each has its own
//! place in the query, so that one that is refused takes no other with it.
//! Null never means "none" here: an enterprise above may demand sign-on.

use serde::Deserialize;
use serde_json::json;

use crate::facts::{Fact, FactKey, OrganizationIdentity, SingleSignOn, Unknown};
use crate::platform::access;
use crate::platform::transport::GraphqlAnswer;

use super::super::graph::{self, Place};
use super::super::{permissions, wire};
use super::owner_side::Asker;
use super::{plan, reading};

const KEY: FactKey = FactKey::OrganizationIdentity;

const QUERY: &str = "query CcgateIdentity($login: String!) {
  rateLimit { cost }
  signOn: organization(login: $login) { samlIdentityProvider { ssoUrl } }
  addresses: organization(login: $login) { ipAllowListEnabledSetting }
  notices: organization(login: $login) { notificationDeliveryRestrictionEnabledSetting }
  names: organization(login: $login) {
    viewerCanAdminister
    domains(first: 100) { pageInfo { hasNextPage } nodes { domain isVerified } }
  }
}";

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Provider {
    sso_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Domain {
    domain: Option<String>,
    is_verified: Option<bool>,
}

/// Asks for what proves who somebody is.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<OrganizationIdentity> {
    if let Some(unknown) = asker.no_organization(KEY, "how an organisation proves identities") {
        return Fact::Unknown(unknown);
    }
    let variables = json!({ "login": asker.session.owner });
    let client = asker.client();
    let (answer, organization) = tokio::join!(
        client.graphql("CcgateIdentity", QUERY, variables),
        asker.shared.organization(),
    );
    match answer {
        Ok(answer) => identity(&answer, plan::lacking_identity(organization)),
        Err(refusal) => Fact::Unknown(access::refused(
            KEY.name(),
            permissions::needs(KEY),
            &refusal,
        )),
    }
}

fn identity(answer: &GraphqlAnswer, not_in_plan: Vec<String>) -> Fact<OrganizationIdentity> {
    let seen = OrganizationIdentity {
        not_in_plan,
        single_sign_on: fact(answer, sign_on(answer)),
        ip_allow_list: fact(
            answer,
            switch(answer, &["addresses", "ipAllowListEnabledSetting"]),
        ),
        verified_domains: fact(answer, domains(answer)),
        notifications_restricted: fact(
            answer,
            switch(
                answer,
                &["notices", "notificationDeliveryRestrictionEnabledSetting"],
            ),
        ),
    };
    Fact::seen(seen, answer.source.clone())
}

fn fact<T>(answer: &GraphqlAnswer, value: Result<T, Unknown>) -> Fact<T> {
    match value {
        Ok(value) => Fact::seen(value, answer.source.clone()),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn value(answer: &GraphqlAnswer, path: &[&str], what: &str) -> Result<serde_json::Value, Unknown> {
    let needs = permissions::needs(KEY);
    // An error about a field that cannot be null empties everything above it.
    if let Some(unknown) = graph::errors_below(answer, path, KEY.name(), needs) {
        return Err(unknown);
    }
    match graph::place(answer, path, KEY.name(), needs) {
        Place::There(value) => Ok(value),
        Place::Empty => Err(graph::empty(answer, KEY.name(), needs, what)),
        Place::Refused(unknown) => Err(unknown),
    }
}

fn sign_on(answer: &GraphqlAnswer) -> Result<SingleSignOn, Unknown> {
    let provider = value(
        answer,
        &["signOn", "samlIdentityProvider"],
        "provider of single sign-on",
    )?;
    let provider: Provider = graph::read(&provider, answer, KEY.name())?;
    Ok(SingleSignOn {
        provider: Some(
            provider
                .sso_url
                .filter(|url| !url.is_empty())
                .unwrap_or_else(|| "a provider without an address".to_owned()),
        ),
        enforced: Fact::Unknown(reading::not_told(
            KEY,
            "no interface of the platform tells whether members get in without single sign-on",
        )),
    })
}

fn switch(answer: &GraphqlAnswer, path: &[&str]) -> Result<bool, Unknown> {
    let word = value(answer, path, "setting of that name")?;
    // A word that is not known counts as switched off.
    Ok(word.as_str() == Some("ENABLED"))
}

fn domains(answer: &GraphqlAnswer) -> Result<Vec<String>, Unknown> {
    let list = value(answer, &["names", "domains"], "list of domains")?;
    let list: wire::Nodes<Domain> = graph::read(&list, answer, KEY.name())?;
    let ended = list
        .page_info
        .as_ref()
        .and_then(|page| page.has_next_page)
        .is_some_and(|more| !more);
    let whole = list
        .nodes
        .as_ref()
        .is_some_and(|nodes| nodes.iter().all(Option::is_some));
    if !ended || !whole {
        return Err(access::malformed(
            KEY.name(),
            &answer.endpoint,
            answer.status,
            "the list of domains is not complete",
        ));
    }
    let mut verified: Vec<String> = list
        .present()
        .filter(|domain| domain.is_verified == Some(true))
        .filter_map(|domain| domain.domain.clone())
        .collect();
    verified.sort();
    // Whoever does not own the organisation may be shown an empty list.
    if verified.is_empty() {
        let owner = value(
            answer,
            &["names", "viewerCanAdminister"],
            "right to see domains",
        )?;
        if owner.as_bool() != Some(true) {
            return Err(graph::empty(
                answer,
                KEY.name(),
                permissions::needs(KEY),
                "verified domain",
            ));
        }
    }
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::answer;
    use super::*;
    use crate::facts::Why;

    fn read(body: &Value) -> OrganizationIdentity {
        identity(&answer(body), Vec::new()).known().unwrap().clone()
    }

    fn names(owner: bool, nodes: &Value) -> Value {
        json!({"data": {"names": {"viewerCanAdminister": owner, "domains": {"pageInfo": {"hasNextPage": false}, "nodes": nodes}}}})
    }

    #[test]
    fn a_provider_is_seen_and_whether_it_is_enforced_is_not_told() {
        let seen = read(
            &json!({"data": {"signOn": {"samlIdentityProvider": {"ssoUrl": "https://idp.example"}}}}),
        );
        let single = seen.single_sign_on.known().unwrap();
        assert_eq!(single.provider.as_deref(), Some("https://idp.example"));
        assert_eq!(single.enforced.known().unwrap_err().why, Why::NotSupported);
    }

    #[test]
    fn no_provider_and_a_hidden_one_look_alike() {
        let seen = read(&json!({"data": {"signOn": {"samlIdentityProvider": null}}}));
        assert_eq!(
            seen.single_sign_on.known().unwrap_err().why,
            Why::HiddenOrAbsent
        );
    }

    #[test]
    fn a_field_that_is_refused_takes_no_other_with_it() {
        let seen = read(
            &json!({"data": {"addresses": null, "notices": {"notificationDeliveryRestrictionEnabledSetting": "DISABLED"}},
            "errors": [{"type": "FORBIDDEN", "path": ["addresses", "ipAllowListEnabledSetting"], "message": "no"}]}),
        );
        assert_eq!(
            seen.ip_allow_list.known().unwrap_err().why,
            Why::NotPermitted
        );
        assert_eq!(seen.notifications_restricted.known(), Ok(&false));
    }

    #[test]
    fn an_unknown_word_is_not_switched_on() {
        let seen = read(&json!({"data": {"addresses": {"ipAllowListEnabledSetting": "LATER"}}}));
        assert_eq!(seen.ip_allow_list.known(), Ok(&false));
    }

    #[test]
    fn only_verified_domains_count_and_an_empty_list_only_from_an_owner() {
        let two = json!([{"domain": "acme.example", "isVerified": true}, {"domain": "x.example", "isVerified": false}]);
        assert_eq!(
            read(&names(false, &two)).verified_domains.known(),
            Ok(&vec!["acme.example".to_owned()])
        );
        assert_eq!(
            read(&names(true, &json!([]))).verified_domains.known(),
            Ok(&Vec::new())
        );
        assert!(!read(&names(false, &json!([]))).verified_domains.is_known());
        assert!(
            !read(&names(true, &json!([null])))
                .verified_domains
                .is_known()
        );
    }
}
