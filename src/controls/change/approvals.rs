//! Which approvals stand. It knows reviews only: not freshness, not independence.

use crate::facts::{Account, Identity, Review, ReviewState, Unknown};

/// The latest opinion of somebody, where it is an approval.
pub(super) struct Approval<'a> {
    /// Who approved.
    pub(super) reviewer: &'a Account,
    /// The review.
    pub(super) review: &'a Review,
}

/// Whether an approval counts.
pub(super) enum Standing {
    Counts,
    Never,
    Hidden(Unknown),
}

/// Approvals by people that no later opinion of the same person replaced.
/// A state we do not know replaces one too: we err to the strict side.
pub(super) fn latest(reviews: &[Review]) -> Vec<Approval<'_>> {
    let mut approvals: Vec<Approval<'_>> = Vec::new();
    for review in reviews {
        let Some(reviewer) = &review.reviewer else {
            continue;
        };
        match review.state {
            ReviewState::Commented => {}
            ReviewState::Approved => {
                approvals.retain(|earlier| !earlier.reviewer.is(&reviewer.login));
                if reviewer.is_human() {
                    approvals.push(Approval { reviewer, review });
                }
            }
            ReviewState::ChangesRequested | ReviewState::Dismissed | ReviewState::Other(_) => {
                approvals.retain(|earlier| !earlier.reviewer.is(&reviewer.login));
            }
        }
    }
    approvals
}

/// Whether the approver may write.
pub(super) fn may_write(approval: &Approval<'_>) -> Standing {
    match approval.review.can_write.known() {
        Ok(true) => Standing::Counts,
        Ok(false) => Standing::Never,
        Err(unknown) => Standing::Hidden(unknown),
    }
}

/// Whether the approval counts: the approver may write and did not open the change.
pub(super) fn standing(approval: &Approval<'_>, identity: &Result<&Identity, Unknown>) -> Standing {
    match may_write(approval) {
        Standing::Counts => {}
        Standing::Never => return Standing::Never,
        // The author's own is out whatever else is hidden.
        Standing::Hidden(unknown) => {
            return if own(approval, identity) {
                Standing::Never
            } else {
                Standing::Hidden(unknown)
            };
        }
    }
    match identity {
        Err(unknown) => Standing::Hidden(unknown.clone()),
        Ok(_) if own(approval, identity) => Standing::Never,
        Ok(_) => Standing::Counts,
    }
}

fn own(approval: &Approval<'_>, identity: &Result<&Identity, Unknown>) -> bool {
    identity.as_ref().is_ok_and(|identity| {
        identity
            .author
            .as_ref()
            .is_some_and(|author| author.is(&approval.reviewer.login))
    })
}
