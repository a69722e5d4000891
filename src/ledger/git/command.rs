//! Runs `git`, and is the one place of this room that starts a process. Git gets none of the
//! surroundings but what is listed here: no configuration of the machine or the user, no hooks, no
//! helpers, no prompts, one protocol, no redirects. What it says is untrusted.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::place::GitPlace;

/// The longest that one command may take. A line that is dead ends earlier by itself.
const LONGEST_RUN: Duration = Duration::from_secs(300);
/// Most bytes of what git says that are looked at.
const MOST_SAID: usize = 64 << 10;
/// Longest text of git's that goes into a message.
const LONGEST_SAID: usize = 600;

/// `git` in one bare repository, for one remote.
pub(super) struct Git {
    folder: PathBuf,
    variables: Vec<(String, String)>,
    /// What must not be seen in what git says.
    secrets: Vec<String>,
}

/// How a command ended.
pub(super) struct Ran {
    /// `None`: a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) output: Vec<u8>,
    /// The end of what it said, on one line, harmless and without the token.
    pub(super) said: String,
}

impl Ran {
    pub(super) fn succeeded(&self) -> bool {
        self.code == Some(0)
    }
}

impl Git {
    pub(super) fn new(folder: &Path, place: &GitPlace) -> Self {
        let mut settings: Vec<(String, String)> = [
            ("core.hooksPath", "/dev/null"),
            ("core.fsmonitor", "false"),
            ("core.askPass", ""),
            ("credential.helper", ""),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
            ("protocol.version", "2"),
            ("http.followRedirects", "false"),
            // A server that says nothing for so many seconds has gone.
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", "30"),
            ("transfer.fsckObjects", "true"),
            ("push.followTags", "false"),
            ("push.recurseSubmodules", "no"),
            ("fetch.recurseSubmodules", "false"),
            // A few new objects need no second copy in a pack.
            ("fetch.unpackLimit", "1"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        if let Some(file) = &place.authorities {
            settings.push(("http.sslCAInfo".to_owned(), file.display().to_string()));
        }
        let mut secrets = Vec::new();
        if let Some(credentials) = &place.credentials {
            let pair = STANDARD.encode(format!("{}:{}", credentials.user, credentials.token));
            // For this very repository: another address, even of this host, never gets it.
            settings.push((
                format!("http.{}.extraHeader", place.address()),
                format!("Authorization: Basic {pair}"),
            ));
            secrets.extend([pair, credentials.token.clone()]);
        }
        let mut variables = place.variables.clone();
        let home = folder.display().to_string();
        for (name, value) in [
            ("GIT_DIR", home.as_str()),
            ("HOME", &home),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_ADVICE", "0"),
            ("GIT_ALLOW_PROTOCOL", place.address().scheme()),
            ("GIT_CONFIG_COUNT", &settings.len().to_string()),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        for (number, (key, value)) in settings.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{number}"), key));
            variables.push((format!("GIT_CONFIG_VALUE_{number}"), value));
        }
        Self {
            folder: folder.to_owned(),
            variables,
            secrets,
        }
    }

    /// Starts a command that is talked to. It must not speak to the remote: nothing ends it
    /// while it is waited for.
    pub(super) fn talk(&self, arguments: &[&str]) -> anyhow::Result<Talk> {
        let mut child = self.spawn(arguments, Stdio::null())?;
        let (Some(ask), Some(answer)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("`git` has no pipes");
        };
        Ok(Talk {
            child,
            ask,
            answer: BufReader::new(answer),
        })
    }

    fn spawn(&self, arguments: &[&str], stderr: Stdio) -> anyhow::Result<Child> {
        Command::new("git")
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .context(
                "`git` cannot be started; a ledger in git needs git 2.31 or newer in the `PATH`",
            )
    }

    /// Runs a command to its end, whatever that is.
    ///
    /// # Errors
    /// If git cannot be started or does not end in time.
    pub(super) fn run(&self, arguments: &[&str], input: Vec<u8>) -> anyhow::Result<Ran> {
        let mut child = self.spawn(arguments, Stdio::piped())?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            bail!("`git` has no pipes");
        };
        // Git may go away before it has read everything: its exit code says so.
        thread::spawn(move || stdin.write_all(&input));
        let output = reader(stdout, usize::MAX);
        let said = reader(stderr, MOST_SAID);
        let ended = output
            .recv_timeout(LONGEST_RUN)
            .and_then(|output| Ok((output, said.recv_timeout(LONGEST_RUN)?)));
        let Ok((output, said)) = ended else {
            let _ = child.kill();
            let _ = child.wait();
            bail!(
                "`git {}` did not end within {} seconds",
                arguments.first().unwrap_or(&""),
                LONGEST_RUN.as_secs()
            );
        };
        let status = child.wait().context("`git` cannot be waited for")?;
        Ok(Ran {
            code: status.code(),
            output,
            said: self.harmless(&said),
        })
    }

    /// Runs a command that has to succeed, and gives what it wrote.
    pub(super) fn must(&self, arguments: &[&str], input: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let ran = self.run(arguments, input)?;
        if ran.succeeded() {
            return Ok(ran.output);
        }
        let name = arguments.first().unwrap_or(&"");
        Err(anyhow!("`git {name}` failed: {}", ran.said))
    }

    /// What git or the server said: without secrets, on one line, without control characters.
    pub(super) fn harmless(&self, said: &[u8]) -> String {
        let mut said = String::from_utf8_lossy(said).into_owned();
        for secret in &self.secrets {
            said = said.replace(secret.as_str(), "***");
        }
        let lines: Vec<&str> = said
            .split(['\n', '\r'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let line: String = lines
            .join("; ")
            .chars()
            .flat_map(|letter| {
                let hidden = letter.is_control()
                    || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
                let escaped = hidden.then(|| letter.escape_unicode());
                let plain = (!hidden).then_some(letter);
                escaped.into_iter().flatten().chain(plain)
            })
            .collect();
        // The reason stands at the end.
        let cut = line.chars().count().saturating_sub(LONGEST_SAID);
        if line.is_empty() {
            "it said nothing".to_owned()
        } else {
            line.chars().skip(cut).collect()
        }
    }
}

/// A command that answers a line with a line and some bytes.
pub(super) struct Talk {
    child: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Talk {
    /// The first line of the answer.
    pub(super) fn ask(&mut self, line: &str) -> io::Result<String> {
        writeln!(self.ask, "{line}")?;
        self.ask.flush()?;
        let mut head = String::new();
        self.answer.read_line(&mut head)?;
        Ok(head)
    }

    /// The next bytes of the answer.
    pub(super) fn take(&mut self, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        self.answer.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end in a thread of its own, so that waiting can end; keeps the last `most` bytes.
fn reader(mut from: impl io::Read + Send + 'static, most: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..count]);
            let over = kept.len().saturating_sub(most);
            kept.drain(..over);
        }
        // Nobody listens any more where the time is over.
        let _ = sender.send(kept);
    });
    receiver
}
