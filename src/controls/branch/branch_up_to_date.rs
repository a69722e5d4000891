//! BR-17: what is merged was checked together with the newest state of the branch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, all_of};

/// BR-17 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BranchUpToDate {}

impl Control for BranchUpToDate {
    const META: Meta = Meta {
        code: "BR-17",
        id: "branch-up-to-date",
        title: "what is merged was checked together with the newest state of the branch",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Two changes that are each green can break the branch together, and nobody has \
                        tested that.",
        cheat: "Leaving the strict flag on while no check is required: it then holds nothing \
                        back, although the platform may still report it as on. A check has to be \
                        required too.",
        remedy_github: "turn on \"Require branches to be up to date before merging\" under \
                        \"Require status checks to pass\" in an active ruleset that targets the \
                        branch, or require a merge queue",
        remedy_gitlab: "under Settings, Merge requests set the merge method to one that needs a \
                        rebase, or turn merge trains on, and turn \"Pipelines must succeed\" on",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let current = rules.up_to_date_required.holds(|on| *on);
        let checked = rules.required_checks.holds(|checks| !checks.is_empty());
        let bad = if checked.known() == Ok(&false) {
            "no check has to succeed, so none runs on the newest state"
        } else {
            "a change can be merged without the newest state of the branch"
        };
        judge(
            &facts.branch_rules,
            &all_of([current, checked]),
            &rules.up_to_date_required.layers_where(|on| *on),
            "what is merged was checked with the newest state of the branch",
            bad,
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
    use crate::controls::branch::testing::{any_layer, checks, plan};
    use crate::controls::testing::{branch, verdict_of};

    fn verdict(current: Option<bool>, required: Option<&[&str]>) -> String {
        let facts = branch(|rules| {
            rules.up_to_date_required = any_layer(&[current]);
            rules.required_checks = any_layer(&[required.map(checks)]);
        });
        verdict_of(&BranchUpToDate {}, &facts)
    }

    #[test]
    fn a_required_check_on_the_newest_state_passes() {
        assert_eq!(verdict(Some(true), Some(&["test"])), "pass");
    }

    #[test]
    fn a_change_that_may_lag_behind_fails() {
        assert_eq!(verdict(Some(false), Some(&["test"])), "fail");
        assert_eq!(verdict(Some(false), None), "fail");
    }

    /// F26: peers believe the strict flag while no check is required.
    #[test]
    fn f26_a_strict_flag_without_a_required_check_fails() {
        assert_eq!(verdict(Some(true), Some(&[])), "fail");
        assert_eq!(verdict(None, Some(&[])), "fail");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(None, Some(&["test"])), "unknown");
        assert_eq!(verdict(Some(true), None), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(plan(&BranchUpToDate {}, "branch protection"), "fail plan");
    }
}
