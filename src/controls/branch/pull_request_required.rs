//! BR-02: changes reach the branch through a pull or merge request only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-02 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PullRequestRequired {}

impl Control for PullRequestRequired {
    const META: Meta = Meta {
        code: "BR-02",
        id: "pull-request-required",
        title: "changes reach the branch through a pull or merge request only",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "What is pushed directly was seen by nobody else, and no check held it back.",
        cheat: "Keeping a second protected-branch entry, such as a wildcard, that lets some \
                        role push. Every entry that matches is judged, and the most permissive one \
                        decides, as on the platform.",
        remedy_github: "turn on \"Require a pull request before merging\" in an active ruleset that \
                        targets the branch",
        remedy_gitlab: "set \"Allowed to push and merge\" to \"No one\" in every protected-branch \
                        entry that matches the branch, wildcards and group entries included",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.pull_request_required,
            "changes come through a pull or merge request only",
            "commits can be pushed without a pull or merge request",
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
    use crate::facts::{Fact, Requirement};

    #[test]
    fn a_ruleset_that_demands_it_passes() {
        let facts = branch(|rules| {
            rules.pull_request_required =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(true))]);
        });
        assert_eq!(verdict_of(&PullRequestRequired::default(), &facts), "pass");
    }

    #[test]
    fn a_layer_that_does_not_demand_it_fails() {
        let facts = branch(|rules| {
            rules.pull_request_required =
                Requirement::any_layer(vec![demand("r", Fact::known_without_source(false))]);
        });
        assert_eq!(verdict_of(&PullRequestRequired::default(), &facts), "fail");
    }

    #[test]
    fn f13_an_unprotected_branch_fails() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.pull_request_required = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&PullRequestRequired::default(), &facts),
            "fail unprotected"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        let facts = branch(|rules| {
            rules.layers.clear();
            rules.not_in_plan = vec!["branch protection".to_owned()];
            rules.pull_request_required = Requirement::any_layer(vec![]);
        });
        assert_eq!(
            verdict_of(&PullRequestRequired::default(), &facts),
            "fail plan"
        );
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        let facts = branch(|rules| {
            rules.pull_request_required = Requirement::any_layer(vec![
                demand("r", Fact::known_without_source(false)),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(
            verdict_of(&PullRequestRequired::default(), &facts),
            "unknown"
        );
    }

    #[test]
    fn one_permissive_entry_beside_a_strict_one_fails() {
        let facts = branch(|rules| {
            rules.pull_request_required = Requirement::every_layer(vec![
                demand("a", Fact::known_without_source(true)),
                demand("b", Fact::known_without_source(false)),
            ]);
        });
        assert_eq!(verdict_of(&PullRequestRequired::default(), &facts), "fail");
    }
}
