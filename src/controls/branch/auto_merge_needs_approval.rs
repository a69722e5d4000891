//! BR-29: a change that merges itself was approved and checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{Fact, FactKey, Platform, Snapshot, Unknown, all_of, any_of};

/// BR-29 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AutoMergeNeedsApproval {}

impl Control for AutoMergeNeedsApproval {
    const META: Meta = Meta {
        code: "BR-29",
        id: "auto-merge-needs-approval",
        title: "a change that merges itself was approved and checked",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.5.1", "6.2.3.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::RepositorySettings],
        rationale: "Auto-merge merges as soon as nothing stands in the way; where nothing is \
                        required, that is at once.",
        cheat: "Switching auto-merge on for a change that nobody looked at, while the branch \
                        demands no approval. Where auto-merge is on, the branch has to demand an \
                        approval and a check.",
        remedy_github: "turn \"Allow auto-merge\" off under Settings, General, or demand an \
                        approval and a status check in an active ruleset that targets the branch",
        remedy_gitlab: "add an approval rule for the branch (needs Premium) and turn \"Pipelines \
                        must succeed\" on, so that auto-merge has something to wait for",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let repository = &facts.settings.repository;
        let off = match repository {
            Fact::Known { value, .. } => value.auto_merge.map_ref(|on| !on),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        };
        let fact = &facts.branch_rules;
        let held = match fact {
            Fact::Known { value, .. } => all_of([
                value.approvals_required.holds(|count| *count >= 1),
                value.required_checks.holds(|checks| !checks.is_empty()),
            ]),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        };
        let met = any_of([off.clone(), held.clone()]);
        if *met.known()? {
            let (key, seen, summary) = if held.known() == Ok(&true) {
                (
                    FactKey::BranchRules,
                    "an approval and a check are demanded",
                    "a change can merge itself only once it is approved and checked",
                )
            } else {
                (
                    FactKey::RepositorySettings,
                    "auto-merge is off",
                    "no change merges itself",
                )
            };
            return Ok(Verdict::Pass(Evidence::new(
                summary,
                key,
                seen,
                met.sources(),
            )));
        }
        Ok(unmet(
            fact,
            fact.known()?,
            "a change can merge itself without an approval and a check",
            Some("approval rules"),
        ))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, checks, repository};
    use crate::controls::testing::{branch, hidden, nothing_seen, seen, verdict_of};

    fn verdict(auto_merge: Option<bool>, approvals: Option<u32>, check: Option<&str>) -> String {
        let mut facts = branch(|rules| {
            rules.approvals_required = any_layer(&[approvals]);
            rules.required_checks = any_layer(&[Some(checks(check.as_slice()))]);
        });
        facts.settings.repository = seen(repository(
            seen(Vec::new()),
            auto_merge.map_or_else(hidden, seen),
        ));
        verdict_of(&AutoMergeNeedsApproval {}, &facts)
    }

    #[test]
    fn auto_merge_that_is_off_passes_whatever_is_hidden() {
        assert_eq!(verdict(Some(false), None, None), "pass");
        let mut facts = nothing_seen();
        facts.settings.repository = seen(repository(seen(Vec::new()), seen(false)));
        assert_eq!(verdict_of(&AutoMergeNeedsApproval {}, &facts), "pass");
    }

    #[test]
    fn an_approval_and_a_check_make_it_safe_wherever_it_is_set() {
        assert_eq!(verdict(Some(true), Some(1), Some("test")), "pass");
        assert_eq!(verdict(None, Some(1), Some("test")), "pass");
    }

    #[test]
    fn auto_merge_with_nothing_to_wait_for_fails() {
        assert_eq!(verdict(Some(true), Some(0), Some("test")), "fail");
        assert_eq!(verdict(Some(true), Some(1), None), "fail");
        assert_eq!(verdict(Some(true), None, None), "fail");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(None, Some(0), None), "unknown");
        assert_eq!(verdict(Some(true), None, Some("test")), "unknown");
    }

    #[test]
    fn a_plan_without_approval_rules_is_named() {
        let mut facts = branch(|rules| {
            rules.not_in_plan = vec!["approval rules".to_owned()];
            rules.approvals_required = any_layer(&[Some(0)]);
        });
        facts.settings.repository = seen(repository(seen(Vec::new()), seen(true)));
        assert_eq!(verdict_of(&AutoMergeNeedsApproval {}, &facts), "fail plan");
    }
}
