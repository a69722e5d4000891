//! The text of a definition to what it defines: templates taken in, jobs told
//! from keywords, what starts it. Does not know what included files bring.

use super::super::super::super::yaml::{Node, documents};
use super::job::{is_unconditional, job, short};
use super::parts;
use super::templates::Templates;
use crate::facts::{Definition, ForeignPart, PipelineJob, RunInput};

/// Keys on top that are no jobs.
const KEYWORDS: [&str; 12] = [
    "after_script",
    "before_script",
    "cache",
    "default",
    "image",
    "include",
    "services",
    "spec",
    "stages",
    "types",
    "variables",
    "workflow",
];
/// Words of `CI_PIPELINE_SOURCE` that rules ask for.
const SOURCES: [&str; 7] = [
    "merge_request_event",
    "schedule",
    "web",
    "api",
    "trigger",
    "pipeline",
    "external_pull_request_event",
];

/// What one text says.
pub(super) struct Written {
    /// What it defines, or why it cannot be told.
    pub(super) definition: Result<Definition, String>,
    /// Its foreign parts.
    pub(super) parts: Vec<ForeignPart>,
    /// What somebody who starts it by hand may fill in.
    pub(super) inputs: Vec<RunInput>,
    /// Whether jobs come from elsewhere too.
    pub(super) brings_more: bool,
    /// Whether a job starts a pipeline of its own, defined in another file.
    pub(super) starts_children: bool,
}

/// Reads a definition. A header of inputs may stand before it as a document of its own.
pub(super) fn read(text: &str, repository: &str) -> Result<Written, String> {
    let mut documents = documents(text)?;
    let header = if documents.len() > 1 && documents.first().is_some_and(is_header) {
        Some(documents.remove(0))
    } else {
        None
    };
    if documents.len() > 1 {
        return Err("the file holds several documents".to_owned());
    }
    let top = match documents.pop() {
        Some(top @ Node::Map(_)) => top,
        Some(other) if !other.is_null() => return Err("the file is no mapping".to_owned()),
        Some(_) | None => Node::Map(Vec::new()),
    };
    let jobs = jobs(&top);
    let mut parts = Vec::new();
    if let Some(include) = top.get("include") {
        parts.extend(parts::includes(include, repository));
    }
    for place in [Some(&top), top.get("default")].into_iter().flatten() {
        images(place, &mut parts);
    }
    let mut children = false;
    for (_, node) in jobs.iter().flatten() {
        images(node, &mut parts);
        if let Some(include) = node
            .get("trigger")
            .and_then(|trigger| trigger.get("include"))
        {
            children = true;
            parts.extend(parts::includes(include, repository));
        }
        let steps = node.get("run").map(Node::items).unwrap_or_default();
        parts.extend(
            steps
                .iter()
                .filter_map(|step| parts::step(step, repository)),
        );
    }
    parts.sort();
    parts.dedup();
    let inputs = inputs(header.as_ref(), &top);
    let brings_more = children || top.get("include").is_some_and(|include| !include.is_null());
    let default = top.get("default");
    let definition = jobs.map(|jobs| Definition {
        name: top
            .get("workflow")
            .and_then(|workflow| workflow.get("name"))
            .and_then(Node::text)
            .map(str::to_owned),
        triggers: triggers(&top, &jobs),
        filtered: filtered(&top),
        token: None,
        parts: parts.clone(),
        jobs: read_jobs(&jobs, default),
        inputs: inputs.clone(),
    });
    Ok(Written {
        definition,
        parts,
        inputs,
        brings_more,
        starts_children: children,
    })
}

fn is_header(node: &Node) -> bool {
    node.get("spec").is_some()
}

fn read_jobs(jobs: &[(String, Node)], default: Option<&Node>) -> Vec<PipelineJob> {
    jobs.iter()
        .map(|(id, node)| job(id, node, default))
        .collect()
}

/// The jobs with their templates taken in.
fn jobs(top: &Node) -> Result<Vec<(String, Node)>, String> {
    let mut templates = Templates::of(top);
    let mut jobs = Vec::new();
    for (id, node) in top.entries() {
        if id.starts_with('.') || KEYWORDS.contains(&id.as_str()) {
            continue;
        }
        if !matches!(node, Node::Map(_)) {
            return Err(format!("`{}` is no job", short_name(id)));
        }
        jobs.push((id.clone(), templates.extended(node, 0)?));
    }
    Ok(jobs)
}

fn images(node: &Node, parts: &mut Vec<ForeignPart>) {
    if let Some(image) = node.get("image") {
        parts.extend(parts::image(image));
    }
    for service in node.get("services").map(Node::items).unwrap_or_default() {
        parts.extend(parts::image(service));
    }
}

/// What starts it, in GitLab's words. Without rules on top a push does.
fn triggers(top: &Node, jobs: &[(String, Node)]) -> Vec<String> {
    let workflow = top
        .get("workflow")
        .and_then(|workflow| workflow.get("rules"));
    let mut said = String::new();
    for rules in workflow
        .into_iter()
        .chain(jobs.iter().filter_map(|(_, job)| job.get("rules")))
    {
        for rule in rules.items() {
            if rule.get("when").and_then(Node::text) != Some("never")
                && let Some(condition) = rule.get("if").and_then(Node::text)
            {
                said.push_str(condition);
                said.push('\n');
            }
        }
    }
    let mut found: Vec<String> = SOURCES
        .iter()
        .filter(|source| {
            said.contains(&format!("\"{source}\"")) || said.contains(&format!("'{source}'"))
        })
        .map(|source| (*source).to_owned())
        .collect();
    let only_changes = jobs
        .iter()
        .filter_map(|(_, job)| job.get("only"))
        .any(|only| short(only).contains("merge_requests"));
    if (only_changes || said.contains("$CI_MERGE_REQUEST_"))
        && !found.iter().any(|word| word == "merge_request_event")
    {
        found.push("merge_request_event".to_owned());
    }
    let pushes = workflow.is_none_or(|rules| {
        rules.items().iter().any(is_unconditional)
            || said.contains("\"push\"")
            || said.contains("'push'")
            || said.contains("$CI_COMMIT_BRANCH")
            || said.contains("$CI_COMMIT_REF_NAME")
    });
    if pushes {
        found.push("push".to_owned());
    }
    found.sort();
    found
}

/// Whether rules on top may keep it from starting on a change. Only what is
/// known to let every change in ends the search.
fn filtered(top: &Node) -> bool {
    let Some(rules) = top
        .get("workflow")
        .and_then(|workflow| workflow.get("rules"))
    else {
        return false;
    };
    for rule in rules.items() {
        let never = rule.get("when").and_then(Node::text) == Some("never");
        let condition: Option<String> = rule
            .get("if")
            .and_then(Node::text)
            .map(|text| text.replace('\'', "\"").split_whitespace().collect());
        match (condition.as_deref(), never) {
            (None, never) if is_unconditional(rule) && matches!(rule, Node::Map(_)) => {
                return never;
            }
            // The usual way to have no second pipeline beside the one of the change.
            (Some("$CI_COMMIT_BRANCH&&$CI_OPEN_MERGE_REQUESTS"), true) => {}
            (
                Some("$CI_PIPELINE_SOURCE==\"merge_request_event\"" | "$CI_MERGE_REQUEST_IID"),
                false,
            ) if rule.get("changes").is_none() && rule.get("exists").is_none() => {
                return false;
            }
            (_, true) => return true,
            (_, false) => {}
        }
    }
    true
}

/// Variables that are offered with a description, and inputs of the header.
fn inputs(header: Option<&Node>, top: &Node) -> Vec<RunInput> {
    let mut found = Vec::new();
    let spec = header.and_then(|header| header.get("spec"));
    for (name, input) in spec
        .and_then(|spec| spec.get("inputs"))
        .map(Node::entries)
        .unwrap_or_default()
    {
        let kind = input.get("type").and_then(Node::text);
        let listed = input.get("options").is_some() || matches!(kind, Some("boolean" | "number"));
        found.push(RunInput {
            name: name.clone(),
            free_text: !listed,
        });
    }
    for (name, variable) in top.get("variables").map(Node::entries).unwrap_or_default() {
        if variable.get("description").is_some() {
            found.push(RunInput {
                name: name.clone(),
                free_text: variable.get("options").is_none(),
            });
        }
    }
    found.sort();
    found.dedup();
    found
}

pub(super) fn short_name(name: &str) -> String {
    name.chars().take(80).collect()
}
