//! Who is named in a record: by login, and by the platform's number where the record has one.

use std::collections::BTreeMap;

use serde::Serializer;
use serde_json::Value;

use crate::facts::AccountRef;

use super::word;

/// The person under a key of a record.
pub(super) fn person(record: &Value, pointer: &str) -> Option<AccountRef> {
    let who = record.pointer(pointer)?;
    Some(AccountRef {
        login: word(who, "/login")?.to_owned(),
        id: who.get("id").and_then(Value::as_u64),
    })
}

/// Who wrote what a decision's record tells of, from `by` and `by_id`.
pub(super) fn author(told: &Value) -> Option<AccountRef> {
    Some(AccountRef {
        login: word(told, "/by")?.to_owned(),
        id: told.get("by_id").and_then(Value::as_u64),
    })
}

/// Everybody who moved the branch, if the record names them all. Numbers stand beside the
/// logins; where there are not as many of them nobody can say whose they are.
pub(super) fn involved(given: &Value) -> Option<Vec<AccountRef>> {
    let logins = given.get("involved")?.as_array()?;
    let ids = given
        .get("involved_ids")
        .and_then(Value::as_array)
        .filter(|ids| ids.len() == logins.len());
    let named = logins.iter().enumerate().filter_map(|(place, login)| {
        Some(AccountRef {
            login: login.as_str()?.to_owned(),
            id: ids.and_then(|ids| ids.get(place)?.as_u64()),
        })
    });
    Some(named.collect())
}

/// Adds whom a later record of the same names. Where the first one could not name everybody, none
/// makes up for it; a later one that could not, as after a hiccup, takes nobody away.
pub(super) fn add(known: &mut Option<Vec<AccountRef>>, named: Option<&[AccountRef]>) {
    let Some(people) = known else {
        return;
    };
    for one in named.into_iter().flatten() {
        if !people.contains(one) {
            people.push(one.clone());
        }
    }
}

/// One name for each person, however they were called in between: the number decides, and a
/// login without one is that of the only number it was seen with.
pub(super) struct Names {
    numbers: BTreeMap<String, Vec<u64>>,
    newest: BTreeMap<u64, String>,
}

impl Names {
    /// From everybody who is named, oldest first.
    pub(super) fn of<'p>(people: impl Iterator<Item = &'p AccountRef>) -> Self {
        let mut names = Self {
            numbers: BTreeMap::new(),
            newest: BTreeMap::new(),
        };
        for one in people {
            let Some(id) = one.id else { continue };
            let login = one.login.to_lowercase();
            let numbers = names.numbers.entry(login.clone()).or_default();
            if !numbers.contains(&id) {
                numbers.push(id);
            }
            names.newest.insert(id, login);
        }
        names
    }

    /// The person's number, if there is one, and the login that they were last seen with.
    pub(super) fn name(&self, of: &AccountRef) -> (Option<u64>, String) {
        let login = of.login.to_lowercase();
        let only = match self.numbers.get(&login).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            Some(_) | None => None,
        };
        let id = of.id.or(only);
        let newest = id.and_then(|id| self.newest.get(&id).cloned());
        (id, newest.unwrap_or(login))
    }
}

/// Writes the login alone: what other programs read of the register only grows.
pub(super) fn login<S: Serializer>(
    who: &Option<AccountRef>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match who {
        Some(who) => serializer.serialize_str(&who.login),
        None => serializer.serialize_none(),
    }
}

/// Writes the logins alone.
pub(super) fn logins<S: Serializer>(
    people: &Option<Vec<AccountRef>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match people {
        Some(people) => serializer.collect_seq(people.iter().map(|one| &one.login)),
        None => serializer.serialize_none(),
    }
}
