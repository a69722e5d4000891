//! ACC-06: webhooks of the repository go over TLS, are signed, and reach only
//! hosts that are expected. What the receiver does with them is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::allowances::more;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::webhooks::judge_webhooks;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ACC-06.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhooksSecured {
    /// Hosts that hooks may send to, e.g. `hooks.acme.test`; empty: any.
    hosts: Vec<String>,
}

impl Control for WebhooksSecured {
    const META: Meta = Meta {
        code: "ACC-06",
        id: "webhooks-secured",
        title: "webhooks of the repository go over TLS and are signed",
        criteria: &[Criterion::Cc6_7],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.3"]),
            (Framework::PciDss, &["7.2.1", "8.3.1"]),
            (Framework::Nist80053, &["AC-3", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::AccessWebhooks],
        rationale: "A hook carries code, names and events out; without TLS others read along, and \
                    without a secret its receiver acts on whatever anybody sends.",
        cheat: "Keeping `https` in the address and switching the verification of the certificate \
                off, or sending to a host of one's own. Both are judged; name the hosts in `hosts`.",
        remedy_github: "under Settings, Webhooks, give every hook an https address, a secret and \
                        SSL verification, or delete it",
        remedy_gitlab: "under Settings, Webhooks, give every hook an https address, a secret or \
                        signing token and SSL verification, or delete it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        judge_webhooks(
            &facts.settings.webhooks,
            FactKey::AccessWebhooks,
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
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{Fact, Webhook};

    fn hook() -> Webhook {
        Webhook {
            target: "https://hooks.acme.test".to_owned(),
            host: "hooks.acme.test".to_owned(),
            https: true,
            verifies_tls: seen(true),
            has_secret: seen(true),
            active: true,
        }
    }

    fn to(hosts: &[&str]) -> WebhooksSecured {
        WebhooksSecured {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        }
    }

    fn verdict(control: &WebhooksSecured, hooks: Fact<Vec<Webhook>>) -> String {
        verdict_of(control, &settings(|settings| settings.webhooks = hooks))
    }

    #[test]
    fn a_secured_hook_passes_and_so_does_none() {
        assert_eq!(verdict(&to(&[]), seen(vec![hook()])), "pass");
        assert_eq!(verdict(&to(&[]), seen(Vec::new())), "pass");
    }

    #[test]
    fn https_without_verification_fails() {
        let unverified = Webhook {
            verifies_tls: seen(false),
            ..hook()
        };
        assert_eq!(verdict(&to(&[]), seen(vec![unverified])), "fail");
    }

    #[test]
    fn a_host_that_the_policy_does_not_name_fails() {
        assert_eq!(
            verdict(&to(&["hooks.acme.test"]), seen(vec![hook()])),
            "pass"
        );
        assert_eq!(verdict(&to(&["acme.test"]), seen(vec![hook()])), "fail");
    }

    #[test]
    fn hooks_or_secrets_that_cannot_be_seen_leave_it_unknown() {
        let veiled = Webhook {
            has_secret: hidden(),
            ..hook()
        };
        assert_eq!(verdict(&to(&[]), seen(vec![veiled])), "unknown");
        assert_eq!(verdict(&to(&[]), hidden()), "unknown");
    }

    #[test]
    fn more_hosts_and_above_all_any_host_are_weaker() {
        assert!(to(&[]).weaker_than(&to(&["a.test"])).is_some());
        assert!(
            to(&["a.test", "b.test"])
                .weaker_than(&to(&["a.test"]))
                .is_some()
        );
        assert!(
            to(&["a.test"])
                .weaker_than(&to(&["a.test", "b.test"]))
                .is_none()
        );
        assert!(to(&["a.test"]).weaker_than(&to(&[])).is_none());
    }
}
