//! What a new project of the group gets from the start. Knows the older form
//! in which GitLab says how a default branch is protected.

use crate::facts::{Fact, FactKey, NewRepositoryDefaults, Unknown};

use super::super::super::left_out;
use super::super::above::not_told;
use super::{Group, NEEDS, Seen};

/// Level of maintainers: developers, below it, are the people to keep out.
const MAINTAINER: u32 = 40;

/// Group `organization.defaults` out of the nearest group.
pub(super) fn new_projects(seen: &Seen) -> Result<Fact<NewRepositoryDefaults>, Unknown> {
    let name = FactKey::OrganizationDefaults.name();
    let nearest = seen.nearest();
    let (group, sources) = nearest.as_ref().map_err(Clone::clone)?;
    let protected = protected_from_the_start(group)
        .map_or_else(
            |field| Fact::Unknown(left_out(name, field, sources).needs(NEEDS)),
            |protected| Fact::seen_in(protected, sources.clone()),
        )
        .map(|protected| {
            if protected {
                vec!["default branch protection".to_owned()]
            } else {
                Vec::new()
            }
        });
    let defaults = NewRepositoryDefaults {
        branch_rules: protected,
        security_configuration: match &seen.free {
            // Security policies are sold with the highest tier only.
            Some(sources) => Fact::seen_in(None, sources.clone()),
            None => not_told(
                name,
                "GitLab has no interface that tells which security policies a new project gets",
            ),
        },
    };
    Ok(Fact::seen_in(defaults, sources.clone()))
}

/// Whether developers can neither push to a new default branch nor force
/// anything on it. The error is the field that does not tell.
fn protected_from_the_start(group: &Group) -> Result<bool, &'static str> {
    const DEFAULTS: &str = "default_branch_protection_defaults";
    let Some(defaults) = &group.default_branch_protection_defaults else {
        return by_number(group).ok_or(DEFAULTS);
    };
    match (&defaults.allowed_to_push, defaults.allow_force_push) {
        // Nothing is written there, so the older number counts.
        (None, None) => by_number(group).ok_or(DEFAULTS),
        (_, Some(true)) => Ok(false),
        (Some(levels), force) => {
            let levels = levels
                .iter()
                .map(|level| level.access_level)
                .collect::<Option<Vec<u32>>>()
                .filter(|levels| !levels.is_empty())
                .ok_or("default_branch_protection_defaults.allowed_to_push")?;
            if levels.iter().any(|level| (1..MAINTAINER).contains(level)) {
                return Ok(false);
            }
            force
                .map(|force| !force)
                .ok_or("default_branch_protection_defaults.allow_force_push")
        }
        (None, Some(false)) => Err("default_branch_protection_defaults.allowed_to_push"),
    }
}

/// 0 protects nothing, 1 lets developers push, 2 to 4 do not.
fn by_number(group: &Group) -> Option<bool> {
    match group.default_branch_protection? {
        0 | 1 => Some(false),
        2..=4 => Some(true),
        _ => None,
    }
}
