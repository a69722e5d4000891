//! `ccgate explain`: what a control asks, from its own metadata. Starts no
//! runtime and asks nobody.

use std::io::Write as _;

use anyhow::anyhow;

use crate::controls;
use crate::platform;
use crate::policy::did_you_mean;
use crate::render::{self, catalogue};

use super::args::ExplainArgs;
use super::exit::{CommandError, CommandResult, ExitStatus};
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
            render::explain(entry, rights(), world.width())
        }
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(ExitStatus::Allow)
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
