//! Which ledger a decision goes into, and what it means for the gate when it does not.

use std::ops::ControlFlow;

use anyhow::{Context as _, ensure};

use serde_json::Value;

use crate::facts::{Platform, PreviousTip, Snapshot, Subject, ToldBy};
use crate::gate::{self, Decision, OverrideState};
use crate::ledger::{self, Leaf, Sealed};
use crate::policy::LedgerChoice;

use super::args::CheckArgs;
use super::check::Judged;
use super::ledger_place::place;
use super::outputs::TOOL;
use super::world::World;

/// Where records go when nobody names a ledger.
pub(super) const DEFAULT_LEDGER: &str = "dir:.ccgate/ledger";

/// Records that are looked through at once, from the newest on.
const LEAVES_AT_ONCE: u64 = 256;

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
    let all = arrivals.ancestry.is_known()
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
    })
}

/// Where the branch stood when the ledger was last told of a move of it that was
/// accounted for. A ledger that cannot be read says nothing; writing to it will say why.
pub(super) fn last_tip(
    arguments: &CheckArgs,
    choice: Option<&LedgerChoice>,
    world: &World,
    subject: &Subject,
) -> Option<PreviousTip> {
    let url = match (&arguments.ledger, choice) {
        (Some(url), _) => url.as_str(),
        (None, Some(choice)) => choice.url.as_str(),
        (None, None) if world.in_ci() => return None,
        (None, None) => DEFAULT_LEDGER,
    };
    let place = place(url, world, Some(subject)).ok()?;
    let store = ledger::open(&place, &origin(subject), None).ok()?;
    let mut newest = None;
    each_move(&store, &subject.target, |told| {
        newest = Some(told.after);
        ControlFlow::Break(())
    });
    Some(PreviousTip {
        commit: Some(newest?),
        told_by: ToldBy::Ledger,
    })
}

/// A move of a branch that a ledger tells of.
struct Told {
    after: String,
    /// The commits that it accounts for.
    commits: Vec<String>,
}

/// Takes out of a move what the ledger tells of already: a commit has one record, however
/// often somebody looks. Moves older than the one that led to where this one began are not
/// looked at.
fn drop_told(moved: &mut gate::BranchMove, sealed: &dyn Sealed, branch: &str) {
    each_move(sealed, branch, |told| {
        if Some(&told.after) == moved.before.as_ref() {
            return ControlFlow::Break(());
        }
        moved.commits.retain(|sha| !told.commits.contains(sha));
        ControlFlow::Continue(())
    });
}

/// The moves of the branch that were accounted for, from the newest on. A ledger that
/// cannot be read says nothing.
fn each_move(sealed: &dyn Sealed, branch: &str, each: impl FnMut(Told) -> ControlFlow<()>) {
    // What was read until then was told.
    let _ = moves_in(sealed, branch, each);
}

fn moves_in(
    sealed: &dyn Sealed,
    branch: &str,
    mut each: impl FnMut(Told) -> ControlFlow<()>,
) -> Option<()> {
    let mut end = sealed.size().ok()?;
    while end > 0 {
        let begin = end.saturating_sub(LEAVES_AT_ONCE);
        for leaf in sealed.leaves(begin..end).ok()?.iter().rev() {
            let leaf = Leaf::parse(leaf).ok()?;
            let statement = leaf.told(|digest| sealed.blob(digest)).ok()?;
            if let Some(told) = told(&statement, branch)
                && each(told).is_break()
            {
                return Some(());
            }
        }
        end = begin;
    }
    Some(())
}

fn told(statement: &Value, branch: &str) -> Option<Told> {
    let text = |pointer: &str| statement.pointer(pointer).and_then(Value::as_str);
    if text("/predicate/subject/target") != Some(branch) {
        return None;
    }
    if let Some(after) = text("/predicate/branch_move_again/after") {
        return Some(Told {
            after: after.to_owned(),
            commits: Vec::new(),
        });
    }
    let after = text("/predicate/branch_move/after")?.to_owned();
    let subjects = statement.get("subject").and_then(Value::as_array);
    let digests = subjects
        .into_iter()
        .flatten()
        .filter_map(|subject| subject.pointer("/digest/gitCommit").and_then(Value::as_str));
    Some(Told {
        after,
        commits: digests.map(str::to_owned).collect(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ORIGIN: &str = "ccgate/github/acme/app";

    fn record(target: &str, after: Option<&str>) -> Leaf {
        Leaf::new(&json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "github/acme/app@aa", "digest": {"gitCommit": "aa"}}],
            "predicateType": gate::CHANGE_RECORD_TYPE,
            "predicate": {
                "subject": {"target": target},
                "branch_move": after.map(|after| json!({"before": null, "after": after})),
            },
        }))
        .unwrap()
    }

    fn ledger_of(folder: &tempfile::TempDir, origin: &str) -> Box<dyn ledger::Store> {
        let place = ledger::Place::Folder(folder.path().to_owned());
        ledger::open(&place, origin, None).unwrap()
    }

    fn tip(sealed: &dyn Sealed, branch: &str) -> Option<String> {
        let mut newest = None;
        each_move(sealed, branch, |told| {
            newest = Some(told.after);
            ControlFlow::Break(())
        });
        newest
    }

    fn moved(before: &str, after: &str, commits: &[&str]) -> gate::BranchMove {
        gate::BranchMove {
            before: Some(before.to_owned()),
            after: after.to_owned(),
            commits: commits.iter().map(|&sha| sha.to_owned()).collect(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn a_commit_that_was_told_of_is_not_told_of_again() {
        let folder = tempfile::tempdir().unwrap();
        let left = |mut moved: gate::BranchMove| {
            drop_told(&mut moved, &ledger_of(&folder, ORIGIN), "main");
            moved.commits
        };
        assert_eq!(left(moved("a0", "a2", &["a2", "a1"])), ["a2", "a1"]);
        let mut store = ledger_of(&folder, ORIGIN);
        let of = |after: &str, commits: &[&str]| {
            let subjects: Vec<Value> = commits
                .iter()
                .map(|sha| json!({"digest": {"gitCommit": sha}}))
                .collect();
            Leaf::new(&json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": subjects,
                "predicateType": gate::CHANGE_RECORD_TYPE,
                "predicate": {"subject": {"target": "main"}, "branch_move": {"before": null, "after": after}},
            }))
            .unwrap()
        };
        store
            .append(&[of("a2", &["a2", "a1"]), of("a3", &["a3"])])
            .unwrap();
        assert!(
            left(moved("a0", "a2", &["a2", "a1"])).is_empty(),
            "run again"
        );
        assert!(left(moved("a2", "a3", &["a3"])).is_empty(), "run again");
        assert_eq!(left(moved("a3", "a4", &["a4"])), ["a4"], "the next one");
        // Somebody looks further back than anybody did before.
        assert_eq!(left(moved("9f", "a3", &["a3", "a2", "a1", "a0"])), ["a0"]);
    }

    #[test]
    fn the_newest_move_of_the_branch_that_was_accounted_for_is_gone_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = ledger_of(&folder, ORIGIN);
        assert_eq!(tip(&store, "main"), None, "there is no ledger yet");
        store
            .append(&[
                record("main", Some("a1")),
                record("main", Some("a2")),
                record("dev", Some("d1")),
                record("main", None),
            ])
            .unwrap();
        let tip = |origin: &str, branch: &str| tip(&ledger_of(&folder, origin), branch);
        assert_eq!(tip(ORIGIN, "main").as_deref(), Some("a2"));
        assert_eq!(tip(ORIGIN, "dev").as_deref(), Some("d1"));
        assert_eq!(tip(ORIGIN, "release"), None);
        assert_eq!(tip("ccgate/github/acme/other", "main"), None);
        // Too large for a leaf: its blob tells of it.
        let large = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "s", "digest": {"gitCommit": "a3"}}],
            "predicateType": gate::CHANGE_RECORD_TYPE,
            "predicate": {
                "subject": {"target": "main"},
                "branch_move": {"before": "a2", "after": "a3"},
                "controls": "x".repeat(80_000),
            },
        });
        store.append(&[Leaf::new(&large).unwrap()]).unwrap();
        assert_eq!(tip(ORIGIN, "main").as_deref(), Some("a3"));
    }
}
