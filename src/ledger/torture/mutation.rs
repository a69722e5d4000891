//! Every change of a byte is found.

use serde_json::Value;

use super::super::dir::DirStore;
use super::super::merkle::{bundle_path, decode_entries, encode_entry};
use super::super::verify::{State, VerifyOptions, verify_files};
use super::super::{Leaf, Store as _};
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
