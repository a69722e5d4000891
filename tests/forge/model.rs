//! The recorded organisation: one repository with its rules, its policy and its
//! pull requests, and a clock that moves one minute with each thing that happens.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A commit of a change.
#[derive(Clone)]
pub struct Commit {
    pub sha: String,
    pub author: String,
    pub message: String,
}

/// A check run on the head.
#[derive(Clone)]
pub struct Check {
    pub name: String,
    pub app: u64,
    pub status: String,
    pub conclusion: Option<String>,
}

/// A pull request.
#[derive(Clone)]
pub struct PullRequest {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub author: String,
    pub head_ref: String,
    pub commits: Vec<Commit>,
    pub reviews: Vec<Value>,
    pub comments: Vec<Value>,
    /// When it was pointed at another branch.
    pub retargeted: Vec<String>,
    pub checks: Vec<Check>,
    /// Paths of the files that it touches; empty: the list is hidden.
    pub files: Vec<String>,
    /// The policy file at its head, where it touches that.
    pub proposed: Option<String>,
    pub merged: Option<Merge>,
}

/// How a change came onto `main`.
#[derive(Clone)]
pub struct Merge {
    pub commit: String,
    pub by: String,
    pub at: String,
}

impl PullRequest {
    pub fn head(&self) -> &str {
        self.commits.last().map_or("", |commit| commit.sha.as_str())
    }
}

/// The organisation `acme` with its repository `acme/payments`.
#[derive(Clone)]
pub struct Organisation {
    /// Minutes since 2026-06-01T08:00:00Z.
    minutes: i64,
    pub policy: Option<String>,
    pub bypass_actors: Option<Value>,
    pub rules: Vec<Value>,
    pub classic: Option<Value>,
    pub pull_requests: Vec<PullRequest>,
    pub security_team: Vec<String>,
    /// Service accounts: machines with the names of people.
    pub service_accounts: Vec<String>,
    /// Whether GitLab tells this token which accounts are bots.
    pub tells_of_bots: bool,
    /// How often change 42 is pushed to right after it was opened by a reader.
    pub restless: u32,
    /// Who may comment with the token at hand; `None`: it only reads.
    pub writer: Option<String>,
    /// Who let which run pass into the environment `change-override`, with which comment.
    pub run_approvals: Vec<(u64, String, String)>,
    /// SSH keys that accounts publish for signing: whose, the key, since when.
    pub signing_keys: Vec<(String, String, String)>,
    /// The commits of the merge queue, oldest first, and for which change each was made.
    queue: Vec<(String, Option<u64>)>,
    /// What came onto `main`, oldest first: each commit, its parents, and the change that
    /// brought it.
    line: Vec<(String, Vec<String>, Option<u64>)>,
    pub(super) activity: Vec<Value>,
    /// How accounts are called by now, and their numbers, where those are not what they
    /// began as.
    shown: BTreeMap<String, (String, u64)>,
}

/// The policy that the demonstration judges by.
pub const POLICY: &str = r#"version: 1
extends: [soc2-baseline]
controls:
  ticket-linked: {enforce: block, pattern: "(PAY|INC)-[0-9]+"}
overrides:
  allowed_by: ["@acme/security"]
  ticket: "INC-[0-9]+"
  min_reason: 30
  max: 24h
"#;

impl Organisation {
    /// Well-kept rules; change 42 was approved by one of its own authors.
    pub fn acme() -> Self {
        let mut acme = Self {
            minutes: 0,
            policy: Some(POLICY.to_owned()),
            bypass_actors: Some(json!([])),
            rules: vec![
                json!({"type": "deletion"}),
                json!({"type": "non_fast_forward"}),
                json!({"type": "pull_request", "parameters": {
                    "required_approving_review_count": 1,
                    "dismiss_stale_reviews_on_push": true,
                    "require_code_owner_review": false,
                    "require_last_push_approval": false,
                    "required_review_thread_resolution": false
                }}),
                json!({"type": "required_status_checks", "parameters": {
                    "strict_required_status_checks_policy": true,
                    "required_status_checks": [{"context": "test", "integration_id": 15368}]
                }}),
            ],
            classic: None,
            pull_requests: Vec::new(),
            security_team: vec!["ana".to_owned()],
            service_accounts: Vec::new(),
            tells_of_bots: true,
            restless: 0,
            writer: None,
            run_approvals: Vec::new(),
            signing_keys: Vec::new(),
            queue: Vec::new(),
            line: Vec::new(),
            activity: Vec::new(),
            shown: BTreeMap::new(),
        };
        acme.open(42, "lena", "Retry card capture (PAY-318)", "capture-retry");
        acme.push(42, "lena", "Retry card capture once");
        acme.push(42, "tom", "Back off between tries");
        acme.push(42, "tom", "Log the last answer of the bank");
        acme.approve(42, "tom");
        acme
    }

    /// The moment, in the platform's words.
    pub fn now(&self) -> String {
        let start: jiff::Timestamp = "2026-06-01T08:00:00Z".parse().expect("a literal");
        (start + jiff::SignedDuration::from_mins(self.minutes)).to_string()
    }

    /// The tip of `main`.
    pub fn main(&self) -> String {
        let newest = self.line.last();
        newest.map_or_else(|| sha("main"), |(commit, ..)| commit.clone())
    }

    fn tick(&mut self) -> String {
        self.minutes += 1;
        self.now()
    }

    /// Lets time pass.
    pub fn wait_hours(&mut self, hours: i64) {
        self.minutes += hours * 60;
    }

    pub fn open(&mut self, number: u64, author: &str, title: &str, head_ref: &str) {
        self.tick();
        self.pull_requests.push(PullRequest {
            number,
            title: title.to_owned(),
            body: String::new(),
            author: author.to_owned(),
            head_ref: head_ref.to_owned(),
            commits: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
            retargeted: Vec::new(),
            checks: Vec::new(),
            files: Vec::new(),
            proposed: None,
            merged: None,
        });
    }

    /// Merges the change with a commit of its own, which is the new tip of `main`.
    pub fn merge(&mut self, number: u64, by: &str) -> String {
        let at = self.tick();
        let commit = sha(&format!("merge of {number}"));
        self.change(number).merged = Some(Merge {
            commit: commit.clone(),
            by: by.to_owned(),
            at: at.clone(),
        });
        let head = self.change(number).head().to_owned();
        let parents = vec![self.main(), head];
        self.move_main("pr_merge", by, &at, (commit.clone(), parents, Some(number)));
        commit
    }

    /// Pushes one commit straight to `main`, through no change.
    pub fn push_to_main(&mut self, by: &str) -> String {
        let at = self.tick();
        let commit = sha(&format!("straight to main by {by} {at}"));
        let parents = vec![self.main()];
        self.move_main("push", by, &at, (commit.clone(), parents, None));
        commit
    }

    /// Pushes one commit straight to `main`, and takes it away again.
    pub fn push_and_take_back(&mut self, by: &str) -> String {
        let commit = self.push_to_main(by);
        self.line.pop();
        let (at, back) = (self.tick(), self.main());
        self.log_move("force_push", by, &at, &commit, &back);
        commit
    }

    fn move_main(
        &mut self,
        kind: &str,
        by: &str,
        at: &str,
        commit: (String, Vec<String>, Option<u64>),
    ) {
        self.log_move(kind, by, at, &self.main(), &commit.0);
        self.line.push(commit);
    }

    fn log_move(&mut self, kind: &str, by: &str, at: &str, before: &str, after: &str) {
        self.activity.push(json!({
            "id": self.activity.len() + 1,
            "before": before,
            "after": after,
            "ref": "refs/heads/main",
            "timestamp": at,
            "activity_type": kind,
            "actor": {"login": by, "type": "User"},
        }));
    }

    /// The commits of `main`, newest first, each with the change that brought it.
    fn history(&self) -> Vec<Value> {
        let first = (sha("main"), Vec::new(), None);
        let all = self.line.iter().rev().chain([&first]);
        all.map(|(commit, parents, number)| {
            let brought = self.pull_requests.iter();
            let brought = brought.filter(|change| Some(change.number) == *number);
            let parents = parents.iter().map(|parent| json!({"oid": parent}));
            json!({
                "__typename": "Commit",
                "oid": commit,
                "message": "On main",
                "parents": connection(parents.collect()),
                "associatedPullRequests": connection(
                    brought.map(|change| self.pull_request(change, &Value::Null)).collect()
                ),
            })
        })
        .collect()
    }

    /// Calls an account otherwise from now on, wherever it is shown; its number stays.
    pub fn rename(&mut self, account: &str, login: &str) {
        let (_, id) = self.shown(account);
        self.shown
            .insert(account.to_owned(), (login.to_owned(), id));
    }

    /// Makes an account with a name that is free; everything else calls it `account`.
    pub fn register(&mut self, account: &str, login: &str) {
        let id = number(account);
        self.shown
            .insert(account.to_owned(), (login.to_owned(), id));
    }

    /// Login and number of an account.
    pub(super) fn shown(&self, account: &str) -> (String, u64) {
        let changed = self.shown.get(account).cloned();
        changed.unwrap_or_else(|| (account.to_owned(), number(account)))
    }

    /// What leaves the forge calls every account as it is called now, with its number.
    pub(super) fn named(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let person = |key: &str| fields.get(key).is_some_and(|kind| kind == "User");
                let key = if person("__typename") || person("type") {
                    "login"
                } else {
                    "username"
                };
                let account = fields.get(key).and_then(Value::as_str);
                if let Some((login, id)) = account.map(|account| self.shown(account)) {
                    fields.insert(key.to_owned(), json!(login));
                    fields.insert("id".to_owned(), json!(id));
                    fields.insert("databaseId".to_owned(), json!(id));
                }
                fields.values_mut().for_each(|inner| self.named(inner));
            }
            Value::Array(items) => items.iter_mut().for_each(|inner| self.named(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    pub fn change(&mut self, number: u64) -> &mut PullRequest {
        self.pull_requests
            .iter_mut()
            .find(|change| change.number == number)
            .expect("the change exists")
    }

    /// Pushes one commit; its check turns green at once.
    pub fn push(&mut self, number: u64, author: &str, message: &str) {
        let at = self.tick();
        let sha = sha(&format!("{number} {author} {message} {at}"));
        let change = self.change(number);
        let before = change.head().to_owned();
        change.commits.push(Commit {
            sha: sha.clone(),
            author: author.to_owned(),
            message: message.to_owned(),
        });
        change.checks = vec![Check {
            name: "test".to_owned(),
            app: 15368,
            status: "COMPLETED".to_owned(),
            conclusion: Some("SUCCESS".to_owned()),
        }];
        let head_ref = format!("refs/heads/{}", change.head_ref);
        self.activity.push(json!({
            "id": self.activity.len() + 1,
            "before": if before.is_empty() { "0".repeat(40) } else { before },
            "after": sha,
            "ref": head_ref,
            "timestamp": at,
            "activity_type": "push",
            "actor": {"login": author, "type": "User"},
        }));
    }

    pub fn approve(&mut self, number: u64, reviewer: &str) {
        let at = self.tick();
        let change = self.change(number);
        let head = change.head().to_owned();
        change.reviews.push(json!({
            "author": user(reviewer),
            "state": "APPROVED",
            "submittedAt": at,
            "commit": {"oid": head},
            "authorCanPushToRepository": true,
        }));
    }

    /// Lets a change replace the policy file.
    pub fn propose(&mut self, number: u64, text: &str) {
        let change = self.change(number);
        change.files = vec!["src/lib.rs".to_owned(), ".ccgate.yml".to_owned()];
        change.proposed = Some(text.to_owned());
    }

    /// Puts changes into the merge queue, one squashed commit for each; `None` is a
    /// commit that the queue knows of no change. Gives the payload of the event.
    pub fn enqueue(&mut self, changes: &[Option<u64>]) -> Value {
        self.tick();
        self.queue = changes
            .iter()
            .enumerate()
            .map(|(index, number)| (sha(&format!("queue {index} {number:?}")), *number))
            .collect();
        json!({
            "action": "checks_requested",
            "merge_group": {
                "head_sha": self.queue.last().map(|(made, _)| made),
                "head_ref": "refs/heads/gh-readonly-queue/main/pr-42-abc",
                "base_sha": sha("main"),
                "base_ref": "refs/heads/main",
            },
        })
    }

    /// What `GET .../compare/BASE...HEAD` answers for the queue.
    pub(super) fn compared(&self) -> Value {
        let mut parent = sha("main");
        let commits: Vec<Value> = self
            .queue
            .iter()
            .map(|(made, _)| {
                let commit = json!({
                    "sha": made, "commit": {"message": "Queued"}, "parents": [{"sha": parent}],
                });
                parent.clone_from(made);
                commit
            })
            .collect();
        json!({"status": "ahead", "total_commits": commits.len(), "commits": commits})
    }

    fn merge_queue(&self, branch: &Value) -> Value {
        if self.queue.is_empty() {
            return Value::Null;
        }
        let entries = self
            .queue
            .iter()
            .filter_map(|(made, number)| {
                let change = self
                    .pull_requests
                    .iter()
                    .find(|one| Some(one.number) == *number)?;
                Some(json!({
                    "headCommit": {"oid": made},
                    "pullRequest": self.pull_request(change, branch),
                }))
            })
            .collect();
        json!({"configuration": {"mergeMethod": "SQUASH"}, "entries": connection(entries)})
    }

    pub fn comment(&mut self, number: u64, author: &str, body: &str) {
        let at = self.tick();
        let change = self.change(number);
        let id = change.comments.len() + 1;
        change.comments.push(json!({
            "id": format!("IC_{id}"),
            "databaseId": id,
            "fullDatabaseId": id.to_string(),
            "author": user(author),
            "body": body,
            "createdAt": at,
            "updatedAt": at,
            "lastEditedAt": null,
            "includesCreatedEdit": false,
            "editor": null,
        }));
    }

    /// The change is pointed at the branch that it goes to now.
    pub fn retarget(&mut self, number: u64) {
        let at = self.tick();
        self.change(number).retargeted.push(at);
    }

    /// The `repository` object of GraphQL, whole; the query picks from it.
    pub(super) fn repository(&self) -> Value {
        let history = self.history();
        let file = self
            .policy
            .as_ref()
            .map(|text| json!({"object": {"__typename": "Blob", "text": text, "isTruncated": false, "isBinary": false, "byteSize": text.len()}}));
        let blob = file.as_ref().map(|file| file["object"].clone());
        let mut tip = history[0].clone();
        tip["file"] = json!(file);
        tip["object"] = json!(blob);
        let branch = json!({"name": "main", "target": tip});
        let pull_requests = self
            .pull_requests
            .iter()
            .map(|change| {
                (
                    change.number.to_string(),
                    self.pull_request(change, &branch),
                )
            })
            .collect::<serde_json::Map<_, _>>();
        let commit_objects = self
            .pull_requests
            .iter()
            .flat_map(|change| {
                change
                    .commits
                    .iter()
                    .map(move |commit| (commit.sha.clone(), commit_node(commit, "", change)))
            })
            .chain(history.iter().enumerate().map(|(place, commit)| {
                let mut commit = commit.clone();
                commit["history"] = connection(history[place..].to_vec());
                let name = commit["oid"].as_str().unwrap_or_default().to_owned();
                (name, commit)
            }))
            .collect::<serde_json::Map<_, _>>();
        json!({
            "commitObjects": commit_objects,
            "name": "payments",
            "nameWithOwner": "acme/payments",
            "isPrivate": true,
            "isArchived": false,
            "visibility": "PRIVATE",
            "isInOrganization": true,
            "defaultBranchRef": branch,
            "object": blob,
            "ref": branch,
            "mergeQueue": self.merge_queue(&branch),
            "pullRequest": pull_requests,
            "rulesets": connection(vec![json!({
                "databaseId": 1,
                "name": "main",
                "target": "BRANCH",
                "enforcement": "ACTIVE",
                "source": {"__typename": "Repository", "nameWithOwner": "acme/payments"},
                "conditions": {"refName": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
                "rules": {"nodes": self
                    .rules
                    .iter()
                    .map(|rule| {
                        let kind = rule["type"].as_str().unwrap_or_default();
                        json!({"type": kind.to_ascii_uppercase()})
                    })
                    .collect::<Vec<_>>()},
                "bypassActors": self.bypass_actors.as_ref().map(|actors| {
                    connection(actors.as_array().cloned().unwrap_or_default())
                }),
            })]),
        })
    }

    fn pull_request(&self, change: &PullRequest, branch: &Value) -> Value {
        let commits = change
            .commits
            .iter()
            .scan(sha("main"), |parent, commit| {
                let node = json!({"commit": commit_node(commit, parent, change)});
                parent.clone_from(&commit.sha);
                Some(node)
            })
            .collect();
        let merged = change.merged.as_ref();
        json!({
            "id": format!("PR_{}", change.number),
            "number": change.number,
            "title": change.title,
            "body": change.body,
            "state": if merged.is_some() { "MERGED" } else { "OPEN" },
            "isDraft": false,
            "merged": merged.is_some(),
            "createdAt": "2026-06-01T08:00:00Z",
            "mergedAt": merged.map(|merge| &merge.at),
            "mergedBy": merged.map(|merge| user(&merge.by)),
            "mergeCommit": merged.map(|merge| json!({"oid": merge.commit})),
            "author": user(&change.author),
            "headRefName": change.head_ref,
            "headRefOid": change.head(),
            "baseRefName": "main",
            "baseRefOid": sha("main"),
            "baseRef": branch,
            "isCrossRepository": false,
            "headRepository": {"nameWithOwner": "acme/payments", "name": "payments", "owner": {"login": "acme"}},
            "labels": connection(vec![]),
            "closingIssuesReferences": connection(vec![]),
            "commits": connection(commits),
            "reviews": connection(change.reviews.clone()),
            "comments": connection(change.comments.clone()),
            "timelineItems": connection(vec![]),
            "targets": connection(change.retargeted.iter().map(|at| json!({"__typename": "BaseRefChangedEvent", "createdAt": at})).collect()),
            "files": files(change),
            "changedFiles": change.files.len(),
            "headRef": {"name": change.head_ref, "target": change.commits.last().map(|commit| commit_node(commit, "", change))},
        })
    }

    /// What `GET .../rules/branches/main` answers.
    pub(super) fn branch_rules(&self) -> Value {
        self.rules
            .iter()
            .map(|rule| {
                let mut rule = rule.clone();
                rule["ruleset_id"] = json!(1);
                rule["ruleset_source_type"] = json!("Repository");
                rule["ruleset_source"] = json!("acme/payments");
                rule
            })
            .collect()
    }

    /// What `GET .../rulesets/1` answers.
    pub(super) fn ruleset(&self) -> Value {
        let mut ruleset = json!({
            "id": 1,
            "name": "main",
            "target": "branch",
            "source_type": "Repository",
            "source": "acme/payments",
            "enforcement": "active",
            "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
            "rules": self.rules,
        });
        if let Some(actors) = &self.bypass_actors {
            ruleset["bypass_actors"] = actors.clone();
        }
        ruleset
    }

    /// What `GET .../activity?ref=` answers, newest first.
    pub(super) fn activity(&self, reference: Option<&str>) -> Value {
        self.activity
            .iter()
            .rev()
            .filter(|entry| reference.is_none_or(|reference| entry["ref"] == reference))
            .cloned()
            .collect()
    }
}

fn commit_node(commit: &Commit, parent: &str, change: &PullRequest) -> Value {
    let person = json!({
        "name": commit.author,
        "email": format!("{}@acme.example", commit.author),
        "user": user(&commit.author),
    });
    let contexts = change
        .checks
        .iter()
        .filter(|_| commit.sha == change.head())
        .map(|check| {
            json!({
                "__typename": "CheckRun",
                "databaseId": 1,
                "name": check.name,
                "status": check.status,
                "conclusion": check.conclusion,
                "startedAt": "2026-06-01T08:00:00Z",
                "completedAt": "2026-06-01T08:00:00Z",
                "isRequired": true,
                "checkSuite": {"app": {"databaseId": check.app, "slug": "github-actions"}},
            })
        })
        .collect();
    let proposed = change.proposed.as_ref().map(|text| {
        json!({"object": {"__typename": "Blob", "text": text, "isTruncated": false, "isBinary": false}})
    });
    json!({
        "__typename": "Commit",
        "file": proposed,
        "oid": commit.sha,
        "message": commit.message,
        "author": person,
        "committer": person,
        "authors": connection(vec![person.clone()]),
        "parents": connection(vec![json!({"oid": parent})]),
        "statusCheckRollup": {"state": "SUCCESS", "contexts": connection(contexts)},
    })
}

/// The list of files, if it is shown.
fn files(change: &PullRequest) -> Value {
    if change.files.is_empty() {
        return Value::Null;
    }
    let nodes = change
        .files
        .iter()
        .map(|path| json!({"path": path, "changeType": "MODIFIED", "additions": 1, "deletions": 1}))
        .collect();
    connection(nodes)
}

fn user(login: &str) -> Value {
    json!({"__typename": "User", "login": login})
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller has just made the list"
)]
fn connection(nodes: Vec<Value>) -> Value {
    json!({
        "totalCount": nodes.len(),
        "pageInfo": {"hasNextPage": false, "endCursor": null},
        "nodes": nodes,
    })
}

/// The number of an account, which it keeps.
fn number(account: &str) -> u64 {
    let digest = Sha256::digest(account.as_bytes());
    u64::from(u32::from_be_bytes([
        digest[0], digest[1], digest[2], digest[3],
    ]))
}

/// A commit id that looks like one.
pub(super) fn sha(of: &str) -> String {
    hex::encode(&Sha256::digest(of.as_bytes())[..20])
}
