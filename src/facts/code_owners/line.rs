//! One line of a file of code owners: nothing, a section's header, or a pattern
//! with owners. Knows the two platforms' syntax, matches nothing.

use crate::facts::settings::OwnersDialect;

/// What a line says.
pub(super) enum Line {
    /// Empty, a comment, or something the platform skips.
    Nothing,
    /// `^[Name][2] @default` (GitLab).
    Header(Header),
    /// A pattern and its owners.
    Entry(Entry),
}

/// The header of a section.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) min: u32,
    pub(super) owners: Vec<String>,
}

/// A pattern and its owners.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    /// As written, without the `!` of an exclusion.
    pub(super) pattern: String,
    /// GitLab: takes the paths out of the section.
    pub(super) excludes: bool,
    pub(super) owners: Vec<String>,
}

/// Reads one line; what the platform cannot use is added to the problems.
pub(super) fn read(
    raw: &str,
    number: usize,
    dialect: OwnersDialect,
    problems: &mut Vec<String>,
) -> Line {
    let text = raw.trim();
    if text.is_empty() || text.starts_with('#') {
        return Line::Nothing;
    }
    if dialect == OwnersDialect::Gitlab && (text.starts_with('[') || text.starts_with("^[")) {
        if let Some(header) = header(text, number, problems) {
            return Line::Header(header);
        }
        problems.push(format!(
            "line {number}: the section's header cannot be read"
        ));
        return Line::Nothing;
    }
    let mut words = words(text);
    if words.is_empty() {
        return Line::Nothing;
    }
    let mut pattern = words.remove(0);
    let mut excludes = false;
    match dialect {
        OwnersDialect::Github => {
            if let Some(what) = unusable(&pattern) {
                problems.push(format!("line {number}: {what}"));
                return Line::Nothing;
            }
            // Behind the owners a comment may follow.
            if let Some(comment) = words.iter().position(|word| word.starts_with('#')) {
                words.truncate(comment);
            }
            if let Some(wrong) = words.iter().find(|word| !is_owner(word, dialect)) {
                problems.push(format!("line {number}: `{}` is no owner", short(wrong)));
                return Line::Nothing;
            }
        }
        OwnersDialect::Gitlab => {
            if let Some(rest) = pattern.strip_prefix('!') {
                excludes = true;
                pattern = rest.to_owned();
            }
            // Words that are no owners are passed over; the others still count.
            words.retain(|word| is_owner(word, dialect));
        }
    }
    Line::Entry(Entry {
        line: number,
        pattern,
        excludes,
        owners: words,
    })
}

/// What GitHub's reader does not take, though `.gitignore` does.
/// <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
fn unusable(pattern: &str) -> Option<&'static str> {
    if pattern.starts_with('!') {
        Some("a pattern cannot be negated with `!`")
    } else if pattern.starts_with("\\#") {
        Some("a pattern cannot begin with an escaped `#`")
    } else if pattern.contains(['[', ']']) {
        Some("a pattern cannot hold a range in `[ ]`")
    } else {
        None
    }
}

fn is_owner(word: &str, dialect: OwnersDialect) -> bool {
    if let Some(role) = word.strip_prefix("@@") {
        return dialect == OwnersDialect::Gitlab
            && matches!(
                role.to_ascii_lowercase().trim_end_matches('s'),
                "developer" | "maintainer" | "owner"
            );
    }
    if let Some(name) = word.strip_prefix('@') {
        return !name.is_empty()
            && name
                .split('/')
                .all(|part| !part.is_empty() && !part.contains(['@', '#', ',']));
    }
    word.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local.contains(',')
            && domain.contains('.')
            && !domain.contains(['@', ','])
    })
}

/// Splits at white space that no backslash stands before; the backslash of an
/// escaped space is dropped, any other stays for the pattern.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_some_and(|next| next.is_whitespace()) => {
                word.extend(letters.next());
            }
            '\\' => {
                word.push(letter);
                word.extend(letters.next());
            }
            letter if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `^[Name][2] @default owners`.
/// <https://docs.gitlab.com/user/project/codeowners/reference>
fn header(text: &str, number: usize, problems: &mut Vec<String>) -> Option<Header> {
    let (optional, rest) = match text.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (name, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let (min, rest) = match rest.strip_prefix('[') {
        Some(count) => {
            let (count, rest) = count.split_once(']')?;
            (count.trim().parse::<u32>().ok()?, rest)
        }
        None => (1, rest),
    };
    if min == 0 {
        problems.push(format!(
            "line {number}: a section that wants no approval is only advice"
        ));
    }
    Some(Header {
        name: name.to_owned(),
        optional: optional || min == 0,
        min,
        owners: words(rest)
            .into_iter()
            .filter(|word| is_owner(word, OwnersDialect::Gitlab))
            .collect(),
    })
}

fn short(word: &str) -> String {
    word.chars().take(60).collect()
}
