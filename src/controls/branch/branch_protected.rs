//! BR-01: the branch is protected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::{judge, layers};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, all_of, any_of};

/// BR-01 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BranchProtected {}

impl Control for BranchProtected {
    const META: Meta = Meta {
        code: "BR-01",
        id: "branch-protected",
        title: "the branch is protected",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Rules that are written down but not enforced on the branch leave every commit \
                        to the goodwill of whoever pushes.",
        cheat: "Adding a ruleset that only blocks force pushes, so that something counts as \
                        protection. Protection has to hold changes to a pull request, an approval or a \
                        check.",
        remedy_github: "under Settings, Rules, Rulesets add a ruleset with the enforcement status \
                        \"Active\" that targets the branch and has \"Require a pull request before \
                        merging\"",
        remedy_gitlab: "under Settings, Repository, Protected branches protect the branch with \
                        \"Allowed to push and merge\" set to \"No one\"",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        // A rule that only forbids force pushes holds no change to anything.
        let met = all_of([
            rules.protected.holds(|on| *on),
            any_of([
                rules.pull_request_required.holds(|on| *on),
                rules.approvals_required.holds(|count| *count >= 1),
                rules.required_checks.holds(|checks| !checks.is_empty()),
            ]),
        ]);
        judge(
            &facts.branch_rules,
            &met,
            &layers(&rules.protected, |on| *on),
            "changes are held to rules",
            "nothing holds changes to a review or a check",
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
    fn a_ruleset_that_demands_it_passes() {
        let facts = branch(|rules| {
            rules.protected =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
            rules.pull_request_required =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
        });
        assert_eq!(verdict_of(&BranchProtected::default(), &facts), "pass");
    }

    /// F12: a ruleset that only blocks force pushes protects the branch in name.
    #[test]
    fn f12_a_ruleset_with_only_no_force_push_fails() {
        let facts = branch(|rules| {
            let no =
                || Requirement::any_layer(vec![demand("r", Fact::known_without_source(false))]);
            rules.protected =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
            rules.force_push_blocked =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
            rules.pull_request_required = no();
            rules.approvals_required =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(0))]);
            rules.required_checks =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(Vec::new()))]);
        });
        assert_eq!(verdict_of(&BranchProtected::default(), &facts), "fail");
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        let facts = branch(|rules| {
            rules.protected =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(false))]);
        });
        assert_eq!(verdict_of(&BranchProtected::default(), &facts), "fail");
    }

    #[test]
    fn f10_f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.protected = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&BranchProtected::default(), &facts),
            "fail unprotected"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.protected = Requirement::any_layer(vec![]);
        });
        assert_eq!(verdict_of(&BranchProtected::default(), &facts), "fail plan");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.protected = Requirement::any_layer(vec![
                demand("r", Fact::known_without_source(false)),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(verdict_of(&BranchProtected::default(), &facts), "unknown");
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.protected = Requirement::every_layer(vec![
                demand("a", Fact::known_without_source(true)),
                demand("b", Fact::known_without_source(false)),
            ]);
        });
        assert_eq!(verdict_of(&BranchProtected::default(), &facts), "fail");
    }
}
