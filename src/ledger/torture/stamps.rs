//! Time-stamps, copies and levels: what they show, and that nothing raises them by mistake.

use std::path::Path;

use super::super::dir::DirStore;
use super::super::export::export;
use super::super::keep::{SignedNote, keep_token, signed_note};
use super::super::levels::{LedgerCopy, Level};
use super::super::timestamp::{Token, TsaRoots};
use super::super::verify::{State, Verification, VerifyOptions, verify, verify_files};
use super::super::{AllowedSigners, Place, StampRequest, Store as _};
use super::{Memory, ORIGIN, intact, leaf, leaves, signer, snapshot};

const ROOT: &[u8] = include_bytes!("../../../tests/tokens/rsa.pem");
const OTHER_ROOT: &[u8] = include_bytes!("../../../tests/tokens/ec.pem");
const ANSWER: &[u8] = include_bytes!("../../../tests/tokens/rsa.tsr");
const FRACTION: &[u8] = include_bytes!("../../../tests/tokens/fraction.tsr");
const FUTURE: &[u8] = include_bytes!("../../../tests/tokens/far-future.tsr");
const OTHER_NOTE: &[u8] = include_bytes!("../../../tests/tokens/other-note.tsr");
const NEXT_YEARS: &str = "2031-01-01T00:00:00Z";

/// What would be kept of an answer; the first five bytes of its content say that it was granted.
fn kept(answer: &[u8]) -> Vec<u8> {
    assert_eq!(answer[4..9], [0x30, 0x03, 0x02, 0x01, 0x00]);
    answer.to_vec()
}

/// Three records, signed; in `verify`'s eyes the token is what counts.
fn stamped(token: Option<&[u8]>) -> Memory {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let mut files = snapshot(folder.path());
    files.extend(token.map(|token| ("anchors/3.tsr".to_owned(), token.to_vec())));
    Memory(files)
}

fn allowed(files: &Memory) -> AllowedSigners {
    let lines = String::from_utf8(files.0["keys/allowed_signers"].clone()).unwrap();
    AllowedSigners::parse(&lines).unwrap()
}

fn look(files: &Memory, root: Option<&[u8]>, now: &str) -> Verification {
    let roots = root.map(|root| TsaRoots::parse(root).unwrap());
    verify_files(
        files,
        &VerifyOptions {
            allowed_signers: Some(&allowed(files)),
            tsa_roots: roots.as_ref(),
            now: Some(now.parse().unwrap()),
            ..VerifyOptions::default()
        },
    )
}

#[test]
fn a_token_says_by_when_the_records_were_there_and_counts_long_after() {
    let files = stamped(Some(&kept(ANSWER)));
    let seen = look(&files, Some(ROOT), "2190-01-01T00:00:00Z");
    assert_eq!(seen.stamped.state, State::Ok, "{seen:?}");
    assert!(
        seen.stamped
            .says
            .contains("anchored in time up to 3 of 3 at 2026-11-29T"),
        "{}",
        seen.stamped.says
    );
    assert_eq!(seen.levels.highest(), Some((Level::L2, 3)));
    assert_eq!(seen.exit_code(), 0);
}

#[test]
fn a_token_without_its_root_counts_for_nothing_and_breaks_nothing() {
    let files = stamped(Some(&kept(ANSWER)));
    let seen = look(&files, None, NEXT_YEARS);
    assert_eq!(
        (seen.stamped.state, seen.exit_code()),
        (State::Unknown, 0),
        "{seen:?}"
    );
    assert_eq!(seen.levels.highest(), Some((Level::L1, 3)));
    // Who hands in roots wants a time-stamp by one of them.
    let seen = look(&files, Some(OTHER_ROOT), NEXT_YEARS);
    assert_eq!((seen.stamped.state, seen.exit_code()), (State::Failed, 5));
    assert_eq!(seen.levels.highest(), None);
    let seen = look(&stamped(None), Some(ROOT), NEXT_YEARS);
    assert_eq!((seen.stamped.state, seen.exit_code()), (State::Failed, 5));
}

#[test]
fn a_token_that_does_not_fit_its_note_breaks_the_ledger() {
    let plain = stamped(None);
    let intact_with = |path: &str, token: &[u8]| {
        let mut files = plain.clone();
        files.0.insert(path.to_owned(), token.to_vec());
        intact(&files)
    };
    let good = kept(ANSWER);
    assert!(intact_with("anchors/3.tsr", &good));
    assert!(!intact_with("anchors/3.tsr", &kept(OTHER_NOTE)));
    assert!(!intact_with("anchors/3.tsr", b""));
    assert!(
        !intact_with("anchors/2.tsr", &good),
        "there is no such note"
    );
    assert!(!intact_with("anchors/4.tsr", &good), "the tail was cut off");
    assert!(
        !intact_with("anchors/03.tsr", &good),
        "no file has that name"
    );
    for length in 0..good.len() {
        assert!(!intact_with("anchors/3.tsr", &good[..length]));
    }
    // Its note was taken away, or is another one.
    let mut files = stamped(Some(&good));
    files.0.remove("anchors/3.note");
    assert!(!intact(&files));
}

#[test]
fn a_token_from_a_time_that_is_still_to_come_is_told_and_counts_for_nothing() {
    let files = stamped(Some(&kept(FUTURE)));
    let seen = look(&files, Some(ROOT), NEXT_YEARS);
    assert_eq!((seen.stamped.state, seen.exit_code()), (State::Failed, 5));
    assert!(seen.stamped.says.contains("still to come"));
    assert_eq!(seen.levels.highest(), None);
}

#[test]
fn a_signature_that_nobody_allowed_is_not_made_good_by_a_time_stamp() {
    let files = stamped(Some(&kept(ANSWER)));
    let roots = TsaRoots::parse(ROOT).unwrap();
    let seen = verify_files(
        &files,
        &VerifyOptions {
            tsa_roots: Some(&roots),
            ..VerifyOptions::default()
        },
    );
    assert_eq!(seen.stamped.state, State::Ok);
    assert_eq!(seen.levels.highest(), Some((Level::L0, 3)));
}

#[test]
fn records_behind_the_newest_time_stamp_are_said_to_be_under_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let note = signed_note(&place).unwrap();
    store.append(&[leaf(3)]).unwrap();
    keep_token(&place, &note, &kept(ANSWER)).unwrap();
    let seen = look(&Memory(snapshot(folder.path())), Some(ROOT), NEXT_YEARS);
    assert_eq!(seen.stamped.state, State::Unknown);
    assert!(seen.stamped.says.contains("the last 1 records"));
    assert_eq!(
        (seen.levels.highest(), seen.exit_code()),
        (Some((Level::L2, 3)), 0)
    );
}

#[test]
fn a_token_is_kept_once_and_only_over_its_note() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    DirStore::new(folder.path(), ORIGIN, None)
        .append(&[leaf(9)])
        .unwrap();
    let unsigned = signed_note(&place).unwrap_err().to_string();
    assert!(unsigned.contains("CCGATE_LEDGER_KEY"), "{unsigned}");
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Folder(folder.path().to_owned());
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let note = signed_note(&place).unwrap();
    assert_eq!((note.size, note.token.is_none()), (3, true));
    assert!(keep_token(&place, &note, &kept(OTHER_NOTE)).is_err());
    let forged = SignedNote {
        size: 2,
        ..note.clone()
    };
    assert!(keep_token(&place, &forged, &kept(ANSWER)).is_err());
    keep_token(&place, &note, &kept(ANSWER)).unwrap();
    keep_token(&place, &note, &kept(ANSWER)).unwrap();
    let replaced = keep_token(&place, &note, &kept(FRACTION)).unwrap_err();
    assert!(replaced.to_string().contains("not replaced"), "{replaced}");
    assert_eq!(signed_note(&place).unwrap().token, Some(kept(ANSWER)));
    // Whether what is there holds is asked again before it is taken for done.
    let time_of = |root: &[u8], token: &[u8]| {
        TsaRoots::parse(root)
            .unwrap()
            .time_of(token, &note.text)
            .is_ok()
    };
    assert!(time_of(ROOT, &kept(ANSWER)));
    assert!(!time_of(OTHER_ROOT, &kept(ANSWER)));
    assert!(!time_of(ROOT, &kept(OTHER_NOTE)));
    // Appending goes on, and leaves it where it is.
    store.append(&[leaf(3)]).unwrap();
    assert!(intact(&Memory(snapshot(folder.path()))));
    assert!(folder.path().join("anchors/3.tsr").exists());
}

#[test]
fn a_recorded_answer_does_not_fit_a_fresh_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let note = signed_note(&Place::Folder(folder.path().to_owned())).unwrap();
    let roots = TsaRoots::parse(ROOT).unwrap();
    // Any other request than the one that was answered.
    let request = StampRequest::new(&note.text).unwrap();
    let time = Token::parse(&kept(ANSWER)).unwrap().time();
    assert!(request.accept(ANSWER, &roots, time).is_err());
}

fn with_copy(ledger: &Path, copy: &Path) -> anyhow::Result<Verification> {
    let copy = LedgerCopy::read(copy, Some(ledger))?;
    Ok(verify(
        ledger,
        &VerifyOptions {
            copy: Some(&copy),
            ..VerifyOptions::default()
        },
    ))
}

#[test]
fn a_copy_under_other_hands_shows_what_was_cut_off_or_rewritten() {
    let home = tempfile::tempdir().unwrap();
    let [ledger, copy, pack] = ["ledger", "copy", "pack"].map(|name| home.path().join(name));
    let append = |folder: &Path, range| {
        DirStore::new(folder, ORIGIN, None)
            .append(&leaves(range))
            .unwrap();
    };
    append(&ledger, 0..3);
    append(&copy, 0..3);
    export(&copy, &pack, &VerifyOptions::default()).unwrap();
    append(&ledger, 3..5);
    for copy in [&copy, &pack] {
        let seen = with_copy(&ledger, copy).unwrap();
        assert_eq!(seen.anchored_up_to, 3, "{seen:?}");
        // Nobody signed, so it stays at the lowest level.
        assert_eq!(seen.levels.highest(), Some((Level::L0, 5)));
    }
    // The ledger lost what the copy has.
    append(&copy, 3..6);
    let seen = with_copy(&ledger, &copy).unwrap();
    assert_eq!((seen.anchored.state, seen.exit_code()), (State::Failed, 5));
    assert!(seen.anchored.says.contains("cut off"));
    // The ledger was written anew.
    let other = home.path().join("other");
    append(&other, 1..6);
    let seen = with_copy(&other, &pack).unwrap();
    assert!(seen.anchored.says.contains("rewritten"), "{seen:?}");
    assert_eq!(seen.levels.highest(), None);
    // A copy that does not hold, that is the ledger itself, or that is none shows nothing.
    std::fs::write(copy.join("records/stranger.json"), "{}").unwrap();
    for wrong in [&copy, &ledger, &home.path().join("nowhere")] {
        assert!(with_copy(&ledger, wrong).is_err(), "{}", wrong.display());
    }
}

#[test]
fn all_levels_are_reached_only_with_all_of_their_evidence() {
    let home = tempfile::tempdir().unwrap();
    let [ledger, other] = ["ledger", "copy"].map(|name| home.path().join(name));
    for folder in [&ledger, &other] {
        DirStore::new(folder, ORIGIN, Some(signer()))
            .append(&leaves(0..3))
            .unwrap();
    }
    std::fs::write(ledger.join("anchors/3.tsr"), kept(ANSWER)).unwrap();
    let files = Memory(snapshot(&ledger));
    let allowed = allowed(&files);
    let roots = TsaRoots::parse(ROOT).unwrap();
    let copy = LedgerCopy::read(&other, Some(&ledger)).unwrap();
    let mailed = String::from_utf8(files.0["log/checkpoint"].clone()).unwrap();
    let all = VerifyOptions {
        allowed_signers: Some(&allowed),
        tsa_roots: Some(&roots),
        copy: Some(&copy),
        trusted: Some(&mailed),
        now: Some(NEXT_YEARS.parse().unwrap()),
        ..VerifyOptions::default()
    };
    let highest = |options: &VerifyOptions<'_>| {
        let seen = verify_files(&files, options);
        assert_eq!(seen.exit_code(), 0, "{seen:?}");
        seen.levels.highest().map(|(level, _)| level)
    };
    assert_eq!(highest(&all), Some(Level::L4));
    let without = |change: fn(&mut VerifyOptions<'_>)| {
        let mut options = all;
        change(&mut options);
        highest(&options)
    };
    assert_eq!(without(|options| options.trusted = None), Some(Level::L3));
    assert_eq!(without(|options| options.copy = None), Some(Level::L2));
    assert_eq!(without(|options| options.tsa_roots = None), Some(Level::L1));
    assert_eq!(
        without(|options| options.allowed_signers = None),
        Some(Level::L0)
    );
    let mut broken = files.clone();
    broken.0.insert("stranger".to_owned(), Vec::new());
    assert_eq!(verify_files(&broken, &all).levels.highest(), None);
}
