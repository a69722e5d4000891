//! CHG-12: which signatures count.

use super::*;
use crate::controls::testing::{head, hidden, identity, nothing_seen, older, seen, verdict_of};
use crate::facts::{Account, Fact, TeamMembers};
use serde_json::json;

fn signed(sha: String, login: &str) -> CommitSignature {
    CommitSignature {
        sha,
        state: SignatureState::Verified,
        signer: seen(Some(Account::human(login))),
        by_platform: seen(false),
    }
}

fn with(newest: CommitSignature) -> Snapshot {
    let mut facts = nothing_seen();
    facts.identity = seen(identity("ana"));
    facts.signatures = seen(vec![signed(older(), "ana"), newest]);
    facts
}

fn default(facts: &Snapshot) -> String {
    verdict_of(&CommitsSigned::default(), facts)
}

#[test]
fn verified_signatures_of_accounts_pass() {
    assert_eq!(default(&with(signed(head(), "ana"))), "pass");
}

#[test]
fn one_commit_without_a_verified_signature_fails() {
    for state in [
        SignatureState::Unsigned,
        SignatureState::Unverified("unknown_key".to_owned()),
    ] {
        let bad = CommitSignature {
            state,
            ..signed(head(), "ana")
        };
        assert_eq!(default(&with(bad)), "fail");
    }
    let nobodys = CommitSignature {
        signer: seen(None),
        ..signed(head(), "ana")
    };
    assert_eq!(default(&with(nobodys)), "fail");
}

#[test]
fn the_platforms_own_signature_proves_no_author_unless_the_policy_says_so() {
    let by_platform = || CommitSignature {
        by_platform: seen(true),
        ..signed(head(), "ana")
    };
    assert_eq!(default(&with(by_platform())), "fail");
    let lax: CommitsSigned = serde_json::from_value(json!({"allow_platform": true})).unwrap();
    assert_eq!(verdict_of(&lax, &with(by_platform())), "pass");
    assert!(lax.weaker_than(&CommitsSigned::default()).is_some());
}

#[test]
fn only_named_signers_count_where_some_are_named() {
    let named: CommitsSigned =
        serde_json::from_value(json!({"signers": ["@ana", "@acme/developers"]})).unwrap();
    assert_eq!(named.teams(), ["@acme/developers"]);
    let of = |members: Fact<Vec<String>>, login: &str| {
        let mut facts = with(signed(head(), login));
        facts.teams = seen(vec![TeamMembers {
            team: "@acme/developers".to_owned(),
            members,
        }]);
        verdict_of(&named, &facts)
    };
    assert_eq!(of(seen(vec!["bob".to_owned()]), "bob"), "pass");
    assert_eq!(of(seen(Vec::new()), "bob"), "fail");
    assert_eq!(of(hidden(), "bob"), "unknown");
    assert_eq!(of(hidden(), "ana"), "pass");
    assert!(CommitsSigned::default().weaker_than(&named).is_some());
}

#[test]
fn what_is_hidden_is_unknown_unless_another_commit_is_wrong() {
    let unseen = || CommitSignature {
        by_platform: hidden(),
        ..signed(head(), "ana")
    };
    assert_eq!(default(&with(unseen())), "unknown");
    let mut facts = with(unseen());
    facts.signatures = seen(vec![
        CommitSignature {
            state: SignatureState::Unsigned,
            ..signed(older(), "ana")
        },
        unseen(),
    ]);
    assert_eq!(default(&facts), "fail");
    facts.signatures = hidden();
    assert_eq!(default(&facts), "unknown");
}

#[test]
fn a_list_that_does_not_reach_the_head_is_unknown() {
    let mut facts = with(signed(older(), "ana"));
    assert_eq!(default(&facts), "unknown");
    facts.signatures = seen(Vec::new());
    assert_eq!(default(&facts), "unknown");
}
