//! What several approvals are worth together, against every way in which the
//! hidden parts could turn out.

use super::{Weighed, covered};
use crate::facts::{Unknown, Why};

fn unseen() -> Unknown {
    Unknown::new("test.hidden", Why::NotPermitted, "hidden")
}

const MAYBE: [Option<bool>; 3] = [Some(true), Some(false), None];

/// Every approval that there can be: counts or hidden, fresh, free.
fn kinds() -> Vec<(Option<()>, Option<bool>, Option<bool>)> {
    [Some(()), None]
        .into_iter()
        .flat_map(|counts| MAYBE.map(|fresh| (counts, fresh)))
        .flat_map(|(counts, fresh)| MAYBE.map(|free| (counts, fresh, free)))
        .collect()
}

type Kind = (Option<()>, Option<bool>, Option<bool>);

fn weighed(kinds: &[Kind]) -> Vec<Weighed> {
    kinds
        .iter()
        .map(|(counts, fresh, free)| Weighed {
            counts: counts.ok_or_else(unseen),
            fresh: fresh.ok_or_else(unseen),
            free: free.ok_or_else(unseen),
        })
        .collect()
}

/// Every way in which hidden parts can turn out: (counts, fresh, free) of each.
fn worlds(kinds: &[Kind]) -> Vec<Vec<(bool, bool, bool)>> {
    let both = |seen: Option<bool>| seen.map_or(vec![true, false], |value| vec![value]);
    let mut worlds = vec![Vec::new()];
    for (counts, fresh, free) in kinds {
        let mut more = Vec::new();
        for world in &worlds {
            for counts in both(counts.map(|()| true)) {
                for fresh in both(*fresh) {
                    for free in both(*free) {
                        let mut world: Vec<_> = world.clone();
                        world.push((counts, fresh, free));
                        more.push(world);
                    }
                }
            }
        }
        worlds = more;
    }
    worlds
}

/// The rule itself, where nothing is hidden.
fn holds(world: &[(bool, bool, bool)], min: usize) -> bool {
    let independent = world.iter().any(|(counts, _, free)| *counts && *free);
    let covering = world
        .iter()
        .filter(|(counts, fresh, free)| *counts && *fresh && (*free || !independent));
    covering.count() >= min
}

fn agrees(kinds: &[Kind]) {
    for min in 1..=3 {
        let outcomes: Vec<bool> = worlds(kinds)
            .iter()
            .map(|world| holds(world, min))
            .collect();
        let wanted = match (outcomes.contains(&true), outcomes.contains(&false)) {
            (true, false) => Some(true),
            (false, _) => Some(false),
            (true, true) => None,
        };
        let seen = covered(&weighed(kinds), min).ok();
        assert_eq!(seen, wanted, "at least {min} of {kinds:?}");
    }
}

#[test]
fn no_and_every_single_approval_are_judged_as_every_world_says() {
    agrees(&[]);
    for one in kinds() {
        agrees(&[one]);
    }
}

#[test]
fn every_two_and_three_approvals_are_judged_as_every_world_says() {
    for one in kinds() {
        for two in kinds() {
            agrees(&[one, two]);
            for three in kinds() {
                // The order does not matter; half of them is enough.
                if one <= two && two <= three {
                    agrees(&[one, two, three]);
                }
            }
        }
    }
}

#[test]
fn only_independent_approvals_are_judged_as_soon_as_there_is_one() {
    let dependent = (Some(()), Some(true), Some(false));
    let free = (Some(()), Some(false), Some(true));
    assert_eq!(covered(&weighed(&[dependent]), 1), Ok(true));
    assert_eq!(covered(&weighed(&[dependent, free]), 1), Ok(false));
}
