//! BR-12: every conversation is resolved before a merge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-12 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConversationsResolved {}

impl Control for ConversationsResolved {
    const META: Meta = Meta {
        code: "BR-12",
        id: "conversations-resolved",
        title: "every conversation is resolved before a merge",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.28"]),
            (Framework::PciDss, &["6.2.3"]),
            (Framework::Nist80053, &["CM-3", "SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "An objection that nobody has to answer is a note, not a review.",
        cheat: "Merging over an open objection of a reviewer whose approval is not needed. The \
                        requirement is judged; that a conversation was closed for a good reason is \
                        not.",
        remedy_github: "turn on \"Require conversation resolution before merging\" under \
                        \"Require a pull request before merging\" in an active ruleset that \
                        targets the branch, or in classic protection",
        remedy_gitlab: "under Settings, Merge requests, Merge checks turn \"All threads must be \
                        resolved\" on",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.conversations_resolved,
            "every conversation has to be resolved before a merge",
            "a change can be merged over open conversations",
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
    use crate::controls::branch::testing::{Switch, plan, switched};

    const SWITCH: Switch = |rules| &mut rules.conversations_resolved;

    fn verdict(layers: &[Option<bool>]) -> String {
        switched(&ConversationsResolved {}, SWITCH, layers)
    }

    #[test]
    fn f14_one_layer_that_demands_it_is_enough() {
        assert_eq!(verdict(&[Some(false), Some(true)]), "pass");
        assert_eq!(verdict(&[None, Some(true)]), "pass");
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        assert_eq!(verdict(&[Some(false), Some(false)]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(false), None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&ConversationsResolved {}, "branch protection"),
            "fail plan"
        );
    }

    #[test]
    fn where_no_layer_speaks_of_it_it_fails() {
        assert_eq!(verdict(&[]), "fail");
    }
}
