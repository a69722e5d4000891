//! The scan results that two policies expect, one by one.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::facts::{Direction, ScanFormat, Severity};

use super::super::findings::lowers;
use super::super::floor::{fewest, in_force, limits_of, same_result};
use super::super::model::{Policy, ScanExpectation};
use super::change::{Changes, PolicyPart, Stronger};
use super::findings;
use super::sections::duration;

/// `policy` is the first one: what it lets pass in any result, an added one may not exceed.
pub(super) fn compare(
    policy: &Policy,
    before: &[ScanExpectation],
    after: &[ScanExpectation],
    changes: &mut Changes,
) {
    let limits = limits_of(&policy.controls);
    // The same result may be listed more than once; each line is paired once.
    let mut left: Vec<&ScanExpectation> = after.iter().collect();
    for old in before {
        let place = left.iter().position(|new| same_result(old, new));
        match place {
            Some(place) => both(old, left.remove(place), &limits, changes),
            None => {
                let values = (words(old), "not expected".to_owned());
                changes.add(part(), &old.tool, values, Direction::Weaker);
            }
        }
    }
    for new in left {
        // Naming a result with limits of its own frees it of those for any result, and
        // naming it as one that may be missing excuses that it is.
        let freed = has_limits(new) && fewest(&new.total, &limits) != new.total;
        // What it lowers is lowered for whatever else judges the same report.
        let direction = if freed || !new.required || lowers(&new.severity_maps, &[]) {
            Direction::Weaker
        } else {
            Direction::Stronger
        };
        let values = ("not expected".to_owned(), words(new));
        changes.add(part(), &new.tool, values, direction);
    }
}

/// Every field is named: a new one does not compile until somebody has said how it
/// is compared.
fn both(
    old: &ScanExpectation,
    new: &ScanExpectation,
    limits: &[(Severity, u64)],
    changes: &mut Changes,
) {
    let ScanExpectation {
        tool,
        // They are what makes both the same result, but for the case of the tool's name.
        path: _,
        format,
        required,
        max_age,
        new: new_findings,
        total,
        severity_maps,
        baseline,
    } = old;
    let key = |field: &str| format!("{tool}.{field}");
    if *tool != new.tool {
        let values = (tool.clone(), new.tool.clone());
        changes.add(part(), &key("tool"), values, Direction::Changed);
    }
    // Read as something else a report may say less; which of both says more is not known.
    if *format != new.format {
        let values = (shape(*format), shape(new.format));
        changes.add(part(), &key("format"), values, Direction::Weaker);
    }
    changes.ordered(
        part(),
        &key("required"),
        (*required, new.required),
        Stronger::More,
        ToString::to_string,
    );
    if *max_age != new.max_age {
        let direction = match (max_age, new.max_age) {
            (Some(old), Some(new)) if new < *old => Direction::Stronger,
            (None, Some(_)) => Direction::Stronger,
            (Some(_) | None, Some(_) | None) => Direction::Weaker,
        };
        let values = (age(*max_age), age(new.max_age));
        changes.add(part(), &key("max_age"), values, direction);
    }
    // Limits of its own take the place of those for any result.
    let freed = !has_limits(old) && has_limits(new) && fewest(&new.total, limits) != new.total;
    for (field, old, new) in [
        ("new", new_findings, &new.new),
        ("total", total, &new.total),
    ] {
        if old == new {
            continue;
        }
        let direction = if freed || looser(new, old) {
            Direction::Weaker
        } else if looser(old, new) {
            Direction::Stronger
        } else {
            Direction::Changed
        };
        let values = (thresholds(old), thresholds(new));
        changes.add(part(), &key(field), values, direction);
    }
    findings::maps(
        (severity_maps, &new.severity_maps),
        part(),
        &key("severity_map"),
        changes,
    );
    let baselines = (baseline.as_ref(), new.baseline.as_ref());
    findings::baseline(baselines, part(), &key("baseline"), changes);
}

fn part() -> PolicyPart {
    PolicyPart::Section("scans")
}

fn has_limits(scan: &ScanExpectation) -> bool {
    !scan.new.is_empty() || !scan.total.is_empty()
}

/// Whether `own` lets more findings of any severity pass than `base`.
fn looser(own: &[(Severity, u64)], base: &[(Severity, u64)]) -> bool {
    let named: BTreeSet<Severity> = base.iter().chain(own).map(|(one, _)| *one).collect();
    named.into_iter().any(
        |severity| match (in_force(own, severity), in_force(base, severity)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(base)) => own > base,
        },
    )
}

fn words(scan: &ScanExpectation) -> String {
    let must = if scan.required {
        "required"
    } else {
        "not required"
    };
    format!(
        "{} in {}, format {}, {must}, max_age {}, new {}, total {}, severity_map {}, baseline {}",
        scan.tool,
        scan.path,
        shape(scan.format),
        age(scan.max_age),
        thresholds(&scan.new),
        thresholds(&scan.total),
        findings::map_words(&scan.severity_maps),
        findings::baseline_words(scan.baseline.as_ref())
    )
}

fn shape(format: Option<ScanFormat>) -> String {
    format.map_or("by content", ScanFormat::word).to_owned()
}

fn age(age: Option<SignedDuration>) -> String {
    age.as_ref().map_or("any".to_owned(), duration)
}

fn thresholds(all: &[(Severity, u64)]) -> String {
    match all {
        [] => "no limit".to_owned(),
        all => all
            .iter()
            .map(|(severity, most)| format!("{} {most}", severity.word()))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
