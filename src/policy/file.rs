//! The policy file as it is written: every section read, nothing combined yet.
//! This file knows the format; what a section means beside a preset or the
//! default branch's policy is decided in `resolve.rs` and `floor.rs`.

use jiff::SignedDuration;

use crate::facts::PolicyDocument;

use super::choice::{ControlChoice, control_choices};
use super::custom::custom_choices;
use super::findings::read::{accepted_findings, exploited};
use super::findings::{AcceptedFinding, ExploitedList};
use super::model::{LedgerChoice, Mode, OverrideRules, ScanExpectation, Waiver};
use super::presets::PRESETS;
use super::problem::{Report, Spot};
use super::read::{Fields, duration, fields, found, glob, json, list, text, word};
use super::sections::{ledger, overrides, scan, waivers};
use super::words::{did_you_mean, quote};
use super::yaml::{Node, parse};

/// Keys of the file.
pub(super) const TOP: [&str; 14] = [
    "version",
    "extends",
    "branches",
    "mode",
    "settings",
    "controls",
    "custom",
    "scans",
    "accepted_findings",
    "known_exploited",
    "overrides",
    "waivers",
    "frameworks",
    "ledger",
];

/// Names of frameworks that decisions can be mapped to.
pub const FRAMEWORKS: [&str; 4] = ["soc2", "iso27001", "pci-dss-4", "nist-800-53"];

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
    /// The controls of its own that it declares.
    pub(super) custom: Vec<ControlChoice>,
    /// Where `controls` is, or the start of the file.
    pub(super) controls_spot: Option<Spot>,
    /// Scan results that it expects.
    pub(super) scans: Vec<ScanExpectation>,
    /// Where `scans` is.
    pub(super) scans_spot: Option<Spot>,
    /// Findings that it accepts.
    pub(super) accepted_findings: Vec<AcceptedFinding>,
    /// The list of exploited vulnerabilities.
    pub(super) known_exploited: Option<ExploitedList>,
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
    if let Some(node) = top.get("custom") {
        file.custom = custom_choices(node, &document.text, report);
    }
    if let Some(node) = top.get("scans") {
        file.scans_spot = Some(node.spot);
        file.scans = list(node, "`scans`", report)
            .unwrap_or_default()
            .iter()
            .filter_map(|node| scan(node, report))
            .collect();
    }
    if let Some(node) = top.get("accepted_findings") {
        file.accepted_findings = accepted_findings(node, report);
    }
    if let Some(node) = top.get("known_exploited") {
        file.known_exploited = exploited(node, report);
    }
    let own: Vec<&str> = file
        .custom
        .iter()
        .map(|choice| choice.definition.meta().id)
        .collect();
    if let Some(node) = top.get("overrides") {
        file.overrides = overrides(node, &own, report);
    }
    if let Some(node) = top.get("waivers") {
        file.waivers = waivers(node, &own, report);
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
            format!("unknown version: {}", found(node)),
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
