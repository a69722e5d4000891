//! Each way in which a short signature, or an approval that a job gave, could be made to count that
//! should not.

use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::*;
use crate::facts::{Account, EnvironmentApproval, EnvironmentState, Fact, Platform, RunApprovals};
use crate::gate::record::override_id;
use crate::gate::testing::{
    FIRST, REASON, SECOND, at, comment, control, decision, facts, fail, pass, policy,
    record_context,
};
use crate::gate::{Decision, OVERRIDE_RECORD_TYPE, Outcome, override_statement, records};
use crate::policy::{OverrideSigner, Policy};
use crate::sshsig::SignerKey;

const WHERE: &str = "change-override";
const SIGNED_AT: &str = "2026-06-01T11:30:00Z";
/// As many characters as GitLab keeps of a comment on an approval.
const ROOM: usize = 255;

fn key(number: u8) -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&[number; 32]);
    PrivateKey::new(KeypairData::Ed25519(pair), "").unwrap()
}

fn listed(person: &str, number: u8) -> OverrideSigner {
    let line = key(number).public_key().to_openssh().unwrap();
    OverrideSigner {
        person: person.to_owned(),
        key: SignerKey::parse(line.trim_end()).unwrap(),
    }
}

/// @lead has two keys, @sec has one.
fn rules() -> Policy {
    let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    policy.overrides.environments = vec![WHERE.to_owned()];
    policy.overrides.signers = vec![listed("@lead", 1), listed("@sec", 2), listed("@lead", 3)];
    policy
}

fn asked() -> String {
    format!("/ccgate override TST-01 INC-482 {REASON}")
}

/// @tom asks on GitLab; @lead is said to have approved the deployment with that comment.
fn with(comment_there: &str) -> Snapshot {
    let mut facts = facts();
    facts.subject.platform = Platform::Gitlab;
    let request = comment("901", "tom", "2026-06-01T11:00:00Z", &asked());
    facts.comments = Fact::known_without_source(vec![request]);
    facts.run_approvals = Fact::known_without_source(RunApprovals {
        run: 4711,
        head: facts.subject.head.clone(),
        jobs_may_give: true,
        approvals: vec![EnvironmentApproval {
            state: EnvironmentState::Approved,
            comment: comment_there.to_owned(),
            environments: vec![WHERE.to_owned()],
            by: Some(Account::human("lead")),
        }],
    });
    facts
}

fn id() -> String {
    let facts = with("");
    override_id(&facts.subject, "901", &facts.subject.head)
}

fn command() -> String {
    format!("/ccgate approve {}", id())
}

/// What `ccgate override statement` prints for the approval, with a part of it replaced.
fn statement(was: &str, is: &str) -> String {
    let subject = with("").subject;
    let text = override_statement(&subject, at(SIGNED_AT), &command(), Some(&asked())).unwrap();
    assert!(text.contains(was), "{was}");
    text.replace(was, is)
}

fn armour(namespace: &str, number: u8, text: &str) -> String {
    let signature = key(number).sign(namespace, HashAlg::Sha512, text.as_bytes());
    signature.unwrap().to_pem(LineEnding::LF).unwrap()
}

/// The end of what the armour holds, as `base64 -d | tail -c 64 | base64` gives it.
fn short_form(armour: &str) -> String {
    let lines = armour.lines().filter(|line| !line.starts_with("-----"));
    let bytes = STANDARD.decode(lines.collect::<String>()).unwrap();
    STANDARD.encode(&bytes[bytes.len() - 64..])
}

fn said(number: u8, statement: &str) -> String {
    let signature = short_form(&armour(OVERRIDE_NAMESPACE, number, statement));
    format!("{} signed {SIGNED_AT} {signature}", command())
}

fn why(decision: &Decision) -> String {
    let first = decision.approvals.first();
    first
        .and_then(|one| one.refused.clone())
        .unwrap_or_default()
}

fn refused_by(policy: &Policy, comment: &str, expected: &str) {
    refused_in(policy, &with(comment), expected);
}

fn refused_in(policy: &Policy, facts: &Snapshot, expected: &str) {
    let decision = decision(policy, facts);
    assert_eq!(decision.outcome, Outcome::Block);
    assert!(
        why(&decision).contains(expected),
        "{expected}: {}",
        why(&decision)
    );
    assert_eq!(decision.overrides[0].approval, None);
}

fn refused(comment: &str, expected: &str) {
    refused_by(&rules(), comment, expected);
}

#[test]
fn an_approval_that_a_job_may_have_given_counts_only_with_a_signature_of_its_author() {
    for words in [command(), format!("{} fine by me", command())] {
        refused(&words, "in the name of whoever started it");
        // Where no job can, it counts.
        let mut facts = with(&words);
        if let Fact::Known { value, .. } = &mut facts.run_approvals {
            value.jobs_may_give = false;
        }
        assert_eq!(decision(&rules(), &facts).outcome, Outcome::Allow);
    }
    let text = statement("", "");
    // Either of @lead's keys.
    for number in [1, 3] {
        let comment = said(number, &text);
        assert!(comment.len() <= ROOM, "{}", comment.len());
        let given = decision(&rules(), &with(&comment));
        assert_eq!(given.outcome, Outcome::Allow, "{}", why(&given));
        let approval = given.overrides[0].approval.as_ref().unwrap();
        let signed = approval.signature.as_ref().unwrap();
        assert_eq!(signed.armour, armour(OVERRIDE_NAMESPACE, number, &text));
        assert_eq!(
            (signed.statement.as_str(), signed.at),
            (text.as_str(), at(SIGNED_AT))
        );
    }
    let mut signed_only = rules();
    signed_only.overrides.signed = true;
    let given = decision(&signed_only, &with(&said(1, &text)));
    assert_eq!(given.outcome, Outcome::Allow, "{}", why(&given));
}

#[test]
fn nobody_is_said_to_have_approved_their_own_override_by_what_a_job_may_have_said() {
    // @tom asked; a job that he started says that he approves.
    for (words, expected) in [
        (command(), "in the name of whoever started it"),
        (said(1, &statement("", "")), "asked for the override"),
    ] {
        let mut facts = with(&words);
        if let Fact::Known { value, .. } = &mut facts.run_approvals {
            value.approvals[0].by = Some(Account::human("tom"));
        }
        refused_in(&rules(), &facts, expected);
        assert!(!decision(&rules(), &facts).approvals[0].self_approved);
        if let Fact::Known { value, .. } = &mut facts.run_approvals {
            value.jobs_may_give = false;
        }
        assert!(decision(&rules(), &facts).approvals[0].self_approved);
    }
}

#[test]
fn a_short_signature_below_a_comment_refuses_it_and_other_words_do_not() {
    let below = |words: String| {
        let mut facts = with("");
        facts.run_approvals = Fact::known_without_source(RunApprovals {
            run: 4711,
            head: facts.subject.head.clone(),
            jobs_may_give: true,
            approvals: Vec::new(),
        });
        let request = comment("901", "tom", "2026-06-01T11:00:00Z", &asked());
        let approval = comment("902", "lead", "2026-06-01T11:45:00Z", &words);
        facts.comments = Fact::known_without_source(vec![request, approval]);
        facts
    };
    refused_in(
        &rules(),
        &below(said(1, &statement("", ""))),
        "at a deployment only",
    );
    let plain = below(format!("{} signed off by ops", command()));
    assert_eq!(decision(&rules(), &plain).outcome, Outcome::Allow);
}

#[test]
fn what_a_short_signature_leaves_in_the_record_is_the_whole_one() {
    let text = statement("", "");
    let given = decision(&rules(), &with(&said(1, &text)));
    let records = records(&given, &record_context());
    let record = records
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .unwrap();
    let kept = &record["predicate"]["signatures"][0];
    assert_eq!(kept["role"], "approver");
    let (statement, armour) = (&kept["statement"], &kept["signature"]);
    let key = sshsig::verify(
        OVERRIDE_NAMESPACE,
        armour.as_str().unwrap().as_bytes(),
        statement.as_str().unwrap().as_bytes(),
    );
    assert_eq!(
        SignerKey::of(&key.unwrap()).unwrap(),
        listed("@lead", 1).key
    );
}

#[test]
fn a_short_signature_over_anything_else_or_by_anybody_else_does_not_count() {
    let text = statement("", "");
    let misfit = "does not fit";
    // By somebody else's key, and by one that nobody has.
    refused(&said(2, &text), misfit);
    refused(&said(9, &text), misfit);
    // Over another head, change, project, platform, override, request or moment.
    let head = with("").subject.head;
    let other_head = "0d".repeat(20);
    for (was, is) in [
        (head.as_str(), other_head.as_str()),
        ("change 7", "change 8"),
        ("acme/app", "acme/apq"),
        ("platform gitlab", "platform github"),
        ("target main", "target dev"),
        ("approve ovr_", "approve ovr_0"),
        ("TST-01", "TST-02"),
        ("INC-482", "INC-483"),
        ("reason sha256:", "reason sha256:0"),
        (SIGNED_AT, "2026-06-01T11:29:59Z"),
    ] {
        refused(&said(1, &statement(was, is)), misfit);
    }
    // For another purpose.
    let other = short_form(&armour("git", 1, &text));
    refused(&format!("{} signed {SIGNED_AT} {other}", command()), misfit);
    // Said to be of another moment, and of one that has not come yet.
    let earlier = said(1, &text).replace(SIGNED_AT, "2026-06-01T11:29:59Z");
    refused(&earlier, misfit);
    let later = "2026-06-01T15:00:00Z";
    let to_come = said(1, &statement(SIGNED_AT, later)).replace(SIGNED_AT, later);
    refused(&to_come, "later than it was written");
    // Each single bit of it matters.
    let signature = short_form(&armour(OVERRIDE_NAMESPACE, 1, &text));
    let bytes = STANDARD.decode(&signature).unwrap();
    for place in 0..bytes.len() {
        let mut other = bytes.clone();
        other[place] ^= 1;
        let other = STANDARD.encode(other);
        refused(&format!("{} signed {SIGNED_AT} {other}", command()), misfit);
    }
}

#[test]
fn of_whom_the_policy_lists_no_key_no_short_signature_counts() {
    let text = statement("", "");
    let mut policy = rules();
    policy.overrides.signers.retain(|one| one.person == "@sec");
    refused_by(&policy, &said(1, &text), "lists no key of @lead");
    policy.overrides.published_keys = true;
    refused_by(&policy, &said(1, &text), "lists no key of @lead");
    policy.overrides.signers.clear();
    refused_by(&policy, &said(1, &text), "lists no key of @lead");
    // A key that is listed for two people tells nobody.
    let mut policy = rules();
    policy.overrides.signers.truncate(2);
    policy.overrides.signers.push(listed("@sec", 1));
    refused_by(&policy, &said(1, &text), "listed twice");
}

#[test]
fn a_short_signature_has_one_form() {
    let text = statement("", "");
    let whole = said(1, &text);
    let signature = short_form(&armour(OVERRIDE_NAMESPACE, 1, &text));
    let form = "another form";
    for wrong in [
        format!("{} signed", command()),
        format!("{} signed {SIGNED_AT}", command()),
        format!("{} signed {signature}", command()),
        format!("{} signed off by me today", command()),
        format!("{whole} fine"),
        format!("{whole} {signature}"),
        format!("{whole}\n```ccgate-signature\nsigned-at {SIGNED_AT}\n```"),
        whole.trim_end_matches('=').to_owned(),
        format!("{whole}="),
        format!("{} signed {SIGNED_AT} ####", command()),
    ] {
        refused(&wrong, form);
    }
    let bytes = STANDARD.decode(&signature).unwrap();
    for other in [&bytes[..63], &[&bytes[..], &[0]].concat()] {
        let other = STANDARD.encode(other);
        refused(
            &format!("{} signed {SIGNED_AT} {other}", command()),
            "has 64 bytes",
        );
    }
    // The moment has one spelling, and cannot bring a line of its own.
    for time in ["2026-06-01T11:30:00.0Z", "2026-06-01T11:30Z", "now"] {
        refused(&whole.replace(SIGNED_AT, time), form);
    }
    // It is judged where none is needed, too.
    let mut facts = with(&said(2, &text));
    if let Fact::Known { value, .. } = &mut facts.run_approvals {
        value.jobs_may_give = false;
    }
    assert_eq!(decision(&rules(), &facts).outcome, Outcome::Block);
}

/// The words are there to be read, and a job can say them again in another deployment.
#[test]
fn a_signed_approval_that_is_said_again_by_a_job_opens_nothing_after_a_revocation() {
    let mut facts = with(&said(1, &statement("", "")));
    assert_eq!(decision(&rules(), &facts).outcome, Outcome::Allow);
    if let Fact::Known { value, .. } = &mut facts.comments {
        let when = "2026-06-01T11:45:00Z";
        value.push(comment("902", "lead", when, "/ccgate revoke TST-01"));
    }
    assert_eq!(decision(&rules(), &facts).outcome, Outcome::Block);
}
