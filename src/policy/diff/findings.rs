//! What two policies say about single findings, side by side.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::{Direction, Severity};

use super::super::findings::{
    AcceptedFinding, ExploitedList, RatedAs, SeverityMap, StoredBaseline, lowers,
};
use super::super::standing::{Clocks, Days, Standing, reaches_further};
use super::change::{Changes, PolicyPart};

/// A map that lowers one finding and lifts another is weaker.
pub(super) fn maps(
    (before, after): (&[SeverityMap], &[SeverityMap]),
    part: PolicyPart,
    key: &str,
    changes: &mut Changes,
) {
    if before == after {
        return;
    }
    let direction = if lowers(after, before) {
        Direction::Weaker
    } else if lowers(before, after) {
        Direction::Stronger
    } else {
        Direction::Changed
    };
    changes.add(part, key, (map_words(before), map_words(after)), direction);
}

pub(super) fn map_words(maps: &[SeverityMap]) -> String {
    let words = |map: &SeverityMap| {
        let rules = map
            .rules
            .iter()
            .map(|(rule, to)| format!("{rule} {}", to.word()));
        let words = map.words.iter().map(|(from, to)| {
            let from = match from {
                RatedAs::Severity(severity) => severity.word(),
                RatedAs::Unrated => super::super::findings::read::UNRATED,
            };
            format!("{from} -> {}", to.word())
        });
        let all: Vec<String> = rules.chain(words).collect();
        if all.is_empty() {
            "as reported".to_owned()
        } else {
            all.join(", ")
        }
    };
    match maps {
        [] => "as reported".to_owned(),
        maps => maps.iter().map(words).collect::<Vec<_>>().join("; or "),
    }
}

/// Another baseline makes other findings old, and without one the report itself says
/// what is new: neither is known to demand more.
pub(super) fn baseline(
    (before, after): (Option<&StoredBaseline>, Option<&StoredBaseline>),
    part: PolicyPart,
    key: &str,
    changes: &mut Changes,
) {
    if before == after {
        return;
    }
    let direction = match (before, after) {
        (Some(old), Some(new))
            if old.path == new.path && old.digest == new.digest && new.expires < old.expires =>
        {
            Direction::Stronger
        }
        (Some(_) | None, Some(_) | None) => Direction::Weaker,
    };
    let values = (baseline_words(before), baseline_words(after));
    changes.add(part, key, values, direction);
}

pub(super) fn baseline_words(baseline: Option<&StoredBaseline>) -> String {
    baseline.map_or_else(
        || "as reported".to_owned(),
        |StoredBaseline {
             path,
             digest,
             expires,
         }| format!("{path} ({digest}) until {expires}"),
    )
}

pub(super) fn accepted(
    before: &[AcceptedFinding],
    after: &[AcceptedFinding],
    now: Timestamp,
    changes: &mut Changes,
) {
    let mut all: BTreeMap<_, (Option<&AcceptedFinding>, Option<&AcceptedFinding>)> =
        BTreeMap::new();
    let key = |one: &AcceptedFinding| (one.tool.to_lowercase(), one.binding.clone());
    for one in before {
        all.entry(key(one)).or_default().0 = Some(one);
    }
    for one in after {
        all.entry(key(one)).or_default().1 = Some(one);
    }
    for (old, new) in all.into_values() {
        let (was, is) = (old.map(spelt), new.map(spelt));
        if was == is {
            continue;
        }
        // One whose last day is over accepts nothing any more; one that acts later does.
        let reach = |one: Option<&AcceptedFinding>| {
            one.filter(|one| one.standing(Clocks::one(now)) != Standing::Expired)
                .map(|one| {
                    (
                        [reach_of(one.severity), one.count],
                        (one.begins, one.expires),
                    )
                })
        };
        let (old_reach, new_reach) = (reach(old), reach(new));
        // One with a nearer end acts sooner.
        let further = |own: ([u64; 2], Days), base: ([u64; 2], Days)| {
            own.0.iter().zip(base.0).any(|(own, base)| *own > base)
                || reaches_further(&[own.1], &[base.1], now)
        };
        let direction = match (old_reach, new_reach) {
            (None, Some(_)) => Direction::Weaker,
            (Some(_), None) => Direction::Stronger,
            (Some(old), Some(new)) if further(new, old) => Direction::Weaker,
            (Some(old), Some(new)) if further(old, new) => Direction::Stronger,
            (Some(_) | None, Some(_) | None) => Direction::Changed,
        };
        let name = new.or(old).map(AcceptedFinding::words).unwrap_or_default();
        let none = || "not accepted".to_owned();
        let values = (was.unwrap_or_else(none), is.unwrap_or_else(none));
        let part = PolicyPart::Section("accepted_findings");
        changes.add(part, &name, values, direction);
    }
}

fn reach_of(severity: Severity) -> u64 {
    severity as u64
}

/// Everything that an acceptance says but for where it stands.
fn spelt(one: &AcceptedFinding) -> String {
    let AcceptedFinding {
        tool,
        // They are what makes both the same acceptance.
        binding: _,
        severity,
        count,
        status,
        justification,
        reason,
        owner,
        approved_by,
        ticket,
        expires,
        // It follows from the end.
        begins: _,
        at: _,
    } = one;
    let why = justification.map_or_else(String::new, |why| format!(" ({})", why.word()));
    format!(
        "{count} of {tool} up to {}, {}{why}, until {expires}, owner {owner}, approved by {approved_by}, {ticket}: {reason}",
        severity.word(),
        status.word(),
    )
}

pub(super) fn exploited(before: &[ExploitedList], after: &[ExploitedList], changes: &mut Changes) {
    if before == after {
        return;
    }
    // Which ids stand in a list is not known here.
    let lacks =
        |own: &[ExploitedList], base: &[ExploitedList]| base.iter().any(|list| !own.contains(list));
    let direction = match (lacks(after, before), lacks(before, after)) {
        (true, _) => Direction::Weaker,
        (false, true) => Direction::Stronger,
        (false, false) => Direction::Changed,
    };
    let words = |lists: &[ExploitedList]| {
        let words = lists
            .iter()
            .map(|ExploitedList { path, digest }| match digest {
                Some(digest) => format!("{path} ({digest})"),
                None => path.clone(),
            });
        let all: Vec<String> = words.collect();
        if all.is_empty() {
            "no list".to_owned()
        } else {
            all.join(", ")
        }
    };
    let part = PolicyPart::Section("known_exploited");
    changes.add(part, "", (words(before), words(after)), direction);
}
