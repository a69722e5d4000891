//! Many processes append to one ledger, and some of them are killed on the way. Then every record
//! whose append was reported has to be there once, and the ledger has to verify.
//!
//!     cargo run --release --example ledger-torture -- --store git --writers 64 --kill 30 --appends 5
//!
//! The program starts itself as each of the writers. Everything happens in a temporary folder.
//! `--store dir|git|ADDRESS` (an empty ledger somewhere else; a database wants `CCGATE_LEDGER_USER` and `CCGATE_LEDGER_TOKEN`, a bucket the `AWS_…` variables, both a build with their feature), `--writers N`, `--kill PERCENT`, `--appends N` for each writer, `--seed N`.
//! `CCGATE_LEDGER_KEY` signs, and lets writers in git leave receipts for each other.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that reports to whoever runs it"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use ccgate::ledger::{self, Leaf, Place, STATEMENT_TYPE, Signer, State, VerifyOptions};
use serde_json::json;

const ORIGIN: &str = "ccgate/github/acme/payments";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("write") => write(&arguments[1..]),
        _ => Torture::parse(&arguments).and_then(|torture| torture.run()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

struct Torture {
    store: String,
    writers: u64,
    /// Of a hundred writers.
    kill: u64,
    appends: u64,
    seed: u64,
}

/// What one writer told before it ended or was ended.
#[derive(Default)]
struct Told {
    /// Id, number in the ledger, time that the append took.
    sealed: Vec<(String, u64, Duration)>,
    killed: bool,
    complaint: String,
}

impl Torture {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut torture = Self {
            store: "dir".to_owned(),
            writers: 8,
            kill: 30,
            appends: 5,
            seed: 1,
        };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                bail!("`{}` lacks a value", pair.concat());
            };
            let number = || {
                value
                    .parse()
                    .with_context(|| format!("`{value}` is no number"))
            };
            match name.as_str() {
                "--store" => torture.store.clone_from(value),
                "--writers" => torture.writers = number()?,
                "--kill" => torture.kill = number()?,
                "--appends" => torture.appends = number()?,
                "--seed" => torture.seed = number()?,
                other => bail!("`{other}` is not known; see the head of this example"),
            }
        }
        Ok(torture)
    }

    fn run(&self) -> anyhow::Result<()> {
        let home = tempfile::tempdir()?;
        let url = match self.store.as_str() {
            "dir" => format!("dir:{}/ledger", home.path().display()),
            "git" => {
                let made = Command::new("git")
                    .args(["init", "--quiet", "--bare", "remote.git"])
                    .current_dir(home.path())
                    .status();
                ensure!(
                    made.is_ok_and(|status| status.success()),
                    "git is not installed"
                );
                format!("git+file://{}/remote.git", home.path().display())
            }
            address => address.to_owned(),
        };
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut order: Vec<u64> = (0..self.writers).collect();
        random.shuffle(&mut order);
        let doomed = self.writers * self.kill / 100;
        // Killed after so many appends, and a while into the next one.
        let mut ends: BTreeMap<u64, (u64, Duration)> = BTreeMap::new();
        for writer in order.iter().take(usize::try_from(doomed)?) {
            let pause = Duration::from_micros(random.u64(0..150_000));
            ends.insert(*writer, (random.u64(0..self.appends), pause));
        }
        let begun = Instant::now();
        let told: Vec<anyhow::Result<Told>> = thread::scope(|scope| {
            let running: Vec<_> = (0..self.writers)
                .map(|writer| {
                    let (url, home, end) = (&url, home.path(), ends.get(&writer));
                    scope.spawn(move || self.follow(home, url, writer, end))
                })
                .collect();
            running
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| bail!("a thread broke")))
                .collect()
        });
        let told = told.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        self.judge(&url, &told, begun.elapsed())
    }

    /// Starts a writer and listens, to the end or until it is killed.
    fn follow(
        &self,
        home: &Path,
        url: &str,
        writer: u64,
        end: Option<&(u64, Duration)>,
    ) -> anyhow::Result<Told> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["write", url, &writer.to_string(), &self.appends.to_string()])
            // What a killed one leaves goes with everything else.
            .env("TMPDIR", home)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("a pipe")?;
        let mut told = Told::default();
        let mut lines = BufReader::new(stdout).lines();
        loop {
            if let Some((after, pause)) = end
                && told.sealed.len() as u64 == *after
                && !told.killed
            {
                thread::sleep(*pause);
                child.kill()?;
                told.killed = true;
            }
            let Some(line) = lines.next() else { break };
            let line = line?;
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["sealed", id, index, micros] => {
                    let took = Duration::from_micros(micros.parse()?);
                    told.sealed.push(((*id).to_owned(), index.parse()?, took));
                }
                _ => told.complaint = line,
            }
        }
        child.wait()?;
        Ok(told)
    }

    fn judge(&self, url: &str, told: &[Told], took: Duration) -> anyhow::Result<()> {
        let place = place(url)?;
        let verification = ledger::verify(&place, &VerifyOptions::default())?;
        let (store, checkpoint) = ledger::open_any(&place)?;
        let mut there: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (number, leaf) in (0..).zip(store.read(0..checkpoint.size)?) {
            there
                .entry(Leaf::parse(&leaf)?.id)
                .or_default()
                .push(number);
        }
        let reported: Vec<&(String, u64, Duration)> =
            told.iter().flat_map(|told| &told.sealed).collect();
        let lost = reported
            .iter()
            .filter(|(id, index, _)| there.get(id).is_none_or(|found| !found.contains(index)))
            .count();
        let doubled = there.values().filter(|found| found.len() > 1).count();
        let mut times: Vec<Duration> = reported.iter().map(|(_, _, took)| *took).collect();
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(place).copied().unwrap_or_default().as_secs_f64()
        };
        let killed = told.iter().filter(|told| told.killed).count();
        let refused: Vec<&String> = told
            .iter()
            .map(|told| &told.complaint)
            .filter(|complaint| !complaint.is_empty())
            .collect();
        println!(
            "{} writers, {killed} killed, {} appends reported in {:.1} s: {:.1}/s, p50 {:.3} s, p95 {:.3} s, longest {:.3} s",
            self.writers,
            reported.len(),
            took.as_secs_f64(),
            reported.len() as f64 / took.as_secs_f64(),
            at(50),
            at(95),
            at(100),
        );
        println!(
            "{} records sealed, {lost} lost, {doubled} doubled, {} writers gave up{}; integrity: {}",
            checkpoint.size,
            refused.len(),
            refused
                .first()
                .map_or(String::new(), |first| format!(" ({first})")),
            verification.integrity.says
        );
        // Who was killed may have sealed one record more than it could tell.
        let most = (reported.len() + killed + refused.len()) as u64;
        ensure!(
            lost == 0
                && doubled == 0
                && verification.integrity.state == State::Ok
                && verification.completeness.state != State::Failed
                && there.len() as u64 == checkpoint.size
                && (reported.len() as u64..=most).contains(&checkpoint.size),
            "this ledger is not to be relied on"
        );
        Ok(())
    }
}

fn place(url: &str) -> anyhow::Result<Place> {
    let mut place = Place::parse(url, || bail!("no repository is judged here"))?;
    match &mut place {
        Place::Git(git) => {
            git.variables = std::env::vars()
                .filter(|(name, _)| name == "PATH")
                .collect();
        }
        #[cfg(feature = "postgres")]
        Place::Database(database) => {
            let variable = |name| std::env::var(name).unwrap_or_default();
            database.credentials = Some(ledger::Credentials::new(
                &variable("CCGATE_LEDGER_USER"),
                &variable("CCGATE_LEDGER_TOKEN"),
            )?);
        }
        #[cfg(feature = "s3")]
        Place::Bucket(bucket) => bucket.equip(&|name| std::env::var(name).ok())?,
        Place::Folder(_) => {}
    }
    Ok(place)
}

/// One writer: tells each append when it is done.
fn write(arguments: &[String]) -> anyhow::Result<()> {
    let [url, writer, appends] = arguments else {
        bail!("a writer is started by the program itself");
    };
    let place = place(url)?;
    let key = std::env::var("CCGATE_LEDGER_KEY").ok();
    for number in 0..appends.parse()? {
        let leaf = Leaf::new(&statement(writer, number))?;
        let begun = Instant::now();
        // As a job does it: opened anew for every record.
        let signer = key.as_deref().map(Signer::from_openssh).transpose()?;
        let receipt = ledger::open(&place, ORIGIN, signer)?.append(std::slice::from_ref(&leaf))?;
        let index = receipt.indexes.first().context("a number")?;
        println!("sealed {} {index} {}", leaf.id, begun.elapsed().as_micros());
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn statement(writer: &str, number: u64) -> serde_json::Value {
    json!({
        "_type": STATEMENT_TYPE,
        "subject": [{"name": format!("change-{writer}-{number}")}],
        "predicateType": "https://ccgate.dev/change-record/v1",
        "predicate": {"observed_at": "2026-11-21T08:00:00Z", "decision": "allow", "summary": "x".repeat(900)},
    })
}
