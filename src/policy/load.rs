//! From documents to the policy in force: parse, extend, bind, hold to the floor.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::controls::{Bound, find};
use crate::facts::{PolicyDocument, PolicyFacts, Severity, Unknown};

use super::choice::{SCANS_CONTROL, SCANS_PARAMETER};
use super::floor::{Voice, tighten};
use super::model::{
    BoundControl, BranchScope, Enforcement, Note, Policy, PolicySource, ScanExpectation,
};
use super::problem::{Problem, Problems, Report};
use super::resolve::{Demands, resolve};
use super::standing::{Clocks, LONGEST_EXEMPTION, Standing};
use super::words::quote;

/// The policy's path in a repository.
pub const POLICY_PATH: &str = ".ccgate.yml";

/// Why there is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is none: exit 2, never a pass.
    Missing,
    /// It could not be read: exit 3.
    Unreadable(Unknown),
    /// It is wrong: exit 2.
    Invalid(Problems),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "there is no policy: neither the target branch nor the default branch has a `.ccgate.yml` (start with two lines: `version: 1` and `extends: [soc2-baseline]`)"
            ),
            Self::Unreadable(unknown) => write!(f, "{unknown}"),
            Self::Invalid(problems) => write!(f, "{problems}"),
        }
    }
}

impl std::error::Error for LoadError {}

/// The policy in force at `now`: the target branch's document, tightened to the floor.
///
/// # Errors
/// See [`LoadError`].
pub fn load(documents: &PolicyFacts, now: Timestamp) -> Result<Policy, LoadError> {
    // An unreadable floor is not an absent one: a readable target alone proves
    // nothing about what it may lower.
    let target = documents.target.known().map_err(LoadError::Unreadable)?;
    let floor = documents.floor.known().map_err(LoadError::Unreadable)?;
    let (document, floor) = match (target, floor) {
        (None, None) => return Err(LoadError::Missing),
        (Some(target), Some(floor)) if target.text == floor.text => (target, None),
        (Some(target), floor) => (target, floor.as_ref()),
        (None, Some(floor)) => (floor, None),
    };
    let mut problems = Vec::new();
    let mut demands = demands_of(document, now, &mut problems);
    if let Some(floor) = floor {
        let mut held = demands_of(floor, now, &mut problems);
        held.layers.push(floor.origin.clone());
        demands = tighten(demands, held, Voice::Heard);
    }
    if !problems.is_empty() {
        return Err(LoadError::Invalid(Problems(problems)));
    }
    finish(document, demands).map_err(|problem| LoadError::Invalid(Problems(vec![problem])))
}

/// What people should know about one document, without any branch or floor.
///
/// # Errors
/// Everything that is wrong with it.
pub fn lint(document: &PolicyDocument, now: Timestamp) -> Result<Vec<Note>, Problems> {
    let mut problems = Vec::new();
    let demands = demands_of(document, now, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let mut notes = demands.notes.clone();
    notes.extend(without_effect(&demands));
    for waiver in &demands.waivers {
        let message = match waiver.standing(Clocks::one(now)) {
            Standing::Stands => continue,
            Standing::Expired => format!(
                "the waiver of `{}` expired on {}",
                waiver.control, waiver.expires
            ),
            Standing::NotYet => format!(
                "the waiver of `{}` acts only in the last {LONGEST_EXEMPTION} days before its end",
                waiver.control
            ),
        };
        notes.push(Note {
            place: Some(waiver.place.clone()),
            message,
        });
    }
    for accepted in &demands.accepted_findings {
        let message = match accepted.standing(Clocks::one(now)) {
            Standing::Stands => continue,
            Standing::Expired => {
                let (what, end) = (quote(&accepted.words()), accepted.expires);
                format!("the acceptance of {what} expired on {end}")
            }
            Standing::NotYet => {
                let what = quote(&accepted.words());
                format!(
                    "the acceptance of {what} acts only in the last {LONGEST_EXEMPTION} days before its end"
                )
            }
        };
        notes.push(Note {
            place: Some(accepted.at.clone()),
            message,
        });
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    for scan in &demands.scans {
        if let Some(baseline) = &scan.baseline
            && today > baseline.expires
        {
            let tool = quote(&scan.tool);
            notes.push(Note {
                place: None,
                message: format!(
                    "the baseline of {tool} expired on {}: every finding counts as new",
                    baseline.expires
                ),
            });
        }
    }
    finish(document, demands).map_err(|problem| Problems(vec![problem]))?;
    Ok(notes)
}

/// What is read and kept to, and changes nothing yet: whoever writes it should know.
fn without_effect(demands: &Demands) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut say = |message: &str| {
        notes.push(Note {
            place: None,
            message: format!("{message} has no effect in this version"),
        });
    };
    if !demands.frameworks.is_empty() {
        say("`frameworks`");
    }
    for bound in demands.controls.values() {
        if let Some(own) = bound.control.as_custom() {
            notes.extend(own.remarks().into_iter().map(|remark| Note {
                place: bound.place.clone(),
                message: format!("`{}`: {remark}", own.meta().id),
            }));
        }
        let Some(other) = bound.compensated_by else {
            continue;
        };
        let blocks = |by: &BoundControl| by.enforcement == Enforcement::Block;
        if !demands.controls.get(other).is_some_and(blocks) {
            notes.push(Note {
                place: bound.place.clone(),
                message: format!(
                    "`{}` is compensated by {other}, which this policy does not enforce, so \
                     nothing makes up for it",
                    bound.control.meta().id
                ),
            });
        }
    }
    notes
}

fn demands_of(document: &PolicyDocument, now: Timestamp, problems: &mut Vec<Problem>) -> Demands {
    let mut report = Report::new(&document.origin);
    let demands = resolve(document, now, &mut report);
    problems.extend(report.into_problems());
    demands
}

/// Compiles what is left to compile.
fn finish(document: &PolicyDocument, demands: Demands) -> Result<Policy, Problem> {
    let whole = |message: String| Problem {
        place: super::problem::Spot::START.of(&document.origin),
        message,
        help: None,
    };
    let branches = demands
        .branches
        .map(|globs| scope(&globs).map(|set| BranchScope { globs, set }))
        .transpose()
        .map_err(|error| whole(format!("`branches` cannot be used: {error}")))?;
    let mut controls: Vec<_> = demands.controls.into_values().collect();
    for bound in &mut controls {
        if bound.control.meta().id == SCANS_CONTROL {
            bound.control = with_scans(&*bound.control, &demands.scans)
                .map_err(|error| whole(format!("`scans` cannot be used: {error}")))?;
        }
    }
    Ok(Policy {
        source: PolicySource {
            origin: document.origin.clone(),
            commit: document.commit.clone(),
            // Reckoned here: what is recorded is the digest of what was judged by.
            digest: digest(&document.text),
            layers: demands.layers,
        },
        mode: demands.mode,
        branches,
        settings_max_age: demands.settings_max_age,
        controls,
        scans: demands.scans,
        accepted_findings: demands.accepted_findings,
        known_exploited: demands.known_exploited,
        overrides: demands.overrides,
        waivers: demands.waivers,
        frameworks: demands.frameworks,
        ledger: demands.ledger,
        notes: demands.notes,
    })
}

/// `sha256:<hex>` of a text.
pub(super) fn digest(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
}

fn scope(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).literal_separator(false).build()?);
    }
    set.build()
}

/// The control that judges scan results, with the results that the policy expects.
fn with_scans(
    control: &dyn Bound,
    scans: &[ScanExpectation],
) -> Result<Box<dyn Bound>, serde_json::Error> {
    let mut parameters = match control.parameters() {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    let scans = scans.iter().map(scan_json).collect();
    parameters.insert(SCANS_PARAMETER.to_owned(), Value::Array(scans));
    match find(SCANS_CONTROL) {
        Some(entry) => entry.bind(Value::Object(parameters)),
        // It is the control at hand, so it is in the table.
        None => Err(serde::de::Error::custom("no such control")),
    }
}

fn scan_json(scan: &ScanExpectation) -> Value {
    let thresholds = |all: &[(Severity, u64)]| {
        all.iter()
            .map(|(severity, most)| (severity.word().to_owned(), json!(most)))
            .collect::<Map<_, _>>()
    };
    json!({
        "tool": scan.tool,
        "path": scan.path,
        "required": scan.required,
        "max_age_seconds": scan.max_age.map(|age| age.as_secs()),
        "new": thresholds(&scan.new),
        "total": thresholds(&scan.total),
    })
}
