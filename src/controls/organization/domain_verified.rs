//! ORG-16: the organisation proved that a domain is its own, and mail about its
//! code goes to such domains only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::lowered;
use super::parts::{Look, judge, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DomainVerified {
    /// Whether notifications have to go to verified domains only.
    restrict_notifications: bool,
}

impl Default for DomainVerified {
    fn default() -> Self {
        Self {
            restrict_notifications: true,
        }
    }
}

const KEY: FactKey = FactKey::OrganizationIdentity;

impl Control for DomainVerified {
    const META: Meta = Meta {
        code: "ORG-16",
        id: "domain-verified",
        title: "a domain is verified, and notifications go to verified domains only",
        criteria: &[Criterion::Cc6_7],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.3"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-3", "IA-2"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github],
        needs: &[KEY],
        rationale: "Notifications carry code and findings to whatever mailbox somebody has set; a \
                    private one is outlived by no off-boarding.",
        cheat: "Claiming a domain in the profile without proving it, or proving one and letting mail \
                go anywhere. Only domains that the platform verified count, and the restriction is \
                judged with them.",
        remedy_github: "in the organisation's Settings, Verified and approved domains, verify the \
                        domain and turn \"Restrict email notifications to only approved or verified \
                        domains\" on",
        remedy_gitlab: "this control has no meaning on GitLab, which cannot limit notifications to \
                        domains and tells of verified ones through no interface",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let identity = facts.settings.organization_identity.known()?;
        let not_in_plan = identity.not_in_plan.as_slice();
        let domains = setting(
            KEY,
            &identity.verified_domains,
            (not_in_plan, "verified_domains"),
            |domains| {
                if domains.is_empty() {
                    Look::Wrong("no domain is verified".to_owned())
                } else {
                    Look::Fine(format!("verified: {}", some(domains)))
                }
            },
        );
        let notifications = self.restrict_notifications.then(|| {
            setting(
                KEY,
                &identity.notifications_restricted,
                (not_in_plan, "notifications_restricted"),
                |restricted| {
                    if *restricted {
                        Look::Fine("notifications go to verified domains only".to_owned())
                    } else {
                        Look::Wrong("notifications go to any domain".to_owned())
                    }
                },
            )
        });
        judge(
            "what the organisation sends goes to domains of its own",
            "what the organisation sends may go to anybody's domain",
            domains,
            notifications,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        lowered(
            "restrict_notifications",
            self.restrict_notifications,
            base.restrict_notifications,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{identity, words};
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Fact;

    const LAX: DomainVerified = DomainVerified {
        restrict_notifications: false,
    };

    fn lacking(
        control: &DomainVerified,
        not_in_plan: &[&str],
        domains: Fact<Vec<String>>,
        restricted: Fact<bool>,
    ) -> String {
        let facts = identity(|identity| {
            identity.verified_domains = domains;
            identity.notifications_restricted = restricted;
            identity.not_in_plan = words(not_in_plan);
        });
        verdict_of(control, &facts)
    }

    fn verdict(domains: Fact<Vec<String>>, restricted: Fact<bool>) -> String {
        lacking(&DomainVerified::default(), &[], domains, restricted)
    }

    fn own() -> Fact<Vec<String>> {
        seen(words(&["acme.test"]))
    }

    #[test]
    fn a_verified_domain_to_which_mail_is_kept_passes() {
        assert_eq!(verdict(own(), seen(true)), "pass");
    }

    #[test]
    fn no_domain_and_mail_to_anybody_fail_whatever_is_hidden() {
        assert_eq!(verdict(seen(Vec::new()), hidden()), "fail");
        assert_eq!(verdict(seen(Vec::new()), seen(true)), "fail");
        assert_eq!(verdict(hidden(), seen(false)), "fail");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(own(), hidden()), "unknown");
        assert_eq!(verdict(hidden(), seen(true)), "unknown");
    }

    #[test]
    fn the_policy_may_let_notifications_go() {
        assert_eq!(lacking(&LAX, &[], own(), seen(false)), "pass");
        assert_eq!(lacking(&LAX, &[], own(), hidden()), "pass");
        assert_eq!(lacking(&LAX, &[], seen(Vec::new()), hidden()), "fail");
        let base = DomainVerified::default();
        assert!(LAX.weaker_than(&base).is_some());
        assert_eq!(base.weaker_than(&LAX), None);
    }

    #[test]
    fn a_plan_that_sells_neither_is_the_reason_and_one_that_sells_domains_is_not() {
        let strict = DomainVerified::default();
        let both = ["notifications_restricted", "verified_domains"];
        let none = || seen(Vec::new());
        assert_eq!(lacking(&strict, &both, none(), seen(false)), "fail plan");
        assert_eq!(lacking(&strict, &both[..1], none(), seen(false)), "fail");
        assert_eq!(
            lacking(&strict, &both[..1], own(), seen(false)),
            "fail plan"
        );
    }
}
