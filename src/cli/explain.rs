//! `ccgate explain`: what a control asks, from its own metadata; and, where a
//! place is named, what it comes to there. Without a place it asks nobody.

use std::io::Write as _;

use anyhow::anyhow;

use crate::controls::{self, Entry};
use crate::facts::{Fact, Needs, PolicyFacts};
use crate::gate;
use crate::platform::{self, Flags, Host};
use crate::policy::{self, BoundControl, Policy, did_you_mean};
use crate::render::{self, catalogue};

use super::args::ExplainArgs;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::saved_snapshot;
use super::session;
use super::world::World;

pub(super) fn run(arguments: &ExplainArgs, world: &mut World) -> CommandResult {
    let text = match &arguments.control {
        None => overview(),
        Some(name) => match controls::find(name) {
            entry if is_about_a_place(arguments) => here(name, entry, arguments, world)?,
            Some(entry) => render::explain(entry, rights(), world.width()),
            None => own(name, arguments, world)?,
        },
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(ExitStatus::Allow)
}

/// Whether the question is what the control comes to somewhere, not what it asks.
fn is_about_a_place(arguments: &ExplainArgs) -> bool {
    arguments.repo.is_some()
        || arguments.change.is_some()
        || arguments.reference.is_some()
        || arguments.snapshot.is_some()
}

/// What a control under `custom` of the given policy asks.
fn own(name: &str, arguments: &ExplainArgs, world: &World) -> Result<String, CommandError> {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let Some(document) = given else {
        return Err(no_control(name));
    };
    let documents = PolicyFacts {
        target: Fact::known_without_source(Some(document)),
        floor: Fact::known_without_source(None),
    };
    let policy = policy::load(&documents, world.now).map_err(CommandError::usage)?;
    let control = bound(&policy, name).and_then(|bound| bound.control.as_custom());
    let control = control.ok_or_else(|| no_control(name))?;
    Ok(render::explain_own(control, rights(), world.width()))
}

fn no_control(name: &str) -> CommandError {
    let known = controls::TABLE
        .iter()
        .flat_map(|entry| [entry.meta.code, entry.meta.id]);
    let help = did_you_mean(name, known).unwrap_or_else(|| {
        "`ccgate explain` lists all; those of a policy's own are found with `--policy FILE`"
            .to_owned()
    });
    CommandError::usage(anyhow!("there is no control `{name}` ({help})"))
}

/// The control of that id or code in the policy.
fn bound<'p>(policy: &'p Policy, name: &str) -> Option<&'p BoundControl> {
    policy.controls.iter().find(|bound| {
        let meta = bound.control.meta();
        meta.id == name || meta.code.eq_ignore_ascii_case(name)
    })
}

/// What the control comes to for one repository or change, and what protects the
/// branch where it judges that. Whether there is an own control of that name is
/// known when the policy has been read.
fn here(
    name: &str,
    entry: Option<&Entry>,
    arguments: &ExplainArgs,
    world: &World,
) -> Result<String, CommandError> {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    // Who can go around the rules is shown wherever rules are.
    let needed = |policy: Option<&Policy>| match (entry, policy) {
        (Some(entry), _) => entry.meta.visible(),
        (None, Some(policy)) => bound(policy, name)
            .map(|bound| bound.control.meta().visible())
            .unwrap_or_default(),
        (None, None) => Needs::none(),
    };
    let snapshot = match &arguments.snapshot {
        Some(file) => saved_snapshot(file, given, world).map_err(CommandError::usage)?,
        None => {
            let flags = Flags::of(
                arguments.platform.map(Into::into),
                arguments.repo.as_deref(),
                arguments.change,
                arguments.reference.as_deref(),
            );
            session::runtime()?.block_on(async {
                let setup = session::setup(&flags, arguments.timeout, world).await?;
                let mut host = Host::new(setup).map_err(CommandError::usage)?;
                let mut snapshot = host.open(&session::policy_wanted(given)).await;
                let needs = match policy::load(&snapshot.policy, snapshot.latest_time()) {
                    Ok(policy) => {
                        let all = session::needs(&policy, &snapshot);
                        needed(Some(&policy))
                            .for_branches(all.branches().to_vec())
                            .for_teams(all.teams().to_vec())
                            .for_tickets(all.tickets().cloned())
                    }
                    Err(_) => {
                        needed(None).for_branches(vec![globset::escape(&snapshot.subject.target)])
                    }
                };
                Box::pin(host.collect(&mut snapshot, &needs)).await;
                let sources =
                    session::ticket_sources(None, &needs, world).map_err(CommandError::usage)?;
                host.collect_tickets(&mut snapshot, &needs, &sources).await;
                Ok::<_, CommandError>(snapshot)
            })?
        }
    };
    let policy = policy::load(&snapshot.policy, snapshot.latest_time()).ok();
    let snapshot = match &policy {
        Some(policy) => gate::as_seen_by(policy, snapshot),
        None => snapshot,
    };
    let name = entry.map_or(name, |entry| entry.meta.code);
    let bound = policy.as_ref().and_then(|policy| bound(policy, name));
    let by_defaults = match (bound, entry) {
        (None, Some(entry)) => Some(
            entry
                .bind(serde_json::json!({}))
                .map_err(CommandError::usage)?,
        ),
        (Some(_), _) | (None, None) => None,
    };
    let Some(control) = bound
        .map(|bound| bound.control.as_ref())
        .or(by_defaults.as_deref())
    else {
        return Err(no_control(name));
    };
    let meta = control.meta();
    let width = world.width();
    let mut text = render::outcome(meta, &control.evaluate(&snapshot), width);
    if bound.is_none() {
        text.push_str("  by its defaults: no policy that was read names it\n");
    }
    text.push_str(&render::effective(meta, &snapshot.branch_rules, width));
    if let Some(tree) = control.tree(&snapshot) {
        text.push_str(&render::tree(&tree, &snapshot, width));
    }
    Ok(text)
}

/// One line a control.
fn overview() -> String {
    let mut text = String::new();
    for entry in controls::TABLE {
        let meta = entry.meta;
        text.push_str(&format!(
            "{:<8} {:<30} {}\n",
            meta.code, meta.id, meta.title
        ));
    }
    text
}

/// What each platform asks of a token, from the platforms themselves.
fn rights() -> catalogue::Rights<'static> {
    catalogue::Rights {
        github: platform::github_permissions(),
        gitlab: platform::gitlab_permissions(),
    }
}
