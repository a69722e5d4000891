//! GitLab's answers as they come: every field optional, unknown words kept,
//! unknown fields ignored. Knows no facts and makes no requests; what a
//! missing field means is decided where it is translated.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::facts::{Source, Unknown};

use super::super::access;
use super::super::transport::{Answer, Listing, NoAnswer};

/// What one request brought.
pub(super) type Reply = Result<Answer, NoAnswer>;
/// What one request over all pages brought.
pub(super) type Pages = Result<Listing, NoAnswer>;
/// A value with the answers it was read from, or why there is none.
pub(super) type Read<T> = Result<(T, Vec<Source>), Unknown>;

/// Reads one object out of an answer.
pub(super) fn object<T: DeserializeOwned>(fact: &str, needs: &str, reply: &Reply) -> Read<T> {
    match reply {
        Ok(answer) => answer
            .json()
            .map(|value| (value, vec![answer.source.clone()]))
            .map_err(|detail| {
                access::malformed(fact, &answer.endpoint, answer.status, &detail).needs(needs)
            }),
        Err(no_answer) => Err(access::refused(fact, needs, no_answer)),
    }
}

/// Reads a list out of all its pages. One entry that cannot be read makes the
/// whole list unreadable: a shortened list could hide the entry that matters.
pub(super) fn list<T: DeserializeOwned>(fact: &str, needs: &str, pages: &Pages) -> Read<Vec<T>> {
    let listing = pages
        .as_ref()
        .map_err(|no_answer| access::refused(fact, needs, no_answer))?;
    let mut items = Vec::with_capacity(listing.items.len());
    for item in &listing.items {
        items.push(serde_json::from_value(item.clone()).map_err(|error| {
            access::malformed(fact, &listing.endpoint, 200, &error.to_string())
        })?);
    }
    Ok((items, listing.sources.clone()))
}

/// Tells an absent field (`None`) from one that is there and null (`Some(None)`).
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    pub(super) id: Option<u64>,
    pub(super) username: Option<String>,
    pub(super) bot: Option<bool>,
}

/// A user as GraphQL names them.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct GraphqlUser {
    /// `gid://gitlab/User/7`
    pub(super) id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) bot: Option<bool>,
}

impl From<GraphqlUser> for User {
    fn from(user: GraphqlUser) -> Self {
        let number = user.id.as_deref();
        Self {
            id: number.and_then(|id| id.strip_prefix("gid://gitlab/User/")?.parse().ok()),
            username: user.username,
            bot: user.bot,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct MergeRequest {
    pub(super) iid: Option<u64>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) state: Option<String>,
    pub(super) draft: Option<bool>,
    pub(super) author: Option<User>,
    pub(super) source_branch: Option<String>,
    pub(super) target_branch: Option<String>,
    pub(super) sha: Option<String>,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: Option<u64>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) created_at: Option<String>,
    pub(super) merged_at: Option<String>,
    pub(super) merge_user: Option<User>,
    pub(super) merged_by: Option<User>,
    pub(super) merge_commit_sha: Option<String>,
    pub(super) squash_commit_sha: Option<String>,
    pub(super) changes_count: Option<String>,
    pub(super) blocking_discussions_resolved: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(super) head_pipeline: Option<Option<Pipeline>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: Option<u64>,
    pub(super) finished_at: Option<String>,
    pub(super) sha: Option<String>,
    pub(super) status: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Job {
    pub(super) finished_at: Option<String>,
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) allow_failure: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Access {
    pub(super) access_level: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Permissions {
    pub(super) project_access: Option<Access>,
    pub(super) group_access: Option<Access>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Project {
    pub(super) default_branch: Option<String>,
    pub(super) only_allow_merge_if_pipeline_succeeds: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(super) allow_merge_on_skipped_pipeline: Option<Option<bool>>,
    pub(super) only_allow_merge_if_all_discussions_are_resolved: Option<bool>,
    pub(super) merge_method: Option<String>,
    pub(super) squash_option: Option<String>,
    pub(super) merge_pipelines_enabled: Option<bool>,
    pub(super) merge_trains_enabled: Option<bool>,
    pub(super) merge_trains_skip_train_allowed: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(super) ci_config_path: Option<Option<String>>,
    pub(super) shared_with_groups: Option<Vec<SharedGroup>>,
    pub(super) permissions: Option<Permissions>,
    pub(super) namespace: Option<Namespace>,
    pub(super) visibility: Option<String>,
    pub(super) archived: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(super) last_activity_at: Option<Option<String>>,
    pub(super) public_jobs: Option<bool>,
    pub(super) public_builds: Option<bool>,
    pub(super) ci_allow_fork_pipelines_to_run_in_parent_project: Option<bool>,
    pub(super) ci_push_repository_for_job_token_allowed: Option<bool>,
    pub(super) ci_pipeline_variables_minimum_override_role: Option<String>,
    pub(super) restrict_user_defined_variables: Option<bool>,
    pub(super) ci_id_token_sub_claim_components: Option<Vec<String>>,
    pub(super) allow_pipeline_trigger_approve_deployment: Option<bool>,
    pub(super) secret_push_protection_enabled: Option<bool>,
    /// Its name before 17.9.
    pub(super) pre_receive_secret_detection_enabled: Option<bool>,
}

/// What the project stands in: a group, or a person's own space.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Namespace {
    pub(super) kind: Option<String>,
    pub(super) full_path: Option<String>,
}

/// A group that a project was shared with.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SharedGroup {
    pub(super) group_full_path: Option<String>,
    pub(super) group_access_level: Option<u32>,
}

impl Project {
    /// The role of the token, if the answer tells one. An administrator's
    /// token has none here, so an absent role says nothing.
    pub(super) fn role(&self) -> Option<u32> {
        let permissions = self.permissions.as_ref()?;
        [&permissions.project_access, &permissions.group_access]
            .into_iter()
            .flatten()
            .filter_map(|access| access.access_level)
            .max()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Branch {
    pub(super) name: Option<String>,
    pub(super) protected: Option<bool>,
    pub(super) developers_can_push: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct AccessLevel {
    pub(super) access_level: Option<u32>,
    pub(super) access_level_description: Option<String>,
    pub(super) user_id: Option<u64>,
    pub(super) group_id: Option<u64>,
    pub(super) deploy_key_id: Option<u64>,
    pub(super) member_role_id: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ProtectedBranch {
    pub(super) name: Option<String>,
    pub(super) push_access_levels: Option<Vec<AccessLevel>>,
    pub(super) unprotect_access_levels: Option<Vec<AccessLevel>>,
    pub(super) allow_force_push: Option<bool>,
    pub(super) code_owner_approval_required: Option<bool>,
    pub(super) inherited: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SettingValue {
    pub(super) value: Option<bool>,
}

/// `merge_request_approval_setting` and `approvals` of a project in one: they
/// say the same with opposite polarity, and never both.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ApprovalSetting {
    pub(super) retain_approvals_on_push: Option<SettingValue>,
    pub(super) reset_approvals_on_push: Option<bool>,
    pub(super) selective_code_owner_removals: Option<serde_json::Value>,
    pub(super) allow_author_approval: Option<SettingValue>,
    pub(super) merge_requests_author_approval: Option<bool>,
    pub(super) allow_committer_approval: Option<SettingValue>,
    pub(super) merge_requests_disable_committers_approval: Option<bool>,
    pub(super) allow_overrides_to_approver_list_per_merge_request: Option<SettingValue>,
    pub(super) disable_overriding_approvers_per_merge_request: Option<bool>,
}

/// What pushes to the project have to keep to.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct PushRule {
    pub(super) reject_unsigned_commits: Option<bool>,
    pub(super) commit_committer_check: Option<bool>,
    pub(super) commit_committer_name_check: Option<bool>,
    pub(super) member_check: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(super) author_email_regex: Option<Option<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct BranchName {
    pub(super) name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ApprovalRule {
    pub(super) name: Option<String>,
    pub(super) rule_type: Option<String>,
    pub(super) approvals_required: Option<u32>,
    pub(super) applies_to_all_protected_branches: Option<bool>,
    pub(super) protected_branches: Option<Vec<BranchName>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Approval {
    pub(super) user: Option<User>,
    pub(super) approved_at: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Approvals {
    pub(super) approvals_required: Option<u32>,
    pub(super) approved_by: Option<Vec<Approval>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Member {
    pub(super) id: Option<u64>,
    pub(super) username: Option<String>,
    pub(super) access_level: Option<u32>,
    pub(super) state: Option<String>,
    pub(super) membership_state: Option<String>,
}

impl Member {
    /// Whether the account and the membership are both in force. Anything but
    /// the known word counts as not in force.
    pub(super) fn active(&self) -> bool {
        self.state.as_deref() == Some("active")
            && self
                .membership_state
                .as_deref()
                .is_none_or(|s| s == "active")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Note {
    pub(super) id: Option<u64>,
    pub(super) body: Option<String>,
    pub(super) author: Option<User>,
    pub(super) created_at: Option<String>,
    pub(super) updated_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) last_edited_at: Option<Option<String>>,
    pub(super) system: Option<bool>,
    pub(super) resolvable: Option<bool>,
    pub(super) resolved: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub(super) resolved_by: Option<Option<User>>,
    pub(super) position: Option<Position>,
}

/// Where in the diff a note stands.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Position {
    pub(super) new_path: Option<String>,
}

/// A reviewer and what they last did.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Reviewer {
    pub(super) user: Option<User>,
    pub(super) state: Option<String>,
}

/// One file of a merge request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Diff {
    pub(super) old_path: Option<String>,
    pub(super) new_path: Option<String>,
    pub(super) new_file: Option<bool>,
    pub(super) renamed_file: Option<bool>,
    pub(super) deleted_file: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Version {
    pub(super) id: Option<u64>,
    pub(super) head_commit_sha: Option<String>,
    pub(super) created_at: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WireCommit {
    pub(super) id: Option<String>,
    pub(super) message: Option<String>,
    pub(super) author_name: Option<String>,
    pub(super) author_email: Option<String>,
    pub(super) committer_name: Option<String>,
    pub(super) committer_email: Option<String>,
    pub(super) parent_ids: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct PushData {
    pub(super) action: Option<String>,
    pub(super) commit_from: Option<String>,
    pub(super) commit_to: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) ref_type: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Event {
    pub(super) created_at: Option<String>,
    pub(super) author: Option<User>,
    pub(super) push_data: Option<PushData>,
}

/// How two commits stand to each other.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Comparison {
    pub(super) commits: Option<Vec<WireCommit>>,
}

/// Reads a time of the platform's clock.
pub(super) fn time(text: Option<&str>) -> Option<jiff::Timestamp> {
    text?.parse().ok()
}

/// Reads a time, or the first moment of a day that is given without a time.
pub(super) fn day(text: Option<&str>) -> Option<jiff::Timestamp> {
    time(text).or_else(|| time(Some(&format!("{}T00:00:00Z", text?))))
}
