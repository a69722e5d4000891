//! `ccgate explain`: what a control asks, from its own metadata; and, where a
//! place is named, what it comes to there. Without a place it asks nobody.

use std::io::Write as _;

use anyhow::anyhow;

use crate::controls::{self, Entry};
use crate::facts::{FactKey, Needs};
use crate::platform::{self, Flags, Host};
use crate::policy::{self, did_you_mean};
use crate::render::{self, catalogue};

use super::args::ExplainArgs;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::saved_snapshot;
use super::session;
use super::world::World;

pub(super) fn run(arguments: &ExplainArgs, world: &mut World) -> CommandResult {
    let text = match &arguments.control {
        None => overview(),
        Some(name) => {
            let entry = controls::find(name).ok_or_else(|| {
                let known = controls::TABLE
                    .iter()
                    .flat_map(|entry| [entry.meta.code, entry.meta.id]);
                let help = did_you_mean(name, known)
                    .unwrap_or_else(|| "`ccgate explain` lists all".to_owned());
                CommandError::usage(anyhow!("there is no control `{name}` ({help})"))
            })?;
            if is_about_a_place(arguments) {
                here(entry, arguments, world)?
            } else {
                render::explain(entry, rights(), world.width())
            }
        }
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

/// What the control comes to for one repository or change, and what protects the
/// branch where it judges that.
fn here(entry: &Entry, arguments: &ExplainArgs, world: &World) -> Result<String, CommandError> {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    let needs: Needs = entry
        .meta
        .needs
        .iter()
        .copied()
        // Who can go around the rules is shown wherever rules are.
        .chain(
            entry
                .meta
                .needs
                .contains(&FactKey::BranchRules)
                .then_some(FactKey::BranchBypass),
        )
        .collect();
    let snapshot = match &arguments.snapshot {
        Some(file) => saved_snapshot(file, given, world).map_err(CommandError::usage)?,
        None => {
            let flags = Flags {
                platform: arguments.platform.map(Into::into),
                repository: arguments.repo.clone(),
                change: arguments.change,
                head: None,
                reference: arguments.reference.clone(),
                since: None,
                repository_only: arguments.change.is_none(),
            };
            session::runtime()?.block_on(async {
                let setup = session::setup(&flags, arguments.timeout, world).await?;
                let mut host = Host::new(setup).map_err(CommandError::usage)?;
                let mut snapshot = host.open(&session::policy_wanted(given)).await;
                let needs = match policy::load(&snapshot.policy, snapshot.latest_time()) {
                    Ok(policy) => {
                        let branches = session::needs(&policy, &snapshot).branches().to_vec();
                        needs.for_branches(branches)
                    }
                    Err(_) => needs.for_branches(vec![globset::escape(&snapshot.subject.target)]),
                };
                host.collect(&mut snapshot, &needs).await;
                Ok::<_, CommandError>(snapshot)
            })?
        }
    };
    let policy = policy::load(&snapshot.policy, snapshot.latest_time()).ok();
    let bound = policy.as_ref().and_then(|policy| {
        policy
            .controls
            .iter()
            .find(|bound| bound.control.meta().code == entry.meta.code)
    });
    let outcome = match bound {
        Some(bound) => bound.control.evaluate(&snapshot),
        None => entry
            .bind(serde_json::json!({}))
            .map_err(CommandError::usage)?
            .evaluate(&snapshot),
    };
    let width = world.width();
    let mut text = render::outcome(entry.meta, &outcome, width);
    if bound.is_none() {
        text.push_str("  by its defaults: no policy that was read names it\n");
    }
    text.push_str(&render::effective(
        entry.meta,
        &snapshot.branch_rules,
        width,
    ));
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
