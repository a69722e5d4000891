//! The comment that carries a signature which its author made beforehand. What would not be counted
//! is refused here as far as that can be told without the platform: head and target are the
//! change's, and whose key counts is the policy's.

use jiff::Timestamp;

use crate::facts::Platform;
use crate::sshsig::{self, SignerKey};

use super::super::clocks::is_later;
use super::super::command::{Command, parse};
use super::block::{below, is_meant, parted};
use super::statement::{About, Says, Statement, written};
use super::{LONGEST_ARMOUR, OVERRIDE_NAMESPACE};

/// Where a comment is going to stand, as far as it is known before anybody is asked.
#[derive(Clone, Debug)]
pub struct CommentPlace<'p> {
    /// The platform.
    pub platform: Platform,
    /// Full path of the repository, however it is spelt.
    pub repository: &'p str,
    /// Number of the change.
    pub change: u64,
}

/// A comment with its author's signature, ready to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedComment {
    /// The whole comment.
    pub text: String,
    /// Fingerprint of the key that signed it.
    pub key: String,
    /// When, by its author's word.
    pub at: Timestamp,
    /// The 64 bytes that sign.
    pub bytes: Vec<u8>,
}

/// The comment with that signature below it. `statement` and `armour` are what was signed and what
/// `ssh-keygen -Y sign` made of it; `now` is this machine's clock.
///
/// # Errors
/// It would not be counted: another form, another place, another comment, another purpose, a
/// signature that does not fit, or a time to come.
pub fn signed_comment(
    place: &CommentPlace<'_>,
    comment: &str,
    statement: &str,
    armour: &str,
    now: Timestamp,
) -> Result<SignedComment, String> {
    if is_meant(comment) {
        return Err("the comment holds a signature already".to_owned());
    }
    let signed = Statement::read(statement)?;
    is_for(&signed.about, place)?;
    says(&signed, comment)?;
    if is_later(signed.at, now) {
        return Err(format!(
            "the statement says that it was signed at {}, which is later than now",
            signed.at
        ));
    }
    if armour.len() > LONGEST_ARMOUR {
        return Err("the signature is longer than one by an Ed25519 key".to_owned());
    }
    let key = sshsig::verify(OVERRIDE_NAMESPACE, armour.as_bytes(), statement.as_bytes()).map_err(
        |why| {
            format!("{why}: sign the statement with `ssh-keygen -Y sign -n {OVERRIDE_NAMESPACE}`")
        },
    )?;
    let key = SignerKey::of(&key)
        .ok_or("the key that signed it is no Ed25519 key, and no other counts")?;
    let at = signed.at;
    let text = below(comment, at, armour);
    // Read back as the gate will read it.
    match parted(&text) {
        Ok((command, Some(block)))
            if parse(command) == parse(comment)
                && block.signed_at == at
                && block.whole_armour() == armour =>
        {
            Ok(SignedComment {
                text,
                key: key.fingerprint(),
                at,
                bytes: sshsig::bytes(armour.as_bytes()).ok_or("the signature cannot be read")?,
            })
        }
        Ok(_) | Err(_) => Err(
            "the comment cannot carry a signature as it is written: say the reason in other words"
                .to_owned(),
        ),
    }
}

/// Whether the statement is for that place.
fn is_for(signed: &About<'_>, place: &CommentPlace<'_>) -> Result<(), String> {
    let other = |what: &str, signed: &str, meant: &str| {
        Err(format!(
            "the statement is for {what} {signed}, and the comment is for {meant}"
        ))
    };
    if signed.platform != place.platform {
        return other("platform", signed.platform.word(), place.platform.word());
    }
    // The platform's own spelling is what counts, and that is not known here.
    if !signed.repository.eq_ignore_ascii_case(place.repository) {
        return other("repository", signed.repository, place.repository);
    }
    if signed.change != place.change {
        let (signed, meant) = (signed.change.to_string(), place.change.to_string());
        return other("change", &signed, &meant);
    }
    Ok(())
}

/// Whether the whole statement is what the gate makes of that comment. What an approval approves
/// stands in another comment, so of that only the form can be told.
fn says(signed: &Statement<'_>, comment: &str) -> Result<(), String> {
    let other = || {
        format!(
            "the statement says `{}`, and the comment says something else: print it for this comment, and sign that",
            signed.command
        )
    };
    let (made, in_form) = match parse(comment) {
        Some(Command::Override(asked)) => {
            let (words, reason) = (asked.words(), asked.reason);
            let says = Says::Asks {
                words: &words,
                reason: &reason,
            };
            (says.on(&signed.about, signed.at)?, true)
        }
        Some(Command::Approve { of }) => {
            let approved = signed.approved.as_ref().ok_or_else(other)?;
            let (words, digest) = (approved.words, approved.digest);
            let made = written(&signed.about, Some(&of), words, digest, signed.at)?;
            (made, is_request(words) && is_digest(digest))
        }
        Some(Command::Revoke { .. } | Command::Review { .. }) | None => {
            return Err("only `/ccgate override …` and `/ccgate approve …` are signed".to_owned());
        }
    };
    (made == signed.text && in_form)
        .then_some(())
        .ok_or_else(other)
}

/// Whether these are the words of a request as the gate writes them.
fn is_request(words: &str) -> bool {
    match parse(&format!("/ccgate {words}")) {
        Some(Command::Override(asked)) => asked.words() == words,
        Some(_) | None => false,
    }
}

/// Whether it is a SHA-256 as the gate writes it.
fn is_digest(digest: &str) -> bool {
    let mut bytes = digest.bytes();
    digest.len() == 64 && bytes.all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use ssh_key::private::{Ed25519Keypair, KeypairData};
    use ssh_key::{HashAlg, LineEnding, PrivateKey};

    use super::*;
    use crate::facts::Subject;
    use crate::gate::{approval_comment, override_comment, override_statement};

    const PLACE: CommentPlace<'_> = CommentPlace {
        platform: Platform::Github,
        repository: "Acme/App",
        change: 7,
    };

    fn now() -> Timestamp {
        "2026-06-01T11:00:00Z".parse().unwrap()
    }

    fn subject() -> Subject {
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: "f1".repeat(20),
            target: "main".to_owned(),
        }
    }

    fn sign(namespace: &str, text: &str) -> String {
        let pair = Ed25519Keypair::from_seed(&[1; 32]);
        let key = PrivateKey::new(KeypairData::Ed25519(pair), "").unwrap();
        let signature = key.sign(namespace, HashAlg::Sha512, text.as_bytes());
        signature.unwrap().to_pem(LineEnding::LF).unwrap()
    }

    fn request_comment() -> String {
        let reason = "the rollback\nof the outage  cannot wait";
        override_comment("TST-01", "INC-482", Some("4h"), reason).unwrap()
    }

    fn refused(comment: &str, statement: &str, armour: &str, expected: &str) {
        let why = signed_comment(&PLACE, comment, statement, armour, now()).unwrap_err();
        assert!(why.contains(expected), "{expected}: {why}");
    }

    #[test]
    fn what_was_signed_is_carried_as_the_gate_reads_it() {
        let asked = request_comment();
        let approval = approval_comment("ovr_1a").unwrap();
        for (comment, request) in [(&asked, None), (&approval, Some(asked.as_str()))] {
            let text = override_statement(&subject(), now(), comment, request).unwrap();
            let armour = sign(OVERRIDE_NAMESPACE, &text);
            let made = signed_comment(&PLACE, comment, &text, &armour, now()).unwrap();
            assert!(made.key.starts_with("SHA256:"), "{}", made.key);
            let (command, block) = parted(&made.text).unwrap();
            assert_eq!(parse(command), parse(comment));
            assert_eq!(block.unwrap().signed_at, now());
        }
    }

    #[test]
    fn what_would_not_be_counted_is_not_carried() {
        let asked = request_comment();
        let text = override_statement(&subject(), now(), &asked, None).unwrap();
        let armour = sign(OVERRIDE_NAMESPACE, &text);
        refused(&asked, &text, &sign("git", &text), "-n ccgate-override");
        refused(
            &asked,
            &text,
            &sign(OVERRIDE_NAMESPACE, "x"),
            "does not fit",
        );
        refused(&asked, &text, "", "no SSH signature");
        refused(&asked, &text, &armour.replace('\n', "\r\n"), "canonical");
        refused(&asked, &text, &"A".repeat(1001), "longer than one");
        // Of another place, another comment, another form, or not of now.
        for (was, is, expected) in [
            ("platform github", "platform gitlab", "for platform gitlab"),
            ("acme/app", "acme/app2", "for repository acme/app2"),
            ("change 7", "change 8", "for change 8"),
            ("change 7", "change seven", "not what"),
            ("INC-482", "INC-483", "something else"),
            ("expires:4h", "expires:9h", "something else"),
            ("sha256:", "sha256:0", "something else"),
            ("override/v1", "override/v2", "not what"),
            ("head ", "commit ", "not what"),
            ("signed-at 2026", "signed-at 2027", "later than now"),
            ("Z\n", "Z", "something else"),
            ("11:00:00Z\n", "11:00:00Z\n\n", "not what"),
        ] {
            let altered = text.replacen(was, is, 1);
            assert_ne!(altered, text, "{was}");
            let armour = sign(OVERRIDE_NAMESPACE, &altered);
            refused(&asked, &altered, &armour, expected);
        }
        let signed = format!("{asked}\n```ccgate-signature\n");
        refused(&signed, &text, &armour, "already");
        refused("/ccgate revoke TST-01", &text, &armour, "only");
    }

    #[test]
    fn a_statement_of_an_approval_is_held_against_the_id_and_its_form() {
        let asked = request_comment();
        let approval = approval_comment("ovr_1a").unwrap();
        let text = override_statement(&subject(), now(), &approval, Some(&asked)).unwrap();
        let other = approval_comment("ovr_2b").unwrap();
        refused(
            &other,
            &text,
            &sign(OVERRIDE_NAMESPACE, &text),
            "something else",
        );
        // One for asking is none for approving.
        let asks = override_statement(&subject(), now(), &asked, None).unwrap();
        refused(
            &approval,
            &asks,
            &sign(OVERRIDE_NAMESPACE, &asks),
            "something else",
        );
        for (was, is) in [
            ("asked override", "asked revoke"),
            ("asked override", "asked override "),
            ("reason sha256:", "reason sha256:0"),
            ("signed-at", "note x\nsigned-at"),
        ] {
            let altered = text.replacen(was, is, 1);
            assert_ne!(altered, text, "{was}");
            let armour = sign(OVERRIDE_NAMESPACE, &altered);
            refused(&approval, &altered, &armour, "something else");
        }
    }
}
