//! BR-25: every commit has to be signed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-25 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SignedCommitsRequired {}

impl Control for SignedCommitsRequired {
    const META: Meta = Meta {
        code: "BR-25",
        id: "signed-commits-required",
        title: "every commit has to be signed",
        criteria: &[Criterion::Cc6_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.5"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-5", "IA-2"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "The name in a commit is whatever its author typed; only a signature ties it \
                        to somebody.",
        cheat: "Committing under a colleague's name and address. The platform has to refuse what \
                        is not signed; whose key it was is judged on the change.",
        remedy_github: "turn on \"Require signed commits\" in an active ruleset that targets the \
                        branch, or in classic protection",
        remedy_gitlab: "under Settings, Repository, Push rules turn \"Reject unsigned commits\" \
                        on (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.signatures_required,
            "commits have to be signed",
            "unsigned commits are accepted",
            Some("push rules"),
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

    const SWITCH: Switch = |rules| &mut rules.signatures_required;

    fn verdict(layers: &[Option<bool>]) -> String {
        switched(&SignedCommitsRequired {}, SWITCH, layers)
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
        assert_eq!(plan(&SignedCommitsRequired {}, "push rules"), "fail plan");
    }

    #[test]
    fn where_no_layer_speaks_of_it_it_fails() {
        assert_eq!(verdict(&[]), "fail");
    }
}
