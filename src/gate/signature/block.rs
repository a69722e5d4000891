//! How a comment carries a signature: a fenced block below the command, at the end of the comment.
//! Here is only what stands where; whether a signature counts is judged in `signature`.

use jiff::Timestamp;

use super::statement::{SIGNED_AT, time_of};

const FENCE: &str = "```ccgate-signature";
const FENCE_END: &str = "```";

/// The comment with a signature of that moment below it. `armour` ends with a line break.
pub(in crate::gate) fn below(comment: &str, at: Timestamp, armour: &str) -> String {
    format!("{comment}\n{FENCE}\n{SIGNED_AT}{at}\n{armour}{FENCE_END}")
}

/// The signature of a comment, as it stands there.
pub(super) struct Block<'c> {
    /// When it was signed, by its author's word.
    pub(super) signed_at: Timestamp,
    armour: Vec<&'c str>,
}

impl Block<'_> {
    /// The signature as `ssh-keygen` writes it.
    pub(super) fn whole_armour(&self) -> String {
        self.armour.join("\n") + "\n"
    }
}

/// What of a comment is command and reason: all that stands above a signature. Of one whose
/// signature is in no form that counts, everything.
pub(in crate::gate) fn command_of(body: &str) -> &str {
    match parted(body) {
        Ok((command, _)) => command,
        Err(_) => body,
    }
}

/// Whether a signature was meant, however it is written. The last mark is how the base64 of every
/// signature begins, whatever its frame was made to look like.
pub(in crate::gate) fn is_meant(body: &str) -> bool {
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
pub(super) fn parted(body: &str) -> Result<(&str, Option<Block<'_>>), String> {
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
    let signed_at = time_of(first).ok_or_else(other_form)?;
    Ok((
        command,
        Some(Block {
            signed_at,
            armour: armour.to_vec(),
        }),
    ))
}
