//! Who belongs to the group, who owns it, who reaches the project from outside
//! of it, and when each was last active. Knows
//! whose membership is in force; a person without the field that tells is unknown.

use serde::Deserialize;

use crate::facts::{
    AccessRole, Account, Fact, FactKey, MemberActivity, Source, Unknown, WithoutTwoFactor,
};

use super::super::people::account;
use super::super::wire::{Pages, Read, User, day, list, present};
use super::super::{Session, left_out, permissions};
use super::above;
use super::machines::role;

/// Level of owners.
const OWNER: u32 = 50;

/// A member of a group or project.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Row {
    pub(super) id: Option<u64>,
    username: Option<String>,
    bot: Option<bool>,
    pub(super) access_level: Option<u32>,
    state: Option<String>,
    membership_state: Option<String>,
    member_role: Option<CustomRole>,
    two_factor_enabled: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    last_activity_on: Option<Option<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct CustomRole {
    name: Option<String>,
}

impl Row {
    /// Whether the membership is in force. A word that is not known leaves it in
    /// force; the error is the field that would have told.
    pub(super) fn in_force(&self) -> Result<bool, &'static str> {
        let state = self.state.as_deref().ok_or("state")?;
        let locked = [
            "blocked",
            "ldap_blocked",
            "blocked_pending_approval",
            "banned",
        ];
        Ok(!locked.contains(&state) && self.membership_state.as_deref() != Some("awaiting"))
    }

    /// The account; known `None`: GitLab's stand-in for those that were deleted.
    pub(super) fn account(&self) -> Result<Option<Account>, &'static str> {
        // Lists of settings are compared by login from one snapshot to the next.
        let user = User {
            id: None,
            username: self.username.clone(),
            bot: self.bot,
        };
        match account(&user) {
            Some(account) => Ok(Some(account)),
            None if self.username.as_deref() == Some("ghost") => Ok(None),
            None => Err("username"),
        }
    }

    /// What they may do. A role of the group's own counts as the strongest.
    pub(super) fn role(&self) -> Result<AccessRole, &'static str> {
        if let Some(custom) = &self.member_role {
            let name = custom.name.as_deref().unwrap_or("without a name");
            return Ok(AccessRole::Other(format!("custom role {name}")));
        }
        self.access_level.map(role).ok_or("access_level")
    }
}

/// Accounts in force that `keep` keeps, each once, sorted.
fn accounts(
    name: &str,
    read: &Read<Vec<Row>>,
    keep: impl Fn(&Row) -> Result<bool, &'static str>,
) -> Fact<Vec<Account>> {
    let (rows, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut found = Vec::new();
    for row in rows {
        let one = || -> Result<Option<Account>, &'static str> {
            if row.in_force()? && keep(row)? {
                row.account()
            } else {
                Ok(None)
            }
        };
        match one() {
            Ok(account) => found.extend(account),
            Err(field) => return Fact::Unknown(left_out(name, field, sources)),
        }
    }
    found.sort();
    found.dedup();
    Fact::seen_in(found, sources.clone())
}

/// Members of the nearest group.
pub(super) async fn of_group(session: &Session, name: &str, needs: &str) -> Read<Vec<Row>> {
    let paths = above::groups_of(session, name, needs)?;
    let (nearest, _) = above::nearest_and_top(&paths);
    let pages = above::members(session, nearest).await;
    list(name, needs, pages)
}

/// Group `organization.members`.
pub(super) async fn members(session: &Session) -> Fact<Vec<Account>> {
    let name = FactKey::OrganizationMembers.name();
    accounts(
        name,
        &of_group(session, name, permissions::GROUP_MEMBER).await,
        |_| Ok(true),
    )
}

/// Group `organization.owners`.
pub(super) async fn owners(session: &Session) -> Fact<Vec<Account>> {
    let name = FactKey::OrganizationOwners.name();
    accounts(
        name,
        &of_group(session, name, permissions::GROUP_MEMBER).await,
        owns,
    )
}

fn owns(row: &Row) -> Result<bool, &'static str> {
    Ok(row.access_level.ok_or("access_level")? >= OWNER)
}

/// Group `organization.outside`: who reaches the project and is no member of its group.
pub(super) async fn outside(session: &Session) -> Fact<Vec<Account>> {
    let name = FactKey::OrganizationOutside.name();
    let (group, project) =
        tokio::join!(of_group(session, name, permissions::GROUP_MEMBER), async {
            above::project(session, name, permissions::MEMBERS)?;
            let pages = session.all_members().await;
            list::<Row>(name, permissions::MEMBERS, pages)
        });
    outsiders(name, &group, project)
}

fn outsiders(name: &str, group: &Read<Vec<Row>>, project: Read<Vec<Row>>) -> Fact<Vec<Account>> {
    let inside = match member_ids(name, group) {
        Ok(inside) => inside,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let from_group = group.as_ref().map(|(_, sources)| sources.clone());
    let project = project.map(|(rows, mut sources)| {
        sources.extend(from_group.unwrap_or_default());
        (rows, sources)
    });
    accounts(name, &project, |row| {
        Ok(!inside.contains(&row.id.ok_or("id")?))
    })
}

/// The numbers of everybody whose membership of the group is in force.
pub(super) fn member_ids(name: &str, group: &Read<Vec<Row>>) -> Result<Vec<u64>, Unknown> {
    let (rows, sources) = group.as_ref().map_err(Clone::clone)?;
    let mut ids = Vec::new();
    for row in rows {
        let id = row.id.ok_or("id").and_then(|id| Ok((id, row.in_force()?)));
        match id {
            Ok((id, true)) => ids.push(id),
            Ok((_, false)) => {}
            Err(field) => return Err(left_out(name, field, sources)),
        }
    }
    Ok(ids)
}

/// Group `organization.two_factor`. Newer servers tell owners of a group who
/// has a second factor; GitLab does not tell the methods apart.
pub(super) async fn two_factor(session: &Session) -> Fact<WithoutTwoFactor> {
    let name = FactKey::OrganizationTwoFactor.name();
    without_two_factor(
        name,
        &of_group(session, name, permissions::GROUP_OWNER).await,
    )
}

fn without_two_factor(name: &str, read: &Read<Vec<Row>>) -> Fact<WithoutTwoFactor> {
    const FIELD: &str = "two_factor_enabled";
    let sources = match read {
        Ok((_, sources)) => sources.clone(),
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let disabled = accounts(name, read, |row| {
        row.two_factor_enabled.map(|on| !on).ok_or(FIELD)
    });
    let found = WithoutTwoFactor {
        disabled: match disabled {
            Fact::Unknown(unknown) => Fact::Unknown(unknown.needs(permissions::GROUP_OWNER)),
            known @ Fact::Known { .. } => known.map(|all| by_flag(all, read)),
        },
        insecure: Fact::known_without_source(Vec::new()),
    };
    Fact::seen_in(found, sources)
}

/// Anybody may choose a name like a bot's, and a bot needs no second factor: here
/// only GitLab's own flag makes an account a bot.
fn by_flag(accounts: Vec<Account>, read: &Read<Vec<Row>>) -> Vec<Account> {
    let flagged = |account: &Account| {
        read.as_ref().is_ok_and(|(rows, _)| {
            rows.iter().any(|row| {
                row.bot == Some(true) && row.username.as_deref() == Some(account.login.as_str())
            })
        })
    };
    accounts
        .into_iter()
        .map(|account| {
            if flagged(&account) {
                account
            } else {
                Account::human(account.login)
            }
        })
        .collect()
}

/// Group `organization.activity`. GitLab keeps it for the top group.
pub(super) async fn activity(session: &Session) -> Fact<Vec<MemberActivity>> {
    let name = FactKey::OrganizationActivity.name();
    let paths = match above::groups_of(session, name, permissions::GROUP_OWNER) {
        Ok(paths) => paths,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let (_, top) = above::nearest_and_top(&paths);
    let path = above::under(top, "/billable_members");
    let pages = session.settings.get_all(&path, None).await;
    last_active(&pages)
}

fn last_active(pages: &Pages) -> Fact<Vec<MemberActivity>> {
    let name = FactKey::OrganizationActivity.name();
    let (rows, sources): (Vec<Row>, Vec<Source>) = match list(name, permissions::GROUP_OWNER, pages)
    {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let mut found = Vec::new();
    for row in rows {
        let account = match row.account() {
            Ok(Some(account)) => account,
            Ok(None) => continue,
            Err(field) => return Fact::Unknown(left_out(name, field, &sources)),
        };
        let last_active = match row.last_activity_on.as_ref().map(Option::as_deref) {
            Some(None) => Fact::seen_in(None, sources.clone()),
            Some(Some(text)) => match day(Some(text)) {
                Some(at) => Fact::seen_in(Some(at), sources.clone()),
                None => Fact::Unknown(left_out(name, "last_activity_on", &sources)),
            },
            None => Fact::Unknown(left_out(name, "last_activity_on", &sources)),
        };
        found.push(MemberActivity {
            account,
            last_active,
        });
    }
    found.sort_by(|a, b| a.account.cmp(&b.account));
    Fact::seen_in(found, sources)
}

#[cfg(test)]
mod tests;
