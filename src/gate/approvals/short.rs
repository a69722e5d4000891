//! Signatures that fit beside an approval of a deployment, of which GitLab keeps 255 characters: behind
//! the command stand the time and the 64 bytes that sign, and nothing else. What is signed is the same
//! text. The usual form is made of it again, with each key that the policy lists for its author, and
//! judged and kept like any other; so a short one proves no less, and can be verified as they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use jiff::Timestamp;

use crate::facts::{Account, Comment, Snapshot};
use crate::gate::command::approval_comment;
use crate::gate::signature::{
    self, OVERRIDE_NAMESPACE, Says, Signed, SignedComment, below, one_spelling,
};
use crate::policy::OverrideRules;
use crate::sshsig;

/// The word before a signature in the short form.
const SIGNED: &str = "signed";

/// The comment of an approval in an environment, with the signature that a comment on the change
/// would carry.
///
/// # Errors
/// The id has another form.
pub fn short_approval(id: &str, signed: &SignedComment) -> Result<String, String> {
    let command = approval_comment(id)?;
    let base64 = STANDARD.encode(&signed.bytes);
    Ok(format!("{command} {SIGNED} {} {base64}", signed.at))
}

/// `/ccgate approve ID signed TIME SIGNATURE`.
#[derive(Clone, Debug)]
pub(super) struct Short {
    /// `/ccgate approve ID`.
    command: String,
    /// When it was signed, by its author's word.
    at: Timestamp,
    /// What signs, of any length.
    bytes: Vec<u8>,
}

impl Short {
    /// The short signature of a comment that approves. `None`: it has none, and none was meant.
    ///
    /// # Errors
    /// One was meant and is written in another way.
    pub(super) fn of(comment: &str) -> Result<Option<Self>, String> {
        let words: Vec<&str> = comment.split_whitespace().collect();
        if words.get(3) != Some(&SIGNED) {
            return Ok(None);
        }
        let other_form = || {
            format!(
                "the signature is in another form: write `/ccgate approve ID {SIGNED} TIME SIGNATURE`, \
                 with its 64 bytes in base64 and nothing after that"
            )
        };
        let &[_, _, id, _, at, base64] = words.as_slice() else {
            return Err(other_form());
        };
        Ok(Some(Self {
            command: approval_comment(id)?,
            at: one_spelling(at).ok_or_else(other_form)?,
            bytes: STANDARD.decode(base64).map_err(|_| other_form())?,
        }))
    }

    /// The signature, if one of the author's keys made it over what the comment says.
    ///
    /// # Errors
    /// None did, with what to do.
    pub(super) fn judge(
        &self,
        rules: &OverrideRules,
        facts: &Snapshot,
        comment: &Comment,
        author: &Account,
        says: &Says<'_>,
    ) -> Result<Signed, String> {
        let mut why = format!(
            "the policy lists no key of @{} (`overrides.signers`), and a signature in the short form \
             does not tell whose it is",
            author.login
        );
        for signer in &rules.signers {
            if !author.is(&signer.person) {
                continue;
            }
            let Some(armour) = sshsig::armour(OVERRIDE_NAMESPACE, &signer.key, &self.bytes) else {
                return Err("a signature has 64 bytes, and this one has not".to_owned());
            };
            let whole = Comment {
                body: below(&self.command, self.at, &armour),
                ..comment.clone()
            };
            match signature::of(rules, facts, &whole, author, says) {
                Ok(Some(signed)) => return Ok(signed),
                // It was written out above, so that there is one.
                Ok(None) => {}
                Err(other) => why = other,
            }
        }
        Err(why)
    }
}

#[cfg(test)]
mod tests;
