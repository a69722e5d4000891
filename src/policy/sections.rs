//! The larger sections of the file: scans, overrides, waivers, ledger. Each is
//! read by itself; a section that is wrong does not hide what is wrong in the next.

use std::cmp::Reverse;

use jiff::SignedDuration;

use crate::controls::custom::CODE_PREFIX;
use crate::facts::{ScanFormat, Severity};

use super::choice::find_control;
use super::findings::read::{baseline, severity_map};
use super::model::{LedgerChoice, OverrideRules, ScanExpectation, Waiver};
use super::problem::Report;
use super::read::{
    boolean, count, date, deadline, duration, entries, fields, glob, handle, list, text,
    whole_pattern, word,
};
use super::signers::signing;
use super::standing::first_day;
use super::words::{did_you_mean, quote};
use super::yaml::Node;

/// Severities, worst first.
pub(super) const SEVERITIES: [(&str, Severity); 5] = [
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("none", Severity::None),
];

/// Longest time that an override may hold.
pub const MAX_OVERRIDE: SignedDuration = SignedDuration::from_hours(72);

/// One expected scan result.
pub(super) fn scan(node: &Node, report: &mut Report) -> Option<ScanExpectation> {
    let what = "an entry of `scans`";
    let known = [
        "tool",
        "path",
        "format",
        "required",
        "max_age",
        "new",
        "total",
        "severity_map",
        "baseline",
    ];
    let scan = fields(node, what, &known, report)?;
    let tool = scan.need("tool", what, report);
    let tool = tool.and_then(|node| text(node, "`tool`", report));
    let path = scan.need("path", what, report);
    let path = path.and_then(|node| glob(node, "`path`", true, report));
    let format = scan.get("format");
    let format = format.map(|node| word(node, "`format`", &ScanFormat::ALL, report));
    let required = match scan.get("required") {
        Some(node) => boolean(node, "`required`", report),
        // Whoever lists a result wants it to be there.
        None => Some(true),
    };
    let max_age = scan.get("max_age");
    let max_age = max_age.and_then(|node| duration(node, "`max_age`", report));
    let mut thresholds = |name: &str| {
        scan.get(name)
            .map(|node| severities(node, name, report))
            .unwrap_or_default()
    };
    let (new, total) = (thresholds("new"), thresholds("total"));
    let map = scan.get("severity_map");
    let map = map.and_then(|node| severity_map(node, report));
    let baseline = match scan.get("baseline") {
        Some(node) if new.is_empty() => {
            report.add_help(
                node.spot,
                "`baseline` tells new findings from old, and `new` does not limit them".to_owned(),
                "add `new`, e.g. `new: {high: 0}`",
            );
            None
        }
        Some(node) => Some(baseline(node, report)?),
        None => None,
    };
    Some(ScanExpectation {
        tool: tool?,
        path: path?.glob().to_owned(),
        // A word that is not known is a problem of the file, never no format.
        format: format.map_or(Some(None), |format| format.map(Some))?,
        required: required?,
        max_age,
        new,
        total,
        severity_maps: map.into_iter().filter(|map| !map.is_empty()).collect(),
        baseline,
    })
}

/// Most findings for each severity, worst first.
fn severities(node: &Node, name: &str, report: &mut Report) -> Vec<(Severity, u64)> {
    let what = format!("`{name}`");
    let mut found = Vec::new();
    for (key, value) in entries(node, &what, report).unwrap_or_default() {
        let severity = SEVERITIES.iter().find(|(word, _)| *word == key.text);
        if severity.is_none() {
            report.put(
                key.spot,
                format!("there is no severity {}", quote(&key.text)),
                did_you_mean(&key.text, SEVERITIES.map(|(word, _)| word)),
            );
        }
        let most = count(value, &format!("`{name}.{}`", key.text), report);
        if let (Some((_, severity)), Some(most)) = (severity, most) {
            found.push((*severity, most));
        }
    }
    found.sort_by_key(|(severity, _)| Reverse(*severity));
    found
}

/// Who may override, and how; `own` are the ids of the policy's own controls.
pub(super) fn overrides(
    node: &Node,
    own: &[&'static str],
    report: &mut Report,
) -> Option<OverrideRules> {
    let what = "`overrides`";
    let known = [
        "allowed_by",
        "second_person",
        "signed",
        "signers",
        "published_keys",
        "environments",
        "never",
        "max_uses",
        "ticket",
        "min_reason",
        "max",
        "review_within",
        "time_zone",
        "holidays",
    ];
    let section = fields(node, what, &known, report)?;
    let mut rules = nobody();
    if let Some(node) = section.need("allowed_by", what, report) {
        rules.allowed_by = list(node, "`allowed_by`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| handle(item, "an entry of `allowed_by`", report))
            .collect();
    }
    if let Some(node) = section.get("second_person")
        && let Some(value) = boolean(node, "`second_person`", report)
    {
        rules.second_person = value;
    }
    signing(&section, &mut rules, report);
    if let Some(node) = section.get("environments") {
        rules.environments = list(node, "`environments`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| text(item, "an entry of `environments`", report))
            .collect();
        if rules.environments.is_empty() || rules.environments.iter().any(String::is_empty) {
            report.add_help(
                node.spot,
                "`environments` names no environment".to_owned(),
                "name those in which an approval counts, or leave it out",
            );
        }
    }
    if let Some(node) = section.get("never") {
        rules.never = list(node, "`never`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| control_id(item, "an entry of `never`", own, report))
            .collect();
    }
    if let Some(node) = section.get("max_uses")
        && let Some(value) = count(node, "`max_uses`", report)
    {
        if value == 0 {
            report.add_help(
                node.spot,
                "`max_uses` is 0, so nothing could be overridden".to_owned(),
                "leave `overrides` out, or name the controls in `never`",
            );
        }
        rules.max_uses = Some(u32::try_from(value).unwrap_or(u32::MAX));
    }
    if let Some(node) = section.get("ticket") {
        rules.ticket = whole_pattern(node, "`ticket`", report);
    }
    if let Some(node) = section.get("min_reason")
        && let Some(value) = count(node, "`min_reason`", report)
    {
        rules.min_reason = usize::try_from(value).unwrap_or(usize::MAX);
    }
    if let Some(node) = section.get("max")
        && let Some(value) = duration(node, "`max`", report)
    {
        if value > MAX_OVERRIDE {
            report.add_help(
                node.spot,
                "`max` is longer than an override may hold".to_owned(),
                "at most `72h`; what has to hold longer is a waiver",
            );
        }
        rules.max = value;
    }
    if let Some(node) = section.get("review_within")
        && let Some(value) = deadline(node, "`review_within`", report)
    {
        rules.review_within = value;
    }
    if let Some(node) = section.get("time_zone")
        && let Some(name) = text(node, "`time_zone`", report)
    {
        if jiff::tz::TimeZone::get(&name).is_err() {
            report.add_help(
                node.spot,
                format!("`time_zone` is not known: {}", quote(&name)),
                "e.g. `UTC` or `Europe/Vienna`",
            );
        }
        rules.time_zone = name;
    }
    if let Some(node) = section.get("holidays") {
        rules.holidays = list(node, "`holidays`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| date(item, "an entry of `holidays`", report))
            .collect();
    }
    Some(rules)
}

/// The rules where a policy has no `overrides`: nobody may.
pub(super) fn nobody() -> OverrideRules {
    OverrideRules {
        allowed_by: Vec::new(),
        second_person: false,
        signed: false,
        signers: Vec::new(),
        published_keys: false,
        environments: Vec::new(),
        never: Vec::new(),
        max_uses: None,
        ticket: None,
        min_reason: 30,
        max: SignedDuration::from_hours(24),
        review_within: "1 business day".to_owned(),
        time_zone: "UTC".to_owned(),
        holidays: Vec::new(),
    }
}

/// The id of the control that is named by id or code; `own` are the ids of the policy's own.
fn control_id(
    node: &Node,
    what: &str,
    own: &[&'static str],
    report: &mut Report,
) -> Option<String> {
    let name = text(node, what, report)?;
    let id = name.strip_prefix(CODE_PREFIX).unwrap_or(&name);
    let known = match own.iter().find(|known| **known == id) {
        Some(own) => *own,
        None => find_control(&name, node.spot, report)?.meta.id,
    };
    Some(known.to_owned())
}

/// The standing exemptions; `own` are the ids of the policy's own controls.
pub(super) fn waivers(node: &Node, own: &[&'static str], report: &mut Report) -> Vec<Waiver> {
    let mut all: Vec<Waiver> = Vec::new();
    for node in list(node, "`waivers`", report).unwrap_or_default() {
        let Some(one) = waiver(node, own, report) else {
            continue;
        };
        let same = |other: &&Waiver| other.control == one.control && other.scope == one.scope;
        // One after the other, approved at once, they would be one for good.
        match all.iter().find(same) {
            Some(first) => report.add_help(
                node.spot,
                format!(
                    "{} is waived twice for {}",
                    quote(&one.control),
                    quote(&one.scope)
                ),
                format!("first in line {}; renew it when it ends", first.place.line),
            ),
            None => all.push(one),
        }
    }
    all
}

fn waiver(node: &Node, own: &[&'static str], report: &mut Report) -> Option<Waiver> {
    let what = "a waiver";
    let known = [
        "control",
        "scope",
        "reason",
        "owner",
        "approved_by",
        "expires",
    ];
    let waiver = fields(node, what, &known, report)?;
    let control = waiver.need("control", what, report);
    let control = control.and_then(|node| control_id(node, "`control`", own, report));
    let scope = waiver.need("scope", what, report);
    let scope = scope.and_then(|node| glob(node, "`scope`", true, report));
    let reason = waiver.need("reason", what, report);
    let reason = reason.and_then(|node| text(node, "`reason`", report));
    let owner = waiver.need("owner", what, report);
    let owner = owner.and_then(|node| handle(node, "`owner`", report));
    let approver = waiver.need("approved_by", what, report);
    let approved_by = approver.and_then(|node| handle(node, "`approved_by`", report));
    let expires = waiver.need("expires", what, report);
    let expires = expires.and_then(|node| date(node, "`expires`", report));
    if let (Some(owner), Some(approved_by), Some(node)) = (&owner, &approved_by, approver)
        && owner.to_lowercase() == approved_by.to_lowercase()
    {
        report.add_help(
            node.spot,
            format!("{} cannot approve their own waiver", quote(owner)),
            "`approved_by` has to name somebody else than `owner`",
        );
    }
    Some(Waiver {
        control: control?,
        scope: scope?.glob().to_owned(),
        reason: reason?,
        owner: owner?,
        approved_by: approved_by?,
        begins: first_day(expires?),
        expires: expires?,
        place: node.spot.of(report.origin()),
    })
}

/// What to write instead of an address that is none.
const KINDS: &str = "use `git+branch:NAME`, `git+https://HOST/PATH#BRANCH`, `s3://BUCKET/PREFIX`, `postgres://HOST/DATABASE#NAME` or `dir:PATH`";

/// Where records go.
pub(super) fn ledger(node: &Node, report: &mut Report) -> Option<LedgerChoice> {
    let what = "`ledger`";
    let section = fields(node, what, &["url", "required"], report)?;
    let url = section.need("url", what, report).and_then(|node| {
        let url = text(node, "`url`", report)?;
        // Whether this build has them is told where they are opened.
        let elsewhere = [
            "git+branch:",
            "git+https://",
            "git+file:///",
            "s3://",
            "postgres://",
        ]
        .iter()
        .any(|scheme| url.starts_with(scheme));
        match (url.strip_prefix("dir:"), elsewhere) {
            (Some(""), _) => {
                report.add(node.spot, "`dir:` lacks the path of a folder".to_owned());
                None
            }
            // Not repeated: it could be a password.
            (None, _) if url.contains('@') => {
                report.add_help(
                    node.spot,
                    "the address of a ledger holds no user and no password".to_owned(),
                    "take them out; they are set in the environment",
                );
                None
            }
            (Some(_), _) | (None, true) => Some(url),
            (None, false) => {
                report.add_help(
                    node.spot,
                    format!("unknown kind of ledger: {}", quote(&url)),
                    KINDS,
                );
                None
            }
        }
    });
    let required = match section.get("required") {
        Some(node) => boolean(node, "`required`", report),
        // Whoever names a ledger wants the record to be there.
        None => Some(true),
    };
    Some(LedgerChoice {
        url: url?,
        required: required?,
    })
}
