//! What the groups above the project demand of their members and let them do,
//! and what a new project gets from the start. Knows which settings count at
//! the top group only, and how those of several levels combine.

mod defaults;

use serde::Deserialize;

use crate::facts::{
    AccessRole, Fact, FactKey, NewRepositoryDefaults, Organization, OrganizationIdentity, Source,
    Unknown, Who, any_of,
};

use super::super::wire::{AccessLevel, Read, SharedGroup, object, present};
use super::super::{Session, permissions};
use super::above::{self, fact, field, not_told};

const NEEDS: &str = permissions::GROUP_OWNER;

#[derive(Clone, Debug, Default, Deserialize)]
struct Group {
    require_two_factor_authentication: Option<bool>,
    two_factor_grace_period: Option<u32>,
    project_creation_level: Option<String>,
    share_with_group_lock: Option<bool>,
    membership_lock: Option<bool>,
    prevent_forking_outside_group: Option<bool>,
    shared_with_groups: Option<Vec<SharedGroup>>,
    #[serde(default, deserialize_with = "present")]
    ip_restriction_ranges: Option<Option<String>>,
    default_branch_protection: Option<u32>,
    default_branch_protection_defaults: Option<BranchDefaults>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct BranchDefaults {
    allowed_to_push: Option<Vec<AccessLevel>>,
    allow_force_push: Option<bool>,
}

/// The groups, nearest first, and where it was seen that nothing was bought.
struct Seen {
    name: String,
    chain: Vec<Read<Group>>,
    free: Option<Vec<Source>>,
}

impl Seen {
    fn nearest(&self) -> Read<Group> {
        at(self.chain.first())
    }

    fn top(&self) -> Read<Group> {
        at(self.chain.last())
    }
}

fn at(read: Option<&Read<Group>>) -> Read<Group> {
    read.cloned()
        .unwrap_or_else(|| Err(Unknown::not_collected("organization")))
}

async fn seen(session: &Session, fact: &str) -> Result<Seen, Unknown> {
    let paths = above::groups_of(session, fact, NEEDS)?;
    let (replies, free) = tokio::join!(above::answers(session, &paths), above::free_tier(session));
    Ok(Seen {
        name: paths.first().cloned().unwrap_or_default(),
        chain: replies
            .iter()
            .map(|reply| object(fact, permissions::GROUP_MEMBER, reply))
            .collect(),
        free,
    })
}

/// Group `organization.settings`.
pub(super) async fn organization(session: &Session) -> Fact<Organization> {
    let name = FactKey::OrganizationSettings.name();
    fact(seen(session, name).await.and_then(|seen| settings(&seen)))
}

/// Group `organization.identity`.
pub(super) async fn identity(session: &Session) -> Fact<OrganizationIdentity> {
    let name = FactKey::OrganizationIdentity.name();
    fact(
        seen(session, name)
            .await
            .and_then(|seen| who_gets_in(&seen)),
    )
}

/// Group `organization.defaults`.
pub(super) async fn defaults(session: &Session) -> Fact<NewRepositoryDefaults> {
    let name = FactKey::OrganizationDefaults.name();
    fact(
        seen(session, name)
            .await
            .and_then(|seen| defaults::new_projects(&seen)),
    )
}

fn settings(seen: &Seen) -> Result<Fact<Organization>, Unknown> {
    let name = FactKey::OrganizationSettings.name();
    let nearest = seen.nearest();
    let (_, sources) = nearest.as_ref().map_err(Clone::clone)?;
    let mut not_in_plan = Vec::new();
    // Only the top group can keep forks inside, for everything below it.
    let private_forking = match (
        field(
            &seen.top(),
            name,
            "prevent_forking_outside_group",
            NEEDS,
            |group| group.prevent_forking_outside_group,
        ),
        &seen.free,
    ) {
        (known @ Fact::Known { .. }, _) => known.map(|prevented| !prevented),
        (Fact::Unknown(_), Some(sources)) => {
            not_in_plan.push("private_forking".to_owned());
            Fact::seen_in(true, sources.clone())
        }
        (unknown @ Fact::Unknown(_), None) => unknown,
    };
    let organization = Organization {
        name: seen.name.clone(),
        two_factor_required: two_factor_required(&seen.chain),
        two_factor_grace_hours: grace_hours(&seen.chain),
        base_permission: base_permission(&seen.chain),
        repository_creation: field(&nearest, name, "project_creation_level", NEEDS, |group| {
            group.project_creation_level.as_deref().map(creators)
        }),
        // GitLab's own table of roles: both take an owner, and no setting changes that.
        repository_deletion: Fact::known_without_source(Who::Owners),
        visibility_change: Fact::known_without_source(Who::Owners),
        outside_invitation: outside_invitation(&nearest, seen.free.as_deref(), &mut not_in_plan),
        private_forking,
        not_in_plan,
    };
    Ok(Fact::seen_in(organization, sources.clone()))
}

/// A group above may demand what the nearest does not.
fn two_factor_required(chain: &[Read<Group>]) -> Fact<bool> {
    any_of(chain.iter().map(|read| {
        field(
            read,
            FactKey::OrganizationSettings.name(),
            "require_two_factor_authentication",
            NEEDS,
            |group| group.require_two_factor_authentication,
        )
    }))
}

/// The shortest period of the groups that demand two factors; of the nearest
/// where none does.
fn grace_hours(chain: &[Read<Group>]) -> Fact<u32> {
    let name = FactKey::OrganizationSettings.name();
    let mut shortest: Option<Fact<u32>> = None;
    let mut nearest = None;
    for read in chain {
        let hours = field(read, name, "two_factor_grace_period", NEEDS, |group| {
            group.two_factor_grace_period
        });
        let wanted = field(
            read,
            name,
            "require_two_factor_authentication",
            NEEDS,
            |group| group.require_two_factor_authentication,
        );
        match (&wanted, &hours) {
            (Fact::Unknown(unknown), _) => return Fact::Unknown(unknown.clone()),
            (Fact::Known { value: true, .. }, Fact::Unknown(_)) => return hours,
            (Fact::Known { value: true, .. }, Fact::Known { value, .. }) => {
                let longer = match &shortest {
                    Some(Fact::Known { value: least, .. }) => value < least,
                    Some(Fact::Unknown(_)) | None => true,
                };
                if longer {
                    shortest = Some(hours.clone());
                }
            }
            (Fact::Known { value: false, .. }, _) => {}
        }
        nearest.get_or_insert(hours);
    }
    shortest
        .or(nearest)
        .unwrap_or_else(|| Fact::Unknown(Unknown::not_collected(name)))
}

/// What members of other groups get here just because their group was invited.
/// GitLab gives its own members nothing beyond the role that each was given.
fn base_permission(chain: &[Read<Group>]) -> Fact<AccessRole> {
    let name = FactKey::OrganizationSettings.name();
    let mut strongest = AccessRole::None;
    let mut sources = Vec::new();
    let mut hidden = None;
    for read in chain {
        let shared = field(read, name, "shared_with_groups", NEEDS, |group| {
            let levels = group.shared_with_groups.as_ref()?;
            levels
                .iter()
                .map(|shared| shared.group_access_level.map(super::machines::role))
                .collect::<Option<Vec<AccessRole>>>()
        });
        match shared {
            Fact::Known { value, sources: at } => {
                strongest = value.into_iter().fold(strongest, Ord::max);
                sources.extend(at);
            }
            Fact::Unknown(unknown) => hidden = hidden.or(Some(unknown)),
        }
    }
    match hidden {
        // What is hidden could not be stronger.
        Some(unknown) if !strongest.is_admin() => Fact::Unknown(unknown),
        Some(_) | None => Fact::seen_in(strongest, sources),
    }
}

/// Who may create projects in the group.
fn creators(word: &str) -> Who {
    match word {
        // The instance's administrators stand outside of every group.
        "noone" | "administrator" => Who::Nobody,
        "owner" => Who::Owners,
        "maintainer" => Who::Administrators,
        "developer" => Who::Members,
        other => Who::Other(other.to_owned()),
    }
}

/// Who may bring in people from outside. Maintainers may add anybody to their
/// project unless the group locks its membership, and may invite whole groups
/// unless it locks sharing: only both locks leave it to the owners. So where
/// one lock is known to be open, it is the maintainers, and a lock that is not
/// shown is never taken for a closed one.
fn outside_invitation(
    nearest: &Read<Group>,
    free: Option<&[Source]>,
    not_in_plan: &mut Vec<String>,
) -> Fact<Who> {
    let name = FactKey::OrganizationSettings.name();
    let sharing = field(nearest, name, "share_with_group_lock", NEEDS, |group| {
        group.share_with_group_lock
    });
    let mut joining = field(nearest, name, "membership_lock", NEEDS, |group| {
        group.membership_lock
    });
    if let (Fact::Unknown(_), Some(sources)) = (&joining, free) {
        not_in_plan.push("outside_invitation".to_owned());
        joining = Fact::seen_in(false, sources.to_vec());
    }
    crate::facts::all_of([sharing, joining]).map(|locked| {
        if locked {
            Who::Owners
        } else {
            Who::Administrators
        }
    })
}

fn who_gets_in(seen: &Seen) -> Result<Fact<OrganizationIdentity>, Unknown> {
    let name = FactKey::OrganizationIdentity.name();
    let nearest = seen.nearest();
    let (_, sources) = nearest.as_ref().map_err(Clone::clone)?;
    let mut not_in_plan = Vec::new();
    // Addresses are limited at the top group, for everything below it.
    let ranges = field(&seen.top(), name, "ip_restriction_ranges", NEEDS, |group| {
        let ranges = group.ip_restriction_ranges.as_ref()?;
        Some(
            ranges
                .as_ref()
                .is_some_and(|ranges| !ranges.trim().is_empty()),
        )
    });
    let ip_allow_list = match (ranges, &seen.free) {
        (Fact::Unknown(_), Some(sources)) => {
            not_in_plan.push("ip_allow_list".to_owned());
            Fact::seen_in(false, sources.clone())
        }
        (known_or_not, _) => known_or_not,
    };
    let identity = OrganizationIdentity {
        single_sign_on: not_told(
            name,
            "GitLab has no interface that tells whether single sign-on is enforced",
        ),
        ip_allow_list,
        verified_domains: not_told(
            name,
            "GitLab has no interface that tells the verified domains of a group",
        ),
        notifications_restricted: not_told(
            name,
            "GitLab cannot limit notifications to verified domains",
        ),
        not_in_plan,
    };
    Ok(Fact::seen_in(identity, sources.clone()))
}

#[cfg(test)]
mod tests;
