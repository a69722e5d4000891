//! The organisation or group above the repository: what it demands of its
//! members, what they may do, and which apps and tokens reach into it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::{AccessToken, Webhook};
use crate::facts::actor::Account;
use crate::facts::fact::Fact;

/// Who may do something, the fewest people first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Nobody at all.
    Nobody,
    /// Owners of the organisation or group.
    Owners,
    /// Administrators of a repository, maintainers of a project.
    Administrators,
    /// Every member, every developer.
    Members,
    /// Somebody described by a word that this version does not know. Counts as everybody.
    Other(String),
}

impl Who {
    /// The word, as it stands in policies and decisions.
    pub fn word(&self) -> &str {
        match self {
            Self::Nobody => "nobody",
            Self::Owners => "owners",
            Self::Administrators => "administrators",
            Self::Members => "members",
            Self::Other(word) => word,
        }
    }
}

/// What members can do with every repository without being given anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Read and sort issues.
    Triage,
    /// Push to branches that are not protected.
    Write,
    /// Write and some settings.
    Maintain,
    /// All settings: administrators; GitLab's maintainers and owners.
    Admin,
    /// A role that this version does not know, or one of the organisation's own.
    /// Counts as administrator.
    Other(String),
}

impl AccessRole {
    /// The word, as it stands in decisions.
    pub fn word(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
            Self::Other(word) => word,
        }
    }

    /// Whether commits can be pushed with it. A role that is not known counts as one that can.
    pub fn can_write(&self) -> bool {
        *self >= Self::Write
    }

    /// Whether settings can be changed with it. A role that is not known counts as one that can.
    pub fn is_admin(&self) -> bool {
        *self >= Self::Admin
    }
}

/// Group `organization.settings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its name, e.g. `acme`, `group/sub`.
    pub name: String,
    /// Settings that the plan or tier does not sell, by the name of the field here.
    pub not_in_plan: Vec<String>,
    /// Every member has to use two factors.
    pub two_factor_required: Fact<bool>,
    /// Hours that a new member may do without. GitHub: none, known zero.
    pub two_factor_grace_hours: Fact<u32>,
    /// What every member may do with every repository.
    pub base_permission: Fact<AccessRole>,
    /// Who may create repositories of any visibility.
    pub repository_creation: Fact<Who>,
    /// Who may delete or transfer a repository.
    pub repository_deletion: Fact<Who>,
    /// Who may change a repository's visibility.
    pub visibility_change: Fact<Who>,
    /// Who may bring in people from outside.
    pub outside_invitation: Fact<Who>,
    /// Whether private code may be forked out of the organisation's reach.
    pub private_forking: Fact<bool>,
}

/// Single sign-on as far as the platform tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SingleSignOn {
    /// Address or name of the provider; `None`: the platform says that there is none.
    pub provider: Option<String>,
    /// Whether members cannot get in without it. Unknown where no interface tells.
    pub enforced: Fact<bool>,
}

/// Group `organization.identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationIdentity {
    /// Settings that the plan or tier does not sell, by the name of the field here.
    pub not_in_plan: Vec<String>,
    /// Single sign-on.
    pub single_sign_on: Fact<SingleSignOn>,
    /// Whether access is limited to listed addresses.
    pub ip_allow_list: Fact<bool>,
    /// Domains that the organisation proved to be its own.
    pub verified_domains: Fact<Vec<String>>,
    /// Whether notifications go to verified domains only.
    pub notifications_restricted: Fact<bool>,
}

/// Group `organization.two_factor`: who has none, or a weak second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutTwoFactor {
    /// Members and outside collaborators without a second factor.
    pub disabled: Fact<Vec<Account>>,
    /// Those whose only second factor is an insecure one (text messages).
    /// Known empty where the platform does not tell methods apart.
    pub insecure: Fact<Vec<Account>>,
}

/// One member with their last sign of life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberActivity {
    /// Who.
    pub account: Account,
    /// When they were last active, by the platform's clock; known `None`: never.
    pub last_active: Fact<Option<Timestamp>>,
}

/// An app or integration that was let into the organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppInstallation {
    /// Its name.
    pub name: String,
    /// What it may do, as `permission: level`.
    pub permissions: Vec<String>,
    /// Whether it may change anything.
    pub can_write: bool,
    /// Whether it reaches every repository.
    pub all_repositories: bool,
    /// Whether it is suspended, and so can do nothing.
    pub suspended: bool,
}

/// Group `organization.tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationTokens {
    /// Whether long-lived tokens of people have to be approved.
    pub approval_required: Fact<bool>,
    /// Whether tokens that reach everything of their owner are kept out
    /// (GitHub: classic personal access tokens).
    pub classic_blocked: Fact<bool>,
    /// The tokens that reach into the organisation.
    pub tokens: Fact<Vec<AccessToken>>,
}

/// Group `organization.webhooks`.
pub type OrganizationWebhooks = Vec<Webhook>;

/// Group `organization.defaults`: what a repository gets on the day it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRepositoryDefaults {
    /// Names of the rules that hold for every repository from the start. Empty: none.
    pub branch_rules: Fact<Vec<String>>,
    /// Name of the security configuration attached to new repositories; known `None`: none is.
    pub security_configuration: Fact<Option<String>>,
}

/// Group `organization.review`: a review of who has access, written down and
/// kept under the protection of the default branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessReview {
    /// Path of the file.
    pub path: String,
    /// `sha256:<64 hex>` of it.
    pub digest: String,
    /// When the review was done, as written.
    pub reviewed_at: Timestamp,
    /// Who signed it off, as written.
    pub reviewed_by: String,
    /// Logins that were confirmed.
    pub members: Vec<String>,
}
