//! Branches that somebody tampered with, and what a verification and an append make of them.

use std::fs;
use std::path::Path;

use super::super::Store as _;
use super::super::remote::overlay::check_growth;
use super::super::torture::{leaf, leaves};
use super::super::verify::State;
use super::tests::Remote;
use super::*;

#[test]
fn a_branch_that_went_back_while_we_looked_is_not_built_on() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    let old = remote.tip();
    remote.store().append(&[leaf(1)]).unwrap();
    let mut store = remote.store();
    store.checkpoint().unwrap();
    remote.ask(&["update-ref", "refs/heads/ccgate/ledger", &old]);
    let error = format!("{:#}", store.checkpoint().unwrap_err());
    assert!(error.contains("it held 2 records a moment ago"), "{error}");
    assert!(store.append(&[leaf(2)]).is_err());
}

#[test]
fn a_force_push_to_an_older_or_another_history_shows_against_a_checkpoint_kept_elsewhere() {
    let remote = Remote::new();
    remote.store().append(&leaves(0..3)).unwrap();
    let old = remote.tip();
    remote.store().append(&leaves(3..5)).unwrap();
    let kept = remote.store().checkpoint().unwrap().unwrap().text();
    let trusted = || {
        let options = VerifyOptions {
            trusted: Some(&kept),
            ..VerifyOptions::default()
        };
        verify(&remote.place(), &options).unwrap()
    };
    assert_eq!(trusted().anchored.state, State::Ok);
    let check = |problem: &str| {
        let seen = trusted();
        assert_eq!((seen.anchored.state, seen.exit_code()), (State::Failed, 5));
        assert!(
            seen.anchored.says.contains(problem),
            "{}",
            seen.anchored.says
        );
    };
    remote.ask(&["update-ref", "refs/heads/ccgate/ledger", &old]);
    assert_eq!(
        remote.verify().integrity.state,
        State::Ok,
        "alone it looks fine"
    );
    check("rolled back");
    remote.ask(&["update-ref", "-d", "refs/heads/ccgate/ledger"]);
    assert_eq!(trusted().exit_code(), 5);
    remote.store().append(&leaves(7..14)).unwrap();
    assert_eq!(
        remote.verify().integrity.state,
        State::Ok,
        "alone it looks fine"
    );
    check("history was rewritten");
}

/// Tampers with a branch of three records, then asks what a verification says.
fn tampered(tamper: impl FnOnce(&Remote, &Path)) -> (Remote, String) {
    let remote = Remote::new();
    remote.store().append(&leaves(0..2)).unwrap();
    remote.store().append(&leaves(2..3)).unwrap();
    let work = remote.work_tree();
    tamper(&remote, &work);
    let said = match verify(&remote.place(), &VerifyOptions::default()) {
        Ok(seen) => {
            assert_eq!(
                (seen.integrity.state, seen.exit_code()),
                (State::Failed, 5),
                "{seen:?}"
            );
            seen.integrity.problems.join("; ")
        }
        Err(error) => format!("{error:#}"),
    };
    (remote, said)
}

#[test]
fn a_change_that_was_taken_back_still_shows_in_the_history() {
    let (remote, said) = tampered(|remote, work| {
        let copy = work.join(leaf(1).path);
        let good = fs::read(&copy).unwrap();
        fs::write(&copy, "somebody else's word").unwrap();
        remote.commit_and_push(work, &[]);
        fs::write(&copy, good).unwrap();
        remote.commit_and_push(work, &[]);
    });
    assert!(said.contains("changes: `records/"), "{said}");
    // The files are whole again, so the log goes on; the verdict stays.
    remote.store().append(&[leaf(3)]).unwrap();
    assert_eq!(remote.verify().integrity.state, State::Failed);
}

#[test]
fn commits_that_do_anything_but_add_records_are_named() {
    let (_, said) = tampered(|remote, work| {
        fs::write(work.join("README.md"), "hello").unwrap();
        remote.commit_and_push(work, &[]);
    });
    assert!(
        said.contains("adds a file that belongs into no ledger"),
        "{said}"
    );
    let (_, said) = tampered(|remote, work| {
        remote.commit_and_push(work, &[]);
    });
    assert!(said.contains("seals nothing"), "{said}");
    let (_, said) = tampered(|remote, work| {
        fs::remove_file(work.join(leaf(0).path)).unwrap();
        remote.commit_and_push(work, &[]);
    });
    assert!(said.contains("removes: `records/"), "{said}");
    let (_, said) = tampered(|remote, work| {
        remote.git(work, &["checkout", "--quiet", "--orphan", "side"]);
        remote.git(work, &["commit", "--quiet", "-m", "another beginning"]);
        remote.git(
            work,
            &[
                "merge",
                "--quiet",
                "--no-edit",
                "--allow-unrelated-histories",
                "ccgate/ledger",
            ],
        );
        remote.git(
            work,
            &["push", "--quiet", "origin", "HEAD:ccgate/ledger", "--force"],
        );
    });
    assert!(
        said.contains("somebody merged or joined histories"),
        "{said}"
    );
    for file in ["lock", "journal", "tmp/1"] {
        let (_, said) = tampered(|remote, work| {
            fs::create_dir_all(work.join("tmp")).unwrap();
            fs::write(work.join(file), "").unwrap();
            remote.commit_and_push(work, &[]);
        });
        assert!(
            said.contains("does not belong into a branch"),
            "{file}: {said}"
        );
    }
}

#[test]
fn an_earlier_commit_of_another_log_is_found_although_the_tip_is_whole() {
    let other = Remote::new();
    other.store().append(&leaves(10..11)).unwrap();
    let (_, said) = tampered(|remote, work| {
        // The commit of another log, then all the files of this one on top of it.
        let from = other.path().display().to_string();
        remote.git(work, &["fetch", "--quiet", &from, "ccgate/ledger"]);
        let tree = remote.git(work, &["rev-parse", "HEAD^{tree}"]);
        let first = remote.git(work, &["rev-parse", "FETCH_HEAD"]);
        let joined = remote.git(
            work,
            &["commit-tree", &tree, "-p", &first, "-m", "all is well"],
        );
        let change = format!("{joined}:ccgate/ledger");
        remote.git(work, &["push", "--quiet", "--force", "origin", &change]);
    });
    assert!(said.contains("the history was rewritten"), "{said}");
}

#[test]
fn a_link_in_the_branch_reaches_no_file_of_this_machine() {
    let victim = tempfile::tempdir().unwrap();
    let (remote, said) = tampered(|remote, work| {
        fs::remove_dir_all(work.join("records")).unwrap();
        std::os::unix::fs::symlink(victim.path(), work.join("records")).unwrap();
        remote.commit_and_push(work, &[]);
    });
    assert!(said.contains("no plain file"), "{said}");
    let error = format!("{:#}", remote.store().append(&[leaf(3)]).unwrap_err());
    assert!(error.contains("no plain file"), "{error}");
    assert_eq!(fs::read_dir(victim.path()).unwrap().count(), 0);
}

#[test]
fn a_branch_that_is_no_ledger_or_another_ones_is_left_alone() {
    let remote = Remote::new();
    let work = remote.home.path().join("work");
    let to = remote.path().display().to_string();
    remote.git(remote.home.path(), &["clone", "--quiet", &to, "work"]);
    fs::write(work.join("main.rs"), "fn main() {}").unwrap();
    remote.commit_and_push(&work, &[]);
    let tip = remote.tip();
    let error = format!("{:#}", remote.store().append(&[leaf(0)]).unwrap_err());
    assert!(error.contains("holds no ledger"), "{error}");
    assert_eq!(remote.tip(), tip);
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    let tip = remote.tip();
    let mut other = GitStore::new(&remote.place(), Some("ccgate/github/acme/other"), None);
    assert!(other.append(&[leaf(1)]).is_err());
    assert_eq!(remote.tip(), tip);
}

#[test]
fn an_append_refuses_to_build_on_a_damaged_branch() {
    let (remote, said) = tampered(|remote, work| {
        let bundle = work.join("log/tile/entries/000.p/3");
        let mut bytes = fs::read(&bundle).unwrap();
        bytes[40] ^= 1;
        fs::write(&bundle, bytes).unwrap();
        remote.commit_and_push(work, &[]);
    });
    assert!(said.contains("entry"), "{said}");
    let error = format!("{:#}", remote.store().append(&[leaf(3)]).unwrap_err());
    assert!(error.contains("does not fit its tile"), "{error}");
}

#[test]
fn an_append_that_would_do_more_than_add_is_no_commit() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    let mirror = Mirror::new(&remote.place()).unwrap();
    let files = mirror.fetch(Depth::Tip).unwrap().unwrap();
    let growth = |path: &str, bytes: Option<&str>| {
        let bytes = bytes.map(|bytes| bytes.as_bytes().to_vec());
        check_growth(&files, &[(path.to_owned(), bytes)].into()).is_ok()
    };
    assert!(growth("records/2026/12/rec_new.json", Some("x")));
    assert!(growth("log/checkpoint", Some("x")));
    assert!(growth("log/tile/0/000.p/1", None));
    assert!(!growth(&leaf(0).path, Some("x")));
    assert!(!growth(&leaf(0).path, None));
    assert!(!growth("FORMAT", Some("x")) && !growth("log/checkpoint", None));
    let mut mirror = mirror;
    for path in [
        "lock",
        "journal",
        "tmp/0",
        "records/../../x",
        "records/a\nM x",
        "/etc/x",
    ] {
        let changes = [(path.to_owned(), Some(Vec::new()))].into();
        assert!(mirror.commit(true, &changes, "x").is_err(), "{path}");
    }
}
