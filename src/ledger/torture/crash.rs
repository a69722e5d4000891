//! Interrupted, concurrent and repeated appends.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::dir::DirStore;
use super::super::files::{Files, Folder, Lock};
use super::super::keep::Anchor;
use super::super::verify::{State, VerifyOptions, verify};
use super::super::{Place, Population, Signer, Store as _, open};
use super::{ORIGIN, leaf, leaves, signer, snapshot};

/// Does the first `operations` changes, then stops for ever; a write that it stops is torn.
struct Failing {
    folder: Folder,
    left: Arc<AtomicUsize>,
}

impl Failing {
    fn may_go_on(&self) -> io::Result<()> {
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .map(drop)
            .map_err(|_| io::Error::other("the machine stopped"))
    }
}

impl Files for Failing {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.folder.read(path)
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.folder.list(folder)
    }
    fn make_folder(&self, folder: &str) -> io::Result<()> {
        self.may_go_on()?;
        self.folder.make_folder(folder)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        if let Err(stopped) = self.may_go_on() {
            self.folder.write(path, &bytes[..bytes.len() / 2])?;
            return Err(stopped);
        }
        self.folder.write(path, bytes)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.may_go_on()?;
        self.folder.rename(from, to)
    }
    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.may_go_on()?;
        self.folder.sync_folder(folder)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.may_go_on()?;
        self.folder.remove(path)
    }
    fn lock(&self, kind: Lock) -> io::Result<fs::File> {
        self.folder.lock(kind)
    }
}

fn copy(from: &BTreeMap<String, Vec<u8>>, to: &Path) {
    for (path, bytes) in from {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Stops an append at every operation, and the repair after it at every operation too.
fn crash_everywhere(before: u64, added: u64, signer: Option<&Signer>) {
    let original = tempfile::tempdir().unwrap();
    if before > 0 {
        DirStore::new(original.path(), ORIGIN, signer.cloned())
            .append(&leaves(0..before))
            .unwrap();
    }
    let original = snapshot(original.path());
    for stop in 0..1000 {
        let folder = tempfile::tempdir().unwrap();
        copy(&original, folder.path());
        let mut ended = false;
        // Small ledgers are also stopped during the repair.
        let attempts = if before < 100 {
            vec![stop, stop / 2, 3]
        } else {
            vec![stop]
        };
        for again in attempts {
            let left = Arc::new(AtomicUsize::new(again));
            let files = Failing {
                folder: Folder::new(folder.path()),
                left: Arc::clone(&left),
            };
            let outcome = DirStore::over(Box::new(files), ORIGIN, signer.cloned())
                .append(&leaves(before..before + added));
            ended |= again == stop && outcome.is_ok() && left.load(Ordering::SeqCst) > 0;
            let seen = verify(folder.path(), &VerifyOptions::default());
            let state = if seen.size == 0 {
                State::Unknown
            } else {
                State::Ok
            };
            assert_eq!(
                seen.integrity.state, state,
                "stopped after {again} of {stop}: {:?}",
                seen.integrity
            );
            assert!(seen.size == before || seen.size == before + added);
            if outcome.is_ok() {
                assert_eq!(seen.size, before + added);
            }
        }
        let mut store = DirStore::new(folder.path(), ORIGIN, None);
        let receipt = store.append(&leaves(before..before + added + 1)).unwrap();
        assert_eq!(
            receipt.indexes,
            (before..before + added + 1).collect::<Vec<_>>()
        );
        let seen = verify(folder.path(), &VerifyOptions::default());
        assert_eq!(
            (seen.integrity.state, seen.size),
            (State::Ok, before + added + 1),
            "{:?}",
            seen.integrity
        );
        assert!(seen.notes.is_empty(), "{:?}", seen.notes);
        if ended {
            return;
        }
    }
    panic!("the append never ended");
}

#[test]
fn a_crash_at_any_operation_of_the_first_append_leaves_nothing_or_everything() {
    crash_everywhere(0, 2, None);
    crash_everywhere(0, 2, Some(&signer()));
}

#[test]
fn a_crash_at_any_operation_of_a_later_append_leaves_the_old_state_or_the_new_one() {
    crash_everywhere(3, 1, Some(&signer()));
}

#[test]
fn a_crash_while_a_tile_fills_leaves_the_old_state_or_the_new_one() {
    crash_everywhere(255, 3, None);
}

#[test]
fn writers_at_the_same_time_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4_u64 {
            let path = folder.path();
            scope.spawn(move || {
                let mut store = DirStore::new(path, ORIGIN, None);
                for number in 0..12 {
                    // Every second record is also written by the next writer.
                    store.append(&[leaf(writer * 6 + number)]).unwrap();
                }
            });
        }
    });
    let members: Vec<String> = (0..30).map(|number| format!("change-{number}")).collect();
    let options = VerifyOptions {
        population: Some(Population {
            members: &members,
            predicate_type: None,
            telling: None,
            branch: None,
        }),
        ..VerifyOptions::default()
    };
    let seen = verify(folder.path(), &options);
    assert_eq!((seen.size, seen.exit_code()), (30, 0), "{seen:?}");
}

#[test]
fn what_depends_on_the_log_is_made_while_nobody_else_writes() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                for _ in 0..8 {
                    DirStore::new(path, ORIGIN, None)
                        .append_after(&mut |sealed| Ok(vec![leaf(sealed.size()?)]))
                        .unwrap();
                }
            });
        }
    });
    let seen = verify(folder.path(), &VerifyOptions::default());
    assert_eq!((seen.size, seen.integrity.state), (32, State::Ok));
}

#[test]
fn the_same_record_is_stored_once_and_keeps_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&Place::Folder(folder.path().to_owned()), ORIGIN, None).unwrap();
    store.append(&leaves(0..3)).unwrap();
    let receipt = store.append(&[leaf(1), leaf(3), leaf(3)]).unwrap();
    assert_eq!(
        (receipt.indexes, receipt.size, receipt.duplicates.len()),
        (vec![1, 3, 3], 4, 2)
    );
    assert_eq!(store.read(1..2).unwrap(), vec![leaf(1).bytes]);
}

#[test]
fn a_planted_copy_does_not_swallow_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, None);
    store.append(&leaves(0..2)).unwrap();
    fs::write(folder.path().join(&leaf(2).path), leaf(2).bytes).unwrap();
    assert!(
        store
            .append(&[leaf(2)])
            .unwrap_err()
            .to_string()
            .contains("the log does not hold it")
    );
    assert_eq!(
        verify(folder.path(), &VerifyOptions::default())
            .integrity
            .state,
        State::Failed
    );
}

#[test]
fn an_append_refuses_to_build_on_damage() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, None);
    store.append(&leaves(0..3)).unwrap();
    let bundle = folder.path().join("log/tile/entries/000.p/3");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[40] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert!(
        format!("{:#}", store.append(&[leaf(3)]).unwrap_err()).contains("does not fit its tile")
    );
}

#[test]
fn a_token_is_there_whole_or_not_at_all_wherever_it_stops() {
    let token = include_bytes!("../../../tests/tokens/rsa.tsr");
    let mut ended = false;
    for stop in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        DirStore::new(folder.path(), ORIGIN, Some(signer()))
            .append(&leaves(0..3))
            .unwrap();
        let left = Arc::new(AtomicUsize::new(stop));
        let files = Failing {
            folder: Folder::new(folder.path()),
            left: Arc::clone(&left),
        };
        let store = DirStore::over(Box::new(files), ORIGIN, None);
        let note = store.signed_note().unwrap();
        let kept = store.keep(&note, Anchor::Token(token));
        ended |= kept.is_ok() && left.load(Ordering::SeqCst) > 0;
        let seen = verify(folder.path(), &VerifyOptions::default());
        assert_eq!(seen.integrity.state, State::Ok, "stopped after {stop}");
        let there = fs::read(folder.path().join("anchors/3.tsr")).ok();
        assert!(there.as_deref().is_none_or(|there| there == token));
        assert!(there.is_some() || kept.is_err());
        // The next one gets it done, and an append tidies up.
        let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
        store.keep(&note, Anchor::Token(token)).unwrap();
        store.append(&[leaf(3)]).unwrap();
        assert_eq!(Folder::new(folder.path()).list("tmp").unwrap(), [""; 0]);
        assert!(
            verify(folder.path(), &VerifyOptions::default())
                .notes
                .is_empty()
        );
    }
    assert!(ended, "no stop came after the end");
}
