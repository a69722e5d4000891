//! Two policies side by side: as they are today, and as they are when every
//! concession in them has ended. The second look finds what a concession hides:
//! a demand that comes back in one of them and does not in the other.

use std::fmt;

use jiff::Timestamp;

use crate::facts::{Direction, Fact, PolicyDocument, PolicyFacts};

use super::super::load::{LoadError, load};
use super::super::model::{Policy, PolicySource};
use super::change::{Changes, PolicyChange, PolicyPart};
use super::{controls, exemptions, findings, scans, sections};

/// What was compared, and what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDiff {
    /// Where the first policy came from.
    pub before: PolicySource,
    /// Where the second came from; `None`: there is none any more.
    pub after: Option<PolicySource>,
    /// Every difference in what is demanded, what became weaker first.
    pub changes: Vec<PolicyChange>,
}

impl PolicyDiff {
    /// Whether anything became weaker, now or when concessions have ended.
    pub fn weaker(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.direction == Direction::Weaker)
    }
}

/// Why two policies cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffError {
    /// The first one is missing, unreadable or invalid.
    Before(LoadError),
    /// The second one is unreadable or invalid.
    After(LoadError),
}

impl DiffError {
    /// What is wrong with the policy at fault.
    pub fn load_error(&self) -> &LoadError {
        match self {
            Self::Before(error) | Self::After(error) => error,
        }
    }
}

impl fmt::Display for DiffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.load_error())
    }
}

impl std::error::Error for DiffError {}

/// The documents as they are when a change is merged that proposes this file. On
/// the default branch the file becomes the floor too; elsewhere, or where it is not
/// known which branch is the default one, that stays.
pub fn merged(
    in_force: &PolicyFacts,
    proposed: Option<PolicyDocument>,
    target_is_default: bool,
) -> PolicyFacts {
    let proposed = Fact::known_without_source(proposed);
    PolicyFacts {
        floor: if target_is_default {
            proposed.clone()
        } else {
            in_force.floor.clone()
        },
        target: proposed,
    }
}

/// Compares what two sets of documents demand at `now`, and later.
///
/// # Errors
/// See [`DiffError`].
pub fn diff(
    before: &PolicyFacts,
    after: &PolicyFacts,
    now: Timestamp,
) -> Result<PolicyDiff, DiffError> {
    let old = load(before, now).map_err(DiffError::Before)?;
    let new = match load(after, now) {
        Ok(new) => new,
        Err(LoadError::Missing) => return Ok(removed(old)),
        Err(error) => return Err(DiffError::After(error)),
    };
    let mut changes = compare(&old, &new, now);
    let old_later = load(before, Timestamp::MAX).map_err(DiffError::Before)?;
    let new_later = load(after, Timestamp::MAX).map_err(DiffError::After)?;
    let mut later = Changes::default();
    controls::compare(&old_later.controls, &new_later.controls, &mut later);
    for change in later.0 {
        let told = |one: &PolicyChange| {
            one.part == change.part
                && one.setting == change.setting
                && one.direction == change.direction
        };
        if !changes.iter().any(told) {
            changes.push(PolicyChange {
                later: true,
                ..change
            });
        }
    }
    changes.sort_by_key(|change| (change.direction, change.later));
    Ok(PolicyDiff {
        before: old.source,
        after: Some(new.source),
        changes,
    })
}

/// Without a policy nothing is judged any more.
fn removed(before: Policy) -> PolicyDiff {
    let mut changes = Changes::default();
    changes.add_because(
        PolicyPart::Whole,
        "",
        (before.source.origin.clone(), "no policy".to_owned()),
        Direction::Weaker,
        "without a policy the gate judges nothing",
    );
    PolicyDiff {
        before: before.source,
        after: None,
        changes: changes.0,
    }
}

/// Every part of the model is named here: a new one does not compile until somebody
/// has said how it is compared.
fn compare(before: &Policy, after: &Policy, now: Timestamp) -> Vec<PolicyChange> {
    let Policy {
        source,
        mode,
        branches,
        settings_max_age,
        controls,
        scans,
        accepted_findings,
        known_exploited,
        overrides,
        waivers,
        frameworks,
        ledger,
        // They say what the rest comes to.
        notes: _,
    } = before;
    let mut changes = Changes::default();
    sections::layers(source, &after.source, &mut changes);
    sections::mode(*mode, after.mode, &mut changes);
    sections::branches(branches.as_ref(), after.branches.as_ref(), &mut changes);
    sections::settings_age((*settings_max_age, after.settings_max_age), &mut changes);
    controls::compare(controls, &after.controls, &mut changes);
    scans::compare(before, scans, &after.scans, &mut changes);
    findings::accepted(
        accepted_findings,
        &after.accepted_findings,
        now,
        &mut changes,
    );
    findings::exploited(known_exploited, &after.known_exploited, &mut changes);
    exemptions::overrides(overrides, &after.overrides, &mut changes);
    exemptions::waivers(waivers, &after.waivers, now, &mut changes);
    sections::frameworks(frameworks, &after.frameworks, &mut changes);
    sections::ledger(ledger.as_ref(), after.ledger.as_ref(), &mut changes);
    changes.0
}
