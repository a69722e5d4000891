//! From a heap of commits and a log of moves to the branch's own line: which
//! commits stand on it, which move brought each, and which nobody looked at. Pure; asks nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::facts::{Move, PreviousTip};

/// From where to where a branch moved.
pub type FromTo = (Option<String>, String);

/// What a ledger tells of the moves that a platform's log has of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldMoves {
    /// Whatever the log has from then or from before was looked at.
    pub since: Timestamp,
    /// Each move from later that was looked at, with its time by the platform's clock.
    pub moves: BTreeSet<(FromTo, Timestamp)>,
    /// What was told by a run that could not read the log.
    pub without_log: BTreeSet<FromTo>,
}

impl ToldMoves {
    fn hold(&self, entry: &Move) -> bool {
        let from_to = (entry.before.clone(), entry.after.clone());
        self.without_log.contains(&from_to)
            || entry
                .at
                .is_some_and(|at| at <= self.since || self.moves.contains(&(from_to, at)))
    }
}

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

/// The moves that were followed, and those of the log up to the new tip that no ledger tells of:
/// a branch that was moved away and back again ends where it began. Without a ledger those that
/// were followed alone.
///
/// # Errors
/// The log has nothing from when the ledger last told of it: it is cut off, or hidden from the token.
pub(super) fn with_unseen(
    followed: &[Move],
    log: &[Move],
    after: &str,
    told: Option<&ToldMoves>,
) -> Result<Vec<Move>, String> {
    let Some(told) = told else {
        return Ok(followed.to_vec());
    };
    if !goes_back(log, told) {
        return Err(
            "the log of the branch's moves does not show what the ledger tells of any more, so it cannot \
             be told whether the branch was moved away and back again"
                .to_owned(),
        );
    }
    let begin = log.iter().position(|entry| entry.after == after);
    let is_new = |entry: &&Move| followed.contains(entry) || !told.hold(entry);
    let looked_at = log.iter().skip(begin.unwrap_or(0));
    Ok(looked_at.filter(is_new).cloned().collect())
}

/// Whether the oldest entry of a log is one that the ledger tells of.
pub(super) fn goes_back(log: &[Move], told: &ToldMoves) -> bool {
    let oldest = log.last().and_then(|entry| entry.at);
    oldest.is_some_and(|at| at <= told.since)
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

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn entry_at(before: &str, after: &str, hour: i64) -> Move {
        Move {
            at: Some(at(hour)),
            ..entry(Some(before), after)
        }
    }

    fn from_to(before: &str, after: &str) -> FromTo {
        (Some(before.to_owned()), after.to_owned())
    }

    /// Pushed away and back: the log has it, and nobody told of it.
    #[test]
    fn moves_that_no_ledger_tells_of_are_added_to_those_that_were_followed() {
        let log = [
            entry_at("m1", "m2", 5),
            entry_at("x", "m1", 4),
            entry_at("m1", "x", 3),
            entry_at("m0", "m1", 2),
            entry_at("y", "m0", 1),
        ];
        let told = |moves: &[(FromTo, Timestamp)]| ToldMoves {
            since: at(2),
            moves: moves.iter().cloned().collect(),
            without_log: BTreeSet::new(),
        };
        let all = |log: &[Move], followed: &[Move], after: &str, told: &ToldMoves| {
            let found = with_unseen(followed, log, after, Some(told)).unwrap();
            found
                .iter()
                .map(|entry| entry.after.clone())
                .collect::<Vec<_>>()
        };
        let nothing = told(&[]);
        // As it stands at m2, which is told of, and where m2 came on top.
        let m2 = (from_to("m1", "m2"), at(5));
        let told_of_m2 = told(std::slice::from_ref(&m2));
        assert_eq!(all(&log, &[], "m2", &told_of_m2), ["m1", "x"]);
        let followed = [log[0].clone()];
        assert_eq!(all(&log, &followed, "m2", &nothing), ["m2", "m1", "x"]);
        // What came after the tip that is looked at is for the run that looks at that.
        assert_eq!(all(&log, &[], "m1", &nothing), ["m1", "x"]);
        let loops = [(from_to("x", "m1"), at(4)), (from_to("m1", "x"), at(3)), m2];
        assert!(all(&log, &[], "m2", &told(&loops)).is_empty());
        // The same way at another time is another move, unless nobody knows the time.
        let once = [(from_to("x", "m1"), at(2)), (from_to("m1", "x"), at(2))];
        assert_eq!(all(&log, &[], "m1", &told(&once)), ["m1", "x"]);
        let blind = ToldMoves {
            without_log: BTreeSet::from([from_to("x", "m1"), from_to("m1", "x")]),
            ..nothing.clone()
        };
        assert!(all(&log, &[], "m1", &blind).is_empty());
        let mut untimed = log.clone();
        untimed[3].at = None;
        assert_eq!(all(&untimed, &[], "m1", &nothing), ["m1", "x", "m1"]);
        assert_eq!(with_unseen(&followed, &log, "m2", None).unwrap(), followed);
        // A page that ends too early.
        assert!(!goes_back(&log[..3], &nothing));
        for hidden in [&log[..3], &[]] {
            assert!(with_unseen(&[], hidden, "m1", Some(&nothing)).is_err());
        }
        assert!(goes_back(&log[..4], &nothing));
        assert!(!goes_back(&[], &nothing) && !goes_back(&untimed[..4], &nothing));
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
