//! Verification of a ledger in a database: all of its files, copied out at one moment, like those of a
//! folder, and beyond that every checkpoint that ever stood there. What comes from there is untrusted.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::super::checkpoint::Checkpoint;
use super::super::dir::{CHECKPOINT, SIGNERS};
use super::super::export::{Export, export_files};
use super::super::files::Folder;
use super::super::place::DatabasePlace;
use super::super::remote::Remote as _;
use super::super::remote::beginnings::Roots;
use super::super::remote::overlay::is_plain;
use super::super::verify::{Verification, VerifyOptions, verify_files};
use super::Database;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const FILES_AFTER: &str = "SELECT name, contents, came_with FROM ccgate.files_after($1, $2)";
const CHECKPOINTS_AFTER: &str = "SELECT of_size, contents FROM ccgate.checkpoints_after($1, $2)";

/// Problems that are told; a wrong ledger has thousands.
const MOST_PROBLEMS: usize = 100;

/// The files and the past of a ledger, copied out and judged.
struct Copied {
    folder: TempDir,
    /// Whether there is anything at all.
    begun: bool,
    problems: Vec<String>,
}

/// # Errors
/// If the ledger cannot be read. Whatever lies there, the answer is a verification.
pub(in super::super) fn verify(
    place: &DatabasePlace,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Verification> {
    let copied = Copied::of(place)?;
    Ok(copied.judged(place, options))
}

/// # Errors
/// As for a ledger in a folder, and if the ledger cannot be read or did not only grow.
pub(in super::super) fn export(
    place: &DatabasePlace,
    pack: &Path,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Export> {
    let copied = Copied::of(place)?;
    ensure!(copied.begun, "there is no {place}");
    let verification = copied.judged(place, options);
    export_files(
        &Folder::new(copied.folder.path()),
        verification,
        pack,
        options,
    )
}

impl Copied {
    /// Everything is read in one transaction, so it is the state of one moment.
    fn of(place: &DatabasePlace) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("ccgate-ledger-")
            .tempdir()
            .context("no temporary folder can be made for the ledger's files")?;
        let mut copied = Self {
            folder,
            begun: false,
            problems: Vec::new(),
        };
        let database = Database::open(place)?;
        let simple = |statement: &'static str| {
            database
                .line()
                .ask(async |connection| sqlx::raw_sql(statement).execute(connection).await)
        };
        simple(BEGIN)?;
        let session = database.line().sessions();
        copied
            .read(&database)
            .with_context(|| format!("{place} cannot be read"))?;
        // Nothing was written; how it ends does not matter.
        let _ = simple("COMMIT");
        ensure!(
            database.line().sessions() == session,
            "the line to {place} broke while the ledger was read; run it again"
        );
        Ok(copied)
    }

    fn judged(&self, place: &DatabasePlace, options: &VerifyOptions<'_>) -> Verification {
        let verification = verify_files(&Folder::new(self.folder.path()), options);
        if !self.begun && self.problems.is_empty() {
            return verification;
        }
        let note = format!(
            "{place}: every checkpoint that ever stood there is one of a beginning of this log"
        );
        verification.with(self.problems.clone(), note)
    }

    fn read(&mut self, database: &Database) -> anyhow::Result<()> {
        let mut edge = database.edge()?;
        let newest = edge.remove(CHECKPOINT);
        for (path, bytes) in [(CHECKPOINT, &newest), (SIGNERS, &edge.remove(SIGNERS))] {
            if let Some(bytes) = bytes {
                self.begun = true;
                self.write(path, bytes)?;
            }
        }
        let newest = newest
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| Checkpoint::parse(&text).ok());
        self.files(database, newest.as_ref().map_or(0, |newest| newest.size))?;
        self.checkpoints(database, newest.as_ref())
    }

    fn files(&mut self, database: &Database, size: u64) -> anyhow::Result<()> {
        let name = database.name.as_str();
        let mut last = String::new();
        loop {
            let after = last.as_str();
            let rows: Vec<(String, Vec<u8>, i64)> = database.line().ask(async |connection| {
                sqlx::query_as(FILES_AFTER)
                    .bind(name)
                    .bind(after)
                    .fetch_all(connection)
                    .await
            })?;
            if rows.is_empty() {
                return Ok(());
            }
            self.begun = true;
            for (path, bytes, since) in rows {
                ensure!(
                    path > last,
                    "the database gives its files in no order, so nobody knows whether they are all"
                );
                if !is_plain(&path) || path == CHECKPOINT || path == SIGNERS {
                    self.problem(format!(
                        "`{}` does not belong into the files of a ledger",
                        path.escape_debug()
                    ))?;
                } else if u64::try_from(since).is_ok_and(|since| (1..=size).contains(&since)) {
                    self.write(&path, &bytes)?;
                } else {
                    self.problem(format!(
                        "`{path}` came with record {since}, but there are {size}"
                    ))?;
                }
                last = path;
            }
        }
    }

    /// Every checkpoint there ever was is one of a beginning of this log, and the last one is the newest.
    fn checkpoints(
        &mut self,
        database: &Database,
        newest: Option<&Checkpoint>,
    ) -> anyhow::Result<()> {
        let files = Folder::new(self.folder.path());
        let mut roots = Roots::of(&files, newest.map_or(0, |newest| newest.size));
        let name = database.name.as_str();
        let mut last = 0;
        let mut last_one = None;
        loop {
            let rows: Vec<(i64, Vec<u8>)> = database.line().ask(async |connection| {
                sqlx::query_as(CHECKPOINTS_AFTER)
                    .bind(name)
                    .bind(last)
                    .fetch_all(connection)
                    .await
            })?;
            if rows.is_empty() {
                break;
            }
            self.begun = true;
            for (size, bytes) in rows {
                ensure!(
                    size > last,
                    "the database gives its checkpoints in no order, so nobody knows whether they are all"
                );
                last = size;
                match wrong(&mut roots, newest, size, bytes) {
                    Ok((checkpoint, problem)) => {
                        last_one = Some(checkpoint);
                        if let Some(problem) = problem {
                            self.problem(problem)?;
                        }
                    }
                    Err(error) => self.problem(format!(
                        "the checkpoint of {size} records that is kept there: {error:#}"
                    ))?,
                }
            }
        }
        if last_one.as_ref() != newest {
            self.problem(
                "the newest checkpoint is not the last of those that are kept: the ledger was taken back, or a checkpoint was put there or taken away".to_owned(),
            )?;
        }
        Ok(())
    }

    fn problem(&mut self, problem: String) -> anyhow::Result<()> {
        if self.problems.len() >= MOST_PROBLEMS {
            bail!("it is no ledger: {problem}, and much more");
        }
        self.problems.push(problem);
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let target = self.folder.path().join(path);
        let write = || {
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            // Names that differ to the database and not to this machine.
            fs::File::create_new(&target)?;
            fs::write(&target, bytes)
        };
        write().with_context(|| format!("`{path}` cannot be written to a temporary folder"))
    }
}

/// A kept checkpoint, and what is wrong with it, if it is one at all.
fn wrong(
    roots: &mut Roots<'_>,
    newest: Option<&Checkpoint>,
    size: i64,
    bytes: Vec<u8>,
) -> anyhow::Result<(Checkpoint, Option<String>)> {
    let text = String::from_utf8(bytes).ok().context("it is no text")?;
    let checkpoint = Checkpoint::parse(&text)?;
    ensure!(
        i64::try_from(checkpoint.size).is_ok_and(|told| told == size),
        "it is one of {} records",
        checkpoint.size
    );
    let newest = newest.context("there is no newest one")?;
    ensure!(
        checkpoint.origin == newest.origin,
        "it belongs to `{}`",
        checkpoint.origin
    );
    let problem = roots.problem(&checkpoint, "the checkpoint that is kept there")?;
    Ok((checkpoint, problem))
}
