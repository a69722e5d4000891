//! What the platform's own code scanning holds of the change: which commits it looked
//! at with which tool, and what it leaves open. Files that are handed in stand in
//! `scan`, and what is open on the target branch in `settings::scanning`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::settings::Alert;
use super::{Fact, Unknown, Why};

/// Group `scan.change_analyses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAnalyses {
    /// Code scanning is switched off.
    Off,
    /// It is switched on and has never looked at the change.
    NothingYet,
    /// It looked at the change at least once.
    Looked(Looked),
}

/// What came of looking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// The commit that the platform made of the target and the head under judgement to
    /// test them together, by which an analysis may name the head. `None`: there is none.
    pub test_merge: Option<String>,
    /// Each analysis of the change, of whatever commit; of a branch, the newest ones.
    pub analyses: Vec<ChangeAnalysis>,
    /// What is open on the change, worst first.
    pub open: Vec<Alert>,
    /// What somebody dismissed. Of a commit on a branch, which is no change, none is told.
    pub dismissed: Vec<DismissedAlert>,
    /// What is open on the target branch, by which new is told from old. Known `None`: a
    /// commit of that branch itself was looked at, and there is nothing to compare it with.
    #[serde(default = "not_asked")]
    pub on_target: Fact<Option<Vec<Alert>>>,
}

/// What a snapshot says that was saved before this was asked for.
fn not_asked() -> Fact<Option<Vec<Alert>>> {
    let detail = "the snapshot does not say what is open on the target branch";
    Fact::Unknown(Unknown::new(
        "scan.change_analyses",
        Why::NotCollected,
        detail,
    ))
}

/// One tool that looked at one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeAnalysis {
    /// Name of the tool. Hostile text.
    pub tool: String,
    /// Which part of the repository or which language; empty if it is not told. Of two
    /// analyses of the same tool and part the newer one counts. Hostile text.
    pub part: String,
    /// The commit that it looked at.
    pub commit: String,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// Whether it ended with an error.
    pub failed: bool,
}

/// An alert that somebody closed without mending it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DismissedAlert {
    /// The alert.
    pub alert: Alert,
    /// The login of who dismissed it; `None`: it is not told.
    pub by: Option<String>,
    /// When, by the platform's clock; `None`: it is not told.
    pub at: Option<Timestamp>,
}
