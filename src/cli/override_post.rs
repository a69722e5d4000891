//! `ccgate override create` and `approve`: the comment of a person, posted with their own token,
//! with a signature of theirs below it if they made one. With one that would not be counted nothing
//! is posted, or printed for a deployment.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::gate::{self, SignedComment};
use crate::platform::{Flags, Wanted, post_comment};
use crate::render::{escape, wrap};

use super::args::OnChange;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::read_whole;
use super::session;
use super::world::World;

/// Longest line of a comment, or answer of a platform, that is shown.
const LONGEST: usize = 300;

/// Posts the comment with the person's own token, and says what was posted where.
pub(super) fn post(
    text: Result<String, String>,
    on: &OnChange,
    next: &str,
    world: &mut World,
) -> CommandResult {
    let mut text = text.map_err(|why| CommandError::usage(anyhow!(why)))?;
    let flags = flags(on);
    let mut next = next.to_owned();
    if let Some(file) = &on.signature {
        let signed = signed(&text, file, &flags, "posted", world).map_err(CommandError::usage)?;
        next = format!("signed with {}; {next}", signed.key);
        text = signed.text;
    }
    // What a CI's own token posts is a machine's, and counts for nothing.
    if world.var("CCGATE_TOKEN").is_none() {
        return Err(CommandError::usage(anyhow!(
            "a comment of yours takes your own token: set `CCGATE_TOKEN`"
        )));
    }
    let posted = session::runtime()?.block_on(async {
        let setup = session::setup(&flags, on.timeout, world).await?;
        post_comment(setup, &text)
            .await
            .map_err(CommandError::undecided)
    })?;
    let by = posted
        .by
        .map_or_else(String::new, |by| format!(" by @{by}"));
    let mut shown = escape::terminal(&format!("posted{by}: {}", posted.place), LONGEST);
    shown.push('\n');
    for line in text.lines() {
        let line = escape::terminal(line, LONGEST);
        shown.push_str(&wrap("    ", &line, world.width()));
    }
    shown.push_str(&next);
    shown.push('\n');
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(shown.as_bytes());
    Ok(ExitStatus::Allow)
}

/// Prints what to write where a deployment is approved, with the signature of that file; asks nobody.
pub(super) fn print_for_deployment(id: &str, on: &OnChange, world: &mut World) -> CommandResult {
    let mut line = on
        .signature
        .as_deref()
        .context("`--for-deployment` takes a signature: add `--signature FILE.sig`")
        .and_then(|file| {
            let text = gate::approval_comment(id).map_err(|why| anyhow!(why))?;
            let signed = signed(&text, file, &flags(on), "printed", world)?;
            gate::short_approval(id, &signed).map_err(|why| anyhow!(why))
        })
        .map_err(CommandError::usage)?;
    line.push('\n');
    world
        .stdout
        .write_all(line.as_bytes())
        .context("the comment cannot be written")
        .map_err(CommandError::usage)?;
    Ok(ExitStatus::Allow)
}

fn flags(on: &OnChange) -> Flags {
    Flags {
        platform: on.platform.map(Into::into),
        repository: on.repo.clone(),
        change: Some(on.change),
        head: None,
        reference: None,
        since: None,
        repository_only: false,
    }
}

/// The comment with the signature of that file over the statement beside it.
fn signed(
    text: &str,
    file: &Path,
    flags: &Flags,
    done: &str,
    world: &World,
) -> anyhow::Result<SignedComment> {
    let shown = file.display();
    ensure!(
        file.extension().is_some_and(|end| end == "sig"),
        "`--signature` takes the file that `ssh-keygen -Y sign` wrote beside the statement, \
         `statement.sig`, and not `{shown}`"
    );
    let read = |path: &Path| {
        let bytes = read_whole(&world.folder.join(path))?;
        String::from_utf8(bytes).with_context(|| format!("`{}` is no text", path.display()))
    };
    let (armour, statement) = (read(file)?, read(&file.with_extension(""))?);
    let place = session::place(flags, world)?;
    let Wanted::Change { number, .. } = place.wanted else {
        bail!("a comment stands on a change: say which with `--change N`");
    };
    let place = gate::CommentPlace {
        platform: place.platform,
        repository: &place.repository,
        change: number,
    };
    gate::signed_comment(&place, text, &statement, &armour, world.now)
        .map_err(|why| anyhow!("nothing was {done}, for it would not be counted: {why}"))
}
