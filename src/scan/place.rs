//! Text out of a report, made fit to be shown: one line, short, nothing that
//! moves a cursor or turns the reading direction. Knows paths and rule names;
//! messages and snippets of findings never come here, they may hold the secret.

use std::path::Path;

use percent_encoding::percent_decode_str;

/// Longest name, path or rule in characters.
const LONGEST: usize = 160;

/// Text as it may be shown: invisible and directing characters removed, cut to a length.
pub(super) fn shown(text: &str) -> String {
    let mut visible = text.chars().filter(|character| !is_hidden(*character));
    let mut shown: String = visible.by_ref().take(LONGEST).collect();
    if visible.next().is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}

/// An artifact's URI as a path relative to the repository where that can be told.
pub(super) fn path(uri: &str, root: &Path) -> String {
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
    let relative = match below {
        Some(below) => below.to_string_lossy().into_owned(),
        None => decoded.trim_start_matches("./").to_owned(),
    };
    shown(&relative)
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
