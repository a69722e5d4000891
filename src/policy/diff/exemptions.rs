//! Who may go around a control: overrides and waivers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use regex::Regex;

use crate::facts::Direction;

use super::super::model::{OverrideRules, OverrideSigner, Waiver};
use super::super::signers::all_have_keys;
use super::super::standing::{Days, reaches_further};
use super::change::{Changes, PolicyPart, Stronger};
use super::sections::{duration, some};

/// Every field is named: a new one does not compile until somebody has said how it
/// is compared.
pub(super) fn overrides(before: &OverrideRules, after: &OverrideRules, changes: &mut Changes) {
    let OverrideRules {
        allowed_by,
        second_person,
        signed,
        signers,
        published_keys,
        environments,
        never,
        max_uses,
        ticket,
        min_reason,
        max,
        review_within,
        time_zone,
        holidays,
    } = before;
    let part = || PolicyPart::Section("overrides");
    let start = changes.0.len();
    if *allowed_by != after.allowed_by {
        let values = (some(allowed_by), some(&after.allowed_by));
        let direction = match (
            lacks(&after.allowed_by, allowed_by),
            lacks(allowed_by, &after.allowed_by),
        ) {
            (true, _) => Direction::Weaker,
            (false, true) => Direction::Stronger,
            (false, false) => Direction::Changed,
        };
        changes.add(part(), "allowed_by", values, direction);
    }
    changes.ordered(
        part(),
        "second_person",
        (*second_person, after.second_person),
        Stronger::More,
        ToString::to_string,
    );
    changes.ordered(
        part(),
        "signed",
        (*signed, after.signed),
        Stronger::More,
        ToString::to_string,
    );
    let (old, new) = (keys(signers), keys(&after.signers));
    if old != new {
        // Whoever holds a key that is new here can give what they could not before.
        // For whom no key is listed any more the published ones count, where they do.
        let published = after.published_keys && !all_have_keys(&after.signers, signers);
        let direction = if published || new.iter().any(|key| !old.contains(key)) {
            Direction::Weaker
        } else {
            Direction::Stronger
        };
        changes.add(part(), "signers", (some(&old), some(&new)), direction);
    }
    changes.ordered(
        part(),
        "published_keys",
        (*published_keys, after.published_keys),
        Stronger::Less,
        ToString::to_string,
    );
    let (old, new) = (sorted(environments), sorted(&after.environments));
    if old != new {
        let direction = if new.iter().any(|name| !old.contains(name)) {
            Direction::Weaker
        } else {
            Direction::Stronger
        };
        changes.add(part(), "environments", (some(&old), some(&new)), direction);
    }
    let (old, new) = (sorted(never), sorted(&after.never));
    if old != new {
        let direction = if old.iter().any(|id| !new.contains(id)) {
            Direction::Weaker
        } else {
            Direction::Stronger
        };
        changes.add(part(), "never", (some(&old), some(&new)), direction);
    }
    if *max_uses != after.max_uses {
        // None is more than any number.
        let most = |uses: Option<u32>| uses.unwrap_or(u32::MAX);
        let direction = if most(after.max_uses) > most(*max_uses) {
            Direction::Weaker
        } else {
            Direction::Stronger
        };
        let words = |uses: Option<u32>| {
            uses.map_or_else(|| "any number".to_owned(), |uses| uses.to_string())
        };
        let values = (words(*max_uses), words(after.max_uses));
        changes.add(part(), "max_uses", values, direction);
    }
    let pattern = |one: &Option<Regex>| one.as_ref().map(|one| one.as_str().to_owned());
    let (old, new) = (pattern(ticket), pattern(&after.ticket));
    if old != new {
        // Two patterns cannot be compared, so another one counts as weaker.
        let direction = match old {
            None => Direction::Stronger,
            Some(_) => Direction::Weaker,
        };
        let words = |one: Option<String>| one.unwrap_or_else(|| "no ticket".to_owned());
        changes.add(part(), "ticket", (words(old), words(new)), direction);
    }
    changes.ordered(
        part(),
        "min_reason",
        (*min_reason, after.min_reason),
        Stronger::More,
        ToString::to_string,
    );
    changes.ordered(part(), "max", (*max, after.max), Stronger::Less, duration);
    if *review_within != after.review_within {
        let direction = match (spelt(review_within), spelt(&after.review_within)) {
            (Some((old, unit)), Some((new, other))) if unit == other && new < old => {
                Direction::Stronger
            }
            // In another unit, which is longer depends on the calendar.
            (Some(_) | None, Some(_) | None) => Direction::Weaker,
        };
        let values = (review_within.clone(), after.review_within.clone());
        changes.add(part(), "review_within", values, direction);
    }
    // Elsewhere a day may begin later.
    if *time_zone != after.time_zone {
        let values = (time_zone.clone(), after.time_zone.clone());
        changes.add(part(), "time_zone", values, Direction::Weaker);
    }
    if *holidays != after.holidays {
        let more = after.holidays.iter().any(|day| !holidays.contains(day));
        let direction = if more {
            Direction::Weaker
        } else {
            Direction::Stronger
        };
        let days = |days: &[jiff::civil::Date]| {
            some(&days.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let values = (days(holidays), days(&after.holidays));
        changes.add(part(), "holidays", values, direction);
    }
    // Where nobody may override, the fine print opens nothing.
    if after.allowed_by.is_empty() {
        for change in changes.0.iter_mut().skip(start) {
            if change.direction == Direction::Weaker {
                change.direction = Direction::Changed;
                change.why = Some("nobody may override".to_owned());
            }
        }
    }
}

/// Whether `own` names a handle that `base` does not; case says nothing on the platforms.
fn lacks(own: &[String], base: &[String]) -> bool {
    own.iter().any(|one| {
        !base
            .iter()
            .any(|other| one.to_lowercase() == other.to_lowercase())
    })
}

/// Once each, in a fixed order: how they are listed says nothing.
fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Whose key it is in words, once each, in a fixed order.
fn keys(signers: &[OverrideSigner]) -> Vec<String> {
    let words = signers.iter().map(|one| {
        let key = one.key.fingerprint();
        format!("{} {key}", one.person.to_lowercase())
    });
    sorted(&words.collect::<Vec<_>>())
}

/// `3 days` as number and unit; the plural is the same unit.
fn spelt(time: &str) -> Option<(u16, &str)> {
    let (number, unit) = time.split_once(' ')?;
    Some((number.parse().ok()?, unit.trim().trim_end_matches('s')))
}

pub(super) fn waivers(before: &[Waiver], after: &[Waiver], now: Timestamp, changes: &mut Changes) {
    type Lines<'w> = (Vec<&'w Waiver>, Vec<&'w Waiver>);
    let mut all: BTreeMap<(&str, &str), Lines<'_>> = BTreeMap::new();
    for one in before {
        let key = (one.control.as_str(), one.scope.as_str());
        all.entry(key).or_default().0.push(one);
    }
    for one in after {
        let key = (one.control.as_str(), one.scope.as_str());
        all.entry(key).or_default().1.push(one);
    }
    for ((control, scope), (mut old, mut new)) in all {
        // Of several the longest holds.
        for side in [&mut old, &mut new] {
            side.sort_by_key(|one| std::cmp::Reverse(one.expires));
        }
        let key = format!("{control} for {scope}");
        let fields = |one: &&Waiver| {
            let Waiver {
                control: _,
                scope: _,
                reason,
                owner,
                approved_by,
                expires,
                // It follows from the end.
                begins: _,
                // Where it is written exempts nobody.
                place: _,
            } = *one;
            (*expires, owner.clone(), approved_by.clone(), reason.clone())
        };
        let (was, is): (Vec<_>, Vec<_>) = (
            old.iter().map(fields).collect(),
            new.iter().map(fields).collect(),
        );
        if was == is {
            continue;
        }
        // One whose last day is over exempts nobody any more; one with a nearer end acts sooner.
        let days = |side: &[&Waiver]| -> Vec<Days> {
            side.iter().map(|one| (one.begins, one.expires)).collect()
        };
        let (was_on, is_on) = (days(&old), days(&new));
        let direction = if reaches_further(&is_on, &was_on, now) {
            Direction::Weaker
        } else if reaches_further(&was_on, &is_on, now) {
            Direction::Stronger
        } else {
            Direction::Changed
        };
        let values = (lines(&old), lines(&new));
        changes.add(PolicyPart::Section("waivers"), &key, values, direction);
    }
}

fn lines(side: &[&Waiver]) -> String {
    match side {
        [] => "no waiver".to_owned(),
        side => side
            .iter()
            .map(|one| {
                format!(
                    "until {}, owner {}, approved by {}: {}",
                    one.expires, one.owner, one.approved_by, one.reason
                )
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}
