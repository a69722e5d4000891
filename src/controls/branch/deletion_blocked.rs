//! BR-19: the branch cannot be deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-19 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeletionBlocked {}

impl Control for DeletionBlocked {
    const META: Meta = Meta {
        code: "BR-19",
        id: "deletion-blocked",
        title: "the branch cannot be deleted",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Deleting a branch and creating it anew replaces its history without a force \
                        push.",
        cheat: "Deleting and recreating the branch where only force pushes are blocked. Each \
                        is judged on its own, and no protection at all is a fail.",
        remedy_github: "turn on \"Restrict deletions\" in an active ruleset that targets the branch; \
                        in classic protection turn \"Allow deletions\" off",
        remedy_gitlab: "protect the branch under Settings, Repository, Protected branches: no push can \
                        delete a protected branch",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.deletion_blocked,
            "deletion is blocked",
            "the branch can be deleted",
            None,
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
    fn f5_f14_a_ruleset_that_demands_it_passes() {
        let facts = branch(|rules| {
            rules.deletion_blocked =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
        });
        assert_eq!(verdict_of(&DeletionBlocked::default(), &facts), "pass");
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        let facts = branch(|rules| {
            rules.deletion_blocked =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(false))]);
        });
        assert_eq!(verdict_of(&DeletionBlocked::default(), &facts), "fail");
    }

    #[test]
    fn f1_f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.deletion_blocked = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&DeletionBlocked::default(), &facts),
            "fail unprotected"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.deletion_blocked = Requirement::any_layer(vec![]);
        });
        assert_eq!(verdict_of(&DeletionBlocked::default(), &facts), "fail plan");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.deletion_blocked = Requirement::any_layer(vec![
                demand("r", Fact::known_without_source(false)),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(verdict_of(&DeletionBlocked::default(), &facts), "unknown");
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.deletion_blocked = Requirement::every_layer(vec![
                demand("a", Fact::known_without_source(true)),
                demand("b", Fact::known_without_source(false)),
            ]);
        });
        assert_eq!(verdict_of(&DeletionBlocked::default(), &facts), "fail");
    }
}
