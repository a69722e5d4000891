//! ORG-10: private code cannot be forked out of the organisation's reach. Clones on
//! people's machines are beyond every setting.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts::{Look, judge, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// ORG-10 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PrivateForkingOff {}

const KEY: FactKey = FactKey::OrganizationSettings;

impl Control for PrivateForkingOff {
    const META: Meta = Meta {
        code: "ORG-10",
        id: "private-forking-off",
        title: "private code cannot be forked out of the organisation",
        criteria: &[Criterion::Cc6_6, Criterion::Cc6_7],
        frameworks: &[
            (Framework::Iso27001, &["A.8.3", "A.8.4"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "A fork under somebody's own name is not bound by the organisation's rules, and \
                    its owner decides who reads it.",
        cheat: "Forking while it is allowed and switching it off before anybody looks. Only the \
                setting of today is judged; forks that exist are kept by their owners and have to \
                be looked for by hand.",
        remedy_github: "in the organisation's Settings, Member privileges, turn \"Allow forking of \
                        private repositories\" off",
        remedy_gitlab: "in the top group's Settings, General, Permissions and group features, turn \
                        \"Prevent project forking outside current group\" on",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let organization = facts.settings.organization.known()?;
        let plan = (organization.not_in_plan.as_slice(), "private_forking");
        let forking = setting(KEY, &organization.private_forking, plan, |allowed| {
            if *allowed {
                Look::Wrong("forking is allowed".to_owned())
            } else {
                Look::Fine("forking is not allowed".to_owned())
            }
        });
        judge(
            "private code stays in the organisation",
            "private code can leave the organisation",
            forking,
            None,
        )
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{organization, words};
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Fact;

    fn verdict(allowed: Fact<bool>, not_in_plan: &[&str]) -> String {
        let facts = organization(|organization| {
            organization.private_forking = allowed;
            organization.not_in_plan = words(not_in_plan);
        });
        verdict_of(&PrivateForkingOff {}, &facts)
    }

    #[test]
    fn forking_that_is_off_passes_and_forking_that_is_allowed_fails() {
        assert_eq!(verdict(seen(false), &[]), "pass");
        assert_eq!(verdict(seen(true), &[]), "fail");
    }

    #[test]
    fn a_setting_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(hidden(), &["private_forking"]), "unknown");
    }

    #[test]
    fn a_plan_that_does_not_sell_it_is_the_reason() {
        assert_eq!(verdict(seen(true), &["private_forking"]), "fail plan");
        assert_eq!(verdict(seen(true), &["outside_invitation"]), "fail");
    }
}
