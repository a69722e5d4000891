//! The last review of who has access: a file on the default branch, so that it
//! stands under the same rules as code. Reads it, and does not judge it.

use serde::Deserialize;

use crate::facts::{AccessReview, Fact, FactKey, PolicyDocument, Unknown};

use super::super::super::access::malformed;
use super::super::Session;
use super::super::open::{DEFAULT_TIP, document, file};
use super::super::wire::day;

/// Where the review of access is kept, as on every platform.
const REVIEW: &str = ".ccgate/access-review.json";

/// Group `organization.review`: a file at the tip of the default branch.
pub(super) async fn review(
    session: &Session,
    default_branch: &Fact<String>,
) -> Fact<Option<AccessReview>> {
    let name = FactKey::OrganizationReview.name();
    let branch = default_branch.known().ok().map(String::as_str);
    let readable = session.opened.project.is_ok() || session.opened.merge_request.is_ok();
    match file(session, Some(REVIEW), Some(DEFAULT_TIP.to_owned())).await {
        Some(reply) => reviewed(document(
            name,
            REVIEW,
            branch.unwrap_or(DEFAULT_TIP),
            &reply,
            readable,
        )),
        None => Fact::Unknown(Unknown::not_collected(name)),
    }
}

#[derive(Deserialize)]
struct WireReview {
    reviewed_at: Option<String>,
    reviewed_by: Option<String>,
    members: Option<Vec<String>>,
}

fn reviewed(document: Fact<Option<PolicyDocument>>) -> Fact<Option<AccessReview>> {
    let name = FactKey::OrganizationReview.name();
    let (document, sources) = match document {
        Fact::Known { value, sources } => (value, sources),
        Fact::Unknown(unknown) => return Fact::Unknown(unknown),
    };
    let Some(document) = document else {
        return Fact::seen_in(None, sources);
    };
    let odd = |detail: &str| {
        let endpoint = sources
            .first()
            .map_or("", |source| source.endpoint.as_str());
        Fact::Unknown(malformed(
            name,
            endpoint,
            200,
            &format!("`{REVIEW}` {detail}"),
        ))
    };
    let review: WireReview = match serde_json::from_str(&document.text) {
        Ok(review) => review,
        Err(error) => return odd(&format!("is not the JSON that is wanted: {error}")),
    };
    match (
        day(review.reviewed_at.as_deref()),
        review.reviewed_by.filter(|by| !by.trim().is_empty()),
        review.members,
    ) {
        (Some(reviewed_at), Some(reviewed_by), Some(members)) => Fact::seen_in(
            Some(AccessReview {
                path: REVIEW.to_owned(),
                digest: document.digest,
                reviewed_at,
                reviewed_by,
                members,
            }),
            sources,
        ),
        (None, _, _) => odd("has no date in `reviewed_at`"),
        (_, None, _) => odd("has no name in `reviewed_by`"),
        (_, _, None) => odd("has no list in `members`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Why;

    #[test]
    fn a_review_is_read_and_one_that_is_not_as_wanted_is_unknown() {
        let of = |text: &str| {
            reviewed(Fact::known_without_source(Some(PolicyDocument {
                origin: REVIEW.to_owned(),
                commit: None,
                digest: "sha256:0".to_owned(),
                text: text.to_owned(),
            })))
        };
        let good =
            of(r#"{"reviewed_at":"2026-05-01","reviewed_by":"ana","members":["ana","ben"]}"#);
        let review = good.known().unwrap().as_ref().unwrap();
        assert_eq!(
            (review.reviewed_by.as_str(), review.members.len()),
            ("ana", 2)
        );
        for bad in [
            "",
            "[]",
            r#"{"reviewed_at":"soon","reviewed_by":"ana","members":[]}"#,
            r#"{"reviewed_at":"2026-05-01","reviewed_by":" ","members":[]}"#,
            r#"{"reviewed_at":"2026-05-01","reviewed_by":"ana"}"#,
        ] {
            assert!(!of(bad).is_known(), "{bad}");
        }
        assert_eq!(
            reviewed(Fact::known_without_source(None)).known(),
            Ok(&None)
        );
        let unknown = Fact::Unknown(Unknown::new("x", Why::HiddenOrAbsent, "404"));
        assert!(!reviewed(unknown).is_known());
    }
}
