//! What the project demands beside its entries: merge checks, approval
//! settings, approval rules. Knows that GitLab's two forms of the approval
//! settings say the same with opposite polarity.

use crate::facts::{
    BranchRules, Demand, Fact, InactiveRules, MergeMethod, RequiredCheck, RequiredWorkflow,
    Requirement, Source, Unknown, Why,
};

use super::super::wire::{ApprovalRule, ApprovalSetting, Project, Read, SettingValue};
use super::{Seen, applies, demand, from_field};

const SETTINGS_LAYER: &str = "project approval settings";
const MERGE_CHECKS_LAYER: &str = "project merge checks";
const POLICIES: &str = "pipeline execution policies";
const FACT: &str = "branch.rules";

/// The project's own conditions for a merge, and how it merges.
pub(super) fn add_merge_checks(out: &mut BranchRules, seen: &Seen) {
    let of = |read: fn(&Project) -> Option<bool>, field: &str| setting(seen, read, field);
    let checks = from_project(seen, |project, sources| {
        let wanted = project.only_allow_merge_if_pipeline_succeeds.map(|wanted| {
            let pipeline = RequiredCheck {
                name: "pipeline".to_owned(),
                app: None,
            };
            if wanted { vec![pipeline] } else { Vec::new() }
        });
        from_field(
            wanted,
            FACT,
            "only_allow_merge_if_pipeline_succeeds",
            sources,
        )
    });
    // Null is GitLab's word for "never set", which is off.
    let skipped = of(
        |project| {
            project
                .allow_merge_on_skipped_pipeline
                .map(|allowed| allowed != Some(true))
        },
        "allow_merge_on_skipped_pipeline",
    );
    let resolved = of(
        |project| project.only_allow_merge_if_all_discussions_are_resolved,
        "only_allow_merge_if_all_discussions_are_resolved",
    );
    let linear = of(
        |project| project.merge_method.as_deref().map(|word| word == "ff"),
        "merge_method",
    );
    let up_to_date = from_project(seen, |project, sources| {
        up_to_date(project, sources, seen.free_tier())
    });
    let methods = from_project(seen, merge_methods);
    let layer = MERGE_CHECKS_LAYER;
    out.required_checks.demands.push(demand(layer, checks));
    out.skipped_checks_block
        .demands
        .push(demand(layer, skipped));
    out.conversations_resolved
        .demands
        .push(demand(layer, resolved));
    out.linear_history_required
        .demands
        .push(demand(layer, linear));
    out.up_to_date_required
        .demands
        .push(demand(layer, up_to_date));
    out.merge_methods.demands.push(demand(layer, methods));
}

fn from_project<T>(seen: &Seen, read: impl Fn(&Project, &[Source]) -> Fact<T>) -> Fact<T> {
    match &seen.project {
        Ok((project, sources)) => read(project, sources),
        Err(unknown) => Fact::Unknown(unknown.clone()),
    }
}

fn setting(seen: &Seen, read: fn(&Project) -> Option<bool>, field: &str) -> Fact<bool> {
    from_project(seen, |project, sources| {
        from_field(read(project), FACT, field, sources)
    })
}

/// Fast-forward and semi-linear merges take a rebased head only, and a merge
/// train runs on the merged result. A train that may be skipped guarantees nothing.
fn up_to_date(project: &Project, sources: &[Source], free: Option<&[Source]>) -> Fact<bool> {
    if matches!(project.merge_method.as_deref(), Some("ff" | "rebase_merge")) {
        return Fact::seen_in(true, sources.to_vec());
    }
    let train = [
        ("merge_pipelines_enabled", project.merge_pipelines_enabled),
        ("merge_trains_enabled", project.merge_trains_enabled),
        (
            "merge_trains_skip_train_allowed",
            project.merge_trains_skip_train_allowed.map(|may| !may),
        ),
    ];
    let by_train = if train.iter().any(|(_, value)| *value == Some(false)) {
        Fact::seen_in(false, sources.to_vec())
    } else {
        match (train.iter().find(|(_, value)| value.is_none()), free) {
            (None, _) => Fact::seen_in(true, sources.to_vec()),
            // The free tier has no trains.
            (Some(_), Some(free)) => Fact::seen_in(false, free.to_vec()),
            (Some((field, _)), None) => from_field(None, FACT, field, sources),
        }
    };
    match (&project.merge_method, &by_train) {
        (None, Fact::Known { value: false, .. }) => from_field(None, FACT, "merge_method", sources),
        (Some(_) | None, _) => by_train,
    }
}

/// How a change ends up on the branch. A semi-linear merge still makes a merge
/// commit, and so does a merge of squashed commits; a fast-forward of squashed
/// commits is the squash alone.
pub(in super::super) fn merge_methods(
    project: &Project,
    sources: &[Source],
) -> Fact<Vec<MergeMethod>> {
    let Some(method) = project.merge_method.as_deref() else {
        return from_field(None, FACT, "merge_method", sources);
    };
    let Some(squash) = project.squash_option.as_deref() else {
        return from_field(None, FACT, "squash_option", sources);
    };
    let base = match method {
        "merge" | "rebase_merge" => MergeMethod::Merge,
        "ff" => MergeMethod::FastForward,
        other => MergeMethod::Other(other.to_owned()),
    };
    let methods = match squash {
        "never" => vec![base],
        "always" if base == MergeMethod::FastForward => vec![MergeMethod::Squash],
        "always" | "default_on" | "default_off" => vec![base, MergeMethod::Squash],
        other => vec![base, MergeMethod::Other(format!("squash_option {other}"))],
    };
    Fact::seen_in(methods, sources.to_vec())
}

/// The settings around approvals, as they are in force.
pub(super) fn add_setting(out: &mut BranchRules, read: &Read<Option<ApprovalSetting>>) {
    if let Ok((None, _)) = read {
        out.not_in_plan.push("approval settings".to_owned());
    }
    let value = |of: fn(&ApprovalSetting) -> Option<bool>, field: &str| match read {
        Ok((None, sources)) => Fact::seen_in(false, sources.clone()),
        Ok((Some(setting), sources)) => from_field(of(setting), FACT, field, sources),
        Err(unknown) => Fact::Unknown(unknown.clone()),
    };
    let add = |requirement: &mut Requirement<bool>, value| {
        requirement.demands.push(demand(SETTINGS_LAYER, value));
    };
    add(
        &mut out.stale_approvals_dismissed,
        value(dismisses, "retain_approvals_on_push"),
    );
    // `merge_requests_author_approval: true` means that authors may approve.
    add(
        &mut out.author_approval_blocked,
        value(
            |s| {
                not(
                    s.allow_author_approval.as_ref(),
                    s.merge_requests_author_approval.map(|may| !may),
                )
            },
            "allow_author_approval",
        ),
    );
    add(
        &mut out.committer_approval_blocked,
        value(
            |s| {
                not(
                    s.allow_committer_approval.as_ref(),
                    s.merge_requests_disable_committers_approval,
                )
            },
            "allow_committer_approval",
        ),
    );
    add(
        &mut out.approval_rules_locked,
        value(
            |s| {
                not(
                    s.allow_overrides_to_approver_list_per_merge_request
                        .as_ref(),
                    s.disable_overriding_approvers_per_merge_request,
                )
            },
            "allow_overrides_to_approver_list_per_merge_request",
        ),
    );
    // GitLab has neither: it knows committers, not who pushed last, and an
    // approval can be taken back by whoever gave it only.
    let none = || Fact::known_without_source(false);
    add(&mut out.last_push_approval_required, none());
    add(&mut out.dismissal_restricted, none());
}

/// The opposite of the effective setting, or the older form as it is.
fn not(effective: Option<&SettingValue>, older: Option<bool>) -> Option<bool> {
    match effective {
        Some(setting) => setting.value.map(|allowed| !allowed),
        None => older,
    }
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

/// Policies of a security project, which no REST answer carries. Only the
/// highest tier sells them, so the free one is known to have none.
pub(super) fn add_policies(out: &mut BranchRules, seen: &Seen) {
    let (workflows, inactive): (Fact<Vec<RequiredWorkflow>>, Fact<Vec<InactiveRules>>) =
        match seen.free_tier() {
            Some(sources) => {
                out.not_in_plan.push(POLICIES.to_owned());
                (
                    Fact::seen_in(Vec::new(), sources.to_vec()),
                    Fact::seen_in(Vec::new(), sources.to_vec()),
                )
            }
            None => {
                let unknown = Unknown::new(
                    FACT,
                    Why::NotSupported,
                    "security policies of the project cannot be read with REST, \
                     and the tier may be one that has them",
                );
                (Fact::Unknown(unknown.clone()), Fact::Unknown(unknown))
            }
        };
    out.required_workflows
        .demands
        .push(demand(POLICIES, workflows));
    out.inactive = inactive;
}

/// Each rule wants its own approvals, so the whole is at least the largest of
/// them. The sum would be wrong where one person stands in two rules: we err low.
pub(super) fn add_approval_rules(
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
            out.unseen.push(LAYER.to_owned());
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
        let value = from_field(value, FACT, "approvals_required", sources);
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
                .filter_map(|entry| entry.name.as_deref())
                .any(|name| applies(name, branch)),
        ),
        None => None,
    }
}
