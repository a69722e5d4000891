//! Which ledger a decision goes into, and what it means for the gate when it does not.

use anyhow::{Context as _, ensure};

use crate::facts::Snapshot;
use crate::gate::{self, Decision, OverrideState};
use crate::ledger::{self, Leaf};

use super::args::CheckArgs;
use super::check::Judged;
use super::ledger::absolute;
use super::outputs::TOOL;
use super::world::World;

/// Seals the records. The error says whether the gate stays closed for it: it
/// does where the policy demands a ledger, and wherever an override was accepted
/// that would otherwise leave no trace.
pub(super) fn record(
    arguments: &CheckArgs,
    world: &World,
    snapshot: &Snapshot,
    judged: &Judged,
    snapshot_digest: &str,
) -> Result<Option<String>, (anyhow::Error, bool)> {
    let demanded = judged.ledger.as_ref().is_some_and(|choice| choice.required);
    let overridden = overridden(&judged.decision);
    let url = match (&arguments.ledger, &judged.ledger) {
        (Some(url), _) => url.clone(),
        // Repeating a decision is no new event.
        (None, _) if arguments.snapshot.is_some() => return Ok(None),
        (None, Some(choice)) => choice.url.clone(),
        // An override without any record is worse than one on a machine that goes away.
        (None, None) if world.in_ci() && !overridden => return Ok(None),
        (None, None) => "dir:.ccgate/ledger".to_owned(),
    };
    let closes = demanded || overridden;
    let subject = &judged.decision.subject;
    let origin = format!("ccgate/{}/{}", subject.platform.word(), subject.repository);
    let append = || -> anyhow::Result<String> {
        let signer = signer(world)?;
        let context = gate::RecordContext {
            tool: TOOL.name.to_owned(),
            version: TOOL.version.to_owned(),
            snapshot_digest: Some(snapshot_digest.to_owned()),
            platform_time: snapshot.platform_time.known().ok().copied(),
            review_within: judged.review_within.clone(),
        };
        let records = gate::records(&judged.decision, &context);
        ensure!(
            !records.is_empty(),
            "a record is about a commit, and the head is not known"
        );
        let leaves = records
            .iter()
            .map(Leaf::new)
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut store = ledger::open(&absolute(&url, world), &origin, signer)?;
        let receipt = store.append(&leaves)?;
        let entries: Vec<String> = receipt.indexes.iter().map(u64::to_string).collect();
        let word = if entries.len() == 1 {
            "entry"
        } else {
            "entries"
        };
        Ok(format!(
            "{url} as {word} {}; it holds {} now",
            entries.join(", "),
            receipt.size
        ))
    };
    append().map(Some).map_err(|error| (error, closes))
}

/// The key that signs checkpoints: `CCGATE_LEDGER_KEY` holds an OpenSSH private key.
fn signer(world: &World) -> anyhow::Result<Option<ledger::Signer>> {
    world
        .var("CCGATE_LEDGER_KEY")
        .map(|pem| ledger::Signer::from_openssh(pem).context("`CCGATE_LEDGER_KEY` is not usable"))
        .transpose()
}

/// Whether an override was accepted.
pub(super) fn overridden(decision: &Decision) -> bool {
    decision
        .overrides
        .iter()
        .any(|report| report.state == OverrideState::Accepted)
}
