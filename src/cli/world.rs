//! The process's surroundings in one value: environment, clock, streams,
//! working folder. The only place that reads them; tests and the example hand
//! in their own.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Read, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;

use crate::render::{Style, escape};

/// A message of our own may quote much, e.g. a whole problem of a policy file.
const LONGEST_LINE: usize = 2000;

/// Widest text on a terminal.
const WIDEST: usize = 120;

/// What a command may know of the process it runs in.
pub struct World {
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The moment; read once.
    pub now: Timestamp,
    /// Where relative paths start.
    pub folder: PathBuf,
    /// Where a report comes from that is named `-`; empty at a terminal, which has none.
    pub stdin: Mutex<Box<dyn Read + Send>>,
    /// Where results go.
    pub stdout: Box<dyn Write>,
    /// Where complaints go, and human text when stdout carries a machine format.
    pub stderr: Box<dyn Write>,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Width of the terminal in columns, if there is one.
    pub columns: Option<usize>,
}

impl World {
    /// The world of this process.
    pub(super) fn of_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock and the environment"
        )]
        let (env, now) = (
            std::env::vars_os()
                .filter_map(|(key, value)| {
                    Some((key.into_string().ok()?, value.into_string().ok()?))
                })
                .collect::<BTreeMap<_, _>>(),
            Timestamp::now(),
        );
        let columns = env
            .get("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .or_else(|| {
                let (width, _) = terminal_size::terminal_size()?;
                // Longer lines are hard to read, however wide the window is.
                Some(usize::from(width.0).min(WIDEST))
            });
        Self {
            env,
            now,
            folder: PathBuf::from("."),
            stdin: Mutex::new(if io::stdin().is_terminal() {
                Box::new(io::empty())
            } else {
                Box::new(io::stdin())
            }),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            stdout_is_terminal: io::stdout().is_terminal(),
            columns,
        }
    }

    /// A variable that is set and not empty.
    pub(super) fn var(&self, name: &str) -> Option<&str> {
        self.env
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Columns that text for people may fill.
    pub(super) fn width(&self) -> usize {
        self.columns.unwrap_or(Style::default().width)
    }

    /// Whether this runs in a CI job.
    pub(super) fn in_ci(&self) -> bool {
        self.var("CI").is_some() || self.in_github_actions() || self.var("GITLAB_CI").is_some()
    }

    /// Whether this runs in a step of GitHub Actions.
    pub(super) fn in_github_actions(&self) -> bool {
        self.var("GITHUB_ACTIONS") == Some("true")
    }

    /// Whether colour is wanted on stdout: the usual variables, then a terminal
    /// or a CI log that shows it.
    pub(super) fn color_stdout(&self) -> bool {
        if self.var("NO_COLOR").is_some() {
            return false;
        }
        if self.var("CLICOLOR_FORCE").is_some_and(|force| force != "0") {
            return true;
        }
        self.stdout_is_terminal || self.in_github_actions() || self.var("GITLAB_CI").is_some()
    }

    /// Says on stderr what went wrong, as one block; text from outside is made harmless.
    pub(super) fn complain(&mut self, message: &str) {
        for (index, line) in message.lines().enumerate() {
            let lead = if index == 0 { "ccgate: " } else { "        " };
            // Nothing can be done about a closed stderr.
            let _ = writeln!(
                self.stderr,
                "{lead}{}",
                escape::terminal(line, LONGEST_LINE)
            );
        }
    }
}
