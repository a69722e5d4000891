//! BR-13: checks are required before a merge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, all_of};

/// BR-13 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChecksRequired {}

impl Control for ChecksRequired {
    const META: Meta = Meta {
        code: "BR-13",
        id: "checks-required",
        title: "checks are required before a merge",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Tests that may fail without holding anything back are advice, not a control.",
        cheat: "Turning the rule on with an empty list, or letting a skipped pipeline count as \
                        success. The list has to name a check, and what was skipped or never ran has \
                        to block.",
        remedy_github: "turn on \"Require status checks to pass\" in an active ruleset that targets \
                        the branch and add at least one check to its list",
        remedy_gitlab: "under Settings, Merge requests, Merge checks turn \"Pipelines must succeed\" \
                        on and \"Skipped pipelines are considered successful\" off",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let listed = rules.required_checks.holds(|checks| !checks.is_empty());
        let strict = rules.skipped_checks_block.holds(|on| *on);
        let bad = if listed.known() == Ok(&true) {
            "a check that was skipped or never ran counts as success"
        } else {
            "no check has to succeed before a merge"
        };
        judge(
            &facts.branch_rules,
            &all_of([listed, strict]),
            &rules
                .required_checks
                .layers_where(|checks| !checks.is_empty()),
            "checks have to succeed before a merge",
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
    use crate::controls::testing::{branch, demand, hidden, verdict_of};
    use crate::facts::{BranchRules, Fact, RequiredCheck, Requirement};

    fn check(name: &str) -> Vec<RequiredCheck> {
        vec![RequiredCheck {
            name: name.to_owned(),
            app: None,
        }]
    }

    /// What each layer lists; every layer that lists something does not take absence for success.
    fn listing(rules: &mut BranchRules, layers: Vec<Vec<RequiredCheck>>) {
        let demands = |value: fn(Vec<RequiredCheck>) -> bool| {
            layers
                .iter()
                .map(|list| demand("r", Fact::known_without_source(value(list.clone()))))
                .collect()
        };
        rules.skipped_checks_block = Requirement::any_layer(demands(|list| !list.is_empty()));
        rules.required_checks = Requirement::any_layer(
            layers
                .into_iter()
                .map(|list| demand("r", Fact::known_without_source(list)))
                .collect(),
        );
    }

    fn verdict(fill: impl FnOnce(&mut BranchRules)) -> String {
        verdict_of(&ChecksRequired::default(), &branch(fill))
    }

    #[test]
    fn f14_a_ruleset_that_names_a_check_passes() {
        let seen = verdict(|rules| listing(rules, vec![Vec::new(), check("build")]));
        assert_eq!(seen, "pass");
    }

    /// F26: the platform's strict flag reads true while no check is required.
    #[test]
    fn f22_f26_an_empty_list_fails_whatever_else_is_switched_on() {
        assert_eq!(verdict(|rules| listing(rules, vec![Vec::new()])), "fail");
        let seen = verdict(|rules| {
            listing(rules, vec![Vec::new()]);
            rules.skipped_checks_block =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
        });
        assert_eq!(seen, "fail");
    }

    #[test]
    fn a_pipeline_that_may_be_skipped_fails_and_says_so() {
        let facts = branch(|rules| {
            listing(rules, vec![check("pipeline")]);
            rules.skipped_checks_block =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(false))]);
        });
        let control = ChecksRequired::default();
        assert_eq!(verdict_of(&control, &facts), "fail");
        let Ok(Verdict::Fail(failure)) = control.evaluate(&facts) else {
            panic!("it fails");
        };
        assert!(failure.evidence.summary().contains("skipped"));
    }

    #[test]
    fn whether_skipping_counts_is_unknown_where_it_could_not_be_read() {
        let seen = verdict(|rules| {
            listing(rules, vec![check("pipeline")]);
            rules.skipped_checks_block = Requirement::any_layer(vec![demand("r", hidden())]);
        });
        assert_eq!(seen, "unknown");
    }

    #[test]
    fn f13_an_unprotected_branch_fails() {
        let seen = verdict(|rules| {
            rules.layers.clear();
            listing(rules, Vec::new());
        });
        assert_eq!(seen, "fail unprotected");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let seen = verdict(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            listing(rules, Vec::new());
        });
        assert_eq!(seen, "fail plan");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let seen = verdict(|rules| {
            listing(rules, vec![Vec::new()]);
            rules.required_checks.demands.push(demand("c", hidden()));
            rules
                .skipped_checks_block
                .demands
                .push(demand("c", hidden()));
        });
        assert_eq!(seen, "unknown");
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails_where_every_entry_has_to_demand_it() {
        let seen = verdict(|rules| {
            listing(rules, vec![check("build"), Vec::new()]);
            rules.required_checks.combine = crate::facts::Combine::EveryLayer;
        });
        assert_eq!(seen, "fail");
    }
}
