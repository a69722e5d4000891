//! Pipelines: what their tokens may do, what they may run, where they run, and
//! what the definitions on the branch say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::fact::Fact;

/// What the token of a job may do if the definition does not say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRights {
    /// Nothing.
    None,
    /// Read only, or limited to listed projects.
    Read,
    /// Write.
    Write,
    /// A word that this version does not know. Counts as write.
    Other(String),
}

impl TokenRights {
    /// The word, as it stands in decisions.
    pub fn word(&self) -> &str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::Other(word) => word,
        }
    }

    /// Whether something can be changed with it.
    pub fn can_write(&self) -> bool {
        *self >= Self::Write
    }
}

/// Which foreign pipeline parts may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowedSources {
    /// Any.
    Anything,
    /// Only those of the same owner.
    LocalOnly,
    /// A list.
    Selected {
        /// The platform's own parts.
        platform_owned: bool,
        /// Parts of verified creators.
        verified: bool,
        /// Patterns, e.g. `acme/*`, `docker/build-push-action@*`.
        patterns: Vec<String>,
    },
    /// Pipelines are switched off.
    Disabled,
    /// A word that this version does not know. Counts as anything.
    Other(String),
}

/// What runs for a change from a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkRuns {
    /// Whether pipelines run for changes from forks at all.
    pub run: bool,
    /// Whose runs wait until somebody approves, in the platform's word, e.g.
    /// `all_external_contributors`, `first_time_contributors`; `None`: nobody's.
    pub approval: Option<String>,
    /// Whether every outsider's run waits.
    pub everybody_waits: bool,
    /// Whether secrets are handed to them.
    pub secrets: bool,
    /// Whether their token may write.
    pub write_token: bool,
}

/// Group `pipeline.settings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineSettings {
    /// What the token of a job may do by default. GitLab: `read` where only listed
    /// projects may use their job token here, `write` where any may.
    pub default_token: Fact<TokenRights>,
    /// Whether a pipeline may approve changes.
    pub can_approve: Fact<bool>,
    /// Which foreign parts may run. GitLab has no such setting: `Anything`.
    pub allowed_sources: Fact<AllowedSources>,
    /// Whether the platform refuses foreign parts that are not pinned by digest.
    pub pinning_required: Fact<bool>,
    /// What runs for forks.
    pub fork_runs: Fact<ForkRuns>,
    /// Who may set variables when starting a pipeline, e.g. `no_one_allowed`, `maintainer`.
    /// Known `None`: the platform has no such variables.
    pub variables_by: Fact<Option<super::organization::Who>>,
    /// The parts of the subject claim in tokens for other systems that were set by
    /// hand; known empty: the platform's default.
    pub oidc_subject: Fact<Vec<String>>,
}

/// A machine that runs jobs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Runner {
    /// Its name. Hostile text.
    pub name: String,
    /// Whether it is the owner's own machine, not the platform's.
    pub self_hosted: bool,
    /// Whether repositories outside of the organisation or group use it as well.
    pub shared: bool,
    /// Whether it is made anew for each job; `None`: the platform does not say.
    pub ephemeral: Option<bool>,
    /// Whether it takes jobs of protected branches and tags only; `None`: no such setting.
    pub protected_only: Option<bool>,
}

/// What a foreign part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// An action.
    Action,
    /// A workflow or template of another repository or place.
    Include,
    /// A container image.
    Image,
}

/// A foreign part that a definition brings in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignPart {
    /// What it is.
    pub kind: PartKind,
    /// Its name without the reference, e.g. `actions/checkout`, `acme/ci`, `alpine`.
    pub name: String,
    /// The reference as written; `None`: none is written.
    pub reference: Option<String>,
    /// Whether the reference is a digest that nobody can move.
    pub pinned: bool,
    /// Whether it comes from the same repository or owner.
    pub own: bool,
}

/// A job of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineJob {
    /// Its id in the file.
    pub id: String,
    /// Names under which its result is reported: its name, and what a matrix makes
    /// of it as far as that can be read. Empty: it cannot be told.
    pub reported_as: Vec<String>,
    /// What its token may do, as written here or above it; `None`: nothing is written.
    pub token: Option<TokenRights>,
    /// Rights that are written out, as `scope: level`.
    pub rights: Vec<String>,
    /// Whether it asks for an identity token for other systems.
    pub identity_token: bool,
    /// Why its failure does not count, e.g. `continue-on-error: true`; `None`: it counts.
    pub soft_fail: Option<String>,
    /// A condition under which it is skipped; `None`: there is none.
    pub condition: Option<String>,
    /// Commands and parts that it runs, in short; a step that only checks out is not among them.
    pub does: Vec<String>,
    /// The environment it deploys to.
    pub environment: Option<String>,
    /// Whether it may run on the owner's own machines; `None`: it cannot be told.
    pub self_hosted: Option<bool>,
    /// Names of the secrets that it is handed.
    pub secrets: Vec<String>,
}

/// A value that somebody who starts a run by hand may fill in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunInput {
    /// Its name.
    pub name: String,
    /// Whether anything may be written there, not one of a list.
    pub free_text: bool,
}

/// What one file defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What starts it, e.g. `pull_request`, `push`.
    pub triggers: Vec<String>,
    /// Whether a filter on paths, branches or types may keep it from starting on a change.
    pub filtered: bool,
    /// What tokens of its jobs may do, as written on top; `None`: nothing is written.
    pub token: Option<TokenRights>,
    /// Foreign parts, sorted.
    pub parts: Vec<ForeignPart>,
    /// Its jobs in the order of the file.
    pub jobs: Vec<PipelineJob>,
    /// What somebody who starts it by hand may fill in.
    pub inputs: Vec<RunInput>,
}

/// One file of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionFile {
    /// Its path.
    pub path: String,
    /// `sha256:<64 hex>` of it.
    pub digest: String,
    /// What it defines; unknown if it cannot be read as what it should be.
    pub content: Fact<Definition>,
}

/// Group `pipeline.definition`: the definitions at the tip of the target branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineDefinition {
    /// Where the definition comes from if it is not this repository's, e.g.
    /// `.gitlab-ci.yml@acme/ci`; `None`: it is the repository's own.
    pub imposed_by: Option<String>,
    /// The files, sorted by path. Empty: there is none.
    pub files: Vec<DefinitionFile>,
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretScope {
    /// The whole repository, every branch.
    Repository,
    /// The organisation or group.
    Organization,
    /// One environment, or a pattern of them.
    Environment(String),
}

/// A secret, never its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Where it is kept.
    pub scope: SecretScope,
    /// Whether only protected branches and tags get it; `None`: no such setting.
    pub protected: Option<bool>,
    /// Whether logs hide it.
    pub masked: bool,
    /// When it was last set; `None`: the platform does not say.
    pub updated_at: Option<Timestamp>,
}
