//! Our side of `tests/e2e/sweep`, which changes a ledger in every way and asks three verifiers.
//!
//!     ledger-sweep make FOLDER RECORDS [DIGESTS] makes a ledger of small records, or of ones that name so
//!                                                many digests of evidence (ten: a statement of 1 kB);
//!                                                `CCGATE_LEDGER_KEY` signs it
//!     ledger-sweep serve FOLDER SIGNERS          verifies it anew for each line of standard input
//!
//! A line is empty, or the path of a checkpoint that was kept elsewhere. The answer to each is a
//! line: `1` where everything holds, else `0`.

#![expect(
    clippy::disallowed_methods,
    reason = "a program that answers whoever runs it"
)]

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use ccgate::ledger::{self, AllowedSigners, Leaf, Place, STATEMENT_TYPE, Signer, VerifyOptions};
use serde_json::json;

const ORIGIN: &str = "ccgate/github/acme/payments";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", folder, records] => make(Path::new(folder), records.parse()?, 0),
        ["make", folder, records, digests] => {
            make(Path::new(folder), records.parse()?, digests.parse()?)
        }
        ["serve", folder, signers] => serve(Path::new(folder), Path::new(signers)),
        _ => bail!("see the head of this example"),
    }
}

/// Two appends, so that there is a signed checkpoint before the last one.
fn make(folder: &Path, records: u64, digests: usize) -> anyhow::Result<()> {
    let key = std::env::var("CCGATE_LEDGER_KEY").context("`CCGATE_LEDGER_KEY` is not set")?;
    let place = Place::Folder(folder.to_owned());
    for range in [0..records / 2, records / 2..records] {
        let leaves: Vec<Leaf> = range
            .map(|number| Leaf::new(&statement(number, digests)))
            .collect::<anyhow::Result<_>>()?;
        ledger::open(&place, ORIGIN, Some(Signer::from_openssh(&key)?))?.append(&leaves)?;
    }
    Ok(())
}

fn statement(number: u64, digests: usize) -> serde_json::Value {
    let mut statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": [{"name": format!("change-{number}")}],
        "predicateType": "https://ccgate.dev/change-record/v1",
        "predicate": {"observed_at": "2026-11-21T08:00:00Z", "decision": "allow"},
    });
    if digests > 0 {
        // Of no two records the same, as digests are: what repeats itself would be packed away, and
        // whatever is compared with a verification would have less to read.
        let mut random = fastrand::Rng::with_seed(number);
        let evidence: Vec<String> = (0..digests)
            .map(|_| {
                let [high, low]: [u128; 2] = std::array::from_fn(|_| random.u128(..));
                format!("sha256:{high:032x}{low:032x}")
            })
            .collect();
        statement["predicate"]["evidence"] = json!(evidence);
        statement["predicate"]["platform_time"] = "2026-11-21T08:00:05Z".into();
    }
    statement
}

fn serve(folder: &Path, signers: &Path) -> anyhow::Result<()> {
    let place = Place::Folder(folder.to_owned());
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let holds = holds(&place, signers, &line)?;
        writeln!(out, "{}", u8::from(holds))?;
        out.flush()?;
    }
    Ok(())
}

fn holds(place: &Place, signers: &Path, trusted: &str) -> anyhow::Result<bool> {
    let signers = AllowedSigners::parse(&fs::read_to_string(signers)?)?;
    let trusted = match trusted {
        "" => None,
        path => Some(fs::read_to_string(path)?),
    };
    let options = VerifyOptions {
        allowed_signers: Some(&signers),
        trusted: trusted.as_deref(),
        ..VerifyOptions::default()
    };
    Ok(ledger::verify(place, &options)?.exit_code() == 0)
}
