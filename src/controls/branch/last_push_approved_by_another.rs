//! BR-05: the newest push is approved by somebody else than who pushed it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, any_of};

/// BR-05 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LastPushApprovedByAnother {}

impl Control for LastPushApprovedByAnother {
    const META: Meta = Meta {
        code: "BR-05",
        id: "last-push-approved-by-another",
        title: "the newest push is approved by somebody else than who pushed it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["AC-5", "CM-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Without it a reviewer can push a last commit of their own and approve it in \
                        the same breath.",
        cheat: "Pushing to a colleague's change and approving it as its reviewer. Either the \
                        newest push needs another person's approval, or nobody who committed may \
                        approve at all.",
        remedy_github: "turn on \"Require approval of the most recent reviewable push\" under \
                        \"Require a pull request before merging\" in an active ruleset that \
                        targets the branch, or in classic protection",
        remedy_gitlab: "under Settings, Merge requests, Merge request approvals turn \"Prevent \
                        approvals by users who add commits\" on (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        // Whoever pushed last committed too, as far as a platform can tell.
        let either = [
            &rules.last_push_approval_required,
            &rules.committer_approval_blocked,
        ];
        let by: Vec<&str> = either
            .iter()
            .flat_map(|requirement| requirement.layers_where(|on| *on))
            .collect();
        judge(
            &facts.branch_rules,
            &any_of(either.map(|requirement| requirement.holds(|on| *on))),
            &by,
            "the newest push needs the approval of somebody else",
            "whoever pushed last can approve it",
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
    use crate::controls::branch::testing::{any_layer, plan};
    use crate::controls::testing::{branch, verdict_of};

    /// What each layer demands of the last push, and of those who committed.
    fn verdict(last_push: &[Option<bool>], committers: &[Option<bool>]) -> String {
        let facts = branch(|rules| {
            rules.last_push_approval_required = any_layer(last_push);
            rules.committer_approval_blocked = any_layer(committers);
        });
        verdict_of(&LastPushApprovedByAnother {}, &facts)
    }

    #[test]
    fn f14_either_requirement_in_one_layer_is_enough() {
        assert_eq!(verdict(&[Some(false), Some(true)], &[None]), "pass");
        assert_eq!(verdict(&[Some(false)], &[Some(true)]), "pass");
    }

    #[test]
    fn neither_fails() {
        assert_eq!(verdict(&[Some(false)], &[Some(false)]), "fail");
    }

    #[test]
    fn one_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(false), None], &[Some(false)]), "unknown");
        assert_eq!(verdict(&[Some(false)], &[None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&LastPushApprovedByAnother {}, "approval settings"),
            "fail plan"
        );
    }
}
