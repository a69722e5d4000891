//! `ccgate policy`: lint a file, run its cases, print the schema: asks nobody. The
//! comparison of two policies stands in `policy_diff`.

use std::io::Write as _;

use anyhow::anyhow;

use crate::policy;
use crate::render;

use super::args::{PolicyArgs, PolicyCommand};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::policy_file;
use super::policy_diff;
use super::policy_test;
use super::world::World;

pub(super) fn run(arguments: &PolicyArgs, world: &mut World) -> CommandResult {
    let text = match &arguments.command {
        PolicyCommand::Lint { file } => {
            let name = file.display().to_string();
            let path = world.folder.join(file);
            if !path.exists() {
                return Err(CommandError::usage(anyhow!(
                    "there is no file `{name}`; begin one with `version: 1` and \
                     `extends: [soc2-baseline]`"
                )));
            }
            let document = policy_file(&path, &name).map_err(CommandError::usage)?;
            let notes = policy::lint(&document, world.now).map_err(CommandError::usage)?;
            let mut text = format!("{name}: valid\n");
            for note in notes {
                match note.place {
                    Some(place) => text.push_str(&format!("note {place}: {}\n", note.message)),
                    None => text.push_str(&format!("note {}\n", note.message)),
                }
            }
            text
        }
        PolicyCommand::Test { file } => return policy_test::run(file, world),
        PolicyCommand::Diff(arguments) => return policy_diff::run(arguments, world),
        PolicyCommand::Schema => {
            let mut text = serde_json::to_string_pretty(&render::policy_schema())
                .map_err(CommandError::usage)?;
            text.push('\n');
            text
        }
    };
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(ExitStatus::Allow)
}
