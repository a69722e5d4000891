//! `ccgate policy`: lint a file, print the schema. Asks nobody.

use std::io::Write as _;

use crate::policy;
use crate::render;

use super::args::{PolicyArgs, PolicyCommand};
use super::check::policy_file;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::world::World;

pub(super) fn run(arguments: &PolicyArgs, world: &mut World) -> CommandResult {
    let text = match &arguments.command {
        PolicyCommand::Lint { file } => {
            let name = file.display().to_string();
            let document =
                policy_file(&world.folder.join(file), &name).map_err(CommandError::usage)?;
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
