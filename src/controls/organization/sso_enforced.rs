//! ORG-03: members cannot get in without single sign-on. That a provider is set up
//! can be seen more often than that it has to be used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::raised;
use super::parts::{Look, judge, part, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-03.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SsoEnforced {
    /// Whether it is enough that a provider is set up. Then nobody looks whether
    /// members have to use it.
    configured_suffices: bool,
}

const KEY: FactKey = FactKey::OrganizationIdentity;

impl Control for SsoEnforced {
    const META: Meta = Meta {
        code: "ORG-03",
        id: "sso-enforced",
        title: "members cannot get in without single sign-on",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.16", "A.8.5"]),
            (Framework::PciDss, &["8.2.1", "8.3.1"]),
            (Framework::Nist80053, &["AC-2", "IA-2"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "Whoever leaves loses every access with one account at the provider, if there is \
                    no other way in; without that, somebody has to remember each place.",
        cheat: "Setting a provider up for show and leaving the password as a second door. A provider \
                alone leaves it unknown unless the platform tells that it has to be used, or the \
                policy says in its own name that a provider is enough.",
        remedy_github: "in the organisation's Settings, Authentication security, set up SAML single \
                        sign-on and turn \"Require SAML SSO authentication for all members\" on; no \
                        public interface tells of the latter, so attest it or set \
                        `configured_suffices`",
        remedy_gitlab: "in the top group's Settings, SAML SSO, turn SAML and \"Enforce SSO-only \
                        authentication\" for web and Git activity on",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let identity = facts.settings.organization_identity.known()?;
        let plan = (identity.not_in_plan.as_slice(), "single_sign_on");
        let sign_on = &identity.single_sign_on;
        let provider = setting(KEY, sign_on, plan, |sign_on| match &sign_on.provider {
            Some(provider) => Look::Fine(format!("provider `{provider}`")),
            None => Look::Wrong("there is no provider".to_owned()),
        });
        let enforced = (!self.configured_suffices).then(|| {
            part(KEY, &sign_on.known()?.enforced, |enforced| {
                if *enforced {
                    Look::Fine("members have to use it".to_owned())
                } else {
                    Look::Wrong("members need not use it".to_owned())
                }
            })
        });
        let good = if self.configured_suffices {
            "single sign-on is set up, which the policy takes as enough"
        } else {
            "members cannot get in without single sign-on"
        };
        let bad = "members get in without single sign-on";
        match &provider {
            // Where there is no provider nothing else can be wrong with it.
            Ok(part) if part.is_wrong() => judge(good, bad, provider, None),
            Ok(_) | Err(_) => judge(good, bad, provider, enforced),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised(
            "configured_suffices",
            self.configured_suffices,
            base.configured_suffices,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::identity;
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::{Fact, SingleSignOn};

    const STRICT: SsoEnforced = SsoEnforced {
        configured_suffices: false,
    };
    const LAX: SsoEnforced = SsoEnforced {
        configured_suffices: true,
    };

    fn sign_on(provider: Option<&str>, enforced: Fact<bool>) -> Fact<SingleSignOn> {
        seen(SingleSignOn {
            provider: provider.map(str::to_owned),
            enforced,
        })
    }

    fn verdict(control: &SsoEnforced, sign_on: Fact<SingleSignOn>) -> String {
        verdict_of(
            control,
            &identity(|identity| identity.single_sign_on = sign_on),
        )
    }

    const IDP: Option<&str> = Some("https://sso.acme.test");

    #[test]
    fn a_provider_that_has_to_be_used_passes() {
        assert_eq!(verdict(&STRICT, sign_on(IDP, seen(true))), "pass");
    }

    #[test]
    fn no_provider_and_a_door_beside_it_fail() {
        assert_eq!(verdict(&STRICT, sign_on(None, hidden())), "fail");
        assert_eq!(verdict(&LAX, sign_on(None, hidden())), "fail");
        assert_eq!(verdict(&STRICT, sign_on(IDP, seen(false))), "fail");
    }

    #[test]
    fn a_provider_of_which_nobody_tells_whether_it_has_to_be_used_leaves_it_unknown() {
        assert_eq!(verdict(&STRICT, sign_on(IDP, hidden())), "unknown");
        assert_eq!(verdict(&STRICT, hidden()), "unknown");
        assert_eq!(verdict(&LAX, hidden()), "unknown");
    }

    /// Else hiding that it need not be used would make a pass of a fail.
    #[test]
    fn where_the_policy_takes_a_provider_as_enough_nothing_else_is_looked_at() {
        for enforced in [seen(true), seen(false), hidden()] {
            assert_eq!(verdict(&LAX, sign_on(IDP, enforced)), "pass");
        }
        assert!(LAX.weaker_than(&STRICT).is_some());
        assert_eq!(STRICT.weaker_than(&LAX), None);
    }

    #[test]
    fn a_plan_that_does_not_sell_it_is_the_reason_and_none_for_a_provider_not_enforced() {
        let lacking = |provider: Option<&str>, enforced: Fact<bool>| {
            let facts = identity(|identity| {
                identity.single_sign_on = sign_on(provider, enforced);
                identity.not_in_plan = vec!["single_sign_on".to_owned()];
            });
            verdict_of(&STRICT, &facts)
        };
        assert_eq!(lacking(None, seen(false)), "fail plan");
        assert_eq!(lacking(IDP, seen(false)), "fail");
    }
}
