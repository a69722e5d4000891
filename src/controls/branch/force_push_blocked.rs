//! BR-18: force pushes to the branch are refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::Criterion;
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
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "A force push replaces reviewed history; what was approved is then no longer \
                    what is on the branch.",
        cheat: "Adding a second, more permissive protected-branch entry, or leaving the branch \
                without any protection so that a tool finds no setting to complain about. Every \
                matching entry is judged, and no protection at all is a fail.",
        remedy_github: "add a ruleset for the branch with the rule \"Block force pushes\"",
        remedy_gitlab: "turn \"Allowed to force push\" off in every protected-branch entry that \
                        matches the branch",
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
            return Ok(Verdict::Pass(Evidence::new(
                format!(
                    "force pushes to {} are blocked by {}",
                    rules.branch,
                    layers(true)
                ),
                FactKey::BranchRules,
                format!("blocked by {}", layers(true)),
                blocked.sources(),
            )));
        }
        if rules.layers.is_empty() {
            return Ok(Verdict::fail_because(
                if rules.not_in_plan.is_empty() {
                    FailReason::Unprotected
                } else {
                    FailReason::Plan
                },
                Evidence::new(
                    format!(
                        "nothing protects {}: everybody with write access can force-push",
                        rules.branch
                    ),
                    FactKey::BranchRules,
                    "no layer",
                    fact.sources(),
                ),
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
    use crate::controls::testing::{branch, verdict_of};
    use crate::facts::{Fact, Requirement};

    #[test]
    fn a_ruleset_that_blocks_it_passes() {
        let facts = branch(|rules| {
            rules.force_push_blocked =
                Requirement::any_layer(vec![crate::controls::testing::demand(
                    "ruleset \"main\"",
                    Fact::known_without_source(true),
                )]);
        });
        assert_eq!(verdict_of(&ForcePushBlocked {}, &facts), "pass");
    }

    /// F1, F10, F13: peers pass or shrug when nothing protects the branch.
    #[test]
    fn f1_f10_f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.force_push_blocked = Requirement::any_layer(vec![]);
        });
        assert_eq!(verdict_of(&ForcePushBlocked {}, &facts), "fail unprotected");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.force_push_blocked = Requirement::any_layer(vec![
                crate::controls::testing::demand(
                    "ruleset \"main\"",
                    Fact::known_without_source(false),
                ),
                crate::controls::testing::demand(
                    "classic protection",
                    crate::controls::testing::hidden(),
                ),
            ]);
        });
        assert_eq!(verdict_of(&ForcePushBlocked {}, &facts), "unknown");
    }
}
