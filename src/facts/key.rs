//! The names of the groups of facts that can be collected.
//!
//! A control declares the groups it needs; the platform fetches those and no
//! others, and a control that looks at another group finds it *not collected*.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One collectable group of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactKey {
    /// The rules in force on the target branch, over all layers.
    #[serde(rename = "branch.rules")]
    BranchRules,
    /// Who can go around those rules, over all layers.
    #[serde(rename = "branch.bypass")]
    BranchBypass,
    /// Title, text, author, branches and state of the change.
    #[serde(rename = "change.identity")]
    ChangeIdentity,
    /// For a commit that is already on a branch: the change it came through.
    #[serde(rename = "change.association")]
    ChangeAssociation,
    /// The commits of the change with everyone who had a hand in them.
    #[serde(rename = "change.commits")]
    ChangeCommits,
    /// Reviews and approvals.
    #[serde(rename = "change.reviews")]
    ChangeReviews,
    /// Pushes and force pushes to the change, by the platform's clock.
    #[serde(rename = "change.pushes")]
    ChangePushes,
    /// Results reported for the head commit.
    #[serde(rename = "change.checks")]
    ChangeChecks,
    /// Comments on the change (override commands stand there).
    #[serde(rename = "change.comments")]
    ChangeComments,
    /// Scan reports handed in as files.
    #[serde(rename = "scan.results")]
    ScanResults,
}

impl FactKey {
    /// Every group.
    pub const ALL: [Self; 10] = [
        Self::BranchRules,
        Self::BranchBypass,
        Self::ChangeIdentity,
        Self::ChangeAssociation,
        Self::ChangeCommits,
        Self::ChangeReviews,
        Self::ChangePushes,
        Self::ChangeChecks,
        Self::ChangeComments,
        Self::ScanResults,
    ];

    /// The dotted name, as it stands in decisions and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::BranchRules => "branch.rules",
            Self::BranchBypass => "branch.bypass",
            Self::ChangeIdentity => "change.identity",
            Self::ChangeAssociation => "change.association",
            Self::ChangeCommits => "change.commits",
            Self::ChangeReviews => "change.reviews",
            Self::ChangePushes => "change.pushes",
            Self::ChangeChecks => "change.checks",
            Self::ChangeComments => "change.comments",
            Self::ScanResults => "scan.results",
        }
    }

    /// What is in the group, for the generated documents.
    pub fn description(self) -> &'static str {
        match self {
            Self::BranchRules => "the rules in force on the target branch, over all layers",
            Self::BranchBypass => "who can go around those rules, over all layers",
            Self::ChangeIdentity => "title, text, author, branches and state of the change",
            Self::ChangeAssociation => "the change that a commit on the branch came through",
            Self::ChangeCommits => "the commits of the change and everyone who had a hand in them",
            Self::ChangeReviews => "reviews and approvals",
            Self::ChangePushes => "pushes and force pushes to the change, by the platform's clock",
            Self::ChangeChecks => "results reported for the head commit",
            Self::ChangeComments => "comments on the change",
            Self::ScanResults => "scan reports handed in as files",
        }
    }
}

/// A set of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs(BTreeSet<FactKey>);

impl Needs {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything there is.
    pub fn everything() -> Self {
        Self(FactKey::ALL.into_iter().collect())
    }

    /// Whether the group is in the set.
    pub fn has(&self, key: FactKey) -> bool {
        self.0.contains(&key)
    }

    /// Puts a group into the set.
    pub fn add(&mut self, key: FactKey) {
        self.0.insert(key);
    }

    /// The groups in order.
    pub fn iter(&self) -> impl Iterator<Item = FactKey> + '_ {
        self.0.iter().copied()
    }

    /// Whether any group about the change is in the set.
    pub fn any_of(&self, keys: &[FactKey]) -> bool {
        keys.iter().any(|key| self.has(*key))
    }
}

impl FromIterator<FactKey> for Needs {
    fn from_iter<I: IntoIterator<Item = FactKey>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialised_name_is_the_name() {
        for key in FactKey::ALL {
            let json = serde_json::to_string(&key).expect("an enum without data serialises");
            assert_eq!(json, format!("\"{}\"", key.name()));
        }
    }
}
