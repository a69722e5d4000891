//! What stands in the repository and around its branches: which branches there
//! are, tags, releases, code owners, paths, and what checks reported lately.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::branch::BypassActor;
use crate::facts::fact::Fact;

/// A branch in the policy's scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InScopeBranch {
    /// Its name.
    pub name: String,
    /// Names of the layers that protect it. Known and empty: none does.
    pub layers: Fact<Vec<String>>,
}

/// One thing that protects tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagProtection {
    /// The name people know it by, e.g. `ruleset "releases" (repository)`, `protected tag "v*"`.
    pub name: String,
    /// Patterns of the tags that it covers, without `refs/tags/`; `~ALL` for all.
    pub include: Vec<String>,
    /// Patterns that it leaves out again.
    pub exclude: Vec<String>,
    /// Whether making a tag is limited.
    pub creation_limited: Fact<bool>,
    /// Whether moving a tag is refused.
    pub update_blocked: Fact<bool>,
    /// Whether deleting a tag is refused.
    pub deletion_blocked: Fact<bool>,
    /// Who can go around it.
    pub bypass: Fact<Vec<BypassActor>>,
}

/// Group `repository.releases`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    /// Whether there is any release.
    pub exist: Fact<bool>,
    /// Whether a published release cannot be changed any more.
    pub immutable: Fact<bool>,
}

/// How a file of code owners is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnersDialect {
    /// GitHub's: the last matching line counts.
    Github,
    /// GitLab's: sections, each with its own last matching line.
    Gitlab,
}

/// The file of code owners at the tip of the target branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnersFile {
    /// Its path.
    pub path: String,
    /// `sha256:<64 hex>` of it.
    pub digest: String,
    /// Its size in bytes. GitHub ignores a file of more than 3 MB.
    pub size: u64,
    /// Its text. Hostile.
    pub text: String,
    /// How it is to be read.
    pub dialect: OwnersDialect,
    /// Lines that the platform itself cannot use, as `line N: what`. Unknown
    /// where no interface tells.
    pub platform_errors: Fact<Vec<String>>,
}

/// One owner that the file names, looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerStatus {
    /// As the file writes it, e.g. `@ana`, `@acme/security`, `ana@acme.example`, `@@developer`.
    pub name: String,
    /// Whether the platform knows such an account, team or role.
    pub exists: Fact<bool>,
    /// Whether they can push, without which they own nothing.
    pub can_write: Fact<bool>,
}

/// Group `repository.code_owners`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOwners {
    /// The file that the platform would use; `None`: there is no such file.
    pub file: Option<OwnersFile>,
    /// Each owner that it names, sorted by name.
    pub owners: Vec<OwnerStatus>,
}

/// Name and app of a check that reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportedCheck {
    /// The context or job name. `pipeline` stands for a GitLab pipeline.
    pub name: String,
    /// Id of the app that reported it, as text; `None`: no app did.
    pub app: Option<String>,
}

/// A change that was merged into the branch lately, and what reported on its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedHead {
    /// Number of the change.
    pub change: u64,
    /// Its head commit.
    pub head: String,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// What reported on that commit, sorted.
    pub reported: Fact<Vec<ReportedCheck>>,
}
