//! Questions of the second round that take more than one plain request: who
//! the commits' authors are, who the approvers are, what ran for the head.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::facts::{FactKey, Source, Unknown, Why};

use super::super::transport::NoAnswer;
use super::super::{access, join};
use super::checks::{Results, Wanted};
use super::people::{Directory, Kinds, account};
use super::wire::{Approvals, Branch, GraphqlUser, Member, Read, Reply, User, list, object};
use super::{Session, permissions};

/// Pages of a hundred commits whose authors are looked up; a larger change
/// keeps the rest unknown.
const AUTHOR_PAGES: usize = 5;

const AUTHORS: &str = "query authors($project: ID!, $iid: String!, $after: String) {
  project(fullPath: $project) {
    mergeRequest(iid: $iid) {
      approvedBy(first: 100) { nodes { id username bot } }
      commits(first: 100, after: $after) {
        nodes { authorEmail author { id username bot } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}";

/// Accounts that one question about users may name.
const USERS_AT_ONCE: usize = 100;
/// Questions about users; what stays untold of a crowd approves nothing.
const USER_QUESTIONS: usize = 5;

const USERS: &str = "query users($ids: [ID!]!) {
  users(ids: $ids, first: 100) { nodes { id username bot } }
}";

/// The first hundred members, and whether there are more; `everybody` where
/// another group of facts needs all of them anyway.
pub(super) async fn members(
    wanted: bool,
    everybody: bool,
    session: &Session,
) -> Option<(Read<Vec<Member>>, bool)> {
    if !wanted {
        return None;
    }
    if everybody {
        let fact = FactKey::ChangeReviews.name();
        let all = list(fact, permissions::MEMBERS, session.all_members().await);
        return Some((all, false));
    }
    let path = session.path("/members/all?per_page=100");
    let reply = session.settings.get(&path).await;
    let more = reply.as_ref().is_ok_and(|answer| {
        answer
            .header("x-next-page")
            .is_some_and(|next| !next.is_empty())
    });
    let fact = FactKey::ChangeReviews.name();
    Some((object(fact, permissions::MEMBERS, &reply), more))
}

/// Looks up approvers that the first page of members does not show: in a group
/// of thousands that is a request or two, where all pages would be dozens. A
/// plain 404 means that they are no members.
pub(super) async fn add_approvers(
    session: &Session,
    members: &mut Read<Vec<Member>>,
    approvals: Option<&Read<Approvals>>,
) {
    let Some(Ok((approvals, _))) = approvals else {
        return;
    };
    let Ok((known, _)) = &*members else { return };
    let ids: Vec<u64> = approvals
        .approved_by
        .iter()
        .flatten()
        .filter_map(|approval| approval.user.as_ref()?.id)
        .filter(|id| !known.iter().any(|member| member.id == Some(*id)))
        .collect();
    if ids.is_empty() {
        return;
    }
    session.transport.begin_wave();
    for id in ids {
        let reply = session
            .settings
            .get(&session.path(&format!("/members/all/{id}")))
            .await;
        if gone(&reply).is_some() {
            continue;
        }
        let one: Read<Member> = object(FactKey::ChangeReviews.name(), permissions::MEMBERS, &reply);
        match (one, &mut *members) {
            (Ok((member, more)), Ok((all, sources))) => {
                all.push(member);
                sources.extend(more);
            }
            (Err(unknown), members) => {
                *members = Err(unknown);
                return;
            }
            (Ok(_), Err(_)) => return,
        }
    }
}

/// Jobs of the head pipeline, and the commit that it ran for.
pub(super) async fn results(session: &Session, wanted: &Wanted) -> Results {
    let fact = FactKey::ChangeChecks.name();
    let jobs = async |id: Option<u64>, kind: &str| {
        let path = session.path(&format!("/pipelines/{}/{kind}", id?));
        let pages = session.settings.get_all(&path, None).await;
        Some(list(fact, permissions::CHANGE, &pages))
    };
    let commit = async {
        let sha = access::encode(wanted.merged_result.as_ref()?);
        let path = session.path(&format!("/repository/commits/{sha}"));
        let reply = session.change.get(&path).await;
        Some(object(fact, permissions::FILES, &reply))
    };
    let (jobs, triggers, merged_result) = tokio::join!(
        jobs(wanted.jobs, "jobs"),
        jobs(wanted.triggers, "bridges"),
        commit
    );
    Results {
        jobs,
        triggers,
        merged_result,
    }
}

/// GitLab's own resolution of author addresses to accounts, and whether those who approved are bots'.
/// REST has neither: there a user inside an approval is a name and a number.
pub(super) async fn authors(wanted: bool, session: &Session, number: Option<u64>) -> Directory {
    let mut directory = Directory {
        by_email: BTreeMap::new(),
        refused: None,
        members: BTreeMap::new(),
        host: String::new(),
        sources: Vec::new(),
        approvers: Kinds::default(),
    };
    let (true, Some(number)) = (wanted, number) else {
        return directory;
    };
    let mut after: Option<String> = None;
    for _ in 0..AUTHOR_PAGES {
        let variables = json!({
            "project": session.setup.place.repository,
            "iid": number.to_string(),
            "after": after,
        });
        let unknown = match session
            .settings
            .graphql("authors", AUTHORS, variables)
            .await
        {
            Ok(answer) => {
                let change = answer
                    .data
                    .as_ref()
                    .and_then(|data| data.pointer("/project/mergeRequest"))
                    .filter(|_| answer.errors.is_empty());
                let connection = change.and_then(|change| change.get("commits"));
                if let (Some(change), Some(connection)) = (change, connection) {
                    let approvers = change.pointer("/approvedBy/nodes");
                    directory.approvers.learn(users(approvers));
                    after = add_authors(&mut directory, connection, &answer.source);
                    if after.is_none() {
                        return directory;
                    }
                    continue;
                }
                let detail = answer.errors.first().map_or_else(
                    || "GitLab shows this token no commits of the change".to_owned(),
                    |error| error.message.clone(),
                );
                // A token that sees the project should see its changes: then the
                // query failed. Else it is a job token, which GraphQL refuses.
                let why = if session.opened.project.is_ok() {
                    Why::Failed
                } else {
                    Why::NotPermitted
                };
                Unknown::new(FactKey::ChangeCommits.name(), why, detail)
                    .needs(permissions::CHANGE)
                    .at(answer.endpoint, Some(answer.status))
            }
            Err(no_answer) => access::refused(
                FactKey::ChangeCommits.name(),
                permissions::CHANGE,
                &no_answer,
            ),
        };
        directory.refused = Some(unknown);
        return directory;
    }
    directory
}

/// Users as GraphQL shows them: an account that this token may not see is left out.
fn users(nodes: Option<&serde_json::Value>) -> impl Iterator<Item = User> {
    nodes
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|node| serde_json::from_value::<GraphqlUser>(node.clone()).ok())
        .map(User::from)
}

/// Whether the accounts of these numbers are people, and where that was read: one question, which
/// every token with the scope `read_api` may ask. Of whom no answer tells, for whatever reason, it
/// stays untold.
pub(super) async fn kinds(session: &Session, ids: &BTreeSet<u64>) -> (Kinds, Vec<Source>) {
    let ids: Vec<String> = ids
        .iter()
        .map(|id| format!("gid://gitlab/User/{id}"))
        .collect();
    let questions = ids.chunks(USERS_AT_ONCE).take(USER_QUESTIONS).map(|some| {
        session
            .settings
            .graphql("users", USERS, json!({ "ids": some }))
    });
    let mut kinds = Kinds::default();
    let mut sources = Vec::new();
    for answer in join::all(questions).await.into_iter().flatten() {
        let data = answer.data.as_ref().filter(|_| answer.errors.is_empty());
        kinds.learn(users(data.and_then(|data| data.pointer("/users/nodes"))));
        sources.push(answer.source);
    }
    (kinds, sources)
}

/// Adds one page; gives the cursor of the next one.
fn add_authors(
    directory: &mut Directory,
    connection: &serde_json::Value,
    source: &Source,
) -> Option<String> {
    directory.sources.push(source.clone());
    let nodes = connection
        .get("nodes")
        .and_then(serde_json::Value::as_array);
    for node in nodes.into_iter().flatten() {
        // An author that is left out is not the same as one that is null.
        let (Some(email), Some(author)) = (
            node.get("authorEmail").and_then(serde_json::Value::as_str),
            node.get("author"),
        ) else {
            continue;
        };
        let author = if author.is_null() {
            None
        } else {
            match serde_json::from_value::<GraphqlUser>(author.clone()) {
                Ok(user) if user.username.is_some() => account(&user.into()),
                Ok(_) | Err(_) => continue,
            }
        };
        directory
            .by_email
            .insert(email.trim().to_ascii_lowercase(), author);
    }
    let page = connection.get("pageInfo")?;
    if page.get("hasNextPage")?.as_bool()? {
        page.get("endCursor")?.as_str().map(str::to_owned)
    } else {
        None
    }
}

/// The branch out of the answer about it or out of a list of branches.
pub(super) fn the_branch(reply: &Reply, name: &str) -> Read<Branch> {
    let fact = FactKey::BranchRules.name();
    let (value, sources): (serde_json::Value, _) = object(fact, permissions::FILES, reply)?;
    let found = match value {
        serde_json::Value::Array(all) => all
            .into_iter()
            .find(|branch| branch.get("name").and_then(serde_json::Value::as_str) == Some(name)),
        other => Some(other),
    };
    found
        .and_then(|branch| serde_json::from_value::<Branch>(branch).ok())
        .map(|branch| (branch, sources.clone()))
        .ok_or_else(|| super::left_out(fact, "protected", &sources))
}

/// An answer, or all pages of one.
pub(super) trait Gone {
    /// The source of a plain "404 not found".
    fn gone(&self) -> Option<Source>;
}

impl<T> Gone for Result<T, NoAnswer> {
    fn gone(&self) -> Option<Source> {
        match self {
            Err(NoAnswer::Status(answer)) if answer.status == 404 => Some(answer.source.clone()),
            Ok(_) | Err(_) => None,
        }
    }
}

pub(super) fn gone<T: Gone>(reply: &T) -> Option<Source> {
    reply.gone()
}

#[cfg(test)]
mod tests {
    use crate::facts::{Account, AccountKind};

    use super::*;

    fn page(nodes: &serde_json::Value, next: &serde_json::Value) -> (Directory, Option<String>) {
        let mut directory = Directory {
            by_email: BTreeMap::new(),
            refused: None,
            members: BTreeMap::new(),
            host: "gitlab.example".to_owned(),
            sources: Vec::new(),
            approvers: Kinds::default(),
        };
        let source = Source {
            endpoint: "POST /graphql#authors".to_owned(),
            digest: String::new(),
        };
        let connection = json!({"nodes": nodes, "pageInfo": next});
        let after = add_authors(&mut directory, &connection, &source);
        (directory, after)
    }

    #[test]
    fn f20_an_author_that_gitlab_left_out_is_unknown_and_one_that_it_gives_as_null_is_nobody() {
        let nodes = json!([
            {"authorEmail": "Paul@acme.example",
                "author": {"id": "gid://gitlab/User/7", "username": "paul"}},
            {"authorEmail": "odd@acme.example", "author": {"id": "gid://x/7", "username": "odd"}},
            {"authorEmail": "null@acme.example", "author": null},
            {"authorEmail": "left@acme.example"},
            {"authorEmail": "nameless@acme.example", "author": {"bot": false}}
        ]);
        let (directory, after) = page(&nodes, &json!({"hasNextPage": false}));
        let of = |email: &str| directory.person("x", email).account;
        let number = |email: &str| of(email).known().unwrap().as_ref().unwrap().id;
        assert_eq!(number("paul@acme.example"), Some(7));
        assert_eq!(number("odd@acme.example"), None);
        assert_eq!(of("null@acme.example").known(), Ok(&None));
        assert!(!of("left@acme.example").is_known());
        assert!(!of("nameless@acme.example").is_known());
        assert_eq!(after, None);
    }

    #[test]
    fn of_an_account_only_what_gitlab_says_is_learnt() {
        let told = |nodes: serde_json::Value| {
            let mut kinds = Kinds::default();
            kinds.learn(users(Some(&nodes)));
            kinds.of(Account::human("rita").numbered(Some(7)))
        };
        let id = "gid://gitlab/User/7";
        let rita = |bot: serde_json::Value| json!([{"id": id, "username": "rita", "bot": bot}]);
        assert!(told(rita(json!(false))).is_human());
        assert_eq!(told(rita(json!(true))).kind, AccountKind::Bot);
        for odd in [
            rita(json!(null)),
            rita(json!("false")),
            json!([{"id": id, "username": "rita"}]),
            json!([{"id": "gid://gitlab/User/70", "username": "rita", "bot": false}]),
            json!([{"username": "rita", "bot": false}]),
            json!([null]),
            json!([]),
            json!(null),
        ] {
            assert!(told(odd.clone()).is_untold(), "{odd}");
        }
    }

    #[test]
    fn the_next_page_of_authors_is_asked_for_by_its_cursor() {
        let (_, after) = page(
            &json!([]),
            &json!({"hasNextPage": true, "endCursor": "abc"}),
        );
        assert_eq!(after.as_deref(), Some("abc"));
    }
}
