//! ORG-04: the organisation can be reached from listed addresses only. Which ones
//! are on the list is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, switch};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// ORG-04 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IpAllowListOn {}

impl Control for IpAllowListOn {
    const META: Meta = Meta {
        code: "ORG-04",
        id: "ip-allow-list-on",
        title: "the organisation can be reached from listed addresses only",
        criteria: &[Criterion::Cc6_6],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.3"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::OrganizationIdentity],
        rationale: "A token that leaked is worth nothing to somebody who cannot reach the platform \
                    with it.",
        cheat: "Filling the list with addresses and leaving it switched off, so that a screenshot \
                looks right. The switch is judged, and a word for it that is not known counts as off.",
        remedy_github: "in the organisation's Settings, Authentication security, turn \"Enable IP \
                        allow list\" on after your own addresses and those of your runners are on it",
        remedy_gitlab: "in the top group's Settings, General, Permissions and group features, list \
                        the ranges under \"Restrict access by IP address\"",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let identity = facts.settings.organization_identity.known()?;
        let says = Says {
            key: FactKey::OrganizationIdentity,
            good: "only listed addresses reach the organisation",
            bad: "every address reaches the organisation",
        };
        switch(
            &identity.ip_allow_list,
            &says,
            &identity.not_in_plan,
            "ip_allow_list",
        )
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{identity, words};
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Fact;

    fn verdict(on: Fact<bool>, not_in_plan: &[&str]) -> String {
        let facts = identity(|identity| {
            identity.ip_allow_list = on;
            identity.not_in_plan = words(not_in_plan);
        });
        verdict_of(&IpAllowListOn {}, &facts)
    }

    #[test]
    fn a_list_in_force_passes_and_one_that_is_off_fails() {
        assert_eq!(verdict(seen(true), &[]), "pass");
        assert_eq!(verdict(seen(false), &[]), "fail");
    }

    #[test]
    fn a_switch_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(hidden(), &["ip_allow_list"]), "unknown");
    }

    #[test]
    fn a_plan_that_does_not_sell_it_is_the_reason() {
        assert_eq!(verdict(seen(false), &["ip_allow_list"]), "fail plan");
        assert_eq!(verdict(seen(false), &["single_sign_on"]), "fail");
    }
}
