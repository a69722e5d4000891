//! Sigstore bundles in a verification: what they show where they hold, and that one that does not
//! hold, or that nobody asked to verify, raises nothing.

use super::super::Place;
use super::super::dir::DirStore;
use super::super::export::export;
use super::super::keep::{SignedNote, keep_bundle, signed_note};
use super::super::sigstore::LARGEST;
use super::super::verify::{State, VerifyOptions, verify_files};
use super::super::{AllowedSigners, Store as _};
use super::{Memory, ORIGIN, intact, leaves, signer, snapshot, unverified_bundle};

/// Five records, with signed notes of three and of five; the notes are kept at their sizes.
fn signed() -> Memory {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    store.append(&leaves(3..5)).unwrap();
    Memory(snapshot(folder.path()))
}

fn note(files: &Memory, size: u64) -> &[u8] {
    &files.0[&format!("anchors/{size}.note")]
}

fn with(files: &Memory, size: u64, bundle: Vec<u8>) -> Memory {
    let mut files = files.clone();
    files
        .0
        .insert(format!("anchors/{size}.sigstore.json"), bundle);
    files
}

fn allowed(files: &Memory) -> AllowedSigners {
    let lines = String::from_utf8(files.0["keys/allowed_signers"].clone()).unwrap();
    AllowedSigners::parse(&lines).unwrap()
}

#[test]
fn a_bundle_that_nobody_asked_to_verify_is_named_and_lifts_no_level() {
    let plain = signed();
    let allowed = allowed(&plain);
    let options = VerifyOptions {
        allowed_signers: Some(&allowed),
        ..VerifyOptions::default()
    };
    let before = verify_files(&plain, &options);
    let files = with(&plain, 3, unverified_bundle(note(&plain, 3)));
    let files = with(&files, 5, unverified_bundle(note(&plain, 5)));
    let seen = verify_files(&files, &options);
    assert_eq!((seen.integrity.state, seen.exit_code()), (State::Ok, 0));
    assert_eq!(seen.levels, before.levels);
    assert_eq!(seen.verdicts(), before.verdicts());
    let [said] = seen.notes.as_slice() else {
        panic!("{:?}", seen.notes)
    };
    for part in [
        "2 Sigstore bundles",
        "anchors/5.sigstore.json",
        "not verified",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_is_no_bundle_over_the_note_of_its_size_breaks_the_ledger() {
    let plain = signed();
    let good = |size| unverified_bundle(note(&plain, size));
    assert!(intact(&with(&plain, 5, good(5))));
    assert!(!intact(&with(&plain, 5, good(3))), "an older checkpoint's");
    assert!(!intact(&with(&plain, 3, good(5))), "a newer checkpoint's");
    assert!(!intact(&with(&plain, 4, good(5))), "there is no such note");
    assert!(!intact(&with(&plain, 6, good(5))), "the tail was cut off");
    for garbage in [b"".to_vec(), b"\x00\xff".to_vec(), b"null".to_vec()] {
        assert!(!intact(&with(&plain, 5, garbage)));
    }
    let mut large = good(5);
    large.resize(LARGEST + 1, b' ');
    assert!(!intact(&with(&plain, 5, large)));
    for name in [
        "anchors/05.sigstore.json",
        "anchors/5.sigstore.json.bak",
        "anchors/5.trusted_root.json",
        "trusted_root.json",
    ] {
        let mut files = plain.clone();
        files.0.insert(name.to_owned(), good(5));
        assert!(!intact(&files), "no file has the name {name}");
    }
}

#[test]
fn a_huge_bundle_is_not_read_whole() {
    use super::super::files::{Files as _, Folder};
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("huge")).unwrap();
    file.set_len(1 << 40).unwrap();
    let read = Folder::new(folder.path()).read_at_most("huge", LARGEST);
    assert_eq!(read.unwrap().unwrap().len(), LARGEST + 1);
}

#[test]
fn a_bundle_is_kept_once_beside_the_note_that_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let note = signed_note(&place).unwrap();
    let bundle = unverified_bundle(&note.text);
    assert!(keep_bundle(&place, &note, b"{}").is_err());
    assert!(keep_bundle(&place, &note, &unverified_bundle(b"another note")).is_err());
    let mut forged = note.clone();
    forged.text = b"another note".to_vec();
    assert!(keep_bundle(&place, &forged, &unverified_bundle(&forged.text)).is_err());
    // The ledger grows while somebody elsewhere signs.
    store.append(&leaves(3..5)).unwrap();
    let handed_in = SignedNote::parse(note.text.clone()).unwrap();
    keep_bundle(&place, &handed_in, &bundle).unwrap();
    keep_bundle(&place, &handed_in, &bundle).unwrap();
    let mut other = bundle.clone();
    other.push(b'\n');
    let replaced = keep_bundle(&place, &handed_in, &other).unwrap_err();
    assert!(replaced.to_string().contains("not replaced"), "{replaced}");
    assert_eq!(snapshot(folder.path())["anchors/3.sigstore.json"], bundle);
    let unsigned = String::from_utf8(note.text).unwrap();
    let unsigned = unsigned.split_once("\n\n").unwrap().0.to_owned() + "\n";
    assert!(SignedNote::parse(unsigned.into_bytes()).is_err());
    assert!(intact(&Memory(snapshot(folder.path()))));
}

#[test]
fn a_pack_holds_the_bundle_and_names_the_command_that_verifies_it() {
    let home = tempfile::tempdir().unwrap();
    let (folder, pack) = (home.path().join("ledger"), home.path().join("pack"));
    super::ledger(&folder, 3, Some(signer()));
    let place = Place::Folder(folder.clone());
    let note = signed_note(&place).unwrap();
    keep_bundle(&place, &note, &unverified_bundle(&note.text)).unwrap();
    export(&folder, &pack, &VerifyOptions::default()).unwrap();
    assert!(pack.join("ledger/anchors/3.sigstore.json").is_file());
    let read = |name: &str| std::fs::read_to_string(pack.join(name)).unwrap();
    let command = "cosign verify-blob --bundle ledger/anchors/3.sigstore.json --certificate-identity IDENTITY --certificate-oidc-issuer ISSUER ledger/anchors/3.note";
    assert!(read("README.md").contains(command), "{}", read("README.md"));
    assert!(!read("README.md").contains("nobody outside"));
    let expected = read("expected.txt");
    assert!(
        expected.contains("Sigstore bundles: 1 over their notes; NOT VERIFIED here"),
        "{expected}"
    );
}

#[cfg(not(feature = "sigstore"))]
#[test]
fn a_build_without_the_feature_trusts_nobody_and_says_so() {
    let refused =
        super::super::SigstoreTrust::new(&["somebody".to_owned()], "https://somewhere", None);
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("--features sigstore"), "{why}");
    let plain = signed();
    let files = with(&plain, 5, unverified_bundle(note(&plain, 5)));
    let seen = verify_files(&files, &VerifyOptions::default());
    assert!(
        seen.notes[0].contains("not verified by this build"),
        "{:?}",
        seen.notes
    );
}

#[cfg(feature = "sigstore")]
mod verified {
    use super::super::super::levels::{LedgerCopy, Level};
    use super::super::super::sigstore::testing::{IDENTITY, SIGNED_AT, Sigstore, Wanted, trusting};
    use super::super::super::verify::Verification;
    use super::super::super::{SigstoreTrust, TimePointers, TsaRoots};
    use super::*;

    fn look(files: &Memory, trust: &SigstoreTrust, more: VerifyOptions<'_>) -> Verification {
        let allowed = allowed(files);
        let options = VerifyOptions {
            allowed_signers: Some(&allowed),
            sigstore: Some(trust),
            ..more
        };
        verify_files(files, &options)
    }

    fn bundle(files: &Memory, size: u64) -> Vec<u8> {
        let bundle = Sigstore::new(0).bundle(note(files, size));
        bundle.to_string().into_bytes()
    }

    /// The verdict failed, there is no level, and the exit code says so.
    fn fails(files: &Memory, trust: &SigstoreTrust) -> String {
        let seen = look(files, trust, VerifyOptions::default());
        assert_eq!((seen.anchored.state, seen.exit_code()), (State::Failed, 5));
        assert_eq!(seen.levels.highest(), None);
        seen.anchored.problems.join("; ")
    }

    #[test]
    fn a_bundle_that_holds_is_a_time_stamp_and_with_a_copy_a_witness() {
        let trust = Sigstore::new(0).trust();
        let plain = signed();
        let files = with(&plain, 5, bundle(&plain, 5));
        let seen = look(&files, &trust, VerifyOptions::default());
        assert_eq!((seen.anchored.state, seen.exit_code()), (State::Ok, 0));
        for part in ["5 records are in a transparency log", SIGNED_AT, IDENTITY] {
            assert!(seen.anchored.says.contains(part), "{}", seen.anchored.says);
        }
        assert_eq!(seen.stamped.state, State::Ok);
        assert!(
            seen.stamped.says.contains(SIGNED_AT),
            "{}",
            seen.stamped.says
        );
        assert_eq!(seen.levels.highest(), Some((Level::L2, 5)));
        let home = tempfile::tempdir().unwrap();
        super::super::ledger(home.path(), 5, None);
        let copy = LedgerCopy::read(home.path(), None).unwrap();
        let copied = || VerifyOptions {
            copy: Some(&copy),
            ..VerifyOptions::default()
        };
        let seen = look(&files, &trust, copied());
        assert_eq!(seen.levels.highest(), Some((Level::L4, 5)));
        // A log does not stand in for an allowed signature.
        let options = VerifyOptions {
            sigstore: Some(&trust),
            ..copied()
        };
        let seen = verify_files(&files, &options);
        assert_eq!(seen.levels.highest(), Some((Level::L0, 5)));
    }

    #[test]
    fn a_bundle_over_an_older_checkpoint_reaches_no_further_than_that() {
        let trust = Sigstore::new(0).trust();
        let plain = signed();
        let files = with(&plain, 3, bundle(&plain, 3));
        let seen = look(&files, &trust, VerifyOptions::default());
        assert_eq!(seen.levels.highest(), Some((Level::L2, 3)));
        assert_eq!(seen.stamped.state, State::Unknown);
        assert!(seen.stamped.says.contains("the last 2 records"));
        // Of two the newer one counts, and a newer one that does not hold is not passed over.
        let both = with(&files, 5, bundle(&plain, 5));
        let seen = look(&both, &trust, VerifyOptions::default());
        assert_eq!(seen.levels.highest(), Some((Level::L2, 5)));
        let mallory = Sigstore::new(1).bundle(note(&plain, 5)).to_string();
        let why = fails(&with(&files, 5, mallory.into_bytes()), &trust);
        assert!(why.contains("anchors/5.sigstore.json"), "{why}");
    }

    #[test]
    fn a_bundle_that_does_not_hold_fails_the_verdict_and_takes_every_level() {
        let sigstore = Sigstore::new(0);
        let trust = sigstore.trust();
        let plain = signed();
        let own = Wanted {
            identity: "mallory@acme.test",
            ..Wanted::default()
        };
        let other_issuer = Wanted {
            issuer: "https://tokens.mallory.test",
            ..Wanted::default()
        };
        let no_time = Wanted {
            promise: false,
            ..Wanted::default()
        };
        for wanted in [own, other_issuer, no_time] {
            let made = sigstore.make(note(&plain, 5), &wanted).to_string();
            let why = fails(&with(&plain, 5, made.into_bytes()), &trust);
            assert!(why.contains("does not hold"), "{why}");
        }
        // Right as it is, but under the root that somebody else brought.
        let files = with(&plain, 5, bundle(&plain, 5));
        fails(&files, &Sigstore::new(1).trust());
        let public = trusting(None).unwrap();
        fails(&files, &public);
    }

    #[test]
    fn who_demands_a_bundle_is_not_content_with_none() {
        let trust = Sigstore::new(0).trust();
        let why = fails(&signed(), &trust);
        assert!(why.contains("no checkpoint is under"), "{why}");
        let empty = Memory(std::collections::BTreeMap::new());
        let options = VerifyOptions {
            sigstore: Some(&trust),
            ..VerifyOptions::default()
        };
        assert_eq!(verify_files(&empty, &options).anchored.state, State::Failed);
    }

    #[test]
    fn who_demands_time_stamps_of_an_authority_is_not_content_with_a_bundle() {
        let trust = Sigstore::new(0).trust();
        let plain = signed();
        let roots = TsaRoots::parse(include_bytes!("../../../tests/tokens/rsa.pem")).unwrap();
        let options = VerifyOptions {
            tsa_roots: Some(&roots),
            ..VerifyOptions::default()
        };
        let seen = look(&with(&plain, 5, bundle(&plain, 5)), &trust, options);
        assert_eq!((seen.stamped.state, seen.exit_code()), (State::Failed, 5));
        assert_eq!(seen.levels.highest(), None);
    }

    #[test]
    fn a_record_dated_later_than_a_bundle_over_it_is_told() {
        let sigstore = Sigstore::new(0);
        let trust = sigstore.trust();
        let plain = signed();
        let options = || VerifyOptions {
            times: Some(TimePointers {
                runner: "/predicate/observed_at",
                platform: "/predicate/platform_time",
            }),
            ..VerifyOptions::default()
        };
        // The records say that they are of 2026.
        let seen = look(&with(&plain, 5, bundle(&plain, 5)), &trust, options());
        assert_eq!((seen.times.state, seen.exit_code()), (State::Failed, 5));
        assert_eq!(seen.times.problems.len(), 5, "{:?}", seen.times);
        let seen = look(&with(&plain, 3, bundle(&plain, 3)), &trust, options());
        assert_eq!(seen.times.problems.len(), 3, "{:?}", seen.times);
        // And one that the verifier's clock has not reached counts for nothing.
        let seen = look(
            &with(&plain, 5, bundle(&plain, 5)),
            &trust,
            VerifyOptions {
                now: Some("2020-05-31T00:00:00Z".parse().unwrap()),
                ..VerifyOptions::default()
            },
        );
        assert_eq!(seen.anchored.state, State::Failed);
        assert!(seen.anchored.says.contains("still to come"));
    }

    #[test]
    fn a_history_written_anew_under_an_old_bundle_is_found() {
        let trust = Sigstore::new(0).trust();
        let before = signed();
        // Other records, the same size, signed with the same key.
        let folder = tempfile::tempdir().unwrap();
        let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
        store.append(&leaves(10..13)).unwrap();
        store.append(&leaves(13..15)).unwrap();
        let anew = Memory(snapshot(folder.path()));
        let files = with(&anew, 5, bundle(&before, 5));
        let seen = look(&files, &trust, VerifyOptions::default());
        assert_eq!((seen.integrity.state, seen.exit_code()), (State::Failed, 5));
        // With the note that was signed as well.
        let mut files = files;
        files
            .0
            .insert("anchors/5.note".to_owned(), note(&before, 5).to_vec());
        let seen = look(&files, &trust, VerifyOptions::default());
        assert_eq!((seen.integrity.state, seen.exit_code()), (State::Failed, 5));
        assert_eq!(seen.levels.highest(), None);
    }
}
