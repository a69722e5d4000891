//! BR-28: administrators of the repository cannot take the rules away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-28 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RemovalOfRulesLimited {}

impl Control for RemovalOfRulesLimited {
    const META: Meta = Meta {
        code: "BR-28",
        id: "removal-of-rules-limited",
        title: "administrators of the repository cannot take the rules away",
        criteria: &[Criterion::Cc6_3, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.4"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-6", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Whoever can take a rule away for a minute was never bound by it.",
        cheat: "Switching the rule off, pushing, and switching it on again. At least one layer \
                        has to be out of reach of those who administer the repository.",
        remedy_github: "let the organisation or enterprise own the ruleset that protects the \
                        branch, so that administrators of the repository cannot edit it",
        remedy_gitlab: "protect the branch in the group (Settings, Repository, Protected branches \
                        of the group), or set \"Allowed to unprotect\" to owners or administrators \
                        through the API (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.removal_limited,
            "rules stand that administrators of the repository cannot take away",
            "administrators of the repository can take every rule away",
            Some("unprotect rules"),
        )
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{Switch, plan, switched};

    const SWITCH: Switch = |rules| &mut rules.removal_limited;

    fn verdict(layers: &[Option<bool>]) -> String {
        switched(&RemovalOfRulesLimited {}, SWITCH, layers)
    }

    #[test]
    fn one_layer_from_above_is_enough() {
        assert_eq!(verdict(&[Some(false), Some(true)]), "pass");
        assert_eq!(verdict(&[None, Some(true)]), "pass");
    }

    #[test]
    fn rules_of_the_repository_alone_fail() {
        assert_eq!(verdict(&[Some(false), Some(false)]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(false), None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&RemovalOfRulesLimited {}, "unprotect rules"),
            "fail plan"
        );
    }

    #[test]
    fn a_branch_without_any_rule_has_none_that_stays() {
        assert_eq!(verdict(&[]), "fail");
    }
}
