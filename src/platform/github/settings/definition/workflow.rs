//! One workflow: what starts it, whether a filter may keep it from starting on a
//! change, and what somebody may fill in who starts it by hand.

use crate::facts::{Definition, ForeignPart, RunInput};
use crate::platform::yaml::{self, Node};

use super::expressions::Secrets;
use super::job::{self, Rights};
use super::{Home, parts};

/// Events that speak of a change, with the types that start a workflow when it
/// names none.
const OF_CHANGES: &[(&str, &[&str])] = &[
    ("pull_request", &["opened", "synchronize", "reopened"]),
    (
        "pull_request_target",
        &["opened", "synchronize", "reopened"],
    ),
    ("merge_group", &["checks_requested"]),
];

/// Filters that may keep an event from starting the workflow.
const FILTERS: &[&str] = &[
    "paths",
    "paths-ignore",
    "branches",
    "branches-ignore",
    "types",
];

/// Reads a workflow; an error says what is wrong with it.
pub(super) fn definition(text: &str, home: &Home<'_>) -> Result<Definition, String> {
    let mut documents = yaml::documents(text)?;
    let root = documents.pop().ok_or("the file is empty")?;
    if !documents.is_empty() {
        return Err("the file holds more than one document".to_owned());
    }
    let on = root.get("on").ok_or("it does not say `on`")?;
    let triggers = triggers(on)?;
    let rights = root.get("permissions").map(Rights::of);
    let mut above = Secrets::default();
    for key in ["env", "defaults"] {
        if let Some(node) = root.get(key) {
            above.take(node);
        }
    }
    let Some(Node::Map(jobs)) = root.get("jobs") else {
        return Err("`jobs` is no mapping".to_owned());
    };
    let mut all = Vec::new();
    let mut foreign: Vec<ForeignPart> = Vec::new();
    for (id, node) in jobs {
        if !matches!(node, Node::Map(_)) {
            return Err(format!("the job `{id}` is no mapping"));
        }
        foreign.extend(parts::of_job(node, home)?);
        all.push(job::job(id, node, rights.as_ref(), &above));
    }
    foreign.sort();
    foreign.dedup();
    Ok(Definition {
        name: root.get("name").and_then(Node::text).map(str::to_owned),
        filtered: OF_CHANGES.iter().any(|(event, types)| {
            on.get(event)
                .is_some_and(|event| filtered(event, types, home))
        }),
        triggers,
        token: rights.as_ref().map(Rights::token),
        parts: foreign,
        jobs: all,
        inputs: inputs(on),
    })
}

fn triggers(on: &Node) -> Result<Vec<String>, String> {
    let names: Option<Vec<String>> = match on {
        Node::Map(entries) => Some(entries.iter().map(|(name, _)| name.clone()).collect()),
        Node::Scalar { .. } | Node::List(_) => on
            .items()
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect(),
        Node::Tagged(..) => None,
    };
    names
        .filter(|names| !names.is_empty() && names.iter().all(|name| !name.is_empty()))
        .ok_or_else(|| "`on` names no event".to_owned())
}

fn filtered(event: &Node, usual_types: &[&str], home: &Home<'_>) -> bool {
    FILTERS
        .iter()
        .filter_map(|filter| Some((*filter, event.get(filter)?)))
        .any(|(filter, node)| match filter {
            "types" => !usual_types.iter().all(|wanted| says(node, wanted)),
            "branches" => !lets_in(node, home.target),
            _ => true,
        })
}

fn says(node: &Node, word: &str) -> bool {
    node.items().iter().any(|item| item.text() == Some(word))
}

/// Whether the list surely holds the branch. A pattern that leaves something out
/// may leave this one out.
fn lets_in(node: &Node, branch: &str) -> bool {
    let mut named = false;
    for item in node.items() {
        match item.text() {
            Some(pattern) if pattern.starts_with('!') => return false,
            Some("**") => named = true,
            Some("*") => named |= !branch.contains('/'),
            Some(pattern) => named |= pattern == branch,
            None => return false,
        }
    }
    named
}

fn inputs(on: &Node) -> Vec<RunInput> {
    let Some(inputs) = on
        .get("workflow_dispatch")
        .and_then(|event| event.get("inputs"))
    else {
        return Vec::new();
    };
    inputs
        .entries()
        .iter()
        .map(|(name, input)| {
            let kind = input.get("type").and_then(Node::text).unwrap_or("string");
            RunInput {
                name: name.clone(),
                free_text: !matches!(kind, "choice" | "boolean" | "environment" | "number"),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Home<'static> = Home {
        owner: "acme",
        target: "main",
    };

    fn read(on: &str) -> Definition {
        let text = format!("name: ci\non: {on}\njobs: {{a: {{runs-on: ubuntu-latest}}}}\n");
        definition(&text, &HOME).unwrap()
    }

    #[test]
    fn events_are_read_in_each_of_their_forms() {
        assert_eq!(read("push").triggers, ["push"]);
        assert_eq!(
            read("[push, pull_request]").triggers,
            ["push", "pull_request"]
        );
        assert_eq!(read("{pull_request: }").triggers, ["pull_request"]);
        assert_eq!(read("push").name.as_deref(), Some("ci"));
        let quoted = "'on': push\njobs: {}\n";
        assert_eq!(definition(quoted, &HOME).unwrap().triggers, ["push"]);
    }

    #[test]
    fn a_filter_on_changes_may_keep_the_workflow_from_starting() {
        for (on, filtered) in [
            ("pull_request", false),
            ("{pull_request: {paths: [src/**]}}", true),
            ("{pull_request: {paths-ignore: [docs/**]}}", true),
            ("{pull_request: {branches: [main]}}", false),
            ("{pull_request: {branches: main}}", false),
            ("{pull_request: {branches: ['**', '!main']}}", true),
            ("{pull_request: {branches: [release]}}", true),
            ("{pull_request: {branches-ignore: [x]}}", true),
            (
                "{pull_request: {types: [opened, synchronize, reopened, labeled]}}",
                false,
            ),
            ("{pull_request: {types: [opened]}}", true),
            ("{push: {paths: [src/**]}, pull_request: }", false),
            ("{merge_group: {types: [checks_requested]}}", false),
            ("{merge_group: {branches: [release]}}", true),
        ] {
            assert_eq!(read(on).filtered, filtered, "{on}");
        }
    }

    #[test]
    fn what_can_be_filled_in_is_free_unless_it_is_one_of_a_list() {
        let seen = read(
            "{workflow_dispatch: {inputs: {a: {type: choice}, b: {}, c: {type: string}, d: {type: boolean}, e: {type: odd}}}}",
        );
        let free: Vec<bool> = seen.inputs.iter().map(|input| input.free_text).collect();
        assert_eq!(free, [false, true, true, false, true]);
    }

    #[test]
    fn a_file_that_is_no_workflow_is_an_error() {
        for text in [
            "",
            "text",
            "on: push",
            "jobs: {}",
            "on: push\njobs: []",
            "on: []\njobs: {}",
            "on: push\njobs: {a: 1}",
            "on: push\njobs: {}\n---\non: push\njobs: {}",
            "on: !x [push]\njobs: {}",
        ] {
            assert!(definition(text, &HOME).is_err(), "{text}");
        }
    }
}
