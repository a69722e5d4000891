//! BR-03: approvals are required before a merge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of BR-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApprovalsRequired {
    /// Fewest approvals that the platform has to demand; 0 counts as 1.
    min: u32,
}

impl Default for ApprovalsRequired {
    fn default() -> Self {
        Self { min: 1 }
    }
}

impl Control for ApprovalsRequired {
    const META: Meta = Meta {
        code: "BR-03",
        id: "approvals-required",
        title: "approvals are required before a merge",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "A second pair of eyes is only sure to look when the platform refuses a merge \
                        without it.",
        cheat: "Requiring a pull request with zero approvals. The number itself is judged; who \
                        may merge without it is judged by BR-22.",
        remedy_github: "set \"Required approvals\" under \"Require a pull request before merging\" in \
                        an active ruleset that targets the branch",
        remedy_gitlab: "under Settings, Merge requests, Merge request approvals add an approval rule \
                        for the branch with \"Approvals required\" of at least the wanted number \
                        (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let min = self.min.max(1);
        let met = rules.approvals_required.holds(|count| *count >= min);
        judge(
            &facts.branch_rules,
            &met,
            &rules.approvals_required.layers_where(|count| *count >= min),
            &format!("at least {min} approvals are demanded"),
            &format!("fewer than {min} approvals are demanded"),
            Some("approval rules"),
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, demand, hidden, verdict_of};
    use crate::facts::{Fact, Requirement};

    #[test]
    fn f14_a_ruleset_that_demands_it_passes() {
        let facts = branch(|rules| {
            rules.approvals_required =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(1))]);
        });
        assert_eq!(verdict_of(&ApprovalsRequired::default(), &facts), "pass");
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        let facts = branch(|rules| {
            rules.approvals_required =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(0))]);
        });
        assert_eq!(verdict_of(&ApprovalsRequired::default(), &facts), "fail");
    }

    #[test]
    fn f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.approvals_required = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&ApprovalsRequired::default(), &facts),
            "fail unprotected"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.approvals_required = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&ApprovalsRequired::default(), &facts),
            "fail plan"
        );
    }

    #[test]
    fn f8_a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.approvals_required = Requirement::any_layer(vec![
                demand("r", Fact::known_without_source(0)),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(verdict_of(&ApprovalsRequired::default(), &facts), "unknown");
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.approvals_required = Requirement::every_layer(vec![
                demand("a", Fact::known_without_source(1)),
                demand("b", Fact::known_without_source(0)),
            ]);
        });
        assert_eq!(verdict_of(&ApprovalsRequired::default(), &facts), "fail");
    }
}
