//! The `postgres:` stores: ledgers in a schema of a database. The same files as in a folder; an append
//! is one call of one function, which takes it only on the number of records that it was made for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};

use super::dir::{CHECKPOINT, FORMAT, SIGNERS, anchor_size};
use super::keep::BUNDLE;
use super::place::DatabasePlace;
use super::remote::held::checkpoint_of;
use super::remote::overlay::{Base, Changes, Overlay, is_plain, may_be_removed};
use super::remote::{Patience, Remote, RemoteStore, Sent};
use super::{Guarantees, guarantees};

mod history;
mod line;

pub(super) use history::{export, verify};
use line::{Line, Trouble};

pub(crate) type DatabaseStore = RemoteStore<Database>;

const EDGE: &str = "SELECT name, contents FROM ccgate.edge($1)";
const FILE: &str = "SELECT ccgate.file($1, $2, $3)";
const NAMES: &str = "SELECT n FROM ccgate.names($1, $2, $3) AS n";
/// Whoever stops in his turn loses it after ten seconds.
const BEGIN_TURN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE;
    SET LOCAL idle_in_transaction_session_timeout = '10s'";
const TAKE_TURN: &str = "SELECT ccgate.take_turn($1)";
const APPEND: &str = "SELECT ccgate.append($1, $2, $3, $4, $5, $6, $7)";
const KEEP_TOKEN: &str = "SELECT ccgate.keep_token($1, $2, $3)";
const KEEP_BUNDLE: &str = "SELECT ccgate.keep_bundle($1, $2, $3)";

/// Answers of the server that say no more than that somebody else was at it: serialization, deadlock,
/// a lock that was not had in time.
const RACES: [&str; 3] = ["40001", "40P01", "55P03"];

/// One ledger of a database.
pub(crate) struct Database {
    line: Arc<Mutex<Line>>,
    name: String,
    /// Whether a transaction may be open in which it is our turn.
    in_turn: bool,
}

impl Database {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edge(&self) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
        let name = self.name.as_str();
        let rows: Vec<(String, Vec<u8>)> = self
            .line()
            .ask(async |connection| sqlx::query_as(EDGE).bind(name).fetch_all(connection).await)?;
        Ok(rows.into_iter().collect())
    }

    fn snapshot(
        &self,
        size: u64,
        edge: BTreeMap<String, Vec<u8>>,
    ) -> anyhow::Result<Overlay<Snapshot>> {
        Ok(Overlay::over(Snapshot {
            line: Arc::clone(&self.line),
            name: self.name.clone(),
            size: i64::try_from(size)?,
            edge,
            absent: Mutex::default(),
        }))
    }
}

/// A whole number as the database has it.
fn whole(number: u64) -> anyhow::Result<i64> {
    i64::try_from(number).context("the ledger is larger than a database can count")
}

impl Remote for Database {
    type Place = DatabasePlace;
    type Base = Snapshot;

    fn open(place: &DatabasePlace) -> anyhow::Result<Self> {
        Ok(Self {
            line: Arc::new(Mutex::new(Line::to(place)?)),
            name: place.name().to_owned(),
            in_turn: false,
        })
    }

    fn take_turn(&mut self) -> anyhow::Result<bool> {
        self.in_turn = true;
        let name = self.name.as_str();
        let taken = self.line().ask(async |connection| {
            sqlx::raw_sql(BEGIN_TURN).execute(&mut *connection).await?;
            sqlx::query(TAKE_TURN).bind(name).execute(connection).await
        });
        match taken {
            Ok(_) => Ok(true),
            Err(trouble) => {
                self.end_turn();
                match trouble {
                    // Too many before us: without a turn, the function decides.
                    Trouble::Refused { code, .. } if RACES.contains(&code.as_str()) => Ok(true),
                    trouble => Err(trouble.into()),
                }
            }
        }
    }

    fn end_turn(&mut self) {
        if std::mem::take(&mut self.in_turn) {
            // Where this does not arrive, the line is broken, and the turn has ended with it.
            let _ = self
                .line()
                .ask(async |connection| sqlx::raw_sql("ROLLBACK").execute(connection).await);
        }
    }

    fn look(&mut self) -> anyhow::Result<Option<Overlay<Snapshot>>> {
        let edge = self.edge()?;
        if edge.is_empty() {
            return Ok(None);
        }
        let size = checkpoint_of(&self.snapshot(0, edge.clone())?)?;
        self.snapshot(size.map_or(0, |checkpoint| checkpoint.size), edge)
            .map(Some)
    }

    fn nothing(&self) -> anyhow::Result<Overlay<Snapshot>> {
        self.snapshot(0, BTreeMap::new())
    }

    fn send(
        &mut self,
        tip: Option<&Overlay<Snapshot>>,
        changes: &Changes,
        _: &str,
    ) -> anyhow::Result<Sent> {
        let made_for = tip.map_or(0, |tip| tip.base().size);
        let name = self.name.as_str();
        let answer = if let Some(checkpoint) = changes.get(CHECKPOINT) {
            let call = Call::of(changes)?;
            let in_turn = self.in_turn;
            let answer = self.line().ask(async |connection| {
                let sealed: bool = sqlx::query_scalar(APPEND)
                    .bind(name)
                    .bind(made_for)
                    .bind(checkpoint)
                    .bind(call.signers)
                    .bind(&call.names)
                    .bind(&call.contents)
                    .bind(&call.superseded)
                    .fetch_one(&mut *connection)
                    .await?;
                if in_turn {
                    // Outside of a transaction, because the line broke in between, it does nothing.
                    sqlx::raw_sql("COMMIT").execute(connection).await?;
                }
                Ok(sealed)
            });
            self.in_turn = in_turn && answer.is_err();
            answer
        } else {
            let (keep, size, bytes) = anchor_of(changes)?;
            self.line().ask(async |connection| {
                sqlx::query_scalar(keep)
                    .bind(name)
                    .bind(size)
                    .bind(bytes)
                    .fetch_one(connection)
                    .await
            })
        };
        match answer {
            Ok(true) => Ok(Sent::Done),
            Ok(false) => Ok(Sent::Refused("somebody else was faster".to_owned())),
            Err(Trouble::Refused { code, said }) if RACES.contains(&code.as_str()) => {
                Ok(Sent::Refused(said))
            }
            Err(Trouble::Refused { code, said }) => {
                Err(anyhow!("the database did not take it: {said} ({code})"))
            }
            Err(Trouble::Lost(said)) => Ok(Sent::Unclear(said)),
        }
    }

    fn patience() -> Patience {
        Patience {
            refusals: 400,
            // It knows none: writers take turns.
            receipt_after: u32::MAX,
            total: Duration::from_secs(120),
            pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(640),
            ..Patience::default()
        }
    }

    fn guarantees(_: &DatabasePlace) -> Guarantees {
        guarantees::DATABASE
    }
}

/// What the function is handed besides the checkpoint.
struct Call<'a> {
    signers: Option<&'a Vec<u8>>,
    names: Vec<&'a str>,
    contents: Vec<&'a [u8]>,
    superseded: Vec<&'a str>,
}

impl<'a> Call<'a> {
    fn of(changes: &'a Changes) -> anyhow::Result<Self> {
        let mut call = Self {
            signers: None,
            names: Vec::new(),
            contents: Vec::new(),
            superseded: Vec::new(),
        };
        for (path, bytes) in changes {
            match (path.as_str(), bytes) {
                (CHECKPOINT, Some(_)) => {}
                (SIGNERS, Some(bytes)) => call.signers = Some(bytes),
                (path, Some(bytes)) => {
                    call.names.push(path);
                    call.contents.push(bytes);
                }
                (path, None) => {
                    ensure!(
                        may_be_removed(path),
                        "an append would have removed `{path}`"
                    );
                    call.superseded.push(path);
                }
            }
        }
        Ok(call)
    }
}

/// The question that keeps a time-stamp or a bundle, its size and its bytes, where that is all
/// that was changed.
fn anchor_of(changes: &Changes) -> anyhow::Result<(&'static str, i64, &Vec<u8>)> {
    let only = changes.iter().next().filter(|_| changes.len() == 1);
    let found = only.and_then(|(path, bytes)| {
        let (keep, size) = [("tsr", KEEP_TOKEN), (BUNDLE, KEEP_BUNDLE)]
            .into_iter()
            .find_map(|(kind, keep)| Some((keep, anchor_size(path, kind)?)))?;
        Some((keep, size, bytes.as_ref()?))
    });
    let (keep, size, bytes) =
        found.context("what was changed is neither an append nor an anchor alone")?;
    Ok((keep, whole(size)?, bytes))
}

/// The files of a ledger when it had a size. Those of the right edge are here; all others never change,
/// so they are asked for when they are read.
pub(crate) struct Snapshot {
    line: Arc<Mutex<Line>>,
    name: String,
    size: i64,
    edge: BTreeMap<String, Vec<u8>>,
    /// Files of which it is known that there were none.
    absent: Mutex<BTreeSet<String>>,
}

impl Snapshot {
    /// Whether all files of this kind came with the right edge.
    fn is_of_the_edge(path: &str) -> bool {
        matches!(path, CHECKPOINT | SIGNERS | FORMAT) || may_be_removed(path)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn absent(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Base for Snapshot {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.edge.get(path) {
            return Ok(Some(bytes.clone()));
        }
        let nowhere = Self::is_of_the_edge(path) || !is_plain(path) || self.size == 0;
        if nowhere || self.absent().contains(path) {
            return Ok(None);
        }
        let (name, size) = (self.name.as_str(), self.size);
        let found: Result<Option<Vec<u8>>, Trouble> = self.line().ask(async |connection| {
            sqlx::query_scalar(FILE)
                .bind(name)
                .bind(path)
                .bind(size)
                .fetch_one(connection)
                .await
        });
        let found = found.map_err(other)?;
        if found.is_none() {
            self.absent().insert(path.to_owned());
        }
        Ok(found)
    }

    fn has(&self, path: &str) -> io::Result<bool> {
        Ok(self.read(path)?.is_some())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        // No append leaves anything there. What lies in a ledger that has no head is looked at by the
        // function: here it could be somebody else's first append.
        if folder == "tmp" || self.size == 0 {
            return Ok(Vec::new());
        }
        let (name, size) = (self.name.as_str(), self.size);
        let found: Result<Vec<String>, Trouble> = self.line().ask(async |connection| {
            sqlx::query_scalar(NAMES)
                .bind(name)
                .bind(folder)
                .bind(size)
                .fetch_all(connection)
                .await
        });
        found.map_err(other)
    }
}

fn other(trouble: Trouble) -> io::Error {
    io::Error::other(format!("{:#}", anyhow::Error::from(trouble)))
}

#[cfg(test)]
mod tests {
    use super::super::place::Place;
    use super::*;

    fn changes(list: &[(&str, Option<&str>)]) -> Changes {
        list.iter()
            .map(|(path, text)| {
                let bytes = text.map(|text| text.as_bytes().to_vec());
                ((*path).to_owned(), bytes)
            })
            .collect()
    }

    #[test]
    fn an_append_is_taken_apart_into_what_the_function_is_handed() {
        let changes = changes(&[
            ("keys/allowed_signers", Some("k")),
            ("log/checkpoint", Some("c")),
            ("log/tile/0/000.p/1", None),
            ("log/tile/0/000.p/2", Some("tt")),
            ("records/2026/11/rec_1.json", Some("{}")),
        ]);
        let call = Call::of(&changes).unwrap();
        assert_eq!(call.signers.unwrap(), b"k");
        assert_eq!(
            call.names,
            ["log/tile/0/000.p/2", "records/2026/11/rec_1.json"]
        );
        assert_eq!(call.contents, [&b"tt"[..], b"{}"]);
        assert_eq!(call.superseded, ["log/tile/0/000.p/1"]);
    }

    #[test]
    fn nothing_but_partial_tiles_is_ever_asked_to_be_removed() {
        for path in ["log/checkpoint", "FORMAT", "log/tile/0/000"] {
            let changes = changes(&[(path, None)]);
            assert!(Call::of(&changes).is_err(), "{path}");
        }
    }

    #[test]
    fn a_time_stamp_or_a_bundle_comes_alone() {
        for (path, keep) in [
            ("anchors/7.tsr", KEEP_TOKEN),
            ("anchors/7.sigstore.json", KEEP_BUNDLE),
        ] {
            let alone = changes(&[(path, Some("t"))]);
            assert_eq!(anchor_of(&alone).unwrap(), (keep, 7, &b"t".to_vec()));
        }
        for wrong in [
            &[("anchors/7.tsr", None)][..],
            &[("anchors/7.note", Some("n"))],
            &[("anchors/7.tsr", Some("t")), ("anchors/8.tsr", Some("t"))],
            &[
                ("anchors/7.tsr", Some("t")),
                ("anchors/7.sigstore.json", Some("b")),
            ],
            &[],
        ] {
            assert!(anchor_of(&changes(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_right_edge_is_read_from_what_came_and_a_file_that_no_ledger_has_is_asked_for_nowhere() {
        let Place::Database(mut place) =
            Place::parse("postgres:///nowhere/audit", || Ok(String::new())).unwrap()
        else {
            panic!("it is a database's address")
        };
        place.credentials = Some(super::super::Credentials::without_token("gate").unwrap());
        let database = Database::open(&place).unwrap();
        let edge = [("log/checkpoint".to_owned(), b"c".to_vec())].into();
        let files = database.snapshot(5, edge).unwrap();
        let files = files.base();
        assert_eq!(files.read("log/checkpoint").unwrap().unwrap(), b"c");
        for path in [
            "FORMAT",
            "log/tile/0/000.p/4",
            "journal",
            "tmp/0",
            "records/../x",
        ] {
            assert_eq!(files.read(path).unwrap(), None, "{path}");
        }
        assert!(
            files.read("log/tile/0/000").is_err(),
            "whole tiles are the server's to give, and it is not there"
        );
    }
}
