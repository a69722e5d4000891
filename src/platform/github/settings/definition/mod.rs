//! The workflows at the tip of the target branch: every file asked for in one
//! query. What a file means stands in the modules below; one that cannot be
//! read is unknown by itself and takes no other with it.

mod expressions;
mod job;
mod matrix;
mod parts;
mod workflow;

use serde::Deserialize;
use serde_json::Value;
use sha2::Digest as _;

use crate::facts::{Definition, DefinitionFile, Fact, FactKey, PipelineDefinition, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::GraphqlAnswer;

use super::super::graph::{self, Place};
use super::super::permissions;
use super::document::Part;
use super::owner_side::Asker;

const KEY: FactKey = FactKey::PipelineDefinition;

/// Where workflows stand.
pub(super) const FOLDER: &str = ".github/workflows";

/// What is asked. The branch itself is there to tell a branch without workflows
/// from one that is not shown.
pub(super) const FIELDS: &str = "    tip: ref(qualifiedName: $ref) { target { __typename oid } }
    workflows: object(expression: $tree) {
      __typename
      ... on Tree { entries { name object { __typename ... on Blob { text isTruncated isBinary } } } }
    }
";

#[derive(Debug, Deserialize)]
struct Tree {
    entries: Option<Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: Option<String>,
    object: Option<Blob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    #[serde(rename = "__typename")]
    kind: Option<String>,
    text: Option<String>,
    is_truncated: Option<bool>,
    is_binary: Option<bool>,
}

/// What the meaning of a workflow depends on.
struct Home<'a> {
    /// Whose parts are one's own.
    owner: &'a str,
    /// The branch that changes go to.
    target: &'a str,
}

/// Asks for the workflows.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<PipelineDefinition> {
    if asker.target.is_empty() {
        return Fact::Unknown(Unknown::new(
            KEY.name(),
            Why::Failed,
            "the target branch is not known, so its workflows cannot be asked for",
        ));
    }
    let home = Home {
        owner: &asker.session.owner,
        target: asker.target,
    };
    match asker.shared.document.answer(Part::Workflows).await {
        Ok(answer) => match files(answer, &home) {
            Ok(files) => Fact::seen(
                PipelineDefinition {
                    imposed_by: None,
                    files,
                },
                answer.source.clone(),
            ),
            Err(unknown) => Fact::Unknown(unknown),
        },
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// Whether a job may ask for an identity token; yes where that was not seen.
pub(super) fn may_ask_for_tokens(definition: &Fact<PipelineDefinition>) -> bool {
    let asks = |file: &DefinitionFile| {
        let content = file.content.known();
        content.map_or(true, |content| {
            content.jobs.iter().any(|job| job.identity_token)
        })
    };
    let known = definition.known();
    known.map_or(true, |definition| definition.files.iter().any(asks))
}

fn files(answer: &GraphqlAnswer, home: &Home<'_>) -> Result<Vec<DefinitionFile>, Unknown> {
    let needs = permissions::needs(KEY);
    let target = ["repository", "tip", "target"];
    for place in [&target[..], &["repository", "workflows"]] {
        if let Some(unknown) = graph::errors_below(answer, place, KEY.name(), needs) {
            return Err(unknown);
        }
    }
    match graph::place(answer, &target, KEY.name(), needs) {
        Place::There(_) => {}
        Place::Empty => return Err(graph::empty(answer, KEY.name(), needs, "tip of the branch")),
        Place::Refused(unknown) => return Err(unknown),
    }
    let object = answer
        .data
        .as_ref()
        .and_then(|data| data.pointer("/repository/workflows"));
    let tree: Tree = match object {
        // The branch is there, and has no such folder.
        Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => graph::read(value, answer, KEY.name())?,
        None => {
            return Err(graph::empty(
                answer,
                KEY.name(),
                needs,
                "folder of workflows",
            ));
        }
    };
    let malformed =
        |detail: &str| access::malformed(KEY.name(), &answer.endpoint, answer.status, detail);
    let entries = tree
        .entries
        .ok_or_else(|| malformed(&format!("`{FOLDER}` is no folder")))?;
    let mut files = Vec::new();
    for entry in entries {
        let name = entry
            .name
            .ok_or_else(|| malformed("a file in the folder of workflows has no name"))?;
        let is_folder = entry
            .object
            .as_ref()
            .is_some_and(|object| object.kind.as_deref() == Some("Tree"));
        // The platform reads these endings only, and nothing in folders below.
        let counts = name.ends_with(".yml") || name.ends_with(".yaml");
        if counts && !is_folder {
            files.push(file(answer, home, &name, entry.object));
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn file(answer: &GraphqlAnswer, home: &Home<'_>, name: &str, blob: Option<Blob>) -> DefinitionFile {
    let path = format!("{FOLDER}/{name}");
    let text = match blob {
        Some(Blob {
            text: Some(text),
            is_truncated: Some(false),
            is_binary: Some(false) | None,
            ..
        }) => Ok(text),
        Some(_) | None => Err("is binary, or was not sent as a whole".to_owned()),
    };
    let digest = text.as_ref().map_or_else(
        |_| String::new(),
        |text| format!("sha256:{}", hex::encode(sha2::Sha256::digest(text))),
    );
    let content: Result<Definition, String> =
        text.and_then(|text| workflow::definition(&text, home));
    let content = match content {
        Ok(definition) => Fact::seen(definition, answer.source.clone()),
        Err(detail) => Fact::Unknown(
            Unknown::new(KEY.name(), Why::Failed, format!("`{path}`: {detail}"))
                .at(answer.endpoint.clone(), Some(answer.status)),
        ),
    };
    DefinitionFile {
        path,
        digest,
        content,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::graph::testing::answer;
    use super::*;
    use serde_json::json;

    const HOME: Home<'static> = Home {
        owner: "acme",
        target: "main",
    };

    fn read(repository: &Value) -> Result<Vec<DefinitionFile>, Unknown> {
        files(&answer(&json!({"data": {"repository": repository}})), &HOME)
    }

    fn tree(entries: &Value) -> Value {
        json!({"tip": {"target": {"oid": "aa"}}, "workflows": {"__typename": "Tree", "entries": entries}})
    }

    fn blob(text: &str) -> Value {
        json!({"__typename": "Blob", "text": text, "isTruncated": false, "isBinary": false})
    }

    #[test]
    fn files_of_the_folder_are_read_and_one_that_is_broken_spoils_no_other() {
        let seen = read(&tree(&json!([
            {"name": "z.yaml", "object": blob("on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: make}]}}")},
            {"name": "broken.yml", "object": blob("on: [push")},
            {"name": "cut.yml", "object": {"__typename": "Blob", "text": "on: push", "isTruncated": true, "isBinary": false}},
            {"name": "README.md", "object": blob("text")},
            {"name": "sub.yml", "object": {"__typename": "Tree"}},
        ])))
        .unwrap();
        let paths: Vec<(&str, bool)> = seen
            .iter()
            .map(|file| (file.path.as_str(), file.content.is_known()))
            .collect();
        assert_eq!(
            paths,
            [
                (".github/workflows/broken.yml", false),
                (".github/workflows/cut.yml", false),
                (".github/workflows/z.yaml", true)
            ]
        );
        let detail = seen[0].content.known().unwrap_err().detail;
        assert!(
            detail.contains("broken.yml") && detail.contains("line"),
            "{detail}"
        );
        assert!(seen[2].digest.starts_with("sha256:"));
    }

    #[test]
    fn no_folder_on_a_branch_that_is_there_means_no_workflows() {
        let none = json!({"tip": {"target": {"oid": "aa"}}, "workflows": null});
        assert_eq!(read(&none).unwrap(), Vec::new());
    }

    #[test]
    fn no_folder_on_a_branch_that_is_not_shown_means_nothing() {
        for repository in [
            json!({"tip": null, "workflows": null}),
            json!({"tip": {"target": {"oid": "aa"}}}),
            json!({"tip": {"target": {"oid": "aa"}}, "workflows": {"__typename": "Blob"}}),
            json!(null),
        ] {
            assert!(read(&repository).is_err(), "{repository}");
        }
        let with_error_at = |field: &str| {
            answer(
                &json!({"data": {"repository": {"tip": {"target": {"oid": "aa"}}, "workflows": null}},
                "errors": [{"type": "FORBIDDEN", "path": ["repository", field], "message": "no"}]}),
            )
        };
        let refused = files(&with_error_at("workflows"), &HOME).err().unwrap();
        assert_eq!(refused.why, Why::NotPermitted);
        // What another part of the same question was refused is no word on this one.
        assert_eq!(
            files(&with_error_at("everybody"), &HOME).unwrap(),
            Vec::new()
        );
    }
}
