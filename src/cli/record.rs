//! Which ledger a decision goes into, and what it means for the gate when it does not.

use anyhow::{Context as _, ensure};

use crate::facts::{Move, Platform, PreviousTip, Snapshot, Subject, ToldBy};
use crate::gate::{self, Decision, OverrideState};
use crate::ledger::{self, Leaf};
use crate::platform::ToldMoves;
use crate::policy::LedgerChoice;

use super::args::CheckArgs;
use super::check::Judged;
use super::ledger_place::place;
use super::outputs::TOOL;
use super::told_moves::{drop_told, tip_without_gap};
use super::world::World;

/// Where records go when nobody names a ledger.
pub(super) const DEFAULT_LEDGER: &str = "dir:.ccgate/ledger";

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
    let breached = gate::has_breach(&judged.decision);
    let url = match (&arguments.ledger, &judged.ledger) {
        (Some(url), _) => url.clone(),
        // Repeating a decision is no new event.
        (None, _) if arguments.snapshot.is_some() => return Ok(None),
        (None, Some(choice)) => choice.url.clone(),
        // An override or a breach without any record is worse than one on a machine that
        // goes away.
        (None, None) if world.in_ci() && !overridden && !breached => return Ok(None),
        (None, None) => DEFAULT_LEDGER.to_owned(),
    };
    let closes = demanded || overridden;
    let origin = origin(&judged.decision.subject);
    let append = || -> anyhow::Result<String> {
        let signer = signer(world)?;
        let subject = &judged.decision.subject;
        let mut store = ledger::open(&place(&url, world, Some(subject))?, &origin, signer)?;
        // What is told already is looked up in the very state that is appended to: another run
        // for the same move may be faster.
        let receipt = store.append_after(&mut |sealed| {
            let mut branch_move = accounted_for(snapshot);
            if let Some(moved) = &mut branch_move {
                // What a file says of the ledger is no word of the ledger.
                if arguments.snapshot.is_some() {
                    moved.told_by = None;
                }
                drop_told(moved, sealed, &subject.target);
            }
            let context = gate::RecordContext {
                tool: TOOL.name.to_owned(),
                version: TOOL.version.to_owned(),
                snapshot_digest: Some(snapshot_digest.to_owned()),
                platform_time: snapshot.platform_time.known().ok().copied(),
                review_within: judged.review_within.clone(),
                branch_move,
            };
            let records = gate::records(&judged.decision, &context);
            ensure!(
                !records.is_empty(),
                "a record is about a commit, and the head is not known"
            );
            records.iter().map(Leaf::new).collect()
        })?;
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

/// The branch's move, if it is known how every commit of it came.
fn accounted_for(snapshot: &Snapshot) -> Option<gate::BranchMove> {
    let arrivals = snapshot.arrivals.known().ok()?.as_ref()?;
    // Whoever goes on from there takes the log up to then for looked at.
    let looked_through = arrivals.before.told_by != ToldBy::Ledger || arrivals.moves.is_known();
    let all = looked_through
        && arrivals.ancestry.is_known()
        && arrivals.count.is_known()
        && arrivals
            .commits
            .iter()
            .all(|arrival| arrival.way.is_known());
    all.then(|| gate::BranchMove {
        before: arrivals.before.commit.clone(),
        after: arrivals.after.clone(),
        commits: arrivals
            .commits
            .iter()
            .map(|arrival| arrival.sha.clone())
            .collect(),
        changes: arrivals.changes(),
        moves: arrivals
            .moves
            .known()
            .ok()
            .map(|moves| moves.iter().map(logged).collect()),
        told_by: Some(arrivals.before.told_by),
    })
}

fn logged(moved: &Move) -> gate::LoggedMove {
    gate::LoggedMove {
        before: moved.before.clone(),
        after: moved.after.clone(),
        at: moved.at,
    }
}

/// The tip of the branch up to which the ledger was told of every move of it, all of them
/// accounted for, and these moves as the platform's log had them. A ledger that cannot be opened says nothing; writing to it will say why.
///
/// # Errors
/// Records that cannot be read: what they tell of could not be told from what nobody looked at.
pub(super) fn last_tip(
    arguments: &CheckArgs,
    choice: Option<&LedgerChoice>,
    world: &World,
    subject: &Subject,
) -> anyhow::Result<Option<(PreviousTip, Option<ToldMoves>)>> {
    let url = match (&arguments.ledger, choice) {
        (Some(url), _) => url.as_str(),
        (None, Some(choice)) => choice.url.as_str(),
        (None, None) if world.in_ci() => return Ok(None),
        (None, None) => DEFAULT_LEDGER,
    };
    let opened = place(url, world, Some(subject))
        .and_then(|place| ledger::open(&place, &origin(subject), None));
    let Ok(store) = opened else {
        return Ok(None);
    };
    let told = tip_without_gap(&store, &subject.target).with_context(|| {
        format!(
            "the ledger {url} cannot be read, so it is not known from where on the branch has \
             to be looked at; see what `ccgate ledger verify` says of it, or give `--since`"
        )
    })?;
    Ok(told.map(|(commit, moves)| {
        let tip = PreviousTip {
            commit: Some(commit),
            told_by: ToldBy::Ledger,
        };
        (tip, moves)
    }))
}

/// What the ledger of a repository is called.
pub(super) fn origin(subject: &Subject) -> String {
    origin_of(subject.platform, &subject.repository)
}

/// The same of a repository.
pub(super) fn origin_of(platform: Platform, repository: &str) -> String {
    format!("ccgate/{}/{repository}", platform.word())
}

/// The key that signs checkpoints: `CCGATE_LEDGER_KEY` holds an OpenSSH private key.
pub(super) fn signer(world: &World) -> anyhow::Result<Option<ledger::Signer>> {
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
