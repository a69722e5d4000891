//! The protocol of a ledger in a bucket: appends at every size, stopped at every request, beside
//! others, on servers that lose answers or do not know conditions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use super::super::dir::DirStore;
use super::super::keep::Anchor;
use super::super::sign::Signer;
use super::super::torture::{ORIGIN, leaf, leaves, signer, snapshot, unverified_bundle};
use super::super::verify::{Population, State, VerifyOptions};
use super::super::{AllowedSigners, Leaf, Store as _, TsaRoots};
use super::copy::Copy;
use super::objects::Objects;
use super::store::BucketStore;
use super::testing::{Fate, Memory, store};

fn other_signer() -> Signer {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[8; 32]));
    Signer::from_openssh(&key.to_openssh(LineEnding::LF).unwrap()).unwrap()
}

/// A bucket with so many records, made in one append.
fn holding(size: u64, signer: Option<Signer>) -> Arc<Memory> {
    let memory = Arc::new(Memory::default());
    if size > 0 {
        store(&memory, signer).append(&leaves(0..size)).unwrap();
    }
    memory
}

/// Whether the ledger holds exactly the first `count` records, each once, and verifies.
fn holds(memory: &Memory, count: u64) {
    let members: Vec<String> = (0..count)
        .map(|number| format!("change-{number}"))
        .collect();
    let options = VerifyOptions {
        population: Some(Population {
            members: &members,
            predicate_type: None,
            telling: None,
            branch: None,
        }),
        ..VerifyOptions::default()
    };
    let seen = Copy::of(memory).unwrap().verification("s3://b/p", &options);
    assert_eq!(seen.integrity.state, State::Ok, "{seen:?}");
    assert_eq!(seen.completeness.state, State::Ok, "{seen:?}");
    assert_eq!(seen.size, count);
}

/// Stops for good with one request: it is done, and no answer comes, to this one or a later one.
fn stopped(memory: &Memory, at: usize) -> Memory {
    memory.other().with(move |number, _, _| {
        if number < at {
            Fate::Answered
        } else if number == at {
            Fate::Lost
        } else {
            Fate::Failed
        }
    })
}

#[test]
fn copied_out_it_is_byte_for_byte_the_ledger_of_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let mut first = 0;
    for (number, count) in [1, 1, 253, 1, 1, 300, 43, 168, 1].into_iter().enumerate() {
        let signer = (number % 2 == 0).then(signer);
        let batch = leaves(first..first + count);
        let mut folder = DirStore::new(&home.path().join("folder"), ORIGIN, signer.clone());
        let expected = folder.append(&batch).unwrap();
        assert_eq!(store(&memory, signer).append(&batch).unwrap(), expected);
        first += count;
        let pack = home.path().join(format!("pack-{number}"));
        Copy::of(memory.as_ref())
            .unwrap()
            .export("s3://b/p", &pack, &VerifyOptions::default())
            .unwrap();
        let mut folder = snapshot(&home.path().join("folder"));
        folder.remove("lock");
        assert!(
            snapshot(&pack.join("ledger")) == folder,
            "at {first} records"
        );
    }
    let reading = store(&memory, None);
    let read = reading.read(250..first).unwrap();
    let sealed: Vec<Vec<u8>> = leaves(250..first)
        .into_iter()
        .map(|leaf| leaf.bytes)
        .collect();
    assert!(read == sealed);
}

#[test]
fn a_record_that_is_there_is_not_stored_twice() {
    let memory = holding(3, None);
    let before = memory.all();
    let receipt = store(&memory, None).append(&[leaf(1), leaf(0)]).unwrap();
    assert_eq!(receipt.indexes, [1, 0]);
    assert_eq!(receipt.duplicates.len(), 2);
    assert!(memory.all() == before);
    let receipt = store(&memory, None)
        .append(&[leaf(3), leaf(1), leaf(3)])
        .unwrap();
    assert_eq!((receipt.indexes, receipt.size), (vec![3, 1, 3], 4));
    holds(&memory, 4);
}

#[test]
fn an_append_asks_for_so_many_things_and_no_more() {
    let memory = holding(5, None);
    let asking = Arc::new(memory.other());
    store(&asking, Some(signer())).append(&[leaf(5)]).unwrap();
    assert_eq!(
        (
            asking.asked("list"),
            asking.asked("read"),
            asking.asked("create")
        ),
        (6, 4, 5)
    );
}

/// Stops an append of `added` with every request; then the ledger is the old one
/// or the new one, and the same append by another writer brings each record once.
fn crash_everywhere(before: u64, added: u64, first: Option<&Signer>, second: Option<&Signer>) {
    let original = holding(before, first.cloned());
    let asking = Arc::new(original.twin());
    store(&asking, first.cloned())
        .append(&leaves(before..before + added))
        .unwrap();
    let requests = asking.requests();
    assert!(requests >= 10, "{requests}");
    for at in 0..requests {
        let memory = Arc::new(original.twin());
        let stopping = Arc::new(stopped(&memory, at));
        let told = store(&stopping, first.cloned()).append(&leaves(before..before + added));
        assert!(told.is_err(), "request {at}");
        let seen = memory.verify();
        if before == 0 && seen.size == 0 {
            assert_eq!(
                seen.integrity.state,
                State::Unknown,
                "request {at}: {seen:?}"
            );
            assert_eq!(seen.exit_code(), 5);
        } else {
            assert_eq!(seen.integrity.state, State::Ok, "request {at}: {seen:?}");
            assert!(
                [before, before + added].contains(&seen.size),
                "request {at}"
            );
        }
        // Somebody else appends, then the same job runs again.
        store(&memory, second.cloned())
            .append(&[leaf(before + added)])
            .unwrap();
        let again = store(&memory, first.cloned())
            .append(&leaves(before..before + added))
            .unwrap();
        assert_eq!(again.indexes.len() as u64, added);
        holds(&memory, before + added + 1);
    }
}

#[test]
fn a_stop_at_any_request_of_the_first_append_leaves_nothing_or_all_of_it() {
    crash_everywhere(0, 1, None, None);
    crash_everywhere(0, 2, Some(&signer()), Some(&signer()));
}

#[test]
fn a_stop_at_any_request_of_a_later_append_leaves_the_old_state_or_the_new_one() {
    crash_everywhere(5, 2, Some(&signer()), Some(&signer()));
    crash_everywhere(255, 2, None, None);
}

#[test]
fn an_append_that_was_stopped_is_finished_by_somebody_with_another_key_or_none() {
    crash_everywhere(3, 1, Some(&signer()), Some(&other_signer()));
    crash_everywhere(3, 1, Some(&signer()), None);
    crash_everywhere(3, 1, None, Some(&signer()));
}

#[test]
fn two_writers_with_two_keys_who_finish_the_same_append_leave_one_checkpoint_that_fits() {
    let original = holding(3, None);
    for at in 0..20 {
        let memory = Arc::new(original.twin());
        let first = Arc::new(stopped(&memory, at));
        let _ = store(&first, Some(signer())).append(&[leaf(3)]);
        let second = Arc::new(stopped(&memory, at + 3));
        let _ = store(&second, Some(other_signer())).append(&[leaf(4)]);
        store(&memory, Some(signer()))
            .append(&leaves(3..5))
            .unwrap();
        store(&memory, Some(signer())).append(&[leaf(5)]).unwrap();
        holds(&memory, 6);
        let seen = memory.verify();
        assert_eq!(seen.integrity.state, State::Ok, "{seen:?}");
    }
}

#[test]
fn one_request_that_fails_or_one_answer_that_is_lost_does_no_harm() {
    let original = holding(5, None);
    for at in 0..17 {
        for fate in [Fate::Failed, Fate::Lost] {
            let memory = Arc::new(original.twin());
            let shaky = memory.other().with(
                move |number, _, _| {
                    if number == at { fate } else { Fate::Answered }
                },
            );
            let shaky = Arc::new(shaky);
            let told = store(&shaky, None).append(&[leaf(5)]);
            if let Ok(receipt) = &told {
                assert_eq!((receipt.size, &receipt.indexes[..]), (6, &[5][..]));
                assert!(receipt.duplicates.is_empty(), "it was not there before");
                holds(&memory, 6);
            }
            store(&memory, None).append(&[leaf(5)]).unwrap();
            holds(&memory, 6);
        }
    }
}

#[test]
fn an_answer_that_is_lost_does_not_make_the_own_object_a_strangers() {
    let memory = holding(2, None);
    let shaky = memory.other().with({
        let mut lost = false;
        move |_, kind, path| {
            let now = kind == "create" && path.starts_with("seq/") && !lost;
            lost |= now;
            if now { Fate::Lost } else { Fate::Answered }
        }
    });
    let receipt = store(&Arc::new(shaky), None).append(&[leaf(2)]).unwrap();
    assert_eq!((receipt.indexes, receipt.duplicates.len()), (vec![2], 0));
    holds(&memory, 3);
}

/// Another writer appends just before one request of ours.
fn in_between(at: usize, theirs: u64) -> Arc<Memory> {
    let memory = holding(254, None);
    let between = Arc::clone(&memory);
    let meeting = memory.other().with(move |number, _, _| {
        if number == at {
            store(&between, None)
                .append(&leaves(254..254 + theirs))
                .unwrap();
        }
        Fate::Answered
    });
    let mut asked = 0;
    let receipt = store(&Arc::new(meeting), None)
        .append_after(&mut |sealed| {
            asked += 1;
            let size = sealed.size()?;
            assert!(size == 254 || size == 254 + theirs, "{size}");
            assert_eq!(sealed.leaves(0..size)?.len() as u64, size);
            Ok(vec![leaf(700 + size)])
        })
        .unwrap();
    let size = receipt.indexes[0];
    let sealed = store(&memory, None).read(size..size + 1).unwrap();
    assert_eq!(
        sealed,
        [leaf(700 + size).bytes],
        "made on what lies below it"
    );
    assert!(asked <= 2, "{asked}");
    memory
}

#[test]
fn another_writer_between_any_two_requests_makes_us_look_again() {
    for at in 0..17 {
        for theirs in [1, 4] {
            let memory = in_between(at, theirs);
            let seen = memory.verify();
            assert_eq!(
                (seen.integrity.state, seen.size),
                (State::Ok, 255 + theirs),
                "request {at}: {seen:?}"
            );
        }
    }
}

#[test]
fn the_same_record_from_another_machine_between_any_two_requests_is_stored_once() {
    for at in 0..17 {
        let memory = holding(3, None);
        let between = Arc::clone(&memory);
        let meeting = memory.other().with(move |number, _, _| {
            if number == at {
                store(&between, None).append(&leaves(3..5)).unwrap();
            }
            Fate::Answered
        });
        let receipt = store(&Arc::new(meeting), None).append(&[leaf(4)]).unwrap();
        if memory.verify().size == 4 {
            assert!(at > 13, "an append asks for more than {at} things");
            continue;
        }
        assert!(
            receipt.indexes == [3] || receipt.indexes == [4],
            "request {at}"
        );
        holds(&memory, 5);
    }
}

#[test]
fn writers_at_the_same_time_lose_nothing_and_double_nothing() {
    let memory = Arc::new(Memory::default());
    thread::scope(|scope| {
        for writer in 0..6_u64 {
            let memory = Arc::new(memory.other());
            scope.spawn(move || {
                for number in 0..5 {
                    let receipt = store(&memory, None).append(&[leaf(writer * 5 + number)]);
                    let receipt = receipt.unwrap();
                    let index = receipt.indexes[0];
                    let sealed = store(&memory, None).read(index..index + 1).unwrap();
                    assert_eq!(sealed, [leaf(writer * 5 + number).bytes]);
                }
            });
        }
    });
    holds(&memory, 30);
}

#[test]
fn a_server_that_creates_what_is_there_already_is_refused_before_anything_is_sealed() {
    let memory = Arc::new(Memory::that_ignores_conditions());
    for _ in 0..2 {
        let error = store(&memory, None)
            .append(&[leaf(0)])
            .unwrap_err()
            .to_string();
        assert!(error.contains("If-None-Match"), "{error}");
        assert_eq!(memory.all().keys().collect::<Vec<_>>(), ["FORMAT"]);
    }
    // One that was good when the ledger began.
    let good = holding(2, None);
    let worse = Arc::new(Memory::that_ignores_conditions());
    for (path, bytes) in good.all() {
        worse.tamper(&path, Some(&bytes));
    }
    let before = worse.all();
    assert!(store(&worse, None).append(&[leaf(2)]).is_err());
    assert!(worse.all() == before);
}

#[test]
fn a_server_that_refuses_every_creation_is_an_error_that_says_why() {
    let memory = holding(2, None);
    let closed = memory.other().with(|_, kind, _| match kind {
        "create" => Fate::Failed,
        _ => Fate::Answered,
    });
    let error = format!(
        "{:#}",
        store(&Arc::new(closed), None)
            .append(&[leaf(2)])
            .unwrap_err()
    );
    assert!(
        error.contains("the line is cut") && error.contains("nothing was recorded"),
        "{error}"
    );
}

#[test]
fn a_bucket_that_is_somebody_elses_ledger_is_left_alone() {
    let memory = holding(2, None);
    let before = memory.all();
    let objects: Arc<dyn Objects> = Arc::clone(&memory) as Arc<dyn Objects>;
    let mut other = BucketStore::over(objects, "s3://b/p", Some("ccgate/github/acme/other"), None);
    let error = other.append(&[leaf(2)]).unwrap_err().to_string();
    assert!(error.contains("another owner"), "{error}");
    assert!(memory.all() == before);
}

#[test]
fn a_ledger_that_shrank_while_it_was_open_is_not_built_on() {
    let memory = holding(2, None);
    let early = memory.all();
    store(&memory, None).append(&[leaf(2)]).unwrap();
    let mut open = store(&memory, None);
    assert_eq!(open.checkpoint().unwrap().unwrap().size, 3);
    for path in memory
        .all()
        .keys()
        .filter(|path| !early.contains_key(*path))
    {
        memory.tamper(path, None);
    }
    assert!(open.checkpoint().is_err());
    assert!(
        open.append(&[leaf(3)])
            .unwrap_err()
            .to_string()
            .contains("fewer or others")
    );
}

fn large(number: u64) -> Leaf {
    Leaf::new(&json!({
        "_type": super::super::STATEMENT_TYPE,
        "subject": [{"name": format!("large-{number}")}],
        "predicateType": "https://ccgate.dev/change-record/v1",
        "predicate": {"observed_at": "2026-11-21T08:00:00Z", "text": "x".repeat(70_000)},
    }))
    .unwrap()
}

#[test]
fn a_large_record_has_its_blob_and_the_blob_of_one_that_was_not_made_is_told() {
    let memory = holding(1, None);
    store(&memory, None).append(&[large(1)]).unwrap();
    let (digest, bytes) = large(1).blob.unwrap();
    assert_eq!(store(&memory, None).read_blob(&digest).unwrap(), bytes);
    assert_eq!(memory.verify().integrity.state, State::Ok);
    let stopping = memory.other().with(|_, kind, path| {
        if kind == "create" && path.starts_with("seq/") {
            Fate::Failed
        } else {
            Fate::Answered
        }
    });
    assert!(
        store(&Arc::new(stopping), None)
            .append(&[large(2)])
            .is_err()
    );
    let seen = memory.verify();
    assert_eq!((seen.integrity.state, seen.size), (State::Ok, 2));
    assert!(
        seen.notes
            .iter()
            .any(|note| note.contains("counts for nothing")),
        "{seen:?}"
    );
    let (left, _) = large(2).blob.unwrap();
    memory.tamper(&format!("blobs/{left}"), Some(b"other"));
    assert_eq!(memory.verify().integrity.state, State::Failed);
}

#[test]
fn a_time_stamp_is_kept_once_beside_its_note() {
    const ROOT: &[u8] = include_bytes!("../../../tests/tokens/rsa.pem");
    const TOKEN: &[u8] = include_bytes!("../../../tests/tokens/rsa.tsr");
    const OTHER: &[u8] = include_bytes!("../../../tests/tokens/fraction.tsr");
    let memory = holding(3, Some(signer()));
    let note = store(&memory, None).signed_note().unwrap();
    assert_eq!((note.size, &note.token), (3, &None));
    // Records that came between leave the note where it is.
    store(&memory, Some(signer())).append(&[leaf(3)]).unwrap();
    store(&memory, None)
        .keep(&note, Anchor::Token(TOKEN))
        .unwrap();
    let kept = memory.all();
    store(&memory, None)
        .keep(&note, Anchor::Token(TOKEN))
        .unwrap();
    assert!(memory.all() == kept, "to repeat it stores nothing");
    assert!(
        store(&memory, None)
            .keep(&note, Anchor::Token(OTHER))
            .is_err()
    );
    assert!(memory.all() == kept);
    let roots = TsaRoots::parse(ROOT).unwrap();
    let options = VerifyOptions {
        tsa_roots: Some(&roots),
        now: Some("2031-01-01T00:00:00Z".parse().unwrap()),
        ..VerifyOptions::default()
    };
    let seen = Copy::of(memory.as_ref())
        .unwrap()
        .verification("s3://b/p", &options);
    assert_eq!(seen.integrity.state, State::Ok, "{seen:?}");
    assert!(seen.stamped.says.contains("the last 1 records"), "{seen:?}");
    let unsigned = holding(3, None);
    assert!(store(&unsigned, None).signed_note().is_err());
}

#[test]
fn a_bundle_is_kept_once_beside_its_note() {
    let memory = holding(3, Some(signer()));
    let note = store(&memory, None).signed_note().unwrap();
    let bundle = unverified_bundle(&note.text);
    store(&memory, Some(signer())).append(&[leaf(3)]).unwrap();
    let keep = |bundle: &[u8]| store(&memory, None).keep(&note, Anchor::Bundle(bundle));
    keep(&bundle).unwrap();
    let kept = memory.all();
    keep(&bundle).unwrap();
    let mut other = bundle.clone();
    other.push(b'\n');
    keep(&other).unwrap_err();
    assert!(memory.all() == kept);
    let look = || {
        Copy::of(memory.as_ref())
            .unwrap()
            .verification("s3://b/p", &VerifyOptions::default())
    };
    assert_eq!(look().integrity.state, State::Ok, "{:?}", look());
    assert!(
        look().notes.iter().any(|note| note.contains("Sigstore")),
        "{:?}",
        look().notes
    );
    memory.tamper("anchors/3.sigstore.json", Some(b"{}"));
    assert_eq!(look().integrity.state, State::Failed);
}

#[test]
fn what_an_allowed_key_signed_is_anchored_and_what_an_unsigned_writer_finished_is_not() {
    let memory = holding(3, Some(signer()));
    let line = format!(
        "{ORIGIN} namespaces=\"ccgate-ledger\" {}\n",
        signer().public().to_openssh().unwrap()
    );
    let allowed = AllowedSigners::parse(&line).unwrap();
    let options = VerifyOptions {
        allowed_signers: Some(&allowed),
        ..VerifyOptions::default()
    };
    let look = |memory: &Memory| Copy::of(memory).unwrap().verification("s3://b/p", &options);
    assert_eq!(look(&memory).anchored.state, State::Ok);
    store(&memory, None).append(&[leaf(3)]).unwrap();
    assert_eq!(look(&memory).anchored.state, State::Failed);
    store(&memory, Some(signer())).append(&[leaf(4)]).unwrap();
    assert_eq!(look(&memory).anchored.state, State::Ok);
}

#[test]
fn a_verification_beside_writers_sees_one_moment() {
    let memory = holding(2, None);
    let writer = Arc::new(memory.other());
    let appended = Arc::new(AtomicUsize::new(2));
    let counted = Arc::clone(&appended);
    let looking = memory.other().with(move |number, kind, _| {
        if kind == "list" && number % 5 == 0 && counted.load(Ordering::SeqCst) < 6 {
            let next = counted.fetch_add(1, Ordering::SeqCst) as u64;
            store(&writer, None).append(&[leaf(next)]).unwrap();
        }
        Fate::Answered
    });
    let seen = looking.verify_here();
    assert_eq!(seen.integrity.state, State::Ok, "{seen:?}");
    let all: BTreeMap<_, _> = memory.all();
    assert!(all.len() > 10 && appended.load(Ordering::SeqCst) == 6);
}
