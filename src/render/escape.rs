//! The one place where text that somebody else wrote is made harmless for the
//! medium that it goes to. Nothing is dropped without a trace: what cannot be
//! shown is spelt out, what is too long ends in `…`.

/// Longest text of one cell or line.
pub const LONGEST: usize = 400;

/// For a terminal or a log: one line, no escapes, no characters that change the
/// order or hide, and nothing that a CI runner takes for a command.
pub fn terminal(text: &str, longest: usize) -> String {
    let text = visible(text, longest).replace("##[", "# #[");
    let mut safe = String::with_capacity(text.len());
    let mut at_start_of_word = true;
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        // Wrapping may put any word first on its line.
        if at_start_of_word && rest.starts_with("::") {
            safe.push_str(": :");
            rest = &rest[2..];
            at_start_of_word = false;
            continue;
        }
        safe.push(c);
        at_start_of_word = c.is_whitespace();
        rest = &rest[c.len_utf8()..];
    }
    safe
}

/// For Markdown that the platforms show: plain text only, no structure, no HTML,
/// no link, no mention or reference.
pub(super) fn markdown(text: &str, longest: usize) -> String {
    const ZERO_WIDTH: &str = "&#8203;";
    let mut safe = String::with_capacity(text.len() * 2);
    let text = visible(text, longest);
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            // A mention or reference is looked for in the finished page, where
            // an entity no longer helps; a character between does.
            '@' | '#' | '!' | '~' | '%' | '$' => {
                if c == '@' || c == '%' || c == '$' {
                    safe.push(c);
                } else {
                    push_entity(&mut safe, c);
                }
                safe.push_str(ZERO_WIDTH);
            }
            '&' | '<' | '>' | '"' | '\'' | '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '\\'
            | '{' | '}' => push_entity(&mut safe, c),
            // `http://…` and `www.…` become links without any brackets.
            '/' if previous == ':' => {
                safe.push_str(ZERO_WIDTH);
                safe.push(c);
            }
            '.' if previous.eq_ignore_ascii_case(&'w') => {
                safe.push_str(ZERO_WIDTH);
                safe.push(c);
            }
            '-' | '+' | '=' if previous == ' ' => push_entity(&mut safe, c),
            _ => safe.push(c),
        }
        previous = c;
    }
    safe
}

/// For Markdown that is posted where a platform looks for more than Markdown has: as
/// [`markdown`], and no reference by key (`GH-12`, `[issue:12]`, `&12`) or by the digits of a
/// commit. It stands behind other words of the same line, never at its beginning.
pub(super) fn posted(text: &str, longest: usize) -> String {
    const ZERO_WIDTH: &str = "&#8203;";
    /// A platform takes that many digits for a commit.
    const COMMIT: usize = 7;
    let text = markdown(text, longest)
        .replace("&#38;", "&#38;&#8203;")
        .replace("&#42;", "&#42;&#8203;")
        .replace("&#91;", "&#91;&#8203;")
        .replace("&#62;", "&#8203;&#62;");
    let mut safe = String::with_capacity(text.len());
    let mut before = [' '; 2];
    let mut digits = 0;
    for c in text.chars() {
        let key = before[0].eq_ignore_ascii_case(&'g')
            && (before[1].eq_ignore_ascii_case(&'h') || before[1].eq_ignore_ascii_case(&'l'));
        digits = if c.is_ascii_hexdigit() { digits + 1 } else { 0 };
        if digits == COMMIT || c == '-' && key {
            safe.push_str(ZERO_WIDTH);
            digits = digits.min(1);
        }
        safe.push(c);
        before = [before[1], c];
    }
    safe
}

/// For the message of a GitHub workflow command.
pub(super) fn command_message(text: &str, longest: usize) -> String {
    visible(text, longest)
        .replace("##[", "# #[")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// For a property of a GitHub workflow command.
pub(super) fn command_property(text: &str, longest: usize) -> String {
    command_message(text, longest)
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// For a SARIF message: square brackets would make a link of it, braces with a
/// number a placeholder.
pub(super) fn sarif(text: &str, longest: usize) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in visible(text, longest).chars() {
        match c {
            '\\' | '[' | ']' => {
                safe.push('\\');
                safe.push(c);
            }
            '{' => safe.push('('),
            '}' => safe.push(')'),
            _ => safe.push(c),
        }
    }
    safe
}

/// For finished JSON: characters that a terminal, a log or a reader could fall
/// for are written as an escape of four hex digits. They only ever stand inside strings, so the
/// value stays the same.
pub(super) fn finished_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_hidden(c) {
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe.replace("##[", "##\\u005b")
}

/// One line of visible characters: controls, bidirectional overrides and
/// characters without width are spelt out.
pub(super) fn visible(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest * 4));
    for (index, c) in text.chars().enumerate() {
        if index >= longest {
            shown.push('…');
            break;
        }
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push(' '),
            _ if is_hidden(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            _ => shown.push(c),
        }
    }
    shown
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

fn push_entity(safe: &mut String, c: char) {
    safe.push_str(&format!("&#{};", u32::from(c)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\n::set-output name=a::b\r\n##[error]z |`@everyone` \
                           \u{202e}dlrow\u{2066}\u{200b} <img onerror=1> ](javascript:alert(1))";

    fn has_hidden(text: &str) -> bool {
        text.chars().any(is_hidden)
    }

    #[test]
    fn nothing_hidden_reaches_a_terminal_and_no_line_is_a_command() {
        let safe = terminal(HOSTILE, LONGEST);
        assert!(!has_hidden(&safe), "{safe}");
        assert!(safe.starts_with(r"x\u{1b}[2J\u{9b}31m\n"), "{safe}");
        assert!(!safe.contains("##["));
        assert!(
            safe.split(' ').all(|word| !word.starts_with("::")),
            "{safe}"
        );
        assert_eq!(
            terminal("::error::a b ::c\u{a0}::d", 50),
            ": :error::a b : :c\u{a0}: :d"
        );
    }

    #[test]
    fn markdown_holds_no_structure_no_html_and_no_mention() {
        let safe = markdown(HOSTILE, LONGEST);
        assert!(!has_hidden(&safe));
        for dangerous in ["|", "`", "<", ">", "](", "@e", "\n", "*", "##"] {
            assert!(!safe.contains(dangerous), "{dangerous} in {safe}");
        }
        assert_eq!(
            markdown("@a #1 !2", 20),
            "@&#8203;a &#35;&#8203;1 &#33;&#8203;2"
        );
        assert_eq!(
            markdown("http://a www.b", 20),
            "http:&#8203;//a www&#8203;.b"
        );
        assert_eq!(markdown("- x\\|y", 20), "&#45; x&#92;&#124;y");
    }

    #[test]
    fn what_is_posted_refers_to_nothing_by_key_or_by_the_digits_of_a_commit() {
        assert_eq!(posted("GH-12 gl-3", 50), "GH&#8203;-12 gl&#8203;-3");
        assert_eq!(posted("a&12", 50), "a&#38;&#8203;12");
        assert_eq!(posted("[issue:1]", 50), "&#91;&#8203;issue:1&#93;");
        assert_eq!(
            posted("0123456789abcdef", 50),
            "012345&#8203;6789ab&#8203;cdef"
        );
        assert_eq!(posted("INC-482 at 2026-06-01", 50), "INC-482 at 2026-06-01");
        let safe = posted(HOSTILE, LONGEST);
        assert!(!has_hidden(&safe));
        for dangerous in ["|", "`", "<", "](", "@e", "\n", "*", "##"] {
            assert!(!safe.contains(dangerous), "{dangerous} in {safe}");
        }
    }

    #[test]
    fn a_workflow_command_stays_one_command() {
        let safe = command_message(HOSTILE, LONGEST);
        assert_eq!(safe.lines().count(), 1);
        assert!(!has_hidden(&safe));
        assert!(!safe.contains("##["));
        assert_eq!(command_message("100%0A", 20), "100%250A");
        assert_eq!(command_property("a:b,c%", 20), "a%3Ab%2Cc%25");
    }

    #[test]
    fn a_sarif_message_holds_no_link_and_no_placeholder() {
        assert_eq!(sarif("[a](b) {0}", 20), r"\[a\](b) (0)");
    }

    #[test]
    fn json_keeps_its_value_and_hides_nothing() {
        let json = serde_json::to_string_pretty(&HOSTILE).expect("a string serialises");
        let safe = finished_json(&json);
        assert!(!has_hidden(&safe), "{safe}");
        assert!(!safe.contains("##["));
        let back: String = serde_json::from_str(&safe).expect("still JSON");
        assert_eq!(back, HOSTILE);
        let tag = serde_json::to_string("\u{e0041}").expect("a string serialises");
        let back: String = serde_json::from_str(&finished_json(&tag)).expect("still JSON");
        assert_eq!(back, "\u{e0041}");
    }

    #[test]
    fn a_huge_text_is_cut_and_says_so() {
        let safe = terminal(&"a".repeat(1_000_000), LONGEST);
        assert_eq!(safe.chars().count(), LONGEST + 1);
        assert!(safe.ends_with('…'));
    }
}
