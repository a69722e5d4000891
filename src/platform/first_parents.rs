//! From a heap of commits and a log of moves to the branch's own line: which
//! commits stand on it, and which move brought each. Pure; asks nothing.

use std::collections::BTreeMap;

use crate::facts::{Move, PreviousTip};

/// A commit as far as the line needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Its parents, the first one first.
    pub(super) parents: Vec<String>,
    /// Its full message.
    pub(super) message: String,
}

/// The first-parent line from `after` on, newest first, as long as it stays among
/// `commits` (those that the old tip does not reach), and the commit that it ends
/// before; `None`: the line begins there.
pub(super) fn line(after: &str, commits: &BTreeMap<String, Link>) -> (Vec<String>, Option<String>) {
    let mut line: Vec<String> = Vec::new();
    let mut here = after.to_owned();
    // A line cannot be longer than the heap, whatever an answer says.
    while line.len() < commits.len() {
        let Some(commit) = commits.get(&here) else {
            return (line, Some(here));
        };
        line.push(here);
        match commit.parents.first() {
            Some(parent) => here = parent.clone(),
            None => return (line, None),
        }
    }
    (line, Some(here))
}

/// The moves from the old tip to the new one, newest first, out of all that the
/// log holds about the branch, newest first.
///
/// # Errors
/// What the log does not name.
pub(super) fn moves(
    log: &[Move],
    after: &str,
    before: Option<&PreviousTip>,
) -> Result<Vec<Move>, String> {
    let mut found: Vec<Move> = Vec::new();
    let mut here = after.to_owned();
    let mut rest = log;
    loop {
        let reached = match before {
            Some(before) => before.commit.as_deref() == Some(here.as_str()),
            // Nobody said how far to go: the last move is meant.
            None => !found.is_empty(),
        };
        if reached {
            return Ok(found);
        }
        let Some(place) = rest.iter().position(|entry| entry.after == here) else {
            return Err(format!(
                "the log of the branch's moves does not name how it came to {here}"
            ));
        };
        let entry = rest[place].clone();
        rest = &rest[place + 1..];
        let older = entry.before.clone();
        found.push(entry);
        match older {
            Some(older) => here = older,
            None if before.is_none_or(|before| before.commit.is_none()) => return Ok(found),
            None => {
                return Err(
                    "by its log the branch was made after the commit that it is said to have stood at"
                        .to_owned(),
                );
            }
        }
    }
}

/// Whether the log, which shows `page` moves at most, knows a branch of that name from
/// before the moves of this one; `None`: it does not reach back that far.
pub(super) fn earlier_life(log: &[Move], moves: &[Move], page: usize) -> Option<bool> {
    let older = log.len() > moves.len();
    (older || log.len() < page).then_some(older)
}

/// The move that brought the commit at `index` of the line: the oldest one whose
/// tip reaches it. A move whose tip does not stand on the line brought what cannot be told.
pub(super) fn brought_by<'m>(
    line: &[String],
    index: usize,
    moves: &'m [Move],
) -> Result<&'m Move, String> {
    let mut best: Option<(usize, &Move)> = None;
    for entry in moves {
        let Some(place) = line.iter().position(|sha| *sha == entry.after) else {
            return Err(format!(
                "the branch stood at {} in between, which is not on its line any more",
                entry.after
            ));
        };
        if place <= index && best.is_none_or(|(other, _)| place >= other) {
            best = Some((place, entry));
        }
    }
    best.map(|(_, entry)| entry)
        .ok_or_else(|| "no move of the branch is known that brought it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{MoveKind, ToldBy};

    fn heap(commits: &[(&str, &[&str])]) -> BTreeMap<String, Link> {
        commits
            .iter()
            .map(|(sha, parents)| {
                let link = Link {
                    parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
                    message: String::new(),
                };
                ((*sha).to_owned(), link)
            })
            .collect()
    }

    fn entry(before: Option<&str>, after: &str) -> Move {
        Move {
            kind: MoveKind::Push,
            before: before.map(str::to_owned),
            after: after.to_owned(),
            actor: None,
            at: None,
        }
    }

    fn tip(commit: Option<&str>) -> PreviousTip {
        PreviousTip {
            commit: commit.map(str::to_owned),
            told_by: ToldBy::Event,
        }
    }

    fn names(moves: &[Move]) -> Vec<&str> {
        moves.iter().map(|entry| entry.after.as_str()).collect()
    }

    #[test]
    fn the_line_follows_first_parents_and_leaves_side_lines_out() {
        let commits = heap(&[
            ("m2", &["m1", "f2"]),
            ("f2", &["f1"]),
            ("m1", &["m0"]),
            ("f1", &["m0"]),
        ]);
        assert_eq!(
            line("m2", &commits),
            (
                vec!["m2".to_owned(), "m1".to_owned()],
                Some("m0".to_owned())
            )
        );
    }

    #[test]
    fn a_line_may_begin_in_the_heap_and_a_ring_ends() {
        assert_eq!(line("m0", &heap(&[("m0", &[])])).1, None);
        let ring = heap(&[("a", &["b"]), ("b", &["a"])]);
        assert_eq!(line("a", &ring).0.len(), 2);
    }

    #[test]
    fn moves_are_followed_from_the_new_tip_to_the_old_one() {
        let log = [
            entry(Some("m1"), "m2"),
            entry(Some("m0"), "m1"),
            entry(None, "m0"),
        ];
        assert_eq!(
            names(&moves(&log, "m2", Some(&tip(Some("m0")))).unwrap()),
            ["m2", "m1"]
        );
        assert_eq!(
            names(&moves(&log, "m2", Some(&tip(None))).unwrap()),
            ["m2", "m1", "m0"]
        );
        assert_eq!(names(&moves(&log, "m2", None).unwrap()), ["m2"]);
        assert!(
            moves(&log, "m2", Some(&tip(Some("m2"))))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_log_with_a_gap_or_without_the_old_tip_is_an_error() {
        let log = [entry(Some("m1"), "m2"), entry(None, "m0")];
        assert!(moves(&log, "m2", Some(&tip(Some("m0")))).is_err());
        let log = [entry(None, "m2")];
        assert!(moves(&log, "m2", Some(&tip(Some("m0")))).is_err());
        assert!(moves(&[], "m2", None).is_err());
    }

    #[test]
    fn a_branch_that_the_log_knew_before_it_was_made_had_an_earlier_life() {
        let log = [entry(None, "m1"), entry(Some("x"), "y")];
        assert_eq!(earlier_life(&log, &log[..1], 100), Some(true));
        assert_eq!(earlier_life(&log[..1], &log[..1], 100), Some(false));
        assert_eq!(earlier_life(&log[..1], &log[..1], 1), None);
    }

    #[test]
    fn each_commit_belongs_to_the_move_that_brought_it() {
        let line = ["m4", "m3", "m2", "m1"].map(str::to_owned);
        let moves = [entry(Some("m2"), "m4"), entry(Some("m0"), "m2")];
        let after = |index| brought_by(&line, index, &moves).map(|entry| entry.after.as_str());
        assert_eq!(
            [after(0), after(1), after(2), after(3)],
            [Ok("m4"), Ok("m4"), Ok("m2"), Ok("m2")]
        );
    }

    #[test]
    fn where_a_tip_in_between_left_the_line_nothing_is_told() {
        let line = ["m4", "m3"].map(str::to_owned);
        let moves = [entry(Some("x"), "m4"), entry(Some("m2"), "x")];
        assert!(brought_by(&line, 0, &moves).is_err());
        assert!(brought_by(&line, 0, &[]).is_err());
    }
}
