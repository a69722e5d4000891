//! `ccgate doctor`: collects what could be collected and says what stands between
//! this gate and its work. Judges no change, and changes nothing.

use std::io::Write as _;

use crate::facts::{Needs, Snapshot};
use crate::gate::{self, Patient};
use crate::platform::{Flags, Host};
use crate::policy::{self, LoadError};
use crate::render::{self, Style, Tool};

use super::args::{DoctorArgs, Layout};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::session;
use super::world::World;

pub(super) fn run(arguments: &DoctorArgs, world: &mut World) -> CommandResult {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let flags = Flags::of(
        arguments.platform.map(Into::into),
        arguments.repo.as_deref(),
        arguments.change,
        arguments.reference.as_deref(),
    );
    let runtime = session::runtime()?;
    let (api, snapshot, readers) = runtime.block_on(async {
        let setup = session::setup(&flags, arguments.timeout, world).await?;
        let api = setup.place.api.clone();
        let mut host = Host::new(setup).map_err(CommandError::usage)?;
        let mut snapshot = host.open(&session::policy_wanted(given)).await;
        let needs = needs(&snapshot);
        host.collect(&mut snapshot, &needs).await;
        let readers = host.identity().await;
        snapshot.requests = host.requests();
        Ok::<_, CommandError>((api, snapshot, readers))
    })?;
    let policy = policy::load(&snapshot.policy, snapshot.latest_time());
    let diagnosis = gate::diagnose(Patient {
        facts: &snapshot,
        policy: policy.as_ref(),
        api: api.as_str(),
        reader: &readers.change,
        settings_reader: readers.settings.as_ref(),
    });
    let status = match &policy {
        Err(LoadError::Unreadable(_)) => ExitStatus::Undecided,
        _ if diagnosis.blind => ExitStatus::Undecided,
        Err(LoadError::Missing | LoadError::Invalid(_)) => ExitStatus::Usage,
        Ok(_) => ExitStatus::Allow,
    };
    let tool = Tool {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    };
    let text = match arguments.format {
        Layout::Human => render::doctor(
            &diagnosis,
            &snapshot,
            tool,
            status.code(),
            Style {
                color: world.color_stdout(),
                width: world.width(),
            },
        ),
        Layout::Json => {
            render::doctor_json(&diagnosis, &snapshot, api.as_str(), tool, status.code())
        }
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(status)
}

/// Everything, of the branches and teams that the policy speaks about. Without a policy the
/// branch at hand is meant.
fn needs(snapshot: &Snapshot) -> Needs {
    let (branches, teams) = match policy::load(&snapshot.policy, snapshot.latest_time()) {
        Ok(policy) => {
            let needs = session::needs(&policy, snapshot);
            (needs.branches().to_vec(), needs.teams().to_vec())
        }
        Err(_) => (vec![globset::escape(&snapshot.subject.target)], Vec::new()),
    };
    let everything = Needs::everything().for_branches(branches).for_teams(teams);
    if snapshot.subject.change.is_some() {
        everything
    } else {
        everything.without(gate::OF_A_CHANGE)
    }
}
