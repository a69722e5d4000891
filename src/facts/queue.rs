//! What a merge queue or a merge train made of changes before they are merged: the
//! commits that would stand on the branch, and which change brings each.

use serde::{Deserialize, Serialize};

use super::fact::Fact;

/// What put the changes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// A queue whose groups hold several changes, each judged in the same run.
    Queue,
    /// A train: each change has a run of its own, on top of those before it.
    Train,
}

/// The change that a commit of the result brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEntry {
    /// Its number.
    pub number: u64,
    /// The head that it has on the platform.
    pub head: String,
}

/// One commit of the result's first-parent line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueCommit {
    /// Its full id.
    pub sha: String,
    /// Ids of its parents, the first one first.
    pub parents: Vec<String>,
    /// What it brings, as the platform says. Known `None`: the queue holds no change
    /// that explains it.
    pub entry: Fact<Option<QueueEntry>>,
}

/// Group `change.queue`: the result that would become the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueResult {
    /// What made it.
    pub kind: QueueKind,
    /// The branch that it would become.
    pub target: String,
    /// The commit that it is.
    pub head: String,
    /// The commit that it stands on, if that is told.
    pub base: Option<String>,
    /// The first-parent line from its head down to its base, newest first, whole. Of a
    /// train only the newest, which is the change's own.
    pub commits: Fact<Vec<QueueCommit>>,
}

impl QueueResult {
    /// Every change with its head, each once, in the order in which they arrive; the
    /// error is the first thing that leaves open which there are.
    ///
    /// # Errors
    /// What is not known, in words.
    pub fn entries(&self) -> Result<Vec<QueueEntry>, String> {
        let commits = self
            .commits
            .known()
            .map_err(|unknown| unknown.to_string())?;
        let mut entries: Vec<QueueEntry> = Vec::new();
        for commit in commits.iter().rev() {
            let entry = commit
                .entry
                .known()
                .map_err(|unknown| unknown.to_string())?;
            let Some(entry) = entry else {
                return Err(format!(
                    "no change in the queue explains the commit {}",
                    commit.sha
                ));
            };
            if !entries.contains(entry) {
                entries.push(entry.clone());
            }
        }
        if entries.is_empty() {
            return Err("the result holds no commit, so it brings no change".to_owned());
        }
        Ok(entries)
    }
}
