//! From protected-branch entries and project settings to the rules of one
//! branch. Pure: knows how GitLab combines entries and which role each
//! setting needs, does not judge them.
//!
//! The approvals demanded here are the project's. A merge request may carry
//! its own list where the project allows that; such a list is for that
//! request only and says nothing about the branch.

use std::collections::BTreeMap;

use crate::facts::{
    BranchRules, BypassActor, BypassKind, BypassMode, Demand, Fact, FactKey, Layer, LayerKind,
    LayerOrigin, RequiredCheck, Requirement, Source, Unknown,
};

use super::wire::{
    AccessLevel, ApprovalRule, ApprovalSetting, Branch, Project, ProtectedBranch, Read,
};

/// Everything that was read about the branch.
pub(super) struct Seen {
    /// Name of the branch.
    pub(super) branch: String,
    /// The protected-branch entries of project and groups.
    pub(super) entries: Read<Vec<ProtectedBranch>>,
    /// The branch itself, for tokens that may not read the entries.
    pub(super) flag: Option<Read<Branch>>,
    /// The project.
    pub(super) project: Read<Project>,
    /// Approval settings; `None` inside: the tier does not sell them.
    pub(super) setting: Read<Option<ApprovalSetting>>,
    /// Approval rules; `None` inside: the tier does not sell them.
    pub(super) rules: Read<Option<Vec<ApprovalRule>>>,
    /// Names of members by number.
    pub(super) members: BTreeMap<u64, String>,
}

const SETTINGS_LAYER: &str = "project approval settings";
const MERGE_CHECKS_LAYER: &str = "project merge checks";
const HIDDEN_LAYER: &str = "protected branches";

/// The rules of the branch. Always known as a whole; what was hidden is
/// unknown inside.
pub(super) fn rules(seen: &Seen) -> Fact<BranchRules> {
    let mut out = BranchRules::unseen(
        seen.branch.clone(),
        Layer::of_repository(
            HIDDEN_LAYER,
            LayerKind::ProtectedBranch,
            Fact::known_without_source(Vec::new()),
        ),
        &Unknown::not_collected("branch.rules"),
    );
    out.layers.clear();
    out.protected = Requirement::any_layer(Vec::new());
    out.pull_request_required = Requirement::every_layer(Vec::new());
    out.approvals_required = Requirement::any_layer(Vec::new());
    out.stale_approvals_dismissed = Requirement::any_layer(Vec::new());
    out.required_checks = Requirement::any_layer(Vec::new());
    out.skipped_checks_block = Requirement::any_layer(Vec::new());
    out.force_push_blocked = Requirement::every_layer(Vec::new());
    out.deletion_blocked = Requirement::every_layer(Vec::new());
    let protected = match &seen.entries {
        Ok((entries, sources)) => {
            let matching: Vec<_> = entries
                .iter()
                .filter(|entry| applies(entry.name.as_deref(), &seen.branch))
                .collect();
            add_entries(&mut out, &matching, sources, &seen.members);
            Some(!matching.is_empty())
        }
        Err(unknown) => add_flag(&mut out, seen.flag.as_ref(), unknown),
    };
    add_merge_checks(&mut out, &seen.project);
    add_setting(&mut out, &seen.setting);
    add_approval_rules(&mut out, &seen.rules, protected);
    let sources = seen
        .entries
        .as_ref()
        .map(|(_, sources)| sources.clone())
        .unwrap_or_default();
    Fact::seen_in(out, sources)
}

/// Whether an entry's name covers the branch: `*` stands for any text. An
/// entry without a name is taken to apply, since it may be the permissive one.
pub(super) fn applies(pattern: Option<&str>, branch: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    let mut parts = pattern.split('*');
    let Some(mut rest) = branch.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = pattern.rsplit_once('*').map(|(_, last)| last) else {
        return rest.is_empty();
    };
    let middle: Vec<_> = parts.collect();
    for part in middle.iter().take(middle.len().saturating_sub(1)) {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn add_entries(
    out: &mut BranchRules,
    matching: &[&ProtectedBranch],
    sources: &[Source],
    members: &BTreeMap<u64, String>,
) {
    for (index, entry) in matching.iter().enumerate() {
        let mut id = format!(
            "protected branch \"{}\"{}",
            entry.name.as_deref().unwrap_or("?"),
            if entry.inherited == Some(true) {
                " (inherited)"
            } else {
                ""
            }
        );
        if out.layers.iter().any(|layer| layer.id == id) {
            // Two groups may carry an entry of the same name.
            id = format!("{id} #{}", index + 1);
        }
        let bypass = from_field(
            entry
                .push_access_levels
                .as_deref()
                .map(|levels| bypass(levels, members)),
            "branch.bypass",
            "push_access_levels",
            sources,
        );
        // "Through merge requests only" holds if nobody at all may push: a
        // person, group or deploy key on the list is somebody.
        let nobody_pushes = from_field(
            entry
                .push_access_levels
                .as_deref()
                .map(|levels| levels.iter().all(is_nobody)),
            "branch.rules",
            "push_access_levels",
            sources,
        );
        let no_force = from_field(
            entry.allow_force_push.map(|allowed| !allowed),
            "branch.rules",
            "allow_force_push",
            sources,
        );
        out.protected.demands.push(demand(&id, yes(sources)));
        out.pull_request_required
            .demands
            .push(demand(&id, nobody_pushes));
        out.force_push_blocked.demands.push(demand(&id, no_force));
        // Git refuses to delete a protected branch for everybody. Maintainers
        // may still delete it in the web pages, as they may unprotect it.
        out.deletion_blocked.demands.push(demand(&id, yes(sources)));
        let mut layer = Layer::of_repository(id, LayerKind::ProtectedBranch, bypass);
        if entry.inherited == Some(true) {
            layer.origin = LayerOrigin::Organization;
        }
        out.layers.push(layer);
    }
}

/// What the branch itself tells a token that may not read the entries: that
/// it is not protected at all, or that it is, and no more.
fn add_flag(out: &mut BranchRules, flag: Option<&Read<Branch>>, unknown: &Unknown) -> Option<bool> {
    let protected = match flag {
        Some(Ok((branch, sources))) => branch.protected.map(|value| (value, sources.clone())),
        Some(Err(_)) | None => None,
    };
    if let Some((false, _)) = &protected {
        return Some(false);
    }
    let hidden = || Fact::Unknown(unknown.clone());
    out.layers.push(Layer::of_repository(
        HIDDEN_LAYER,
        LayerKind::ProtectedBranch,
        Fact::Unknown(Unknown {
            fact: FactKey::BranchBypass.name().to_owned(),
            ..unknown.clone()
        }),
    ));
    out.pull_request_required
        .demands
        .push(demand(HIDDEN_LAYER, hidden()));
    out.force_push_blocked
        .demands
        .push(demand(HIDDEN_LAYER, hidden()));
    match protected {
        Some((_, sources)) => {
            out.protected
                .demands
                .push(demand(HIDDEN_LAYER, yes(&sources)));
            out.deletion_blocked
                .demands
                .push(demand(HIDDEN_LAYER, yes(&sources)));
            Some(true)
        }
        None => {
            out.protected.demands.push(demand(HIDDEN_LAYER, hidden()));
            out.deletion_blocked
                .demands
                .push(demand(HIDDEN_LAYER, hidden()));
            None
        }
    }
}

fn add_merge_checks(out: &mut BranchRules, project: &Read<Project>) {
    let (checks, skipped) = match project {
        Ok((project, sources)) => (
            from_field(
                project.only_allow_merge_if_pipeline_succeeds.map(|wanted| {
                    let pipeline = RequiredCheck {
                        name: "pipeline".to_owned(),
                        app: None,
                    };
                    if wanted { vec![pipeline] } else { Vec::new() }
                }),
                "branch.rules",
                "only_allow_merge_if_pipeline_succeeds",
                sources,
            ),
            from_field(
                // Null is GitLab's word for "never set", which is off.
                project
                    .allow_merge_on_skipped_pipeline
                    .map(|allowed| allowed != Some(true)),
                "branch.rules",
                "allow_merge_on_skipped_pipeline",
                sources,
            ),
        ),
        Err(unknown) => (
            Fact::Unknown(unknown.clone()),
            Fact::Unknown(unknown.clone()),
        ),
    };
    out.required_checks
        .demands
        .push(demand(MERGE_CHECKS_LAYER, checks));
    out.skipped_checks_block
        .demands
        .push(demand(MERGE_CHECKS_LAYER, skipped));
}

fn add_setting(out: &mut BranchRules, setting: &Read<Option<ApprovalSetting>>) {
    let value = match setting {
        Ok((None, sources)) => {
            out.not_in_plan.push("approval settings".to_owned());
            Fact::seen_in(false, sources.clone())
        }
        Ok((Some(setting), sources)) => from_field(
            dismisses(setting),
            "branch.rules",
            "retain_approvals_on_push",
            sources,
        ),
        Err(unknown) => Fact::Unknown(unknown.clone()),
    };
    out.stale_approvals_dismissed
        .demands
        .push(demand(SETTINGS_LAYER, value));
}

/// Whether all approvals fall on a push. Removing only those of code owners
/// whose files changed leaves others standing, so that is not it.
fn dismisses(setting: &ApprovalSetting) -> Option<bool> {
    let all = match (
        &setting.retain_approvals_on_push,
        setting.reset_approvals_on_push,
    ) {
        (Some(retain), _) => !retain.value?,
        (None, Some(reset)) => reset,
        (None, None) => return None,
    };
    let partial = match &setting.selective_code_owner_removals {
        Some(serde_json::Value::Bool(value)) => Some(*value),
        Some(other) => other.get("value").and_then(serde_json::Value::as_bool),
        None => None,
    };
    match (all, partial) {
        (false, _) | (true, Some(true)) => Some(false),
        (true, Some(false)) => Some(true),
        (true, None) => None,
    }
}

/// Each rule wants its own approvals, so the whole is at least the largest of
/// them. The sum would be wrong where one person stands in two rules: we err low.
fn add_approval_rules(
    out: &mut BranchRules,
    rules: &Read<Option<Vec<ApprovalRule>>>,
    protected: Option<bool>,
) {
    const LAYER: &str = "approval rules";
    let (rules, sources) = match rules {
        Ok((Some(rules), sources)) => (rules, sources),
        Ok((None, sources)) => {
            out.not_in_plan.push(LAYER.to_owned());
            let none = Fact::seen_in(0, sources.clone());
            out.approvals_required.demands.push(demand(LAYER, none));
            return;
        }
        Err(unknown) => {
            let hidden = Fact::Unknown(unknown.clone());
            out.approvals_required.demands.push(demand(LAYER, hidden));
            return;
        }
    };
    for rule in rules {
        // Code owners and report rules count for their files and findings only.
        if !matches!(rule.rule_type.as_deref(), Some("any_approver" | "regular")) {
            continue;
        }
        let value = match covers(rule, &out.branch, protected) {
            Some(false) => continue,
            Some(true) => rule.approvals_required,
            None => None,
        };
        let layer = format!("approval rule \"{}\"", rule.name.as_deref().unwrap_or("?"));
        let value = from_field(value, "branch.rules", "approvals_required", sources);
        out.approvals_required.demands.push(Demand { layer, value });
    }
    if out.approvals_required.demands.is_empty() {
        let none = Fact::seen_in(0, sources.clone());
        out.approvals_required.demands.push(demand(LAYER, none));
    }
}

/// Whether a rule is for this branch; `None` if that hangs on something hidden.
fn covers(rule: &ApprovalRule, branch: &str, protected: Option<bool>) -> Option<bool> {
    if rule.applies_to_all_protected_branches == Some(true) {
        return protected;
    }
    match rule.protected_branches.as_deref() {
        Some([]) => Some(true),
        Some(entries) => Some(
            entries
                .iter()
                .any(|entry| entry.name.is_some() && applies(entry.name.as_deref(), branch)),
        ),
        None => None,
    }
}

fn is_nobody(level: &AccessLevel) -> bool {
    level.access_level == Some(0)
        && level.user_id.is_none()
        && level.group_id.is_none()
        && level.deploy_key_id.is_none()
        && level.member_role_id.is_none()
}

/// Who may push past the merge request. Roles reach up: whoever stands above
/// the named role is meant too.
fn bypass(levels: &[AccessLevel], members: &BTreeMap<u64, String>) -> Vec<BypassActor> {
    let mut actors = Vec::new();
    for level in levels.iter().filter(|level| !is_nobody(level)) {
        let described = level.access_level_description.as_deref().unwrap_or("?");
        let named = if let Some(id) = level.deploy_key_id {
            (
                BypassKind::DeployKey,
                format!("deploy key {described} ({id})"),
            )
        } else if let Some(id) = level.user_id {
            let name = members.get(&id).map_or_else(
                || format!("user {described} ({id})"),
                |login| format!("@{login}"),
            );
            (BypassKind::User, name)
        } else if let Some(id) = level.group_id {
            (BypassKind::Team, format!("group {described} ({id})"))
        } else {
            match level.access_level {
                Some(30) => {
                    actors.push(actor(BypassKind::Role, "developers and maintainers"));
                    (BypassKind::Administrators, "maintainers".to_owned())
                }
                Some(40) => (BypassKind::Administrators, "maintainers".to_owned()),
                Some(50) => (BypassKind::OrganizationOwners, "owners".to_owned()),
                Some(60) => (
                    BypassKind::EnterpriseOwners,
                    "instance administrators".to_owned(),
                ),
                Some(_) | None => (
                    BypassKind::Other("access_level".to_owned()),
                    described.to_owned(),
                ),
            }
        };
        actors.push(actor(named.0, &named.1));
    }
    actors.sort();
    actors.dedup();
    actors
}

fn actor(kind: BypassKind, name: &str) -> BypassActor {
    BypassActor {
        kind,
        name: name.to_owned(),
        mode: BypassMode::Always,
    }
}

fn demand<T>(layer: &str, value: Fact<T>) -> Demand<T> {
    Demand {
        layer: layer.to_owned(),
        value,
    }
}

fn yes(sources: &[Source]) -> Fact<bool> {
    Fact::seen_in(true, sources.to_vec())
}

/// A field that an answer left out is unknown, whatever its default may be.
fn from_field<T>(value: Option<T>, fact: &str, field: &str, sources: &[Source]) -> Fact<T> {
    match value {
        Some(value) => Fact::seen_in(value, sources.to_vec()),
        None => Fact::Unknown(super::left_out(fact, field, sources)),
    }
}

#[cfg(test)]
#[path = "branch_tests.rs"]
mod tests;
