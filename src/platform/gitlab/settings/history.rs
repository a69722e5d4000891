//! What ran on the heads of the changes merged last. REST would need a request
//! for each change behind the list of them; GraphQL answers at once.

use serde_json::{Value, json};

use crate::facts::{Fact, FactKey, MergedHead, ReportedCheck, Source, Subject, Unknown, Why};

use super::super::super::access;
use super::super::super::transport::{GraphqlAnswer, NoAnswer};
use super::super::wire::time;
use super::super::{Session, left_out, permissions};

const HEADS: &str = "query mergedHeads($project: ID!, $branches: [String!]) {
  project(fullPath: $project) {
    mergeRequests(state: merged, targetBranches: $branches, sort: MERGED_AT_DESC, first: 5) {
      nodes {
        iid
        diffHeadSha
        mergedAt
        headPipeline { status jobs(first: 100) { nodes { name } pageInfo { hasNextPage } } }
      }
    }
  }
}";

/// The last five changes merged into the target branch.
pub(super) async fn merged_heads(session: &Session, subject: &Subject) -> Fact<Vec<MergedHead>> {
    let variables = json!({
        "project": session.setup.place.repository,
        "branches": [subject.target],
    });
    let answer = session
        .settings
        .graphql("mergedHeads", HEADS, variables)
        .await;
    translated(&answer, session.opened.project.is_ok())
}

fn translated(
    answer: &Result<GraphqlAnswer, NoAnswer>,
    project_is_readable: bool,
) -> Fact<Vec<MergedHead>> {
    let fact = FactKey::BranchCheckHistory.name();
    let answer = match answer {
        Ok(answer) => answer,
        Err(no_answer) => {
            return Fact::Unknown(access::refused(fact, permissions::CHANGE, no_answer));
        }
    };
    let nodes = answer
        .data
        .as_ref()
        .and_then(|data| data.pointer("/project/mergeRequests/nodes"))
        .and_then(Value::as_array)
        .filter(|_| answer.errors.is_empty());
    let Some(nodes) = nodes else {
        return Fact::Unknown(refused(answer, project_is_readable));
    };
    let sources = vec![answer.source.clone()];
    let mut heads = Vec::new();
    for node in nodes {
        match head(node, &sources) {
            Some(head) => heads.push(head),
            None => return Fact::Unknown(left_out(fact, "diffHeadSha", &sources)),
        }
    }
    Fact::seen_in(heads, sources)
}

fn refused(answer: &GraphqlAnswer, project_is_readable: bool) -> Unknown {
    let fact = FactKey::BranchCheckHistory.name();
    let at = |unknown: Unknown| unknown.at(answer.endpoint.clone(), Some(answer.status));
    match answer.errors.first() {
        // What the schema of an older server does not know.
        Some(error) if error.kind.as_deref() == Some("undefinedField") => {
            at(Unknown::new(fact, Why::NotSupported, error.message.clone()))
        }
        Some(error) if project_is_readable => {
            at(Unknown::new(fact, Why::Failed, error.message.clone()))
        }
        error => {
            let detail = error.map_or_else(
                || "GitLab shows this token no merged changes".to_owned(),
                |error| error.message.clone(),
            );
            at(Unknown::new(fact, Why::NotPermitted, detail).needs(permissions::CHANGE))
        }
    }
}

fn head(node: &Value, sources: &[Source]) -> Option<MergedHead> {
    let iid = node.get("iid")?;
    let change = match iid.as_str() {
        Some(text) => text.parse().ok()?,
        None => iid.as_u64()?,
    };
    let head = node.get("diffHeadSha")?.as_str()?.to_owned();
    let merged_at = time(node.get("mergedAt").and_then(Value::as_str));
    Some(MergedHead {
        change,
        head,
        merged_at,
        reported: reported(node, sources),
    })
}

/// The pipeline and its jobs. No pipeline: nothing reported. A list of jobs
/// that goes on is unknown: the one that matters may stand behind.
fn reported(node: &Value, sources: &[Source]) -> Fact<Vec<ReportedCheck>> {
    let fact = FactKey::BranchCheckHistory.name();
    let hidden = |field: &str| Fact::Unknown(left_out(fact, field, sources));
    let pipeline = match node.get("headPipeline") {
        None => return hidden("headPipeline"),
        Some(Value::Null) => return Fact::seen_in(Vec::new(), sources.to_vec()),
        Some(pipeline) => pipeline,
    };
    let more = pipeline.pointer("/jobs/pageInfo/hasNextPage");
    let jobs = pipeline.pointer("/jobs/nodes").and_then(Value::as_array);
    let (Some(Value::Bool(false)), Some(jobs)) = (more, jobs) else {
        return hidden("jobs");
    };
    let mut names = vec!["pipeline".to_owned()];
    for job in jobs {
        match job.get("name").and_then(Value::as_str) {
            Some(name) => names.push(name.to_owned()),
            None => return hidden("name"),
        }
    }
    names.sort();
    names.dedup();
    let reported = names
        .into_iter()
        .map(|name| ReportedCheck { name, app: None })
        .collect();
    Fact::seen_in(reported, sources.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::transport::GraphqlError;

    fn judged(data: Value, errors: Vec<GraphqlError>, readable: bool) -> Fact<Vec<MergedHead>> {
        let answer = GraphqlAnswer {
            status: 200,
            data: Some(data),
            errors,
            source: Source {
                endpoint: "GraphQL mergedHeads".to_owned(),
                digest: String::new(),
            },
            endpoint: "GraphQL mergedHeads".to_owned(),
        };
        translated(&Ok(answer), readable)
    }

    fn nodes(nodes: &Value) -> Value {
        json!({"project": {"mergeRequests": {"nodes": nodes}}})
    }

    #[test]
    fn a_pipeline_reports_itself_and_its_jobs_and_no_pipeline_reports_nothing() {
        let found = judged(
            nodes(&json!([
                {"iid": "7", "diffHeadSha": "abc", "mergedAt": "2026-05-30T09:00:00Z",
                 "headPipeline": {"status": "SUCCESS", "jobs": {
                    "nodes": [{"name": "test"}, {"name": "lint"}],
                    "pageInfo": {"hasNextPage": false}}}},
                {"iid": "6", "diffHeadSha": "def", "mergedAt": null, "headPipeline": null}
            ])),
            Vec::new(),
            true,
        );
        let found = found.known().unwrap();
        assert_eq!((found[0].change, found[0].head.as_str()), (7, "abc"));
        let names: Vec<_> = found[0]
            .reported
            .known()
            .unwrap()
            .iter()
            .map(|c| c.name.clone())
            .collect();
        assert_eq!(names, ["lint", "pipeline", "test"]);
        assert!(found[1].reported.known().unwrap().is_empty());
        assert_eq!(found[1].merged_at, None);
    }

    #[test]
    fn what_is_left_out_or_goes_on_is_unknown() {
        let found = judged(
            nodes(&json!([
                {"iid": "7", "diffHeadSha": "a"},
                {"iid": "6", "diffHeadSha": "b", "headPipeline": {"jobs": {
                    "nodes": [], "pageInfo": {"hasNextPage": true}}}}
            ])),
            Vec::new(),
            true,
        );
        assert!(
            found
                .known()
                .unwrap()
                .iter()
                .all(|head| !head.reported.is_known())
        );
        let headless = nodes(&json!([{"iid": "7", "diffHeadSha": null}]));
        assert!(!judged(headless, Vec::new(), true).is_known());
    }

    #[test]
    fn an_error_is_never_an_empty_history() {
        let error = |kind: Option<&str>| {
            vec![GraphqlError {
                message: "no such field".to_owned(),
                kind: kind.map(str::to_owned),
                path: Vec::new(),
            }]
        };
        let why = |errors, readable| {
            judged(nodes(&json!([])), errors, readable)
                .known()
                .unwrap_err()
                .why
        };
        assert_eq!(why(error(Some("undefinedField")), true), Why::NotSupported);
        assert_eq!(why(error(None), true), Why::Failed);
        assert_eq!(why(error(None), false), Why::NotPermitted);
        let nothing = judged(json!({"project": null}), Vec::new(), false);
        assert_eq!(nothing.known().unwrap_err().why, Why::NotPermitted);
    }
}
