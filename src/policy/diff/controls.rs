//! The controls of two policies, one by one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::controls::{Bound, find};
use crate::facts::Direction;

use super::super::choice::{SCANS_CONTROL, SCANS_PARAMETER};
use super::super::model::{BoundControl, Concession, Enforcement};
use super::change::{Changes, PolicyPart, Stronger};

/// What a policy says about a control that it does not have.
const ABSENT: &str = "not judged";

pub(super) fn compare(before: &[BoundControl], after: &[BoundControl], changes: &mut Changes) {
    let mut pairs: BTreeMap<&str, (Option<&BoundControl>, Option<&BoundControl>)> = BTreeMap::new();
    for bound in before {
        pairs.entry(bound.control.meta().code).or_default().0 = Some(bound);
    }
    for bound in after {
        pairs.entry(bound.control.meta().code).or_default().1 = Some(bound);
    }
    for pair in pairs.into_values() {
        match pair {
            (Some(old), Some(new)) => {
                let made_up_for = (in_effect(old, before), in_effect(new, after));
                both(old, new, made_up_for, changes);
            }
            (Some(old), None) => {
                let values = (demanded(old), ABSENT.to_owned());
                changes.add(part(old), "", values, loss(old, Direction::Weaker));
            }
            (None, Some(new)) => {
                let values = (ABSENT.to_owned(), demanded(new));
                changes.add(part(new), "", values, loss(new, Direction::Stronger));
            }
            (None, None) => {}
        }
    }
}

/// The direction of a control that only one side has: one that is off demands nothing.
fn loss(bound: &BoundControl, direction: Direction) -> Direction {
    match bound.enforcement {
        Enforcement::Off => Direction::Changed,
        Enforcement::Warn | Enforcement::Block => direction,
    }
}

fn part(bound: &BoundControl) -> PolicyPart {
    PolicyPart::control(bound.control.meta())
}

fn demanded(bound: &BoundControl) -> String {
    format!("enforce {}", bound.enforcement.word())
}

/// The control that makes up for this one, as far as the policy enforces it: only
/// then does it open the gate.
fn in_effect(bound: &BoundControl, all: &[BoundControl]) -> Option<&'static str> {
    bound.compensated_by.filter(|other| {
        all.iter()
            .any(|one| one.control.meta().code == *other && one.enforcement == Enforcement::Block)
    })
}

/// A control that both have. Every field is named: a new one does not compile until
/// somebody has said how it is compared.
fn both(
    old: &BoundControl,
    new: &BoundControl,
    made_up_for: (Option<&'static str>, Option<&'static str>),
    changes: &mut Changes,
) {
    let BoundControl {
        control,
        enforcement,
        on_unknown,
        compensated_by,
        concession,
        // Where it is written demands nothing.
        place: _,
    } = old;
    let start = changes.0.len();
    changes.ordered(
        part(old),
        "enforce",
        (*enforcement, new.enforcement),
        Stronger::More,
        |one| one.word().to_owned(),
    );
    let switched = start < changes.0.len();
    changes.ordered(
        part(old),
        "on_unknown",
        (*on_unknown, new.on_unknown),
        Stronger::More,
        |one| one.word().to_owned(),
    );
    compensation(
        (*compensated_by, new.compensated_by),
        made_up_for,
        old,
        changes,
    );
    parameters(&**control, &*new.control, changes);
    conceded(concession.as_ref(), new.concession.as_ref(), old, changes);
    // While a control is off on both sides, nothing about it can open the gate; what
    // holds when that ends is looked at separately.
    if !switched && *enforcement == Enforcement::Off {
        for change in changes.0.iter_mut().skip(start) {
            if change.setting != "expires" {
                change.direction = Direction::Changed;
                change.why = Some("it is off in both".to_owned());
            }
        }
    }
}

fn compensation(
    (before, after): (Option<&'static str>, Option<&'static str>),
    (effective_before, effective_after): (Option<&'static str>, Option<&'static str>),
    bound: &BoundControl,
    changes: &mut Changes,
) {
    let direction = match (effective_before, effective_after) {
        (one, other) if one == other && before == after => return,
        (one, other) if one == other => Direction::Changed,
        (Some(_), None) => Direction::Stronger,
        // Which of two makes up for more is not known.
        (None | Some(_), Some(_)) | (None, None) => Direction::Weaker,
    };
    let words = |code: Option<&str>, effective: Option<&str>| match (code, effective) {
        (None, _) => "nothing".to_owned(),
        (Some(code), Some(_)) => code.to_owned(),
        (Some(code), None) => format!("{code}, which is not enforced"),
    };
    let values = (
        words(before, effective_before),
        words(after, effective_after),
    );
    changes.add(part(bound), "compensated_by", values, direction);
}

/// The parameters as a set: which way one went cannot be told without the others.
fn parameters(old: &dyn Bound, new: &dyn Bound, changes: &mut Changes) {
    let part = PolicyPart::control(old.meta());
    let (one, other) = (named(old.parameters()), named(new.parameters()));
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let keys: Vec<&String> = keys
        .into_iter()
        .filter(|key| one.get(*key) != other.get(*key))
        .collect();
    if keys.is_empty() {
        return;
    }
    let setting = keys
        .iter()
        .map(|key| key.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let values = (listed(&keys, &one), listed(&keys, &other));
    let only_words = old.as_custom().is_some()
        && !keys
            .iter()
            .any(|key| ["when", "assert"].contains(&key.as_str()));
    if only_words {
        changes.add(part, &setting, values, Direction::Changed);
        return;
    }
    let (own_old, own_new) = (without_scans(old), without_scans(new));
    let old = own_old.as_deref().unwrap_or(old);
    let new = own_new.as_deref().unwrap_or(new);
    let less = new.weaker_than(&old.parameters());
    let more = old.weaker_than(&new.parameters());
    match (less, more) {
        (Some(why), _) => changes.add_because(part, &setting, values, Direction::Weaker, &why),
        (None, Some(_)) => changes.add(part, &setting, values, Direction::Stronger),
        (None, None) => changes.add(part, &setting, values, Direction::Changed),
    }
}

/// The control that judges scan results, without those that the policy expects: they
/// are a section of their own. `None` for every other control.
fn without_scans(bound: &dyn Bound) -> Option<Box<dyn Bound>> {
    if bound.meta().id != SCANS_CONTROL {
        return None;
    }
    let parameters = named(bound.parameters());
    find(SCANS_CONTROL)?.bind(Value::Object(parameters)).ok()
}

/// The parameters that a policy names under the control.
fn named(parameters: Value) -> Map<String, Value> {
    let mut map = match parameters {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    map.remove(SCANS_PARAMETER);
    map
}

/// The values of these keys; the only one without its name.
fn listed(keys: &[&String], values: &Map<String, Value>) -> String {
    let value = |key: &String| values.get(key).unwrap_or(&Value::Null).to_string();
    match keys {
        [key] => value(key),
        many => many
            .iter()
            .map(|key| format!("{key} {}", value(key)))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// Why and until when less is demanded. What it lowers is compared by itself.
fn conceded(
    old: Option<&Concession>,
    new: Option<&Concession>,
    bound: &BoundControl,
    changes: &mut Changes,
) {
    let end = |one: &Concession| one.expires.to_string();
    let (old, new) = match (old, new) {
        (None, None) => return,
        (Some(old), None) => {
            let values = (end(old), "no concession".to_owned());
            changes.add(part(bound), "expires", values, Direction::Changed);
            return;
        }
        (None, Some(new)) => {
            let values = ("no concession".to_owned(), end(new));
            changes.add(part(bound), "expires", values, Direction::Changed);
            return;
        }
        (Some(old), Some(new)) => (old, new),
    };
    let Concession {
        reason,
        owner,
        expires,
        what,
    } = old;
    changes.ordered(
        part(bound),
        "expires",
        (*expires, new.expires),
        Stronger::Less,
        ToString::to_string,
    );
    for (setting, one, other) in [
        ("reason", reason, &new.reason),
        ("owner", owner, &new.owner),
        ("conceded", what, &new.what),
    ] {
        if one != other {
            let values = (one.clone(), other.clone());
            changes.add(part(bound), setting, values, Direction::Changed);
        }
    }
}
