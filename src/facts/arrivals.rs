//! What came onto a branch between two of its tips: every commit of the new
//! first-parent line, and how each of them got there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::Account;
use super::change::{CheckResult, Commit, Identity, Push, Review};
use super::fact::{Fact, Unknown};
use super::key::FactKey;

/// Who said which commit the branch stood at before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// An argument (`--since`).
    Argument,
    /// The event or the variables that the CI runs for.
    Event,
    /// The ledger: the tip up to which its records of this branch's moves have no gap.
    Ledger,
    /// The platform's own log: only the branch's last move is looked at.
    Log,
}

impl ToldBy {
    /// In words, behind "told by".
    pub fn word(self) -> &'static str {
        match self {
            Self::Argument => "the argument",
            Self::Event => "the event",
            Self::Ledger => "the ledger",
            Self::Log => "the platform's log",
        }
    }
}

/// The commit that a branch stood at before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousTip {
    /// Its full id; `None`: there was no such branch before.
    pub commit: Option<String>,
    /// Who said so.
    pub told_by: ToldBy,
}

/// How the tip before stands to the tip now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ancestry {
    /// The old tip is an ancestor of the new one, or the same.
    Continues,
    /// It is not: history was rewritten or cut off.
    Rewritten,
    /// There was no branch before.
    New,
}

/// What kind of move the platform's log names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    /// Somebody pushed. On GitLab a merge in its pages looks the same.
    Push,
    /// Somebody pushed over what stood there.
    ForcePush,
    /// The platform merged a change.
    Merge,
    /// The platform's merge queue merged.
    QueueMerge,
    /// The branch was made.
    Creation,
    /// A word that this version does not know.
    Other(String),
}

/// One move of the branch, as the platform's log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// What kind.
    pub kind: MoveKind,
    /// The tip before; `None`: there was none.
    pub before: Option<String>,
    /// The tip after.
    pub after: String,
    /// Who, if the log says.
    pub actor: Option<Account>,
    /// When, by the platform's clock.
    pub at: Option<Timestamp>,
}

/// In which way a change became part of the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalMethod {
    /// A merge commit.
    Merge,
    /// One new commit for the whole change. A rebase of a single commit looks the same.
    Squash,
    /// The change's commits one after the other, anew.
    Rebase,
    /// The change's own commits, as they are.
    FastForward,
    /// By the merge queue, however that merges.
    Queue,
    /// Somebody pushed it: the platform did not merge it, it only noticed afterwards
    /// that the change's commits are there.
    Pushed,
}

impl ArrivalMethod {
    /// The word, as it stands in decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
            Self::FastForward => "fast-forward",
            Self::Queue => "queue",
            Self::Pushed => "pushed",
        }
    }
}

/// How one commit came onto the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Through this merged change into this branch.
    Change {
        /// Its number.
        number: u64,
        /// In which way.
        method: Fact<ArrivalMethod>,
    },
    /// Through no change: the platform's index and its log of pushes agree.
    DirectPush {
        /// Who pushed, if the platform says.
        pusher: Option<Account>,
        /// How it is known, in words.
        evidence: String,
    },
}

/// One commit of the branch's new first-parent line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Its full id.
    pub sha: String,
    /// Ids of its parents, the first one first.
    pub parents: Vec<String>,
    /// Its full message. Hostile text.
    pub message: String,
    /// How it came here.
    pub way: Fact<Way>,
}

/// Group `branch.arrivals`: what came between two tips of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Where the branch stood before.
    pub before: PreviousTip,
    /// Where it stands now.
    pub after: String,
    /// How the two stand to each other.
    pub ancestry: Fact<Ancestry>,
    /// The commits of the first-parent line that the old tip does not reach, newest first.
    pub commits: Vec<Arrival>,
    /// How many there are altogether; unknown if the list was cut off.
    pub count: Fact<usize>,
    /// Every move from the old tip to the new one, newest first.
    pub moves: Fact<Vec<Move>>,
    /// Ids of all commits that the old tip does not reach, side lines included.
    /// A tip in between that is not among them was pushed away again.
    pub reached: Fact<Vec<String>>,
    /// For a branch that is new: whether the log knows a branch of that name from before
    /// it was made. Known `false` where it is not new.
    pub earlier_life: Fact<bool>,
}

impl Arrivals {
    /// Numbers of the changes that brought something, each once, in order.
    pub fn changes(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self
            .commits
            .iter()
            .filter_map(|arrival| match &arrival.way {
                Fact::Known {
                    value: Way::Change { number, .. },
                    ..
                } => Some(*number),
                Fact::Known {
                    value: Way::DirectPush { .. },
                    ..
                }
                | Fact::Unknown(_) => None,
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// Group `branch.arrived_changes`: a change that arrived, as far as it decides
/// whether it was fit to be merged. The same facts that a change has before its merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedChange {
    /// Its number.
    pub number: u64,
    /// What it says about itself.
    pub identity: Fact<Identity>,
    /// Its commits, oldest first.
    pub commits: Fact<Vec<Commit>>,
    /// Its reviews, oldest first, those after its merge included.
    pub reviews: Fact<Vec<Review>>,
    /// What moved its head.
    pub pushes: Fact<Vec<Push>>,
    /// What was reported for its head.
    pub checks: Fact<Vec<CheckResult>>,
}

impl ArrivedChange {
    /// A change of which nothing was seen, for that reason.
    pub fn unseen(number: u64, why: &Unknown) -> Self {
        let of = |key: FactKey| Unknown {
            fact: key.name().to_owned(),
            ..why.clone()
        };
        Self {
            number,
            identity: Fact::Unknown(of(FactKey::ChangeIdentity)),
            commits: Fact::Unknown(of(FactKey::ChangeCommits)),
            reviews: Fact::Unknown(of(FactKey::ChangeReviews)),
            pushes: Fact::Unknown(of(FactKey::ChangePushes)),
            checks: Fact::Unknown(of(FactKey::ChangeChecks)),
        }
    }
}
