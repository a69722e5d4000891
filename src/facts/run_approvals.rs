//! Who let the run that judges pass into an environment, as the platform's own door to a deployment
//! tells it. Asked for only where the policy lets such an approval count and an override is asked for.

use serde::{Deserialize, Serialize};

use super::actor::Account;

/// Name of the fact. No control sees it: it is about who approved an override.
pub const RUN_APPROVALS: &str = "override.run_approvals";

/// What people made of the environments of one run: on GitHub of a workflow run, on GitLab of the one
/// deployment of a job. No time of it counts: GitHub tells none, and GitLab keeps that of the first
/// word when somebody takes it back and says another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunApprovals {
    /// The platform's number of the run or job.
    pub run: u64,
    /// The commit that it is for.
    pub head: String,
    /// Whether a job may give one in the name of whoever started it, so that the account alone does
    /// not show the person.
    pub jobs_may_give: bool,
    /// All of them, in the platform's order.
    pub approvals: Vec<EnvironmentApproval>,
}

/// What one person made of one or more environments of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentApproval {
    /// What came out.
    pub state: EnvironmentState,
    /// What they wrote. It cannot be edited. Hostile text.
    pub comment: String,
    /// Names of the environments.
    pub environments: Vec<String>,
    /// Who. `None`: the account is gone, or its name was not told.
    pub by: Option<Account>,
}

/// What somebody made of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentState {
    /// It may go on.
    Approved,
    /// It may not.
    Rejected,
    /// A word that this version does not know, or a remark. Never counts.
    Other(String),
}
