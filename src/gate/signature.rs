//! Override commands that their author signed with an SSH key, so that others can verify offline
//! who gave what. The comment stays the carrier: who wrote it and when is the platform's word.
//! A signature that is there and is not in order refuses the comment whole.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::facts::{Account, AccountRef, Comment, Snapshot, Subject};
use crate::policy::OverrideRules;
use crate::sshsig::{self, SignerKey};

use super::command::{Command, approval_comment, parse};
use super::decide::OverrideReport;
use super::overrides::CLOCK_TOLERANCE;

mod carried;
mod published;

pub use published::{Published, published_keys_wanted};

use published::published;

pub use carried::{CommentPlace, SignedComment, signed_comment};

/// The namespace of signatures over override commands, so that no other signature of the key counts.
pub const OVERRIDE_NAMESPACE: &str = "ccgate-override";

/// First line of what is signed.
const FORMAT: &str = "ccgate-override/v1";
const FENCE: &str = "```ccgate-signature";
const FENCE_END: &str = "```";
const SIGNED_AT: &str = "signed-at ";

/// Most bytes of what is signed, and of the armour: both are kept in a record whole or not at all.
const LONGEST_STATEMENT: usize = 2000;
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

/// What a signed command says.
pub(super) enum Says<'w> {
    /// It asks for an override, for a reason.
    Asks {
        /// The words of the command, `override CODE TICKET expires:TIME`.
        words: &'w str,
        /// The reason.
        reason: &'w str,
    },
    /// It approves the override of that id, of which these were words and reason.
    Approves {
        /// Its id, `ovr_…`.
        id: &'w str,
        /// As above.
        words: &'w str,
        /// As above.
        reason: &'w str,
    },
}

impl Says<'_> {
    /// The text that is signed.
    fn statement(&self, subject: &Subject, at: Timestamp) -> Result<String, String> {
        let (approves, words, reason) = match *self {
            Self::Asks { words, reason } => (None, words, reason),
            Self::Approves { id, words, reason } => (Some(id), words, reason),
        };
        let digest = hex::encode(Sha256::digest(reason.as_bytes()));
        statement(subject, approves, words, &digest, at)
    }
}

/// The text that is signed, with the id that is approved, the words of the request and the digest of
/// its reason. No value of it can hold a line break: words are parted at blanks.
fn statement(
    subject: &Subject,
    approves: Option<&str>,
    words: &str,
    digest: &str,
    at: Timestamp,
) -> Result<String, String> {
    let Some(change) = subject.change else {
        return Err("a signed command is about a change, and this is none".to_owned());
    };
    let mut text = format!(
        "{FORMAT}\nplatform {}\nrepository {}\nchange {change}\ntarget {}\nhead {}\n",
        subject.platform.word(),
        subject.repository,
        subject.target,
        subject.head
    );
    // Signed by people who have to see what it says.
    if !words.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Err("the words of a signed command are plain ASCII, and these are not".to_owned());
    }
    let name = match approves {
        Some(id) => {
            let _ = writeln!(text, "command approve {id}");
            "asked"
        }
        None => "command",
    };
    let _ = writeln!(text, "{name} {words}\nreason sha256:{digest}");
    let _ = writeln!(text, "{SIGNED_AT}{at}");
    if text.len() > LONGEST_STATEMENT {
        return Err(format!(
            "what would be signed is longer than {LONGEST_STATEMENT} bytes: write a shorter command"
        ));
    }
    Ok(text)
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

/// The signature of a comment, as it stands there.
struct Block<'c> {
    signed_at: Timestamp,
    armour: Vec<&'c str>,
}

impl Block<'_> {
    /// The signature as `ssh-keygen` writes it.
    fn whole_armour(&self) -> String {
        self.armour.join("\n") + "\n"
    }
}

/// What of a comment is command and reason: all that stands above a signature. Of one whose
/// signature is in no form that counts, everything.
pub(super) fn command_of(body: &str) -> &str {
    match parted(body) {
        Ok((command, _)) => command,
        Err(_) => body,
    }
}

/// Whether a signature was meant, however it is written. The last mark is how the base64 of every
/// signature begins, whatever its frame was made to look like.
pub(super) fn is_meant(body: &str) -> bool {
    let letters = letters(body);
    let marks = [
        "ccgatesignature",
        "beginsshsignature",
        "endsshsignature",
        "u1niu0lh",
    ];
    marks.iter().any(|mark| letters.contains(mark))
}

/// Letters and digits only, without case.
fn letters(body: &str) -> String {
    let plain = body.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The command, and the signature below it. The signature is the end of the comment.
fn parted(body: &str) -> Result<(&str, Option<Block<'_>>), String> {
    if !is_meant(body) {
        return Ok((body, None));
    }
    let fences = body.lines().filter(|line| *line == FENCE).count();
    if fences > 1 || letters(body).matches("beginsshsignature").count() > 1 {
        return Err(
            "there is more than one signature: write a new comment with one, at its end".to_owned(),
        );
    }
    let other_form = || {
        format!(
            "the signature is in another form: below the command it takes a line `{FENCE}`, one \
             `{SIGNED_AT}TIME`, the signature, a line `{FENCE_END}`, and nothing after that"
        )
    };
    let mut start = 0;
    for line in body.split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']) == FENCE {
            break;
        }
        start += line.len();
    }
    let (command, block) = body.split_at(start);
    let lines: Vec<&str> = block.lines().skip(1).collect();
    let Some((first, rest)) = lines.split_first() else {
        return Err(other_form());
    };
    let end = rest.iter().position(|line| *line == FENCE_END);
    let Some((armour, after)) = end.map(|end| (&rest[..end], &rest[end + 1..])) else {
        return Err(other_form());
    };
    if is_meant(command) || after.iter().any(|line| !line.trim().is_empty()) {
        return Err(other_form());
    }
    let signed_at = first
        .strip_prefix(SIGNED_AT)
        .and_then(one_spelling)
        .ok_or_else(other_form)?;
    Ok((
        command,
        Some(Block {
            signed_at,
            armour: armour.to_vec(),
        }),
    ))
}

/// A time as we write it, e.g. `2026-06-01T12:00:00Z`.
fn one_spelling(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    (time.to_string() == text).then_some(time)
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
    let latest = comment.created_at.saturating_add(CLOCK_TOLERANCE);
    if at > latest.unwrap_or(Timestamp::MAX) {
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

/// The signatures of an override, as they stand in its record: what was signed and by what, whole.
pub(super) fn recorded(report: &OverrideReport) -> Value {
    let asked = report.signature.as_ref();
    let asked = asked.map(|signed| ("requester", report.by.as_ref(), signed));
    let approved = report.approval.as_ref().and_then(|approval| {
        let signed = approval.signature.as_ref()?;
        Some(("approver", Some(&approval.by), signed))
    });
    let all = asked.into_iter().chain(approved);
    all.map(|(role, by, signed): (_, Option<&AccountRef>, &Signed)| {
        let published = match &signed.source {
            KeySource::Policy => None,
            KeySource::Platform(published) => Some(published),
        };
        json!({
            "role": role,
            "login": by.map(|by| &by.login),
            "namespace": OVERRIDE_NAMESPACE,
            "key": signed.key,
            "key_source": signed.source_word(),
            // What the platform publishes goes with the account; the policy's keys stay.
            "public_key": published.map(|key| &key.line),
            "published_at": published.map(|key| key.since.to_string()),
            "login_id": by.and_then(|by| by.id),
            "signed_at": signed.at.to_string(),
            "statement": signed.statement,
            "signature": signed.armour,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests;
