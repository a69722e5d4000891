//! What one job says: when it runs, whether its failure counts, what it does.
//! Unknown words count as the weak value.

use super::super::super::super::yaml::Node;
use crate::facts::PipelineJob;

/// Commands that are shown of a job.
const SHOWN: usize = 3;
/// Most runs of one job that are named.
const MOST_RUNS: u32 = 200;

/// A job with its templates already in it. `default` is the top-level one.
pub(super) fn job(id: &str, node: &Node, default: Option<&Node>) -> PipelineJob {
    let own_or_default = |key: &str| {
        node.get(key)
            .or_else(|| default.and_then(|default| default.get(key)))
    };
    PipelineJob {
        id: id.to_owned(),
        reported_as: reported_as(id, node),
        token: None,
        rights: Vec::new(),
        identity_token: own_or_default("id_tokens").is_some_and(|tokens| !tokens.is_null()),
        soft_fail: soft_fail(node),
        condition: condition(node),
        does: does(node),
        environment: environment(node),
        // Which machines take it hangs on tags that only the runners know.
        self_hosted: None,
        secrets: own_or_default("secrets")
            .map(|secrets| {
                secrets
                    .entries()
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect()
            })
            .unwrap_or_default(),
    }
}

/// Its name, or one name for each of several runs. What a matrix makes of it
/// is not worked out.
fn reported_as(id: &str, node: &Node) -> Vec<String> {
    let Some(parallel) = node.get("parallel") else {
        return vec![id.to_owned()];
    };
    match parallel.text().and_then(|text| text.parse::<u32>().ok()) {
        Some(runs) if runs <= MOST_RUNS => {
            (1..=runs).map(|run| format!("{id} {run}/{runs}")).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

/// Why a failure does not count. A manual job without rules counts for nothing
/// unless it says so; in a rule it counts.
fn soft_fail(node: &Node) -> Option<String> {
    if let Some(words) = allowed(node) {
        return Some(words);
    }
    for rule in rules(node) {
        if let Some(words) = allowed(rule) {
            return Some(format!("{words} in a rule"));
        }
    }
    let manual = node.get("when").and_then(Node::text) == Some("manual");
    (manual && node.get("allow_failure").is_none() && node.get("rules").is_none())
        .then(|| "when: manual".to_owned())
}

fn allowed(node: &Node) -> Option<String> {
    let value = node.get("allow_failure")?;
    match value {
        Node::Scalar { text, .. } if text.eq_ignore_ascii_case("false") || value.is_null() => None,
        Node::Scalar { text, .. } => Some(format!("allow_failure: {text}")),
        Node::Map(_) => Some("allow_failure: exit_codes".to_owned()),
        Node::List(_) | Node::Tagged(..) => Some("allow_failure: ?".to_owned()),
    }
}

fn rules(node: &Node) -> &[Node] {
    node.get("rules").map(Node::items).unwrap_or_default()
}

/// When it is left out; `None` if it runs in every pipeline.
fn condition(node: &Node) -> Option<String> {
    if let Some(listed) = node.get("rules") {
        return (!always(listed.items())).then(|| {
            let first = listed.items().first().map(short).unwrap_or_default();
            format!("rules: {first}")
        });
    }
    for key in ["only", "except"] {
        if let Some(value) = node.get(key)
            && !value.is_null()
        {
            return Some(format!("{key}: {}", short(value)));
        }
    }
    match node.get("when").map(|when| when.text().unwrap_or("?")) {
        None | Some("on_success" | "always" | "delayed") => None,
        Some(word) => Some(format!("when: {word}")),
    }
}

/// Whether some rule lets it in whatever is the case. The first rule that
/// matches counts, so one that keeps it out ends the search.
fn always(rules: &[Node]) -> bool {
    for rule in rules {
        let when = match rule.get("when") {
            None => "on_success",
            Some(when) => when.text().unwrap_or("?"),
        };
        if !matches!(rule, Node::Map(_)) || !matches!(when, "on_success" | "always" | "delayed") {
            return false;
        }
        if is_unconditional(rule) {
            return true;
        }
    }
    false
}

/// Whether a rule holds for every pipeline.
pub(super) fn is_unconditional(rule: &Node) -> bool {
    ["if", "changes", "exists"]
        .iter()
        .all(|key| rule.get(key).is_none())
}

fn does(node: &Node) -> Vec<String> {
    let mut done = Vec::new();
    if let Some(script) = node.get("script") {
        commands(script, &mut done);
    }
    if let Some(trigger) = node.get("trigger") {
        let what = trigger
            .text()
            .or_else(|| trigger.get("project").and_then(Node::text));
        done.push(format!("trigger {}", what.unwrap_or("a child pipeline")));
    }
    for step in node.get("run").map(Node::items).unwrap_or_default() {
        for key in ["step", "script"] {
            if let Some(value) = step.get(key) {
                commands(value, &mut done);
            }
        }
    }
    done.truncate(SHOWN);
    done
}

fn commands(node: &Node, out: &mut Vec<String>) {
    match node {
        Node::Scalar { text, .. } => out.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned),
        ),
        Node::List(items) => items.iter().for_each(|item| commands(item, out)),
        Node::Tagged(..) | Node::Map(_) => out.push(short(node)),
    }
}

/// An environment that a job only stops or looks at is not deployed to.
fn environment(node: &Node) -> Option<String> {
    let environment = node.get("environment")?;
    if let Some(name) = environment.text() {
        return (!name.is_empty()).then(|| name.to_owned());
    }
    let action = environment.get("action").and_then(Node::text);
    if matches!(action, Some("stop" | "prepare" | "verify" | "access")) {
        return None;
    }
    Some(
        environment
            .get("name")
            .and_then(Node::text)
            .unwrap_or("?")
            .to_owned(),
    )
}

/// A value in one short line.
pub(super) fn short(node: &Node) -> String {
    let text = match node {
        Node::Scalar { text, .. } => text.clone(),
        Node::List(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        Node::Map(entries) => entries
            .iter()
            .map(|(key, value)| format!("{key}: {}", short(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Node::Tagged(tag, items) => format!(
            "{tag} {}",
            items.iter().map(short).collect::<Vec<_>>().join(".")
        ),
    };
    text.chars().take(120).collect()
}
