//! Every change of a byte is found.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::checkpoint::Checkpoint;
use super::super::dir::{DirStore, format_text};
use super::super::merkle::{Tree, bundle_path, decode_entries, encode_entry, leaf_hash};
use super::super::verify::{State, VerifyOptions, verify_files};
use super::super::{Leaf, Population, Store as _};
use super::{Memory, ORIGIN, intact, leaf, leaves, ledger, signer, snapshot, statement};

#[test]
fn a_flip_of_any_bit_of_a_small_ledger_is_found() {
    for signer in [None, Some(signer())] {
        let folder = tempfile::tempdir().unwrap();
        DirStore::new(folder.path(), ORIGIN, signer)
            .append(&leaves(0..3))
            .unwrap();
        let files = Memory(snapshot(folder.path()));
        assert!(intact(&files));
        for (path, bytes) in &files.0 {
            let mut mutated = files.clone();
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    mutated.0.get_mut(path).unwrap()[at] ^= 1 << bit;
                    assert!(!intact(&mutated), "bit {bit} of byte {at} of {path}");
                    mutated.0.get_mut(path).unwrap()[at] ^= 1 << bit;
                }
            }
        }
    }
}

#[test]
fn of_the_log_alone_every_flip_and_cut_is_found_and_its_copies_count_neither_way() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 3, Some(signer()));
    let files = Memory(snapshot(folder.path()));
    let integrity = |files: &Memory| {
        let options = VerifyOptions {
            log_only: true,
            ..VerifyOptions::default()
        };
        verify_files(files, &options).integrity
    };
    let whole = integrity(&files);
    assert_eq!(whole.state, State::Ok);
    assert!(whole.says.contains("left out: the copies"), "{whole:?}");
    for (path, bytes) in &files.0 {
        let expected = if path.starts_with("records/") {
            State::Ok
        } else {
            State::Failed
        };
        let judged = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut mutated = files.clone();
            change(mutated.0.get_mut(path).unwrap());
            integrity(&mutated).state
        };
        for at in 0..bytes.len() {
            let flipped = judged(&|bytes| bytes[at] ^= 1 << (at % 8));
            assert_eq!(flipped, expected, "byte {at} of {path}");
            let cut = judged(&|bytes| bytes.truncate(at));
            assert_eq!(cut, expected, "{path} cut to {at}");
        }
        assert_eq!(judged(&|bytes| bytes.push(b'\n')), expected, "{path}");
        if path != "lock" {
            let mut mutated = files.clone();
            mutated.0.remove(path);
            assert_eq!(integrity(&mutated).state, expected, "without {path}");
        }
    }
    // What the copies would show is said to be left out, where it would be told.
    let options = VerifyOptions {
        log_only: true,
        ..VerifyOptions::default()
    };
    let complete = verify_files(&files, &options).completeness.says;
    assert!(complete.contains("sealed twice was left out"), "{complete}");
    // A name that is no record's is not let through by its folder's.
    for foreign in ["records", "records2/x", "log/records/x"] {
        let mut mutated = files.clone();
        mutated.0.insert(foreign.to_owned(), b"x".to_vec());
        assert_eq!(integrity(&mutated).state, State::Failed, "{foreign}");
    }
    // Nothing but copies is no ledger that was never begun.
    let mut copies = files.clone();
    copies.0.retain(|path, _| path.starts_with("records/"));
    assert_eq!(integrity(&copies).state, State::Failed);
}

#[test]
fn a_cut_of_any_file_at_any_length_is_found() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 3, Some(signer()));
    let files = Memory(snapshot(folder.path()));
    for (path, bytes) in &files.0 {
        for length in 0..bytes.len() {
            let mut mutated = files.clone();
            mutated.0.get_mut(path).unwrap().truncate(length);
            assert!(!intact(&mutated), "{path} cut to {length}");
        }
        let mut mutated = files.clone();
        mutated.0.get_mut(path).unwrap().push(b'\n');
        assert!(!intact(&mutated), "{path} with a newline more");
        if path != "lock" {
            mutated.0.remove(path);
            assert!(!intact(&mutated), "without {path}");
        }
    }
}

#[test]
fn damage_in_a_ledger_with_full_tiles_is_found() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 300, None);
    let files = Memory(snapshot(folder.path()));
    assert!(intact(&files));
    for (nth, (path, bytes)) in files.0.iter().enumerate() {
        if path.starts_with("records/") && nth % 29 > 0 {
            continue;
        }
        for at in (0..bytes.len()).step_by(bytes.len() / 6 + 1) {
            let mut mutated = files.clone();
            mutated.0.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            assert!(!intact(&mutated), "byte {at} of {path}");
            mutated.0.get_mut(path).unwrap().truncate(at);
            assert!(!intact(&mutated), "{path} cut to {at}");
        }
    }
}

#[test]
fn dropped_swapped_and_doubled_entries_are_found_by_number() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 5, None);
    let files = Memory(snapshot(folder.path()));
    let path = bundle_path(0, 5);
    let entries = decode_entries(&files.0[&path]).unwrap();
    let rebuilt = |order: &[usize]| {
        let mut bundle = Vec::new();
        for index in order {
            encode_entry(&mut bundle, entries[*index]).unwrap();
        }
        let mut mutated = files.clone();
        mutated.0.insert(path.clone(), bundle);
        verify_files(&mutated, &VerifyOptions::default()).integrity
    };
    assert!(rebuilt(&[0, 2, 1, 3, 4]).says.contains("entry 1 "));
    assert!(rebuilt(&[0, 1, 3, 4]).says.contains("entry 2 "));
    assert!(rebuilt(&[0, 1, 1, 2, 3]).says.contains("entry 2 "));
    assert_eq!(rebuilt(&[0, 1, 2, 3, 4, 4]).state, State::Failed);
}

#[test]
fn a_record_too_large_for_a_leaf_lies_in_a_blob() {
    let folder = tempfile::tempdir().unwrap();
    let mut large = statement(7);
    large["predicate"]["summary"] = Value::String("x".repeat(200_000));
    let mut store = DirStore::new(folder.path(), ORIGIN, None);
    store
        .append(&[Leaf::new(&large).unwrap(), leaf(1)])
        .unwrap();
    let mut files = Memory(snapshot(folder.path()));
    assert!(intact(&files));
    let blob = files
        .0
        .keys()
        .find(|path| path.starts_with("blobs/"))
        .unwrap()
        .clone();
    files.0.get_mut(&blob).unwrap()[100] ^= 1;
    assert!(!intact(&files));
    files.0.remove(&blob);
    assert!(!intact(&files));
}

proptest::proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), which in 0..8_usize) {
        static LEDGER: std::sync::LazyLock<Memory> = std::sync::LazyLock::new(|| {
            let folder = tempfile::tempdir().unwrap();
            ledger(folder.path(), 3, Some(signer()));
            Memory(snapshot(folder.path()))
        });
        let mut files = LEDGER.clone();
        let path = files.0.keys().nth(which).unwrap().clone();
        // The lock is an empty file: empty bytes are no change to it.
        let same = files.0[&path] == bytes;
        files.0.insert(path, bytes.clone());
        proptest::prop_assert_eq!(intact(&files), same);
        files.0.insert("journal".to_owned(), bytes.clone());
        let _ = intact(&files);
        let _ = Leaf::parse(&bytes);
    }
}

/// A ledger over these leaves as they are: a store would not seal one twice.
fn sealed(leaves: &[Leaf]) -> Memory {
    let mut tree = Tree::default();
    let mut bundle = Vec::new();
    let mut files = BTreeMap::new();
    for leaf in leaves {
        encode_entry(&mut bundle, &leaf.bytes).unwrap();
        assert!(tree.push(leaf_hash(&leaf.bytes)).is_empty());
        files.insert(leaf.path.clone(), leaf.bytes.clone());
    }
    for tile in tree.edge() {
        files.insert(tile.path(), tile.bytes());
    }
    files.insert(bundle_path(0, tree.size()), bundle);
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: tree.size(),
        root: tree.root(),
        signatures: Vec::new(),
    };
    files.insert("log/checkpoint".to_owned(), checkpoint.text().into_bytes());
    files.insert("FORMAT".to_owned(), format_text(ORIGIN).into_bytes());
    Memory(files)
}

#[test]
fn a_record_that_is_sealed_twice_is_found_even_where_a_stranger_makes_up_the_number() {
    assert!(intact(&sealed(&leaves(0..3))));
    let mut twice = sealed(&[leaf(0), leaf(1), leaf(0)]);
    let seen = verify_files(&twice, &VerifyOptions::default());
    assert_eq!(seen.completeness.state, State::Failed);
    assert!(
        seen.completeness
            .says
            .contains("sealed twice, as entries 0 and 2"),
        "{}",
        seen.completeness.says
    );
    // As many files as entries: neither hides the other.
    let stranger = leaf(9);
    twice.0.insert(stranger.path.clone(), stranger.bytes);
    let seen = verify_files(&twice, &VerifyOptions::default());
    assert_eq!(seen.completeness.state, State::Failed);
    assert!(
        seen.integrity.says.contains("belongs to no record"),
        "{}",
        seen.integrity.says
    );
    // Records of which no checkpoint knows are not nothing.
    let mut lost = sealed(&leaves(0..3));
    lost.0.retain(|path, _| path.starts_with("records/"));
    let seen = verify_files(&lost, &VerifyOptions::default());
    assert_eq!((seen.integrity.state, seen.exit_code()), (State::Failed, 5));
}

/// With a list of changes every record is read whole; without one it is only glanced at.
#[test]
fn a_glance_at_every_record_and_the_close_look_come_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 3, None);
    let files = Memory(snapshot(folder.path()));
    let population = Population {
        members: &["change-1".to_owned()],
        predicate_type: None,
        telling: None,
        branch: None,
    };
    let both = |files: &Memory| {
        let glanced = verify_files(files, &VerifyOptions::default());
        let closely = verify_files(
            files,
            &VerifyOptions {
                population: Some(population),
                ..VerifyOptions::default()
            },
        );
        assert_eq!(glanced.integrity, closely.integrity);
        assert_eq!(glanced.notes, closely.notes);
        glanced.integrity.state
    };
    assert_eq!(both(&files), State::Ok);
    for (path, bytes) in &files.0 {
        for at in (0..bytes.len()).step_by(3) {
            let mut mutated = files.clone();
            mutated.0.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            both(&mutated);
        }
        let mut mutated = files.clone();
        mutated.0.remove(path);
        both(&mutated);
    }
}
