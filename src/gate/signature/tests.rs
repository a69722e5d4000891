//! Each way in which a signature could be made to count that should not.

use sha2::{Digest as _, Sha256};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::*;
use crate::facts::{Fact, Snapshot};
use crate::gate::record::override_id;
use crate::gate::testing::{
    FIRST, REASON, SECOND, at, comment, control, decision, facts, fail, pass, policy,
    record_context,
};
use crate::gate::{Decision, OVERRIDE_RECORD_TYPE, Outcome, OverrideState, records};
use crate::policy::{OverrideSigner, Policy};
use crate::sshsig::SignerKey;

const ASKED_AT: &str = "2026-06-01T11:00:00Z";
const APPROVED_AT: &str = "2026-06-01T11:30:00Z";
const SIGNED: &str = "2026-06-01T10:59:00Z";
/// What happens to a change between two looks at it.
type Move = fn(&mut Snapshot);

const WORDS: &str = "override TST-01 INC-482";

/// Keys of nobody, told apart by a number.
pub(super) fn key(number: u8) -> PrivateKey {
    let pair = Ed25519Keypair::from_seed(&[number; 32]);
    PrivateKey::new(KeypairData::Ed25519(pair), "").unwrap()
}

pub(super) fn listed(person: &str, number: u8) -> OverrideSigner {
    let line = key(number).public_key().to_openssh().unwrap();
    OverrideSigner {
        person: person.to_owned(),
        key: SignerKey::parse(line.trim_end()).unwrap(),
    }
}

fn armour_for(namespace: &str, number: u8, statement: &str) -> String {
    let signature = key(number)
        .sign(namespace, HashAlg::Sha512, statement.as_bytes())
        .unwrap();
    signature.to_pem(LineEnding::LF).unwrap()
}

pub(super) fn armour(number: u8, statement: &str) -> String {
    armour_for(OVERRIDE_NAMESPACE, number, statement)
}

/// What docs/overrides.md says is signed, written out.
fn statement(said: &str) -> String {
    let digest = hex::encode(Sha256::digest(REASON.as_bytes()));
    let head = "f1".repeat(20);
    format!(
        "ccgate-override/v1\nplatform github\nrepository acme/app\nchange 7\ntarget main\n\
         head {head}\n{said}\nreason sha256:{digest}\nsigned-at {SIGNED}\n"
    )
}

pub(super) fn asks() -> String {
    statement(&format!("command {WORDS}"))
}

pub(super) fn approves() -> String {
    statement(&format!("command approve {}\nasked {WORDS}", id()))
}

pub(super) fn id() -> String {
    let facts = facts();
    override_id(&facts.subject, "901", &facts.subject.head)
}

pub(super) fn block(armour: &str) -> String {
    format!("\n\n```ccgate-signature\nsigned-at {SIGNED}\n{armour}```\n")
}

pub(super) fn rules() -> Policy {
    let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    policy.overrides.signed = true;
    policy.overrides.signers = vec![listed("@Lead", 1), listed("@sec", 2)];
    policy
}

pub(super) fn with(comments: Vec<Comment>) -> Snapshot {
    let mut facts = facts();
    facts.comments = Fact::known_without_source(comments);
    facts
}

/// A request that acts by itself, with whatever stands below its reason.
pub(super) fn asked_by(login: &str, below: &str) -> Comment {
    let body = format!("/ccgate {WORDS} {REASON}{below}");
    comment("901", login, ASKED_AT, &body)
}

pub(super) fn approved_by(login: &str, below: &str) -> Comment {
    let body = format!("/ccgate approve {}{below}", id());
    comment("902", login, APPROVED_AT, &body)
}

/// Why a request with that below it is refused, whether signatures have to be there or not.
fn refuses(below: &str, expected: &str) {
    for signed in [true, false] {
        let mut policy = rules();
        policy.overrides.signed = signed;
        let decision = decision(&policy, &with(vec![asked_by("lead", below)]));
        let report = &decision.overrides[0];
        assert_eq!(report.state, OverrideState::Refused, "{}", report.why);
        assert!(report.why.contains(expected), "{}", report.why);
        assert_eq!(decision.outcome, Outcome::Block);
        assert_eq!(report.signature, None);
    }
}

/// The same of an approval of what @tom asked for.
fn approval_refused(login: &str, below: &str, expected: &str) {
    for signed in [true, false] {
        let mut policy = rules();
        policy.overrides.signed = signed;
        let comments = vec![asked_by("tom", ""), approved_by(login, below)];
        let decision = decision(&policy, &with(comments));
        let why = decision.approvals[0].refused.clone().unwrap_or_default();
        assert!(why.contains(expected), "{why}");
        assert_eq!(decision.outcome, Outcome::Block);
    }
}

fn approved() -> Decision {
    let comments = vec![
        asked_by("tom", ""),
        approved_by("sec", &block(&armour(2, &approves()))),
    ];
    decision(&rules(), &with(comments))
}

#[test]
fn a_signed_request_and_a_signed_approval_open_the_gate() {
    let below = block(&armour(1, &asks()));
    for below in [below.clone(), below.replace('\n', "\r\n")] {
        let decision = decision(&rules(), &with(vec![asked_by("lead", &below)]));
        let report = &decision.overrides[0];
        assert_eq!(report.state, OverrideState::Accepted, "{}", report.why);
        assert_eq!(
            report.text, REASON,
            "the signature is no part of the reason"
        );
        let signed = report.signature.as_ref().unwrap();
        assert_eq!(signed.statement, asks());
        assert_eq!(decision.outcome, Outcome::Allow);
    }
    let decision = approved();
    assert_eq!(decision.approvals[0].refused, None);
    assert_eq!(decision.outcome, Outcome::Allow);
    let approval = decision.overrides[0].approval.as_ref().unwrap();
    let signed = approval.signature.as_ref().unwrap();
    assert_eq!(signed.statement, approves());
    assert_eq!(signed.key, listed("@sec", 2).key.fingerprint());
}

#[test]
fn where_the_policy_wants_signatures_nothing_is_given_without_one() {
    let alone = decision(&rules(), &with(vec![asked_by("lead", "")]));
    assert_eq!(alone.overrides[0].state, OverrideState::Requested);
    assert!(alone.overrides[0].why.contains("`overrides.signed`"));
    assert_eq!(alone.outcome, Outcome::Block);
    let comments = vec![asked_by("tom", ""), approved_by("sec", "")];
    let unsigned = decision(&rules(), &with(comments.clone()));
    let why = unsigned.approvals[0].refused.clone().unwrap_or_default();
    assert!(why.contains("the policy wants it signed"), "{why}");
    assert_eq!(unsigned.outcome, Outcome::Block);
    // Without that key what is not signed counts as it did.
    let mut policy = rules();
    policy.overrides.signed = false;
    assert_eq!(decision(&policy, &with(comments)).outcome, Outcome::Allow);
}

#[test]
fn a_signature_fits_one_change_one_head_and_one_command_only() {
    let asks = asks();
    for (what, other) in [
        ("platform github", "platform gitlab"),
        ("acme/app", "acme/app2"),
        ("change 7", "change 8"),
        ("target main", "target dev"),
        ("head f1", "head 0d"),
        ("TST-01", "TST-02"),
        ("INC-482", "INC-483"),
        ("INC-482", "INC-482 expires:1h"),
        ("sha256:", "sha256:0"),
        ("ccgate-override/v1", "ccgate-override/v2"),
        (
            "signed-at 2026-06-01T10:59:00Z\n",
            "signed-at 2026-06-01T10:58:00Z\n",
        ),
        (
            "signed-at 2026-06-01T10:59:00Z\n",
            "signed-at 2026-06-01T10:59:00Z",
        ),
    ] {
        let altered = asks.replacen(what, other, 1);
        assert_ne!(altered, asks, "{what}");
        refuses(&block(&armour(1, &altered)), "does not fit");
    }
    let approves = approves();
    for (what, other) in [
        ("approve ovr_", "approve ovr_0"),
        ("asked override TST-01", "asked override TST-02"),
        ("reason sha256:", "reason sha256:0"),
    ] {
        let altered = approves.replacen(what, other, 1);
        assert_ne!(altered, approves, "{what}");
        approval_refused("sec", &block(&armour(2, &altered)), "does not fit");
    }
    // One for asking is none for approving.
    approval_refused("lead", &block(&armour(1, &asks)), "does not fit");
}

#[test]
fn a_signature_that_is_used_again_on_a_new_head_or_another_change_is_refused() {
    let below = block(&armour(1, &asks()));
    let moves: [Move; 3] = [
        |facts| {
            let head = "0d".repeat(20);
            facts.subject.head.clone_from(&head);
            if let Fact::Known { value, .. } = &mut facts.identity {
                value.head.clone_from(&head);
            }
            if let Fact::Known { value, .. } = &mut facts.commits {
                value[0].sha = head;
            }
        },
        |facts| facts.subject.change = Some(8),
        |facts| facts.subject.repository = "acme/other".to_owned(),
    ];
    for step in moves {
        let mut facts = with(vec![asked_by("lead", &below)]);
        assert_eq!(decision(&rules(), &facts).outcome, Outcome::Allow);
        step(&mut facts);
        let again = decision(&rules(), &facts);
        assert_eq!(again.overrides[0].state, OverrideState::Refused);
        assert_eq!(again.outcome, Outcome::Block);
    }
}

/// Who has the account and not the key deletes the comment and posts it once more.
#[test]
fn a_signature_that_is_posted_again_makes_nothing_longer() {
    let mut again = asked_by("lead", &block(&armour(1, &asks())));
    again.created_at = at("2026-06-01T11:50:00Z");
    let report = &decision(&rules(), &with(vec![again])).overrides[0];
    assert_eq!(report.expires, Some(at("2026-06-01T14:59:00Z")));
}

#[test]
fn nobody_signs_for_somebody_else() {
    let by_lead = block(&armour(1, &asks()));
    let mut policy = rules();
    policy.overrides.signed = false;
    let copied = decision(&policy, &with(vec![asked_by("sec", &by_lead)]));
    assert_eq!(copied.overrides[0].state, OverrideState::Refused);
    assert!(
        copied.overrides[0]
            .why
            .contains("the key of @Lead, and @sec wrote it")
    );
    refuses(
        &block(&armour(2, &asks())),
        "the key of @sec, and @lead wrote it",
    );
    refuses(
        &block(&armour(3, &asks())),
        "is not among `overrides.signers`",
    );
    approval_refused("sec", &block(&armour(1, &approves())), "the key of @Lead");
    approval_refused("sec", &block(&armour(3, &approves())), "is not among");
}

#[test]
fn a_signer_whom_the_policy_no_longer_lists_signs_nothing() {
    let facts = with(vec![asked_by("lead", &block(&armour(1, &asks())))]);
    let mut policy = rules();
    assert_eq!(decision(&policy, &facts).outcome, Outcome::Allow);
    policy.overrides.signers.remove(0);
    for signed in [true, false] {
        policy.overrides.signed = signed;
        let refused = decision(&policy, &facts);
        assert_eq!(refused.overrides[0].state, OverrideState::Refused);
        assert_eq!(refused.outcome, Outcome::Block);
    }
    // A key that two people hold tells nobody who signed.
    policy.overrides.signers = vec![listed("@lead", 1), listed("@sec", 1)];
    let twice = decision(&policy, &facts);
    assert!(twice.overrides[0].why.contains("listed twice"));
    assert_eq!(twice.outcome, Outcome::Block);
}

#[test]
fn what_looks_like_a_signature_and_is_none_refuses_the_comment_whole() {
    let good = armour(1, &asks());
    refuses(&(block(&good) + &block(&good)), "more than one signature");
    refuses(&block(&(good.clone() + &good)), "more than one signature");
    let other_form = [
        format!("\n{good}"),
        block(&good).replace("```ccgate-signature", "~~~ccgate-signature"),
        block(&good).replace("```ccgate-signature", " ```ccgate-signature"),
        block(&good).replace("```ccgate-signature", "```ccgate\u{2010}signature"),
        block(&good).replace("```ccgate-signature", "```"),
        block(&good).replace("signed-at", "Signed-at"),
        block(&good).replace(SIGNED, "2026-06-01T10:59Z"),
        block(&good).replace(SIGNED, "2026-06-01T12:59:00+02:00"),
        block(&good).trim_end().trim_end_matches('`').to_owned(),
        block(&good) + "and one more word",
        "\n\n```ccgate-signature\n".to_owned(),
        "\n-----BEGIN SSH SIGNATURE-----".to_owned(),
        good.replace("-----", "\u{2014}\u{2014}"),
        // The frame made unreadable: what is in it still shows.
        block(&good)
            .replace("ccgate", "ccg\u{430}te")
            .replace("SSH SIGNATURE", "SSH S\u{406}GNATURE"),
    ];
    for below in other_form {
        refuses(&below, "in another form");
    }
    for below in [
        block(&good.replace("BEGIN SSH", "BEGIN  SSH")),
        block(&good.replacen('\n', "\n\n", 1)),
        block(&good.replacen('\n', "\n ", 1)),
        block(&good.replace("U1NIU0lH", "U1NIU0lI")),
        block(""),
    ] {
        refuses(&below, "signature");
    }
    let git = armour_for("git", 1, &asks());
    refuses(&block(&git), "made for another purpose");
    refuses(
        &block(&format!("{}\n", "A".repeat(2000))),
        "longer than one by an Ed25519 key",
    );
    // Signed later than written.
    let late = "2026-06-01T11:15:01Z";
    let text = asks().replace(SIGNED, late);
    let below = block(&armour(1, &text)).replace(SIGNED, late);
    refuses(&below, "later than it was written");
}

#[test]
fn reviews_are_not_signed_and_a_signature_keeps_nothing_from_being_revoked() {
    let mut comments = vec![
        asked_by("lead", &block(&armour(1, &asks()))),
        comment(
            "903",
            "lead",
            "2026-06-01T11:40:00Z",
            "/ccgate revoke TST-01\n```ccgate-signature",
        ),
    ];
    let revoked = decision(&rules(), &with(comments.clone()));
    assert_eq!(revoked.outcome, Outcome::Block);
    let words = format!(
        "/ccgate review {} ratified{}",
        id(),
        block(&armour(2, &asks()))
    );
    comments[1] = comment("903", "sec", "2026-06-01T11:40:00Z", &words);
    let reviewed = decision(&rules(), &with(comments));
    let why = reviewed.reviews[0].refused.clone().unwrap_or_default();
    assert!(why.contains("reviews are not signed"), "{why}");
}

/// What is printed for people to sign is what the gate expects, or nothing.
#[test]
fn what_is_printed_to_be_signed_is_what_counts() {
    let subject = facts().subject;
    let print = |comment: &str, asked: Option<&str>| {
        override_statement(&subject, at(SIGNED), comment, asked)
    };
    let request = format!("/ccgate  override TST-01   INC-482  {REASON} ");
    assert_eq!(print(&request, None), Ok(asks()));
    let approve = format!("/ccgate approve {}", id());
    assert_eq!(print(&approve, Some(&request)), Ok(approves()));
    // What was asked for may be signed itself.
    let signed = format!("{request}{}", block(&armour(1, &asks())));
    assert_eq!(print(&approve, Some(&signed)), Ok(approves()));
    for (comment, asked) in [
        (approve.as_str(), None),
        (approve.as_str(), Some("why not")),
        (approve.as_str(), Some(approve.as_str())),
        (request.as_str(), Some(request.as_str())),
        (signed.as_str(), None),
        ("/ccgate approve TST-01", Some(request.as_str())),
        ("/ccgate revoke TST-01", None),
        ("/ccgate review ovr_1 ratified", None),
        ("the rollback cannot wait", None),
        // Words that look like others, or would move the cursor.
        ("/ccgate override TST-0\u{406} INC-482 why", None),
        ("/ccgate override TST-01 INC\u{1b}[2J why", None),
        ("/ccgate override TST-01 INC\u{202e}1 why", None),
    ] {
        assert!(print(comment, asked).is_err(), "{comment}");
    }
    let long = format!("/ccgate override TST-01 INC-{} why", "4".repeat(2000));
    assert!(print(&long, None).unwrap_err().contains("longer than 2000"));
}

/// The auditor's way: keys from the policy, text and signature from the record, and no ccgate.
#[test]
fn ssh_keygen_verifies_what_the_record_keeps_and_nothing_else() {
    let all = records(&approved(), &record_context());
    let given = all
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .unwrap();
    let signatures = given["predicate"]["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 1);
    let one = &signatures[0];
    assert_eq!(
        (&one["role"], &one["login"]),
        (&"approver".into(), &"sec".into())
    );
    let text = one["statement"].as_str().unwrap();
    let armour = one["signature"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let line = key(2).public_key().to_openssh().unwrap();
    std::fs::write(path("signers"), format!("sec {line}\n")).unwrap();
    std::fs::write(path("sig"), armour).unwrap();
    let verifies = |text: &str, namespace: &str, who: &str| {
        std::fs::write(path("text"), text).unwrap();
        let status = std::process::Command::new("ssh-keygen")
            .args(["-Y", "verify", "-n", namespace, "-I", who, "-f"])
            .arg(path("signers"))
            .arg("-s")
            .arg(path("sig"))
            .stdin(std::fs::File::open(path("text")).unwrap())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        status.ok().map(|status| status.success())
    };
    let Some(good) = verifies(text, OVERRIDE_NAMESPACE, "sec") else {
        eprintln!("SKIPPED: ssh-keygen is not installed, no signature was checked");
        return;
    };
    assert!(good);
    let altered = text.replace("INC-482", "INC-483");
    assert_eq!(verifies(&altered, OVERRIDE_NAMESPACE, "sec"), Some(false));
    assert_eq!(verifies(text, "git", "sec"), Some(false));
    assert_eq!(verifies(text, OVERRIDE_NAMESPACE, "lead"), Some(false));
}

/// The other way round: what a person signs with `ssh-keygen` counts.
#[test]
fn what_ssh_keygen_signs_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let run = |arguments: &[&str]| {
        let status = std::process::Command::new("ssh-keygen")
            .args(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .current_dir(folder.path())
            .status();
        status.is_ok_and(|status| status.success())
    };
    if !run(&[
        "-q",
        "-t",
        "ed25519",
        "-N",
        "",
        "-C",
        "me at home",
        "-f",
        "key",
    ]) {
        eprintln!("SKIPPED: ssh-keygen is not installed, no signature was made");
        return;
    }
    std::fs::write(path("text"), asks()).unwrap();
    assert!(run(&[
        "-Y",
        "sign",
        "-n",
        OVERRIDE_NAMESPACE,
        "-f",
        "key",
        "text"
    ]));
    let armour = std::fs::read_to_string(path("text.sig")).unwrap();
    let line = std::fs::read_to_string(path("key.pub")).unwrap();
    let mut policy = rules();
    policy.overrides.signers[0].key = SignerKey::parse(line.trim_end()).unwrap();
    let decision = decision(&policy, &with(vec![asked_by("lead", &block(&armour))]));
    assert_eq!(
        decision.outcome,
        Outcome::Allow,
        "{}",
        decision.overrides[0].why
    );
}
