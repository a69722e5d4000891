//! What a ledger tells of the moves of a branch: up to which tip they follow each other
//! without a gap, and which commits have their record already.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::Value;

use crate::facts::ToldBy;
use crate::gate;
use crate::ledger::{Leaf, Sealed};
use crate::platform::{FromTo, ToldMoves};

/// Records that are looked through at once, from the newest on.
const LEAVES_AT_ONCE: u64 = 256;

/// A move of a branch that a ledger tells of. Every commit of it was accounted for.
struct Told {
    /// `None`: there was no such branch before, or the record does not say.
    before: Option<String>,
    after: String,
    /// The commits that have their record in it. None: it is another look at what was told.
    commits: Vec<String>,
    /// Whether the run began where [`tip_without_gap`] said.
    from_ledger: bool,
    /// The single moves that the platform's log had, and whatever others in it nobody had looked
    /// at; `None`: the run could not read the log.
    logged: Option<Vec<(FromTo, Option<Timestamp>)>>,
}

impl Told {
    fn is_new(&self) -> bool {
        !self.commits.is_empty()
    }

    fn times(&self) -> impl Iterator<Item = Timestamp> {
        self.logged.iter().flatten().filter_map(|(_, at)| *at)
    }

    /// Whether it brought the branch there, with times of the platform's log.
    fn led_to(&self, tip: Option<&str>) -> bool {
        self.is_new() && Some(self.after.as_str()) == tip && self.times().next().is_some()
    }

    /// Whether the run looked at the whole log, back to what was told then.
    fn looked_through(&self) -> bool {
        self.from_ledger && self.logged.is_some()
    }
}

/// The tip up to which every move of the branch was told: from there on everything has to be
/// looked at. `None`: the ledger knows no move of it. Beside it the single moves that were looked
/// at, as the platform's log had them: a branch that is moved away and back again stands where
/// it stood. `None`: the ledger tells of no log.
///
/// Runs race, so records may stand in any order. What counts is which tips are reached from
/// the first move that the ledger knows, from move to move; a move that begins anywhere else
/// has a gap before it, and so has one that does not say where it began.
///
/// # Errors
/// A record that cannot be read: a gap could hide behind it.
pub(super) fn tip_without_gap(
    sealed: &dyn Sealed,
    branch: &str,
) -> anyhow::Result<Option<(String, Option<ToldMoves>)>> {
    let mut moves = Vec::new();
    let mut window = Window::default();
    each_move(sealed, branch, |told| {
        let last = window.ends_with(&told);
        moves.push(told);
        go_on_unless(last)
    })?;
    Ok(tip(&moves).map(|tip| (tip.to_owned(), told_moves(&moves))))
}

/// The single moves, by moves of which the newest comes first.
fn told_moves(moves: &[Told]) -> Option<ToldMoves> {
    // Whoever looked through the log saw all of it up to the newest move that is told of then:
    // its own, or the one that led to where it began.
    let looked = moves.iter().find(|told| told.looked_through());
    let led = looked.and_then(|looked| {
        let is_it = |told: &&Told| told.led_to(looked.before.as_deref());
        moves.iter().rev().find(is_it)
    });
    let seen = looked.into_iter().chain(led).flat_map(Told::times).max();
    // Nobody did yet: what was before the first record is nobody's promise.
    let first = || moves.iter().rev().find_map(|told| told.times().min());
    let since = seen.or_else(first)?;
    let mut told = ToldMoves {
        since,
        moves: BTreeSet::new(),
        without_log: BTreeSet::new(),
    };
    for one in moves {
        match &one.logged {
            Some(logged) => {
                for (from_to, at) in logged {
                    match at {
                        Some(at) => _ = told.moves.insert((from_to.clone(), *at)),
                        None => _ = told.without_log.insert(from_to.clone()),
                    }
                }
            }
            None => {
                let from_to = (one.before.clone(), one.after.clone());
                told.without_log.insert(from_to);
            }
        }
    }
    Some(told)
}

/// Takes out of a move what the ledger tells of already: a commit has one record, however
/// often somebody looks. For the push of an event, moves older than the one that led to where
/// it began are not looked at. Any other run may begin far back, behind records that were
/// sealed out of order, so it looks at all that [`tip_without_gap`] looks at as well.
/// A ledger that cannot be read on says no more: a record twice is better than none.
pub(super) fn drop_told(moved: &mut gate::BranchMove, sealed: &dyn Sealed, branch: &str) {
    let mut window = Window::default();
    let mut window_over = moved.told_by == Some(ToldBy::Event);
    let mut begin_seen = false;
    let _ = each_move(sealed, branch, |told| {
        moved.commits.retain(|sha| !told.commits.contains(sha));
        window_over |= window.ends_with(&told);
        begin_seen |= told.is_new() && Some(&told.after) == moved.before.as_ref();
        go_on_unless(moved.commits.is_empty() || (window_over && begin_seen))
    });
}

fn go_on_unless(over: bool) -> ControlFlow<()> {
    if over {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// How far back records matter. Where a run that began where the ledger said ended, there is
/// no gap before. Records that were sealed while it ran may stand before its own, but none
/// before that of the move which led to where it began.
#[derive(Default)]
struct Window {
    began: Option<String>,
}

impl Window {
    /// Whether this one, next in the row from the newest on, is the last that matters.
    fn ends_with(&mut self, told: &Told) -> bool {
        match &self.began {
            Some(began) => told.led_to(Some(began)),
            None => {
                if told.looked_through() {
                    self.began.clone_from(&told.before);
                }
                false
            }
        }
    }
}

/// The tip to go on from, by moves of which the newest comes first.
fn tip(moves: &[Told]) -> Option<&str> {
    let mut onward: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for told in moves {
        if let Some(before) = &told.before
            && *before != told.after
        {
            onward.entry(before).or_default().push(&told.after);
        }
    }
    let mut open: Vec<&str> = moves
        .iter()
        .filter(|told| told.from_ledger)
        .map(|told| told.after.as_str())
        .collect();
    if open.is_empty() {
        open.extend(moves.last().map(|first| first.after.as_str()));
    }
    let mut reached = BTreeSet::new();
    while let Some(tip) = open.pop() {
        if reached.insert(tip) {
            open.extend(onward.get(tip).into_iter().flatten());
        }
    }
    let reached: Vec<&Told> = moves
        .iter()
        .filter(|told| reached.contains(told.after.as_str()))
        .collect();
    // There is more than one end where the branch was set back unseen: then it stood at the
    // older one, and how it got away from there was not looked at.
    let end = |told: &&&Told| told.is_new() && !onward.contains_key(told.after.as_str());
    let from = reached.iter().rev().find(end).or(reached.first())?;
    Some(&from.after)
}

/// The moves of the branch that were accounted for, from the newest on.
///
/// # Errors
/// What cannot be read. What was read until then was told.
fn each_move(
    sealed: &dyn Sealed,
    branch: &str,
    mut each: impl FnMut(Told) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut end = sealed.size()?;
    while end > 0 {
        let begin = end.saturating_sub(LEAVES_AT_ONCE);
        for leaf in sealed.leaves(begin..end)?.iter().rev() {
            let statement = Leaf::parse(leaf)?.told(|digest| sealed.blob(digest))?;
            if let Some(told) = told(&statement, branch)
                && each(told).is_break()
            {
                return Ok(());
            }
        }
        end = begin;
    }
    Ok(())
}

fn told(statement: &Value, branch: &str) -> Option<Told> {
    let predicate = statement.get("predicate")?;
    let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str);
    if text("/subject/target") != Some(branch) {
        return None;
    }
    let of = |key: &str, commits: Vec<String>| {
        let member = |name: &str| text(&format!("/{key}/{name}")).map(str::to_owned);
        let before = member("before");
        Some(Told {
            after: member("after")?,
            commits,
            logged: logged(predicate.pointer(&format!("/{key}/moves"))),
            from_ledger: before.is_some() && member("told_by").as_deref() == Some("ledger"),
            before,
        })
    };
    if let Some(again) = of("branch_move_again", Vec::new()) {
        return Some(again);
    }
    let subjects = statement.get("subject").and_then(Value::as_array);
    let digests = subjects
        .into_iter()
        .flatten()
        .filter_map(|subject| subject.pointer("/digest/gitCommit").and_then(Value::as_str));
    of("branch_move", digests.map(str::to_owned).collect())
}

/// The single moves of a record.
fn logged(moves: Option<&Value>) -> Option<Vec<(FromTo, Option<Timestamp>)>> {
    let read = |one: &Value| {
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        let at = text("at").and_then(|at| at.parse().ok());
        Some((
            (text("before").map(str::to_owned), text("after")?.to_owned()),
            at,
        ))
    };
    Some(moves?.as_array()?.iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests;
