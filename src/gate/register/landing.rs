//! What became of the changes that overrides were given for, as records of moves tell it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::gate::record::CHANGE_RECORD_TYPE;

use super::{Entry, Term, word};

/// What was made of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// The change came onto its branch, and the last decision before rested on it.
    Used,
    /// The change came onto its branch without it.
    Unused,
    /// The change has not come yet, and it still holds.
    Waiting,
    /// It is over, and no record of a move knows its change or its commit.
    Orphaned,
}

impl Use {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Waiting => "waiting",
            Self::Orphaned => "orphaned",
        }
    }
}

/// A change that came onto a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Landing {
    pub(super) change: u64,
    /// When that was recorded.
    pub(super) at: Option<Timestamp>,
    /// Whether the last decision about it before rested on an override.
    pub(super) overridden: bool,
}

/// A move of a branch, and where it stands among the records.
struct Moved<'s> {
    place: usize,
    at: Option<Timestamp>,
    changes: Vec<u64>,
    commits: Vec<&'s str>,
}

/// A decision about a change before it came onto its branch.
struct Decided<'s> {
    place: usize,
    change: u64,
    head: &'s str,
    /// Code and verdict of each control; no verdict of one that was switched off.
    verdicts: Vec<(&'s str, &'s str)>,
    /// Comments of the overrides that it rested on.
    rested_on: Vec<&'s str>,
}

/// The moves and decisions that the records tell of.
pub(super) struct Landings<'s> {
    moves: Vec<Moved<'s>>,
    decisions: Vec<Decided<'s>>,
}

impl<'s> Landings<'s> {
    pub(super) fn of(statements: &'s [Value]) -> Self {
        let mut all = Self {
            moves: Vec::new(),
            decisions: Vec::new(),
        };
        for (place, statement) in statements.iter().enumerate() {
            if word(statement, "/predicateType") != Some(CHANGE_RECORD_TYPE) {
                continue;
            }
            let change = statement.pointer("/predicate/subject/change");
            if let Some(moved) = statement
                .pointer("/predicate/branch_move")
                .filter(|it| it.is_object())
            {
                all.moves.push(Moved {
                    place,
                    at: word(statement, "/predicate/observed_at").and_then(|at| at.parse().ok()),
                    changes: list(moved, "/changes").filter_map(Value::as_u64).collect(),
                    commits: list(statement, "/subject")
                        .filter_map(|subject| word(subject, "/digest/gitCommit"))
                        .collect(),
                });
            } else if let Some(change) = change.and_then(Value::as_u64) {
                all.decisions.push(Decided {
                    place,
                    change,
                    head: word(statement, "/predicate/subject/head").unwrap_or_default(),
                    verdicts: list(statement, "/predicate/controls")
                        .filter_map(|one| {
                            Some((
                                word(one, "/code")?,
                                word(one, "/verdict").unwrap_or_default(),
                            ))
                        })
                        .collect(),
                    rested_on: list(statement, "/predicate/overrides")
                        .filter(|one| word(one, "/state") == Some("accepted"))
                        .filter_map(|one| word(one, "/comment"))
                        .collect(),
                });
            }
        }
        all
    }

    /// The last decision about the change before that place.
    fn last_before(&self, change: u64, place: usize) -> Option<&Decided<'s>> {
        let mut before = self.decisions.iter().rev();
        before.find(|decided| decided.change == change && decided.place < place)
    }

    /// What was made of an override.
    pub(super) fn made_of(&self, entry: &Entry, term: Term) -> Use {
        let moved = self.moves.iter().find(|moved| {
            moved.commits.contains(&entry.head.as_str())
                || entry
                    .change
                    .is_some_and(|change| moved.changes.contains(&change))
        });
        let Some(moved) = moved else {
            return match term {
                Term::Expired => Use::Orphaned,
                Term::Running | Term::Expiring => Use::Waiting,
            };
        };
        let last = entry
            .change
            .and_then(|change| self.last_before(change, moved.place));
        let rested = last.is_some_and(|decided| {
            decided.head == entry.head
                && entry
                    .comment
                    .as_deref()
                    .is_some_and(|comment| decided.rested_on.contains(&comment))
        });
        if rested { Use::Used } else { Use::Unused }
    }

    /// Whether the newest decision that names it told more of each control that the override
    /// covered than that it was not seen: of the very head that the change came with, or, where
    /// it did not come with that, of any later one.
    pub(super) fn answered_since(&self, entry: &Entry) -> bool {
        let Some(change) = entry.change else {
            return false;
        };
        let of_head = entry.used == Some(Use::Used);
        let newest = |code: &String| {
            let mut decisions = self.decisions.iter().rev().filter(|decided| {
                decided.change == change && (!of_head || decided.head == entry.head)
            });
            decisions.find_map(|decided| {
                let mut verdicts = decided.verdicts.iter();
                verdicts
                    .find(|(named, _)| named == code)
                    .map(|(_, word)| *word)
            })
        };
        !entry.controls.is_empty()
            && entry
                .controls
                .iter()
                .all(|code| matches!(newest(code), Some("pass" | "fail" | "not_applicable")))
    }

    /// Each change that came, once.
    pub(super) fn changes(&self) -> Vec<Landing> {
        let mut landed: Vec<Landing> = Vec::new();
        for moved in &self.moves {
            for &change in &moved.changes {
                if landed.iter().any(|one| one.change == change) {
                    continue;
                }
                let last = self.last_before(change, moved.place);
                landed.push(Landing {
                    change,
                    at: moved.at,
                    overridden: last.is_some_and(|decided| !decided.rested_on.is_empty()),
                });
            }
        }
        landed
    }
}

/// The items of a list in a record; nothing where there is none.
pub(super) fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}
