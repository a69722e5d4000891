//! A command run in a world of its own: no environment, no clock, no terminal
//! of the machine it runs on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use ccgate::cli::{self, World};
use serde_json::Value;
use tempfile::TempDir;

use crate::forge::{Forge, Organisation};

/// A forge, a folder, and the environment of the commands.
pub(crate) struct Bench {
    pub(crate) forge: Forge,
    pub(crate) folder: TempDir,
    pub(crate) env: BTreeMap<String, String>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let forge = Forge::start(Organisation::acme());
        let env = BTreeMap::from([
            ("GITHUB_API_URL".to_owned(), forge.api()),
            ("CCGATE_TOKEN".to_owned(), "test".to_owned()),
        ]);
        Self {
            forge,
            folder: tempfile::tempdir().expect("a temporary folder"),
            env,
        }
    }

    /// The same organisation on GitLab, judged by this policy.
    pub(crate) fn on_gitlab(policy: &str) -> Self {
        let mut bench = Self::new();
        let api = bench.forge.gitlab_api();
        bench.env.remove("GITHUB_API_URL");
        bench.env.insert("CI_API_V4_URL".to_owned(), api);
        bench
            .forge
            .with(|acme| acme.policy = Some(policy.to_owned()));
        bench
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `ccgate` with these arguments at the forge's own time.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let now = self.forge.with(|acme| acme.now());
        run_in(self.folder.path(), self.env.clone(), &now, arguments)
    }

    /// `ccgate check` of change 42 with more arguments.
    pub(crate) fn check(&self, more: &[&str]) -> Ended {
        let mut arguments = vec!["check", "--repo", "acme/payments", "--change", "42"];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// The decision of change 42 as JSON, and the exit code.
    pub(crate) fn decision(&self, more: &[&str]) -> (u8, Value) {
        let mut arguments = vec!["--format", "json"];
        arguments.extend(more);
        let ended = self.check(&arguments);
        let decision = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr));
        (ended.code, decision)
    }
}

pub(crate) fn run_in(
    folder: &Path,
    env: BTreeMap<String, String>,
    now: &str,
    arguments: &[&str],
) -> Ended {
    let (stdout, stderr) = (Kept::default(), Kept::default());
    let mut world = World {
        env,
        now: now.parse().expect("a timestamp"),
        folder: folder.to_owned(),
        stdin: std::sync::Mutex::new(Box::new(std::io::empty())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        stdout_is_terminal: false,
        columns: Some(100),
    };
    let code = cli::run(
        std::iter::once("ccgate")
            .chain(arguments.iter().copied())
            .map(Into::into),
        &mut world,
    );
    Ended {
        code,
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

/// The entry of one control in a decision.
pub(crate) fn control<'a>(decision: &'a Value, code: &str) -> &'a Value {
    decision["controls"]
        .as_array()
        .and_then(|controls| controls.iter().find(|control| control["code"] == code))
        .unwrap_or_else(|| panic!("{code} is not in the decision: {decision:#}"))
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(
            self.0
                .lock()
                .expect("nobody panicked while writing")
                .clone(),
        )
        .expect("output is UTF-8")
    }
}

impl Write for Kept {
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
