//! Tests of the translation beside this file: small answers written by hand, shaped as the platform's.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::people::Kinds;
use super::*;
use crate::facts::Account;

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
    Ok((serde_json::from_value(value).unwrap(), Vec::new()))
}

fn merge_request() -> serde_json::Value {
    json!({"iid": 7, "title": "t", "description": null, "state": "opened", "draft": false,
        "author": {"username": "paul"}, "source_branch": "f", "target_branch": "main",
        "sha": "f1", "source_project_id": 1, "target_project_id": 1, "labels": ["x"],
        "merge_commit_sha": null})
}

fn directory() -> Directory {
    Directory {
        by_email: BTreeMap::from([("paul@acme.example".to_owned(), Some(Account::human("paul")))]),
        refused: None,
        members: BTreeMap::new(),
        host: "gitlab.example".to_owned(),
        sources: Vec::new(),
        approvers: Kinds::default(),
    }
}

#[test]
fn a_reopened_merge_request_is_open_and_a_word_that_is_not_known_is_not() {
    let state = |word: &str| {
        let mut value = merge_request();
        value["state"] = json!(word);
        identity(&read(value)).known().unwrap().state.clone()
    };
    assert_eq!(state("opened"), ChangeState::Open);
    assert_eq!(state("reopened"), ChangeState::Other("reopened".to_owned()));
}

#[test]
fn a_merge_request_tells_who_and_what_it_is() {
    let fact = identity(&read(merge_request()));
    let identity = fact.known().unwrap();
    assert_eq!(identity.author, Some(Account::human("paul")));
    assert_eq!(identity.body, "");
    assert_eq!(identity.merge_commit, None);
    assert!(!identity.from_fork);
}

#[test]
fn a_merge_request_without_one_of_its_fields_is_unknown() {
    for field in [
        "iid",
        "title",
        "sha",
        "target_branch",
        "author",
        "state",
        "draft",
        "labels",
        "source_project_id",
    ] {
        let mut value = merge_request();
        value.as_object_mut().unwrap().remove(field);
        assert!(!identity(&read(value)).is_known(), "{field}");
    }
    // An author without a name is not an account that is gone.
    let mut value = merge_request();
    value["author"] = json!({"id": 5});
    assert!(!identity(&read(value)).is_known());
}

#[test]
fn a_fast_forward_merge_leaves_the_head_itself() {
    let mut value = merge_request();
    value["state"] = json!("merged");
    let fact = identity(&read(value));
    assert_eq!(fact.known().unwrap().merge_commit.as_deref(), Some("f1"));
}

#[test]
fn f20_commits_come_oldest_first_and_unresolved_people_are_unknown() {
    let commit = |id: &str, committer: &str| {
        json!({"id": id, "message": "m\n\nCo-authored-by: X <x@else.example>",
            "author_name": "Paul", "author_email": "paul@acme.example",
            "committer_name": "C", "committer_email": committer, "parent_ids": []})
    };
    let list = read(json!([
        commit("new", "paul@acme.example"),
        commit("old", "stranger@else.example")
    ]));
    let fact = commits(&list, &directory());
    let found = fact.known().unwrap();
    assert_eq!(found[0].sha, "old");
    assert!(!found[0].committer.account.is_known());
    assert!(found[1].committer.account.is_known());
    assert!(!found[0].co_authors[0].account.is_known());
}

#[test]
fn a_commit_without_an_address_makes_the_list_unknown() {
    let list = read(json!([{"id": "a", "message": "m", "parent_ids": []}]));
    assert!(!commits(&list, &directory()).is_known());
}

#[test]
fn versions_are_pushes_by_the_platforms_clock_oldest_first() {
    let versions = read(json!([
        {"head_commit_sha": "b", "created_at": "2026-05-30T10:00:00Z"},
        {"head_commit_sha": "a", "created_at": "2026-05-30T09:00:00Z"}
    ]));
    let notes = read(json!([{"system": true, "body": "added 2 commits",
        "created_at": "2026-05-30T10:00:01Z", "author": {"username": "rita"}}]));
    let fact = pushes(&versions, &notes);
    let found = fact.known().unwrap();
    assert_eq!(found[1].before.as_deref(), Some("a"));
    assert_eq!(found[1].actor.known(), Ok(&Some(Account::human("rita"))));
    assert!(!found[0].actor.is_known());
    assert!(!pushes(&read(json!([])), &notes).is_known());
}

#[test]
fn a_touched_comment_is_edited_and_one_without_the_field_is_unknown() {
    let note = |updated: serde_json::Value| {
        let mut note = json!({"id": 1, "body": "/ccgate", "system": false,
            "created_at": "2026-05-30T09:00:00Z", "author": {"username": "rita"}});
        if !updated.is_null() {
            note["updated_at"] = updated;
        }
        let fact = comments(&read(json!([note])));
        fact.known().unwrap()[0].edited.clone()
    };
    assert_eq!(note(json!("2026-05-30T09:00:00Z")).known(), Ok(&false));
    assert_eq!(note(json!("2026-05-30T09:00:01Z")).known(), Ok(&true));
    assert!(!note(serde_json::Value::Null).is_known());
}

#[test]
fn a_note_that_does_not_say_who_speaks_is_never_taken_for_a_comment() {
    let untold = read(json!([{"id": 1, "body": "/ccgate", "created_at": "2026-05-30T09:00:00Z"}]));
    assert!(!comments(&untold).is_known());
    let system = read(json!([{"id": 1, "body": "/ccgate", "system": true}]));
    assert_eq!(comments(&system).known(), Ok(&Vec::new()));
}
