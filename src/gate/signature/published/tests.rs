//! Each way in which a key that the platform publishes could be made to count that should not.

use super::super::tests::{
    approved_by, approves, armour, asked_by, asks, block, key, listed, rules, with,
};
use super::*;
use crate::facts::{AccountKind, AccountRef, Fact, PublishedKeys, Why};
use crate::gate::testing::{at, comment, decision, record_context};
use crate::gate::{KeySource, OVERRIDE_RECORD_TYPE, Outcome, OverrideState, records};

/// Numbers of @lead and of somebody else.
const LEAD: u64 = 5;
const OTHER: u64 = 6;
const LONG_AGO: &str = "2026-05-01T08:00:00Z";

fn known<T>(value: T) -> Fact<T> {
    Fact::known_without_source(value)
}

fn unseen<T>() -> Fact<T> {
    Fact::Unknown(Unknown::new(PUBLISHED_KEYS, Why::NotPermitted, "hidden"))
}

fn line(number: u8) -> String {
    let line = key(number).public_key().to_openssh().unwrap();
    format!("{} at home", line.trim_end())
}

fn published_key(number: u8) -> PublishedKey {
    PublishedKey {
        line: line(number),
        created_at: known(at(LONG_AGO)),
        expires_at: known(None),
        signs: known(true),
    }
}

fn of(login: &str, id: u64, keys: Vec<PublishedKey>) -> PublishedKeys {
    PublishedKeys {
        account: AccountRef {
            login: login.to_owned(),
            id: Some(id),
        },
        keys: known(keys),
    }
}

/// The policy lists nobody and lets published keys count.
fn lets_published_count() -> Policy {
    let mut policy = rules();
    policy.overrides.signers.clear();
    policy.overrides.published_keys = true;
    policy
}

fn numbered(mut comment: Comment, id: u64) -> Comment {
    let author = comment.author.take().unwrap();
    comment.author = Some(author.numbered(Some(id)));
    comment
}

/// @lead asks, and signs with key 1.
fn request() -> Comment {
    numbered(asked_by("lead", &block(&armour(1, &asks()))), LEAD)
}

/// The request, and key 1 published for @lead for a month.
fn facts() -> Snapshot {
    let mut facts = with(vec![request()]);
    facts.published_keys = known(vec![of("lead", LEAD, vec![published_key(1)])]);
    facts
}

fn refused(policy: &Policy, facts: &Snapshot, expected: &str) {
    for signed in [true, false] {
        let mut policy_of_both = lets_published_count();
        policy_of_both.overrides = policy.overrides.clone();
        policy_of_both.overrides.signed = signed;
        let decision = decision(&policy_of_both, facts);
        let report = &decision.overrides[0];
        assert_eq!(report.state, OverrideState::Refused, "{expected}");
        assert!(report.why.contains(expected), "{expected}: {}", report.why);
        assert_eq!(report.signature, None);
        assert_eq!(decision.outcome, Outcome::Block);
    }
}

#[test]
fn a_key_that_was_published_before_counts_and_its_record_verifies_without_the_platform() {
    let given = decision(&lets_published_count(), &facts());
    let report = &given.overrides[0];
    assert_eq!(report.state, OverrideState::Accepted, "{}", report.why);
    assert_eq!(given.outcome, Outcome::Allow);
    let signed = report.signature.as_ref().unwrap();
    let expected = Published {
        line: key(1)
            .public_key()
            .to_openssh()
            .unwrap()
            .trim_end()
            .to_owned(),
        since: at(LONG_AGO),
    };
    assert_eq!(signed.source, KeySource::Platform(expected.clone()));
    let records = records(&given, &record_context());
    let record = records
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .unwrap();
    let kept = &record["predicate"]["signatures"][0];
    assert_eq!(kept["key_source"], "platform");
    assert_eq!(kept["public_key"], expected.line);
    assert_eq!(kept["published_at"], LONG_AGO);
    assert_eq!(kept["login_id"], LEAD);
    // What the record keeps is enough to verify with.
    let key = ssh_key::PublicKey::from_openssh(kept["public_key"].as_str().unwrap()).unwrap();
    let made = sshsig::verify(
        "ccgate-override",
        kept["signature"].as_str().unwrap().as_bytes(),
        kept["statement"].as_str().unwrap().as_bytes(),
    );
    assert_eq!(made.unwrap().key_data(), key.key_data());
}

#[test]
fn an_approval_is_held_to_the_same() {
    let approval = |number| {
        let below = block(&armour(number, &approves()));
        numbered(approved_by("sec", &below), 7)
    };
    for (published, outcome) in [(2, Outcome::Allow), (3, Outcome::Block)] {
        let mut facts = with(vec![asked_by("tom", ""), approval(2)]);
        assert_eq!(
            published_keys_wanted(&lets_published_count(), &facts).len(),
            1
        );
        facts.published_keys = known(vec![of("sec", 7, vec![published_key(published)])]);
        let decision = decision(&lets_published_count(), &facts);
        assert_eq!(decision.outcome, outcome, "{:?}", decision.approvals);
        let signed = decision.approvals[0].signature.is_some();
        assert_eq!(signed, outcome == Outcome::Allow);
    }
}

#[test]
fn what_was_not_seen_of_published_keys_refuses_the_comment() {
    let policy = lets_published_count();
    let told = "cannot be told whether the platform publishes it";
    let mut facts = facts();
    facts.published_keys = Fact::Unknown(Unknown::not_collected(PUBLISHED_KEYS));
    refused(&policy, &facts, told);
    facts.published_keys = known(Vec::new());
    refused(&policy, &facts, told);
    let mut hidden = of("lead", LEAD, Vec::new());
    hidden.keys = unseen();
    facts.published_keys = known(vec![hidden]);
    refused(&policy, &facts, told);
    // One account, told twice.
    let own = of("lead", LEAD, vec![published_key(1)]);
    facts.published_keys = known(vec![own.clone(), own]);
    refused(&policy, &facts, told);
    for hide in [
        (|key| key.created_at = unseen()) as fn(&mut PublishedKey),
        |key| key.expires_at = unseen(),
        |key| key.signs = unseen(),
    ] {
        let mut key = published_key(1);
        hide(&mut key);
        facts.published_keys = known(vec![of("lead", LEAD, vec![key])]);
        refused(&policy, &facts, "does not count");
    }
}

#[test]
fn a_key_of_another_account_never_counts_whatever_it_is_called() {
    let policy = lets_published_count();
    let mut facts = facts();
    // Somebody took the name @lead over, and published the key.
    facts.published_keys = known(vec![of("lead", OTHER, vec![published_key(1)])]);
    refused(&policy, &facts, "cannot be told");
    facts.published_keys = known(vec![
        of("lead", LEAD, vec![published_key(3)]),
        of("1ead", OTHER, vec![published_key(1)]),
    ]);
    refused(&policy, &facts, "published for @1ead");
    facts.published_keys = known(vec![
        of("lead", LEAD, vec![published_key(1)]),
        of("eve", OTHER, vec![published_key(1)]),
    ]);
    refused(&policy, &facts, "published for @eve too");
    facts.published_keys = known(vec![of("lead", LEAD, vec![published_key(3)])]);
    refused(&policy, &facts, "nor among the signing keys");
    // Without its number nobody knows whose keys were asked for.
    let mut facts = with(vec![asked_by("lead", &block(&armour(1, &asks())))]);
    let mut own = of("lead", LEAD, vec![published_key(1)]);
    own.account.id = None;
    facts.published_keys = known(vec![own]);
    refused(&policy, &facts, "the account's number");
}

#[test]
fn a_key_that_came_later_or_is_over_or_is_for_logging_in_does_not_count() {
    let policy = lets_published_count();
    let keys = |change: fn(&mut PublishedKey)| {
        let mut key = published_key(1);
        change(&mut key);
        let mut facts = facts();
        facts.published_keys = known(vec![of("lead", LEAD, vec![key])]);
        facts
    };
    for late in [
        // Signed at 10:59:00, written at 11:00.
        (|key| key.created_at = known(at("2026-06-01T10:59:00Z"))) as fn(&mut PublishedKey),
        |key| key.created_at = known(at("2026-06-01T10:59:30Z")),
        |key| key.created_at = known(at("2026-06-01T11:30:00Z")),
    ] {
        refused(&policy, &keys(late), "has to be there before");
    }
    let over = keys(|key| key.expires_at = known(Some(at("2026-06-01T12:00:00Z"))));
    refused(&policy, &over, "it expired at");
    let not_yet = keys(|key| key.expires_at = known(Some(at("2026-06-01T12:00:01Z"))));
    assert_eq!(decision(&policy, &not_yet).outcome, Outcome::Allow);
    refused(
        &policy,
        &keys(|key| key.signs = known(false)),
        "for logging in",
    );
    // A second entry of the same key does not make up for the first.
    let mut twice = facts();
    let mut late = published_key(1);
    late.created_at = known(at("2026-06-01T11:30:00Z"));
    for keys in [
        vec![published_key(1), late.clone()],
        vec![late, published_key(1)],
    ] {
        twice.published_keys = known(vec![of("lead", LEAD, keys)]);
        refused(&policy, &twice, "has to be there before");
    }
}

/// A statement that is dated to after a key was published, under an earlier comment.
#[test]
fn a_statement_is_no_younger_than_the_comment_that_carries_it() {
    let mut early = request();
    early.created_at = at("2026-06-01T10:55:00Z");
    let mut facts = with(vec![early]);
    let mut key = published_key(1);
    key.created_at = known(at("2026-06-01T10:57:00Z"));
    facts.published_keys = known(vec![of("lead", LEAD, vec![key])]);
    refused(&lets_published_count(), &facts, "has to be there before");
}

#[test]
fn the_policy_wins_over_the_platform() {
    let mut policy = lets_published_count();
    policy.overrides.signers = vec![listed("@Lead", 3)];
    refused(&policy, &facts(), "no other counts");
    policy.overrides.signers = vec![listed("@sec", 1)];
    refused(&policy, &facts(), "signed with the key of @sec");
    // Of a key that the policy lists nothing is asked, and it counts as before.
    policy.overrides.signers = vec![listed("@lead", 1)];
    let mut facts = facts();
    facts.published_keys = Fact::Unknown(Unknown::not_collected(PUBLISHED_KEYS));
    let given = decision(&policy, &facts);
    assert_eq!(given.outcome, Outcome::Allow);
    let signed = given.overrides[0].signature.as_ref().unwrap();
    assert_eq!(signed.source, KeySource::Policy);
    policy.overrides.signers.clear();
    policy.overrides.published_keys = false;
    refused(&policy, &self::facts(), "is not among `overrides.signers`");
}

/// The cheat: rename the account for which the policy lists keys, and publish another one.
#[test]
fn who_is_in_a_team_and_may_be_somebody_with_listed_keys_signs_with_no_published_one() {
    let mut policy = lets_published_count();
    policy.overrides.allowed_by = vec!["@acme/security".to_owned()];
    let in_team = |logins: &[&str]| {
        let mut facts = facts();
        let Fact::Known { value, .. } = &mut facts.override_people else {
            panic!("they are known");
        };
        value.members[0].1 = known(logins.iter().map(|&login| login.to_owned()).collect());
        facts
    };
    let outcome = |policy: &Policy, facts: &Snapshot| decision(policy, facts).outcome;
    assert_eq!(outcome(&policy, &in_team(&["lead"])), Outcome::Allow);
    policy.overrides.signers = vec![listed("@ana", 3)];
    refused(&policy, &in_team(&["lead"]), "may be called otherwise now");
    // Whoever is seen beside them is somebody else, as is whom the policy names.
    assert_eq!(outcome(&policy, &in_team(&["lead", "Ana"])), Outcome::Allow);
    policy.overrides.allowed_by.push("@lead".to_owned());
    assert_eq!(outcome(&policy, &in_team(&["lead"])), Outcome::Allow);
}

#[test]
fn keys_are_asked_for_only_where_the_policy_lets_them_count_and_one_might() {
    let asked = |change: fn(&mut Policy, &mut Vec<Comment>)| {
        let (mut policy, mut comments) = (lets_published_count(), vec![request()]);
        change(&mut policy, &mut comments);
        let wanted = published_keys_wanted(&policy, &with(comments));
        let logins = wanted.into_iter().map(|one| one.login);
        logins.collect::<Vec<_>>()
    };
    let nobody = Vec::<String>::new();
    assert_eq!(asked(|_, _| {}), ["lead"]);
    assert_eq!(
        asked(|policy, _| policy.overrides.published_keys = false),
        nobody
    );
    assert_eq!(
        asked(|policy, _| policy.overrides.signers = vec![listed("@lead", 1)]),
        nobody
    );
    assert_eq!(
        asked(|policy, _| policy.overrides.signers = vec![listed("@lead", 3)]),
        nobody,
        "for whom the policy lists keys the platform is not asked"
    );
    for quiet in [
        (|comments| comments[0] = numbered(asked_by("lead", ""), LEAD)) as fn(&mut Vec<Comment>),
        |comments| comments[0].body = "/ccgate revoke TST-01".to_owned(),
        |comments| comments[0].author = None,
        |comments| comments[0] = asked_by("lead", &block(&armour(1, &asks()))),
        |comments| comments[0].body = comments[0].body.replace("BEGIN", "BEG"),
        |comments| {
            let author = comments[0].author.as_mut().unwrap();
            author.kind = AccountKind::Bot;
        },
        // Who may not override approves nothing.
        |comments| {
            let below = block(&armour(1, &approves()));
            comments[0] = numbered(approved_by("eve", &below), OTHER);
        },
    ] {
        let policy = lets_published_count();
        let mut comments = vec![request()];
        quiet(&mut comments);
        assert_eq!(published_keys_wanted(&policy, &with(comments)), Vec::new());
    }
}

/// Anybody may ask on a public change, and nobody keeps those who may override from being asked about.
#[test]
fn a_flood_of_signed_requests_asks_about_twenty_accounts_and_about_the_entitled_first() {
    let below = block(&armour(1, &asks()));
    let mut comments: Vec<Comment> = (100..150)
        .map(|id| {
            let body = asked_by("eve", &below).body;
            let login = format!("eve{id}");
            numbered(comment("900", &login, "2026-06-01T10:30:00Z", &body), id)
        })
        .collect();
    comments.extend([request(), request()]);
    let wanted = published_keys_wanted(&lets_published_count(), &with(comments));
    assert_eq!(wanted.len(), MOST_ASKED);
    assert_eq!(wanted[0].login, "lead");
    assert_eq!(wanted.iter().filter(|one| one.is("lead")).count(), 1);
}
