//! BR-23: no rule for the branch is switched off or on trial.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::unmet;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-23 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RulesInForce {}

impl Control for RulesInForce {
    const META: Meta = Meta {
        code: "BR-23",
        id: "rules-in-force",
        title: "every rule for the branch is in force",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.9"]),
            (Framework::PciDss, &["2.2.1", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "A rule that only evaluates, warns or is disabled looks like protection in \
                        every list and holds nothing back.",
        cheat: "Setting a ruleset to \"Evaluate\" for a quiet hour, or leaving a policy in warn \
                        mode. Any state but the active one counts as off, and so does a word that \
                        is not known.",
        remedy_github: "set the enforcement status of every ruleset that targets the branch to \
                        \"Active\", or delete it",
        remedy_gitlab: "set every policy and rule that covers the branch to be enforced, not to \
                        warn or disabled, or delete it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        if rules.layers.is_empty() {
            return Ok(unmet(fact, rules, "no rule is in force", None));
        }
        let inactive = rules.inactive.known()?;
        let says = Says {
            key: FactKey::BranchRules,
            good: &format!("{}: every rule is in force", rules.branch),
            bad: &format!("{}: rules that bind nobody", rules.branch),
        };
        none_wrong(inactive, &says, rules.inactive.sources(), |rule| {
            Ok(Some(format!("{} ({})", rule.name, rule.enforcement)))
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::plan;
    use crate::controls::testing::{branch, seen, verdict_of};
    use crate::facts::InactiveRules;

    fn verdict(inactive: &[(&str, &str)]) -> String {
        let facts = branch(|rules| {
            rules.inactive = seen(
                inactive
                    .iter()
                    .map(|&(name, enforcement)| InactiveRules {
                        name: name.to_owned(),
                        enforcement: enforcement.to_owned(),
                    })
                    .collect(),
            );
        });
        verdict_of(&RulesInForce {}, &facts)
    }

    #[test]
    fn a_branch_without_idle_rules_passes() {
        assert_eq!(verdict(&[]), "pass");
    }

    #[test]
    fn a_rule_in_any_other_state_fails() {
        for state in ["evaluate", "disabled", "warn", "a word of tomorrow"] {
            assert_eq!(verdict(&[("ruleset \"main\"", state)]), "fail", "{state}");
        }
    }

    #[test]
    fn rules_that_could_not_be_listed_leave_it_unknown() {
        assert_eq!(verdict_of(&RulesInForce {}, &branch(|_| {})), "unknown");
    }

    #[test]
    fn f13_no_rule_at_all_is_not_every_rule_in_force() {
        assert_eq!(plan(&RulesInForce {}, "merge trains"), "fail unprotected");
        assert_eq!(plan(&RulesInForce {}, "rulesets"), "fail plan");
    }
}
