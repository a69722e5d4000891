//! `ccgate ledger`: verify, export, show and the schema of a database; anchoring is in `anchor.rs` and `witness.rs`. Reads the files that the command names. Everything
//! from the ledger is untrusted and shown with its control characters escaped.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use crate::gate::CHANGE_RECORD_TYPE;
use crate::ledger::{
    self, AllowedSigners, BranchOf, LedgerCopy, Place, Population, State, TimePointers, Verdict,
    Verification, VerifyOptions,
};
use crate::render::{escape, wrap};

use super::anchor;
use super::args::{LedgerArgs, LedgerCommand, LedgerVerifyArgs};
use super::crashed;
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::read_whole;
use super::ledger_place::existing;
use super::record::signer;
use super::witness;
use super::world::World;

/// Longest text from a ledger that is shown.
const LONGEST: usize = 2000;
/// Problems of one verdict that are shown.
const MOST_PROBLEMS: usize = 21;

pub(super) fn run(arguments: &LedgerArgs, world: &mut World) -> CommandResult {
    let (text, status) = match &arguments.command {
        LedgerCommand::Verify { ledger, log_only } => {
            verdicts_of(ledger, *log_only, world, ledger::verify)?
        }
        LedgerCommand::Export { ledger, out } => export(ledger, out, world)?,
        LedgerCommand::Anchor(arguments) => anchor::anchor(arguments, world)?,
        LedgerCommand::Witness(arguments) => witness::witness(arguments, world)?,
        LedgerCommand::Checkpoint { url } => (anchor::checkpoint(url, world)?, ExitStatus::Allow),
        LedgerCommand::Crashed(arguments) => {
            (crashed::crashed(arguments, world)?, ExitStatus::Allow)
        }
        LedgerCommand::Seal { url } => (seal(url, world)?, ExitStatus::Allow),
        LedgerCommand::Schema => (ledger::DATABASE_SCHEMA.to_owned(), ExitStatus::Allow),
        LedgerCommand::Show { url } => (show(url, world)?, ExitStatus::Allow),
    };
    // A reader that went away is no reason for another exit code.
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(status)
}

/// The verdicts; the status is that of a refusing ledger when it does not hold.
fn verdicts_of(
    arguments: &LedgerVerifyArgs,
    log_only: bool,
    world: &World,
    look: impl FnOnce(&Place, &VerifyOptions<'_>) -> anyhow::Result<Verification>,
) -> Result<(String, ExitStatus), CommandError> {
    let place = existing(&arguments.url, world)?;
    let text = |path: &Option<PathBuf>| -> Result<Option<String>, CommandError> {
        path.as_ref()
            .map(|path| read_text(&world.folder.join(path)))
            .transpose()
            .map_err(CommandError::usage)
    };
    let allowed_signers = text(&arguments.allowed_signers)?
        .map(|text| AllowedSigners::parse(&text))
        .transpose()
        .map_err(CommandError::usage)?;
    let trusted = text(&arguments.trusted_checkpoint)?;
    let population: Option<Vec<String>> = text(&arguments.population)?.map(|text| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    });
    let tsa_roots = arguments
        .tsa_roots
        .as_ref()
        .map(|file| anchor::tsa_roots(file, world))
        .transpose()?;
    let sigstore = arguments
        .certificate_oidc_issuer
        .as_deref()
        .map(|issuer| {
            let identities = &arguments.certificate_identity;
            witness::trust(identities, issuer, arguments.trusted_root.as_deref(), world)
        })
        .transpose()?;
    let copy = arguments
        .copy
        .as_ref()
        .map(|path| {
            let own = match &place {
                Place::Folder(folder) => Some(folder.as_path()),
                Place::Git(_) => None,
                #[cfg(feature = "postgres")]
                Place::Database(_) => None,
                #[cfg(feature = "s3")]
                Place::Bucket(_) => None,
            };
            LedgerCopy::read(&world.folder.join(path), own)
        })
        .transpose()
        .map_err(CommandError::ledger)?;
    let options = VerifyOptions {
        origin: arguments.origin.as_deref(),
        allowed_signers: allowed_signers.as_ref(),
        population: population.as_ref().map(|members| Population {
            members,
            predicate_type: Some(CHANGE_RECORD_TYPE),
            // Checks before the merge and repeated ones are records too, of a head or of
            // another look; a commit is accounted for by the record of the move it came with.
            telling: Some("/predicate/branch_move"),
            branch: Some(BranchOf {
                pointer: "/predicate/subject/target",
                name: arguments.branch.as_deref(),
            }),
        }),
        trusted: trusted.as_deref(),
        tsa_roots: tsa_roots.as_ref(),
        sigstore: sigstore.as_ref(),
        copy: copy.as_ref(),
        times: Some(TimePointers {
            runner: "/predicate/observed_at",
            platform: "/predicate/platform_time",
        }),
        wrong_clocks: &arguments.wrong_clock,
        log_only,
        now: Some(world.now),
    };
    let verification = look(&place, &options).map_err(CommandError::ledger)?;
    let mut text = String::new();
    let origin = verification.origin.as_deref().unwrap_or("no ledger");
    let _ = writeln!(text, "{}: {}", plain(origin), records(verification.size));
    if let Some(root) = &verification.root {
        let _ = writeln!(text, "root {root}");
    }
    for (name, verdict) in verification.verdicts() {
        paragraph(&mut text, name, verdict, world.width());
    }
    level(&mut text, &verification, world.width());
    for note in &verification.notes {
        text.push_str(&wrap("note: ", &plain(note), world.width()));
    }
    let guarantees = ledger::guarantees(&place);
    for (lead, sentences) in [
        ("promised: ", guarantees.promises),
        ("administrators could: ", guarantees.administrators_could),
    ] {
        text.push_str(&wrap(lead, &sentences.join("; "), world.width()));
    }
    let status = if verification.exit_code() == 0 {
        ExitStatus::Allow
    } else {
        ExitStatus::Ledger
    };
    Ok((text, status))
}

/// What other runs left is sealed with this run's key.
fn seal(url: &str, world: &World) -> Result<String, CommandError> {
    let place = existing(url, world)?;
    let sealed = || -> anyhow::Result<u64> {
        let (_, checkpoint) = ledger::open_any(&place)?;
        ledger::open(&place, &checkpoint.origin, signer(world)?)?.seal_waiting()
    };
    let sealed = sealed().map_err(CommandError::ledger)?;
    Ok(format!("{} sealed\n", records(sealed)))
}

/// The verdicts, and what was written.
fn export(
    arguments: &LedgerVerifyArgs,
    out: &Path,
    world: &World,
) -> Result<(String, ExitStatus), CommandError> {
    let mut written = String::new();
    // Whoever gets the pack reads the copies, so they have to fit.
    let (mut text, status) = verdicts_of(arguments, false, world, |place, options| {
        let export = ledger::export(place, &world.folder.join(out), options)?;
        written = format!(
            "{} files in {}; give the digest of its MANIFEST.sha256 apart from the folder: {}",
            export.files,
            plain(&out.display().to_string()),
            export.manifest
        );
        Ok(export.verification)
    })?;
    text.push_str(&wrap("exported: ", &written, world.width()));
    Ok((text, status))
}

/// One line a record.
fn show(url: &str, world: &World) -> Result<String, CommandError> {
    list(&existing(url, world)?, world.width()).map_err(CommandError::ledger)
}

fn list(place: &Place, width: usize) -> anyhow::Result<String> {
    let (store, checkpoint) = ledger::open_any(place)?;
    let leaves = store
        .read(0..checkpoint.size)
        .context("the ledger cannot be read; run `ccgate ledger verify`")?;
    let mut text = String::new();
    for (number, leaf) in leaves.iter().enumerate() {
        let statement = ledger::Leaf::parse(leaf)
            .with_context(|| format!("entry {number}"))?
            .statement;
        let _ = writeln!(text, "{number:>6}  {}", describe(&statement));
    }
    let foot = format!(
        "{} of {}; not verified here, run `ccgate ledger verify`",
        records(checkpoint.size),
        plain(&checkpoint.origin)
    );
    text.push_str(&wrap("", &foot, width));
    Ok(text)
}

/// How well the ledger is anchored, and what would show more.
fn level(text: &mut String, verification: &Verification, width: usize) {
    let word = verification
        .levels
        .highest()
        .map_or("none", |(level, _)| level.word());
    let mut heading = heading("level", word);
    for sentence in verification.levels.sentences(verification.size) {
        text.push_str(&wrap(&heading, &sentence, width));
        heading = " ".repeat(heading.len());
    }
}

fn heading(name: &str, word: &str) -> String {
    format!("{name:<13} {word:<8} ")
}

/// A verdict, and further problems below its sentence.
fn paragraph(text: &mut String, name: &str, verdict: &Verdict, width: usize) {
    let state = match verdict.state {
        State::Ok => "ok",
        State::Failed => "FAILED",
        State::Unknown => "unknown",
    };
    let heading = heading(name, state);
    text.push_str(&wrap(&heading, &plain(&verdict.says), width));
    let indent = " ".repeat(heading.len());
    for problem in verdict.problems.iter().take(MOST_PROBLEMS).skip(1) {
        text.push_str(&wrap(&indent, &plain(problem), width));
    }
    if verdict.problems.len() > MOST_PROBLEMS {
        let more = verdict.problems.len() - MOST_PROBLEMS;
        let _ = writeln!(text, "{indent}and {more} more");
    }
}

fn records(count: u64) -> String {
    format!("{count} {}", if count == 1 { "record" } else { "records" })
}

/// One line about a record: when, about which change and commit, what it decided or who
/// overrode what.
fn describe(statement: &Value) -> String {
    let text = |pointer: &str| statement.pointer(pointer).and_then(Value::as_str);
    let mut words: Vec<String> = Vec::new();
    words.extend(text("/predicate/observed_at").map(str::to_owned));
    words.extend(subject(statement));
    // `change-record` of `https://…/change-record/v1`.
    words.extend(
        text("/predicateType").map(|kind| kind.rsplit('/').nth(1).unwrap_or(kind).to_owned()),
    );
    for (label, pointer) in [
        ("", "/predicate/decision"),
        ("", "/predicate/controls/0"),
        ("by @", "/predicate/approver/login"),
        ("", "/predicate/ticket/key"),
        ("until ", "/predicate/expires_at"),
    ] {
        words.extend(text(pointer).map(|value| format!("{label}{value}")));
    }
    plain(&words.join("  "))
}

/// The change and the commit, e.g. `#42 at 58777b722715`; the repository is that of the ledger.
fn subject(statement: &Value) -> Option<String> {
    let name = statement.pointer("/subject/0/name")?.as_str()?;
    let Some((_, commit)) = name.rsplit_once('@') else {
        return Some(name.to_owned());
    };
    let commit: String = commit.chars().take(12).collect();
    let change = ["/predicate/subject/change", "/predicate/scope/change"]
        .into_iter()
        .find_map(|pointer| statement.pointer(pointer)?.as_u64());
    Some(match change {
        Some(number) => format!("#{number} at {commit}"),
        None => commit,
    })
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read_whole(path)?).map_err(|_| anyhow!("`{}` is not UTF-8", path.display()))
}

/// Control and direction characters become visible escapes; the rest stays.
fn plain(text: &str) -> String {
    escape::terminal(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_told_by_time_change_and_what_was_decided() {
        let decided = json!({
            "subject": [{"name": "github/acme/app@58777b7227156906dbf4cbe363c6b3da53e3ba19"}],
            "predicateType": "https://ccgate.dev/change-record/v1",
            "predicate": {
                "observed_at": "2026-06-01T08:05:00Z",
                "subject": {"change": 42},
                "decision": "block",
            },
        });
        assert_eq!(
            describe(&decided),
            "2026-06-01T08:05:00Z  #42 at 58777b722715  change-record  block"
        );
    }

    #[test]
    fn a_hostile_subject_cannot_write_on_the_terminal() {
        let statement = json!({
            "subject": [{"name": "a\u{1b}[2Jb\n::set-output\u{202e}"}],
            "predicateType": "t",
            "predicate": {"decision": "allow\r", "overrides": [1, 2]},
        });
        assert_eq!(
            describe(&statement),
            "a\\u{1b}[2Jb\\n::set-output\\u{202e}  t  allow\\r"
        );
    }
}
