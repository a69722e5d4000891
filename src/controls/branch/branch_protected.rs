//! BR-01: every branch in scope is protected, the target by rules that hold changes.
//! Of the other branches only the layers are known here, not what each demands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, all_of, any_of};

/// Parameters of BR-01.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BranchProtected {
    /// Whether only the branch that the change goes to is judged, not every branch
    /// in the policy's scope.
    target_only: bool,
}

impl Control for BranchProtected {
    const META: Meta = Meta {
        code: "BR-01",
        id: "branch-protected",
        title: "every branch in scope is protected",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::BranchInventory],
        rationale: "Rules that are written down but not enforced on the branch leave every commit \
                        to the goodwill of whoever pushes.",
        cheat: "Adding a ruleset that only blocks force pushes, so that something counts as \
                        protection, or releasing from a branch that nothing protects. Protection has \
                        to hold changes to a pull request, an approval or a check, and no branch in \
                        scope may be without a layer.",
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
        let target = judge(
            &facts.branch_rules,
            &met,
            &rules.protected.layers_where(|on| *on),
            "changes are held to rules",
            "nothing holds changes to a review or a check",
            None,
        );
        if self.target_only || matches!(target, Ok(Verdict::Fail(_))) {
            return target;
        }
        let inventory = &facts.settings.in_scope_branches;
        let says = Says {
            key: FactKey::BranchInventory,
            good: "every branch in scope is protected",
            bad: "nothing protects",
        };
        let others = none_wrong(inventory.known()?, &says, inventory.sources(), |branch| {
            Ok(branch
                .layers
                .known()?
                .is_empty()
                .then(|| format!("`{}`", branch.name)))
        });
        match (others, target) {
            (Ok(Verdict::Pass(_)), Ok(Verdict::Pass(evidence))) => Ok(Verdict::Pass(evidence.and(
                FactKey::BranchInventory,
                format!(
                    "{} branches in scope, each protected",
                    inventory.known()?.len()
                ),
                inventory.sources(),
            ))),
            (Ok(Verdict::Pass(_)), target) => target,
            (others, _) => others,
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.target_only && !base.target_only)
            .then(|| "judges only the branch that the change goes to".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, plan};
    use crate::controls::testing::{branch, demand, hidden, seen, verdict_of};
    use crate::facts::{Fact, InScopeBranch, Requirement};

    const EVERY: BranchProtected = BranchProtected { target_only: false };
    const TARGET: BranchProtected = BranchProtected { target_only: true };

    /// The target with these layers; a layer that protects wants a pull request too.
    fn target(layers: &[Option<bool>]) -> Snapshot {
        branch(|rules| {
            rules.protected = any_layer(layers);
            rules.pull_request_required = any_layer(layers);
        })
    }

    /// The same beside branches with these layers.
    fn beside(layers: &[Option<bool>], branches: &[Fact<Vec<String>>]) -> Snapshot {
        let mut facts = target(layers);
        facts.settings.in_scope_branches = seen(
            branches
                .iter()
                .map(|layers| InScopeBranch {
                    name: "release/1".to_owned(),
                    layers: layers.clone(),
                })
                .collect(),
        );
        facts
    }

    fn some_layer() -> Fact<Vec<String>> {
        seen(vec!["r".to_owned()])
    }

    #[test]
    fn f14_a_ruleset_that_demands_it_passes() {
        assert_eq!(verdict_of(&TARGET, &target(&[Some(true)])), "pass");
        let all = beside(&[Some(true)], &[some_layer(), some_layer()]);
        assert_eq!(verdict_of(&EVERY, &all), "pass");
    }

    #[test]
    fn one_bare_branch_in_scope_fails_whatever_is_hidden() {
        let bare = beside(&[Some(true)], &[hidden(), seen(Vec::new())]);
        assert_eq!(verdict_of(&EVERY, &bare), "fail");
        assert_eq!(verdict_of(&TARGET, &bare), "pass");
        let veiled = beside(&[None], &[seen(Vec::new())]);
        assert_eq!(verdict_of(&EVERY, &veiled), "fail");
    }

    #[test]
    fn branches_that_could_not_be_listed_leave_it_unknown_unless_the_target_fails() {
        assert_eq!(verdict_of(&EVERY, &target(&[Some(true)])), "unknown");
        assert_eq!(verdict_of(&EVERY, &target(&[Some(false)])), "fail");
        let one = beside(&[Some(true)], &[some_layer(), hidden()]);
        assert_eq!(verdict_of(&EVERY, &one), "unknown");
    }

    /// F12: a ruleset that only blocks force pushes protects the branch in name.
    #[test]
    fn f12_a_ruleset_with_only_no_force_push_fails() {
        let facts = branch(|rules| {
            rules.protected = any_layer(&[Some(true)]);
            rules.force_push_blocked = any_layer(&[Some(true)]);
            rules.pull_request_required = any_layer(&[Some(false)]);
            rules.approvals_required = any_layer(&[Some(0)]);
            rules.required_checks = any_layer(&[Some(Vec::new())]);
        });
        assert_eq!(verdict_of(&EVERY, &facts), "fail");
    }

    #[test]
    fn f10_f13_an_unprotected_branch_fails() {
        assert_eq!(plan(&EVERY, "merge trains"), "fail unprotected");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(plan(&EVERY, "branch protection"), "fail plan");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(
            verdict_of(&TARGET, &target(&[Some(false), None])),
            "unknown"
        );
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.protected =
                Requirement::every_layer(vec![demand("a", seen(true)), demand("b", seen(false))]);
        });
        assert_eq!(verdict_of(&TARGET, &facts), "fail");
    }

    #[test]
    fn judging_the_target_only_is_weaker() {
        assert!(TARGET.weaker_than(&EVERY).is_some());
        assert_eq!(EVERY.weaker_than(&TARGET), None);
    }
}
