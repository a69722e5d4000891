//! DEP-02: whoever starts a deployment to production cannot approve it. Who in
//! fact approved one is not known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::production::{APPROVALS, Production, breached};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of DEP-02.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeployerCannotApprove {
    /// Globs of the environments that are production, beside those of that tier.
    #[schemars(with = "Vec<String>")]
    production: Production,
    /// Whether there has to be a production environment.
    required: bool,
}

impl Control for DeployerCannotApprove {
    const META: Meta = Meta {
        code: "DEP-02",
        id: "deployer-cannot-approve",
        title: "whoever starts a deployment to production cannot approve it",
        criteria: &[Criterion::Cc5_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.5.4"]),
            (Framework::Nist80053, &["AC-5", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::DeploymentEnvironments],
        rationale: "An approval that one gives oneself is no second person.",
        cheat: "Forbidding self-approval where nobody has to approve, which reads well and binds \
                nobody. Without a demanded approval it fails.",
        remedy_github: "under Settings, Environments, choose the environment, add \"Required \
                        reviewers\" and turn \"Prevent self-review\" on",
        remedy_gitlab: "add an approval rule to the protected environment, and under Settings, \
                        CI/CD, Protected environments turn \"Allow pipeline triggerer to approve \
                        deployment\" off",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        self.production.judge(
            self.required,
            &facts.settings.environments,
            (
                "whoever starts a deployment to production cannot approve it",
                "whoever starts a deployment to production can release it alone",
            ),
            &APPROVALS,
            |environment| {
                let breach = environment.self_review_prevented.map_ref(|on| !on);
                breached(environment, &breach, "the deployer may approve")
            },
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        self.production
            .weaker(self.required, &base.production, base.required)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::deployment::production::tests::{deployed_to, guarded, open};
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{Environment, Fact};

    fn verdict(list: Vec<Environment>) -> String {
        verdict_of(&DeployerCannotApprove::default(), &deployed_to(list, &[]))
    }

    fn with(prevented: Fact<bool>, approvals: Fact<u32>) -> Vec<Environment> {
        vec![Environment {
            self_review_prevented: prevented,
            approvals,
            ..guarded("production")
        }]
    }

    #[test]
    fn a_second_person_passes_and_self_approval_fails() {
        assert_eq!(verdict(with(seen(true), seen(1))), "pass");
        assert_eq!(verdict(with(seen(false), seen(1))), "fail");
    }

    #[test]
    fn a_ban_on_self_approval_is_worth_nothing_where_nobody_approves() {
        assert_eq!(verdict(with(seen(true), seen(0))), "fail");
    }

    #[test]
    fn what_is_proven_wrong_fails_whatever_is_hidden_and_else_it_is_unknown() {
        assert_eq!(verdict(with(seen(false), hidden())), "fail");
        assert_eq!(verdict(with(hidden(), seen(0))), "fail");
        assert_eq!(verdict(with(hidden(), seen(1))), "unknown");
        assert_eq!(verdict(with(seen(true), hidden())), "unknown");
        let control = DeployerCannotApprove::default();
        assert_eq!(verdict_of(&control, &settings(|_| {})), "unknown");
    }

    #[test]
    fn other_environments_do_not_matter() {
        assert_eq!(verdict(vec![guarded("production"), open("dev")]), "pass");
        assert_eq!(verdict(vec![open("dev")]), "not_applicable");
    }

    #[test]
    fn a_tier_without_approvals_is_the_reason() {
        let facts = deployed_to(vec![open("production")], &["protected environments"]);
        let control = DeployerCannotApprove::default();
        assert_eq!(verdict_of(&control, &facts), "fail plan");
    }
}
