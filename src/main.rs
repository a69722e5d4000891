//! The binary: hands the world to `cli` and leaves with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(ccgate::cli::from_process())
}
