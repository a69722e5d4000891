//! BR-18: force pushes to the branch are refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::{met_by, unmet};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-18 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForcePushBlocked {}

impl Control for ForcePushBlocked {
    const META: Meta = Meta {
        code: "BR-18",
        id: "force-push-blocked",
        title: "force pushes to the branch are blocked",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_2],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "A force push replaces reviewed history; what was approved is then no longer \
                    what is on the branch.",
        cheat: "Adding a second, more permissive protected-branch entry, or leaving the branch \
                without any protection so that a tool finds no setting to complain about. Every \
                matching entry is judged, and no protection at all is a fail.",
        remedy_github: "turn on \"Block force pushes\" in an active ruleset that targets the branch; \
                        in classic protection turn \"Allow force pushes\" off",
        remedy_gitlab: "turn \"Allowed to force push\" off in every protected-branch entry that \
                        matches the branch, wildcards and group entries included",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let blocked = rules.force_push_blocked.holds(|blocked| *blocked);
        let layers = |wanted: bool| {
            rules
                .force_push_blocked
                .layers_where(|blocked| *blocked == wanted)
                .join(", ")
        };
        if *blocked.known()? {
            let by = rules.force_push_blocked.layers_where(|blocked| *blocked);
            return Ok(Verdict::Pass(met_by(
                rules,
                &by,
                &format!(
                    "force pushes to {} are blocked by {}",
                    rules.branch,
                    layers(true)
                ),
                format!("blocked by {}", layers(true)),
                blocked.sources(),
            )));
        }
        if rules.layers.is_empty() {
            return Ok(unmet(
                fact,
                rules,
                "everybody with write access can force-push",
                None,
            ));
        }
        Ok(Verdict::fail(Evidence::new(
            format!(
                "{} can be force-pushed: allowed by {}",
                rules.branch,
                layers(false)
            ),
            FactKey::BranchRules,
            format!("not blocked by {}", layers(false)),
            fact.sources(),
        )))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, demand, hidden, seen, verdict_of};
    use crate::facts::{Fact, Requirement, Snapshot};

    /// Whether each layer blocks force pushes, where one layer that does is enough.
    fn blocked(layers: Vec<Fact<bool>>) -> Snapshot {
        branch(|rules| {
            rules.force_push_blocked = Requirement::any_layer(
                layers
                    .into_iter()
                    .map(|blocked| demand("ruleset \"main\"", blocked))
                    .collect(),
            );
        })
    }

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&ForcePushBlocked {}, facts)
    }

    /// F5: a peer reads the setting the wrong way round and fails this.
    #[test]
    fn f5_f14_a_ruleset_that_blocks_it_passes() {
        assert_eq!(verdict(&blocked(vec![seen(true)])), "pass");
        assert_eq!(verdict(&blocked(vec![seen(false), seen(true)])), "pass");
    }

    /// F6: and passes this.
    #[test]
    fn f6_a_branch_that_can_be_force_pushed_fails() {
        assert_eq!(verdict(&blocked(vec![seen(false)])), "fail");
    }

    #[test]
    fn f6_one_entry_that_allows_it_fails_where_every_entry_has_to_block_it() {
        let facts = branch(|rules| {
            rules.force_push_blocked = Requirement::every_layer(vec![
                demand("protected branch \"main\"", seen(true)),
                demand("protected branch \"m*\"", seen(false)),
                demand("protected branches of a group", hidden()),
            ]);
        });
        assert_eq!(verdict(&facts), "fail");
    }

    /// F1, F10, F13: peers pass or shrug when nothing protects the branch.
    #[test]
    fn f1_f10_f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.force_push_blocked = Requirement::any_layer(vec![]);
        });
        assert_eq!(verdict(&facts), "fail unprotected");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.force_push_blocked = Requirement::any_layer(vec![]);
        });
        assert_eq!(verdict(&facts), "fail plan");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown_unless_another_one_blocks_it() {
        assert_eq!(verdict(&blocked(vec![seen(false), hidden()])), "unknown");
        assert_eq!(verdict(&blocked(vec![seen(true), hidden()])), "pass");
    }
}
