//! ORG-19: a repository is protected on the day it is made. Those that were there
//! before are judged one by one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::lowered;
use super::parts::{Look, judge, part};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-19.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NewRepositoriesProtected {
    /// Whether a security configuration has to be attached to new repositories too.
    security_configuration: bool,
}

impl Default for NewRepositoriesProtected {
    fn default() -> Self {
        Self {
            security_configuration: true,
        }
    }
}

const KEY: FactKey = FactKey::OrganizationDefaults;

impl Control for NewRepositoriesProtected {
    const META: Meta = Meta {
        code: "ORG-19",
        id: "new-repositories-protected",
        title: "new repositories are protected from the start",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4", "A.8.9"]),
            (Framework::PciDss, &["2.2.1", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "What is not protected on the first day is protected when somebody remembers; \
                    until then its code reaches production like any other.",
        cheat: "Moving work into a fresh repository that no rule names yet. Only rules that hold for \
                repositories that do not exist yet count, and a security configuration that exists \
                and is attached to nothing counts as none.",
        remedy_github: "set up a ruleset of the organisation that targets all repositories, and in \
                        Settings, Code security, Configurations, make one the default for new \
                        repositories",
        remedy_gitlab: "in the group's Settings, Repository, Default branch, choose full protection, \
                        and link a security policy project to the group; no interface tells of the \
                        latter, so attest it or turn `security_configuration` off",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let defaults = facts.settings.new_repository_defaults.known()?;
        let rules = part(KEY, &defaults.branch_rules, |rules| {
            if rules.is_empty() {
                Look::Wrong("no branch rules hold for a new repository".to_owned())
            } else {
                Look::Fine(format!("branch rules: {}", some(rules)))
            }
        });
        let security = self.security_configuration.then(|| {
            part(
                KEY,
                &defaults.security_configuration,
                |configuration| match configuration {
                    Some(name) => Look::Fine(format!("security configuration `{name}`")),
                    None => Look::Wrong("no security configuration is attached to one".to_owned()),
                },
            )
        });
        judge(
            "new repositories are protected from the start",
            "new repositories are not protected from the start",
            rules,
            security,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        lowered(
            "security_configuration",
            self.security_configuration,
            base.security_configuration,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::words;
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{Fact, NewRepositoryDefaults};

    const LAX: NewRepositoriesProtected = NewRepositoriesProtected {
        security_configuration: false,
    };

    fn judged(
        control: &NewRepositoriesProtected,
        branch_rules: Fact<Vec<String>>,
        security_configuration: Fact<Option<String>>,
    ) -> String {
        let facts = settings(|all| {
            all.new_repository_defaults = seen(NewRepositoryDefaults {
                branch_rules,
                security_configuration,
            });
        });
        verdict_of(control, &facts)
    }

    fn verdict(rules: Fact<Vec<String>>, security: Fact<Option<String>>) -> String {
        judged(&NewRepositoriesProtected::default(), rules, security)
    }

    fn rules() -> Fact<Vec<String>> {
        seen(words(&["all"]))
    }

    fn baseline() -> Fact<Option<String>> {
        seen(Some("baseline".to_owned()))
    }

    #[test]
    fn rules_and_a_configuration_from_the_start_pass() {
        assert_eq!(verdict(rules(), baseline()), "pass");
    }

    #[test]
    fn either_that_is_missing_fails_whatever_is_hidden() {
        assert_eq!(verdict(seen(Vec::new()), baseline()), "fail");
        assert_eq!(verdict(seen(Vec::new()), hidden()), "fail");
        assert_eq!(verdict(rules(), seen(None)), "fail");
        assert_eq!(verdict(hidden(), seen(None)), "fail");
    }

    #[test]
    fn either_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(rules(), hidden()), "unknown");
        assert_eq!(verdict(hidden(), baseline()), "unknown");
    }

    #[test]
    fn the_policy_may_let_the_configuration_go() {
        assert_eq!(judged(&LAX, rules(), seen(None)), "pass");
        assert_eq!(judged(&LAX, rules(), hidden()), "pass");
        assert_eq!(judged(&LAX, seen(Vec::new()), baseline()), "fail");
        let base = NewRepositoriesProtected::default();
        assert!(LAX.weaker_than(&base).is_some());
        assert_eq!(base.weaker_than(&LAX), None);
    }
}
