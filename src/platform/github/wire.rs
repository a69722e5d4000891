//! The platform's answers as they arrive: every field optional, unknown words
//! kept as text. Says nothing about what they mean.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::{Account, AccountKind};

/// Somebody who acted, as GraphQL names them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Actor {
    #[serde(rename = "__typename")]
    pub(super) kind: Option<String>,
    pub(super) login: Option<String>,
    #[serde(rename = "databaseId")]
    pub(super) id: Option<u64>,
}

impl Actor {
    /// The account; `None` if the answer names nobody. GraphQL leaves out the
    /// `[bot]` that keeps a bot's name apart from a person's: it is put back.
    pub(super) fn account(&self) -> Option<Account> {
        let login = self.login.clone().filter(|login| !login.is_empty())?;
        Some(match self.kind.as_deref() {
            Some("Bot") => Account::bot(with_bot_suffix(login)).numbered(self.id),
            Some("User") if login.ends_with("[bot]") => Account::bot(login).numbered(self.id),
            Some("User") => Account::human(login).numbered(self.id),
            other => Account {
                login,
                kind: AccountKind::Other(other.unwrap_or("unnamed kind").to_owned()),
                id: self.id,
            },
        })
    }
}

fn with_bot_suffix(login: String) -> String {
    if login.ends_with("[bot]") {
        login
    } else {
        format!("{login}[bot]")
    }
}

/// An account as REST names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RestUser {
    pub(super) login: Option<String>,
    pub(super) id: Option<u64>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

impl RestUser {
    pub(super) fn account(&self) -> Option<Account> {
        Actor {
            kind: self.kind.clone(),
            login: self.login.clone(),
            id: self.id,
        }
        .account()
    }
}

/// A connection's list without its page information.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Nodes<T> {
    pub(super) nodes: Option<Vec<Option<T>>>,
    pub(super) total_count: Option<u64>,
    pub(super) page_info: Option<PageInfo>,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self {
            nodes: None,
            total_count: None,
            page_info: None,
        }
    }
}

impl<T> Nodes<T> {
    /// The entries that are there.
    pub(super) fn present(&self) -> impl Iterator<Item = &T> {
        self.nodes.iter().flatten().flatten()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: Option<bool>,
    pub(super) end_cursor: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Oid {
    pub(super) oid: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RepositoryName {
    pub(super) name_with_owner: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Issue {
    pub(super) number: Option<u64>,
    pub(super) repository: Option<RepositoryName>,
}

/// A pull request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Pull {
    pub(super) number: Option<u64>,
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) state: Option<String>,
    pub(super) is_draft: Option<bool>,
    pub(super) is_cross_repository: Option<bool>,
    pub(super) author: Option<Actor>,
    pub(super) head_ref_name: Option<String>,
    pub(super) head_ref_oid: Option<String>,
    pub(super) head_repository: Option<RepositoryName>,
    pub(super) base_ref_name: Option<String>,
    pub(super) labels: Option<Nodes<Named>>,
    pub(super) closing_issues_references: Option<Nodes<Issue>>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) merged_at: Option<Timestamp>,
    pub(super) merged_by: Option<Actor>,
    pub(super) merge_commit: Option<MergeCommit>,
    pub(super) potential_merge_commit: Option<TestMerge>,
    pub(super) commits: Option<Nodes<PullCommitOid>>,
    pub(super) base_ref: Option<Ref>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MergeCommit {
    pub(super) oid: Option<String>,
    pub(super) history: Option<Nodes<Oid>>,
}

/// The commit that tests an open change together with its target.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TestMerge {
    pub(super) oid: Option<String>,
    pub(super) parents: Option<Nodes<Oid>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PullCommitOid {
    pub(super) commit: Option<Oid>,
}

/// A branch and what stands at its tip.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ref {
    pub(super) name: Option<String>,
    pub(super) target: Option<Target>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) oid: Option<String>,
    pub(super) file: Option<File>,
    pub(super) associated_pull_requests: Option<Nodes<Pull>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) object: Option<Blob>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Blob {
    #[serde(rename = "__typename")]
    pub(super) kind: Option<String>,
    pub(super) text: Option<String>,
    pub(super) is_truncated: Option<bool>,
    pub(super) is_binary: Option<bool>,
}

/// A ruleset as the first round lists it. `bypass_actors` is null where the list is hidden.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RulesetHead {
    pub(super) database_id: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) target: Option<String>,
    pub(super) enforcement: Option<String>,
    pub(super) bypass_actors: Option<Value>,
    pub(super) conditions: Option<HeadConditions>,
}

/// The conditions of a ruleset as GraphQL shows them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HeadConditions {
    pub(super) ref_name: Option<NameCondition>,
    pub(super) repository_name: Option<NameCondition>,
}

/// Patterns of names, of refs or of repositories.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NameCondition {
    pub(super) include: Option<Vec<String>>,
    pub(super) exclude: Option<Vec<String>>,
}

/// One rule that applies to a branch (REST).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// Each kind has its own shape; see `rule_demands`.
    pub(super) parameters: Option<Value>,
    pub(super) ruleset_id: Option<u64>,
    pub(super) ruleset_source_type: Option<String>,
    pub(super) ruleset_source: Option<String>,
}

/// A ruleset in full (REST). An absent or null list stays `None`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ruleset {
    pub(super) name: Option<String>,
    pub(super) source_type: Option<String>,
    pub(super) source: Option<String>,
    pub(super) enforcement: Option<String>,
    pub(super) bypass_actors: Option<Vec<BypassActor>>,
    pub(super) conditions: Option<Conditions>,
    pub(super) rules: Option<Vec<Rule>>,
}

/// The conditions of a ruleset as REST shows them. Where a ruleset from above
/// chooses repositories, one of the kinds stands there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Conditions {
    pub(super) ref_name: Option<NameCondition>,
    pub(super) repository_name: Option<NameCondition>,
    pub(super) repository_id: Option<Value>,
    pub(super) repository_property: Option<Value>,
    pub(super) organization_name: Option<NameCondition>,
    pub(super) organization_id: Option<Value>,
    pub(super) organization_property: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BypassActor {
    pub(super) actor_id: Option<i64>,
    pub(super) actor_type: Option<String>,
    pub(super) bypass_mode: Option<String>,
}

/// A branch with the summary of its classic protection (REST).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Branch {
    pub(super) name: Option<String>,
    pub(super) protected: Option<bool>,
    pub(super) protection: Option<BranchSummary>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BranchSummary {
    pub(super) required_status_checks: Option<StatusChecks>,
}

/// Classic protection in full (REST).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Protection {
    pub(super) required_pull_request_reviews: Option<Reviews>,
    pub(super) required_status_checks: Option<StatusChecks>,
    pub(super) enforce_admins: Option<Flag>,
    pub(super) allow_force_pushes: Option<Flag>,
    pub(super) allow_deletions: Option<Flag>,
    pub(super) required_conversation_resolution: Option<Flag>,
    pub(super) required_linear_history: Option<Flag>,
    pub(super) required_signatures: Option<Flag>,
    pub(super) lock_branch: Option<Flag>,
    pub(super) restrictions: Option<Allowances>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Flag {
    pub(super) enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reviews {
    pub(super) required_approving_review_count: Option<u32>,
    pub(super) dismiss_stale_reviews: Option<bool>,
    pub(super) require_code_owner_reviews: Option<bool>,
    pub(super) require_last_push_approval: Option<bool>,
    pub(super) dismissal_restrictions: Option<Value>,
    pub(super) bypass_pull_request_allowances: Option<Allowances>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Allowances {
    pub(super) users: Vec<RestUser>,
    pub(super) teams: Vec<Slug>,
    pub(super) apps: Vec<Slug>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slug {
    pub(super) slug: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StatusChecks {
    pub(super) strict: Option<bool>,
    pub(super) enforcement_level: Option<String>,
    pub(super) contexts: Option<Vec<String>>,
    pub(super) checks: Option<Vec<ProtectionCheck>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProtectionCheck {
    pub(super) context: Option<String>,
    pub(super) app_id: Option<i64>,
}

/// One commit of a change.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PullCommit {
    pub(super) commit: Option<Commit>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Commit {
    pub(super) oid: Option<String>,
    pub(super) message: Option<String>,
    pub(super) author: Option<GitActor>,
    pub(super) committer: Option<GitActor>,
    pub(super) authors: Option<Nodes<GitActor>>,
    pub(super) parents: Option<Nodes<Oid>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GitActor {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) user: Option<Actor>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Review {
    pub(super) state: Option<String>,
    pub(super) submitted_at: Option<Timestamp>,
    pub(super) author_can_push_to_repository: Option<bool>,
    pub(super) author: Option<Actor>,
    pub(super) commit: Option<Oid>,
}

/// Of an event of which only the time is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Moment {
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ForcePush {
    pub(super) created_at: Option<Timestamp>,
    pub(super) actor: Option<Actor>,
    pub(super) before_commit: Option<Oid>,
    pub(super) after_commit: Option<Oid>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Comment {
    pub(super) id: Option<String>,
    pub(super) database_id: Option<u64>,
    pub(super) body: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) last_edited_at: Option<Timestamp>,
    pub(super) includes_created_edit: Option<bool>,
    pub(super) author: Option<Actor>,
}

/// A file of a change, as GraphQL names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ChangedFile {
    pub(super) path: Option<String>,
    pub(super) change_type: Option<String>,
    pub(super) additions: Option<u64>,
    pub(super) deletions: Option<u64>,
}

/// A file of a change, as REST names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RestFile {
    pub(super) filename: Option<String>,
    pub(super) previous_filename: Option<String>,
    pub(super) contents_url: Option<String>,
}

/// Where a pull request stands, in REST's words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RestPull {
    pub(super) head: RestCommit,
}

/// A commit that REST names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RestCommit {
    pub(super) sha: Option<String>,
}

/// A thread of a review.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Thread {
    pub(super) is_resolved: Option<bool>,
    pub(super) path: Option<String>,
    pub(super) resolved_by: Option<Actor>,
    pub(super) comments: Option<Nodes<Value>>,
}

/// The signature of a commit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Signature {
    pub(super) state: Option<String>,
    pub(super) is_valid: Option<bool>,
    pub(super) was_signed_by_git_hub: Option<bool>,
    pub(super) signer: Option<Actor>,
}

/// A check run or a commit status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CheckContext {
    #[serde(rename = "__typename")]
    pub(super) kind: Option<String>,
    pub(super) database_id: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) conclusion: Option<String>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) check_suite: Option<CheckSuite>,
    pub(super) context: Option<String>,
    pub(super) state: Option<String>,
    pub(super) created_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CheckSuite {
    pub(super) database_id: Option<u64>,
    pub(super) app: Option<App>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct App {
    pub(super) database_id: Option<u64>,
}

/// One entry of a branch's log of pushes (REST).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Activity {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) activity_type: Option<String>,
    pub(super) actor: Option<RestUser>,
}
