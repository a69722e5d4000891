//! Texts of a change as a reader sees them.

/// The text without HTML comments; one that is never closed hides the rest.
pub(super) fn visible(text: &str) -> String {
    let mut seen = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        seen.push_str(before);
        seen.push(' ');
        rest = after.split_once("-->").map_or("", |(_, rest)| rest);
    }
    seen.push_str(rest);
    seen
}
