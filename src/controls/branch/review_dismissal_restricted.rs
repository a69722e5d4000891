//! BR-11: only named people can dismiss a review.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::demanded;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-11 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReviewDismissalRestricted {}

impl Control for ReviewDismissalRestricted {
    const META: Meta = Meta {
        code: "BR-11",
        id: "review-dismissal-restricted",
        title: "only named people can dismiss a review",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github],
        needs: &[FactKey::BranchRules],
        rationale: "Whoever may dismiss a review can make an objection disappear just before the \
                        merge.",
        cheat: "Dismissing a request for changes, having it approved by a friend and merging. Who \
                        may dismiss has to be named; that the people named are the right ones is \
                        for the reviewer of the list.",
        remedy_github: "in an active ruleset that targets the branch turn on \"Restrict who can \
                        dismiss pull request reviews\" under \"Require a pull request before \
                        merging\", or the same in classic protection, and name people or teams",
        remedy_gitlab: "nothing to do: an approval is withdrawn only by whoever gave it, or by a \
                        push",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        demanded(
            facts,
            |rules| &rules.dismissal_restricted,
            "only named people can dismiss a review",
            "everybody with write access can dismiss a review",
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

    const SWITCH: Switch = |rules| &mut rules.dismissal_restricted;

    fn verdict(layers: &[Option<bool>]) -> String {
        switched(&ReviewDismissalRestricted {}, SWITCH, layers)
    }

    #[test]
    fn f14_one_layer_that_restricts_it_is_enough() {
        assert_eq!(verdict(&[Some(false), Some(true)]), "pass");
        assert_eq!(verdict(&[None, Some(true)]), "pass");
    }

    #[test]
    fn a_layer_without_the_restriction_fails() {
        assert_eq!(verdict(&[Some(false), Some(false)]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(false), None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&ReviewDismissalRestricted {}, "branch protection"),
            "fail plan"
        );
    }

    #[test]
    fn where_no_layer_speaks_of_it_it_fails() {
        assert_eq!(verdict(&[]), "fail");
    }
}
