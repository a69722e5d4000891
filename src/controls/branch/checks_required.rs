//! BR-13: checks are required before a merge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::{judge, layers};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{FactKey, Platform, Snapshot, Unknown, all_of};

/// BR-13 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChecksRequired {}

impl Control for ChecksRequired {
    const META: Meta = Meta {
        code: "BR-13",
        id: "checks-required",
        title: "checks are required before a merge",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Tests that may fail without holding anything back are advice, not a control.",
        cheat: "Turning the rule on with an empty list, or letting a skipped pipeline count as success. The list must name a check, and skipped ones must not count.",
        remedy_github: "name at least one status check in a ruleset of the branch",
        remedy_gitlab: "require a successful pipeline for merging and do not let skipped pipelines count as successful",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let listed = rules.required_checks.holds(|checks| !checks.is_empty());
        // A required context that never reports blocks on GitHub in any case.
        let met = match facts.subject.platform {
            Platform::Github => listed,
            Platform::Gitlab => all_of([listed, rules.skipped_checks_block.holds(|on| *on)]),
        };
        judge(
            &facts.branch_rules,
            &met,
            &layers(&rules.required_checks, |checks| !checks.is_empty()),
            "checks have to succeed before a merge",
            "no check has to succeed before a merge",
        )
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, demand, hidden, verdict_of};
    use crate::facts::{Fact, Requirement};

    #[test]
    fn a_ruleset_that_demands_it_passes() {
        let facts = branch(|rules| {
            rules.required_checks = Requirement::any_layer(vec![demand(
                "r",
                Fact::known_without_source(vec![crate::facts::RequiredCheck {
                    name: "build".to_owned(),
                    app: None,
                }]),
            )]);
        });
        assert_eq!(verdict_of(&ChecksRequired::default(), &facts), "pass");
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        let facts = branch(|rules| {
            rules.required_checks =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(Vec::new()))]);
        });
        assert_eq!(verdict_of(&ChecksRequired::default(), &facts), "fail");
    }

    #[test]
    fn f13_f22_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.required_checks = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&ChecksRequired::default(), &facts),
            "fail unprotected"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.required_checks = Requirement::any_layer(vec![]);
        });
        assert_eq!(verdict_of(&ChecksRequired::default(), &facts), "fail plan");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.required_checks = Requirement::any_layer(vec![
                demand("r", Fact::known_without_source(Vec::new())),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(verdict_of(&ChecksRequired::default(), &facts), "unknown");
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.required_checks = Requirement::every_layer(vec![
                demand(
                    "a",
                    Fact::known_without_source(vec![crate::facts::RequiredCheck {
                        name: "build".to_owned(),
                        app: None,
                    }]),
                ),
                demand("b", Fact::known_without_source(Vec::new())),
            ]);
        });
        assert_eq!(verdict_of(&ChecksRequired::default(), &facts), "fail");
    }
}
