//! Where the decision is shown: stdout, files, and the places that GitHub gives a step.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::gate::{Decision, Outcome, OverrideState, VerdictWord};
use crate::render::{self, Format, Style, Tool, escape};

use super::exit::ExitStatus;
use super::world::World;

/// A decision after its record was written.
pub(super) struct Finished<'a> {
    pub(super) decision: &'a Decision,
    pub(super) status: ExitStatus,
    pub(super) snapshot_digest: &'a str,
    /// Where the record stands, if one was written.
    pub(super) recorded: Option<&'a str>,
}

/// The program as outputs and records name it.
pub(super) const TOOL: Tool<'static> = Tool {
    name: "ccgate",
    version: env!("CARGO_PKG_VERSION"),
};

/// Writes every format that was asked for. Files first: a later step can read
/// them even when stdout is closed.
pub(super) fn write(
    finished: &Finished<'_>,
    format: Format,
    files: &[(Format, PathBuf)],
    world: &mut World,
) -> anyhow::Result<()> {
    for (format, path) in files {
        let text = render(finished, *format, plain());
        write_file(&world.folder.join(path), text.as_bytes())?;
    }
    if world.in_github_actions() {
        step_summary(finished, world)?;
        step_outputs(finished, world)?;
    }
    let style = Style {
        color: world.color_stdout(),
        width: world.width(),
    };
    if format == Format::Human {
        human(finished, style, world);
    } else {
        let text = render(finished, format, plain());
        // A reader that went away is no reason for another exit code.
        let _ = world.stdout.write_all(text.as_bytes());
        let _ = world.stdout.flush();
        let story = render(finished, Format::Human, plain());
        let _ = world.stderr.write_all(story.as_bytes());
    }
    Ok(())
}

/// Human text; in a step of GitHub Actions fenced against workflow commands
/// hidden in foreign text, with our own annotations after the fence.
fn human(finished: &Finished<'_>, style: Style, world: &mut World) {
    let mut text = render(finished, Format::Human, style);
    if let Some(recorded) = finished.recorded {
        let recorded = escape::terminal(recorded, escape::LONGEST);
        text.push_str(&render::wrap(
            "        recorded in ",
            &recorded,
            style.width,
        ));
    }
    if world.in_github_actions() {
        let fence = random_word();
        text = format!(
            "::stop-commands::{fence}\n{text}::{fence}::\n{}",
            render(finished, Format::Github, plain())
        );
    }
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    let _ = world.stdout.flush();
}

fn render(finished: &Finished<'_>, format: Format, style: Style) -> String {
    render::render(
        format,
        finished.decision,
        TOOL,
        finished.status.code(),
        style,
    )
}

fn plain() -> Style {
    Style::default()
}

/// Appends the Markdown to the job summary.
fn step_summary(finished: &Finished<'_>, world: &World) -> anyhow::Result<()> {
    let Some(path) = world.var("GITHUB_STEP_SUMMARY") else {
        return Ok(());
    };
    let text = render(finished, Format::Markdown, plain());
    append_file(Path::new(path), text.as_bytes())
}

/// Writes the step's outputs, each behind a delimiter that nobody can guess.
fn step_outputs(finished: &Finished<'_>, world: &World) -> anyhow::Result<()> {
    let Some(path) = world.var("GITHUB_OUTPUT") else {
        return Ok(());
    };
    let decision = finished.decision;
    let codes = |word: VerdictWord| {
        decision
            .controls
            .iter()
            .filter(|control| control.verdict == Some(word))
            .map(|control| control.meta.code)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let overrides = decision
        .overrides
        .iter()
        .filter(|report| report.state == OverrideState::Accepted)
        .flat_map(|report| report.covers.iter().copied())
        .collect::<Vec<_>>()
        .join(" ");
    let result = match (finished.status, decision.outcome) {
        // A later step that reads only this word must not go on where the gate
        // stays closed for the record that is missing.
        (ExitStatus::Ledger, _) | (_, Outcome::Block) => "block",
        (_, Outcome::Allow) => "allow",
        (_, Outcome::Undecided) => "undecided",
        (_, Outcome::Pending) => "pending",
    };
    let mut text = String::new();
    for (name, value) in [
        ("result", result.to_owned()),
        ("exit-code", finished.status.code().to_string()),
        ("failed-controls", codes(VerdictWord::Fail)),
        ("unknown-controls", codes(VerdictWord::Unknown)),
        ("overrides", overrides),
        ("evidence-digest", finished.snapshot_digest.to_owned()),
    ] {
        let fence = random_word();
        text.push_str(&format!("{name}<<{fence}\n{value}\n{fence}\n"));
    }
    append_file(Path::new(path), text.as_bytes())
}

/// A word that foreign text cannot contain by design: 128 random bits.
fn random_word() -> String {
    format!("ccgate_{:032x}", fastrand::u128(..))
}

fn append_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("could not write {}", path.display()))
}

/// Writes a file, and the folders above it.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not create {}", folder.display()))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
}
