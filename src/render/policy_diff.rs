//! Two policies side by side, for people and for programs. What stands in them may
//! be a stranger's.

use serde_json::{Value, json};

use crate::facts::Direction;
use crate::policy::{PolicyChange, PolicyDiff, PolicyPart, PolicySource};

use super::escape;

/// Version string of the comparison.
pub const POLICY_DIFF_SCHEMA: &str = "ccgate.policy-diff/v1";

/// Longest line.
const LONGEST: usize = 900;

/// A line for each part that changed, what became weaker first.
pub fn policy_diff(diff: &PolicyDiff) -> String {
    let mut lines = vec![format!(
        "{} -> {}",
        source(&diff.before),
        diff.after.as_ref().map_or("no policy".to_owned(), source)
    )];
    for change in &diff.changes {
        lines.push(format!("  {:<8}  {change}", change.direction.word()));
    }
    lines.push(match diff.changes.len() {
        0 => "nothing changes in what is demanded".to_owned(),
        _ => [Direction::Weaker, Direction::Changed, Direction::Stronger]
            .map(|direction| format!("{} {}", count(diff, direction), direction.word()))
            .join(", "),
    });
    lines
        .iter()
        .map(|line| format!("{}\n", escape::terminal(line, LONGEST)))
        .collect()
}

/// The same as one JSON document.
pub fn policy_diff_json(diff: &PolicyDiff) -> String {
    let document = json!({
        "schema": POLICY_DIFF_SCHEMA,
        "before": source_json(&diff.before),
        "after": diff.after.as_ref().map(source_json),
        "weaker": diff.weaker(),
        "changes": diff.changes.iter().map(change).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn count(diff: &PolicyDiff, direction: Direction) -> usize {
    diff.changes
        .iter()
        .filter(|change| change.direction == direction)
        .count()
}

fn source(source: &PolicySource) -> String {
    match &source.commit {
        Some(commit) => format!("{} ({commit}, {})", source.origin, source.digest),
        None => format!("{} ({})", source.origin, source.digest),
    }
}

fn source_json(source: &PolicySource) -> Value {
    json!({
        "source": source.origin,
        "commit": source.commit,
        "digest": source.digest,
        "layers": source.layers,
    })
}

fn change(change: &PolicyChange) -> Value {
    let (section, code, id) = match change.part {
        PolicyPart::Control { code, id } => ("controls", Some(code), Some(id)),
        PolicyPart::Section(key) => (key, None, None),
        PolicyPart::Whole => ("policy", None, None),
    };
    json!({
        "direction": change.direction.word(),
        "section": section,
        "code": code,
        "id": id,
        "setting": change.setting,
        "before": change.before,
        "after": change.after,
        "why": change.why,
        "when": if change.later { "concessions_ended" } else { "now" },
    })
}
