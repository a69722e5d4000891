//! The demonstration: a small forge on the loopback address with a recorded
//! organisation, and the real gate against it over HTTP. No network, no token.
//!
//! A change that was approved by one of its own authors is blocked; somebody
//! else overrides it with a ticket and a reason; a further push voids that; an
//! independent review opens the gate; the ledger of all four is verified.
//!
//! `cargo run --locked --example demo [FOLDER]` keeps what it writes in FOLDER
//! (default: a folder in the system's temporary folder, named at the end).

#![expect(clippy::print_stdout, reason = "a demonstration prints")]

#[path = "../../tests/forge/mod.rs"]
mod forge;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use ccgate::cli::{self, World};
use ccgate::render::wrap;
use forge::{Forge, Organisation};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(
        || std::env::temp_dir().join(format!("ccgate-demo-{}", std::process::id())),
        PathBuf::from,
    );
    if let Err(error) = std::fs::create_dir_all(&folder) {
        println!("the folder {} cannot be made: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let forge = Forge::start(Organisation::acme());
    let key = match signing_key(&folder) {
        Ok(key) => key,
        Err(error) => {
            println!("no signing key could be made: {error}");
            return ExitCode::FAILURE;
        }
    };
    let demo = Demo {
        forge: &forge,
        folder: &folder,
        key: &key,
        color: std::io::stdout().is_terminal(),
        width: terminal_size::terminal_size()
            .map_or(100, |(width, _)| usize::from(width.0).min(100)),
        checks_shown: Cell::new(false),
    };
    let told = demo.tell();
    println!();
    println!(
        "kept in {}: facts.json, decision.json, ledger/, allowed_signers",
        folder.display()
    );
    if told {
        ExitCode::SUCCESS
    } else {
        println!("the demonstration did not go as told above: please report it");
        ExitCode::FAILURE
    }
}

struct Demo<'a> {
    forge: &'a Forge,
    folder: &'a Path,
    key: &'a str,
    color: bool,
    width: usize,
    checks_shown: Cell<bool>,
}

/// A key for this run only; its public half stands in `allowed_signers`.
fn signing_key(folder: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519)?;
    let public = key.public_key().to_openssh()?;
    std::fs::write(
        folder.join("allowed_signers"),
        format!("gate@acme.example namespaces=\"ccgate-ledger\" {public}\n"),
    )?;
    Ok(key.to_openssh(LineEnding::LF)?.to_string())
}

impl Demo<'_> {
    /// The story; whether every step ended as it should.
    fn tell(&self) -> bool {
        self.title("1  a change whose only approval is by one of its authors");
        let blocked = self.check() == 1;

        self.title("2  the security engineer on call overrides it, with ticket and reason");
        println!();
        let command = "/ccgate override CHG-04 INC-482 Card capture is down since 07:40; reviewer on call unreachable";
        print!("{}", wrap("   @ana on #42:  ", command, self.width));
        self.forge.with(|acme| acme.comment(42, "ana", command));
        let overridden = self.check() == 0;

        self.title("3  the author pushes once more: the override was for another head");
        self.forge
            .with(|acme| acme.push(42, "tom", "One more line that nobody has seen"));
        let voided = self.check() == 1;

        self.title("4  somebody who wrote none of it reviews the head");
        self.forge.with(|acme| acme.approve(42, "li"));
        let allowed = self.check() == 0;

        self.title("5  the same decision again, offline, from the facts alone");
        let again = self.run(&[
            "check",
            "--snapshot",
            "facts.json",
            "--output",
            "json=again.json",
        ]) == 0;
        let first = std::fs::read(self.folder.join("decision.json")).unwrap_or_default();
        let second = std::fs::read(self.folder.join("again.json")).unwrap_or_default();
        let identical = !first.is_empty() && first == second;
        println!(
            "\n   decision.json and again.json are {}",
            if identical {
                "byte for byte the same"
            } else {
                "DIFFERENT"
            }
        );

        self.title("6  the ledger of all four decisions");
        let verified = self.run(&["ledger", "show", "dir:ledger"]) == 0
            && self.run(&[
                "ledger",
                "verify",
                "dir:ledger",
                "--allowed-signers",
                "allowed_signers",
            ]) == 0;

        blocked && overridden && voided && allowed && again && identical && verified
    }

    fn title(&self, text: &str) {
        if self.color {
            println!("\n\u{1b}[1;36m── {text}\u{1b}[0m");
        } else {
            println!("\n── {text}");
        }
    }

    fn check(&self) -> u8 {
        self.run(&[
            "check",
            "--platform",
            "github",
            "--repo",
            "acme/payments",
            "--change",
            "42",
            "--ledger",
            "dir:ledger",
            "--save-snapshot",
            "facts.json",
            "--output",
            "json=decision.json",
        ])
    }

    /// Runs the real command line in a world of its own and shows what it prints.
    fn run(&self, arguments: &[&str]) -> u8 {
        let command = format!("ccgate {}", arguments.join(" "));
        println!("\n{}", wrap("   $ ", &command, self.width));
        let printed = Printed::default();
        let mut env = BTreeMap::from([
            ("GITHUB_API_URL".to_owned(), self.forge.api()),
            ("CCGATE_TOKEN".to_owned(), "demo".to_owned()),
            ("CCGATE_LEDGER_KEY".to_owned(), self.key.to_owned()),
        ]);
        if self.color {
            env.insert("CLICOLOR_FORCE".to_owned(), "1".to_owned());
        }
        let now = self.forge.with(|acme| acme.now());
        let mut world = World {
            stdin: std::sync::Mutex::new(Box::new(std::io::empty())),
            env,
            now: now.parse().expect("the forge tells a valid time"),
            folder: self.folder.to_owned(),
            stdout: Box::new(printed.clone()),
            stderr: Box::new(printed.clone()),
            stdout_is_terminal: false,
            columns: Some(self.width.saturating_sub(3)),
        };
        let code = cli::run(
            std::iter::once("ccgate")
                .chain(arguments.iter().copied())
                .map(Into::into),
            &mut world,
        );
        let text = printed.text();
        // What passes is told once; later only what is new.
        let passes = |line: &str| line.starts_with("  ") && line.contains("PASS");
        let shown_before = self.checks_shown.replace(true);
        let mut left_out = 0;
        let mut leaving_out = false;
        for line in text.lines() {
            // A long sentence goes on below, indented further than any code.
            leaving_out =
                shown_before && (passes(line) || leaving_out && line.starts_with("     "));
            if leaving_out {
                left_out += usize::from(passes(line));
                continue;
            }
            if line.is_empty() && left_out > 0 {
                println!("     … and {left_out} that pass");
                left_out = 0;
            }
            println!("{}", format!("   {line}").trim_end());
        }
        code
    }
}

/// A stream that keeps what was written to it.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panicked while writing")).into_owned()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panicked while writing")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
