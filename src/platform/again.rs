//! A change that moves while it is read. Facts of two heads side by side would let an
//! approval of one speak for the files of another, so everything is read again; a change
//! that never stands still is unknown. Asks nothing itself.

use crate::facts::{Fact, FactKey, Needs, Snapshot, Unknown, Why};

/// How often everything is read again.
pub(super) const MOST: u32 = 2;

/// Whether the change stood still while it was read.
pub(super) enum Stood {
    /// What was read last still names the head and the target that were read first.
    Still,
    /// It names others.
    Moved,
    /// Nobody can tell.
    Hidden(Unknown),
}

/// The groups that are read of a change after its opening, and hang on its head or target.
pub(super) const READ_AFTER_OPENING: [FactKey; 8] = [
    FactKey::ChangeCommits,
    FactKey::ChangeReviews,
    FactKey::ChangePushes,
    FactKey::ChangeChecks,
    FactKey::ChangeFiles,
    FactKey::ChangeThreads,
    FactKey::ChangeSignatures,
    FactKey::ChangeOriginals,
];

/// Takes what was opened again in the place of what was, unless another policy may hold
/// there: what it needs was never asked for. `false`: it may.
pub(super) fn take(snapshot: &mut Snapshot, again: Snapshot) -> bool {
    let text = |fact: &Fact<Option<crate::facts::PolicyDocument>>| {
        let document = fact.known().ok()?;
        Some(document.as_ref().map(|document| document.text.clone()))
    };
    let same = again.subject.target == snapshot.subject.target
        && text(&again.policy.target) == text(&snapshot.policy.target)
        && text(&again.policy.floor) == text(&snapshot.policy.floor);
    if same {
        // Files that were handed in are not read from the platform.
        let scans = snapshot.scans.clone();
        let rules_before = snapshot.rules_before.clone();
        let override_register = snapshot.override_register.clone();
        // So is the group of a queue that the change is part of: what is judged is one.
        let queue = snapshot.queue.clone();
        *snapshot = again;
        snapshot.queue = queue;
        snapshot.scans = scans;
        snapshot.rules_before = rules_before;
        snapshot.override_register = override_register;
    }
    same
}

/// Why nothing is known of a change that moved at every reading.
pub(super) fn restless(readings: u32) -> Unknown {
    let times = match readings {
        1 => "once".to_owned(),
        more => format!("{more} times"),
    };
    Unknown::new(
        FactKey::ChangeIdentity.name(),
        Why::Failed,
        format!(
            "the head or the target of the change moved while it was read, {times}; run the check again"
        ),
    )
}

/// Leaves nothing of the change that was asked for.
pub(super) fn hide(snapshot: &mut Snapshot, needs: &Needs, why: &Unknown) {
    let hidden = |key: FactKey| Unknown {
        fact: key.name().to_owned(),
        ..why.clone()
    };
    for key in needs.iter() {
        match key {
            FactKey::ChangeIdentity => snapshot.identity = Fact::Unknown(hidden(key)),
            FactKey::ChangeCommits => snapshot.commits = Fact::Unknown(hidden(key)),
            FactKey::ChangeReviews => snapshot.reviews = Fact::Unknown(hidden(key)),
            FactKey::ChangePushes => snapshot.pushes = Fact::Unknown(hidden(key)),
            FactKey::ChangeChecks => snapshot.checks = Fact::Unknown(hidden(key)),
            FactKey::ChangeComments => snapshot.comments = Fact::Unknown(hidden(key)),
            FactKey::ChangeFiles => snapshot.files = Fact::Unknown(hidden(key)),
            FactKey::ChangeThreads => snapshot.discussion = Fact::Unknown(hidden(key)),
            FactKey::ChangeSignatures => snapshot.signatures = Fact::Unknown(hidden(key)),
            FactKey::ChangeOriginals => snapshot.originals = Fact::Unknown(hidden(key)),
            FactKey::ChangeTickets => snapshot.tickets = Fact::Unknown(hidden(key)),
            FactKey::ScanChangeAnalyses => {
                snapshot.change_analyses = Fact::Unknown(hidden(key));
            }
            // What does not hang on a change.
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "again_tests.rs"]
mod tests;
