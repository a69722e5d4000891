//! The register of overrides as a fact: read from the ledger that the policy names.

use crate::facts::{Fact, FactKey, OverrideRegister, Snapshot, Source, Unknown, Why};
use crate::gate;
use crate::ledger;
use crate::policy::LedgerChoice;

use super::args::CheckArgs;
use super::ledger_place::place;
use super::record::{DEFAULT_LEDGER, origin};
use super::world::World;

/// What the ledger tells. Without one, or with one that cannot be read whole, it is unknown:
/// only a ledger that was read can be empty.
pub(super) fn on_record(
    arguments: &CheckArgs,
    choice: Option<&LedgerChoice>,
    world: &World,
    snapshot: &Snapshot,
) -> Fact<OverrideRegister> {
    let unknown = |why: Why, detail: String| {
        Fact::Unknown(Unknown::new(FactKey::LedgerOverrides.name(), why, detail))
    };
    let url = match (&arguments.ledger, choice) {
        // Whoever writes the job must not choose what the register holds.
        (Some(given), Some(choice)) if *given != choice.url => {
            return unknown(
                Why::NotCollected,
                "`--ledger` names another ledger than the policy does".to_owned(),
            );
        }
        (_, Some(choice)) => choice.url.as_str(),
        (Some(given), None) => given.as_str(),
        (None, None) if world.in_ci() => {
            return unknown(
                Why::NotCollected,
                "no ledger is named; add `ledger` to the policy".to_owned(),
            );
        }
        (None, None) => DEFAULT_LEDGER,
    };
    let wanted = origin(&snapshot.subject);
    let read =
        place(url, world, Some(&snapshot.subject)).and_then(|place| ledger::statements_at(&place));
    match read {
        Ok((checkpoint, _)) if checkpoint.origin != wanted => unknown(
            Why::Failed,
            format!(
                "the ledger is that of {}, not of {wanted}",
                checkpoint.origin
            ),
        ),
        Ok((checkpoint, statements)) => Fact::Known {
            value: gate::register(&statements, snapshot.latest_time()).as_facts(&checkpoint.origin),
            sources: vec![Source {
                endpoint: format!("ledger {}, {} records", checkpoint.origin, checkpoint.size),
                digest: format!("sha256:{}", hex::encode(checkpoint.root)),
            }],
        },
        Err(error) => unknown(Why::Failed, format!("{error:#}")),
    }
}
