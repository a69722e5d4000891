//! BR-10: the approval rules cannot be changed within a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-10 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApprovalRulesLocked {}

impl Control for ApprovalRulesLocked {
    const META: Meta = Meta {
        code: "BR-10",
        id: "approval-rules-locked",
        title: "the approval rules cannot be changed within a change",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Rules that the author of a change may rewrite for that one change bind \
                        nobody.",
        cheat: "Lowering the number of approvals or naming a friend as approver in the change \
                        itself. The setting of the project or group decides, not what one change \
                        carries.",
        remedy_github: "nothing to do: no pull request can change how many approvals it needs",
        remedy_gitlab: "under Settings, Merge requests, Merge request approvals turn \"Prevent \
                        editing approval rules in merge requests\" on (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.approval_rules_locked,
            "approval rules cannot be changed within a change",
            "the author of a change can change its approval rules",
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
    use crate::controls::branch::testing::{Switch, plan, switched};

    const SWITCH: Switch = |rules| &mut rules.approval_rules_locked;

    fn verdict(layers: &[Option<bool>]) -> String {
        switched(&ApprovalRulesLocked {}, SWITCH, layers)
    }

    #[test]
    fn a_lock_by_the_group_is_enough() {
        assert_eq!(verdict(&[Some(false), Some(true)]), "pass");
        assert_eq!(verdict(&[None, Some(true)]), "pass");
    }

    #[test]
    fn rules_that_can_be_edited_fail() {
        assert_eq!(verdict(&[Some(false), Some(false)]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(false), None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&ApprovalRulesLocked {}, "approval settings"),
            "fail plan"
        );
    }

    #[test]
    fn a_project_that_does_not_say_has_not_locked_them() {
        assert_eq!(verdict(&[]), "fail");
    }
}
