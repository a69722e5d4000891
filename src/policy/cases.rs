//! A file of cases that stands beside a policy: facts in, verdicts out. This file
//! knows the format; running the cases is `cli`'s, judging them `gate`'s.

use std::collections::BTreeMap;

use crate::controls::custom::{Given, NAMES};
use crate::facts::PolicyDocument;

use super::problem::{Place, Problems, Report, Spot};
use super::read::{entries, fields, json, list, text, word};
use super::words::{did_you_mean, quote};
use super::yaml::{Node, parse};

/// Most cases of one file.
const MAX_CASES: usize = 1000;

/// A verdict that a case expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The sentence is true.
    Pass,
    /// It is false.
    Fail,
    /// Nobody can tell.
    Unknown,
    /// It has no meaning there.
    NotApplicable,
}

impl Expected {
    const WORDS: [(&'static str, Self); 4] = [
        ("pass", Self::Pass),
        ("fail", Self::Fail),
        ("unknown", Self::Unknown),
        ("not_applicable", Self::NotApplicable),
    ];

    /// The word, as it stands in files and decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// The facts of a case.
#[derive(Clone, Debug)]
pub enum CaseFacts {
    /// Values by name, for controls under `custom`; everything else is unknown.
    Given(BTreeMap<&'static str, Given>),
    /// A saved snapshot, by its path beside the file of cases, for every control.
    Snapshot(String),
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What is known in it.
    pub facts: CaseFacts,
    /// What the controls come to, by id or code.
    pub expect: Vec<(String, Expected, Place)>,
    /// The decision as a whole: `allow`, `block`, `undecided`, `pending`.
    pub decision: Option<String>,
}

/// A file of cases.
#[derive(Clone, Debug)]
pub struct Cases {
    /// The policy that they are about: a path beside the file, or a preset.
    pub policy: String,
    /// The cases, as written. Never empty.
    pub cases: Vec<Case>,
}

/// Reads a file of cases.
///
/// # Errors
/// Everything that is wrong with it.
pub fn cases(document: &PolicyDocument) -> Result<Cases, Problems> {
    let mut report = Report::new(&document.origin);
    let cases = read(document, &mut report);
    if let Some(cases) = cases
        && report.count() == 0
    {
        return Ok(cases);
    }
    if report.count() == 0 {
        report.add(Spot::START, "the file holds no cases".to_owned());
    }
    Err(Problems(report.into_problems()))
}

fn read(document: &PolicyDocument, report: &mut Report) -> Option<Cases> {
    let root = parse(&document.text, report)?;
    let what = "the file of cases";
    let top = fields(&root, what, &["version", "policy", "cases"], report)?;
    let version = top.need("version", what, report)?;
    if json(version).as_u64() != Some(1) {
        report.add_help(
            version.spot,
            "unknown version".to_owned(),
            "this program knows version `1`",
        );
    }
    let policy = match top.get("policy") {
        Some(node) => text(node, "`policy`", report)?,
        None => ".ccgate.yml".to_owned(),
    };
    let node = top.need("cases", what, report)?;
    let items = list(node, "`cases`", report)?;
    if items.is_empty() || items.len() > MAX_CASES {
        report.add(
            node.spot,
            format!("`cases` has to hold 1 to {MAX_CASES} cases"),
        );
    }
    let cases = items
        .iter()
        .take(MAX_CASES)
        .filter_map(|item| case(item, report))
        .collect();
    Some(Cases { policy, cases })
}

fn case(node: &Node, report: &mut Report) -> Option<Case> {
    let what = "a case";
    let known = ["name", "facts", "snapshot", "expect", "decision"];
    let case = fields(node, what, &known, report)?;
    let name = case.need("name", what, report);
    let name = name.and_then(|node| text(node, "`name`", report));
    let facts = match (case.get("facts"), case.get("snapshot")) {
        (Some(node), None) => given(node, report).map(CaseFacts::Given),
        (None, Some(node)) => text(node, "`snapshot`", report).map(CaseFacts::Snapshot),
        (None, None) | (Some(_), Some(_)) => {
            report.add(
                node.spot,
                "a case has either `facts` or a `snapshot`".to_owned(),
            );
            None
        }
    };
    let decision = match case.get("decision") {
        Some(node) if matches!(facts, Some(CaseFacts::Given(_))) => {
            report.add_help(
                node.spot,
                "`facts` make no decision".to_owned(),
                "give a `snapshot`, or leave `decision` out",
            );
            None
        }
        Some(node) => {
            let words = ["allow", "block", "undecided", "pending"].map(|word| (word, word));
            Some(word(node, "`decision`", &words, report)?.to_owned())
        }
        None => None,
    };
    let mut expect = Vec::new();
    if let Some(node) = case.get("expect") {
        for (key, value) in entries(node, "`expect`", report).unwrap_or_default() {
            let what = format!("`expect.{}`", key.text);
            if let Some(wanted) = word(value, &what, &Expected::WORDS, report) {
                expect.push((key.text.clone(), wanted, key.spot.of(report.origin())));
            }
        }
    }
    if expect.is_empty() && decision.is_none() {
        report.add_help(
            node.spot,
            "the case expects nothing, so it cannot fail".to_owned(),
            "add `expect`, e.g. `expect: {release-notes-present: fail}`",
        );
    }
    Some(Case {
        name: name?,
        place: node.spot.of(report.origin()),
        facts: facts?,
        expect,
        decision,
    })
}

fn given(node: &Node, report: &mut Report) -> Option<BTreeMap<&'static str, Given>> {
    let mut values = BTreeMap::new();
    for (key, value) in entries(node, "`facts`", report)? {
        if !NAMES.iter().any(|name| name.path == key.text) {
            report.put(
                key.spot,
                format!("there is no name {}", quote(&key.text)),
                did_you_mean(&key.text, NAMES.iter().map(|name| name.path))
                    .or_else(|| Some("docs/expressions.md lists them all".to_owned())),
            );
            continue;
        }
        match Given::new(&key.text, json(value)) {
            Ok((name, given)) => {
                values.insert(name, given);
            }
            Err(why) => report.add(value.spot, why),
        }
    }
    Some(values)
}
