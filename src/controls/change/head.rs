//! Which commit a change has to be reviewed and checked at. It knows nothing
//! of reviews or checks.

use crate::facts::{ChangeState, Snapshot, Unknown};

/// The head that counts: the commit that is judged; where that is what the
/// merge of the change left on the branch (a merge, squash or rebase commit
/// that nobody could review before), the head that was merged.
///
/// # Errors
/// Why it cannot be told whether the commit is such a one.
pub(super) fn head(facts: &Snapshot) -> Result<&str, Unknown> {
    let identity = facts.identity.known()?;
    let judged = &facts.subject.head;
    let merged =
        identity.state == ChangeState::Merged && identity.merge_commit.as_ref() == Some(judged);
    Ok(if merged { &identity.head } else { judged })
}
