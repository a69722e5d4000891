//! The small sections: presets, mode, branches, settings, frameworks, ledger.

use jiff::SignedDuration;

use crate::facts::Direction;

use super::super::model::{BranchScope, LedgerChoice, Mode, PolicySource};
use super::change::{Changes, PolicyPart, Stronger};

const EVERY_BRANCH: &str = "every branch";

pub(super) fn layers(before: &PolicySource, after: &PolicySource, changes: &mut Changes) {
    let PolicySource {
        // They say where a text came from; what it demands is compared.
        origin: _,
        commit: _,
        digest: _,
        layers,
    } = before;
    if *layers != after.layers {
        let values = (some(layers), some(&after.layers));
        changes.add(
            PolicyPart::Section("extends"),
            "",
            values,
            Direction::Changed,
        );
    }
}

pub(super) fn mode(before: Mode, after: Mode, changes: &mut Changes) {
    changes.ordered(
        PolicyPart::Section("mode"),
        "",
        (before, after),
        Stronger::More,
        |mode| mode.word().to_owned(),
    );
}

/// A pattern more is a branch more that is judged.
pub(super) fn branches(
    before: Option<&BranchScope>,
    after: Option<&BranchScope>,
    changes: &mut Changes,
) {
    let words = |scope: Option<&BranchScope>| match scope {
        Some(BranchScope { globs, set: _ }) => globs.join(", "),
        None => EVERY_BRANCH.to_owned(),
    };
    let direction = match (before, after) {
        (None, None) => return,
        (None, Some(_)) => Direction::Weaker,
        (Some(_), None) => Direction::Stronger,
        (Some(old), Some(new)) => {
            let lacks = |one: &BranchScope, other: &BranchScope| {
                one.globs.iter().any(|glob| !other.globs.contains(glob))
            };
            match (lacks(old, new), lacks(new, old)) {
                (true, _) => Direction::Weaker,
                (false, true) => Direction::Stronger,
                (false, false) if old.globs == new.globs => return,
                (false, false) => Direction::Changed,
            }
        }
    };
    let values = (words(before), words(after));
    changes.add(PolicyPart::Section("branches"), "", values, direction);
}

pub(super) fn settings_age(ages: (SignedDuration, SignedDuration), changes: &mut Changes) {
    changes.ordered(
        PolicyPart::Section("settings"),
        "max_age",
        ages,
        Stronger::Less,
        duration,
    );
}

pub(super) fn frameworks(before: &[String], after: &[String], changes: &mut Changes) {
    if before != after {
        let values = (some(before), some(after));
        let part = PolicyPart::Section("frameworks");
        changes.add(part, "", values, Direction::Changed);
    }
}

/// Records that go elsewhere are not where an auditor looks for them.
pub(super) fn ledger(
    before: Option<&LedgerChoice>,
    after: Option<&LedgerChoice>,
    changes: &mut Changes,
) {
    let part = || PolicyPart::Section("ledger");
    let words = |one: &LedgerChoice| {
        let must = if one.required {
            "required"
        } else {
            "not required"
        };
        format!("{}, {must}", one.url)
    };
    match (before, after) {
        (None, None) => {}
        (None, Some(new)) => {
            let values = ("no ledger named".to_owned(), words(new));
            changes.add(part(), "", values, Direction::Stronger);
        }
        (Some(old), None) => {
            let values = (words(old), "no ledger named".to_owned());
            changes.add(part(), "", values, Direction::Weaker);
        }
        (Some(old), Some(new)) => {
            let LedgerChoice { url, required } = old;
            if *url != new.url {
                let values = (url.clone(), new.url.clone());
                let why = "records would go elsewhere";
                changes.add_because(part(), "url", values, Direction::Weaker, why);
            }
            changes.ordered(
                part(),
                "required",
                (*required, new.required),
                Stronger::More,
                ToString::to_string,
            );
        }
    }
}

/// A time span for people.
pub(super) fn duration(span: &SignedDuration) -> String {
    format!("{span:#}")
}

/// Names in a row.
pub(super) fn some(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}
