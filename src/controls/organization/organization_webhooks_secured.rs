//! ORG-15: webhooks of the organisation go over TLS, are signed, and reach only
//! hosts that are expected. What the receiver does with them is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::allowances::more;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::webhooks::judge_webhooks;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-15.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OrganizationWebhooksSecured {
    /// Hosts that hooks may send to, e.g. `hooks.acme.test`; empty: any.
    hosts: Vec<String>,
}

impl Control for OrganizationWebhooksSecured {
    const META: Meta = Meta {
        code: "ORG-15",
        id: "organization-webhooks-secured",
        title: "webhooks of the organisation go over TLS and are signed",
        criteria: &[Criterion::Cc6_7],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.3"]),
            (Framework::PciDss, &["7.2.1", "8.3.1"]),
            (Framework::Nist80053, &["AC-3", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::OrganizationWebhooks],
        rationale: "A hook of the organisation carries events of every repository out, those of \
                    tomorrow included; without TLS others read along, and without a secret its \
                    receiver believes anybody.",
        cheat: "Hanging a hook above the repository, where its administrators do not see it, or \
                switching it off while somebody looks. Hooks that are switched off are counted and \
                mentioned, and the hosts can be named in `hosts`.",
        remedy_github: "in the organisation's Settings, Webhooks, give every hook an https address, \
                        a secret and SSL verification, or delete it",
        remedy_gitlab: "in the group's Settings, Webhooks, give every hook an https address, a secret \
                        or signing token and SSL verification, or delete it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        judge_webhooks(
            &facts.settings.organization_webhooks,
            FactKey::OrganizationWebhooks,
            &self.hosts,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if base.hosts.is_empty() {
            return None;
        }
        if self.hosts.is_empty() {
            return Some("lets hooks send to any host".to_owned());
        }
        more(&self.hosts, &base.hosts).map(|hosts| format!("lets hooks send to {hosts}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::words;
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{Fact, Webhook};

    fn to(hosts: &[&str]) -> OrganizationWebhooksSecured {
        OrganizationWebhooksSecured {
            hosts: words(hosts),
        }
    }

    fn hook(https: bool, has_secret: Fact<bool>) -> Webhook {
        Webhook {
            target: "https://hooks.acme.test".to_owned(),
            host: "hooks.acme.test".to_owned(),
            https,
            verifies_tls: seen(true),
            has_secret,
            active: true,
        }
    }

    fn verdict(control: &OrganizationWebhooksSecured, hooks: Fact<Vec<Webhook>>) -> String {
        verdict_of(control, &settings(|all| all.organization_webhooks = hooks))
    }

    #[test]
    fn a_secured_hook_passes_and_so_does_none() {
        assert_eq!(
            verdict(&to(&[]), seen(vec![hook(true, seen(true))])),
            "pass"
        );
        assert_eq!(verdict(&to(&[]), seen(Vec::new())), "pass");
    }

    #[test]
    fn a_hook_without_tls_or_secret_or_to_a_host_not_named_fails() {
        let good = || seen(vec![hook(true, seen(true))]);
        assert_eq!(
            verdict(&to(&[]), seen(vec![hook(false, seen(true))])),
            "fail"
        );
        assert_eq!(
            verdict(&to(&[]), seen(vec![hook(true, seen(false))])),
            "fail"
        );
        assert_eq!(verdict(&to(&["hooks.acme.test"]), good()), "pass");
        assert_eq!(verdict(&to(&["other.acme.test"]), good()), "fail");
    }

    #[test]
    fn hooks_or_secrets_that_are_hidden_leave_it_unknown() {
        assert_eq!(verdict(&to(&[]), hidden()), "unknown");
        assert_eq!(
            verdict(&to(&[]), seen(vec![hook(true, hidden())])),
            "unknown"
        );
    }

    /// The hooks of the repository are another control's.
    #[test]
    fn hooks_of_the_repository_say_nothing() {
        let facts = settings(|all| all.webhooks = seen(Vec::new()));
        assert_eq!(verdict_of(&to(&[]), &facts), "unknown");
    }

    #[test]
    fn more_hosts_are_weaker() {
        let (any, one, two) = (to(&[]), to(&["a.test"]), to(&["a.test", "b.test"]));
        assert!(any.weaker_than(&one).is_some() && two.weaker_than(&one).is_some());
        assert_eq!(one.weaker_than(&two), None);
        assert_eq!(one.weaker_than(&any), None);
    }
}
