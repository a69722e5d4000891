//! Receipts on bare repositories of this machine: losers of races are sealed by winners, and what
//! a stranger leaves is sealed by nobody.

use std::fs;

use super::super::Store as _;
use super::super::remote::receipts::{Receipt, Receipts};
use super::super::torture::{ORIGIN, leaf, leaves, signer};
use super::mirror::PENDING;
use super::tests::Remote;
use super::*;

/// Takes pushes of receipts, and of the ledger's branch only where the file `open` is there.
const CLOSED: &str = "[ \"$1\" != refs/heads/ccgate/ledger ] || [ -e open ] || exit 1";

fn signing(remote: &Remote) -> GitStore {
    let mut store = remote.store();
    store.signer = Some(signer());
    store
}

fn pending(remote: &Remote) -> Vec<String> {
    remote
        .ask(&["for-each-ref", "--format=%(refname)", PENDING])
        .lines()
        .map(str::to_owned)
        .collect()
}

fn closed() -> Remote {
    let remote = Remote::new();
    signing(&remote).append(&[leaf(0)]).unwrap();
    remote.hook("update", CLOSED);
    remote
}

/// Tries until its patience is over, and leaves a receipt.
fn give_up(remote: &Remote, number: u64) {
    let mut store = signing(remote);
    store.patience.refusals = 3;
    store.append(&[leaf(number)]).unwrap_err();
}

#[test]
fn what_lost_its_races_is_sealed_once_by_whoever_seals_next() {
    let remote = closed();
    give_up(&remote, 1);
    give_up(&remote, 2);
    let mut names = vec![
        format!("{PENDING}{}", leaf(1).id),
        format!("{PENDING}{}", leaf(2).id),
    ];
    names.sort();
    assert_eq!(pending(&remote), names);
    fs::write(remote.path().join("open"), "").unwrap();
    // One that meets nobody does not look for receipts; one that sealed them tells its own only.
    let mut store = signing(&remote);
    store.look_for_receipts().unwrap();
    let receipt = store.append(&[leaf(3)]).unwrap();
    assert_eq!(
        (receipt.indexes, receipt.size, receipt.duplicates),
        (vec![1], 4, vec![])
    );
    assert_eq!(receipt.leaf_digests.len(), 1);
    assert_eq!(pending(&remote), Vec::<String>::new());
    // Whoever was told that it is not known runs again, and finds it there.
    let again = signing(&remote).append(&[leaf(1)]).unwrap();
    assert_eq!((again.size, again.duplicates), (4, vec![leaf(1).id]));
    remote.holds(4);
}

#[test]
fn a_loser_whose_record_a_winner_sealed_is_told_its_number_and_no_duplicate() {
    let remote = closed();
    // As soon as the receipt is there, somebody else seals it.
    let mut winner = signing(&remote);
    winner.look_for_receipts().unwrap();
    let mut loser = signing(&remote);
    loser.patience.receipt_after = 1;
    let mut round = 0;
    let receipt = loser
        .append_after(&mut |_| {
            round += 1;
            if round == 2 {
                fs::write(remote.path().join("open"), "").unwrap();
                winner.append(&[leaf(2)]).unwrap();
                fs::remove_file(remote.path().join("open")).unwrap();
            }
            Ok(vec![leaf(1)])
        })
        .unwrap();
    assert_eq!(
        (receipt.indexes, receipt.size, receipt.duplicates),
        (vec![2], 3, vec![])
    );
    remote.holds(3);
}

#[test]
fn a_receipt_that_is_sealed_and_still_there_is_not_sealed_again_but_taken_away() {
    let remote = closed();
    give_up(&remote, 1);
    let kept = pending(&remote)[0].clone();
    remote.ask(&["update-ref", "refs/keep/receipt", &kept]);
    fs::write(remote.path().join("open"), "").unwrap();
    assert_eq!(signing(&remote).seal_waiting().unwrap(), 1);
    remote.ask(&["update-ref", &kept, "refs/keep/receipt"]);
    assert_eq!(signing(&remote).seal_waiting().unwrap(), 0);
    assert_eq!(pending(&remote), Vec::<String>::new());
    remote.holds(2);
}

#[test]
fn what_depends_on_the_ledger_is_left_to_nobody() {
    let remote = closed();
    let mut store = signing(&remote);
    store.patience.refusals = 4;
    store
        .append_after(&mut |sealed| {
            let size = sealed.size()?;
            Ok(vec![leaf(size)])
        })
        .unwrap_err();
    assert_eq!(pending(&remote), Vec::<String>::new());
    // Nor is anything without a key.
    let mut store = remote.store();
    store.patience.refusals = 4;
    store.append(&[leaf(1)]).unwrap_err();
    assert_eq!(pending(&remote), Vec::<String>::new());
    let error = remote.store().seal_waiting().unwrap_err();
    assert!(error.to_string().contains("CCGATE_LEDGER_KEY"), "{error:#}");
}

#[test]
fn what_a_stranger_leaves_is_sealed_by_nobody_and_keeps_nobody_from_sealing() {
    let remote = Remote::new();
    signing(&remote).append(&[leaf(0)]).unwrap();
    let key = signer();
    let ledger = remote.place().reference();
    let other = Receipts {
        signer: &key,
        origin: "ccgate/github/acme/other",
        ledger: &ledger,
    };
    let good = Receipts {
        signer: &key,
        origin: ORIGIN,
        ledger: &ledger,
    };
    let mut forged = good.make(&[leaf(5)]).unwrap().unwrap();
    forged.body = good.make(&[leaf(6)]).unwrap().unwrap().body;
    let elsewhere = Receipt {
        id: "anything".to_owned(),
        ..good.make(&[leaf(7)]).unwrap().unwrap()
    };
    let foreign = other.make(&[leaf(8)]).unwrap().unwrap();
    for receipt in [forged, elsewhere, foreign] {
        let mut mirror = Mirror::new(&remote.place()).unwrap();
        mirror.push_receipt(&receipt).unwrap();
    }
    // A branch with other files, and one with nothing that git would call a tree of ours.
    let work = remote.work_tree();
    remote.git(
        &work,
        &["push", "--quiet", "origin", "HEAD:ccgate/pending/branch"],
    );
    assert_eq!(pending(&remote).len(), 4);
    assert_eq!(signing(&remote).seal_waiting().unwrap(), 0);
    let mut store = signing(&remote);
    store.look_for_receipts().unwrap();
    store.append(&[leaf(1)]).unwrap();
    assert_eq!(pending(&remote).len(), 4, "not ours to take away");
    remote.holds(2);
    assert!(
        remote
            .verify()
            .notes
            .iter()
            .any(|note| note.contains("below `ccgate/pending/`: 4")),
    );
}

#[test]
fn many_writers_with_a_key_lose_nothing_and_double_nothing() {
    let remote = Remote::new();
    signing(&remote).append(&leaves(0..1)).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let remote = &remote;
            scope.spawn(move || {
                for number in 0..3 {
                    let mut store = signing(remote);
                    store.patience.receipt_after = 1;
                    store.append(&[leaf(1 + writer * 3 + number)]).unwrap();
                }
            });
        }
    });
    remote.holds(19);
    let mut last = signing(&remote);
    last.seal_waiting().unwrap();
    assert_eq!(pending(&remote), Vec::<String>::new());
    remote.holds(19);
}
