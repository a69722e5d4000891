//! The binary: hands the world to `cli` and leaves with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    crash_with_101();
    ExitCode::from(ccgate::cli::from_process())
}

/// The release build aborts on a panic, which would end in a signal; the
/// contract says 101, whatever the build.
fn crash_with_101() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        #[expect(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "there is no way back from here to main"
        )]
        std::process::exit(101);
    }));
}
