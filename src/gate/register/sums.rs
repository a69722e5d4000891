//! Sums of the register. People are told apart by number, where records have one, else by
//! login without case, as the platforms do.

use std::collections::BTreeMap;

use serde::Serialize;

use super::people::Names;
use super::{Attempt, Entry, Standing};
use crate::facts::AccountRef;

/// What one person did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfPerson {
    /// The login that they were last seen with, in lower case.
    pub login: String,
    /// The platform's number of the account, where a record tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Overrides that they asked for.
    pub asked: usize,
    /// Overrides that they answer for.
    pub given: usize,
    /// Attempts in vain.
    pub in_vain: usize,
    /// Attempts to approve what they had asked for or were not shown to be independent of.
    pub self_approved: usize,
    /// Overrides and breaches that they reviewed.
    pub reviewed: usize,
}

/// What went around one control.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfControl {
    /// Its code.
    pub code: String,
    /// Overrides of it.
    pub overrides: usize,
    /// Breaches that it found.
    pub breaches: usize,
    /// Reviews that are overdue.
    pub overdue: usize,
}

/// Sums per person and per control, in the order of login and code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Per person.
    pub people: Vec<OfPerson>,
    /// Per control.
    pub controls: Vec<OfControl>,
}

pub(super) fn sums(entries: &[Entry], attempts: &[Attempt]) -> Sums {
    let named = entries
        .iter()
        .flat_map(|entry| [&entry.requester, &entry.by, &entry.reviewer])
        .chain(attempts.iter().map(|attempt| &attempt.by));
    let names = Names::of(named.flatten());
    let mut people: BTreeMap<(String, Option<u64>), OfPerson> = BTreeMap::new();
    let mut person = |who: &Option<AccountRef>, count: fn(&mut OfPerson)| {
        if let Some(who) = who {
            let (id, login) = names.name(who);
            let of = people.entry((login.clone(), id)).or_default();
            (of.login, of.id) = (login, id);
            count(of);
        }
    };
    let mut controls: BTreeMap<String, OfControl> = BTreeMap::new();
    for entry in entries {
        if !entry.is_breach() {
            person(&entry.requester, |one| one.asked += 1);
            person(&entry.by, |one| one.given += 1);
        }
        person(&entry.reviewer, |one| one.reviewed += 1);
        for code in &entry.controls {
            let of = controls.entry(code.clone()).or_default();
            of.code.clone_from(code);
            of.overrides += usize::from(!entry.is_breach());
            of.breaches += usize::from(entry.is_breach());
            of.overdue += usize::from(entry.standing == Standing::Overdue);
        }
    }
    for attempt in attempts {
        person(&attempt.by, |one| one.in_vain += 1);
        if attempt.self_approved {
            person(&attempt.by, |one| one.self_approved += 1);
        }
    }
    Sums {
        people: people.into_values().collect(),
        controls: controls.into_values().collect(),
    }
}
