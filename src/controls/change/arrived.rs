//! What the controls about a branch's moves share: the arrivals, and each change
//! among them as it stood when it was merged. It judges nothing.

use jiff::Timestamp;

use crate::controls::control::{Evidence, Verdict};
use crate::facts::{
    ArrivalMethod, Arrivals, ArrivedChange, Fact, FactKey, Review, Snapshot, Source, Subject,
    Unknown, Way, Why,
};

/// The move that is judged, or the verdict where there is none.
pub(super) fn arrivals(
    facts: &Snapshot,
) -> Result<Result<(&Arrivals, &[Source]), Verdict>, Unknown> {
    Ok(match facts.arrivals.known()? {
        Some(arrivals) => Ok((arrivals, facts.arrivals.sources())),
        None => Err(Verdict::NotApplicable(Evidence::new(
            "no move of a branch is judged",
            FactKey::BranchArrivals,
            "no move of a branch",
            facts.arrivals.sources(),
        ))),
    })
}

/// The move that is judged, if one is.
///
/// # Errors
/// Why that is not known.
pub(super) fn moved(facts: &Snapshot) -> Result<Option<(&Arrivals, &[Source])>, Unknown> {
    let arrivals = facts.arrivals.known()?.as_ref();
    Ok(arrivals.map(|arrivals| (arrivals, facts.arrivals.sources())))
}

/// The changes that brought something, and the first commit whose way is not known.
pub(super) struct Brought<'a> {
    /// Each once, in order, with what is known of it.
    pub(super) changes: Vec<(u64, Result<&'a ArrivedChange, Unknown>)>,
    /// Why it cannot be told whether there are more.
    pub(super) doubt: Option<Unknown>,
}

impl Brought<'_> {
    /// Adds the answers that each change was read from.
    pub(super) fn with_sources(&self, evidence: Evidence) -> Evidence {
        self.changes
            .iter()
            .fold(evidence, |evidence, (number, change)| {
                let sources = change
                    .as_ref()
                    .map_or(&[][..], |change| change.reviews.sources());
                evidence.and(
                    FactKey::BranchArrivedChanges,
                    format!("change {number}"),
                    sources,
                )
            })
    }
}

/// # Errors
/// Why nothing is known about any of them.
pub(super) fn brought<'a>(
    facts: &'a Snapshot,
    arrivals: &Arrivals,
) -> Result<Brought<'a>, Unknown> {
    let known = facts
        .arrived_changes
        .known()?
        .as_deref()
        .unwrap_or_default();
    let hidden = |arrival: &crate::facts::Arrival| arrival.way.known().err();
    let doubt = arrivals
        .count
        .known()
        .err()
        .or_else(|| arrivals.commits.iter().find_map(hidden));
    let changes = arrivals
        .changes()
        .into_iter()
        .map(|number| {
            let change = known.iter().find(|change| change.number == number);
            let change = change.ok_or_else(|| {
                Unknown::new(
                    FactKey::BranchArrivedChanges.name(),
                    Why::NotCollected,
                    format!("change {number} was not asked about"),
                )
            });
            (number, change)
        })
        .collect();
    Ok(Brought { changes, doubt })
}

/// The change as it stood when it was merged: what reviewers said later is left out.
///
/// # Errors
/// Why it cannot be told when it was merged, or what was said before.
pub(super) fn at_merge(facts: &Snapshot, change: &ArrivedChange) -> Result<Snapshot, Unknown> {
    let identity = change.identity.known()?;
    let merged_at = identity.merged_at.ok_or_else(|| {
        Unknown::new(
            FactKey::BranchArrivedChanges.name(),
            Why::HiddenOrAbsent,
            format!(
                "the platform does not tell when change {} was merged",
                change.number
            ),
        )
    })?;
    until(facts, change, merged_at)
}

/// The change as it stood at that moment: what reviewers said later is left out.
///
/// # Errors
/// Why it cannot be told what was said before.
pub(super) fn until(
    facts: &Snapshot,
    change: &ArrivedChange,
    moment: Timestamp,
) -> Result<Snapshot, Unknown> {
    let identity = change.identity.known()?;
    let mut seen = Snapshot::all_unknown(
        Subject {
            change: Some(change.number),
            head: identity.head.clone(),
            target: identity.target_branch.clone(),
            ..facts.subject.clone()
        },
        facts.observed_at,
        facts.collected_by.clone(),
    );
    let mut reviews: Vec<Review> = Vec::new();
    for review in change.reviews.known()? {
        if *review.submitted_at.known()? <= moment {
            reviews.push(review.clone());
        }
    }
    seen.reviews = Fact::seen_in(reviews, change.reviews.sources().to_vec());
    seen.identity = change.identity.clone();
    seen.commits = change.commits.clone();
    seen.pushes = change.pushes.clone();
    seen.checks = change.checks.clone();
    seen.branch_rules = facts.branch_rules.clone();
    Ok(seen)
}

/// The commits by which a change came, with the way as far as it is known.
pub(super) fn commits_of(
    arrivals: &Arrivals,
    number: u64,
) -> impl Iterator<Item = (&crate::facts::Arrival, &Fact<ArrivalMethod>)> {
    arrivals
        .commits
        .iter()
        .filter_map(move |arrival| match arrival.way.known() {
            Ok(Way::Change {
                number: other,
                method,
            }) if *other == number => Some((arrival, method)),
            Ok(Way::Change { .. } | Way::DirectPush { .. }) | Err(_) => None,
        })
}

/// From where to where, in words.
pub(super) fn between(arrivals: &Arrivals) -> String {
    use super::hands::short;
    let before = arrivals.before.commit.as_deref().map_or("nothing", short);
    format!(
        "from {before} (told by {}) to {}",
        arrivals.before.told_by.word(),
        short(&arrivals.after)
    )
}
