//! Protected-branch entries of project and groups, each a layer. Knows that
//! several may match one branch and that the most permissive one wins; what a
//! token sees that may not read them is only whether there are any.

use std::collections::BTreeMap;

use crate::facts::{
    BranchRules, BypassActor, BypassKind, BypassMode, DirectPush, Fact, FactKey, Layer, LayerKind,
    LayerOrigin, Source, Unknown,
};

use super::super::left_out;
use super::super::wire::{AccessLevel, Branch, ProtectedBranch, Read};
use super::{Seen, demand, from_field, yes};

/// Stands for all entries where they may not be read.
pub(in super::super) const HIDDEN_LAYER: &str = "protected branches";
const FACT: &str = "branch.rules";
/// Level of developers, who are everybody that may write.
const DEVELOPER: u32 = 30;
/// Level of maintainers, who administer a project.
const MAINTAINER: u32 = 40;
/// Level of owners, the lowest that a maintainer cannot give themselves.
const OWNER: u32 = 50;

/// Adds what the entries demand; gives whether the branch is protected, if that is known.
pub(super) fn add(out: &mut BranchRules, seen: &Seen) -> Option<bool> {
    match &seen.entries {
        // It may be for this branch or not, and be the permissive or the strict one.
        Ok((entries, sources)) if entries.iter().any(|entry| entry.name.is_none()) => {
            add_flag(out, seen.flag.as_ref(), &left_out(FACT, "name", sources))
        }
        Ok((entries, sources)) => {
            let matching: Vec<_> = entries
                .iter()
                .filter(|entry| {
                    let name = entry.name.as_deref();
                    name.is_some_and(|name| applies(name, &seen.branch))
                })
                .collect();
            add_entries(out, &matching, sources, seen);
            Some(!matching.is_empty())
        }
        Err(unknown) => add_flag(out, seen.flag.as_ref(), unknown),
    }
}

/// Whether an entry's name covers the branch: `*` stands for any text.
pub(in super::super) fn applies(pattern: &str, branch: &str) -> bool {
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

/// The name of an entry's layer.
pub(in super::super) fn entry_name(entry: &ProtectedBranch) -> String {
    format!(
        "protected branch \"{}\"{}",
        entry.name.as_deref().unwrap_or("?"),
        if entry.inherited == Some(true) {
            " (inherited)"
        } else {
            ""
        }
    )
}

fn add_entries(
    out: &mut BranchRules,
    matching: &[&ProtectedBranch],
    sources: &[Source],
    seen: &Seen,
) {
    let paid_only = |field: Option<bool>, name: &str| match (field, seen.free_tier()) {
        // The free tier leaves out what it does not sell.
        (None, Some(free)) => Fact::seen_in(false, free.to_vec()),
        (field, _) => from_field(field, FACT, name, sources),
    };
    if let (Some(_), false) = (seen.free_tier(), matching.is_empty()) {
        out.not_in_plan.push("code owner approval".to_owned());
        out.not_in_plan.push("unprotect levels".to_owned());
    }
    for (index, entry) in matching.iter().enumerate() {
        let mut id = entry_name(entry);
        if out.layers.iter().any(|layer| layer.id == id) {
            // Two groups may carry an entry of the same name.
            id = format!("{id} #{}", index + 1);
        }
        let pushers = entry.push_access_levels.as_deref();
        let push = |fact: &str| left_out(fact, "push_access_levels", sources);
        let bypass = match pushers {
            Some(levels) => Fact::seen_in(actors(levels, &seen.members), sources.to_vec()),
            None => Fact::Unknown(push(FactKey::BranchBypass.name())),
        };
        // "Through merge requests only" holds if nobody at all may push: a
        // person, group or deploy key on the list is somebody.
        let nobody_pushes = from_field(
            pushers.map(|levels| levels.iter().all(is_nobody)),
            FACT,
            "push_access_levels",
            sources,
        );
        let direct_push = from_field(
            pushers.map(|levels| DirectPush {
                restricted: limited(levels),
                actors: names(actors(levels, &seen.members)),
            }),
            FACT,
            "push_access_levels",
            sources,
        );
        let no_force = from_field(
            entry.allow_force_push.map(|allowed| !allowed),
            FACT,
            "allow_force_push",
            sources,
        );
        let owners = paid_only(
            entry.code_owner_approval_required,
            "code_owner_approval_required",
        );
        let inherited = entry.inherited == Some(true);
        // A project cannot take away what a group has set.
        let removal = if inherited {
            yes(sources)
        } else {
            paid_only(
                entry.unprotect_access_levels.as_deref().map(only_owners),
                "unprotect_access_levels",
            )
        };
        out.protected.demands.push(demand(&id, yes(sources)));
        out.pull_request_required
            .demands
            .push(demand(&id, nobody_pushes));
        out.direct_push.demands.push(demand(&id, direct_push));
        out.force_push_blocked.demands.push(demand(&id, no_force));
        // Git refuses to delete a protected branch for everybody. Maintainers
        // may still delete it in the web pages, as they may unprotect it.
        out.deletion_blocked.demands.push(demand(&id, yes(sources)));
        out.code_owner_review_required
            .demands
            .push(demand(&id, owners));
        out.removal_limited.demands.push(demand(&id, removal));
        let mut layer = Layer::of_repository(id, LayerKind::ProtectedBranch, bypass);
        if inherited {
            layer.origin = LayerOrigin::Organization;
            layer.all_repositories = yes(sources);
        }
        out.layers.push(layer);
    }
}

/// What the branch itself tells a token that may not read the entries: that
/// it is not protected at all, or that it is and whether developers may push.
fn add_flag(out: &mut BranchRules, flag: Option<&Read<Branch>>, unknown: &Unknown) -> Option<bool> {
    let told = match flag {
        Some(Ok((branch, sources))) => Some((branch, sources)),
        Some(Err(_)) | None => None,
    };
    let protected = told.and_then(|(branch, _)| branch.protected);
    if protected == Some(false) {
        return Some(false);
    }
    out.unseen.push(HIDDEN_LAYER.to_owned());
    out.layers.push(Layer::of_repository(
        HIDDEN_LAYER,
        LayerKind::ProtectedBranch,
        Fact::Unknown(Unknown {
            fact: FactKey::BranchBypass.name().to_owned(),
            ..unknown.clone()
        }),
    ));
    fn hidden<T>(unknown: &Unknown) -> Fact<T> {
        Fact::Unknown(unknown.clone())
    }
    let (anybody, open) = match told {
        // Proven: every developer may push. That they may not says nothing
        // about people, groups and keys.
        Some((branch, sources)) if branch.developers_can_push == Some(true) => (
            Fact::seen_in(false, sources.clone()),
            Fact::seen_in(
                DirectPush {
                    restricted: false,
                    actors: vec!["developers and maintainers".to_owned()],
                },
                sources.clone(),
            ),
        ),
        Some(_) | None => (hidden(unknown), hidden(unknown)),
    };
    let known = || match (told, protected) {
        (Some((_, sources)), Some(true)) => yes(sources),
        (Some(_) | None, _) => hidden(unknown),
    };
    let layer = HIDDEN_LAYER;
    out.pull_request_required
        .demands
        .push(demand(layer, anybody));
    out.direct_push.demands.push(demand(layer, open));
    for requirement in [
        &mut out.force_push_blocked,
        &mut out.code_owner_review_required,
        &mut out.removal_limited,
    ] {
        requirement.demands.push(demand(layer, hidden(unknown)));
    }
    out.protected.demands.push(demand(layer, known()));
    out.deletion_blocked.demands.push(demand(layer, known()));
    protected
}

/// Whether a list of levels keeps out those who may only write. A level that
/// this version does not know may mean anybody.
pub(in super::super) fn limited(levels: &[AccessLevel]) -> bool {
    levels.iter().all(|level| {
        names_somebody(level) || matches!(level.access_level, Some(0 | MAINTAINER | OWNER | 60))
    })
}

/// Whether all who may unprotect stand above maintainers. Without a list
/// GitLab lets maintainers do it.
fn only_owners(levels: &[AccessLevel]) -> bool {
    !levels.is_empty()
        && levels.iter().all(|level| {
            let above = level.access_level.is_some_and(|at| at == 0 || at >= OWNER);
            above && !names_somebody(level)
        })
}

fn names(actors: Vec<BypassActor>) -> Vec<String> {
    actors.into_iter().map(|actor| actor.name).collect()
}

fn is_nobody(level: &AccessLevel) -> bool {
    level.access_level == Some(0) && !names_somebody(level)
}

/// Whether the level stands for somebody in particular, not for a role.
fn names_somebody(level: &AccessLevel) -> bool {
    level.user_id.is_some()
        || level.group_id.is_some()
        || level.deploy_key_id.is_some()
        || level.member_role_id.is_some()
}

/// Whom a list of levels lets through. Roles reach up: whoever stands above
/// the named role is meant too.
pub(in super::super) fn actors(
    levels: &[AccessLevel],
    members: &BTreeMap<u64, String>,
) -> Vec<BypassActor> {
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
                Some(DEVELOPER) => {
                    actors.push(actor(BypassKind::Role, "developers and maintainers"));
                    (BypassKind::Administrators, "maintainers".to_owned())
                }
                Some(MAINTAINER) => (BypassKind::Administrators, "maintainers".to_owned()),
                Some(OWNER) => (BypassKind::OrganizationOwners, "owners".to_owned()),
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

pub(super) fn actor(kind: BypassKind, name: &str) -> BypassActor {
    BypassActor {
        kind,
        name: name.to_owned(),
        mode: BypassMode::Always,
    }
}
