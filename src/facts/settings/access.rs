//! Who and what can reach one repository: people, teams, keys, tokens, hooks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::organization::AccessRole;
use crate::facts::actor::Account;
use crate::facts::branch::MergeMethod;
use crate::facts::fact::Fact;

/// Who can see the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only who was let in.
    Private,
    /// Every member of the enterprise or instance.
    Internal,
    /// Everybody.
    Public,
    /// A word that this version does not know. Counts as public.
    Other(String),
}

impl Visibility {
    /// The word, as it stands in policies and decisions.
    pub fn word(&self) -> &str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
            Self::Other(word) => word,
        }
    }
}

/// Group `repository.settings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositorySettings {
    /// Who can see the code.
    pub visibility: Fact<Visibility>,
    /// Whether it is archived, and so cannot change.
    pub archived: Fact<bool>,
    /// When something was last pushed or done, by the platform's clock; known `None`: never.
    pub last_activity: Fact<Option<Timestamp>>,
    /// The ways in which changes may be merged anywhere in the repository.
    pub merge_methods: Fact<Vec<MergeMethod>>,
    /// Whether a change may merge itself once its requirements are met.
    pub auto_merge: Fact<bool>,
    /// Whether logs and artifacts of pipelines can be read by people who cannot read the code.
    pub public_pipelines: Fact<bool>,
}

/// A person who can reach the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Collaborator {
    /// Who.
    pub account: Account,
    /// The strongest role they have.
    pub role: AccessRole,
    /// Whether they are no member of the organisation or group.
    pub outside: bool,
    /// The role that was given to them by name on this repository, past teams and
    /// groups; `None`: they have all they have through others.
    pub direct: Option<AccessRole>,
}

/// A team or group that can reach the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TeamAccess {
    /// E.g. `@acme/maintainers`.
    pub name: String,
    /// What its members may do.
    pub role: AccessRole,
}

/// Group `access.collaborators`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collaborators {
    /// Every person, sorted by login.
    pub people: Fact<Vec<Collaborator>>,
    /// Every team, sorted by name.
    pub teams: Fact<Vec<TeamAccess>>,
    /// Whether there is an organisation or group above, so that teams can exist.
    pub in_organization: Fact<bool>,
}

/// A key that a machine uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeployKey {
    /// Its title. Hostile text.
    pub title: String,
    /// Whether it can push.
    pub can_write: bool,
    /// When it was made; `None`: the platform does not say.
    pub created_at: Option<Timestamp>,
    /// When it was last used, as far as the platform tells.
    pub last_used: Option<Timestamp>,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A long-lived token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccessToken {
    /// What kind, e.g. `project access token`, `deploy token`, `trigger token`,
    /// `fine-grained token`.
    pub kind: String,
    /// Its name. Hostile text.
    pub name: String,
    /// Who made it or owns it, if told.
    pub owner: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Its role in the project, if it has one.
    pub role: Option<AccessRole>,
    /// When it was made, if told.
    pub created_at: Option<Timestamp>,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used; `None`: never, or the platform does not say.
    pub last_used: Option<Timestamp>,
}

/// A hook that sends events out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Where it sends to: scheme, host and port only, never the path (it may hold a secret).
    pub target: String,
    /// Host alone, lower case.
    pub host: String,
    /// Whether it goes over TLS.
    pub https: bool,
    /// Whether the certificate is verified. Unknown if the platform does not say.
    pub verifies_tls: Fact<bool>,
    /// Whether a secret signs what is sent. Unknown where the platform does not say.
    pub has_secret: Fact<bool>,
    /// Whether it is switched on.
    pub active: bool,
}
