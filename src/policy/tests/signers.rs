//! Whose keys sign overrides: what is refused, and what a branch may not do.

use super::{given, loaded, notes, over, problem};
use crate::policy::Policy;

/// Keys of nobody: the same byte 32 times.
const ONE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ";

fn rules(more: &str) -> String {
    let more = more.replace("ONE", ONE).replace("OTHER", OTHER);
    format!(
        "version: 1\nextends: [soc2-baseline]\noverrides: {{allowed_by: [\"@li\", \"@me\"], {more}}}\n"
    )
}

fn held(own: &str, floor: &str) -> Policy {
    loaded(&over(&rules(own), &rules(floor)))
}

fn people(policy: &Policy) -> Vec<&str> {
    let signers = policy.overrides.signers.iter();
    signers.map(|one| one.person.as_str()).collect()
}

#[test]
fn keys_are_listed_by_person_and_nothing_is_asked_for_by_itself() {
    let text = rules("signers: {\"@li\": [ONE li at work], \"@me\": [OTHER]}");
    let policy = loaded(&given(&text));
    assert_eq!(people(&policy), ["@li", "@me"]);
    assert!(!policy.overrides.signed);
    let none = loaded(&given(&rules("max: 4h")));
    assert!(!none.overrides.signed && none.overrides.signers.is_empty());
}

#[test]
fn a_key_is_one_persons_and_a_person_is_no_team() {
    for (more, expected) in [
        (
            "signers: {\"@li\": [ONE], \"@me\": [ONE]}",
            "listed for `@li` already",
        ),
        (
            "signers: {\"@li\": [ONE], \"@me\": [ONE other comment]}",
            "listed for `@li` already",
        ),
        ("signers: {\"@li\": [ONE, ONE]}", "listed for `@li` already"),
        ("signers: {\"@acme/security\": [ONE]}", "is no person"),
        ("signers: {li: [ONE]}", "is no person"),
        ("signers: {\"@li\": []}", "has no key"),
        ("signers: {\"@li\": [ssh-rsa AAAA]}", "is no Ed25519 key"),
        (
            "signers: {\"@li\": [ssh-ed25519 AAAA]}",
            "is no Ed25519 key",
        ),
        ("signers: {\"@li\": [ONE OTHER]}", "is no Ed25519 key"),
        ("signers: {}", "names nobody"),
        ("signed: true", "no key is listed"),
        ("signed: true, published_keys: false", "no key is listed"),
        ("published_keys: sometimes", "published_keys"),
    ] {
        let one = problem(&rules(more));
        assert!(one.contains(expected), "{more}: {one}");
    }
}

#[test]
fn a_branch_adds_no_signer_and_does_not_drop_the_signatures() {
    let floor = "signed: true, signers: {\"@li\": [ONE]}";
    for (own, left) in [
        // It drops `signed`.
        ("signers: {\"@li\": [ONE]}", vec!["@li"]),
        ("max: 4h", vec![]),
        ("signed: false, signers: {\"@LI\": [ONE]}", vec!["@LI"]),
        // It adds a person, gives one another key, and takes a key for itself.
        (
            "signed: true, signers: {\"@li\": [ONE], \"@me\": [OTHER]}",
            vec!["@li"],
        ),
        ("signed: true, signers: {\"@li\": [OTHER]}", vec![]),
        (
            "signed: true, signers: {\"@li\": [ONE, OTHER]}",
            vec!["@li"],
        ),
        ("signed: true, signers: {\"@me\": [ONE]}", vec![]),
    ] {
        let policy = held(own, floor);
        assert!(policy.overrides.signed, "{own}");
        assert_eq!(people(&policy), left, "{own}");
        let notes = notes(&policy);
        assert_eq!(notes.len(), 1, "{own}: {notes:#?}");
        assert!(notes[0].contains("signe"), "{own}: {notes:#?}");
    }
    // Where the default branch lists nobody, nobody signs.
    let policy = held("signed: true, signers: {\"@me\": [ONE]}", "max: 4h");
    assert!(policy.overrides.signed);
    assert_eq!(people(&policy), Vec::<&str>::new());
    // Asking for more, or for signatures of fewer, is a branch's right.
    let both = "signers: {\"@li\": [ONE], \"@me\": [OTHER]}";
    let policy = held("signed: true, signers: {\"@li\": [ONE]}", both);
    assert_eq!(notes(&policy), Vec::<String>::new());
    assert!(policy.overrides.signed);
}

#[test]
fn published_keys_count_where_the_policy_says_so_and_no_branch_says_so_alone() {
    assert!(!loaded(&given(&rules("max: 4h"))).overrides.published_keys);
    let on = loaded(&given(&rules("signed: true, published_keys: true")));
    assert!(on.overrides.published_keys && on.overrides.signed);
    for (own, floor, counts, told) in [
        ("published_keys: true", "max: 4h", false, true),
        ("published_keys: true", "published_keys: true", true, false),
        ("max: 4h", "published_keys: true", false, false),
        // Who drops the keys that the floor lists for somebody does not put others in their place.
        (
            "published_keys: true, signers: {\"@me\": [OTHER]}",
            "published_keys: true, signers: {\"@li\": [ONE], \"@me\": [OTHER]}",
            false,
            true,
        ),
        (
            "published_keys: true, signers: {\"@LI\": [ONE]}",
            "published_keys: true, signers: {\"@li\": [ONE]}",
            true,
            false,
        ),
        (
            "published_keys: true, signers: {\"@li\": [OTHER]}",
            "published_keys: true, signers: {\"@li\": [ONE]}",
            false,
            true,
        ),
    ] {
        let policy = held(own, floor);
        assert_eq!(
            policy.overrides.published_keys, counts,
            "{own} over {floor}"
        );
        let notes = notes(&policy);
        let of_it = notes.iter().any(|note| note.contains("published_keys"));
        assert_eq!(of_it, told, "{own} over {floor}: {notes:#?}");
    }
}

#[test]
fn a_branch_names_no_environment_that_the_default_branch_does_not() {
    assert!(
        loaded(&given(&rules("max: 4h")))
            .overrides
            .environments
            .is_empty()
    );
    for (own, floor, left, told) in [
        ("environments: [a, b]", "environments: [a]", vec!["a"], true),
        ("environments: [a]", "max: 4h", vec![], true),
        ("environments: [A]", "environments: [a]", vec![], true),
        (
            "environments: [a]",
            "environments: [a, b]",
            vec!["a"],
            false,
        ),
        ("max: 4h", "environments: [a]", vec![], false),
    ] {
        let policy = held(own, floor);
        assert_eq!(policy.overrides.environments, left, "{own} over {floor}");
        let notes = notes(&policy);
        let of_it = notes.iter().any(|note| note.contains("environments"));
        assert_eq!(of_it, told, "{own} over {floor}: {notes:#?}");
    }
}
