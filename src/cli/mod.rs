//! Arguments, wiring, clock, environment and exit codes; one file a command.
//! It holds no rule: what passes and what does not is decided below.

mod anchor;
mod args;
mod check;
mod crashed;
mod doctor;
mod exit;
mod explain;
mod files;
mod group;
mod ledger;
mod ledger_api;
mod ledger_place;
mod outputs;
mod override_notify;
mod override_post;
mod override_register;
mod overrides;
mod policy;
mod policy_diff;
mod policy_test;
mod record;
mod scan;
mod session;
mod settings_file;
mod settings_lane;
mod snapshot;
mod told_moves;
mod witness;
mod world;

use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;

use args::{Cli, Command};
pub use exit::ExitStatus;
pub use world::World;

/// Runs with the process's own arguments, environment, clock and streams.
pub fn from_process() -> u8 {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // The version is asked for often and by scripts: no world is read for it.
    if let [_, only] = arguments.as_slice()
        && (only == "--version" || only == "-V")
    {
        let line = concat!("ccgate ", env!("CARGO_PKG_VERSION"), "\n");
        // A reader that went away is no reason for another exit code.
        let _ = std::io::stdout().write_all(line.as_bytes());
        return ExitStatus::Allow.code();
    }
    run(arguments, &mut World::of_process())
}

/// Runs one command in the given world and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, world: &mut World) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, world),
    };
    let result = match &cli.command {
        Command::Check(arguments) => check::run(arguments, world),
        Command::Doctor(arguments) => doctor::run(arguments, world),
        Command::Explain(arguments) => explain::run(arguments, world),
        Command::Policy(arguments) => policy::run(arguments, world),
        Command::Snapshot(arguments) => snapshot::run(arguments, world),
        Command::Scan(arguments) => scan::run(arguments, world),
        Command::Ledger(arguments) => ledger::run(arguments, world),
        Command::Override(arguments) => overrides::run(arguments, world),
    };
    match result {
        Ok(status) => status.code(),
        Err(failure) => {
            world.complain(&failure.message());
            failure.status().code()
        }
    }
}

/// What clap has to say: help and version go to stdout with 0, mistakes to stderr with 2.
fn usage(error: &clap::Error, world: &mut World) -> u8 {
    let text = if world.color_stdout() {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    if error.use_stderr() {
        // Nothing can be done about a closed stderr.
        let _ = world.stderr.write_all(text.as_bytes());
        ExitStatus::Usage.code()
    } else {
        let _ = world.stdout.write_all(text.as_bytes());
        ExitStatus::Allow.code()
    }
}
