//! Which approvals stand and what they are worth together. CHG-02, CHG-03 and
//! CHG-04 all count here, so that they cannot rest on different people.

use std::borrow::Cow;
use std::collections::HashMap;

use super::hands::key;
use crate::controls::tree::{Against, Branch, Ruling, Worth};
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
    Never(Against),
    Hidden(Unknown),
}

/// The review as an approval by a person that no later opinion of the same account
/// replaced, or why it is none. A state we do not know replaces an approval too: we err
/// to the strict side. A review whose account is gone is nobody's, so it never counts.
fn opinion<'a>(
    reviews: &'a [Review],
    newest: &HashMap<Cow<'_, str>, usize>,
    index: usize,
) -> Result<Approval<'a>, Against> {
    let review = &reviews[index];
    let Some(reviewer) = &review.reviewer else {
        return Err(Against::Gone);
    };
    match &review.state {
        ReviewState::Approved => {}
        ReviewState::Commented => return Err(Against::Comment),
        ReviewState::ChangesRequested => return Err(Against::ChangesRequested),
        ReviewState::Dismissed => return Err(Against::Dismissed),
        ReviewState::Other(word) => return Err(Against::Odd(word.clone())),
    }
    if reviewer.is_untold() {
        return Err(Against::Untold);
    }
    if !reviewer.is_human() {
        return Err(Against::NotAPerson);
    }
    if newest
        .get(key(reviewer).as_ref())
        .is_some_and(|later| *later > index)
    {
        return Err(Against::Replaced);
    }
    Ok(Approval { reviewer, review })
}

/// Where the newest opinion of each account stands. A comment is none.
fn newest_opinions(reviews: &[Review]) -> HashMap<Cow<'_, str>, usize> {
    reviews
        .iter()
        .enumerate()
        .filter(|(_, review)| review.state != ReviewState::Commented)
        .filter_map(|(index, review)| Some((key(review.reviewer.as_ref()?), index)))
        .collect()
}

/// What becomes of each review, where `weigh` says what the approvals that stand are worth.
pub(super) fn rulings<'a>(
    reviews: &'a [Review],
    mut weigh: impl FnMut(&Approval<'a>) -> Worth,
) -> Vec<Ruling> {
    let newest = newest_opinions(reviews);
    (0..reviews.len())
        .map(|index| Ruling {
            review: index,
            reviewer: reviews[index].reviewer.clone(),
            worth: match opinion(reviews, &newest, index) {
                Ok(approval) => weigh(&approval),
                Err(against) => Worth::Never(against),
            },
        })
        .collect()
}

/// The question of a control that asks one.
pub(super) fn branch(needed: u32, rulings: Result<Vec<Ruling>, Unknown>) -> Vec<Branch> {
    vec![Branch {
        about: None,
        needed: needed.max(1) as usize,
        rulings,
    }]
}

/// What each review is worth to CHG-02.
///
/// # Errors
/// Why the reviews could not be seen.
pub(super) fn counted(facts: &Snapshot) -> Result<Vec<Ruling>, Unknown> {
    let identity = facts.identity.known();
    Ok(rulings(facts.reviews.known()?, |approval| {
        match standing(approval, &identity) {
            Standing::Counts => {
                Worth::Counts("the reviewer may write and did not open the change".to_owned())
            }
            Standing::Never(against) => Worth::Never(against),
            Standing::Hidden(unknown) => Worth::Unknown(unknown),
        }
    }))
}

/// The approvals that count for CHG-02, for expressions of a policy.
///
/// # Errors
/// The reason why it cannot be told of one of them whether it counts.
pub(in crate::controls) fn counting(facts: &Snapshot) -> Result<Vec<&Review>, Unknown> {
    let reviews = facts.reviews.known()?;
    let mut counting = Vec::new();
    for ruling in counted(facts)? {
        match ruling.worth {
            Worth::Counts(_) => counting.push(&reviews[ruling.review]),
            Worth::Never(_) => {}
            Worth::Unknown(unknown) => return Err(unknown),
        }
    }
    Ok(counting)
}

/// Whether the approver may write.
pub(super) fn may_write(approval: &Approval<'_>) -> Standing {
    match approval.review.can_write.known() {
        Ok(true) => Standing::Counts,
        Ok(false) => Standing::Never(Against::MayNotWrite),
        Err(unknown) => Standing::Hidden(unknown),
    }
}

/// Whether the approval counts: the approver may write and did not open the change.
pub(super) fn standing(approval: &Approval<'_>, identity: &Result<&Identity, Unknown>) -> Standing {
    match may_write(approval) {
        Standing::Counts => {}
        Standing::Never(against) => return Standing::Never(against),
        // The author's own is out whatever else is hidden.
        Standing::Hidden(unknown) => {
            return if own(approval, identity) {
                Standing::Never(Against::Opener)
            } else {
                Standing::Hidden(unknown)
            };
        }
    }
    match identity {
        Err(unknown) => Standing::Hidden(unknown.clone()),
        Ok(_) if own(approval, identity) => Standing::Never(Against::Opener),
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
    /// That it counts, or why that cannot be told.
    pub(super) counts: Result<(), Unknown>,
    /// Whether it covers the head.
    pub(super) fresh: Result<bool, Unknown>,
    /// Whether the approver had no hand in the change.
    pub(super) free: Result<bool, Unknown>,
}

impl Weighed {
    /// Whether it counts and is independent, whatever is hidden.
    pub(super) fn surely_free(&self) -> bool {
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

/// Whether at least `min` of the approvals cover the head, of those that it has to be
/// covered by: those of independent people as soon as there is one, all of them otherwise.
/// Holds, or not, only if it does whatever the hidden parts may be.
///
/// Otherwise an independent approval that is stale (enough for CHG-04) and the
/// fresh one of a co-author (enough for CHG-03) would together open the gate
/// for something that no independent person has seen. Where nobody independent
/// approved, CHG-04 says so, and freshness is judged by itself.
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
