//! `ccgate ledger crashed`: the record of a run that ended without a decision. Another process
//! writes it, after the first is gone, from what the CI's variables say; it asks no platform, so
//! whatever ended the first run does not end this one.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::ledger::{self, Leaf, STATEMENT_TYPE};
use crate::platform::{self, Wanted};

use super::args::CrashedArgs;
use super::exit::CommandError;
use super::ledger_place;
use super::outputs::TOOL;
use super::record::{origin_of, signer};
use super::session;
use super::world::World;

/// The predicate of such a record.
const RUN_CRASHED_TYPE: &str = "https://ccgate.dev/run-crashed/v1";

/// Says where the record is.
pub(super) fn crashed(arguments: &CrashedArgs, world: &World) -> Result<String, CommandError> {
    let place = session::place(&platform::Flags::default(), world).map_err(CommandError::usage)?;
    let record = || -> anyhow::Result<String> {
        let leaf = Leaf::new(&statement(&place, arguments.exit_code, world)?)?;
        let url = &arguments.url;
        let ledger = ledger_place::place(url, world, None)?;
        let origin = origin_of(place.platform, &place.repository);
        let receipt = ledger::open(&ledger, &origin, signer(world)?)?.append(&[leaf])?;
        let index = receipt
            .indexes
            .first()
            .context("the record has no number")?;
        Ok(format!(
            "a run that ended with {} is recorded in {url} as entry {index}\n",
            arguments.exit_code
        ))
    };
    record().map_err(CommandError::ledger)
}

fn statement(place: &platform::Place, exit_code: u8, world: &World) -> anyhow::Result<Value> {
    let (change, commit) = match &place.wanted {
        Wanted::Change { number, head, .. } => (Some(*number), head.as_ref()),
        Wanted::Commit { sha, .. } => (None, sha.as_ref()),
        Wanted::Group(group) => (None, Some(&group.head)),
        Wanted::Repository { .. } => (None, None),
    };
    let commit = commit.context(
        "the CI's variables name no commit, and a record is about one; run it in the job that crashed",
    )?;
    Ok(json!({
        "_type": STATEMENT_TYPE,
        "subject": [{
            "name": format!("{}/{}@{commit}", place.platform.word(), place.repository),
            "digest": {"gitCommit": commit},
        }],
        "predicateType": RUN_CRASHED_TYPE,
        "predicate": {
            "schema": "ccgate.run-crashed/v1",
            // Nothing was decided: neither for the change nor against it.
            "decision": null,
            "exit_code": exit_code,
            "change": change,
            "run": place.run_url,
            "observed_at": world.now.to_string(),
            "tool": {"name": TOOL.name, "version": TOOL.version},
        },
    }))
}
