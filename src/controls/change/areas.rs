//! Areas of a repository that need approvals of their own: which of them a change
//! touches, and whether the people that an area belongs to approved. CHG-16 and
//! CHG-17 judge here.

use std::cell::LazyCell;

use super::hands::Hands;
use super::owners::{Owners, Tally, of_those, worthy};
use crate::controls::control::{Awaiting, Evidence, Verdict};
use crate::controls::judging::some;
use crate::controls::path_glob::PathGlobs;
use crate::controls::tree::{Against, Branch, Ruling, Tree};
use crate::facts::{ChangedFile, Fact, FactKey, Snapshot, Unknown};

/// Groups of facts that this judgement looks at.
pub(in crate::controls) const NEEDS: &[FactKey] = &[
    FactKey::ChangeFiles,
    FactKey::ChangeReviews,
    FactKey::ChangeIdentity,
    FactKey::ChangeCommits,
    FactKey::ChangePushes,
    FactKey::TeamMembers,
];

/// An area, and whose approvals it needs.
pub(in crate::controls) struct Area<'a> {
    pub(in crate::controls) paths: &'a PathGlobs,
    pub(in crate::controls) owners: &'a Owners,
    pub(in crate::controls) min: u32,
}

impl Area<'_> {
    /// How many approvals it needs: where nobody is named, one more by anybody.
    fn needed(&self) -> usize {
        let min = self.min.max(1) as usize;
        if self.owners.is_empty() { min + 1 } else { min }
    }

    fn by_whom(&self) -> String {
        if self.owners.is_empty() {
            "people with write access".to_owned()
        } else {
            self.owners.in_words()
        }
    }

    /// What the reviews are worth to it, of what they are worth at all.
    fn weighed(&self, approvals: &[Ruling], facts: &Snapshot) -> Vec<Ruling> {
        if self.owners.is_empty() {
            return approvals.to_vec();
        }
        of_those(
            approvals,
            |account| self.owners.include(account, facts),
            &Against::NotNamed(self.owners.in_words()),
        )
    }

    /// In which way it asks for less than `base`, whatever its paths.
    pub(in crate::controls) fn weaker_than(&self, base: &Self) -> Option<String> {
        if let Some(more) = self.owners.more_than(base.owners) {
            return Some(format!("lets {more} approve as well"));
        }
        let (own, base) = (self.needed(), base.needed());
        (own < base).then(|| format!("asks for {own} approvals instead of {base}"))
    }
}

/// The files that an area is touched by; empty: by none.
///
/// # Errors
/// Why it hangs on where a moved file was before.
fn touching(area: &Area<'_>, files: &[ChangedFile]) -> Result<Vec<String>, Unknown> {
    let mut found = Vec::new();
    let mut hidden = None;
    for file in files {
        match file.paths().find(|path| area.paths.is_match(path)) {
            Some(path) => found.push(format!("`{path}`")),
            None => {
                if let Fact::Unknown(unknown) = &file.previous_path {
                    hidden = hidden.or_else(|| Some(unknown.clone()));
                }
            }
        }
    }
    match hidden {
        Some(unknown) if found.is_empty() => Err(unknown),
        Some(_) | None => Ok(found),
    }
}

/// How [`judge`] comes to its verdict: one question for each area that the change
/// touches, or may touch.
pub(in crate::controls) fn tree(facts: &Snapshot, areas: &[Area<'_>]) -> Tree {
    let hands = Hands::with_deeds(facts);
    let approvals = worthy(facts, &hands);
    let files = facts.files.known();
    let branches = areas
        .iter()
        .filter_map(|area| {
            let touched = files.clone().and_then(|files| touching(area, files));
            let about = match touched {
                Ok(paths) if paths.is_empty() => return None,
                Ok(paths) => format!("{}, by {}", some(&paths), area.by_whom()),
                Err(unknown) => format!("an area that may be touched ({unknown})"),
            };
            Some(Branch {
                about: Some(about),
                needed: area.needed(),
                rulings: approvals
                    .as_ref()
                    .map(|approvals| area.weighed(approvals, facts))
                    .map_err(Clone::clone),
            })
        })
        .collect();
    Tree {
        branches,
        hands: Some(hands.into_deeds()),
    }
}

/// Judges all areas: every one that the change touches needs its own approvals.
/// `none` is the sentence for a change that touches no area.
pub(in crate::controls) fn judge(
    facts: &Snapshot,
    areas: &[Area<'_>],
    none: &str,
) -> Result<Verdict, Unknown> {
    let fact = &facts.files;
    let files = fact.known()?;
    // Most changes touch no area.
    let approvals = LazyCell::new(|| worthy(facts, &Hands::of(facts)));
    let mut met = Vec::new();
    let mut missing = Vec::new();
    let mut hidden: Option<Unknown> = None;
    for area in areas {
        let touched = touching(area, files);
        if touched.as_ref().is_ok_and(Vec::is_empty) {
            continue;
        }
        let reached = match &*approvals {
            Ok(approvals) => {
                let tally = Tally::of(&area.weighed(approvals, facts));
                tally.reaches(area.needed()).map(|reached| (reached, tally))
            }
            Err(unknown) => Err(unknown.clone()),
        };
        match (touched, reached) {
            (Ok(paths), Ok((true, Tally { sure, .. }))) => {
                met.push(format!("{} approved by {}", some(&paths), sure.join(", ")));
            }
            (Ok(paths), Ok((false, Tally { sure, .. }))) => missing.push(format!(
                "{}: {} of {} approvals by {}",
                some(&paths),
                sure.len(),
                area.needed(),
                area.by_whom()
            )),
            (Err(unknown), _) | (Ok(_), Err(unknown)) => hidden = hidden.or(Some(unknown)),
        }
    }
    let evidence = |summary: String| {
        Evidence::new(
            summary,
            FactKey::ChangeFiles,
            format!("{} files", files.len()),
            fact.sources(),
        )
    };
    let with_reviews = |summary: String, seen: String| {
        evidence(summary).and(FactKey::ChangeReviews, seen, facts.reviews.sources())
    };
    if !missing.is_empty() {
        let missing = missing.join("; ");
        return Ok(Verdict::fail(with_reviews(missing.clone(), missing))
            .next("ask those whom the policy names for an approval of the newest commit")
            .awaiting(Awaiting::Approval));
    }
    if let Some(unknown) = hidden {
        return Err(unknown);
    }
    if met.is_empty() {
        return Ok(Verdict::NotApplicable(evidence(none.to_owned())));
    }
    let met = met.join("; ");
    Ok(Verdict::Pass(with_reviews(met.clone(), met)))
}
