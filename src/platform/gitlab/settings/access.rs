//! Who and what can reach the project: its own settings, people and groups,
//! keys, tokens, hooks. Does not judge whether they should.

use crate::facts::{
    AccessToken, Account, Collaborator, Collaborators, DeployKey, Fact, FactKey,
    RepositorySettings, Source, TeamAccess, Unknown, Visibility, Webhook,
};

use super::super::branch::merge_methods;
use super::super::wire::{Project, Read, list, time};
use super::super::{Session, left_out, permissions};
use super::above;
use super::group_people::{Row, member_ids, of_group};
use super::machines::{self, TokenKind, role};

const NEEDS: &str = permissions::SETTINGS;

/// Group `repository.settings`, out of what the first round brought.
pub(super) fn repository(session: &Session) -> Fact<RepositorySettings> {
    let name = FactKey::RepositorySettings.name();
    match above::project(session, name, permissions::PROJECT) {
        Ok((project, sources)) => Fact::seen_in(settings(project, sources), sources.to_vec()),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn settings(project: &Project, sources: &[Source]) -> RepositorySettings {
    fn given<T>(value: Option<T>, field: &str, sources: &[Source]) -> Fact<T> {
        let name = FactKey::RepositorySettings.name();
        match value {
            Some(value) => Fact::seen_in(value, sources.to_vec()),
            None => Fact::Unknown(left_out(name, field, sources)),
        }
    }
    let last_activity = match project.last_activity_at.as_ref().map(Option::as_deref) {
        Some(None) => Some(None),
        Some(Some(text)) => time(Some(text)).map(Some),
        None => None,
    };
    RepositorySettings {
        visibility: given(
            project.visibility.as_deref().map(visibility),
            "visibility",
            sources,
        ),
        archived: given(project.archived, "archived", sources),
        last_activity: given(last_activity, "last_activity_at", sources),
        merge_methods: renamed(
            merge_methods(project, sources),
            FactKey::RepositorySettings.name(),
        ),
        // GitLab offers it for every change, and has no setting against it.
        auto_merge: Fact::known_without_source(true),
        public_pipelines: given(
            project.public_jobs.or(project.public_builds),
            "public_jobs",
            sources,
        ),
    }
}

fn renamed<T>(fact: Fact<T>, name: &str) -> Fact<T> {
    match fact {
        Fact::Unknown(unknown) => Fact::Unknown(Unknown {
            fact: name.to_owned(),
            ..unknown
        }),
        known @ Fact::Known { .. } => known,
    }
}

fn visibility(word: &str) -> Visibility {
    match word {
        "private" => Visibility::Private,
        "internal" => Visibility::Internal,
        "public" => Visibility::Public,
        other => Visibility::Other(other.to_owned()),
    }
}

/// Group `access.collaborators`.
pub(super) async fn collaborators(session: &Session) -> Fact<Collaborators> {
    let name = FactKey::AccessCollaborators.name();
    let (project, sources) = match above::project(session, name, permissions::MEMBERS) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let direct_path = session.path("/members");
    let (all, direct, group) = tokio::join!(
        session.all_members(),
        session.settings.get_all(&direct_path, None),
        of_group(session, name, permissions::GROUP_MEMBER)
    );
    let seen = Seen {
        all: list(name, permissions::MEMBERS, all),
        direct: list(name, permissions::MEMBERS, &direct),
        group,
    };
    let found = Collaborators {
        people: people(project, &seen),
        teams: teams(project, sources),
        in_organization: match above::groups(project, name, sources) {
            Ok(_) => Fact::seen_in(true, sources.to_vec()),
            Err(_) if above::is_a_persons(project) => Fact::seen_in(false, sources.to_vec()),
            Err(unknown) => Fact::Unknown(unknown),
        },
    };
    Fact::seen_in(found, sources.to_vec())
}

struct Seen {
    all: Read<Vec<Row>>,
    direct: Read<Vec<Row>>,
    group: Read<Vec<Row>>,
}

/// Whether somebody stands outside cannot be told without the group's members,
/// so the list is unknown without them. Above a person's own project there is
/// no group, and everybody but that person is from outside.
fn people(project: &Project, seen: &Seen) -> Fact<Vec<Collaborator>> {
    let name = FactKey::AccessCollaborators.name();
    match reached(name, project, seen) {
        Ok((people, sources)) => Fact::seen_in(people, sources),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn reached(name: &str, project: &Project, seen: &Seen) -> Read<Vec<Collaborator>> {
    let (all, sources) = seen.all.as_ref().map_err(Clone::clone)?;
    let (direct, more) = seen.direct.as_ref().map_err(Clone::clone)?;
    let mut sources = sources.clone();
    sources.extend(more.iter().cloned());
    let inside = match &seen.group {
        Ok((_, more)) => {
            sources.extend(more.iter().cloned());
            Inside::Members(member_ids(name, &seen.group)?)
        }
        // Not by the reason: a server may lack the list of members, too.
        Err(_) if above::is_a_persons(project) => {
            let namespace = project.namespace.as_ref();
            let owner = namespace.and_then(|namespace| namespace.full_path.clone());
            Inside::Owner(owner.ok_or_else(|| left_out(name, "namespace.full_path", &sources))?)
        }
        Err(unknown) => return Err(unknown.clone()),
    };
    let mut found = Vec::new();
    for row in all {
        let one = collaborator(row, direct, &inside);
        found.extend(one.map_err(|field| left_out(name, field, &sources))?);
    }
    found.sort();
    Ok((found, sources))
}

/// Who is not from outside.
enum Inside {
    Members(Vec<u64>),
    Owner(String),
}

fn collaborator(
    row: &Row,
    direct: &[Row],
    inside: &Inside,
) -> Result<Option<Collaborator>, &'static str> {
    if !row.in_force()? {
        return Ok(None);
    }
    let Some(account): Option<Account> = row.account()? else {
        return Ok(None);
    };
    let id = row.id.ok_or("id")?;
    let given = direct.iter().find(|other| other.id == Some(id));
    Ok(Some(Collaborator {
        outside: match inside {
            Inside::Members(ids) => !ids.contains(&id),
            Inside::Owner(login) => !account.is(login),
        },
        role: row.role()?,
        direct: given.map(Row::role).transpose()?,
        account,
    }))
}

/// The groups that the project was shared with.
fn teams(project: &Project, sources: &[Source]) -> Fact<Vec<TeamAccess>> {
    let name = FactKey::AccessCollaborators.name();
    let unknown = |field| Fact::Unknown(left_out(name, field, sources));
    let Some(shared) = &project.shared_with_groups else {
        return unknown("shared_with_groups");
    };
    let mut found = Vec::new();
    for group in shared {
        let (Some(path), Some(level)) = (&group.group_full_path, group.group_access_level) else {
            return unknown("shared_with_groups");
        };
        found.push(TeamAccess {
            name: format!("@{path}"),
            role: role(level),
        });
    }
    found.sort();
    Fact::seen_in(found, sources.to_vec())
}

/// Group `access.deploy_keys`.
pub(super) async fn deploy_keys(session: &Session) -> Fact<Vec<DeployKey>> {
    let name = FactKey::AccessDeployKeys.name();
    if let Err(unknown) = above::project(session, name, NEEDS) {
        return Fact::Unknown(unknown);
    }
    let path = session.path("/deploy_keys");
    machines::keys(name, NEEDS, &session.settings.get_all(&path, None).await)
}

/// Group `access.tokens`.
pub(super) async fn tokens(session: &Session) -> Fact<Vec<AccessToken>> {
    let name = FactKey::AccessTokens.name();
    if let Err(unknown) = above::project(session, name, NEEDS) {
        return Fact::Unknown(unknown);
    }
    let paths = ["/access_tokens", "/deploy_tokens", "/triggers"].map(|rest| session.path(rest));
    let [access, deploy, triggers] = &paths;
    let of = &session.settings;
    let (access, deploy, triggers) = tokio::join!(
        of.get_all(access, None),
        of.get_all(deploy, None),
        of.get_all(triggers, None)
    );
    machines::tokens(
        name,
        NEEDS,
        &[
            (TokenKind::Project, &access),
            (TokenKind::Deploy, &deploy),
            (TokenKind::Trigger, &triggers),
        ],
    )
}

/// Group `access.webhooks`.
pub(super) async fn webhooks(session: &Session) -> Fact<Vec<Webhook>> {
    let name = FactKey::AccessWebhooks.name();
    if let Err(unknown) = above::project(session, name, NEEDS) {
        return Fact::Unknown(unknown);
    }
    let path = session.path("/hooks");
    machines::hooks(name, NEEDS, &session.settings.get_all(&path, None).await)
}

#[cfg(test)]
mod tests;
