//! `ccgate policy diff`: two policies side by side. Which way a part went is said
//! in the policy room; this file finds the documents and gives the exit code.

use std::io::Write as _;

use anyhow::{Context as _, anyhow};

use crate::facts::{ChangeState, Fact, FactKey, PolicyDocument, PolicyFacts, Unknown};
use crate::gate;
use crate::platform::{Flags, Host};
use crate::policy::{self, DiffError, LoadError, POLICY_PATH, PolicyDiff};
use crate::render;

use super::args::{Layout, PolicyDiffArgs};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::policy_file;
use super::session;
use super::world::World;

pub(super) fn run(arguments: &PolicyDiffArgs, world: &mut World) -> CommandResult {
    let diff = match arguments.change {
        Some(number) => of_change(number, arguments, world)?,
        None => of_files(arguments, world)?,
    };
    let shown = match arguments.format {
        Layout::Human => render::policy_diff(&diff),
        Layout::Json => render::policy_diff_json(&diff),
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(shown.as_bytes());
    Ok(if diff.weaker() {
        ExitStatus::Block
    } else {
        ExitStatus::Allow
    })
}

/// Two files or presets: neither is held to anything else.
fn of_files(arguments: &PolicyDiffArgs, world: &World) -> Result<PolicyDiff, CommandError> {
    let read = |name: Option<&String>| -> Result<PolicyFacts, CommandError> {
        let name = name
            .context("name two policies, or a change with `--change N`")
            .map_err(CommandError::usage)?;
        let document = named(name, world).map_err(CommandError::usage)?;
        Ok(PolicyFacts {
            target: Fact::known_without_source(Some(document)),
            floor: Fact::known_without_source(None),
        })
    };
    let before = read(arguments.before.as_ref())?;
    let after = read(arguments.after.as_ref())?;
    policy::diff(&before, &after, world.now).map_err(failed)
}

/// The policy in force where the change goes, against the one at its head.
fn of_change(
    number: u64,
    arguments: &PolicyDiffArgs,
    world: &World,
) -> Result<PolicyDiff, CommandError> {
    let flags = Flags {
        platform: arguments.platform.map(Into::into),
        repository: arguments.repo.clone(),
        change: Some(number),
        head: None,
        reference: None,
        since: None,
        repository_only: false,
    };
    let snapshot = session::runtime()?.block_on(async {
        let setup = session::setup(&flags, arguments.timeout, world).await?;
        let mut host = Host::new(setup).map_err(CommandError::usage)?;
        let mut snapshot = host.open(&session::policy_wanted(None)).await;
        let needs = [FactKey::ChangeIdentity, FactKey::ChangeFiles];
        host.collect(&mut snapshot, &needs.into_iter().collect())
            .await;
        // Where the list of files cannot be read, the file at the head is looked at all the same.
        if !snapshot.files.is_known() || gate::touches_policy(&snapshot) {
            host.collect_proposed_policy(&mut snapshot, POLICY_PATH)
                .await;
        } else {
            snapshot.proposed_policy = snapshot.policy.target.clone();
        }
        Ok::<_, CommandError>(snapshot)
    })?;
    let unreadable = |unknown: Unknown| CommandError::undecided(anyhow!("{unknown}"));
    let identity = snapshot.identity.known().map_err(unreadable)?;
    if identity.state == ChangeState::Merged {
        return Err(CommandError::usage(anyhow!(
            "change {number} is merged, so the policy in force is what came of it"
        )));
    }
    let proposed = snapshot.proposed_policy.known().map_err(unreadable)?;
    let default = snapshot.repository.default_branch.known();
    let target_is_default = default.is_ok_and(|name| *name == snapshot.subject.target);
    let after = policy::merged(&snapshot.policy, proposed.clone(), target_is_default);
    policy::diff(&snapshot.policy, &after, snapshot.latest_time()).map_err(failed)
}

/// A preset, or else a file. A path with a folder in front is always a file.
fn named(name: &str, world: &World) -> anyhow::Result<PolicyDocument> {
    if let Some(document) = policy::preset(name) {
        return Ok(document);
    }
    let path = world.folder.join(name);
    if !path.exists() {
        let known = policy::PRESETS.iter().copied();
        return Err(anyhow!(
            "`{name}` is no file and no preset ({})",
            policy::did_you_mean(name, known).unwrap_or_default()
        ));
    }
    policy_file(&path, name)
}

fn failed(error: DiffError) -> CommandError {
    match error.load_error() {
        LoadError::Unreadable(_) => CommandError::undecided(error),
        LoadError::Missing | LoadError::Invalid(_) => CommandError::usage(error),
    }
}
