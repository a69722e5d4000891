//! `ccgate explain`: what a control asks, from its own metadata. Starts no
//! runtime and asks nobody.

use std::io::Write as _;

use anyhow::anyhow;

use crate::controls;
use crate::platform;
use crate::render::catalogue;

use super::args::ExplainArgs;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::world::World;

pub(super) fn run(arguments: &ExplainArgs, world: &mut World) -> CommandResult {
    let text = match &arguments.control {
        None => overview(),
        Some(name) => {
            let entry = controls::find(name).ok_or_else(|| {
                let near = controls::TABLE
                    .iter()
                    .max_by(|a, b| {
                        strsim::jaro_winkler(a.meta.id, name)
                            .total_cmp(&strsim::jaro_winkler(b.meta.id, name))
                    })
                    .map_or("", |entry| entry.meta.id);
                CommandError::usage(anyhow!(
                    "there is no control `{name}`; did you mean `{near}`? `ccgate explain` lists all"
                ))
            })?;
            catalogue::explain(entry, rights())
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
