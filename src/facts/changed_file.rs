//! One file of a change: where it stands, where it stood before, and what
//! happened to it. Nothing of its content.

use serde::{Deserialize, Serialize};

use super::fact::Fact;

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It is new.
    Added,
    /// Its content or its mode changed.
    Modified,
    /// It is gone.
    Removed,
    /// It moved, perhaps with changes.
    Renamed,
    /// It is a copy of another one.
    Copied,
    /// A word that this version does not know.
    Other(String),
}

/// One file of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Its path in the change; of a removed file the path that it had.
    pub path: String,
    /// The path that it had before, if that is another one. Known `None`: it is
    /// the same, or there was none.
    pub previous_path: Fact<Option<String>>,
    /// What happened to it.
    pub kind: FileChange,
    /// Lines added, where the platform tells.
    pub additions: Option<u64>,
    /// Lines removed, where the platform tells.
    pub deletions: Option<u64>,
}

impl ChangedFile {
    /// Every path that the change touches with this file: a file that is moved out
    /// of a folder touches that folder as well.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let before = match &self.previous_path {
            Fact::Known { value, .. } => value.as_deref(),
            Fact::Unknown(_) => None,
        };
        std::iter::once(self.path.as_str()).chain(before)
    }
}
