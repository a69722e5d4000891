//! Words for people: quoting what they wrote, and guessing what they meant.

/// Longest piece of foreign text that is repeated in a message.
const MAX_QUOTED: usize = 80;

/// Longest word for which a likely meaning is looked for; keeps hostile files cheap.
const MAX_GUESSED: usize = 64;

/// Somebody's text in backticks: one line, bounded, nothing invisible.
pub(super) fn quote(text: &str) -> String {
    format!("`{}`", visible(text))
}

/// Somebody's text on one line, bounded, nothing invisible.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == MAX_QUOTED {
            shown.push('…');
            break;
        }
        if c.is_control() || c == '`' {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Help for a misspelt word: the nearest known one, else what there is.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(word, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<_> = known.into_iter().map(|one| format!("`{one}`")).collect();
    match all.len() {
        0 => None,
        1..=12 => Some(format!("known: {}", all.join(", "))),
        _ => None,
    }
}

fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > MAX_GUESSED {
        return None;
    }
    let word = word.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|one| {
            let plain = one.to_lowercase().replace('_', "-");
            (strsim::damerau_levenshtein(&word, &plain), one)
        })
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min()
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_guessed_and_a_far_one_is_not() {
        assert_eq!(
            did_you_mean("mim", ["min", "pattern"]).as_deref(),
            Some("did you mean `min`?")
        );
        assert_eq!(
            did_you_mean("on-unknown", ["on_unknown"]).as_deref(),
            Some("did you mean `on_unknown`?")
        );
        assert_eq!(
            did_you_mean("zebra", ["min"]).as_deref(),
            Some("known: `min`")
        );
        assert_eq!(did_you_mean("x", []), None);
    }

    #[test]
    fn hostile_text_is_quoted_on_one_bounded_line() {
        assert_eq!(quote("a\nb\u{1b}[31m"), "`a\\u{a}b\\u{1b}[31m`");
        assert!(quote(&"x".repeat(10_000)).chars().count() < 100);
    }
}
