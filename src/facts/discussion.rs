//! What reviewers and authors still have open with each other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Account;
use super::fact::{Fact, Unknown};
use super::key::FactKey;

/// One thread of the review that can be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Whether somebody marked it as resolved.
    pub resolved: bool,
    /// Who started it. Known `None`: the account is gone.
    pub author: Fact<Option<Account>>,
    /// Who resolved it. Known `None`: nobody did, or the account is gone.
    pub resolved_by: Fact<Option<Account>>,
    /// The file that it is about, if it is about one.
    pub path: Option<String>,
}

/// Group `change.threads`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discussion {
    /// All threads. GitLab's are told note by note, so one of several notes counts
    /// as several.
    pub threads: Fact<Vec<Thread>>,
    /// Whether the platform itself holds the merge for an open thread. Known `None`:
    /// it does not say, which proves nothing.
    pub held: Fact<Option<bool>>,
    /// Who asks for changes, where the platform tells it beside the reviews
    /// (GitLab). Empty where the reviews themselves say so.
    pub requesting_changes: Fact<Vec<Account>>,
    /// What the platform itself noted about approvals (GitLab), oldest first. It notes
    /// when they are given, not when a push takes them away: no control counts them as
    /// approvals.
    #[serde(default = "not_collected")]
    pub approval_notes: Fact<Vec<ApprovalNote>>,
}

/// A note of the platform that somebody approved, and did not take back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalNote {
    /// Who. `None`: the account is gone.
    pub author: Option<Account>,
    /// When.
    pub created_at: Timestamp,
    /// Whether the platform noted a push after it.
    pub pushed_since: bool,
}

/// Snapshots of before this was read.
fn not_collected() -> Fact<Vec<ApprovalNote>> {
    Fact::Unknown(Unknown::not_collected(FactKey::ChangeThreads.name()))
}
