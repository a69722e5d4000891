//! The newest review of access: a file at the tip of the default branch, where
//! the branch's own rules keep it. Says nothing about whether it is right.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{AccessReview, Fact, FactKey, PolicyDocument};
use crate::platform::access;
use crate::platform::transport::GraphqlAnswer;

use super::super::opening;
use super::document::Part;
use super::owner_side::Asker;

const KEY: FactKey = FactKey::OrganizationReview;

/// Where the review is kept.
const PATH: &str = ".ccgate/access-review.json";

/// Where the file hangs in the answer.
const PLACE: [&str; 2] = ["repository", "review"];

#[derive(Debug, Deserialize)]
struct Written {
    reviewed_at: Timestamp,
    reviewed_by: String,
    members: Vec<String>,
}

/// What is asked: the file at the tip of the default branch.
pub(super) fn fields() -> String {
    format!(
        "    review: defaultBranchRef {{
      name
      target {{ __typename oid ... on Commit {{ file(path: \"{PATH}\") {{ object {{ __typename ... on Blob {{ text isTruncated isBinary }} }} }} }} }}
    }}
"
    )
}

/// Asks for the file.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<Option<AccessReview>> {
    match asker.shared.document.answer(Part::AccessReview).await {
        Ok(answer) => review(answer),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn review(answer: &GraphqlAnswer) -> Fact<Option<AccessReview>> {
    match opening::policy(answer, &PLACE, PATH, KEY.name()) {
        Fact::Known {
            value: None,
            sources,
        } => Fact::seen_in(None, sources),
        Fact::Known {
            value: Some(document),
            sources,
        } => match written(&document) {
            Ok(review) => Fact::seen_in(Some(review), sources),
            Err(detail) => Fact::Unknown(access::malformed(
                KEY.name(),
                &answer.endpoint,
                answer.status,
                &detail,
            )),
        },
        Fact::Unknown(unknown) => Fact::Unknown(unknown),
    }
}

fn written(document: &PolicyDocument) -> Result<AccessReview, String> {
    let written: Written = serde_json::from_str(&document.text)
        .map_err(|error| format!("`{PATH}` cannot be read as a review of access: {error}"))?;
    if written.reviewed_by.trim().is_empty() {
        return Err(format!("`{PATH}` does not say who did the review"));
    }
    Ok(AccessReview {
        path: PATH.to_owned(),
        digest: document.digest.clone(),
        reviewed_at: written.reviewed_at,
        reviewed_by: written.reviewed_by,
        members: written.members,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::answer;
    use super::*;
    use crate::facts::Why;

    fn with(file: &Value) -> Fact<Option<AccessReview>> {
        review(&answer(&json!({"data": {"repository": {"review": {
            "name": "main", "target": {"__typename": "Commit", "oid": "aa", "file": file}}}}})))
    }

    fn file(text: &str) -> Value {
        json!({"object": {"__typename": "Blob", "text": text, "isTruncated": false, "isBinary": false}})
    }

    #[test]
    fn a_review_is_read_with_its_date_and_its_people() {
        let seen = with(&file(
            r#"{"reviewed_at": "2026-03-01T10:00:00Z", "reviewed_by": "ana", "members": ["ana", "bob"]}"#,
        ));
        let review = seen.known().unwrap().clone().unwrap();
        assert_eq!(review.members, ["ana", "bob"]);
        assert!(review.digest.starts_with("sha256:"));
    }

    #[test]
    fn no_file_is_known_to_be_none() {
        assert_eq!(with(&json!(null)).known(), Ok(&None));
    }

    #[test]
    fn a_file_that_is_no_review_is_unknown() {
        for text in [
            "",
            "{}",
            r#"{"reviewed_at": "soon", "reviewed_by": "ana", "members": []}"#,
            r#"{"reviewed_at": "2026-03-01T10:00:00Z", "reviewed_by": " ", "members": []}"#,
            r#"{"reviewed_at": "2026-03-01T10:00:00Z", "reviewed_by": "ana"}"#,
        ] {
            assert_eq!(with(&file(text)).known().unwrap_err().why, Why::Failed);
        }
    }

    #[test]
    fn a_branch_that_is_not_shown_is_not_a_branch_without_a_review() {
        let hidden = review(&answer(&json!({"data": {"repository": {"review": null}}})));
        assert_eq!(hidden.known().unwrap_err().why, Why::HiddenOrAbsent);
    }
}
