//! `ccgate snapshot`: collects facts and writes them down, and compares two
//! settings snapshots. Judges nothing.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::facts::{Direction, Fact, FactKey, Needs, Settings, SettingsSnapshot, Snapshot, drift};
use crate::platform::{self, Flags, Fleet, Host};
use crate::policy::{self, LoadError};
use crate::render::escape;

use super::args::{Layout, SnapshotArgs, SnapshotCommand};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::snapshot_bytes;
use super::outputs;
use super::session;
use super::settings_file::SettingsFile;
use super::world::World;

/// Longest text of a setting that is shown.
const LONGEST: usize = 400;

pub(super) fn run(arguments: &SnapshotArgs, world: &mut World) -> CommandResult {
    if let Some(SnapshotCommand::Diff {
        before,
        after,
        format,
    }) = &arguments.command
    {
        return diff(before, after, *format, world);
    }
    let out = arguments
        .out
        .as_deref()
        .context("say where to write with `--out FILE`")
        .map_err(CommandError::usage)?;
    let bytes = if arguments.settings {
        let snapshots = settings(arguments, world)?;
        for snapshot in &snapshots {
            tell(snapshot, world);
        }
        SettingsFile::write(&snapshots, world).map_err(CommandError::usage)?
    } else {
        let snapshot = change(arguments, world)?;
        snapshot_bytes(&snapshot).map_err(CommandError::usage)?
    };
    outputs::write_file(&world.folder.join(out), &bytes).map_err(CommandError::usage)?;
    Ok(ExitStatus::Allow)
}

/// Says in a line what a snapshot holds and what it could not see.
fn tell(snapshot: &SettingsSnapshot, world: &mut World) {
    let hidden: Vec<&str> = Settings::KEYS
        .iter()
        .filter(|key| {
            snapshot
                .settings
                .unknown(**key)
                .is_some_and(|unknown| unknown.why != crate::facts::Why::NotCollected)
        })
        .map(|key| key.name())
        .collect();
    let mut line = format!(
        "{}: {} in {}, {} requests in {} waves",
        snapshot.repository,
        match snapshot.branches.len() {
            1 => "1 branch".to_owned(),
            count => format!("{count} branches"),
        },
        snapshot.platform.word(),
        snapshot.requests.count,
        snapshot.requests.waves,
    );
    if !hidden.is_empty() {
        line.push_str(&format!("; not seen: {}", hidden.join(", ")));
    }
    // A reader that went away is no reason for another exit code.
    let _ = writeln!(world.stdout, "{}", escape::terminal(&line, 2000));
}

fn flags(arguments: &SnapshotArgs, repository: Option<&String>) -> Flags {
    Flags {
        platform: arguments.platform.map(Into::into),
        repository: repository.cloned(),
        change: arguments.change,
        head: None,
        reference: arguments.reference.clone(),
        since: None,
        repository_only: arguments.settings,
    }
}

/// Everything about one change, as `check` would see it.
fn change(arguments: &SnapshotArgs, world: &World) -> Result<Snapshot, CommandError> {
    if arguments.repo.len() > 1 {
        return Err(CommandError::usage(anyhow!(
            "a change is in one repository: give `--repo` once"
        )));
    }
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let export =
        session::ticket_export(arguments.tickets.as_deref(), world).map_err(CommandError::usage)?;
    let runtime = session::runtime()?;
    runtime.block_on(async {
        let flags = flags(arguments, arguments.repo.first());
        let setup = session::setup(&flags, arguments.timeout, world).await?;
        let mut host = Host::new(setup).map_err(CommandError::usage)?;
        let mut snapshot = host.open(&session::policy_wanted(given)).await;
        let needs = needs(&snapshot)?;
        host.collect(&mut snapshot, &needs).await;
        let sources =
            session::ticket_sources(export, &needs, world).map_err(CommandError::usage)?;
        host.collect_tickets(&mut snapshot, &needs, &sources).await;
        Ok(snapshot)
    })
}

/// What the policy in force needs; without one there is nothing to collect by.
fn needs(snapshot: &Snapshot) -> Result<Needs, CommandError> {
    match policy::load(&snapshot.policy, snapshot.latest_time()) {
        Ok(policy) => Ok(session::needs(&policy, snapshot)),
        Err(LoadError::Unreadable(unknown)) => Err(CommandError::undecided(anyhow!("{unknown}"))),
        Err(error) => Err(CommandError::usage(error)),
    }
}

/// The settings of every repository named. What is above the repositories of one
/// owner is asked for with the first of them.
fn settings(
    arguments: &SnapshotArgs,
    world: &World,
) -> Result<Vec<SettingsSnapshot>, CommandError> {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let wanted = session::policy_wanted(given);
    let runtime = session::runtime()?;
    let repositories: Vec<Option<&String>> = match arguments.repo.as_slice() {
        [] => vec![None],
        named => named.iter().map(Some).collect(),
    };
    let mut owners = Owners::of(&arguments.repo);
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

/// Repositories that are open at the same time.
const AT_ONCE: usize = 10;

/// What the repositories of an owner share.
struct Owners(Vec<(String, Owner)>);

struct Owner {
    fleet: Fleet,
    /// The token that was made for all of its repositories.
    token: Option<platform::Token>,
}

impl Owners {
    /// The owners of these repositories; nobody's if there is but one of them.
    fn of(repositories: &[String]) -> Self {
        let mut names: Vec<String> = Vec::new();
        if repositories.len() > 1 {
            names.extend(repositories.iter().map(|name| owner(name).to_lowercase()));
        }
        let mut all = names.clone();
        all.sort();
        all.dedup();
        Self(
            all.into_iter()
                .map(|name| {
                    let count = names.iter().filter(|other| **other == name).count();
                    let fleet = Fleet::of(count);
                    (name, Owner { fleet, token: None })
                })
                .collect(),
        )
    }

    fn get(&mut self, repository: &str) -> Option<&mut Owner> {
        let wanted = owner(repository).to_lowercase();
        let mut all = self.0.iter_mut();
        all.find(|(name, _)| *name == wanted)
            .map(|(_, owner)| owner)
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
    let ready = match made {
        Some(token) => session::setup_with(&flags, arguments.timeout, world, token)?,
        None => session::setup_for(&flags, arguments.timeout, world, &arguments.repo).await?,
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

/// Compares every repository that stands in both files.
fn diff(before: &Path, after: &Path, format: Layout, world: &mut World) -> CommandResult {
    let read = |file: &Path| -> Result<SettingsFile, CommandError> {
        let read = SettingsFile::read(file, world).map_err(CommandError::usage)?;
        match read.broken() {
            Some(why) => Err(CommandError::usage(anyhow!("`{}`: {why}", file.display()))),
            None => Ok(read),
        }
    };
    let (before, after) = (read(before)?, read(after)?);
    let mut weaker = false;
    let mut text = String::new();
    let mut rows = Vec::new();
    let same = |a: &SettingsSnapshot, b: &SettingsSnapshot| {
        a.platform == b.platform
            && a.api == b.api
            && a.repository.eq_ignore_ascii_case(&b.repository)
    };
    for new in after.snapshots() {
        let Some(old) = before.snapshots().iter().find(|old| same(old, new)) else {
            text.push_str(&format!("{}: only in the newer file\n", new.repository));
            continue;
        };
        let changes = drift(old, new).map_err(CommandError::usage)?;
        text.push_str(&format!(
            "{}: {} -> {}: {}\n",
            new.repository,
            old.observed_at,
            new.observed_at,
            match changes.len() {
                0 => "nothing changed".to_owned(),
                1 => "1 setting changed".to_owned(),
                count => format!("{count} settings changed"),
            }
        ));
        for change in &changes {
            weaker |= change.direction == Direction::Weaker;
            text.push_str(&format!(
                "  {:<8}  {}: {} -> {}\n",
                change.direction.word(),
                change.setting,
                change.before,
                change.after
            ));
            rows.push(json!({
                "repository": new.repository,
                "direction": change.direction.word(),
                "setting": change.setting,
                "before": change.before,
                "after": change.after,
            }));
        }
    }
    for old in before.snapshots() {
        if !after.snapshots().iter().any(|new| same(old, new)) {
            weaker = true;
            text.push_str(&format!(
                "{}: no longer in the newer file\n",
                old.repository
            ));
        }
    }
    let shown = match format {
        Layout::Human => text
            .lines()
            .map(|line| format!("{}\n", escape::terminal(line, LONGEST)))
            .collect(),
        Layout::Json => {
            let document = json!({"schema": "ccgate.drift/v1", "weaker": weaker, "changes": rows});
            format!("{document:#}\n")
        }
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(shown.as_bytes());
    Ok(if weaker {
        ExitStatus::Block
    } else {
        ExitStatus::Allow
    })
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

    #[test]
    fn only_settings_are_collected_in_the_settings_lane() {
        let all = Needs::everything();
        let needs = settings_needs(&all);
        assert!(needs.has(FactKey::BranchBypass) && needs.has(FactKey::AccessWebhooks));
        assert!(!needs.has(FactKey::ChangeReviews) && !needs.has(FactKey::ScanResults));
    }
}
