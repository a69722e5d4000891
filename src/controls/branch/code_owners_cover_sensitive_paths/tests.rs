//! BR-09: which line decides about a path, and who stands in it.

use super::*;
use serde_json::json;

use crate::controls::branch::testing::{owners, owners_file};
use crate::controls::testing::{hidden, seen, settings, verdict_of};
use crate::facts::{OwnerStatus, OwnersDialect, OwnersFile};

const LINES: &str = "/.github/ @acme/sec\n/CODEOWNERS @acme/sec\n/.ccgate.yml @acme/sec\n";

fn control(parameters: serde_json::Value) -> CodeOwnersCoverSensitivePaths {
    serde_json::from_value(parameters).unwrap()
}

fn facts(file: Option<OwnersFile>, status: Vec<OwnerStatus>, paths: Option<&[&str]>) -> Snapshot {
    settings(|all| {
        all.code_owners = seen(CodeOwners {
            file,
            owners: status,
        });
        all.paths = paths.map_or_else(hidden, |paths| {
            seen(paths.iter().map(|&path| path.to_owned()).collect())
        });
    })
}

fn verdict(lines: &str, paths: Option<&[&str]>) -> String {
    let file = owners_file(lines, OwnersDialect::Github);
    let facts = facts(Some(file), owners(&["@acme/sec"]), paths);
    verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts)
}

const PATHS: &[&str] = &[
    ".github/workflows/ci.yml",
    ".ccgate.yml",
    "CODEOWNERS",
    "a.rs",
];

#[test]
fn owned_sensitive_paths_pass() {
    assert_eq!(verdict(LINES, Some(PATHS)), "pass");
}

#[test]
fn a_sensitive_path_without_an_owner_fails() {
    assert_eq!(verdict("/CODEOWNERS @acme/sec", Some(PATHS)), "fail");
}

#[test]
fn a_file_that_does_not_own_itself_fails_even_where_paths_are_hidden() {
    assert_eq!(verdict("/.github/ @acme/sec", None), "fail");
}

#[test]
fn a_later_line_can_take_the_owner_away() {
    let lines = format!("{LINES}/.github/workflows/ci.yml\n");
    assert_eq!(verdict(&lines, Some(PATHS)), "fail");
}

#[test]
fn a_file_that_could_be_added_needs_an_owner_too() {
    let lines = LINES.replace("/.github/ ", "/.github/workflows/ci.yml ");
    assert_eq!(verdict(&lines, Some(PATHS)), "fail");
}

#[test]
fn an_optional_section_owns_nothing() {
    let lines = format!("^[Advice]\n{LINES}");
    let file = owners_file(&lines, OwnersDialect::Gitlab);
    let facts = facts(Some(file), owners(&["@acme/sec"]), Some(PATHS));
    assert_eq!(
        verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts),
        "fail"
    );
}

#[test]
fn an_owner_who_is_gone_or_cannot_write_fails_and_a_hidden_one_is_unknown() {
    let with = |exists, can_write| {
        let status = OwnerStatus {
            exists,
            can_write,
            ..owners(&["@Acme/Sec"]).remove(0)
        };
        let file = owners_file(LINES, OwnersDialect::Github);
        let facts = facts(Some(file), vec![status], Some(PATHS));
        verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts)
    };
    assert_eq!(with(seen(true), seen(true)), "pass");
    assert_eq!(with(seen(false), hidden()), "fail");
    assert_eq!(with(hidden(), seen(false)), "fail");
    assert_eq!(with(seen(true), hidden()), "unknown");
}

#[test]
fn what_is_hidden_leaves_it_unknown() {
    assert_eq!(verdict(LINES, None), "unknown");
    let file = owners_file(LINES, OwnersDialect::Github);
    let nobody = facts(Some(file), Vec::new(), Some(PATHS));
    assert_eq!(
        verdict_of(&CodeOwnersCoverSensitivePaths::default(), &nobody),
        "unknown"
    );
}

#[test]
fn no_file_fails() {
    let facts = facts(None, Vec::new(), None);
    assert_eq!(
        verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts),
        "fail"
    );
}

#[test]
fn every_path_needs_an_owner_where_the_policy_says_so() {
    let all = control(json!({"require_all_owned": true}));
    let judged = |lines: &str| {
        let file = owners_file(lines, OwnersDialect::Github);
        let facts = facts(Some(file), owners(&["@acme/sec"]), Some(PATHS));
        verdict_of(&all, &facts)
    };
    assert_eq!(judged(LINES), "fail");
    assert_eq!(judged("* @acme/sec"), "pass");
    assert!(
        CodeOwnersCoverSensitivePaths::default()
            .weaker_than(&all)
            .is_some()
    );
    let fewer = control(json!({"sensitive": [".ccgate.yml"]}));
    assert!(
        fewer
            .weaker_than(&CodeOwnersCoverSensitivePaths::default())
            .is_some()
    );
}
