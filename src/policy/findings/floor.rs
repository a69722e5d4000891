//! What a branch says about single findings, held to what the default branch does.

use super::accepted::AcceptedFinding;
use super::lists::{ExploitedList, StoredBaseline};
use super::severity_map::{SeverityMap, lowers};

/// Maps of which the worst counts: the branch's own, and the floor's if they lower
/// anything that the floor does not.
pub(in crate::policy) fn hold_maps(own: &[SeverityMap], floor: &[SeverityMap]) -> Vec<SeverityMap> {
    let mut held = own.to_vec();
    if lowers(own, floor) {
        // No map is one that changes nothing.
        let unchanged = [SeverityMap::default()];
        let floor = if floor.is_empty() { &unchanged } else { floor };
        held.extend(floor.iter().cloned());
        held.sort();
        held.dedup();
    }
    held
}

/// The floor's baseline or none; the same one for no longer.
pub(in crate::policy) fn hold_baseline(
    own: Option<&StoredBaseline>,
    floor: Option<&StoredBaseline>,
) -> Option<StoredBaseline> {
    let floor = floor?;
    let same = own.filter(|own| own.digest == floor.digest && own.path == floor.path);
    Some(StoredBaseline {
        expires: same.map_or(floor.expires, |own| own.expires.min(floor.expires)),
        ..floor.clone()
    })
}

/// Only what the floor accepts too, and no more of it and no longer. The rest is given
/// back as what does not hold.
pub(in crate::policy) fn hold_accepted(
    own: Vec<AcceptedFinding>,
    floor: &[AcceptedFinding],
) -> (Vec<AcceptedFinding>, Vec<AcceptedFinding>) {
    let mut held = Vec::new();
    let mut refused = Vec::new();
    for accepted in own {
        let same = |one: &&AcceptedFinding| {
            one.tool.to_lowercase() == accepted.tool.to_lowercase()
                && one.binding == accepted.binding
        };
        match floor.iter().find(same) {
            Some(granted) => held.push(AcceptedFinding {
                severity: accepted.severity.min(granted.severity),
                count: accepted.count.min(granted.count),
                // What does not act on the default branch yet acts nowhere.
                begins: accepted.begins.max(granted.begins),
                expires: accepted.expires.min(granted.expires),
                ..granted.clone()
            }),
            None => refused.push(accepted),
        }
    }
    (held, refused)
}

/// The lists of both.
pub(in crate::policy) fn hold_exploited(
    own: Vec<ExploitedList>,
    floor: Vec<ExploitedList>,
) -> Vec<ExploitedList> {
    let mut held = own;
    for list in floor {
        if !held.contains(&list) {
            held.push(list);
        }
    }
    held
}
