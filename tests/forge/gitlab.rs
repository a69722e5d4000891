//! The same organisation in GitLab's words, as far as a check of a merge request, or of
//! the merge that came of it, asks.

use serde_json::{Value, json};

use super::model::{Commit, Organisation, PullRequest, sha};

/// What stands at a path.
pub(super) enum Found {
    Json(Value),
    /// A file, as it is.
    Text(String),
}

/// Who may see the group `acme`, and so is an inherited member of each group in it.
const GUESTS_ABOVE: [&str; 2] = ["li", "mallory"];

/// What GET answers under `/api/v4`; `None`: not found.
pub(super) fn answer(acme: &Organisation, path: &str, query: &str) -> Option<Found> {
    if let Some(group) = path.strip_prefix("/groups/") {
        let above: &[&str] = match group {
            "acme%2Fsecurity/members" => &[],
            "acme%2Fsecurity/members/all" => &GUESTS_ABOVE,
            _ => return None,
        };
        let of_the_group = acme.security_team.iter().map(|login| member(login));
        let of_the_one_above = above.iter().map(|login| {
            let mut guest = member(login);
            guest["access_level"] = json!(10);
            guest
        });
        return Some(Found::Json(of_the_group.chain(of_the_one_above).collect()));
    }
    let rest = path.strip_prefix("/projects/acme%2Fpayments")?;
    let body = match rest.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        [] => project(),
        ["events"] => events(acme),
        ["members", "all"] => ["ana", "lena", "li", "tom"]
            .map(member)
            .into_iter()
            .collect(),
        ["repository", "files", ".ccgate.yml", "raw"] => {
            return acme.policy.clone().map(Found::Text);
        }
        ["deployments"] => deployments(acme, query).collect(),
        ["deployments", id] => {
            let id = id.parse::<u64>().ok()?;
            deployments(acme, "").find(|one| one["id"] == id)?
        }
        ["repository", "compare"] => compared(acme, query),
        ["repository", "commits", id] => commit(acme, id)?,
        ["repository", "commits", id, "merge_requests"] => merged(acme)
            .filter(|(_, merge)| merge == id)
            .map(|(change, _)| merge_request(change))
            .collect(),
        ["merge_requests"] => merged(acme)
            .map(|(change, _)| merge_request(change))
            .collect(),
        ["merge_requests", number, of @ ..] => {
            let number = number.parse::<u64>().ok()?;
            let change = acme.pull_requests.iter().find(|one| one.number == number)?;
            match of {
                [] => merge_request(change),
                ["versions"] => versions(acme, change),
                ["approvals"] => approvals(change),
                ["commits"] => change.commits.iter().rev().map(of_change(change)).collect(),
                ["notes"] => notes(acme, change),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Found::Json(body))
}

/// What GraphQL picks from: the authors of a change's commits, who approved it, and of those who
/// commented anywhere the ones that are asked for.
pub(super) fn root(acme: &Organisation, variables: &Value) -> Value {
    let iid = variables["iid"].as_str().unwrap_or_default();
    let mut changes = acme.pull_requests.iter();
    let change = changes.find(|change| change.number.to_string() == iid);
    let nodes: Vec<Value> = change
        .map_or(&[][..], |change| &change.commits)
        .iter()
        .map(|commit| {
            json!({"authorEmail": email(commit), "author": of_graphql(acme, &commit.author)})
        })
        .collect();
    let approvers: Vec<Value> = change
        .map_or(&[][..], |change| &change.reviews)
        .iter()
        .filter_map(|review| review["author"]["login"].as_str())
        .map(|login| of_graphql(acme, login))
        .collect();
    let asked = variables["ids"].as_array().cloned().unwrap_or_default();
    let commented = acme.pull_requests.iter().flat_map(|one| &one.comments);
    let users: Vec<Value> = commented
        .filter_map(|comment| comment["author"]["login"].as_str())
        .map(|login| of_graphql(acme, login))
        .filter(|user| asked.contains(&user["id"]))
        .collect();
    let page = json!({"hasNextPage": false, "endCursor": null});
    let change = json!({
        "approvedBy": {"nodes": approvers},
        "commits": {"nodes": nodes, "pageInfo": page},
    });
    json!({"project": {"mergeRequest": change}, "users": {"nodes": users}})
}

/// A user with GitLab's own word on what it is, which no user inside a REST answer has.
fn of_graphql(acme: &Organisation, account: &str) -> Value {
    let (login, id) = acme.shown(account);
    let bot = acme
        .service_accounts
        .iter()
        .any(|machine| machine == account);
    json!({
        "id": format!("gid://gitlab/User/{id}"),
        "username": login,
        "bot": acme.tells_of_bots.then_some(bot),
    })
}

fn merged(acme: &Organisation) -> impl Iterator<Item = (&PullRequest, &str)> {
    acme.pull_requests
        .iter()
        .filter_map(|change| Some((change, change.merged.as_ref()?.commit.as_str())))
}

fn project() -> Value {
    json!({
        "id": 1,
        "path_with_namespace": "acme/payments",
        "default_branch": "main",
        "visibility": "private",
        "archived": false,
        "merge_method": "merge",
        "namespace": {"kind": "group", "full_path": "acme"},
        "permissions": {"project_access": {"access_level": 40}, "group_access": null},
    })
}

fn merge_request(change: &PullRequest) -> Value {
    let merged = change.merged.as_ref();
    json!({
        "iid": change.number,
        "title": change.title,
        "description": change.body,
        "state": if merged.is_some() { "merged" } else { "opened" },
        "draft": false,
        "author": user(&change.author),
        "source_branch": change.head_ref,
        "target_branch": "main",
        "sha": change.head(),
        "source_project_id": 1,
        "target_project_id": 1,
        "labels": [],
        "created_at": "2026-06-01T08:00:00Z",
        "merged_at": merged.map(|merge| &merge.at),
        "merge_user": merged.map(|merge| user(&merge.by)),
        "merge_commit_sha": merged.map(|merge| &merge.commit),
        "squash_commit_sha": null,
        "changes_count": "1",
        "blocking_discussions_resolved": true,
        "head_pipeline": null,
    })
}

/// Each push to the branch of the change, newest first.
fn versions(acme: &Organisation, change: &PullRequest) -> Value {
    let mut pushed: Vec<Value> = pushes(acme, change)
        .map(|entry| {
            json!({
                "id": entry["id"],
                "head_commit_sha": entry["after"],
                "created_at": entry["timestamp"],
            })
        })
        .collect();
    pushed.reverse();
    pushed.into()
}

fn pushes<'o>(
    acme: &'o Organisation,
    change: &PullRequest,
) -> impl Iterator<Item = &'o Value> + use<'o> {
    let reference = format!("refs/heads/{}", change.head_ref);
    acme.activity
        .iter()
        .filter(move |entry| entry["ref"] == reference.as_str())
}

fn approvals(change: &PullRequest) -> Value {
    let given: Vec<Value> = change
        .reviews
        .iter()
        .filter(|review| review["state"] == "APPROVED")
        .map(|review| json!({"user": named(&review["author"]), "approved_at": review["submittedAt"]}))
        .collect();
    json!({"approvals_required": 1, "approved_by": given})
}

/// The deployments to `change-override`, newest first: of each job that was approved one, for the head of
/// change 42.
fn deployments<'o>(acme: &'o Organisation, query: &str) -> impl Iterator<Item = Value> + use<'o> {
    let asked = query.is_empty() || query.starts_with("environment=change-override&");
    let change = acme.pull_requests.iter().find(|one| one.number == 42);
    let head = change.map(PullRequest::head);
    let mut jobs: Vec<u64> = acme.run_approvals.iter().map(|(job, ..)| *job).collect();
    jobs.dedup();
    jobs.into_iter()
        .rev()
        .filter(move |_| asked)
        .map(move |job| {
            let given = acme.run_approvals.iter().filter(|(of, ..)| *of == job);
            let approvals: Value = given
            .map(|(_, login, comment)| {
                json!({"user": user(login), "status": "approved", "comment": comment})
            })
            .collect();
            json!({
                "id": 1000 + job,
                "sha": head,
                "ref": "refs/merge-requests/42/head",
                "environment": {"id": 1, "name": "change-override"},
                "deployable": {"id": job},
                "approvals": approvals,
            })
        })
}

/// What people wrote, and GitLab's own word about each push behind the first.
fn notes(acme: &Organisation, change: &PullRequest) -> Value {
    let pushed = pushes(acme, change).skip(1).map(|entry| {
        json!({
            "id": 1000 + entry["id"].as_u64().unwrap_or_default(),
            "body": "added 1 commit",
            "author": named(&entry["actor"]),
            "created_at": entry["timestamp"],
            "updated_at": entry["timestamp"],
            "system": true,
            "resolvable": false,
        })
    });
    let written = change.comments.iter().map(|comment| {
        json!({
            "id": comment["databaseId"],
            "body": comment["body"],
            "author": named(&comment["author"]),
            "created_at": comment["createdAt"],
            "updated_at": comment["updatedAt"],
            "system": false,
            "resolvable": false,
        })
    });
    pushed.chain(written).collect()
}

/// The pushes to all branches, newest first.
fn events(acme: &Organisation) -> Value {
    let pushed = acme.activity.iter().rev().map(|entry| {
        let reference = entry["ref"].as_str().unwrap_or_default();
        let created = entry["before"] == "0".repeat(40).as_str();
        json!({
            "created_at": entry["timestamp"],
            "author": named(&entry["actor"]),
            "push_data": {
                "action": if created { "created" } else { "pushed" },
                "commit_from": if created { &Value::Null } else { &entry["before"] },
                "commit_to": entry["after"],
                "ref": reference.trim_start_matches("refs/heads/"),
                "ref_type": "branch",
            },
        })
    });
    pushed.collect()
}

/// A commit of a change, or the one that merged it.
fn commit(acme: &Organisation, id: &str) -> Option<Value> {
    let of_changes = acme.pull_requests.iter().find_map(|change| {
        let commit = change.commits.iter().find(|commit| commit.sha == id)?;
        Some(of_change(change)(commit))
    });
    of_changes.or_else(|| {
        let (change, merge) = merged(acme).find(|(_, merge)| *merge == id)?;
        Some(merge_commit(change, merge))
    })
}

/// What the first commit reaches and the second does not, the other way round: `from` is
/// the old tip of `main` or a merge behind it.
fn compared(acme: &Organisation, query: &str) -> Value {
    let argument = |name: &str| {
        let mut parts = query.split('&').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (from, to) = (argument("from"), argument("to"));
    let change = merged(acme).find(|(_, merge)| Some(*merge) == to);
    let commits: Vec<Value> = match change {
        Some((change, merge)) if from == Some(sha("main").as_str()) => {
            let own = change.commits.iter().map(of_change(change));
            own.chain([merge_commit(change, merge)]).collect()
        }
        _ => Vec::new(),
    };
    json!({"commits": commits})
}

fn merge_commit(change: &PullRequest, merge: &str) -> Value {
    wire(merge, "Merge", "gitlab", &[&sha("main"), change.head()])
}

fn of_change(change: &PullRequest) -> impl Fn(&Commit) -> Value {
    move |commit| {
        let mut before = change.commits.iter().map(|one| &one.sha);
        let place = before
            .position(|sha| *sha == commit.sha)
            .unwrap_or_default();
        let main = sha("main");
        let parent = match place.checked_sub(1) {
            Some(place) => &change.commits[place].sha,
            None => &main,
        };
        wire(&commit.sha, &commit.message, &commit.author, &[parent])
    }
}

fn wire(id: &str, message: &str, author: &str, parents: &[&str]) -> Value {
    let email = format!("{author}@acme.example");
    json!({
        "id": id,
        "message": message,
        "author_name": author,
        "author_email": email,
        "committer_name": author,
        "committer_email": email,
        "parent_ids": parents,
    })
}

fn email(commit: &Commit) -> String {
    format!("{}@acme.example", commit.author)
}

fn named(user_of_github: &Value) -> Value {
    user(user_of_github["login"].as_str().unwrap_or_default())
}

fn user(login: &str) -> Value {
    json!({"username": login, "state": "active"})
}

fn member(login: &str) -> Value {
    let mut member = user(login);
    member["access_level"] = json!(30);
    member
}
