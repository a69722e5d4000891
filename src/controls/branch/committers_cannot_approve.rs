//! BR-07: whoever committed to a change cannot approve it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, any_of};

/// Parameters of BR-07.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CommittersCannotApprove {
    /// Whether it is enough that the newest push needs the approval of somebody
    /// else. That holds off whoever pushed last, and nobody who committed before;
    /// a platform may offer no more.
    last_push_counts: bool,
}

impl Control for CommittersCannotApprove {
    const META: Meta = Meta {
        code: "BR-07",
        id: "committers-cannot-approve",
        title: "whoever committed to a change cannot approve it",
        criteria: &[Criterion::Cc5_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["AC-5", "CM-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Who wrote a part of the change approves their own work, whoever opened it.",
        cheat: "Letting a colleague open the change and approving the own commits in it. Approval \
                        of the last push alone holds off one of several authors, so it counts only \
                        where the policy says so.",
        remedy_github: "turn on \"Require approval of the most recent reviewable push\", accept \
                        in the policy with `last_push_counts: true` that it holds off the last of \
                        several committers only, and let `approver-is-independent` judge each \
                        change",
        remedy_gitlab: "under Settings, Merge requests, Merge request approvals turn \"Prevent \
                        approvals by users who add commits\" on (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let last_push = self
            .last_push_counts
            .then_some(&rules.last_push_approval_required);
        let counted = || {
            [Some(&rules.committer_approval_blocked), last_push]
                .into_iter()
                .flatten()
        };
        let whole = rules.committer_approval_blocked.holds(|on| *on);
        let by: Vec<&str> = counted()
            .flat_map(|requirement| requirement.layers_where(|on| *on))
            .collect();
        judge(
            &facts.branch_rules,
            &any_of(counted().map(|requirement| requirement.holds(|on| *on))),
            &by,
            if whole.known() == Ok(&true) {
                "whoever committed cannot approve"
            } else {
                "whoever pushed last cannot be the only one to approve, which the policy accepts"
            },
            "whoever committed to a change can approve it",
            Some("approval settings"),
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.last_push_counts && !base.last_push_counts)
            .then(|| "accepts that only whoever pushed last is held off".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, plan};
    use crate::controls::testing::{branch, verdict_of};

    const STRICT: CommittersCannotApprove = CommittersCannotApprove {
        last_push_counts: false,
    };
    const LENIENT: CommittersCannotApprove = CommittersCannotApprove {
        last_push_counts: true,
    };

    fn verdict(
        control: &CommittersCannotApprove,
        committers: Option<bool>,
        last_push: Option<bool>,
    ) -> String {
        let facts = branch(|rules| {
            rules.committer_approval_blocked = any_layer(&[committers]);
            rules.last_push_approval_required = any_layer(&[last_push]);
        });
        verdict_of(control, &facts)
    }

    #[test]
    fn committers_who_are_held_off_pass() {
        assert_eq!(verdict(&STRICT, Some(true), None), "pass");
    }

    #[test]
    fn approval_of_the_last_push_is_less_and_counts_only_where_the_policy_says_so() {
        assert_eq!(verdict(&STRICT, Some(false), Some(true)), "fail");
        assert_eq!(verdict(&LENIENT, Some(false), Some(true)), "pass");
        assert_eq!(verdict(&LENIENT, Some(false), Some(false)), "fail");
        assert!(LENIENT.weaker_than(&STRICT).is_some());
        assert_eq!(STRICT.weaker_than(&LENIENT), None);
    }

    #[test]
    fn what_counts_and_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(&STRICT, None, Some(true)), "unknown");
        assert_eq!(verdict(&LENIENT, Some(false), None), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(plan(&STRICT, "approval settings"), "fail plan");
    }
}
