//! SCAN-07: which licences may be used.

use serde_json::{Value, json};

use super::super::testing::{handed_in, nothing_usable, report, reports, run};
use super::*;
use crate::controls::testing::{older, verdict_of};
use crate::facts::{ScanKind, ScanRun};

fn control(parameters: Value) -> LicencesAllowed {
    serde_json::from_value(parameters).unwrap()
}

fn list(unlicensed: u64, licences: &[&str]) -> ScanRun {
    ScanRun {
        measured: Some(Measured::Components {
            total: 9,
            unlicensed,
            licences: licences.iter().map(|&name| (name.to_owned(), 1)).collect(),
        }),
        ..run(ScanKind::Sbom, vec![])
    }
}

fn verdict_with(parameters: Value, licences: &[&str]) -> String {
    verdict_of(&control(parameters), &handed_in(vec![list(0, licences)]))
}

fn verdict(licences: &[&str]) -> String {
    verdict_with(json!({}), licences)
}

#[test]
fn allowed_licences_pass_and_others_fail() {
    assert_eq!(verdict(&["MIT", "Apache-2.0 OR MIT", "mit"]), "pass");
    assert_eq!(verdict(&[]), "pass");
    assert_eq!(verdict(&["MIT", "AGPL-3.0-only"]), "fail findings");
    assert_eq!(verdict(&["MIT AND GPL-3.0-only"]), "fail findings");
    assert_eq!(verdict(&["MIT OR GPL-3.0-only"]), "pass");
    assert_eq!(verdict(&["(MIT OR GPL-3.0-only) AND ISC"]), "pass");
}

/// The cheat: a licence that nobody can read.
#[test]
fn what_cannot_be_read_is_unknown_and_a_list_may_name_it_whole() {
    for name in ["Apache License, Version 2.0", "MIT/Apache-2.0", "see file"] {
        assert_eq!(verdict(&[name]), "unknown", "{name}");
        assert_eq!(verdict_with(json!({"allowed": [name]}), &[name]), "pass");
        assert_eq!(
            verdict_with(json!({"denied": [name]}), &[name]),
            "fail findings"
        );
    }
    // One that is refused settles it.
    assert_eq!(verdict(&["see file", "AGPL-3.0-only"]), "fail findings");
    // A reference is nobody's id.
    assert_eq!(verdict(&["LicenseRef-own"]), "fail findings");
    let any = || json!({"allowed": [], "denied": ["AGPL-3.0-only"]});
    assert_eq!(verdict_with(any(), &["LicenseRef-own"]), "unknown");
    assert_eq!(verdict_with(any(), &["NOASSERTION"]), "unknown");
    assert_eq!(verdict_with(any(), &["GPL-3.0-only"]), "pass");
    assert_eq!(
        verdict_with(any(), &["MIT AND AGPL-3.0-only"]),
        "fail findings"
    );
}

#[test]
fn later_versions_and_exceptions_count_with_their_licence() {
    let gpl = || json!({"denied": ["GPL-2.0-only"]});
    assert_eq!(verdict_with(gpl(), &["GPL-2.0-only+"]), "fail findings");
    assert_eq!(verdict(&["Apache-2.0+"]), "pass");
    assert_eq!(verdict(&["Apache-2.0 WITH LLVM-exception"]), "pass");
    // The cheat: a clause that takes away is added like an exception.
    assert_eq!(verdict(&["Apache-2.0 WITH Commons-Clause"]), "unknown");
    let classpath = "GPL-2.0-only WITH Classpath-exception-2.0";
    assert_eq!(verdict(&[classpath]), "fail findings");
    let both = json!({"allowed": [classpath], "denied": ["GPL-2.0-only"]});
    assert_eq!(
        verdict_with(both.clone(), &[&format!("({classpath})")]),
        "pass"
    );
    assert_eq!(verdict_with(both, &["GPL-2.0-only"]), "fail findings");
    let denied = json!({"allowed": ["GPL-2.0-only"], "denied": [classpath]});
    assert_eq!(verdict_with(denied, &[classpath]), "fail findings");
}

/// The cheat: leaving the licence out.
#[test]
fn components_without_a_licence_are_unknown_beyond_their_limit() {
    let facts = handed_in(vec![list(2, &["MIT"])]);
    assert_eq!(verdict_of(&control(json!({})), &facts), "unknown");
    let two = control(json!({"max_unlicensed": 2}));
    assert_eq!(verdict_of(&two, &facts), "pass");
    let refused = handed_in(vec![list(2, &["AGPL-3.0-only"])]);
    assert_eq!(verdict_of(&control(json!({})), &refused), "fail findings");
}

/// The cheat: a clean list beside the true one.
#[test]
fn every_list_counts() {
    let all = reports(vec![
        report("sha256:aa", Ok(vec![list(0, &["MIT"])])),
        report("sha256:bb", Ok(vec![list(0, &["AGPL-3.0-only"])])),
    ]);
    assert_eq!(verdict_of(&control(json!({})), &all), "fail findings");
    let broken = ScanFailure::Unparsable("at byte 7".to_owned());
    let beside = reports(vec![
        report("sha256:aa", Ok(vec![list(0, &["MIT"])])),
        report("", Err(broken)),
    ]);
    assert_eq!(verdict_of(&control(json!({})), &beside), "unknown");
}

#[test]
fn without_a_list_of_this_commit_it_is_unknown() {
    for facts in nothing_usable() {
        assert_eq!(verdict_of(&control(json!({})), &facts), "unknown");
    }
    let other = handed_in(vec![run(ScanKind::Sast, vec![])]);
    assert_eq!(verdict_of(&control(json!({})), &other), "unknown");
    let stale = ScanRun {
        revision: Some(older()),
        ..list(0, &["MIT"])
    };
    let stale = handed_in(vec![stale]);
    assert_eq!(verdict_of(&control(json!({})), &stale), "unknown");
}

#[test]
fn allowing_more_or_denying_less_is_weaker() {
    let base = json!({"allowed": ["MIT"], "denied": ["X"], "max_unlicensed": 1});
    for weaker in [
        json!({"allowed": ["MIT", "Y"], "denied": ["X"], "max_unlicensed": 1}),
        json!({"allowed": [], "denied": ["X"], "max_unlicensed": 1}),
        json!({"allowed": ["MIT"], "denied": [], "max_unlicensed": 1}),
        json!({"allowed": ["MIT"], "denied": ["X"], "max_unlicensed": 2}),
    ] {
        let own = control(weaker.clone());
        assert!(
            own.weaker_than(&control(base.clone())).is_some(),
            "{weaker}"
        );
    }
    let any = json!({"allowed": [], "denied": ["X"], "max_unlicensed": 1});
    let odd = json!({"allowed": ["MIT", "see file"], "denied": ["X"], "max_unlicensed": 1});
    assert!(control(odd).weaker_than(&control(any.clone())).is_some());
    assert_eq!(
        control(base.clone()).weaker_than(&control(any.clone())),
        None
    );
    assert_eq!(control(any.clone()).weaker_than(&control(any)), None);
    assert_eq!(control(base.clone()).weaker_than(&control(base)), None);
}
