//! The policy file at the head of a change that touches it. Nothing is judged by
//! it; it is only compared with the policy in force.

use serde_json::json;

use crate::facts::{Fact, PROPOSED_POLICY, PolicyDocument, Unknown};
use crate::platform::access;
use crate::platform::transport::GraphqlAnswer;

use super::graph::{self, Place};
use super::opening::{At, document_in, named};
use super::permissions::CONTENTS;
use super::{Session, queries, wire};

/// Where the answer holds the commit.
const PLACE: [&str; 2] = ["repository", "object"];

/// Asks for the file. The commit is in the repository itself, also where the change
/// comes from a fork: the pull request keeps it there.
pub(super) async fn proposed(
    session: &Session,
    head: &str,
    path: &str,
) -> Fact<Option<PolicyDocument>> {
    let variables = json!({
        "owner": session.owner, "name": session.name, "head": head, "path": path,
    });
    let answer = session
        .change
        .graphql("CcgateProposal", queries::PROPOSAL, variables)
        .await;
    let read = match &answer {
        Ok(answer) => document(answer, head, path).map(|document| (document, answer)),
        Err(refusal) => Err(access::refused(PROPOSED_POLICY, CONTENTS, refusal)),
    };
    match read {
        Ok((document, answer)) => Fact::seen(document, answer.source.clone()),
        Err(unknown) => Fact::Unknown(Unknown {
            fact: PROPOSED_POLICY.to_owned(),
            ..unknown
        }),
    }
}

fn document(
    answer: &GraphqlAnswer,
    head: &str,
    path: &str,
) -> Result<Option<PolicyDocument>, Unknown> {
    let fact = PROPOSED_POLICY;
    let target: wire::Target = match graph::place(answer, &PLACE, fact, CONTENTS) {
        Place::There(value) => graph::read(&value, answer, fact)?,
        Place::Empty => return Err(graph::empty(answer, fact, CONTENTS, "such commit")),
        Place::Refused(unknown) => return Err(unknown),
    };
    if let Some(unknown) = graph::errors_below(answer, &PLACE, fact, CONTENTS) {
        return Err(unknown);
    }
    if target.oid.as_deref() != Some(head) {
        return Err(access::malformed(
            fact,
            &answer.endpoint,
            answer.status,
            "the file is of another commit than the change's head",
        ));
    }
    let absent = named(answer, &PLACE, &["file"]);
    let at = At {
        file: path,
        name: head,
        fact,
    };
    document_in(answer, target, absent, &at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Source;
    use serde_json::Value;

    fn read(object: &Value) -> Result<Option<PolicyDocument>, Unknown> {
        let answer = GraphqlAnswer {
            data: Some(json!({"repository": {"object": object}})),
            errors: Vec::new(),
            source: Source {
                endpoint: "POST /graphql#CcgateProposal".to_owned(),
                digest: String::new(),
            },
            endpoint: "POST /graphql#CcgateProposal".to_owned(),
            status: 200,
        };
        document(&answer, "f1", ".ccgate.yml")
    }

    fn file(object: &Value) -> Value {
        json!({"__typename": "Commit", "oid": "f1", "file": {"object": object}})
    }

    #[test]
    fn the_file_at_the_head_comes_with_that_commit() {
        let blob = json!({"__typename": "Blob", "text": "version: 1", "isTruncated": false, "isBinary": false});
        let found = read(&file(&blob)).unwrap().unwrap();
        assert_eq!(found.origin, ".ccgate.yml@f1");
        assert_eq!(found.commit.as_deref(), Some("f1"));
        assert_eq!(found.text, "version: 1");
    }

    #[test]
    fn a_head_without_the_file_has_none_and_one_that_is_not_told_is_unknown() {
        assert_eq!(
            read(&json!({"__typename": "Commit", "oid": "f1", "file": null})),
            Ok(None)
        );
        for object in [
            Value::Null,
            json!({"__typename": "Commit", "oid": "f1"}),
            json!({"__typename": "Commit", "oid": "f2", "file": null}),
            json!({"__typename": "Commit", "file": null}),
            file(&json!({"__typename": "Blob", "text": "v", "isTruncated": true})),
            file(
                &json!({"__typename": "Blob", "text": null, "isTruncated": false, "isBinary": true}),
            ),
            file(&json!({"__typename": "Tree"})),
        ] {
            assert!(read(&object).is_err(), "{object}");
        }
    }
}
