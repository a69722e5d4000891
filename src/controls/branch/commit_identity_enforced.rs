//! BR-30: the platform refuses commits under names that it does not know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-30 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CommitIdentityEnforced {}

impl Control for CommitIdentityEnforced {
    const META: Meta = Meta {
        code: "BR-30",
        id: "commit-identity-enforced",
        title: "the platform refuses commits under a name or address that the rules do not allow",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.5", "A.8.32"]),
            (Framework::PciDss, &["8.2.1"]),
            (Framework::Nist80053, &["IA-2", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "A commit that names a stranger, or a colleague who never saw it, cannot be \
                        traced to anybody.",
        cheat: "Committing under an invented address, so that no author seems to be involved. Any \
                        rule that the platform enforces counts; whether its pattern is narrow is \
                        for the reader of the summary.",
        remedy_github: "add a \"Restrict commit metadata\" rule with an author or committer email \
                        pattern to an active ruleset that targets the branch (needs Enterprise)",
        remedy_gitlab: "under Settings, Repository, Push rules turn \"Check whether the commit \
                        author is a GitLab user\" or \"Reject unverified users\" on, or set \
                        \"Commit author's email\" (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let met = rules.identity_rules.holds(|words| !words.is_empty());
        let mut words: Vec<&str> = rules
            .identity_rules
            .known()
            .flat_map(|(_, words)| words.iter().map(String::as_str))
            .collect();
        words.sort_unstable();
        words.dedup();
        judge(
            &facts.branch_rules,
            &met,
            &rules.identity_rules.layers_where(|words| !words.is_empty()),
            &format!(
                "who may be named in a commit is limited ({})",
                words.join(", ")
            ),
            "a commit may name anybody as its author",
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
    use crate::controls::branch::testing::{Field, demanding, plan};
    use crate::controls::testing::verdict_of;

    const RULES: Field<Vec<String>> = |rules| &mut rules.identity_rules;

    fn verdict(layers: &[Option<&str>]) -> String {
        let layers: Vec<Option<Vec<String>>> = layers
            .iter()
            .map(|words| words.map(|words| words.split_whitespace().map(str::to_owned).collect()))
            .collect();
        verdict_of(&CommitIdentityEnforced {}, &demanding(RULES, &layers))
    }

    #[test]
    fn f14_a_rule_in_one_layer_is_enough() {
        assert_eq!(verdict(&[Some(""), Some("member_check"), None]), "pass");
    }

    #[test]
    fn no_rule_fails() {
        assert_eq!(verdict(&[Some("")]), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(""), None]), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(plan(&CommitIdentityEnforced {}, "push rules"), "fail plan");
    }
}
