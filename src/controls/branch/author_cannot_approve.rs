//! BR-06: whoever opened a change cannot approve it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-06 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthorCannotApprove {}

impl Control for AuthorCannotApprove {
    const META: Meta = Meta {
        code: "BR-06",
        id: "author-cannot-approve",
        title: "whoever opened a change cannot approve it",
        criteria: &[Criterion::Cc5_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["AC-5", "CM-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "An approval by the person who wants the change in is no second opinion.",
        cheat: "Leaving the setting off and approving the own change from the same account. The \
                        setting itself is judged; a second account of the same person is seen by \
                        nobody here.",
        remedy_github: "turn on \"Require a pull request before merging\" in an active ruleset \
                        that targets the branch: an approval by the author is then never counted",
        remedy_gitlab: "under Settings, Merge requests, Merge request approvals turn \"Prevent \
                        approval by merge request creator\" on (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.author_approval_blocked,
            "whoever opened a change cannot approve it",
            "whoever opened a change can approve it",
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

    const SWITCH: Switch = |rules| &mut rules.author_approval_blocked;

    fn verdict(layers: &[Option<bool>]) -> String {
        switched(&AuthorCannotApprove {}, SWITCH, layers)
    }

    #[test]
    fn f14_one_layer_that_prevents_it_is_enough() {
        assert_eq!(verdict(&[Some(false), Some(true)]), "pass");
        assert_eq!(verdict(&[None, Some(true)]), "pass");
    }

    #[test]
    fn an_author_who_can_approve_fails() {
        assert_eq!(verdict(&[Some(false), Some(false)]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(false), None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&AuthorCannotApprove {}, "approval settings"),
            "fail plan"
        );
    }

    #[test]
    fn a_setting_that_no_layer_makes_is_not_taken_for_granted() {
        assert_eq!(verdict(&[]), "fail");
    }
}
