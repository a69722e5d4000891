//! Override commands that their author signed with an SSH key, so that others can verify offline
//! who gave what. The comment stays the carrier: who wrote it and when is the platform's word.
//! A signature that is there and is not in order refuses the comment whole.

use jiff::Timestamp;

use crate::facts::{Account, Comment, Snapshot, Subject};
use crate::policy::OverrideRules;
use crate::sshsig::{self, SignerKey};

use super::clocks::is_later;
use super::command::{Command, approval_comment, parse};

mod block;
mod carried;
mod published;
mod statement;

pub use carried::{CommentPlace, SignedComment, signed_comment};
pub use published::{Published, published_keys_wanted};

pub(super) use block::{below, command_of, is_meant};
pub(super) use statement::{Says, one_spelling};

use block::parted;
use published::published;

/// The namespace of signatures over override commands, so that no other signature of the key counts.
pub const OVERRIDE_NAMESPACE: &str = "ccgate-override";

/// Most bytes of the armour: it is kept in a record whole or not at all.
const LONGEST_ARMOUR: usize = 1000;

/// A signature that is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Fingerprint of the key, `SHA256:…`.
    pub key: String,
    /// The text that is signed.
    pub statement: String,
    /// The signature, as `ssh-keygen -Y sign` writes it.
    pub armour: String,
    /// When it was signed, by its author's word.
    pub at: Timestamp,
    /// Who says whose key it is.
    pub source: KeySource,
}

/// Who says that a key is the author's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The policy in force.
    Policy,
    /// The platform, which published it for the account before it signed.
    Platform(Published),
}

impl Signed {
    /// The word for who says whose key it is, as it stands in decisions and records.
    pub fn source_word(&self) -> &'static str {
        match self.source {
            KeySource::Policy => "policy",
            KeySource::Platform(_) => "platform",
        }
    }
}

/// What a person signs who writes that comment on that change, and who signs at that moment.
/// `asked`: the comment that asked for the override, for one that approves it.
///
/// # Errors
/// It is no such comment, with what to do.
pub fn override_statement(
    subject: &Subject,
    at: Timestamp,
    comment: &str,
    asked: Option<&str>,
) -> Result<String, String> {
    if is_meant(comment) {
        return Err("the comment holds a signature: sign it without one".to_owned());
    }
    let request = asked.map(|asked| parse(command_of(asked)));
    match (parse(comment), request) {
        (Some(Command::Override(asked)), None) => {
            let (words, reason) = (asked.words(), asked.reason);
            let says = Says::Asks {
                words: &words,
                reason: &reason,
            };
            says.statement(subject, at)
        }
        (Some(Command::Approve { of }), Some(Some(Command::Override(asked)))) => {
            // Only an id that can be one.
            approval_comment(&of)?;
            let words = asked.words();
            let says = Says::Approves {
                id: &of,
                words: &words,
                reason: &asked.reason,
            };
            says.statement(subject, at)
        }
        (Some(Command::Approve { .. }), _) => Err(
            "an approval signs what was asked for: give the whole comment `/ccgate override …` with `--asked`"
                .to_owned(),
        ),
        (Some(Command::Override(_)), Some(_)) => {
            Err("`--asked` goes with an approval only".to_owned())
        }
        (Some(Command::Revoke { .. } | Command::Review { .. }) | None, _) => Err(
            "only `/ccgate override …` and `/ccgate approve …` are signed".to_owned(),
        ),
    }
}

/// When the term of what a comment asks for begins: when it was written, or signed before that. A
/// signature that is posted again, under a comment that replaces a deleted one, makes nothing longer.
pub(super) fn begins(comment: &Comment) -> Timestamp {
    match parted(&comment.body) {
        Ok((_, Some(block))) => block.signed_at.min(comment.created_at),
        Ok((_, None)) | Err(_) => comment.created_at,
    }
}

/// The signature of a comment; `None`: there is none, and none was meant.
///
/// # Errors
/// There is one that is not its author's over what the comment says, on this change and head.
pub(super) fn of(
    rules: &OverrideRules,
    facts: &Snapshot,
    comment: &Comment,
    author: &Account,
    says: &Says<'_>,
) -> Result<Option<Signed>, String> {
    let (_, Some(block)) = parted(&comment.body)? else {
        return Ok(None);
    };
    let at = block.signed_at;
    if is_later(at, comment.created_at) {
        return Err(format!(
            "it says that it was signed at {at}, which is later than it was written"
        ));
    }
    let armour = block.whole_armour();
    if armour.len() > LONGEST_ARMOUR {
        return Err("the signature is longer than one by an Ed25519 key".to_owned());
    }
    let statement = says.statement(&facts.subject, at)?;
    let key = sshsig::verify(
        OVERRIDE_NAMESPACE,
        armour.as_bytes(),
        statement.as_bytes(),
    )
    .map_err(|why| {
        format!(
            "{why}: sign what this comment says on this change and head, with `ssh-keygen -Y sign -n {OVERRIDE_NAMESPACE}`"
        )
    })?;
    let key = SignerKey::of(&key)
        .ok_or("the key that signed it is no Ed25519 key, and no other counts")?;
    let fingerprint = key.fingerprint();
    let mut listed = rules.signers.iter().filter(|one| one.key == key);
    let source = match (listed.next(), listed.next()) {
        (Some(signer), None) if author.is(&signer.person) => Ok(KeySource::Policy),
        (Some(signer), None) => Err(format!(
            "it is signed with the key of {}, and @{} wrote it",
            signer.person, author.login
        )),
        (Some(_), Some(_)) => Err(format!(
            "the key that signed it, {fingerprint}, is listed twice in `overrides.signers`"
        )),
        // Whoever posts it later than it says has no older statement.
        (None, _) if rules.published_keys => {
            published(rules, facts, author, &key, at.min(comment.created_at))
                .map(KeySource::Platform)
        }
        (None, _) => Err(format!(
            "the key that signed it, {fingerprint}, is not among `overrides.signers` of the policy"
        )),
    };
    Ok(Some(Signed {
        key: fingerprint,
        statement,
        armour,
        at,
        source: source?,
    }))
}

#[cfg(test)]
mod tests;
