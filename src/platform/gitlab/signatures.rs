//! Signatures of the commits of a merge request. REST tells them one request at a
//! time, GraphQL a hundred.

use serde_json::{Value, json};

use crate::facts::{CommitSignature, Fact, FactKey, SignatureState, Source, Unknown, Why};

use super::super::access;
use super::people::account;
use super::wire::User;
use super::{Session, permissions};

/// Pages of a hundred commits that are read; a larger change stays unknown.
const MOST_PAGES: usize = 5;

const QUERY: &str = "query signatures($project: ID!, $iid: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      commits(first: 100, after: $after) {
        nodes {
          sha
          signature {
            verificationStatus
            ... on GpgSignature { user { username bot } }
            ... on SshSignature { user { username bot } }
            ... on X509Signature { user { username bot } }
          }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}";

/// One for each commit of the change.
pub(super) async fn collect(session: &Session, number: u64) -> Fact<Vec<CommitSignature>> {
    let fact = FactKey::ChangeSignatures.name();
    let mut list = Vec::new();
    let mut sources = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let variables = json!({
            "project": session.setup.place.repository,
            "iid": number.to_string(),
            "after": after,
        });
        let answer = match session
            .settings
            .graphql("signatures", QUERY, variables)
            .await
        {
            Ok(answer) => answer,
            Err(no_answer) => {
                return Fact::Unknown(access::refused(fact, permissions::CHANGE, &no_answer));
            }
        };
        if let Some(error) = answer.errors.first() {
            return Fact::Unknown(
                Unknown::new(fact, Why::Failed, error.message.clone())
                    .needs(permissions::CHANGE)
                    .at(answer.endpoint, Some(answer.status)),
            );
        }
        let connection = answer
            .data
            .as_ref()
            .and_then(|data| data.pointer("/project/mergeRequest/commits"));
        match page(connection, &answer.source) {
            Ok((more, next)) => {
                list.extend(more);
                sources.push(answer.source);
                after = next;
            }
            Err(detail) => {
                return Fact::Unknown(
                    Unknown::new(fact, Why::HiddenOrAbsent, detail)
                        .needs(permissions::CHANGE)
                        .at(answer.endpoint, Some(answer.status)),
                );
            }
        }
        if after.is_none() {
            return Fact::seen_in(list, sources);
        }
    }
    Fact::Unknown(Unknown::new(
        fact,
        Why::NotSupported,
        format!("the change has more than {} commits", MOST_PAGES * 100),
    ))
}

type Page = (Vec<CommitSignature>, Option<String>);

fn page(connection: Option<&Value>, source: &Source) -> Result<Page, &'static str> {
    let connection = connection.ok_or("GitLab shows this token no commits of the change")?;
    let nodes = connection
        .get("nodes")
        .and_then(Value::as_array)
        .ok_or("the list of commits has no entries")?;
    let list = nodes
        .iter()
        .map(|node| one(node, source))
        .collect::<Option<Vec<_>>>()
        .ok_or("a commit does not say whether it is signed")?;
    let info = connection.get("pageInfo");
    let next = match info.and_then(|info| info.get("hasNextPage")?.as_bool()) {
        Some(false) => None,
        Some(true) => Some(
            info.and_then(|info| info.get("endCursor")?.as_str())
                .ok_or("the list of commits has no way to its next page")?
                .to_owned(),
        ),
        None => return Err("the list of commits says nothing about its pages"),
    };
    Ok((list, next))
}

/// Null is a commit without a signature; a field that is missing is none.
fn one(node: &Value, source: &Source) -> Option<CommitSignature> {
    let sha = node.get("sha")?.as_str()?.to_owned();
    let told = node.get("signature")?;
    if told.is_null() {
        return Some(CommitSignature {
            sha,
            state: SignatureState::Unsigned,
            signer: Fact::seen(None, source.clone()),
            by_platform: Fact::seen(false, source.clone()),
        });
    }
    let word = told.get("verificationStatus")?.as_str()?;
    // A commit made in GitLab's pages, signed with GitLab's own key.
    let by_platform = word == "VERIFIED_SYSTEM";
    let signer = match told.get("user") {
        Some(user) => {
            let user: Option<User> = serde_json::from_value(user.clone()).ok()?;
            Fact::seen(user.as_ref().and_then(account), source.clone())
        }
        None => Fact::Unknown(Unknown::new(
            FactKey::ChangeSignatures.name(),
            Why::HiddenOrAbsent,
            "GitLab does not say whose key it is",
        )),
    };
    Some(CommitSignature {
        sha,
        state: if by_platform || word == "VERIFIED" {
            SignatureState::Verified
        } else {
            SignatureState::Unverified(word.to_lowercase())
        },
        signer,
        by_platform: Fact::seen(by_platform, source.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Account;

    fn source() -> Source {
        Source {
            endpoint: "POST /graphql#signatures".to_owned(),
            digest: String::new(),
        }
    }

    fn of(signature: &Value) -> Option<CommitSignature> {
        one(&json!({"sha": "aa", "signature": signature}), &source())
    }

    #[test]
    fn only_the_two_words_for_it_are_verified_and_one_of_them_is_gitlab_itself() {
        let signed = |word: &str| {
            of(&json!({"verificationStatus": word, "user": {"username": "ana"}})).unwrap()
        };
        let own = signed("VERIFIED");
        assert_eq!(own.state, SignatureState::Verified);
        assert_eq!(own.by_platform.known(), Ok(&false));
        assert_eq!(own.signer.known(), Ok(&Some(Account::human("ana"))));
        assert_eq!(signed("VERIFIED_SYSTEM").by_platform.known(), Ok(&true));
        for word in [
            "UNVERIFIED",
            "UNVERIFIED_KEY",
            "SAME_USER_DIFFERENT_EMAIL",
            "NEW",
        ] {
            assert!(
                matches!(signed(word).state, SignatureState::Unverified(_)),
                "{word}"
            );
        }
    }

    #[test]
    fn null_is_unsigned_and_a_missing_field_is_an_error() {
        assert_eq!(of(&Value::Null).unwrap().state, SignatureState::Unsigned);
        assert!(one(&json!({"sha": "aa"}), &source()).is_none());
        assert!(of(&json!({})).is_none());
        let nameless = of(&json!({"verificationStatus": "VERIFIED"})).unwrap();
        assert!(!nameless.signer.is_known());
    }

    #[test]
    fn a_list_that_does_not_say_whether_it_ends_is_an_error() {
        let of = |info: Value| {
            let list = json!({"nodes": [{"sha": "aa", "signature": null}], "pageInfo": info});
            page(Some(&list), &source()).map(|(_, next)| next)
        };
        assert_eq!(of(json!({"hasNextPage": false})), Ok(None));
        assert_eq!(
            of(json!({"hasNextPage": true, "endCursor": "x"})),
            Ok(Some("x".to_owned()))
        );
        assert!(of(json!({"hasNextPage": true})).is_err());
        assert!(of(json!({})).is_err());
        assert!(page(None, &source()).is_err());
    }
}
