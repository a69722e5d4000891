//! DEP-04: only protected branches and tags can be deployed to production. A
//! pattern of names is no protection: whoever may push a branch of that name
//! deploys it. What the protection is worth is judged by the controls of branches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::production::{Production, REFS};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    DeployableRefs, Fact, FactKey, InScopeBranch, Platform, Snapshot, Unknown, any_of,
};

/// Parameters of DEP-04.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OnlyProtectedRefsDeployed {
    /// Globs of the environments that are production, beside those of that tier.
    #[schemars(with = "Vec<String>")]
    production: Production,
    /// Whether there has to be a production environment.
    required: bool,
    /// Patterns of branches or tags, letter for letter as the platform has them, of which
    /// the policy's author knows that something else protects all they match, e.g. `v*`.
    protected_patterns: Vec<String>,
}

impl Control for OnlyProtectedRefsDeployed {
    const META: Meta = Meta {
        code: "DEP-04",
        id: "only-protected-refs-deployed",
        title: "only protected branches and tags can be deployed to production",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.31", "A.8.32"]),
            (Framework::PciDss, &["6.5.1", "6.5.3"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::DeploymentEnvironments, FactKey::BranchInventory],
        rationale: "If any branch can be deployed, code reaches production without ever passing \
                    the rules of the protected one.",
        cheat: "Limiting deployment to protected branches while none is protected, or to a pattern \
                that a fresh branch fits. Of the branches in scope one has to be protected, and a \
                pattern counts only if it names a protected branch in full or the policy vouches \
                for it.",
        remedy_github: "under Settings, Environments, choose the environment and set \"Deployment \
                        branches and tags\" to \"Protected branches only\"",
        remedy_gitlab: "protect the environment and mark its variables and runners as protected, \
                        so that only protected branches and tags can deploy",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let branches = &facts.settings.in_scope_branches;
        self.production.judge(
            self.required,
            &facts.settings.environments,
            (
                "only protected branches and tags can be deployed to production",
                "production can be deployed to from what nothing protects",
            ),
            &REFS,
            |environment| match environment.refs.known()? {
                DeployableRefs::Anything => Ok(Some("any branch or tag".to_owned())),
                // Where no branch is protected, GitHub lets every branch deploy:
                // https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments
                DeployableRefs::ProtectedOnly => {
                    let any = any_of(branches.known()?.iter().map(protected));
                    let none = "only protected branches, but none in scope is protected";
                    Ok((!*any.known()?).then(|| none.to_owned()))
                }
                DeployableRefs::Patterns(patterns) => self.unprotected(patterns, branches),
            },
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let more: Vec<String> = self
            .protected_patterns
            .iter()
            .filter(|pattern| !base.protected_patterns.contains(pattern))
            .cloned()
            .collect();
        let more = (!more.is_empty()).then(|| format!("takes {} to be protected", more.join(", ")));
        let less = self
            .production
            .weaker(self.required, &base.production, base.required);
        let all: Vec<String> = more.into_iter().chain(less).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

impl OnlyProtectedRefsDeployed {
    /// The patterns that match what nothing is known to protect, in words.
    fn unprotected(
        &self,
        patterns: &[String],
        branches: &Fact<Vec<InScopeBranch>>,
    ) -> Result<Option<String>, Unknown> {
        let mut wrong = Vec::new();
        let mut hidden = None;
        for pattern in patterns {
            if self.protected_patterns.contains(pattern) {
                continue;
            }
            match named(pattern, branches) {
                Ok(true) => {}
                Ok(false) => wrong.push(format!("`{pattern}`")),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !wrong.is_empty() {
            return Ok(Some(format!("whatever is called {}", some(&wrong))));
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(None),
        }
    }
}

/// Whether the pattern is the full name of a protected branch.
fn named(pattern: &str, branches: &Fact<Vec<InScopeBranch>>) -> Result<bool, Unknown> {
    if pattern.contains(['*', '?', '[', '{', '\\']) {
        return Ok(false);
    }
    let branches = branches.known()?;
    match branches.iter().find(|branch| branch.name == pattern) {
        Some(branch) => protected(branch).known().copied(),
        None => Ok(false),
    }
}

fn protected(branch: &InScopeBranch) -> Fact<bool> {
    branch.layers.map_ref(|layers| !layers.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::deployment::production::tests::{deployed_to, guarded, open};
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Environment;

    fn branch(name: &str, protected: Fact<bool>) -> InScopeBranch {
        InScopeBranch {
            name: name.to_owned(),
            layers: protected.map(|yes| {
                if yes {
                    vec!["ruleset \"main\"".to_owned()]
                } else {
                    Vec::new()
                }
            }),
        }
    }

    fn facts(refs: Fact<DeployableRefs>, branches: Fact<Vec<InScopeBranch>>) -> Snapshot {
        let production = Environment {
            refs,
            ..guarded("production")
        };
        let mut facts = deployed_to(vec![production, open("staging")], &[]);
        facts.settings.in_scope_branches = branches;
        facts
    }

    fn verdict(refs: DeployableRefs, branches: Fact<Vec<InScopeBranch>>) -> String {
        let facts = facts(seen(refs), branches);
        verdict_of(&OnlyProtectedRefsDeployed::default(), &facts)
    }

    fn patterns(all: &[&str]) -> DeployableRefs {
        DeployableRefs::Patterns(all.iter().map(|&pattern| pattern.to_owned()).collect())
    }

    fn main(protected: Fact<bool>) -> Fact<Vec<InScopeBranch>> {
        seen(vec![branch("main", protected)])
    }

    fn vouching(pattern: &str) -> OnlyProtectedRefsDeployed {
        OnlyProtectedRefsDeployed {
            protected_patterns: vec![pattern.to_owned()],
            ..OnlyProtectedRefsDeployed::default()
        }
    }

    #[test]
    fn protected_branches_only_passes_and_any_branch_fails() {
        assert_eq!(
            verdict(DeployableRefs::ProtectedOnly, main(seen(true))),
            "pass"
        );
        assert_eq!(verdict(DeployableRefs::Anything, main(seen(true))), "fail");
        assert_eq!(verdict(DeployableRefs::Anything, hidden()), "fail");
    }

    #[test]
    fn protected_branches_only_holds_nobody_back_where_none_is_protected() {
        assert_eq!(
            verdict(DeployableRefs::ProtectedOnly, main(seen(false))),
            "fail"
        );
        assert_eq!(
            verdict(DeployableRefs::ProtectedOnly, seen(Vec::new())),
            "fail"
        );
    }

    #[test]
    fn a_pattern_counts_if_it_is_the_name_of_a_protected_branch() {
        assert_eq!(verdict(patterns(&["main"]), main(seen(true))), "pass");
        assert_eq!(verdict(patterns(&["main"]), main(seen(false))), "fail");
        assert_eq!(
            verdict(patterns(&["main", "dev"]), main(seen(true))),
            "fail"
        );
        assert_eq!(verdict(patterns(&["mai?"]), main(seen(true))), "fail");
        assert_eq!(verdict(patterns(&["*"]), main(seen(true))), "fail");
    }

    #[test]
    fn a_pattern_that_the_policy_vouches_for_counts() {
        let tags = facts(seen(patterns(&["v*"])), hidden());
        assert_eq!(verdict_of(&vouching("v*"), &tags), "pass");
        assert_eq!(verdict_of(&vouching("V*"), &tags), "fail");
    }

    #[test]
    fn what_cannot_be_seen_leaves_it_unknown_unless_something_is_proven_wrong() {
        assert_eq!(verdict(DeployableRefs::ProtectedOnly, hidden()), "unknown");
        assert_eq!(
            verdict(DeployableRefs::ProtectedOnly, main(hidden())),
            "unknown"
        );
        let one_is = seen(vec![branch("a", hidden()), branch("b", seen(true))]);
        assert_eq!(verdict(DeployableRefs::ProtectedOnly, one_is), "pass");
        assert_eq!(verdict(patterns(&["main"]), hidden()), "unknown");
        assert_eq!(verdict(patterns(&["main"]), main(hidden())), "unknown");
        assert_eq!(verdict(patterns(&["main", "*"]), hidden()), "fail");
        let unseen = facts(hidden(), main(seen(true)));
        let control = OnlyProtectedRefsDeployed::default();
        assert_eq!(verdict_of(&control, &unseen), "unknown");
    }

    #[test]
    fn a_plan_that_cannot_limit_what_is_deployed_is_the_reason() {
        let control = OnlyProtectedRefsDeployed::default();
        let lacking = |feature| deployed_to(vec![open("production")], &[feature]);
        let limits = lacking("deployment branches");
        assert_eq!(verdict_of(&control, &limits), "fail plan");
        let reviewers = lacking("required reviewers");
        assert_eq!(verdict_of(&control, &reviewers), "fail");
    }

    #[test]
    fn without_production_it_has_no_meaning_whatever_is_hidden() {
        let control = OnlyProtectedRefsDeployed::default();
        let facts = deployed_to(vec![open("dev")], &[]);
        assert_eq!(verdict_of(&control, &facts), "not_applicable");
    }

    #[test]
    fn vouching_for_more_is_weaker() {
        let none = OnlyProtectedRefsDeployed::default();
        assert!(vouching("v*").weaker_than(&none).is_some());
        assert!(none.weaker_than(&vouching("v*")).is_none());
    }
}
