//! Text out of a report, made fit to be shown: one line, short, nothing that
//! moves a cursor or turns the reading direction. Knows paths and rule names;
//! messages and snippets of findings never come here, they may hold the secret.
//! In rules and paths what cannot be seen is spelt out: two that differ must not look
//! the same to whoever accepts a finding.

use std::fmt;
use std::path::Path;

use percent_encoding::percent_decode_str;

use super::mask;

/// Longest name, path or rule in characters.
const LONGEST: usize = 160;

/// A name as it may be shown: what is invisible or directs is left out, tokens are
/// masked, and it is cut to a length.
pub(super) fn shown(text: &str) -> String {
    let visible: String = text.chars().filter(|one| !is_hidden(*one)).collect();
    cut(mask::in_name(&visible).chars()).trim().to_owned()
}

/// The same for a rule or a path, with what is invisible spelt out.
pub(super) fn spelt(text: &str) -> String {
    let masked = mask::in_name(text.trim());
    if !masked.chars().any(is_hidden) {
        return cut(masked.chars());
    }
    let spelt: String = masked.chars().map(|one| Spelt(one).to_string()).collect();
    cut(spelt.chars())
}

/// The same for a sentence that somebody wrote, which may hold more.
pub(super) fn sentence(text: &str) -> String {
    let visible = text
        .chars()
        .map(|one| if is_hidden(one) { ' ' } else { one });
    let visible: String = visible.collect();
    cut(mask::in_sentence(visible.trim()).chars())
}

fn cut(mut characters: impl Iterator<Item = char>) -> String {
    let mut shown: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A character, or its number where it cannot be seen.
struct Spelt(char);

impl fmt::Display for Spelt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_hidden(self.0) {
            return write!(formatter, "{}", self.0.escape_unicode());
        }
        write!(formatter, "{}", self.0)
    }
}

/// An artifact's URI as a path relative to the repository where that can be told, as
/// it stands there and not fit to be shown.
pub(super) fn relative(uri: &str, root: &Path) -> String {
    let local = match uri.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("file://") => {
            let rest = uri.get(7..).unwrap_or_default();
            rest.strip_prefix("localhost/")
                .map_or_else(|| rest.to_owned(), |path| format!("/{path}"))
        }
        _ => uri.to_owned(),
    };
    let decoded = percent_decode_str(&local).decode_utf8_lossy();
    let below = Path::new(decoded.as_ref()).strip_prefix(root).ok();
    match below {
        Some(below) => below.to_string_lossy().into_owned(),
        None => decoded.trim_start_matches("./").to_owned(),
    }
}

/// Control characters, marks of direction, and characters without a width.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}
