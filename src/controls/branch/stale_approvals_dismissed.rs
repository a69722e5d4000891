//! BR-04: approvals fall when something new is pushed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-04 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StaleApprovalsDismissed {}

impl Control for StaleApprovalsDismissed {
    const META: Meta = Meta {
        code: "BR-04",
        id: "stale-approvals-dismissed",
        title: "approvals fall when something new is pushed",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "An approval speaks about what was read; what is pushed afterwards was read by \
                        nobody.",
        cheat: "Getting an approval for something harmless and pushing the rest afterwards. \
                        Where the setting is off, CHG-03 still judges each change.",
        remedy_github: "turn on \"Dismiss stale pull request approvals when new commits are pushed\" \
                        under \"Require a pull request before merging\"",
        remedy_gitlab: "under Settings, Merge requests, Approval settings set \"When a commit is \
                        added\" to \"Remove all approvals\"; removing only those of code owners is not \
                        enough (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.stale_approvals_dismissed,
            "approvals fall with a new push",
            "approvals survive a new push",
            Some("approval settings"),
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
            rules.stale_approvals_dismissed =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
        });
        assert_eq!(
            verdict_of(&StaleApprovalsDismissed::default(), &facts),
            "pass"
        );
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        let facts = branch(|rules| {
            rules.stale_approvals_dismissed =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(false))]);
        });
        assert_eq!(
            verdict_of(&StaleApprovalsDismissed::default(), &facts),
            "fail"
        );
    }

    #[test]
    fn f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.stale_approvals_dismissed = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&StaleApprovalsDismissed::default(), &facts),
            "fail unprotected"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.stale_approvals_dismissed = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&StaleApprovalsDismissed::default(), &facts),
            "fail plan"
        );
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.stale_approvals_dismissed = Requirement::any_layer(vec![
                demand("r", Fact::known_without_source(false)),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(
            verdict_of(&StaleApprovalsDismissed::default(), &facts),
            "unknown"
        );
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.stale_approvals_dismissed = Requirement::every_layer(vec![
                demand("a", Fact::known_without_source(true)),
                demand("b", Fact::known_without_source(false)),
            ]);
        });
        assert_eq!(
            verdict_of(&StaleApprovalsDismissed::default(), &facts),
            "fail"
        );
    }
}
