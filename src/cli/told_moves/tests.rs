//! Moves in ledgers, in and out of order, whole and with gaps.

use serde_json::json;

use super::*;
use crate::ledger;

const ORIGIN: &str = "ccgate/github/acme/app";

/// A move as a record of the branch `main` tells it.
struct Record {
    before: Value,
    after: &'static str,
    commits: &'static [&'static str],
    told_by: &'static str,
    /// The single moves of the platform's log; null: the run could not read it.
    moves: Value,
}

fn of(
    before: &'static str,
    after: &'static str,
    commits: &'static [&'static str],
    told_by: &'static str,
) -> Record {
    Record {
        before: json!(before),
        after,
        commits,
        told_by,
        moves: json!([{"before": before, "after": after, "at": "2026-06-01T00:00:00Z"}]),
    }
}

/// A push of one commit.
fn push(before: &'static str, after: &'static [&'static str; 1]) -> Record {
    of(before, after[0], after, "event")
}

impl Record {
    fn leaf(&self, target: &str) -> Leaf {
        let subjects: Vec<Value> = self
            .commits
            .iter()
            .map(|sha| json!({"digest": {"gitCommit": sha}}))
            .collect();
        let moved = json!({"before": self.before, "after": self.after, "told_by": self.told_by,
            "moves": self.moves});
        let again = self.commits.is_empty();
        Leaf::new(&json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": if again { json!([{"digest": {"gitCommit": self.after}}]) } else { json!(subjects) },
            "predicateType": gate::CHANGE_RECORD_TYPE,
            "predicate": {
                "subject": {"target": target},
                "branch_move": if again { &Value::Null } else { &moved },
                "branch_move_again": if again { &moved } else { &Value::Null },
            },
        }))
        .unwrap()
    }
}

/// A ledger in a folder of its own that holds what is sealed into it.
struct Held {
    folder: tempfile::TempDir,
}

impl Held {
    fn new(records: &[Record]) -> Self {
        let held = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        held.seal(records);
        held
    }

    fn store(&self) -> Box<dyn ledger::Store> {
        let place = ledger::Place::Folder(self.folder.path().to_owned());
        ledger::open(&place, ORIGIN, None).unwrap()
    }

    /// One by one: the same record may come twice in a row of runs, not in one append.
    fn seal(&self, records: &[Record]) {
        for record in records {
            self.store().append(&[record.leaf("main")]).unwrap();
        }
    }

    fn tip(&self) -> Option<String> {
        self.told().map(|(tip, _)| tip)
    }

    fn told(&self) -> Option<(String, Option<ToldMoves>)> {
        tip_without_gap(&self.store(), "main").unwrap()
    }

    fn left(
        &self,
        before: &str,
        after: &str,
        commits: &[&str],
        told_by: Option<ToldBy>,
    ) -> Vec<String> {
        let mut moved = gate::BranchMove {
            before: Some(before.to_owned()),
            after: after.to_owned(),
            commits: commits.iter().map(|&sha| sha.to_owned()).collect(),
            changes: Vec::new(),
            moves: None,
            told_by,
        };
        drop_told(&mut moved, &self.store(), "main");
        moved.commits
    }
}

fn tip_of(records: &[Record]) -> Option<String> {
    Held::new(records).tip()
}

#[test]
fn moves_without_a_gap_are_gone_on_from_where_the_newest_ends() {
    assert_eq!(tip_of(&[]), None, "there is no ledger yet");
    let row = [
        push("a0", &["a1"]),
        push("a1", &["a2"]),
        push("a2", &["a3"]),
    ];
    assert_eq!(tip_of(&row).as_deref(), Some("a3"));
}

/// The first move begins somewhere, and what was before is nobody's promise.
#[test]
fn the_first_move_that_a_ledger_knows_has_no_gap_before_it() {
    assert_eq!(tip_of(&[push("a0", &["a1"])]).as_deref(), Some("a1"));
    let made = Record {
        before: Value::Null,
        ..push("", &["a1"])
    };
    assert_eq!(tip_of(&[made, push("a1", &["a2"])]).as_deref(), Some("a2"));
}

/// The attack: `x` came without a run, and what came after it was pushed from there.
#[test]
fn a_move_that_began_where_no_other_ended_has_a_gap_before_it() {
    let mut row = vec![push("a0", &["a1"]), push("a1", &["a2"]), push("x", &["a3"])];
    assert_eq!(tip_of(&row).as_deref(), Some("a2"));
    row = vec![push("a0", &["a1"]), push("x", &["a3"]), push("a3", &["a4"])];
    assert_eq!(
        tip_of(&row).as_deref(),
        Some("a1"),
        "later moves hide nothing"
    );
    row.push(push("y", &["a5"]));
    assert_eq!(tip_of(&row).as_deref(), Some("a1"), "the older of two gaps");
}

#[test]
fn moves_that_were_sealed_out_of_order_have_no_gap() {
    let row = [
        push("a0", &["a1"]),
        push("a2", &["a3"]),
        push("a1", &["a2"]),
    ];
    assert_eq!(tip_of(&row).as_deref(), Some("a3"));
    // One run looks at two pushes before the runs of the pushes do.
    let row = [
        push("a0", &["a1"]),
        of("a1", "a3", &["a3", "a2"], "ledger"),
        of("a1", "a2", &[], "event"),
        of("a2", "a3", &[], "event"),
        push("a3", &["a4"]),
    ];
    assert_eq!(tip_of(&row).as_deref(), Some("a4"));
}

#[test]
fn a_gap_that_was_looked_at_later_is_none() {
    let held = Held::new(&[push("a0", &["a1"]), push("x", &["a2"])]);
    assert_eq!(held.tip().as_deref(), Some("a1"));
    held.seal(&[of("a1", "a2", &["x"], "ledger")]);
    assert_eq!(held.tip().as_deref(), Some("a2"));
    held.seal(&[push("a2", &["a3"])]);
    assert_eq!(held.tip().as_deref(), Some("a3"));
    // By hand it is closed as well.
    let by_hand = of("a1", "a2", &["x"], "argument");
    let row = [push("a0", &["a1"]), push("x", &["a2"]), by_hand];
    assert_eq!(tip_of(&row).as_deref(), Some("a2"));
}

/// The cheat: a look that began behind the gap, and found nothing new, closes it.
#[test]
fn a_look_from_behind_a_gap_does_not_close_it() {
    for told_by in ["event", "argument", "log"] {
        let row = [
            push("a0", &["a1"]),
            push("x", &["a2"]),
            of("x", "a2", &[], told_by),
            of("a2", "a2", &[], told_by),
        ];
        assert_eq!(tip_of(&row).as_deref(), Some("a1"), "{told_by}");
    }
}

#[test]
fn a_move_that_does_not_say_where_it_began_has_a_gap_before_it() {
    for before in [Value::Null, json!(7), json!({"sha": "a1"})] {
        for told_by in ["event", "ledger"] {
            let silent = Record {
                before: before.clone(),
                ..of("", "a2", &["a2"], told_by)
            };
            let row = [push("a0", &["a1"]), silent, push("a2", &["a3"])];
            assert_eq!(tip_of(&row).as_deref(), Some("a1"), "{before} {told_by}");
        }
    }
}

/// The branch stood at `a2`, was set back to `a1` by a push that skipped its run, and went on
/// from there: no commit on it is unknown, but that `a2` is gone was not looked at.
#[test]
fn a_branch_that_was_set_back_unseen_is_gone_on_from_where_it_stood() {
    let mut row = vec![
        push("a0", &["a1"]),
        push("a1", &["a2"]),
        push("a1", &["b2"]),
    ];
    assert_eq!(tip_of(&row).as_deref(), Some("a2"));
    row.push(of("a2", "b2", &[], "ledger"));
    assert_eq!(tip_of(&row).as_deref(), Some("b2"));
    // Seen, it is a move as any other, also where the branch stands at an old tip again.
    let row = [
        push("a0", &["a1"]),
        push("a1", &["a2"]),
        of("a2", "a1", &[], "event"),
    ];
    assert_eq!(tip_of(&row).as_deref(), Some("a1"));
}

#[test]
fn a_look_at_an_old_part_of_the_branch_changes_nothing() {
    let row = [
        push("a0", &["a1"]),
        of("a1", "a4", &["a4", "a3", "a2"], "event"),
        of("a1", "a3", &[], "argument"),
    ];
    assert_eq!(tip_of(&row).as_deref(), Some("a4"));
}

/// What lies before a run that began where the ledger said is looked at no more, so a ledger
/// of any length is walked back to there only.
#[test]
fn records_before_the_last_run_from_the_ledger_are_not_read() {
    let held = Held::new(&[push("x", &["a1"]), push("a1", &["a2"])]);
    held.seal(&[push("a2", &["a3"]), of("a3", "a3", &[], "ledger")]);
    held.seal(&[push("a3", &["a4"])]);
    let mut seen = Vec::new();
    let mut window = Window::default();
    each_move(&held.store(), "main", |told| {
        let last = window.ends_with(&told);
        seen.push(told.after);
        go_on_unless(last)
    })
    .unwrap();
    assert_eq!(seen, ["a4", "a3", "a3"]);
    assert_eq!(held.tip().as_deref(), Some("a4"));
}

/// A ledger whose first record is damaged.
struct Broken(u64);
impl Sealed for Broken {
    fn size(&self) -> anyhow::Result<u64> {
        Ok(self.0)
    }
    fn leaves(&self, range: std::ops::Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        let readable = push("a1", &["a2"]).leaf("main").bytes;
        Ok(range
            .map(|number| {
                if number == 0 {
                    b"{".to_vec()
                } else {
                    readable.clone()
                }
            })
            .collect())
    }
    fn blob(&self, _: &str) -> anyhow::Result<Vec<u8>> {
        anyhow::bail!("there is none")
    }
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_and_no_end_of_the_row() {
    assert!(tip_without_gap(&Broken(3), "main").is_err());
    assert_eq!(tip_without_gap(&Broken(0), "main").unwrap(), None);
}

#[test]
fn each_branch_has_a_row_of_its_own_and_large_records_tell_as_well() {
    let held = Held::new(&[push("a0", &["a1"])]);
    let mut store = held.store();
    store
        .append(&[
            push("d0", &["d1"]).leaf("dev"),
            Leaf::new(&json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": "s", "digest": {"gitCommit": "c1"}}],
                "predicateType": gate::CHANGE_RECORD_TYPE,
                "predicate": {"subject": {"target": "main"}, "branch_move": null},
            }))
            .unwrap(),
        ])
        .unwrap();
    // Too large for a leaf: its blob tells of it.
    let large = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "s", "digest": {"gitCommit": "a2"}}],
        "predicateType": gate::CHANGE_RECORD_TYPE,
        "predicate": {
            "subject": {"target": "main"},
            "branch_move": {"before": "a1", "after": "a2"},
            "controls": "x".repeat(80_000),
        },
    });
    store.append(&[Leaf::new(&large).unwrap()]).unwrap();
    assert_eq!(held.tip().as_deref(), Some("a2"));
    let of_branch = |branch: &str| Some(tip_without_gap(&store, branch).unwrap()?.0);
    assert_eq!(of_branch("dev").as_deref(), Some("d1"));
    assert_eq!(of_branch("release"), None);
}

#[test]
fn a_commit_that_was_told_of_is_not_told_of_again() {
    let event = Some(ToldBy::Event);
    let held = Held::new(&[]);
    assert_eq!(held.left("a0", "a2", &["a2", "a1"], event), ["a2", "a1"]);
    held.seal(&[of("a0", "a2", &["a2", "a1"], "event"), push("a2", &["a3"])]);
    let again = held.left("a0", "a2", &["a2", "a1"], event);
    assert!(again.is_empty(), "run again");
    assert!(
        held.left("a2", "a3", &["a3"], event).is_empty(),
        "run again"
    );
    assert_eq!(
        held.left("a3", "a4", &["a4"], event),
        ["a4"],
        "the next one"
    );
    // Somebody looks further back than anybody did before.
    let by_hand = held.left(
        "9f",
        "a3",
        &["a3", "a2", "a1", "a0"],
        Some(ToldBy::Argument),
    );
    assert_eq!(by_hand, ["a0"]);
}

/// The run that closes a gap begins before it and meets what was told behind it.
#[test]
fn a_run_that_begins_before_a_gap_tells_only_what_nobody_told() {
    let ledger = Some(ToldBy::Ledger);
    let held = Held::new(&[push("a0", &["a1"]), push("x", &["a2"])]);
    assert_eq!(
        held.left("a1", "a3", &["a3", "a2", "x"], ledger),
        ["a3", "x"]
    );
    // The same where the move before the gap was sealed after the one behind it.
    let held = Held::new(&[push("a9", &["a0"]), push("x", &["a2"]), push("a0", &["a1"])]);
    assert_eq!(held.tip().as_deref(), Some("a1"));
    assert_eq!(held.left("a1", "a2", &["a2", "x"], ledger), ["x"]);
    // And with an older run from the ledger, which ends the walk but not here.
    let held = Held::new(&[
        push("a8", &["a9"]),
        of("a9", "a9", &[], "ledger"),
        push("a9", &["a0"]),
        push("x", &["a2"]),
        push("a0", &["a1"]),
    ]);
    assert_eq!(held.left("a1", "a2", &["a2", "x"], ledger), ["x"]);
}

/// One run looked at two pushes; the runs of the pushes come behind.
#[test]
fn another_look_does_not_hide_what_was_told_before_it() {
    let held = Held::new(&[
        push("a0", &["a1"]),
        of("a1", "a3", &["a3", "a2"], "ledger"),
        of("a1", "a2", &[], "event"),
    ]);
    let event = Some(ToldBy::Event);
    assert!(held.left("a2", "a3", &["a3"], event).is_empty());
}

const DAY: &str = "2026-06-01T";

/// A record with what the log had of it: from, to, and the hour.
fn logged(record: Record, moves: &[(&str, &str, u8)]) -> Record {
    let moves = moves.iter().map(|(before, after, hour)| {
        json!({"before": before, "after": after, "at": format!("{DAY}{hour:02}:00:00Z")})
    });
    Record {
        moves: moves.collect(),
        ..record
    }
}

fn hour(hour: u8) -> Timestamp {
    format!("{DAY}{hour:02}:00:00Z").parse().unwrap()
}

fn seen(records: &[Record]) -> ToldMoves {
    Held::new(records).told().unwrap().1.unwrap()
}

#[test]
fn single_moves_are_told_from_the_first_one_that_a_ledger_knows() {
    let rows = || {
        [
            logged(push("a0", &["a1"]), &[("a0", "a1", 1)]),
            logged(push("a1", &["a2"]), &[("a1", "a2", 2)]),
        ]
    };
    let told = seen(&rows());
    assert_eq!(told.since, hour(1));
    let entry = |before: &str, after: &str, at| ((Some(before.to_owned()), after.to_owned()), at);
    let both = [entry("a0", "a1", hour(1)), entry("a1", "a2", hour(2))];
    assert_eq!(told.moves, BTreeSet::from(both));
    assert!(told.without_log.is_empty());
    // A run that could not read the log tells from where to where.
    let [first, second] = rows();
    let blind = Record {
        moves: Value::Null,
        ..second
    };
    let pair = (Some("a1".to_owned()), "a2".to_owned());
    assert_eq!(seen(&[first, blind]).without_log, BTreeSet::from([pair]));
    let blind = Record {
        moves: Value::Null,
        ..push("a0", &["a1"])
    };
    assert_eq!(Held::new(&[blind]).told().unwrap().1, None);
}

/// It saw all of the log up to its newest move, or up to the one that led to where it began.
#[test]
fn what_a_run_from_the_ledger_saw_is_not_looked_at_again() {
    let pushes = || {
        [
            logged(push("a0", &["a1"]), &[("a0", "a1", 1)]),
            logged(push("a1", &["a2"]), &[("a1", "a2", 2)]),
        ]
    };
    let [first, second] = pushes();
    let quiet = of("a2", "a2", &[], "ledger");
    assert_eq!(seen(&[first, second, quiet]).since, hour(2));
    let [first, second] = pushes();
    let found = logged(
        of("a2", "a2", &[], "ledger"),
        &[("x", "a2", 4), ("a2", "x", 3)],
    );
    let told = seen(&[first, second, found]);
    assert_eq!(told.since, hour(4));
    // Where nobody knows when the branch was brought there, it goes back to whoever does.
    let [first, second] = pushes();
    let second = Record {
        moves: Value::Null,
        ..second
    };
    let quiet = Record {
        moves: json!([]),
        ..of("a2", "a2", &[], "ledger")
    };
    assert_eq!(seen(&[first, second, quiet]).since, hour(1));
    // A push that is told of again later, from before the first record.
    let [first, second] = pushes();
    let again = logged(of("a0", "a1", &[], "event"), &[("9f", "a0", 0)]);
    assert_eq!(seen(&[first, second, again]).since, hour(1));
    // One that could not read the log saw nothing of it.
    let [first, second] = pushes();
    let blind = Record {
        moves: Value::Null,
        ..of("a2", "a2", &[], "ledger")
    };
    assert_eq!(seen(&[first, second, blind]).since, hour(1));
}
