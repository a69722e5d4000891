//! ORG-01: the organisation demands two factors of every member. Who has none
//! all the same is not seen here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::raised;
use super::parts::{Look, judge, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-01.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MfaEnforced {
    /// Longest time that a new member may do without, in hours, from 0.
    max_grace_hours: u32,
}

const KEY: FactKey = FactKey::OrganizationSettings;

impl Control for MfaEnforced {
    const META: Meta = Meta {
        code: "ORG-01",
        id: "mfa-enforced",
        title: "every member has to use two factors",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.17", "A.8.5"]),
            (Framework::PciDss, &["8.4.1", "8.4.2"]),
            (Framework::Nist80053, &["IA-2", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "A password alone can be guessed, phished or bought; the account that it opens \
                    approves and merges changes.",
        cheat: "Demanding two factors with a period of grace so long that nobody ever reaches its \
                end. The period is judged with the demand, and a demand that is not shown is not \
                taken for one.",
        remedy_github: "in the organisation's Settings, Authentication security, turn \"Require \
                        two-factor authentication for everyone\" on",
        remedy_gitlab: "in the group's Settings, General, Permissions and group features, turn \"All \
                        users in this group must set up two-factor authentication\" on, and set the \
                        delay of its enforcement to what the policy allows",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let organization = facts.settings.organization.known()?;
        let plan = (organization.not_in_plan.as_slice(), "two_factor_required");
        let required = setting(KEY, &organization.two_factor_required, plan, |required| {
            if *required {
                Look::Fine("two factors are required".to_owned())
            } else {
                Look::Wrong("two factors are not required".to_owned())
            }
        });
        let grace = setting(KEY, &organization.two_factor_grace_hours, plan, |hours| {
            let words = format!("a new member may do without for {hours} hours");
            if *hours <= self.max_grace_hours {
                Look::Fine(words)
            } else {
                Look::Wrong(format!("{words}, allowed are {}", self.max_grace_hours))
            }
        });
        judge(
            "every member has to use two factors",
            "members get in with one factor",
            required,
            [grace],
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised(
            "max_grace_hours",
            self.max_grace_hours,
            base.max_grace_hours,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::organization;
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Fact;

    fn verdict(control: &MfaEnforced, required: Fact<bool>, grace: Fact<u32>) -> String {
        let facts = organization(|organization| {
            organization.two_factor_required = required;
            organization.two_factor_grace_hours = grace;
        });
        verdict_of(control, &facts)
    }

    const STRICT: MfaEnforced = MfaEnforced { max_grace_hours: 0 };

    #[test]
    fn a_demand_without_grace_passes_and_none_fails() {
        assert_eq!(verdict(&STRICT, seen(true), seen(0)), "pass");
        assert_eq!(verdict(&STRICT, seen(false), seen(0)), "fail");
        assert_eq!(verdict(&STRICT, seen(false), hidden()), "fail");
    }

    #[test]
    fn a_demand_that_waits_too_long_fails() {
        let two_days = MfaEnforced {
            max_grace_hours: 48,
        };
        assert_eq!(verdict(&STRICT, seen(true), seen(1)), "fail");
        assert_eq!(verdict(&two_days, seen(true), seen(48)), "pass");
        assert_eq!(verdict(&two_days, seen(true), seen(49)), "fail");
        assert_eq!(verdict(&two_days, hidden(), seen(u32::MAX)), "fail");
    }

    /// The flag is null for everybody but owners.
    #[test]
    fn a_demand_or_a_grace_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(&STRICT, hidden(), seen(0)), "unknown");
        assert_eq!(verdict(&STRICT, seen(true), hidden()), "unknown");
    }

    #[test]
    fn a_plan_that_does_not_sell_it_is_the_reason() {
        let facts = organization(|organization| {
            organization.two_factor_required = seen(false);
            organization.not_in_plan = vec!["two_factor_required".to_owned()];
        });
        assert_eq!(verdict_of(&STRICT, &facts), "fail plan");
    }

    #[test]
    fn a_longer_grace_is_weaker() {
        let day = MfaEnforced {
            max_grace_hours: 24,
        };
        assert_eq!(
            day.weaker_than(&STRICT).as_deref(),
            Some("max_grace_hours 0 -> 24")
        );
        assert_eq!(STRICT.weaker_than(&day), None);
    }
}
