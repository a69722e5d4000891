//! DEP-03: administrators cannot deploy to production past the approval.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::production::{APPROVALS, Production, breached};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of DEP-03.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdministratorsCannotSkipApproval {
    /// Globs of the environments that are production, beside those of that tier.
    #[schemars(with = "Vec<String>")]
    production: Production,
    /// Whether there has to be a production environment.
    required: bool,
}

impl Control for AdministratorsCannotSkipApproval {
    const META: Meta = Meta {
        code: "DEP-03",
        id: "administrators-cannot-skip-approval",
        title: "administrators cannot deploy to production without approval",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.32"]),
            (Framework::PciDss, &["6.5.1", "6.5.4"]),
            (Framework::Nist80053, &["AC-6", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::DeploymentEnvironments],
        rationale: "An approval that administrators may skip is missing in exactly the hurried \
                    deployment that needed it.",
        cheat: "Binding administrators where nobody has to approve: then there is nothing to skip \
                and everybody deploys. Without a demanded approval it fails.",
        remedy_github: "under Settings, Environments, choose the environment and turn \"Allow \
                        administrators to bypass configured protection rules\" off",
        remedy_gitlab: "in the protected environment, leave Owners and Maintainers out of \"Allowed \
                        to deploy\" unless an approval rule binds them too",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        self.production.judge(
            self.required,
            &facts.settings.environments,
            (
                "administrators cannot deploy to production without approval",
                "production can be deployed to past the approval",
            ),
            &APPROVALS,
            |environment| {
                let breach = &environment.administrators_exempt;
                breached(environment, breach, "administrators may skip it")
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
        let facts = deployed_to(list, &[]);
        verdict_of(&AdministratorsCannotSkipApproval::default(), &facts)
    }

    fn with(exempt: Fact<bool>, reviewers: Fact<Vec<String>>) -> Vec<Environment> {
        vec![Environment {
            administrators_exempt: exempt,
            reviewers,
            ..guarded("production")
        }]
    }

    fn ana() -> Fact<Vec<String>> {
        seen(vec!["@ana".to_owned()])
    }

    #[test]
    fn bound_administrators_pass_and_exempt_ones_fail() {
        assert_eq!(verdict(with(seen(false), ana())), "pass");
        assert_eq!(verdict(with(seen(true), ana())), "fail");
    }

    #[test]
    fn where_nobody_approves_there_is_nothing_to_be_bound_by() {
        assert_eq!(verdict(with(seen(false), seen(Vec::new()))), "fail");
    }

    #[test]
    fn what_is_proven_wrong_fails_whatever_is_hidden_and_else_it_is_unknown() {
        assert_eq!(verdict(with(seen(true), hidden())), "fail");
        assert_eq!(verdict(with(hidden(), seen(Vec::new()))), "fail");
        assert_eq!(verdict(with(hidden(), ana())), "unknown");
        assert_eq!(verdict(with(seen(false), hidden())), "unknown");
        let control = AdministratorsCannotSkipApproval::default();
        assert_eq!(verdict_of(&control, &settings(|_| {})), "unknown");
    }

    #[test]
    fn without_production_it_has_no_meaning() {
        assert_eq!(verdict(vec![open("dev")]), "not_applicable");
    }

    #[test]
    fn a_tier_without_approvals_is_the_reason() {
        let facts = deployed_to(vec![open("production")], &["protected environments"]);
        let control = AdministratorsCannotSkipApproval::default();
        assert_eq!(verdict_of(&control, &facts), "fail plan");
    }
}
