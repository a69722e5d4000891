//! Which file counts, and what is known of those whom it names.

use serde_json::{Value, json};

use super::super::super::graph::testing::{answer, refused};
use super::*;

fn blob(text: &str) -> Value {
    json!({"mode": 33188, "object": {"__typename": "Blob", "byteSize": text.len(), "text": text, "isTruncated": false, "isBinary": false}})
}

fn body(in_github: &Value, in_root: &Value, errors: &Value) -> Value {
    json!({"data": {"repository": {
        "ref": {"target": {"__typename": "Commit", "oid": "aa", "inGithub": in_github, "inRoot": in_root, "inDocs": null}},
        "codeowners": {"errors": errors}}}})
}

#[expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]
fn list(items: &Value) -> Result<Listing, NoAnswer> {
    Ok(Listing {
        items: items.as_array().unwrap().clone(),
        sources: Vec::new(),
        endpoint: "GET /x".to_owned(),
    })
}

fn told(body: &Value) -> Fact<CodeOwners> {
    let collaborators = list(&json!([
        {"login": "Ana", "permissions": {"push": true}},
        {"login": "eve", "permissions": {"push": false}},
        {"login": "odd"}]));
    let teams = list(&json!([
        {"slug": "ops", "privacy": "closed", "permissions": {"push": true}},
        {"slug": "spies", "privacy": "secret", "permissions": {"push": true}}]));
    let people = People {
        collaborators: Some(&collaborators),
        teams: Some(&teams),
    };
    code_owners(&answer(body), &people, "acme")
}

#[test]
fn the_first_place_that_has_a_file_counts() {
    let both = told(&body(&blob("* @ana\n"), &blob("* @eve\n"), &json!([])));
    let file = both.known().unwrap().file.clone().unwrap();
    assert_eq!(file.path, ".github/CODEOWNERS");
    assert_eq!(file.size, 7);
    assert_eq!(file.platform_errors.known(), Ok(&vec![]));
    let root = told(&body(&Value::Null, &blob("* @eve\n"), &json!([])));
    let root = root.known().unwrap().file.clone().unwrap();
    assert_eq!(root.path, "CODEOWNERS");
    let folder = json!({"mode": 16384, "object": {"__typename": "Tree"}});
    let root = told(&body(&folder, &blob("* @eve\n"), &json!([])));
    assert!(root.known().unwrap().file.is_some());
}

#[test]
fn a_tip_without_a_file_is_known_to_have_none() {
    let fact = told(&body(&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(fact.known().unwrap().file, None);
    assert!(fact.known().unwrap().owners.is_empty());
}

#[test]
fn a_file_that_is_hidden_linked_or_not_whole_is_unknown_and_not_absent() {
    let mut left_out = body(&Value::Null, &Value::Null, &json!([]));
    let target = &mut left_out["data"]["repository"]["ref"]["target"];
    target.as_object_mut().unwrap().remove("inRoot");
    let mut forbidden = body(&Value::Null, &blob("* @ana\n"), &json!([]));
    forbidden["errors"] = json!([{"type": "FORBIDDEN", "message": "no", "path": ["repository", "ref", "target", "inGithub"]}]);
    let mut linked = blob("other");
    linked["mode"] = json!(40960);
    let mut cut = blob("* @ana\n");
    cut["object"]["isTruncated"] = json!(true);
    let mut binary = blob("* @ana\n");
    binary["object"]["isBinary"] = json!(true);
    let no_ref = json!({"data": {"repository": {"ref": null}}});
    let of = |entry: &Value| body(entry, &Value::Null, &json!([]));
    for body in [
        left_out,
        forbidden,
        of(&linked),
        of(&cut),
        of(&binary),
        of(&json!({})),
        no_ref,
    ] {
        assert!(!told(&body).is_known(), "{body}");
    }
}

#[test]
fn what_the_platform_finds_wrong_is_told_by_line() {
    let errors = json!([{"line": 3, "kind": "Unknown owner", "path": ".github/CODEOWNERS"}]);
    let platform_errors = |errors: &Value| {
        let fact = told(&body(&blob("* @ana\n"), &Value::Null, errors));
        let file = fact.known().unwrap().file.clone().unwrap();
        file.platform_errors
    };
    assert_eq!(
        platform_errors(&errors).known().unwrap(),
        &["line 3: Unknown owner"]
    );
    assert!(!platform_errors(&Value::Null).is_known());
    assert!(!platform_errors(&json!([{"line": 3}])).is_known());
}

fn owners(text: &str) -> Vec<(String, Option<bool>, Option<bool>)> {
    let fact = told(&body(&blob(text), &Value::Null, &json!([])));
    let owners = &fact.known().unwrap().owners;
    let plain = |fact: &Fact<bool>| fact.known().ok().copied();
    owners
        .iter()
        .map(|owner| {
            (
                owner.name.clone(),
                plain(&owner.exists),
                plain(&owner.can_write),
            )
        })
        .collect()
}

#[test]
fn people_and_teams_are_looked_up_in_the_lists() {
    let found = owners("* @ana @eve @odd @nobody @acme/OPS @acme/spies @acme/none @other/ops\n");
    let of = |name: &str| {
        let owner = found.iter().find(|owner| owner.0 == name).unwrap();
        (owner.1, owner.2)
    };
    assert_eq!(of("@ana"), (Some(true), Some(true)));
    assert_eq!(of("@eve"), (Some(true), Some(false)));
    assert_eq!(of("@odd"), (Some(true), None));
    assert_eq!(of("@nobody"), (None, Some(false)));
    assert_eq!(of("@acme/OPS"), (Some(true), Some(true)));
    assert_eq!(of("@acme/spies"), (Some(true), Some(false)));
    assert_eq!(of("@acme/none"), (None, Some(false)));
    assert_eq!(of("@other/ops"), (None, Some(false)));
}

#[test]
fn whose_an_address_is_cannot_be_told() {
    assert_eq!(
        owners("* ana@acme.example\n"),
        [("ana@acme.example".to_owned(), None, None)]
    );
}

#[test]
fn lists_that_are_refused_leave_owners_unknown() {
    let (code, message) = (
        403,
        "Must have push access to view repository collaborators.",
    );
    let Err(refusal) = refused(code, message) else {
        panic!("a refusal was built")
    };
    let hidden = Err(refusal);
    for teams in [None, Some(&hidden)] {
        let people = People {
            collaborators: Some(&hidden),
            teams,
        };
        for name in ["@ana", "@acme/ops"] {
            let status = status(name, &people, "acme");
            let why = status.can_write.known().unwrap_err();
            assert_eq!(why.why, Why::NotPermitted, "{name}");
            assert!(!status.exists.is_known());
        }
    }
}
