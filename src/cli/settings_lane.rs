//! The settings lane: the settings of one repository or of many, each as a snapshot
//! that `ccgate check --settings` can use. What many share is asked for once.

use std::collections::BTreeMap;

use anyhow::anyhow;

use crate::facts::{Fact, FactKey, Needs, Settings, SettingsSnapshot, Snapshot};
use crate::platform::{self, Fleet, Host};

use super::args::SnapshotArgs;
use super::exit::CommandError;
use super::session;
use super::snapshot::{flags, needs};
use super::world::World;

/// The settings of every repository named. What is above the repositories of one
/// owner is asked for with the first of them.
pub(super) fn collect(
    arguments: &SnapshotArgs,
    world: &World,
) -> Result<Vec<SettingsSnapshot>, CommandError> {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let wanted = session::policy_wanted(given);
    let runtime = session::runtime()?;
    let named = match &arguments.owner {
        Some(owner) => runtime.block_on(population(owner, arguments, world))?,
        None => arguments.repo.clone(),
    };
    let repositories: Vec<Option<&String>> = match named.as_slice() {
        [] if arguments.owner.is_none() => vec![None],
        named => named.iter().map(Some).collect(),
    };
    let mut owners = Owners::of(&named);
    let mut snapshots: Vec<SettingsSnapshot> = Vec::new();
    for some in repositories.chunks(AT_ONCE) {
        runtime.block_on(async {
            let mut hosts = Vec::new();
            let mut places = Vec::new();
            for &repository in some {
                let (host, place) = host(repository, arguments, world, &mut owners).await?;
                hosts.push(host);
                places.push(place);
            }
            Host::ask_openings_ahead(&hosts, &wanted).await;
            let mut open = Vec::new();
            for (mut host, place) in hosts.into_iter().zip(places) {
                let snapshot = host.open(&wanted).await;
                let needs = settings_needs(&needs(&snapshot)?);
                open.push((host, place, snapshot, needs));
            }
            let ahead: Vec<_> = open
                .iter()
                .map(|(host, _, snapshot, needs)| (host, snapshot, needs))
                .collect();
            Host::ask_settings_ahead(&ahead).await;
            for (host, place, snapshot, needs) in open {
                let above = snapshots.iter().find(|other| {
                    owner(&other.repository).eq_ignore_ascii_case(owner(&place.repository))
                });
                let snapshot = collected(host, &place, snapshot, &needs, above).await;
                snapshots.push(snapshot);
            }
            Ok::<_, CommandError>(())
        })?;
    }
    Ok(snapshots)
}

/// Every repository of an organisation. Fewer than all would look like all.
async fn population(
    owner: &str,
    arguments: &SnapshotArgs,
    world: &World,
) -> Result<Vec<String>, CommandError> {
    let anywhere = format!("{owner}/-");
    let flags = flags(arguments, Some(&anywhere));
    let ready = session::setup_of_owner(&flags, arguments.timeout, world)?;
    platform::population(&ready, owner)
        .await
        .map_err(|unknown| CommandError::undecided(anyhow!("{unknown}")))
}

/// Repositories that are open at the same time.
const AT_ONCE: usize = 10;

/// What the repositories of an owner share.
struct Owners(BTreeMap<String, Owner>);

#[derive(Default)]
struct Owner {
    repositories: Vec<String>,
    fleet: Fleet,
    /// The token that was made for all of its repositories.
    token: Option<platform::Token>,
}

impl Owners {
    /// The owners of these repositories; nobody's if there is but one of them.
    fn of(repositories: &[String]) -> Self {
        let mut owners: BTreeMap<String, Owner> = BTreeMap::new();
        for name in repositories.iter().filter(|_| repositories.len() > 1) {
            let owner = owners.entry(owner(name).to_lowercase()).or_default();
            owner.repositories.push(name.clone());
        }
        Self(owners)
    }

    fn get(&mut self, repository: &str) -> Option<&mut Owner> {
        self.0.get_mut(&owner(repository).to_lowercase())
    }
}

/// The connection about one repository.
async fn host(
    repository: Option<&String>,
    arguments: &SnapshotArgs,
    world: &World,
    owners: &mut Owners,
) -> Result<(Host, platform::Place), CommandError> {
    let flags = flags(arguments, repository);
    let mut owner = repository.and_then(|name| owners.get(name));
    let made = owner.as_ref().and_then(|owner| owner.token.as_ref());
    let all = owner.as_ref().map_or(&[][..], |owner| &owner.repositories);
    let ready = match made {
        Some(token) => session::setup_with(&flags, arguments.timeout, world, token)?,
        None => session::setup_for(&flags, arguments.timeout, world, all).await?,
    };
    if let (Some(owner), Some(token)) = (&mut owner, ready.app_token) {
        owner.token = Some(token);
    }
    let place = ready.setup.place.clone();
    let host = match owner {
        Some(owner) => Host::in_fleet(ready.setup, &owner.fleet),
        None => Host::new(ready.setup),
    };
    Ok((host.map_err(CommandError::usage)?, place))
}

/// The settings of an open repository. `above`: a repository of the same owner that
/// was read before.
async fn collected(
    mut host: Host,
    place: &platform::Place,
    mut snapshot: Snapshot,
    needs: &Needs,
    above: Option<&SettingsSnapshot>,
) -> SettingsSnapshot {
    let asked = match above {
        Some(_) => needs.without(ABOVE),
        None => needs.clone(),
    };
    host.collect(&mut snapshot, &asked).await;
    if let Some(above) = above {
        let shared: Needs = ABOVE
            .iter()
            .copied()
            .filter(|key| needs.has(*key))
            .collect();
        // What could not be read for the first one says why for each of them.
        snapshot
            .settings
            .take_from(above.settings.restricted_to(&shared));
    }
    finished(&mut host, needs, snapshot, place.api.as_str()).await
}

/// Groups that every repository of an owner shares.
const ABOVE: &[FactKey] = &[
    FactKey::OrganizationSettings,
    FactKey::OrganizationIdentity,
    FactKey::OrganizationTwoFactor,
    FactKey::OrganizationOwners,
    FactKey::OrganizationMembers,
    FactKey::OrganizationOutside,
    FactKey::OrganizationActivity,
    FactKey::OrganizationApps,
    FactKey::OrganizationTokens,
    FactKey::OrganizationWebhooks,
    FactKey::OrganizationDefaults,
];

/// The needs that are about settings, the rules of branches among them.
fn settings_needs(needs: &Needs) -> Needs {
    Settings::KEYS
        .iter()
        .copied()
        .chain([FactKey::BranchRules, FactKey::BranchBypass])
        .filter(|key| needs.has(*key))
        .collect::<Needs>()
        .for_branches(needs.branches().to_vec())
}

/// The rules of every branch in scope, beside everything else.
async fn finished(
    host: &mut Host,
    needs: &Needs,
    snapshot: Snapshot,
    api: &str,
) -> SettingsSnapshot {
    let mut branches = Vec::new();
    let mut unread_branches = Vec::new();
    let mut keep = |rules: Fact<crate::facts::BranchRules>| match rules {
        Fact::Known { value, .. } => branches.push(value),
        Fact::Unknown(unknown) => unread_branches.push(unknown),
    };
    if needs.any_of(&[FactKey::BranchRules, FactKey::BranchBypass]) {
        keep(snapshot.branch_rules);
        if let Fact::Known { value, .. } = &snapshot.settings.in_scope_branches {
            for branch in value {
                if branch.name != snapshot.subject.target {
                    keep(host.branch_rules(&branch.name, needs).await);
                }
            }
        }
    }
    branches.sort_by(|a, b| a.branch.cmp(&b.branch));
    SettingsSnapshot {
        collected_by: snapshot.collected_by,
        observed_at: snapshot.observed_at,
        platform_time: snapshot.platform_time,
        platform: snapshot.subject.platform,
        api: api.to_owned(),
        repository: snapshot.subject.repository,
        branches,
        unread_branches,
        settings: snapshot.settings,
        requests: host.requests(),
    }
}

/// Everything before the last part of a path: the organisation or group.
fn owner(repository: &str) -> &str {
    repository.rsplit_once('/').map_or("", |(owner, _)| owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_everything_before_the_last_part() {
        assert_eq!(owner("acme/app"), "acme");
        assert_eq!(owner("group/sub/app"), "group/sub");
        assert_eq!(owner("app"), "");
    }

    /// With `--owner` too, where no repository is named: a token for the first alone would
    /// hide all others.
    #[test]
    fn a_token_is_made_for_all_repositories_of_an_owner() {
        let named = ["acme/a", "Acme/b", "other/c"].map(str::to_owned);
        let mut owners = Owners::of(&named);
        let mut of = |name: &str| owners.get(name).map(|owner| owner.repositories.clone());
        assert_eq!(of("acme/a").unwrap(), ["acme/a", "Acme/b"]);
        assert_eq!(of("other/c").unwrap(), ["other/c"]);
        assert!(of("third/d").is_none());
        assert!(Owners::of(&named[..1]).get("acme/a").is_none());
    }

    #[test]
    fn only_settings_are_collected_in_the_settings_lane() {
        let all = Needs::everything();
        let needs = settings_needs(&all);
        assert!(needs.has(FactKey::BranchBypass) && needs.has(FactKey::AccessWebhooks));
        assert!(!needs.has(FactKey::ChangeReviews) && !needs.has(FactKey::ScanResults));
    }
}
