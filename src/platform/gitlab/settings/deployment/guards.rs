//! What guards one environment: from the entries of project and groups to who
//! approves, how many, and from where. Pure.

use serde::Deserialize;

use crate::facts::{DeployableRefs, Environment, Fact, FactKey, Source, Unknown};

use super::super::super::left_out;
use super::super::super::wire::{AccessLevel, Read};
use super::super::above;

/// Level of maintainers.
const MAINTAINER: u32 = 40;

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Protected {
    name: Option<String>,
    deploy_access_levels: Option<Vec<AccessLevel>>,
    approval_rules: Option<Vec<ApprovalRule>>,
    required_approval_count: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ApprovalRule {
    required_approvals: Option<u32>,
    access_level: Option<u32>,
    access_level_description: Option<String>,
    user_id: Option<u64>,
    group_id: Option<u64>,
}

/// What guards the environments.
pub(super) struct Guards {
    /// Entries of the project, by name of the environment.
    pub(super) project: Read<Vec<Protected>>,
    /// Entries of the groups above, by tier.
    pub(super) groups: Vec<Read<Vec<Protected>>>,
    /// Whether whoever starts a deployment may approve it.
    pub(super) starter_approves: Fact<bool>,
}

/// All entries that guard one environment, and what hides others.
struct Entries<'a> {
    all: Vec<&'a Protected>,
    sources: Vec<Source>,
    hidden: Option<Unknown>,
}

fn entries<'a>(environment: &str, tier: Option<&str>, guards: &'a Guards) -> Entries<'a> {
    let name = FactKey::DeploymentEnvironments.name();
    let mut found = Entries {
        all: Vec::new(),
        sources: Vec::new(),
        hidden: None,
    };
    let of_project = std::iter::once((&guards.project, Some(environment)));
    let of_groups = guards.groups.iter().map(|read| (read, tier));
    for (read, wanted) in of_project.chain(of_groups) {
        match read {
            Ok((list, sources)) => {
                found.sources.extend(sources.iter().cloned());
                for entry in list {
                    match entry.name.as_deref() {
                        Some(name) if Some(name) == wanted => found.all.push(entry),
                        Some(_) => {}
                        None => found.hidden = Some(left_out(name, "name", sources)),
                    }
                }
            }
            Err(unknown) => found.hidden = found.hidden.or(Some(unknown.clone())),
        }
    }
    found
}

/// The environment with what guards it.
pub(super) fn guarded(environment: String, tier: Option<String>, guards: &Guards) -> Environment {
    let seen = entries(&environment, tier.as_deref(), guards);
    let approvals = approvals(&seen);
    Environment {
        reviewers: reviewers(&seen),
        self_review_prevented: self_review_prevented(&approvals, &guards.starter_approves),
        // Once an approval is needed, a maintainer's deployment waits for it as well.
        administrators_exempt: approvals.map_ref(|needed| *needed == 0),
        approvals,
        refs: refs(&seen),
        name: environment,
        tier,
    }
}

/// How many people have to approve at least. One person may satisfy several
/// rules, so the largest counts, not the sum. Entries that are hidden can only
/// ask for more: what is seen stands, but a nothing does not.
fn approvals(seen: &Entries<'_>) -> Fact<u32> {
    let name = FactKey::DeploymentEnvironments.name();
    let mut needed = 0;
    let mut left = None;
    for entry in &seen.all {
        match entry.required_approval_count {
            Some(count) => needed = needed.max(count),
            None if entry.approval_rules.is_none() => left = Some("required_approval_count"),
            None => {}
        }
        for rule in entry.approval_rules.iter().flatten() {
            match rule.required_approvals {
                Some(count) => needed = needed.max(count),
                None => left = Some("approval_rules.required_approvals"),
            }
        }
    }
    match (needed, left, &seen.hidden) {
        (0, Some(field), _) => Fact::Unknown(left_out(name, field, &seen.sources)),
        (0, None, Some(unknown)) => Fact::Unknown(unknown.clone()),
        (_, _, _) => Fact::seen_in(needed, seen.sources.clone()),
    }
}

/// Who approves; where only a number is set, whoever may deploy.
fn reviewers(seen: &Entries<'_>) -> Fact<Vec<String>> {
    let mut found = Vec::new();
    for entry in &seen.all {
        let rules = entry.approval_rules.as_deref().unwrap_or_default();
        found.extend(rules.iter().map(|rule| {
            spoken(
                rule.user_id,
                rule.group_id,
                rule.access_level,
                rule.access_level_description.as_deref(),
            )
        }));
        if rules.is_empty() && entry.required_approval_count.is_some_and(|count| count > 0) {
            let levels = entry.deploy_access_levels.iter().flatten();
            found.extend(levels.map(|level| {
                spoken(
                    level.user_id,
                    level.group_id,
                    level.access_level,
                    level.access_level_description.as_deref(),
                )
            }));
        }
    }
    found.sort();
    found.dedup();
    match &seen.hidden {
        Some(unknown) => Fact::Unknown(unknown.clone()),
        None => Fact::seen_in(found, seen.sources.clone()),
    }
}

/// Somebody in words. GitLab gives people and groups by number, with the name
/// that they show beside it.
fn spoken(
    user: Option<u64>,
    group: Option<u64>,
    level: Option<u32>,
    description: Option<&str>,
) -> String {
    let shown = description.filter(|text| !text.is_empty());
    match (user, group, level) {
        (Some(id), _, _) => format!(
            "user {}",
            shown.map_or_else(|| id.to_string(), str::to_owned)
        ),
        (None, Some(id), _) => {
            format!(
                "group {}",
                shown.map_or_else(|| id.to_string(), str::to_owned)
            )
        }
        (None, None, Some(level)) => shown.map_or_else(|| format!("level {level}"), str::to_owned),
        (None, None, None) => shown.unwrap_or("somebody").to_owned(),
    }
}

/// Nobody is kept from approving what nobody has to approve.
fn self_review_prevented(approvals: &Fact<u32>, starter_approves: &Fact<bool>) -> Fact<bool> {
    match (approvals, starter_approves) {
        (Fact::Known { value: 0, .. }, _) => approvals.map_ref(|_| false),
        (_, Fact::Known { value: true, .. }) => starter_approves.map_ref(|_| false),
        (Fact::Unknown(unknown), _) => Fact::Unknown(unknown.clone()),
        (Fact::Known { .. }, starter) => starter.map_ref(|may| !may),
    }
}

/// GitLab cannot say from which branch an environment may be deployed. Where
/// developers may deploy, it is any branch. Where only maintainers may, it is
/// still any branch that one of them starts a pipeline for, but no developer's
/// alone: that is neither, and no interface settles it.
fn refs(seen: &Entries<'_>) -> Fact<DeployableRefs> {
    let name = FactKey::DeploymentEnvironments.name();
    let kept_in = seen.all.iter().any(|entry| {
        entry
            .deploy_access_levels
            .as_ref()
            .is_some_and(|levels| !levels.is_empty() && levels.iter().all(maintainers_only))
    });
    let vague = seen
        .all
        .iter()
        .any(|entry| entry.deploy_access_levels.is_none());
    match &seen.hidden {
        _ if kept_in => above::not_told(
            name,
            "GitLab limits who may deploy, here to maintainers, \
             and cannot limit the branches and tags that they deploy",
        ),
        Some(unknown) => Fact::Unknown(unknown.clone()),
        None if vague => Fact::Unknown(left_out(name, "deploy_access_levels", &seen.sources)),
        None => Fact::seen_in(DeployableRefs::Anything, seen.sources.clone()),
    }
}

/// The level of an entry for a user or a group says nothing about them.
fn maintainers_only(level: &AccessLevel) -> bool {
    level.user_id.is_none()
        && level.group_id.is_none()
        && level.access_level.is_some_and(|level| level >= MAINTAINER)
}
