//! The first answer: which pull request, which branches, which policy, which
//! rulesets. Translates only.

use serde_json::Value;
use sha2::Digest as _;

use crate::facts::{ChangeState, Fact, FactKey, Identity, PolicyDocument, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::GraphqlAnswer;

use super::graph::{self, Place};
use super::permissions::{self, CONTENTS};
use super::wire;

/// What decides which questions about settings make sense. `None`: not told, so
/// a question is asked rather than left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    /// Whether an organisation stands above the repository.
    pub(super) in_organization: Option<bool>,
    /// Whether everybody can read it.
    pub(super) public: Option<bool>,
    /// The names of its environments, all of them.
    pub(super) environments: Option<Vec<String>>,
}

/// What the first answer tells about the repository itself.
pub(super) fn about(answer: &GraphqlAnswer) -> About {
    let repository = answer.data.as_ref().and_then(|data| data.get("repository"));
    let value = |name: &str| repository.and_then(|inner| inner.get(name));
    About {
        in_organization: value("isInOrganization").and_then(Value::as_bool),
        public: match value("visibility").and_then(Value::as_str) {
            Some("PUBLIC") => Some(true),
            Some("PRIVATE" | "INTERNAL") => Some(false),
            Some(_) | None => None,
        },
        environments: value("environments").and_then(environments),
    }
}

/// All names, if the list was given whole.
fn environments(value: &Value) -> Option<Vec<String>> {
    let list: wire::Nodes<wire::Named> = serde_json::from_value(value.clone()).ok()?;
    let whole = list.page_info.as_ref()?.has_next_page == Some(false);
    let nodes = list.nodes.filter(|_| whole)?;
    nodes.into_iter().map(|node| node?.name).collect()
}

/// The rulesets of the repository and above; `None` if the list is not complete.
pub(super) fn rulesets(answer: &GraphqlAnswer) -> Option<Vec<wire::RulesetHead>> {
    let value = answer.data.as_ref()?.get("repository")?.get("rulesets")?;
    let list: wire::Nodes<wire::RulesetHead> = serde_json::from_value(value.clone()).ok()?;
    let complete = list
        .page_info
        .as_ref()
        .and_then(|page| page.has_next_page)
        .is_some_and(|more| !more)
        && list
            .nodes
            .as_ref()
            .is_some_and(|nodes| nodes.iter().all(Option::is_some));
    complete.then(|| list.present().cloned().collect())
}

/// Whether there is any release.
pub(super) fn releases(answer: &GraphqlAnswer) -> Fact<bool> {
    let fact = FactKey::RepositoryReleases.name();
    let path = ["repository", "releases", "totalCount"];
    match graph::place(answer, &path, fact, CONTENTS) {
        Place::Refused(unknown) => Fact::Unknown(unknown),
        Place::There(value) if graph::errors_below(answer, &path, fact, CONTENTS).is_none() => {
            match value.as_u64() {
                Some(count) => Fact::seen(count > 0, answer.source.clone()),
                None => Fact::Unknown(graph::empty(answer, fact, CONTENTS, "count of releases")),
            }
        }
        Place::There(_) | Place::Empty => {
            Fact::Unknown(graph::empty(answer, fact, CONTENTS, "count of releases"))
        }
    }
}

/// The branch at one place of the answer, or why it is missing.
pub(super) fn branch(answer: &GraphqlAnswer, path: &[&str]) -> Result<wire::Ref, Unknown> {
    let fact = "repository.branch";
    match graph::place(answer, path, fact, CONTENTS) {
        Place::There(value) => graph::read(&value, answer, fact),
        Place::Empty => Err(graph::empty(answer, fact, CONTENTS, "such branch")),
        Place::Refused(unknown) => Err(unknown),
    }
}

/// The commit at the tip of the branch at one place, if it is told.
pub(super) fn tip(answer: &GraphqlAnswer, path: &[&str]) -> Option<String> {
    branch(answer, path).ok()?.target?.oid
}

/// Whether it was seen that the branch looked at has no classic protection. Two fields
/// have to say so: one is empty for people who may not see it, the other shows them
/// what they may.
pub(super) fn unguarded(answer: &GraphqlAnswer) -> bool {
    ["refUpdateRule", "branchProtectionRule"]
        .iter()
        .all(|field| {
            let place = ["repository", "guard", field];
            graph::errors_below(answer, &place, "branch.rules", CONTENTS).is_none()
                && named(answer, &place, &[])
        })
}

/// The name of the branch at one place.
pub(super) fn branch_name(answer: &GraphqlAnswer, path: &[&str], fact: &str) -> Fact<String> {
    match branch(answer, path) {
        Ok(wire::Ref {
            name: Some(name), ..
        }) => Fact::seen(name, answer.source.clone()),
        Ok(_) => Fact::Unknown(graph::empty(answer, fact, CONTENTS, "name of the branch")),
        Err(mut unknown) => {
            fact.clone_into(&mut unknown.fact);
            Fact::Unknown(unknown)
        }
    }
}

/// The policy file at the tip of the branch at one place. Known `None`: the tip
/// was read and has no such file.
pub(super) fn policy(
    answer: &GraphqlAnswer,
    path: &[&str],
    file: &str,
    fact: &str,
) -> Fact<Option<PolicyDocument>> {
    match policy_document(answer, path, file, fact) {
        Ok(document) => Fact::seen(document, answer.source.clone()),
        Err(mut unknown) => {
            fact.clone_into(&mut unknown.fact);
            Fact::Unknown(unknown)
        }
    }
}

fn policy_document(
    answer: &GraphqlAnswer,
    path: &[&str],
    file: &str,
    fact: &str,
) -> Result<Option<PolicyDocument>, Unknown> {
    let tip = branch(answer, path)?;
    if let Some(unknown) = graph::errors_below(answer, path, fact, CONTENTS) {
        return Err(unknown);
    }
    let (Some(name), Some(target)) = (tip.name, tip.target) else {
        return Err(graph::empty(answer, fact, CONTENTS, "tip of the branch"));
    };
    let absent = named(answer, path, &["target", "file"]);
    document_in(
        answer,
        target,
        absent,
        &At {
            file,
            name: &name,
            fact,
        },
    )
}

/// Where a file of the policy is looked for.
pub(super) struct At<'a> {
    pub(super) file: &'a str,
    /// The branch, or the commit where none is meant.
    pub(super) name: &'a str,
    /// What it is called where it cannot be read.
    pub(super) fact: &'a str,
}

/// The file in a commit; `absent` says that the answer says that there is none.
pub(super) fn document_in(
    answer: &GraphqlAnswer,
    target: wire::Target,
    absent: bool,
    At { file, name, fact }: &At<'_>,
) -> Result<Option<PolicyDocument>, Unknown> {
    let Some(commit) = target.oid else {
        return Err(graph::empty(
            answer,
            fact,
            CONTENTS,
            "commit at the tip of the branch",
        ));
    };
    let Some(entry) = target.file else {
        // `file` is null where the tip has no such path. It has to be null, not left out.
        return if absent {
            Ok(None)
        } else {
            Err(graph::empty(answer, fact, CONTENTS, "policy file"))
        };
    };
    let blob = entry.object.unwrap_or_default();
    let unusable = |detail: &str| {
        access::malformed(
            fact,
            &answer.endpoint,
            answer.status,
            &format!("`{file}` on branch `{name}` {detail}"),
        )
    };
    if blob.kind.as_deref() == Some("Tree") {
        return Err(unusable("is a directory, not a file"));
    }
    if blob.is_binary == Some(true) {
        return Err(unusable("is a binary file"));
    }
    if blob.is_truncated != Some(false) {
        return Err(unusable("was not sent as a whole"));
    }
    let Some(text) = blob.text else {
        return Err(unusable("came without its text"));
    };
    Ok(Some(PolicyDocument {
        origin: format!("{file}@{name}"),
        commit: Some(commit),
        digest: format!("sha256:{}", hex::encode(sha2::Sha256::digest(&text))),
        text,
    }))
}

pub(super) fn named(answer: &GraphqlAnswer, path: &[&str], further: &[&str]) -> bool {
    let mut value = answer.data.as_ref();
    for step in path.iter().chain(further) {
        value = value.and_then(|inner| inner.get(step));
    }
    value.is_some_and(Value::is_null)
}

/// The pull request that was asked for by number.
pub(super) fn pull(answer: &GraphqlAnswer) -> Result<wire::Pull, Unknown> {
    pull_at(answer, &["repository", "pullRequest"])
}

/// The pull request that stands at one place.
pub(super) fn pull_at(answer: &GraphqlAnswer, path: &[&str; 2]) -> Result<wire::Pull, Unknown> {
    let fact = FactKey::ChangeIdentity.name();
    let needs = permissions::needs(FactKey::ChangeIdentity);
    match graph::place(answer, path, fact, needs) {
        Place::There(value) => {
            // Null is an account that is gone; a name left out or refused is
            // somebody who may be among the approvers.
            let author = [path[0], path[1], "author"];
            if let Some(unknown) = graph::errors_below(answer, &author, fact, needs) {
                return Err(unknown);
            }
            if value.get("author").is_none() {
                return Err(graph::empty(
                    answer,
                    fact,
                    needs,
                    "author of the pull request",
                ));
            }
            graph::read(&value, answer, fact)
        }
        Place::Empty => Err(graph::empty(answer, fact, needs, "such pull request")),
        Place::Refused(unknown) => Err(unknown),
    }
}

/// What the pull request says about itself.
pub(super) fn identity(
    pull: &wire::Pull,
    answer: &GraphqlAnswer,
    repository: &str,
) -> Fact<Identity> {
    match identity_of(pull, repository) {
        Some(identity) => Fact::seen(identity, answer.source.clone()),
        None => Fact::Unknown(
            Unknown::new(
                FactKey::ChangeIdentity.name(),
                Why::Failed,
                "the answer leaves out the number, the author's name, the head, the branches, the labels, the state or the draft mark",
            )
            .at(answer.endpoint.clone(), Some(answer.status)),
        ),
    }
}

fn identity_of(pull: &wire::Pull, repository: &str) -> Option<Identity> {
    Some(Identity {
        number: pull.number?,
        title: pull.title.clone()?,
        body: pull.body.clone().unwrap_or_default(),
        // Null: the account is gone. One without a name may be anybody.
        author: match &pull.author {
            Some(author) => Some(author.account()?),
            None => None,
        },
        source_branch: pull.head_ref_name.clone()?,
        target_branch: pull.base_ref_name.clone()?,
        head: pull.head_ref_oid.clone()?,
        state: match pull.state.as_deref()? {
            "OPEN" => ChangeState::Open,
            "MERGED" => ChangeState::Merged,
            "CLOSED" => ChangeState::Closed,
            other => ChangeState::Other(other.to_owned()),
        },
        draft: pull.is_draft?,
        from_fork: pull.is_cross_repository?,
        labels: pull
            .labels
            .as_ref()?
            .nodes
            .as_ref()?
            .iter()
            .map(|label| label.as_ref()?.name.clone())
            .collect::<Option<_>>()?,
        linked_issues: pull
            .closing_issues_references
            .iter()
            .flat_map(wire::Nodes::present)
            .filter_map(|issue| linked(issue, repository))
            .collect(),
        opened_at: pull.created_at,
        merged_at: pull.merged_at,
        merged_by: pull.merged_by.as_ref().and_then(wire::Actor::account),
        merge_commit: pull
            .merge_commit
            .as_ref()
            .and_then(|commit| commit.oid.clone()),
    })
}

/// The commit that the platform made of the target and this head to test them together.
/// One of another head, or one that does not tell of which, is left out: an analysis that
/// names it is then taken for one of another commit.
pub(super) fn test_merge(pull: &wire::Pull) -> Option<String> {
    let made = pull.potential_merge_commit.as_ref()?;
    let parents = made.parents.as_ref()?.nodes.as_ref()?;
    let [Some(_), Some(second)] = parents.as_slice() else {
        return None;
    };
    let of_head = second.oid.is_some() && second.oid == pull.head_ref_oid;
    made.oid.clone().filter(|_| of_head)
}

/// `#3`, or `owner/name#3` for an issue of another repository.
fn linked(issue: &wire::Issue, repository: &str) -> Option<String> {
    let number = issue.number?;
    let home = issue
        .repository
        .as_ref()
        .and_then(|home| home.name_with_owner.as_deref())
        .unwrap_or(repository);
    Some(if home.eq_ignore_ascii_case(repository) {
        format!("#{number}")
    } else {
        format!("{home}#{number}")
    })
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::answer;
    use super::*;
    use serde_json::json;

    const TARGET: &[&str] = &["repository", "pullRequest", "baseRef"];

    fn with_file(file: &Value) -> Fact<Option<PolicyDocument>> {
        let body = json!({"data": {"repository": {"pullRequest": {"baseRef": {
            "name": "main", "target": {"oid": "aa", "file": file}}}}}});
        policy(&answer(&body), TARGET, ".ccgate.yml", "policy.target")
    }

    #[test]
    fn the_policy_comes_with_its_branch_commit_and_digest() {
        let fact = with_file(
            &json!({"object": {"__typename": "Blob", "text": "version: 1\n", "isTruncated": false, "isBinary": false}}),
        );
        let document = fact.known().unwrap().clone().unwrap();
        assert_eq!(document.origin, ".ccgate.yml@main");
        assert_eq!(document.commit.as_deref(), Some("aa"));
        assert!(document.digest.starts_with("sha256:") && document.digest.len() == 71);
    }

    #[test]
    fn a_tip_without_the_file_is_known_to_have_none() {
        assert_eq!(with_file(&Value::Null).known(), Ok(&None));
    }

    #[test]
    fn a_forbidden_file_is_unknown_and_never_absent() {
        let body = json!({"data": {"repository": {"pullRequest": {"baseRef": {"name": "main", "target": {"oid": "aa", "file": null}}}}},
            "errors": [{"type": "FORBIDDEN", "path": ["repository", "pullRequest", "baseRef", "target", "file"], "message": "Resource not accessible by integration"}]});
        let fact = policy(&answer(&body), TARGET, ".ccgate.yml", "policy.target");
        assert_eq!(fact.known().unwrap_err().why, Why::NotPermitted);
    }

    #[test]
    fn a_file_that_the_answer_leaves_out_is_unknown() {
        let body = json!({"data": {"repository": {"pullRequest": {"baseRef": {"name": "main", "target": {"oid": "aa"}}}}}});
        assert!(!policy(&answer(&body), TARGET, ".ccgate.yml", "policy.target").is_known());
    }

    #[test]
    fn a_truncated_or_binary_policy_is_unknown() {
        for blob in [
            json!({"__typename": "Blob", "text": "version", "isTruncated": true, "isBinary": false}),
            json!({"__typename": "Blob", "text": null, "isTruncated": false, "isBinary": true}),
            json!({"__typename": "Blob", "text": "version"}),
            json!({"__typename": "Tree"}),
        ] {
            assert!(!with_file(&json!({ "object": blob })).is_known());
        }
    }

    #[test]
    fn an_author_who_is_left_out_or_refused_is_not_an_account_that_is_gone() {
        let gone = json!({"data": {"repository": {"pullRequest": {"number": 7, "author": null}}}});
        assert!(pull(&answer(&gone)).is_ok());
        let left_out = json!({"data": {"repository": {"pullRequest": {"number": 7}}}});
        assert!(pull(&answer(&left_out)).is_err());
        for path in [json!([]), json!(["repository", "pullRequest", "author"])] {
            let mut refused = gone.clone();
            refused["errors"] = json!([{"type": "FORBIDDEN", "path": path, "message": "no"}]);
            assert!(pull(&answer(&refused)).is_err(), "{path}");
        }
    }

    #[test]
    fn an_author_without_a_name_or_labels_that_are_left_out_leave_the_change_unknown() {
        let whole = json!({"data": {"repository": {"pullRequest": {
            "number": 7, "title": "t", "state": "OPEN", "isDraft": false, "isCrossRepository": false,
            "author": {"__typename": "User", "login": "ana"}, "labels": {"nodes": [{"name": "a"}]},
            "headRefName": "f", "headRefOid": "bb", "baseRefName": "main"}}}});
        let read = |body: &serde_json::Value| {
            let answer = answer(body);
            identity(&pull(&answer).unwrap(), &answer, "acme/app").is_known()
        };
        assert!(read(&whole));
        for (path, hole) in [
            ("/data/repository/pullRequest/author/login", json!(null)),
            ("/data/repository/pullRequest/labels", json!(null)),
            ("/data/repository/pullRequest/labels/nodes", json!(null)),
            ("/data/repository/pullRequest/labels/nodes/0", json!(null)),
        ] {
            let mut with_hole = whole.clone();
            *with_hole.pointer_mut(path).unwrap() = hole;
            assert!(!read(&with_hole), "{path}");
        }
    }

    #[test]
    fn an_unknown_state_word_is_kept_and_a_bot_keeps_its_suffix() {
        let body = json!({"data": {"repository": {"pullRequest": {
            "number": 7, "title": "t", "state": "QUEUED", "isDraft": false, "isCrossRepository": false, "labels": {"nodes": []},
            "author": {"__typename": "Bot", "login": "dependabot"},
            "headRefName": "f", "headRefOid": "bb", "baseRefName": "main",
            "closingIssuesReferences": {"nodes": [{"number": 3, "repository": {"nameWithOwner": "Acme/App"}}, {"number": 4, "repository": {"nameWithOwner": "acme/other"}}, null]}}}}});
        let answer = answer(&body);
        let fact = identity(&pull(&answer).unwrap(), &answer, "acme/app");
        let identity = fact.known().unwrap();
        assert_eq!(identity.state, ChangeState::Other("QUEUED".to_owned()));
        assert_eq!(identity.author.as_ref().unwrap().login, "dependabot[bot]");
        assert_eq!(identity.linked_issues, ["#3", "acme/other#4"]);
    }

    #[test]
    fn a_pull_request_without_its_head_is_unknown() {
        let body = json!({"data": {"repository": {"pullRequest": {"number": 7, "title": "t", "author": null}}}});
        let answer = answer(&body);
        assert!(!identity(&pull(&answer).unwrap(), &answer, "acme/app").is_known());
    }

    /// The cheat: a test merge that is left over from another head.
    #[test]
    fn a_test_merge_counts_only_where_this_head_is_its_second_parent() {
        let made = |parents: Value| {
            let pull = json!({"headRefOid": "bb", "potentialMergeCommit": {"oid": "ee", "parents": parents}});
            test_merge(&serde_json::from_value(pull).unwrap())
        };
        let of = |nodes: Value| made(json!({ "nodes": nodes }));
        assert_eq!(
            of(json!([{"oid": "aa"}, {"oid": "bb"}])).as_deref(),
            Some("ee")
        );
        for other in [
            json!([{"oid": "bb"}, {"oid": "aa"}]),
            json!([{"oid": "bb"}]),
            json!([null, {"oid": "bb"}]),
            json!([{"oid": "aa"}, null]),
            json!([{"oid": "aa"}, {}]),
            json!([]),
            json!(null),
        ] {
            assert_eq!(of(other.clone()), None, "{other}");
        }
        assert_eq!(made(json!(null)), None);
        let headless = json!({"potentialMergeCommit": {"oid": "ee", "parents": {"nodes": [{"oid": "aa"}, {"oid": null}]}}});
        assert_eq!(test_merge(&serde_json::from_value(headless).unwrap()), None);
    }

    #[test]
    fn releases_are_counted_and_a_count_that_is_hidden_is_unknown() {
        let told = |body: &Value| releases(&answer(body)).known().ok().copied();
        let count =
            |count: Value| json!({"data": {"repository": {"releases": {"totalCount": count}}}});
        assert_eq!(told(&count(json!(2))), Some(true));
        assert_eq!(told(&count(json!(0))), Some(false));
        assert_eq!(told(&count(Value::Null)), None);
        assert_eq!(
            told(&json!({"data": {"repository": {"releases": null}}})),
            None
        );
        let mut limited = count(json!(0));
        limited["errors"] = json!([{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "no"}]);
        assert_eq!(told(&limited), None);
    }

    #[test]
    fn a_ruleset_list_that_is_cut_off_is_not_a_list() {
        let list = |more: bool| json!({"data": {"repository": {"rulesets": {"pageInfo": {"hasNextPage": more}, "nodes": [{"databaseId": 1}]}}}});
        assert!(rulesets(&answer(&list(false))).is_some());
        assert!(rulesets(&answer(&list(true))).is_none());
        assert!(
            rulesets(&answer(
                &json!({"data": {"repository": {"rulesets": null}}})
            ))
            .is_none()
        );
    }

    #[test]
    fn a_visibility_or_an_owner_that_is_not_told_is_left_open() {
        let told = |repository: Value| about(&answer(&json!({"data": {"repository": repository}})));
        let seen = told(json!({"visibility": "INTERNAL", "isInOrganization": true}));
        assert_eq!(
            (seen.public, seen.in_organization),
            (Some(false), Some(true))
        );
        assert_eq!(told(json!({"visibility": "PUBLIC"})).public, Some(true));
        for odd in [json!({"visibility": "PARTNERS"}), json!({}), json!(null)] {
            assert_eq!(told(odd), About::default());
        }
    }
}
