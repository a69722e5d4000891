//! Completeness and anchors: what can be proved, and what is said when it cannot.

use std::fs;

use serde_json::json;

use super::super::dir::DirStore;
use super::super::verify::{State, VerifyOptions, verify, verify_files};
use super::super::{AllowedSigners, BranchOf, Leaf, Place, Population, Store as _};
use super::{Memory, ORIGIN, leaf, leaves, ledger, signer, snapshot, statement};

#[test]
fn a_rolled_back_ledger_is_found_by_a_checkpoint_kept_elsewhere_and_only_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let old = Memory(snapshot(folder.path()));
    store.append(&leaves(3..5)).unwrap();
    let kept = store.checkpoint().unwrap().unwrap().text();
    let options = VerifyOptions {
        trusted: Some(&kept),
        ..VerifyOptions::default()
    };
    let seen = verify_files(&old, &options);
    assert_eq!(
        (seen.integrity.state, seen.anchored.state, seen.exit_code()),
        (State::Ok, State::Failed, 5)
    );
    assert!(seen.anchored.says.contains("rolled back"));
    let unanchored = verify_files(&old, &VerifyOptions::default());
    assert_eq!(unanchored.anchored.state, State::Unknown);
    assert!(unanchored.anchored.says.contains("could rewrite it"));
    // A later state extends an earlier checkpoint.
    let early = String::from_utf8(old.0["log/checkpoint"].clone()).unwrap();
    let seen = verify(
        folder.path(),
        &VerifyOptions {
            trusted: Some(&early),
            ..VerifyOptions::default()
        },
    );
    assert_eq!(
        (seen.anchored.state, seen.anchored_up_to, seen.exit_code()),
        (State::Unknown, 3, 0)
    );
}

#[test]
fn a_rewritten_history_of_the_same_size_is_found_by_a_checkpoint_kept_elsewhere() {
    let [one, other] = [0..3, 1..4].map(|range| {
        let folder = tempfile::tempdir().unwrap();
        DirStore::new(folder.path(), ORIGIN, None)
            .append(&leaves(range))
            .unwrap();
        folder
    });
    let kept = fs::read_to_string(one.path().join("log/checkpoint")).unwrap();
    let seen = verify(
        other.path(),
        &VerifyOptions {
            trusted: Some(&kept),
            ..VerifyOptions::default()
        },
    );
    assert!(
        seen.anchored.says.contains("rewritten"),
        "{:?}",
        seen.anchored
    );
    assert_eq!(seen.exit_code(), 5);
}

#[test]
fn a_tail_cut_off_under_its_anchors_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let mut cut = snapshot(folder.path());
    store.append(&leaves(3..5)).unwrap();
    cut.extend(
        snapshot(folder.path())
            .into_iter()
            .filter(|(path, _)| path.starts_with("anchors/")),
    );
    assert!(
        verify_files(&Memory(cut), &VerifyOptions::default())
            .integrity
            .says
            .contains("tail was cut off")
    );
}

#[test]
fn only_keys_from_outside_the_ledger_anchor_it() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 3, Some(signer()));
    let seen = verify(folder.path(), &VerifyOptions::default());
    assert_eq!(
        (
            seen.integrity.state,
            seen.anchored.state,
            seen.anchored_up_to
        ),
        (State::Ok, State::Unknown, 0)
    );
    let lines = fs::read_to_string(folder.path().join("keys/allowed_signers")).unwrap();
    let allowed = AllowedSigners::parse(&lines).unwrap();
    let options = VerifyOptions {
        allowed_signers: Some(&allowed),
        ..VerifyOptions::default()
    };
    let seen = verify(folder.path(), &options);
    assert_eq!(
        (seen.anchored.state, seen.anchored_up_to, seen.exit_code()),
        (State::Ok, 3, 0)
    );
    // Somebody without the key adds a record.
    DirStore::new(folder.path(), ORIGIN, None)
        .append(&[leaf(9)])
        .unwrap();
    let seen = verify(folder.path(), &options);
    assert_eq!(
        (seen.integrity.state, seen.anchored.state, seen.exit_code()),
        (State::Ok, State::Failed, 5)
    );
    // Nobody is allowed.
    let nobody = AllowedSigners::parse("").unwrap();
    let seen = verify(
        folder.path(),
        &VerifyOptions {
            allowed_signers: Some(&nobody),
            ..VerifyOptions::default()
        },
    );
    assert_eq!(seen.exit_code(), 5);
}

#[test]
fn completeness_compares_with_the_branch_or_says_that_it_did_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, None);
    let mut second = statement(1);
    second["predicate"]["decision"] = json!("block");
    store
        .append(&[leaf(0), leaf(1), Leaf::new(&second).unwrap()])
        .unwrap();
    let with = |members: &[String]| {
        let population = Population {
            members,
            predicate_type: Some("https://ccgate.dev/change-record/v1"),
            telling: None,
            branch: None,
        };
        verify(
            folder.path(),
            &VerifyOptions {
                population: Some(population),
                ..VerifyOptions::default()
            },
        )
    };
    assert_eq!(
        verify(folder.path(), &VerifyOptions::default())
            .completeness
            .state,
        State::Unknown
    );
    assert_eq!(with(&[]).exit_code(), 5);
    assert_eq!(with(&[format!("{:040x}", 0)]).completeness.state, State::Ok);
    assert!(
        with(&["change-1".into()])
            .completeness
            .says
            .contains("2 records")
    );
    assert!(
        with(&["change-8".into()])
            .completeness
            .says
            .contains("no record")
    );
    // What only looked at a commit, and does not tell of the move it came with, is no record of it.
    let members = [format!("{:040x}", 0)];
    let population = Population {
        members: &members,
        predicate_type: None,
        telling: Some("/predicate/branch_move"),
        branch: None,
    };
    let told = verify(
        folder.path(),
        &VerifyOptions {
            population: Some(population),
            ..VerifyOptions::default()
        },
    );
    assert_eq!(told.exit_code(), 5, "{told:?}");
}

/// A commit that came onto another branch in order can be brought onto this one past the gate.
#[test]
fn records_of_another_branch_account_for_no_change_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, None);
    let of = |number: u64, branch: &str| {
        let mut one = statement(number);
        one["predicate"]["subject"] = json!({"target": branch});
        Leaf::new(&one).unwrap()
    };
    let told = |branch: Option<&str>, numbers: &[u64]| {
        let members: Vec<String> = numbers.iter().map(|one| format!("{one:040x}")).collect();
        let population = Population {
            members: &members,
            predicate_type: None,
            telling: None,
            branch: Some(BranchOf {
                pointer: "/predicate/subject/target",
                name: branch,
            }),
        };
        let options = VerifyOptions {
            population: Some(population),
            ..VerifyOptions::default()
        };
        verify(folder.path(), &options).completeness
    };
    store.append(&[of(0, "main"), of(1, "main")]).unwrap();
    let alone = told(None, &[0, 1]);
    assert_eq!(alone.state, State::Ok, "{alone:?}");
    assert!(alone.says.ends_with("of `main`"), "{}", alone.says);
    store.append(&[of(2, "dev")]).unwrap();
    // All three have a record, and one of them on another branch.
    let mixed = told(None, &[0, 1, 2]);
    assert_eq!(mixed.state, State::Failed);
    assert!(mixed.says.contains("`dev`, `main`"), "{}", mixed.says);
    assert_eq!(told(Some("main"), &[0, 1, 2]).state, State::Failed);
    assert_eq!(told(Some("main"), &[0, 1]).state, State::Ok);
    // Who brings it onto this one in order leaves two records, one for each.
    store.append(&[of(2, "main")]).unwrap();
    assert_eq!(told(Some("main"), &[0, 1, 2]).state, State::Ok);
    assert_eq!(told(Some("dev"), &[2]).state, State::Ok);
}

#[test]
fn a_deleted_or_missing_ledger_does_not_verify() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        verify(folder.path(), &VerifyOptions::default()).exit_code(),
        5
    );
    assert_eq!(
        verify(&folder.path().join("nowhere"), &VerifyOptions::default()).exit_code(),
        5
    );
}

#[test]
fn a_ledger_of_another_repository_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 3, None);
    let error = DirStore::new(folder.path(), "ccgate/github/acme/other", None)
        .append(&[leaf(4)])
        .unwrap_err();
    assert!(error.to_string().contains("belongs to"));
}

#[test]
fn records_that_json_cannot_carry_are_refused() {
    for (number, why) in [
        (json!(1.5), "a fraction"),
        (json!(9_007_199_254_740_993_u64), "too large"),
    ] {
        let mut bad = statement(1);
        bad["predicate"]["n"] = number;
        assert!(Leaf::new(&bad).is_err(), "{why}");
    }
    assert!(Leaf::new(&json!({"decision": "allow"})).is_err());
}

#[test]
fn an_address_of_no_kind_says_which_there_are() {
    for url in ["gs://bucket/x", "ftp://secret@x", "dir:"] {
        let error = Place::parse(url, || Ok(String::new()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("dir:PATH") && !error.contains("secret"),
            "{error}"
        );
    }
}

#[cfg(not(feature = "postgres"))]
#[test]
fn a_build_without_databases_says_so_and_how_to_get_one() {
    let error = Place::parse("postgres://u:secret@h/d", || Ok(String::new()))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("this build") && error.contains("--features postgres"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}
