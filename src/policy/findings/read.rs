//! Reads what a policy file says about single findings.

use std::collections::BTreeMap;

use super::super::problem::Report;
use super::super::read::{count, date, entries, fields, handle, list, raw, text, word};
use super::super::sections::SEVERITIES;
use super::super::standing::first_day;
use super::super::words::{did_you_mean, quote};
use super::super::yaml::{Kind, Node};
use super::accepted::{AcceptedFinding, Binding, VexJustification, VexStatus};
use super::lists::{ExploitedList, StoredBaseline};
use super::severity_map::{RatedAs, SeverityMap};

/// Word for what a report does not rate.
pub(in crate::policy) const UNRATED: &str = "unrated";

/// Longest place that is shown whole; of longer ones only the fingerprint tells which it is.
const LONGEST_PLACE: usize = 160;

/// A map of severities.
pub(in crate::policy) fn severity_map(node: &Node, report: &mut Report) -> Option<SeverityMap> {
    let what = "`severity_map`";
    let section = fields(node, what, &["rules", "words"], report)?;
    let mut map = SeverityMap::default();
    if let Some(node) = section.get("rules") {
        for (key, value) in entries(node, "`rules`", report).unwrap_or_default() {
            let severity = word(value, "a severity", &SEVERITIES, report);
            if key.text.is_empty() {
                report.add(key.spot, "a rule of `severity_map` has no name".to_owned());
            } else if let Some(severity) = severity {
                map.rules.insert(key.text.clone(), severity);
            }
        }
    }
    if let Some(node) = section.get("words") {
        let known = SEVERITIES.map(|(word, severity)| (word, RatedAs::Severity(severity)));
        let known: BTreeMap<_, _> = known
            .into_iter()
            .chain([(UNRATED, RatedAs::Unrated)])
            .collect();
        for (key, value) in entries(node, "`words`", report).unwrap_or_default() {
            let rated = known.get(key.text.as_str());
            if rated.is_none() {
                report.put(
                    key.spot,
                    format!("there is no severity {}", quote(&key.text)),
                    did_you_mean(&key.text, known.keys().copied()),
                );
            }
            let severity = word(value, "a severity", &SEVERITIES, report);
            if let (Some(rated), Some(severity)) = (rated, severity) {
                map.words.insert(*rated, severity);
            }
        }
    }
    Some(map)
}

/// A stored baseline.
pub(in crate::policy) fn baseline(node: &Node, report: &mut Report) -> Option<StoredBaseline> {
    let what = "`baseline`";
    let section = fields(node, what, &["path", "digest", "expires"], report)?;
    let path = section.need("path", what, report);
    let path = path.and_then(|node| text(node, "`path`", report));
    let digest = section.need("digest", what, report);
    let digest = digest.and_then(|node| sha256(node, report));
    let expires = section.need("expires", what, report);
    let expires = expires.and_then(|node| date(node, "`expires`", report));
    Some(StoredBaseline {
        path: path?,
        digest: digest?,
        expires: expires?,
    })
}

/// The list of exploited vulnerabilities: a path, or path and digest.
pub(in crate::policy) fn exploited(node: &Node, report: &mut Report) -> Option<ExploitedList> {
    let what = "`known_exploited`";
    if let Kind::Scalar { .. } = node.kind {
        let path = text(node, what, report)?;
        return Some(ExploitedList { path, digest: None });
    }
    let section = fields(node, what, &["path", "digest"], report)?;
    let path = section.need("path", what, report);
    let path = path.and_then(|node| text(node, "`path`", report));
    let digest = match section.get("digest") {
        Some(node) => Some(sha256(node, report)?),
        None => None,
    };
    Some(ExploitedList {
        path: path?,
        digest,
    })
}

/// The findings that a policy accepts.
pub(in crate::policy) fn accepted_findings(
    node: &Node,
    report: &mut Report,
) -> Vec<AcceptedFinding> {
    let mut all: BTreeMap<(String, Binding), AcceptedFinding> = BTreeMap::new();
    for node in list(node, "`accepted_findings`", report).unwrap_or_default() {
        let Some(accepted) = accepted(node, report) else {
            continue;
        };
        let key = (accepted.tool.to_lowercase(), accepted.binding.clone());
        match all.get(&key) {
            // Together they would cover more than either says.
            Some(first) => report.add_help(
                node.spot,
                format!("{} is accepted twice", quote(&accepted.words())),
                format!(
                    "first in line {}; `count` says how many are meant",
                    first.at.line
                ),
            ),
            None => {
                all.insert(key, accepted);
            }
        }
    }
    all.into_values().collect()
}

fn accepted(node: &Node, report: &mut Report) -> Option<AcceptedFinding> {
    let what = "an accepted finding";
    let known = [
        "tool",
        "fingerprint",
        "rule",
        "place",
        "severity",
        "count",
        "status",
        "justification",
        "reason",
        "owner",
        "approved_by",
        "ticket",
        "expires",
    ];
    let section = fields(node, what, &known, report)?;
    let words = |name: &str, report: &mut Report| {
        let node = section.need(name, what, report)?;
        text(node, &format!("`{name}`"), report)
    };
    let tool = words("tool", report);
    let reason = words("reason", report);
    let ticket = words("ticket", report);
    let parts = [
        section.get("fingerprint"),
        section.get("rule"),
        section.get("place"),
    ];
    let binding = match parts {
        [Some(node), None, None] => fingerprint(node, report),
        [None, Some(rule), Some(place)] => bound_to_place(rule, place, report),
        _ => {
            report.add_help(
                node.spot,
                format!("{what} is bound to `fingerprint`, or to `rule` and `place`"),
                "`ccgate scan findings REPORT` prints all three",
            );
            None
        }
    };
    let severity = section.need("severity", what, report);
    let severity = severity.and_then(|node| word(node, "`severity`", &SEVERITIES, report));
    let number = match section.get("count") {
        Some(node) => count(node, "`count`", report),
        None => Some(1),
    };
    let status = section.need("status", what, report);
    let status = status.and_then(|node| word(node, "`status`", &VexStatus::ALL, report));
    let justification = section.get("justification");
    match (status, justification) {
        (Some(VexStatus::NotAffected), None) => report.add_help(
            node.spot,
            format!("{what} that is `not_affected` lacks `justification`"),
            "one of the justifications of VEX, e.g. `vulnerable_code_not_in_execute_path`",
        ),
        (Some(VexStatus::Affected), Some(node)) => report.add_help(
            node.spot,
            "what is `affected` has no `justification`".to_owned(),
            "say in `reason` why the risk is taken",
        ),
        (Some(VexStatus::NotAffected), Some(_)) | (Some(VexStatus::Affected), None) | (None, _) => {
        }
    }
    let justification = match justification {
        Some(node) => Some(word(
            node,
            "`justification`",
            &VexJustification::ALL,
            report,
        )?),
        None => None,
    };
    let owner = section.need("owner", what, report);
    let owner = owner.and_then(|node| handle(node, "`owner`", report));
    let approver = section.need("approved_by", what, report);
    let approved_by = approver.and_then(|node| handle(node, "`approved_by`", report));
    let expires = section.need("expires", what, report);
    let expires = expires.and_then(|node| date(node, "`expires`", report));
    if let (Some(owner), Some(approved_by), Some(node)) = (&owner, &approved_by, approver)
        && owner.to_lowercase() == approved_by.to_lowercase()
    {
        report.add_help(
            node.spot,
            format!("{} cannot approve what they answer for", quote(owner)),
            "`approved_by` has to name somebody else than `owner`",
        );
    }
    Some(AcceptedFinding {
        tool: tool?,
        binding: binding?,
        severity: severity?,
        count: number?,
        status: status?,
        justification,
        reason: reason?,
        owner: owner?,
        approved_by: approved_by?,
        ticket: ticket?,
        begins: first_day(expires?),
        expires: expires?,
        at: node.spot.of(report.origin()),
    })
}

fn fingerprint(node: &Node, report: &mut Report) -> Option<Binding> {
    let given = raw(node).to_ascii_lowercase();
    if given.len() == 32 && given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Binding::Fingerprint(given));
    }
    report.add_help(
        node.spot,
        "`fingerprint` has to be 32 hex digits".to_owned(),
        "`ccgate scan findings REPORT` prints it",
    );
    None
}

/// Only names that are shown whole: what was cut or masked may be many.
fn bound_to_place(rule: &Node, place: &Node, report: &mut Report) -> Option<Binding> {
    let mut whole = |node: &Node, what: &str| {
        let given = text(node, what, report)?;
        if given.chars().count() > LONGEST_PLACE
            || given.ends_with('…')
            || given.contains("[masked]")
        {
            report.add_help(
                node.spot,
                format!("{what} is longer than what is shown, or masked"),
                "bind it to the `fingerprint` instead",
            );
            return None;
        }
        Some(given)
    };
    let (rule, place) = (whole(rule, "`rule`"), whole(place, "`place`"));
    Some(Binding::Place {
        rule: rule?,
        place: place?,
    })
}

fn sha256(node: &Node, report: &mut Report) -> Option<String> {
    let given = raw(node);
    let hex = given.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(given.to_ascii_lowercase());
    }
    report.add_help(
        node.spot,
        "`digest` has to be `sha256:` and 64 hex digits".to_owned(),
        "`sha256sum FILE` prints them",
    );
    None
}
