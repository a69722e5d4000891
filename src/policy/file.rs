//! The policy file as it is written: every section read, nothing combined yet.
//! This file knows the format; what a section means beside a preset or the
//! default branch's policy is decided in `resolve.rs` and `floor.rs`.

use jiff::SignedDuration;

use crate::facts::{PolicyDocument, Severity};

use super::choice::{ControlChoice, control_choices, find_control};
use super::model::{LedgerChoice, Mode, OverrideRules, ScanExpectation, Waiver};
use super::presets::PRESETS;
use super::problem::{Report, Spot};
use super::read::{
    Fields, boolean, count, date, deadline, duration, entries, fields, glob, handle, json, list,
    text, whole_pattern, word,
};
use super::words::{did_you_mean, quote};
use super::yaml::{Node, parse};

/// Keys of the file.
pub(super) const TOP: [&str; 12] = [
    "version",
    "extends",
    "branches",
    "mode",
    "settings",
    "controls",
    "custom",
    "scans",
    "overrides",
    "waivers",
    "frameworks",
    "ledger",
];

/// Names of frameworks that decisions can be mapped to.
pub const FRAMEWORKS: [&str; 4] = ["soc2", "iso27001", "pci-dss-4", "nist-800-53"];

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

/// A policy file after reading.
#[derive(Default)]
pub(super) struct File {
    /// Presets, each once, in the order given.
    pub(super) extends: Vec<&'static str>,
    /// Globs of the branches in scope; `None`: every branch.
    pub(super) branches: Option<Vec<String>>,
    /// Whether it closes the gate.
    pub(super) mode: Option<Mode>,
    /// How old settings may be.
    pub(super) settings_max_age: Option<SignedDuration>,
    /// The controls that it names.
    pub(super) controls: Vec<ControlChoice>,
    /// Where `controls` is, or the start of the file.
    pub(super) controls_spot: Option<Spot>,
    /// Scan results that it expects.
    pub(super) scans: Vec<ScanExpectation>,
    /// Where `scans` is.
    pub(super) scans_spot: Option<Spot>,
    /// Who may override.
    pub(super) overrides: Option<OverrideRules>,
    /// Standing exemptions.
    pub(super) waivers: Vec<Waiver>,
    /// Frameworks.
    pub(super) frameworks: Vec<String>,
    /// Where records go.
    pub(super) ledger: Option<LedgerChoice>,
}

/// Reads a document as far as it can be read; what is wrong is in the report.
pub(super) fn read(document: &PolicyDocument, report: &mut Report) -> File {
    let before = report.count();
    let Some(root) = parse(&document.text, report) else {
        if report.count() == before {
            report.add_help(
                Spot::START,
                "the policy is empty".to_owned(),
                "start with `version: 1` and `extends: [soc2-baseline]`",
            );
        }
        return File::default();
    };
    let Some(top) = fields(&root, "the policy", &TOP, report) else {
        return File::default();
    };
    version(&top, report);
    let mut file = File::default();
    if let Some(node) = top.get("extends") {
        file.extends = extends(node, report);
    }
    if let Some(node) = top.get("branches") {
        file.branches = branches(node, report);
    }
    if let Some(node) = top.get("mode") {
        let known = [("enforce", Mode::Enforce), ("advisory", Mode::Advisory)];
        file.mode = word(node, "`mode`", &known, report);
    }
    if let Some(node) = top.get("settings")
        && let Some(settings) = fields(node, "`settings`", &["max_age"], report)
        && let Some(node) = settings.get("max_age")
    {
        file.settings_max_age = duration(node, "`max_age`", report);
    }
    if let Some(node) = top.get("controls") {
        file.controls_spot = Some(node.spot);
        file.controls = control_choices(node, report);
    }
    if let Some(node) = top.get("custom")
        && let Some([first, ..]) = list(node, "`custom`", report)
    {
        report.add_help(
            first.spot,
            "controls of one's own are not supported in this version".to_owned(),
            "remove `custom`; it is never skipped silently",
        );
    }
    if let Some(node) = top.get("scans") {
        file.scans_spot = Some(node.spot);
        file.scans = list(node, "`scans`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|node| scan(node, report))
            .collect();
    }
    if let Some(node) = top.get("overrides") {
        file.overrides = overrides(node, report);
    }
    if let Some(node) = top.get("waivers") {
        file.waivers = list(node, "`waivers`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|node| waiver(node, report))
            .collect();
    }
    if let Some(node) = top.get("frameworks") {
        file.frameworks = frameworks(node, report);
    }
    if let Some(node) = top.get("ledger") {
        file.ledger = ledger(node, report);
    }
    file
}

fn version(top: &Fields<'_>, report: &mut Report) {
    let Some(node) = top.get("version") else {
        report.add_help(
            Spot::START,
            "the policy lacks `version`".to_owned(),
            "add `version: 1` as its first line",
        );
        return;
    };
    if json(node).as_u64() != Some(1) {
        report.add_help(
            node.spot,
            format!("unknown version: {}", super::read::found(node)),
            "this program knows version `1`",
        );
    }
}

fn extends(node: &Node, report: &mut Report) -> Vec<&'static str> {
    let mut presets = Vec::new();
    for item in list(node, "`extends`", report).unwrap_or_default() {
        let Some(name) = text(item, "an entry of `extends`", report) else {
            continue;
        };
        let preset = PRESETS.iter().find(|preset| **preset == name);
        match preset {
            Some(preset) if presets.contains(preset) => {
                report.add(item.spot, format!("the preset `{preset}` is given twice"));
            }
            Some(preset) => presets.push(*preset),
            None if name.contains("//") || name.contains('@') => report.add_help(
                item.spot,
                format!(
                    "policies of other repositories are not supported in this version: {}",
                    quote(&name)
                ),
                "copy its controls here, or extend a preset",
            ),
            None => report.put(
                item.spot,
                format!("there is no preset {}", quote(&name)),
                did_you_mean(&name, PRESETS),
            ),
        }
    }
    presets
}

fn branches(node: &Node, report: &mut Report) -> Option<Vec<String>> {
    let items = list(node, "`branches`", report)?;
    if items.is_empty() {
        report.add_help(
            node.spot,
            "`branches` is empty, so no branch would be judged".to_owned(),
            "leave it out to judge every branch",
        );
    }
    let globs = items
        .iter()
        .filter_map(|item| glob(item, "an entry of `branches`", false, report))
        .map(|glob| glob.glob().to_owned())
        .collect();
    Some(globs)
}

fn scan(node: &Node, report: &mut Report) -> Option<ScanExpectation> {
    let what = "an entry of `scans`";
    let known = ["tool", "path", "required", "max_age", "new", "total"];
    let scan = fields(node, what, &known, report)?;
    let tool = scan.need("tool", what, report);
    let tool = tool.and_then(|node| text(node, "`tool`", report));
    let path = scan.need("path", what, report);
    let path = path.and_then(|node| glob(node, "`path`", true, report));
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
    Some(ScanExpectation {
        tool: tool?,
        path: path?.glob().to_owned(),
        required: required?,
        max_age,
        new,
        total,
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
    found.sort_by(|one, other| other.0.cmp(&one.0));
    found
}

fn overrides(node: &Node, report: &mut Report) -> Option<OverrideRules> {
    let what = "`overrides`";
    let known = [
        "allowed_by",
        "second_person",
        "ticket",
        "min_reason",
        "max",
        "review_within",
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
    Some(rules)
}

/// The rules where a policy has no `overrides`: nobody may.
pub(super) fn nobody() -> OverrideRules {
    OverrideRules {
        allowed_by: Vec::new(),
        second_person: true,
        ticket: None,
        min_reason: 30,
        max: SignedDuration::from_hours(24),
        review_within: "1 business day".to_owned(),
    }
}

fn waiver(node: &Node, report: &mut Report) -> Option<Waiver> {
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
    let control = control.and_then(|node| {
        let name = text(node, "`control`", report)?;
        find_control(&name, node.spot, report)
    });
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
        control: control?.meta.id.to_owned(),
        scope: scope?.glob().to_owned(),
        reason: reason?,
        owner: owner?,
        approved_by: approved_by?,
        expires: expires?,
        place: node.spot.of(report.origin()),
    })
}

fn frameworks(node: &Node, report: &mut Report) -> Vec<String> {
    let known = FRAMEWORKS.map(|name| (name, name));
    let mut names: Vec<String> = Vec::new();
    for item in list(node, "`frameworks`", report).unwrap_or_default() {
        if let Some(name) = word(item, "`frameworks`", &known, report)
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

fn ledger(node: &Node, report: &mut Report) -> Option<LedgerChoice> {
    let what = "`ledger`";
    let section = fields(node, what, &["url", "required"], report)?;
    let url = section.need("url", what, report).and_then(|node| {
        let url = text(node, "`url`", report)?;
        let later = ["git+branch:", "git+https:", "s3:", "postgres:"];
        match url.strip_prefix("dir:") {
            Some("") => {
                report.add(node.spot, "`dir:` lacks the path of a folder".to_owned());
                None
            }
            Some(_) => Some(url),
            None if later.iter().any(|scheme| url.starts_with(scheme)) => {
                report.add_help(
                    node.spot,
                    format!(
                        "this kind of ledger is not built in this version: {}",
                        quote(&url)
                    ),
                    "use `dir:PATH`",
                );
                None
            }
            None => {
                report.add_help(
                    node.spot,
                    format!("unknown kind of ledger: {}", quote(&url)),
                    "use `dir:PATH`",
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
