//! Whoever owns a bucket changes it, and a verification says so.

use std::sync::Arc;

use super::super::Store as _;
use super::super::torture::{leaf, leaves, signer};
use super::super::verify::{State, VerifyOptions};
use super::copy::Copy;
use super::objects::numbered;
use super::testing::{Memory, store};

/// 259 records in appends of several sizes, the last two signed.
fn ledger() -> Arc<Memory> {
    let memory = Arc::new(Memory::default());
    for (range, signed) in [
        (0..2, false),
        (2..3, false),
        (3..255, false),
        (255..258, true),
        (258..259, true),
    ] {
        store(&memory, signed.then(signer))
            .append(&leaves(range))
            .unwrap();
    }
    memory
}

fn intact(memory: &Memory) -> bool {
    let seen = memory.verify();
    assert_eq!(seen.exit_code() == 0, seen.integrity.state == State::Ok);
    seen.exit_code() == 0
}

/// One of each kind, and every single one of those that are few.
fn sample(memory: &Memory) -> Vec<String> {
    let all: Vec<String> = memory.all().into_keys().collect();
    let mut records = all.iter().filter(|path| path.starts_with("records/"));
    let some: Vec<&String> = records.by_ref().step_by(90).collect();
    all.iter()
        .filter(|path| !path.starts_with("records/") || some.contains(path))
        .cloned()
        .collect()
}

#[test]
fn every_object_that_is_deleted_or_altered_is_found() {
    let memory = ledger();
    assert!(intact(&memory));
    let names = sample(&memory);
    let kinds = [
        "FORMAT",
        "seq/",
        "checkpoint/",
        "log/tile/0/",
        "log/tile/1/",
        "log/tile/entries/",
        "records/",
    ];
    for kind in kinds {
        assert!(names.iter().any(|path| path.starts_with(kind)), "{kind}");
    }
    let newest = numbered("checkpoint", 259);
    let all = memory.all();
    for path in &names {
        let was = all[path].clone();
        memory.tamper(path, None);
        if *path == newest {
            // The record is not lost: the next append finishes it.
            let seen = memory.verify();
            assert_eq!(
                (seen.integrity.state, seen.size),
                (State::Ok, 258),
                "{seen:?}"
            );
            assert!(
                seen.notes.iter().any(|note| note.contains("interrupted")),
                "{seen:?}"
            );
        } else {
            assert!(!intact(&memory), "{path} deleted");
        }
        for place in [0, was.len() / 2] {
            let mut broken = was.clone();
            broken[place] ^= 4;
            memory.tamper(path, Some(&broken));
            assert!(!intact(&memory), "byte {place} of {path}");
            memory.tamper(path, Some(&was[..place]));
            assert!(!intact(&memory), "{path} cut to {place}");
        }
        memory.tamper(path, Some(&was));
    }
    assert!(intact(&memory));
}

#[test]
fn every_stranger_is_named() {
    let memory = ledger();
    let tile = memory.all().remove("log/tile/0/001.p/3").unwrap();
    for stranger in [
        "README.md",
        "seq/000/000/001",
        "seq/000/000/259x",
        "seq/000/001/000",
        "checkpoint/000/000/000",
        "checkpoint/000/000/100",
        "checkpoint/000/000/300",
        "records/2026/11/rec_00000000000000000000000000000000.json",
        "records/2026/11/REC_x.json",
        "blobs/0000000000000000000000000000000000000000000000000000000000000000",
        "log/checkpoint",
        "log/tile/0/001.p/4",
        "log/tile/0/002",
        "log/tile/entries/001.p/3",
        "anchors/259.note",
        "anchors/259.sig",
        "anchors/258.tsr",
        "anchors/7.tsr",
        "keys/allowed_signers",
        "journal",
        "lock",
        "tmp/0",
        "log/tile/0/000/x",
    ] {
        memory.tamper(stranger, Some(&tile));
        assert!(!intact(&memory), "{stranger}");
        memory.tamper(stranger, None);
    }
    assert!(intact(&memory));
}

#[test]
fn checkpoints_that_were_taken_away_stop_the_next_append_and_the_verification() {
    let memory = ledger();
    for size in [258, 259] {
        memory.tamper(&numbered("checkpoint", size), None);
    }
    let error = store(&memory, None).append(&[leaf(259)]).unwrap_err();
    assert!(
        error.to_string().contains("took checkpoints away"),
        "{error:#}"
    );
    let seen = memory.verify();
    assert_eq!(seen.integrity.state, State::Failed);
    assert!(
        seen.integrity
            .problems
            .iter()
            .any(|problem| problem.contains("taken away")),
        "{seen:?}"
    );
    // All of them.
    let memory = ledger();
    for path in memory
        .all()
        .keys()
        .filter(|path| path.starts_with("checkpoint/"))
    {
        memory.tamper(path, None);
    }
    assert!(store(&memory, None).append(&[leaf(259)]).is_err());
    assert!(!intact(&memory));
}

#[test]
fn an_append_builds_on_nothing_that_was_altered_or_put_there() {
    for (path, bytes) in [
        ("log/tile/0/001.p/3", &b"x"[..]),
        ("checkpoint/000/000/259", b"x"),
        ("checkpoint/000/000/260", b"x"),
        ("seq/000/000/259", b"x"),
        ("seq/000/000/259", b""),
        ("log/tile/0/001.p/4", b"x"),
        ("FORMAT", b"x"),
    ] {
        let memory = ledger();
        memory.tamper(path, Some(bytes));
        assert!(store(&memory, None).append(&[leaf(259)]).is_err(), "{path}");
        assert!(!intact(&memory), "{path}");
    }
    // A copy of a record that the log does not hold would make an append believe that it does.
    let memory = ledger();
    memory.tamper(&leaf(259).path, Some(&leaf(259).bytes));
    let error = store(&memory, None).append(&[leaf(259)]).unwrap_err();
    assert!(
        error.to_string().contains("somebody put it there"),
        "{error:#}"
    );
}

#[test]
fn a_sequence_that_was_written_anew_does_not_fit_the_checkpoints_that_were_left() {
    let memory = ledger();
    let anew = Arc::new(Memory::default());
    for range in [0..2, 2..3, 3..255] {
        store(&anew, None).append(&leaves(range)).unwrap();
    }
    store(&anew, Some(signer()))
        .append(&leaves(300..303))
        .unwrap();
    store(&anew, Some(signer()))
        .append(&leaves(303..304))
        .unwrap();
    assert!(intact(&anew));
    let kept = numbered("checkpoint", 258);
    anew.tamper(&kept, Some(&memory.all()[&kept]));
    let seen = anew.verify();
    assert!(
        seen.integrity
            .problems
            .iter()
            .any(|problem| problem.contains("rewritten")),
        "{seen:?}"
    );
}

#[test]
fn an_older_ledger_that_was_put_back_whole_shows_against_a_checkpoint_kept_elsewhere_and_only_there()
 {
    let memory = Arc::new(Memory::default());
    store(&memory, None).append(&leaves(0..2)).unwrap();
    let old = memory.twin();
    store(&memory, None).append(&[leaf(2)]).unwrap();
    let kept = store(&memory, None).checkpoint().unwrap().unwrap().text();
    assert!(intact(&old));
    let options = VerifyOptions {
        trusted: Some(&kept),
        ..VerifyOptions::default()
    };
    let seen = Copy::of(&old).unwrap().verification("s3://b/p", &options);
    assert_eq!(seen.anchored.state, State::Failed);
    assert!(seen.anchored.says.contains("rolled back"), "{seen:?}");
}
