//! One change: who wrote it, who approved it, what was reported about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::{Account, Person};
use super::fact::Fact;

/// Where the change stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// Open for review.
    Open,
    /// Merged into its target.
    Merged,
    /// Closed without a merge.
    Closed,
    /// A state that this version does not know.
    Other(String),
}

/// What the change says about itself. Texts are hostile input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Number of the pull request, iid of the merge request.
    pub number: u64,
    /// Title.
    pub title: String,
    /// Description; empty if there is none.
    pub body: String,
    /// Who opened it. `None`: the platform says that the account is gone.
    pub author: Option<Account>,
    /// The branch it comes from.
    pub source_branch: String,
    /// The branch it goes to.
    pub target_branch: String,
    /// Its newest commit.
    pub head: String,
    /// Where it stands.
    pub state: ChangeState,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether its source branch lives in another repository.
    pub from_fork: bool,
    /// Labels.
    pub labels: Vec<String>,
    /// Issues that the platform itself links to the change, e.g. `#3`.
    pub linked_issues: Vec<String>,
    /// When it was opened, by the platform's clock. `None`: it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// When it was merged, by the platform's clock.
    pub merged_at: Option<Timestamp>,
    /// Who merged it.
    pub merged_by: Option<Account>,
    /// The commit that the merge left on the target branch.
    pub merge_commit: Option<String>,
}

/// How a commit that stands on a branch came there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Association {
    /// Through this merged change into this branch.
    Change {
        /// Number of the change.
        number: u64,
        /// The branch that it was merged into.
        target_branch: String,
    },
    /// Through no change: the platform's index and its log of pushes agree.
    DirectPush {
        /// Who pushed, if the platform says.
        pusher: Option<Account>,
        /// How it is known, in words.
        evidence: String,
    },
    /// It is the change's own proposal, not yet on the branch: nothing to associate.
    NotMerged,
}

/// One commit of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its full id.
    pub sha: String,
    /// Full message (subject, body, trailers).
    pub message: String,
    /// Author.
    pub author: Person,
    /// Committer.
    pub committer: Person,
    /// Everyone named in a `Co-authored-by` trailer.
    pub co_authors: Vec<Person>,
    /// Ids of its parents.
    pub parents: Vec<String>,
}

/// What a reviewer said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Approved.
    Approved,
    /// Asked for changes.
    ChangesRequested,
    /// Commented; never replaces an earlier opinion.
    Commented,
    /// An opinion that was dismissed or withdrawn.
    Dismissed,
    /// Not submitted, or a state that this version does not know.
    Other(String),
}

/// One review. All of them are kept, oldest first; the judgement decides which count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who. `None`: the account is gone.
    pub reviewer: Option<Account>,
    /// What they said.
    pub state: ReviewState,
    /// When, by the platform's clock. Unknown on servers that do not tell.
    pub submitted_at: Fact<Timestamp>,
    /// The commit that the platform ties the review to, where it does so.
    /// GitHub moves this forward over patch-identical rebases and base merges.
    /// Known `None`: the platform ties reviews to no commit (GitLab).
    pub commit: Fact<Option<String>>,
    /// Whether the reviewer may write to the repository (only such approvals count).
    pub can_write: Fact<bool>,
}

/// What moved the head of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushKind {
    /// New commits on top.
    Push,
    /// History was replaced.
    ForcePush,
}

/// One move of the head, by the platform's clock (never by commit dates).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// What kind of move.
    pub kind: PushKind,
    /// When.
    pub at: Timestamp,
    /// Who. Known `None`: the platform says that the account is gone.
    pub actor: Fact<Option<Account>>,
    /// The head before, if told.
    pub before: Option<String>,
    /// The head after, if told.
    pub after: Option<String>,
}

/// What kind of result it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A check run of an app.
    CheckRun,
    /// A commit status.
    CommitStatus,
    /// A pipeline as a whole.
    Pipeline,
    /// One job of a pipeline.
    Job,
}

/// Whether the result is there yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It ended.
    Completed,
    /// It waits or runs.
    Running,
    /// A status that this version does not know. Not a success.
    Other(String),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckConclusion {
    /// Green.
    Success,
    /// Red.
    Failure,
    /// Not run. Satisfies a required check on GitHub; not with us unless allowed.
    Skipped,
    /// Neither. The same.
    Neutral,
    /// Cancelled, timed out, waits for somebody, or a word we do not know.
    Other(String),
}

/// One result reported for the head commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The context or job name. `pipeline` for GitLab's head pipeline.
    pub name: String,
    /// What it is.
    pub kind: CheckKind,
    /// Id of the app that reported it, as text. `None`: no app did (a status by a person or token).
    pub app: Option<String>,
    /// Whether it ended.
    pub status: CheckStatus,
    /// How it ended; `None` while it runs.
    pub conclusion: Option<CheckConclusion>,
    /// The commit it was reported for.
    pub head: String,
    /// Whether its failure is allowed by the pipeline (GitLab `allow_failure`).
    pub allow_failure: bool,
    /// When it ended, by the platform's clock. `None`: it did not, or nobody tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// One comment on the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The platform's id of it.
    pub id: String,
    /// Who wrote it. `None`: the account is gone.
    pub author: Option<Account>,
    /// What it says.
    pub body: String,
    /// When it was written, by the platform's clock.
    pub created_at: Timestamp,
    /// Whether it was ever edited. Unknown if the platform does not say.
    pub edited: Fact<bool>,
}

/// What has to be known about people before an override counts. Collected only
/// when an override command stands on the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverridePeople {
    /// For each `allowed_by` entry that is a team or group (e.g. `@acme/security`):
    /// its members' logins at this moment.
    pub members: Vec<(String, Fact<Vec<String>>)>,
    /// Who moved the head to where it is now.
    pub last_pusher: Fact<Account>,
    /// Since when head and target of the change are what they are now, by the platform's clock.
    pub head_since: Fact<Timestamp>,
}
