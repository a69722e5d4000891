//! Text for people, broken at blanks to the width of a terminal. Knows nothing of
//! what it breaks: foreign text has to be made harmless before.

/// Fewest columns for the text beside its heading, however narrow the terminal.
const NARROWEST: usize = 30;

/// The text behind its heading, further lines indented to where the text began;
/// every line with a newline at its end.
pub fn wrap(heading: &str, text: &str, width: usize) -> String {
    let indent = heading.chars().count();
    let room = width.saturating_sub(indent).max(NARROWEST);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    let mut wrapped = String::new();
    for (index, line) in lines.iter().enumerate() {
        let start = if index == 0 { heading } else { "" };
        wrapped.push_str(format!("{start:<indent$}{line}").trim_end());
        wrapped.push('\n');
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_continues_below_where_it_began() {
        let text = wrap(
            "next  ",
            "ask one of the owners of this folder for a review",
            40,
        );
        assert_eq!(
            text,
            "next  ask one of the owners of this\n      folder for a review\n"
        );
    }

    #[test]
    fn a_word_that_is_too_long_is_left_whole() {
        let word = "x".repeat(90);
        assert_eq!(wrap("seen  ", &word, 40), format!("seen  {word}\n"));
        assert_eq!(
            wrap("seen  ", &format!("a {word}"), 40),
            format!("seen  a\n      {word}\n")
        );
    }

    #[test]
    fn an_empty_text_leaves_its_heading() {
        assert_eq!(wrap("seen  ", "", 80), "seen\n");
    }
}
