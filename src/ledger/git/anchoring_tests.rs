//! Time-stamps beside a ledger in git: kept once, in a commit that only adds.

use std::sync::Arc;

use super::super::keep::{Anchor, SignedNote};
use super::super::torture::{leaf, leaves, signer, unverified_bundle};
use super::super::verify::State;
use super::super::{Store as _, TsaRoots};
use super::testing::Server;
use super::tests::Remote;
use super::*;

const ROOT: &[u8] = include_bytes!("../../../tests/tokens/rsa.pem");
const TOKEN: &[u8] = include_bytes!("../../../tests/tokens/rsa.tsr");
const OTHER: &[u8] = include_bytes!("../../../tests/tokens/fraction.tsr");

/// A branch with three records, signed, and their note.
fn signed(remote: &Remote) -> SignedNote {
    let mut store = remote.store();
    store.signer = Some(signer());
    store.append(&leaves(0..3)).unwrap();
    remote.store().signed_note().unwrap()
}

#[test]
fn a_token_is_added_to_the_branch_once_and_verifies_there() {
    let remote = Remote::new();
    let note = signed(&remote);
    assert_eq!((note.size, &note.token), (3, &None));
    // Records that came between leave the note where it is.
    let mut store = remote.store();
    store.signer = Some(signer());
    store.append(&[leaf(3)]).unwrap();
    remote.store().keep(&note, Anchor::Token(TOKEN)).unwrap();
    let tip = remote.tip();
    remote.store().keep(&note, Anchor::Token(TOKEN)).unwrap();
    assert_eq!(remote.tip(), tip, "to repeat it stores nothing");
    assert!(remote.store().keep(&note, Anchor::Token(OTHER)).is_err());
    let roots = TsaRoots::parse(ROOT).unwrap();
    let options = VerifyOptions {
        tsa_roots: Some(&roots),
        now: Some("2031-01-01T00:00:00Z".parse().unwrap()),
        ..VerifyOptions::default()
    };
    let seen = verify(&remote.place(), &options).unwrap();
    assert_eq!(seen.integrity.state, State::Ok, "{seen:?}");
    assert!(seen.stamped.says.contains("the last 1 records"), "{seen:?}");
    store.append(&[leaf(4)]).unwrap();
    remote.holds(5);
}

#[test]
fn a_bundle_is_added_to_the_branch_once_and_belongs_there() {
    let remote = Remote::new();
    let note = signed(&remote);
    let bundle = unverified_bundle(&note.text);
    let keep = |bundle: &[u8]| remote.store().keep(&note, Anchor::Bundle(bundle));
    keep(&bundle).unwrap();
    let tip = remote.tip();
    keep(&bundle).unwrap();
    assert_eq!(remote.tip(), tip, "to repeat it stores nothing");
    let mut other = bundle.clone();
    other.push(b'\n');
    keep(&other).unwrap_err();
    let seen = verify(&remote.place(), &VerifyOptions::default()).unwrap();
    assert_eq!(seen.integrity.state, State::Ok, "{seen:?}");
    assert!(
        seen.notes
            .iter()
            .any(|note| note.contains("Sigstore bundle")),
        "{:?}",
        seen.notes
    );
    let mut store = remote.store();
    store.signer = Some(signer());
    store.append(&[leaf(3)]).unwrap();
    remote.holds(4);
}

#[test]
fn a_server_that_refuses_a_token_is_asked_again_and_one_that_never_takes_it_is_an_error() {
    let remote = Remote::new();
    let note = signed(&remote);
    let mut store = remote.store();
    store.patience.refusals = 3;
    remote.hook("update", "exit 1");
    let error = store
        .keep(&note, Anchor::Token(TOKEN))
        .unwrap_err()
        .to_string();
    assert!(error.contains("in 3 tries"), "{error}");
    remote.hook("update", "[ -e seen ] && exit 0; touch seen; exit 1");
    store.keep(&note, Anchor::Token(TOKEN)).unwrap();
    assert_eq!(
        remote.store().signed_note().unwrap().token.as_deref(),
        Some(TOKEN)
    );
}

#[test]
fn a_token_is_kept_in_a_commit_that_the_server_made_and_a_refusal_is_told_once() {
    let remote = Arc::new(Remote::new());
    let note = signed(&remote);
    let denying = Server::new(&remote, |_, _, _| Published::Denied("no right".to_owned()));
    let error = denying
        .store()
        .keep(&note, Anchor::Token(TOKEN))
        .unwrap_err();
    assert!(error.to_string().contains("no right"), "{error}");
    assert_eq!(denying.asked(), 1);
    let server = Server::new(&remote, |number, server, commit| {
        let made = server.make(commit);
        match number {
            1 => Published::Unclear("the answer was lost".to_owned()),
            _ => made,
        }
    });
    let mut store = server.store();
    store.patience.refusals = 2;
    store.keep(&note, Anchor::Token(TOKEN)).unwrap();
    store.keep(&note, Anchor::Token(TOKEN)).unwrap();
    assert_eq!(server.asked(), 1);
    let kept = remote.store().signed_note().unwrap().token;
    assert_eq!(kept.as_deref(), Some(TOKEN));
    remote.holds(3);
}

#[test]
fn no_ledger_and_an_unsigned_one_are_not_stamped() {
    let remote = Remote::new();
    assert!(remote.store().signed_note().is_err());
    remote.store().append(&leaves(0..3)).unwrap();
    let error = remote.store().signed_note().unwrap_err().to_string();
    assert!(error.contains("CCGATE_LEDGER_KEY"), "{error}");
}
