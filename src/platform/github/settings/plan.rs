//! What the plan of an organisation does not sell, by its own record. Only plans
//! that are known to lack something count: a plan that is not told, or not known,
//! lacks nothing, and what is hidden stays unknown.

use serde::Deserialize;

use crate::facts::FactKey;
use crate::platform::transport::{Answer, NoAnswer};

use super::reading;

/// Settings of [`crate::facts::OrganizationIdentity`] that only Enterprise Cloud has.
/// <https://docs.github.com/get-started/learning-about-github/githubs-plans>
const OF_ENTERPRISES: [&str; 3] = [
    "single_sign_on",
    "ip_allow_list",
    "notifications_restricted",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Free,
    Team,
}

#[derive(Debug, Deserialize)]
struct Wire {
    plan: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: Option<String>,
}

/// The plan, if it is one that lacks something.
fn plan(organization: &Result<Answer, NoAnswer>) -> Option<Plan> {
    let read = reading::one::<Wire>(FactKey::OrganizationSettings, organization).ok()?;
    match read.value.plan?.name?.as_str() {
        "free" => Some(Plan::Free),
        "team" => Some(Plan::Team),
        _ => None,
    }
}

/// Settings about identities that the plan does not sell.
pub(super) fn lacking_identity(organization: &Result<Answer, NoAnswer>) -> Vec<String> {
    match plan(organization) {
        Some(Plan::Free | Plan::Team) => words(&OF_ENTERPRISES),
        None => Vec::new(),
    }
}

/// Features of environments that the plan does not sell for a repository that is
/// not public. In a public one there are all of them.
/// <https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments>
pub(super) fn lacking_environments(organization: &Result<Answer, NoAnswer>) -> Vec<String> {
    match plan(organization) {
        Some(Plan::Free) => words(&["environments"]),
        Some(Plan::Team) => words(&["required reviewers"]),
        None => Vec::new(),
    }
}

fn words(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::{refused, rest};
    use super::*;

    fn both(record: &Value) -> (Vec<String>, Vec<String>) {
        let answer = rest(record);
        (lacking_identity(&answer), lacking_environments(&answer))
    }

    #[test]
    fn only_plans_that_are_known_to_lack_something_do() {
        let named = |name: &str| both(&json!({"plan": {"name": name}}));
        let (identity, environments) = named("team");
        assert_eq!(identity, words(&OF_ENTERPRISES));
        assert_eq!(environments, ["required reviewers"]);
        assert_eq!(named("free").1, ["environments"]);
        for plan in ["enterprise", "business_plus", "gold", ""] {
            assert_eq!(named(plan), (Vec::new(), Vec::new()), "{plan}");
        }
    }

    #[test]
    fn a_plan_that_is_not_told_lacks_nothing() {
        for record in [json!({}), json!({"plan": null}), json!({"plan": {}})] {
            assert_eq!(both(&record), (Vec::new(), Vec::new()), "{record}");
        }
        let refused = refused(403, "no");
        assert_eq!(lacking_identity(&refused), Vec::<String>::new());
    }
}
