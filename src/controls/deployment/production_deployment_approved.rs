//! DEP-01: somebody has to approve before production is deployed to. Whether
//! that somebody is another person than the deployer is judged by DEP-02.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::production::{APPROVALS, Production, approved_by};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of DEP-01.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProductionDeploymentApproved {
    /// Fewest approvals that a deployment needs; 0 counts as 1.
    min: u32,
    /// Globs of the environments that are production, beside those of that tier.
    #[schemars(with = "Vec<String>")]
    production: Production,
    /// Whether there has to be a production environment.
    required: bool,
}

impl Default for ProductionDeploymentApproved {
    fn default() -> Self {
        Self {
            min: 1,
            production: Production::default(),
            required: false,
        }
    }
}

impl Control for ProductionDeploymentApproved {
    const META: Meta = Meta {
        code: "DEP-01",
        id: "production-deployment-approved",
        title: "a deployment to production needs approval",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.31", "A.8.32"]),
            (Framework::PciDss, &["6.5.1", "6.5.4"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::DeploymentEnvironments],
        rationale: "Merging decides what the code is, deploying decides what customers get; where \
                    nobody approves the second step, the first one is the only gate.",
        cheat: "Deploying to an environment that is not called production, or naming reviewers and \
                asking for none of them. The tier counts beside the name, a second unguarded \
                production environment fails, and the number is judged with the names; set \
                `required` to be told when no environment is production at all.",
        remedy_github: "under Settings, Environments, choose the environment and add \"Required \
                        reviewers\" (private repositories need Enterprise)",
        remedy_gitlab: "under Settings, CI/CD, Protected environments, protect the environment and \
                        add an approval rule (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let least = self.min.max(1);
        self.production.judge(
            self.required,
            &facts.settings.environments,
            (
                "every deployment to production needs approval",
                "production can be deployed to without enough approval",
            ),
            &APPROVALS,
            |environment| {
                let approved = *approved_by(environment, least).known()?;
                Ok((!approved).then(|| match least {
                    1 => "nobody has to approve".to_owned(),
                    _ => format!("fewer than {least} people have to approve"),
                }))
            },
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let (own, wanted) = (self.min.max(1), base.min.max(1));
        let fewer = (own < wanted).then(|| format!("min {wanted} -> {own}"));
        let less = self
            .production
            .weaker(self.required, &base.production, base.required);
        let all: Vec<String> = fewer.into_iter().chain(less).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::deployment::production::tests::{deployed_to, guarded, open};
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::Environment;

    fn verdict(list: Vec<Environment>) -> String {
        let facts = deployed_to(list, &[]);
        verdict_of(&ProductionDeploymentApproved::default(), &facts)
    }

    fn at_least(min: u32) -> ProductionDeploymentApproved {
        ProductionDeploymentApproved {
            min,
            ..ProductionDeploymentApproved::default()
        }
    }

    #[test]
    fn an_approved_production_passes_whatever_guards_the_rest() {
        assert_eq!(
            verdict(vec![guarded("production"), open("staging")]),
            "pass"
        );
    }

    #[test]
    fn a_production_that_nobody_approves_fails() {
        assert_eq!(verdict(vec![open("production")]), "fail");
    }

    #[test]
    fn one_unguarded_production_beside_a_guarded_one_fails() {
        assert_eq!(verdict(vec![guarded("prod-eu"), open("prod-us")]), "fail");
    }

    #[test]
    fn a_production_under_another_name_is_found_by_its_tier() {
        let disguised = Environment {
            tier: Some("production".to_owned()),
            ..open("main-cluster")
        };
        assert_eq!(verdict(vec![disguised, guarded("production")]), "fail");
    }

    #[test]
    fn names_without_a_number_and_a_number_without_names_both_fail() {
        let named_only = Environment {
            approvals: seen(0),
            ..guarded("production")
        };
        let counted_only = Environment {
            reviewers: seen(Vec::new()),
            ..guarded("production")
        };
        assert_eq!(verdict(vec![named_only]), "fail");
        assert_eq!(verdict(vec![counted_only]), "fail");
    }

    #[test]
    fn the_number_asked_for_is_judged_and_zero_counts_as_one() {
        let facts = deployed_to(vec![guarded("production")], &[]);
        assert_eq!(verdict_of(&at_least(2), &facts), "fail");
        assert_eq!(verdict_of(&at_least(0), &facts), "pass");
        let none = deployed_to(vec![open("production")], &[]);
        assert_eq!(verdict_of(&at_least(0), &none), "fail");
    }

    #[test]
    fn a_proven_lack_fails_whatever_is_hidden_and_else_it_is_unknown() {
        let half = |reviewers| Environment {
            reviewers,
            approvals: hidden(),
            ..guarded("production")
        };
        assert_eq!(verdict(vec![half(seen(Vec::new()))]), "fail");
        assert_eq!(
            verdict(vec![half(seen(vec!["@ana".to_owned()]))]),
            "unknown"
        );
        assert_eq!(verdict(vec![half(hidden()), open("live")]), "fail");
        let control = ProductionDeploymentApproved::default();
        assert_eq!(verdict_of(&control, &settings(|_| {})), "unknown");
    }

    #[test]
    fn without_a_production_environment_only_a_policy_that_requires_one_fails() {
        let facts = deployed_to(vec![open("staging")], &[]);
        let required = ProductionDeploymentApproved {
            required: true,
            ..ProductionDeploymentApproved::default()
        };
        let control = ProductionDeploymentApproved::default();
        assert_eq!(verdict_of(&control, &facts), "not_applicable");
        assert_eq!(verdict_of(&required, &facts), "fail");
        let unsold = deployed_to(Vec::new(), &["environments"]);
        assert_eq!(verdict_of(&required, &unsold), "fail plan");
    }

    #[test]
    fn a_plan_without_approvals_is_the_reason_and_another_lack_is_not() {
        let lacking = |feature| {
            let facts = deployed_to(vec![open("production")], &[feature]);
            verdict_of(&ProductionDeploymentApproved::default(), &facts)
        };
        assert_eq!(lacking("protected environments"), "fail plan");
        assert_eq!(lacking("required reviewers"), "fail plan");
        assert_eq!(lacking("deployment branches"), "fail");
    }

    #[test]
    fn fewer_approvals_and_less_production_are_weaker() {
        let base = at_least(2);
        assert!(at_least(1).weaker_than(&base).is_some());
        assert!(base.weaker_than(&at_least(1)).is_none());
        assert!(at_least(0).weaker_than(&at_least(1)).is_none());
    }
}
