//! Environments, and who and what may deploy to them.

use serde::{Deserialize, Serialize};

use crate::facts::fact::Fact;

/// Which branches and tags may be deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployableRefs {
    /// Any.
    Anything,
    /// Only protected ones.
    ProtectedOnly,
    /// Those that match a pattern.
    Patterns(Vec<String>),
}

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The tier that the platform gives it, e.g. `production`, if it has tiers.
    pub tier: Option<String>,
    /// Who has to approve, e.g. `@ana`, `team maintainers`. Empty: nobody.
    pub reviewers: Fact<Vec<String>>,
    /// How many approvals are needed; 0: none.
    pub approvals: Fact<u32>,
    /// Whether whoever started the deployment is kept from approving it.
    pub self_review_prevented: Fact<bool>,
    /// Whether administrators may deploy without approval.
    pub administrators_exempt: Fact<bool>,
    /// Which branches and tags may be deployed.
    pub refs: Fact<DeployableRefs>,
}

/// Group `deployment.environments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environments {
    /// Features that the plan or tier does not sell, e.g. `protected environments`.
    pub not_in_plan: Vec<String>,
    /// Every environment, sorted by name. Empty: there is none.
    pub list: Vec<Environment>,
}
