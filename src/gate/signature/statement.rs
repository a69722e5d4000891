//! The text that is signed for an override command, line by line: written here, and read back here
//! from a file. What it says is held against the comment by whoever reads it.

use std::fmt::Write as _;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::facts::{Platform, Subject};

/// First line of what is signed.
const FORMAT: &str = "ccgate-override/v1";
/// How the lines behind it begin, in their order. A request has no line of what was asked.
const PLATFORM: &str = "platform ";
const REPOSITORY: &str = "repository ";
const CHANGE: &str = "change ";
const TARGET: &str = "target ";
const HEAD: &str = "head ";
const COMMAND: &str = "command ";
const ASKED: &str = "asked ";
const REASON: &str = "reason sha256:";
pub(super) const SIGNED_AT: &str = "signed-at ";

/// Most bytes of what is signed: it is kept in a record whole or not at all.
const LONGEST: usize = 2000;

/// What a signed command says.
pub(in crate::gate) enum Says<'w> {
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

/// The change that a command is about, at one head.
pub(super) struct About<'s> {
    pub(super) platform: Platform,
    pub(super) repository: &'s str,
    pub(super) change: u64,
    pub(super) target: &'s str,
    pub(super) head: &'s str,
}

/// What the lines of a statement name.
pub(super) struct Statement<'s> {
    pub(super) text: &'s str,
    pub(super) about: About<'s>,
    /// What the line behind the head says.
    pub(super) command: &'s str,
    /// What the two lines behind that say, if they are those of an approval.
    pub(super) approved: Option<Approved<'s>>,
    pub(super) at: Timestamp,
}

/// The request that an approval is for.
pub(super) struct Approved<'s> {
    /// Its words, in whatever form.
    pub(super) words: &'s str,
    /// The SHA-256 of its reason, in whatever form.
    pub(super) digest: &'s str,
}

impl Says<'_> {
    /// The text that is signed for it at that moment.
    ///
    /// # Errors
    /// As for [`written`], and if it is about no change.
    pub(super) fn statement(&self, subject: &Subject, at: Timestamp) -> Result<String, String> {
        self.on(&About::read(subject)?, at)
    }

    /// The same, about that change.
    pub(super) fn on(&self, about: &About<'_>, at: Timestamp) -> Result<String, String> {
        let (approves, words, reason) = match *self {
            Self::Asks { words, reason } => (None, words, reason),
            Self::Approves { id, words, reason } => (Some(id), words, reason),
        };
        let digest = hex::encode(Sha256::digest(reason.as_bytes()));
        written(about, approves, words, &digest, at)
    }
}

impl<'s> About<'s> {
    fn read(subject: &'s Subject) -> Result<Self, String> {
        let Some(change) = subject.change else {
            return Err("a signed command is about a change, and this is none".to_owned());
        };
        Ok(Self {
            platform: subject.platform,
            repository: &subject.repository,
            change,
            target: &subject.target,
            head: &subject.head,
        })
    }
}

/// The text that is signed, with the id that is approved, the words of the request and the digest of
/// its reason. No value of it can hold a line break: words are parted at blanks.
///
/// # Errors
/// The words are not plain ASCII, or the text would be too long.
pub(super) fn written(
    about: &About<'_>,
    approves: Option<&str>,
    words: &str,
    digest: &str,
    at: Timestamp,
) -> Result<String, String> {
    let platform = about.platform.word();
    let About {
        repository,
        change,
        target,
        head,
        ..
    } = about;
    let mut text = format!(
        "{FORMAT}\n{PLATFORM}{platform}\n{REPOSITORY}{repository}\n{CHANGE}{change}\n\
         {TARGET}{target}\n{HEAD}{head}\n"
    );
    // Signed by people who have to see what it says.
    if !words.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Err("the words of a signed command are plain ASCII, and these are not".to_owned());
    }
    let name = match approves {
        Some(id) => {
            let _ = writeln!(text, "{COMMAND}approve {id}");
            ASKED
        }
        None => COMMAND,
    };
    let _ = writeln!(text, "{name}{words}\n{REASON}{digest}\n{SIGNED_AT}{at}");
    if text.len() > LONGEST {
        return Err(format!(
            "what would be signed is longer than {LONGEST} bytes: write a shorter command"
        ));
    }
    Ok(text)
}

impl<'s> Statement<'s> {
    /// Reads what [`written`] gave. It need not be what that would give again: compare it.
    ///
    /// # Errors
    /// It is something else, with what to do.
    pub(super) fn read(text: &'s str) -> Result<Self, String> {
        let no_statement = || {
            "it is not what `ccgate override statement` prints: print it again, and sign that file \
             as it is"
                .to_owned()
        };
        if text.len() > LONGEST {
            return Err(no_statement());
        }
        let mut lines = text.lines();
        let mut next = |name: &str| lines.next().and_then(|line| line.strip_prefix(name));
        next(FORMAT).ok_or_else(no_statement)?;
        let platform = match next(PLATFORM) {
            Some("github") => Platform::Github,
            Some("gitlab") => Platform::Gitlab,
            Some(_) | None => return Err(no_statement()),
        };
        let repository = next(REPOSITORY).ok_or_else(no_statement)?;
        let change = next(CHANGE).and_then(|number| number.parse().ok());
        let about = About {
            platform,
            repository,
            change: change.ok_or_else(no_statement)?,
            target: next(TARGET).ok_or_else(no_statement)?,
            head: next(HEAD).ok_or_else(no_statement)?,
        };
        let command = next(COMMAND).ok_or_else(no_statement)?;
        let approved = match (next(ASKED), next(REASON)) {
            (Some(words), Some(digest)) => Some(Approved { words, digest }),
            (_, _) => None,
        };
        let at = text.lines().last().and_then(time_of);
        Ok(Self {
            text,
            about,
            command,
            approved,
            at: at.ok_or_else(no_statement)?,
        })
    }
}

/// The time of a line `signed-at TIME`, in the one way in which we write it, e.g.
/// `2026-06-01T12:00:00Z`.
pub(super) fn time_of(line: &str) -> Option<Timestamp> {
    one_spelling(line.strip_prefix(SIGNED_AT)?)
}

/// A time in the one way in which we write it.
pub(in crate::gate) fn one_spelling(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    (time.to_string() == text).then_some(time)
}
