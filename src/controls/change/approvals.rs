//! Which approvals stand and what they are worth together. CHG-02, CHG-03 and
//! CHG-04 all count here, so that they cannot rest on different people.

use crate::facts::{Account, Identity, Review, ReviewState, Snapshot, Unknown};

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
/// A review whose account is gone is nobody's, so it never counts.
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

/// The approvals that count for CHG-02, for expressions of a policy.
///
/// # Errors
/// The reason why it cannot be told of one of them whether it counts.
pub(in crate::controls) fn counting(facts: &Snapshot) -> Result<Vec<&Review>, Unknown> {
    let identity = facts.identity.known();
    let mut counting = Vec::new();
    for approval in latest(facts.reviews.known()?) {
        match standing(&approval, &identity) {
            Standing::Counts => counting.push(approval.review),
            Standing::Never => {}
            Standing::Hidden(unknown) => return Err(unknown),
        }
    }
    Ok(counting)
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

/// An approval that may count, with everything that decides about it.
pub(super) struct Weighed {
    /// Who approved.
    pub(super) login: String,
    /// That it counts, or why that cannot be told.
    pub(super) counts: Result<(), Unknown>,
    /// Whether it covers the head.
    pub(super) fresh: Result<bool, Unknown>,
    /// Whether the approver had no hand in the change.
    pub(super) free: Result<bool, Unknown>,
}

impl Weighed {
    fn surely_free(&self) -> bool {
        self.counts.is_ok() && self.free == Ok(true)
    }

    fn surely_fresh(&self) -> bool {
        self.counts.is_ok() && self.fresh == Ok(true)
    }

    fn doubt(&self) -> Option<&Unknown> {
        [
            self.counts.as_ref().err(),
            self.fresh.as_ref().err(),
            self.free.as_ref().err(),
        ]
        .into_iter()
        .flatten()
        .next()
    }
}

/// The approvals that the head has to be covered by: those of independent
/// people as soon as there is one, all of them otherwise.
///
/// Otherwise an independent approval that is stale (enough for CHG-04) and the
/// fresh one of a co-author (enough for CHG-03) would together open the gate
/// for something that no independent person has seen. Where nobody independent
/// approved, CHG-04 says so, and freshness is judged by itself.
pub(super) fn judged(approvals: &[Weighed]) -> Vec<&Weighed> {
    let independent = approvals.iter().any(Weighed::surely_free);
    approvals
        .iter()
        .filter(|approval| !independent || approval.surely_free())
        .collect()
}

/// Whether at least `min` of the [`judged`] approvals cover the head. Holds,
/// or not, only if it does whatever the hidden parts may be.
///
/// # Errors
/// Why it hangs on something hidden.
pub(super) fn covered(approvals: &[Weighed], min: usize) -> Result<bool, Unknown> {
    let count =
        |test: &dyn Fn(&Weighed) -> bool| approvals.iter().filter(|one| test(one)).count() >= min;
    let independent = approvals.iter().any(Weighed::surely_free);
    let surely = if independent {
        count(&|one| one.surely_free() && one.fresh == Ok(true))
    } else {
        // Each of those who may be independent may turn out to be the only one.
        count(&Weighed::surely_fresh)
            && approvals
                .iter()
                .filter(|one| one.free != Ok(false))
                .all(|one| min == 1 && one.fresh == Ok(true))
    };
    if surely {
        return Ok(true);
    }
    let possibly = count(&|one| one.fresh != Ok(false) && one.free != Ok(false))
        || (!independent && count(&|one| one.fresh != Ok(false) && one.free != Ok(true)));
    match approvals.iter().find_map(Weighed::doubt) {
        Some(unknown) if possibly => Err(unknown.clone()),
        Some(_) | None => Ok(false),
    }
}

#[cfg(test)]
mod tests;
