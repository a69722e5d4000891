//! How a change names tickets: which words of its texts count, as a reader sees
//! them. Used to ask for tickets and to judge them, so that both mean the same
//! ones. Knows no tracker's answers.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::change::{Commit, Identity};
use super::ticket::Tracker;

/// A reference to an issue: `#3`, or with the full path of its repository before it.
static ISSUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?:[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+)?#[1-9][0-9]{0,9}")
        .expect("a literal pattern")
});

/// A pattern of ticket names that was compiled once, so that a broken one fails
/// with the policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TicketPattern(Regex);

impl TicketPattern {
    /// A pattern that is written in the source.
    pub(crate) fn literal(text: &str) -> Self {
        Self(Regex::new(text).expect("a literal pattern"))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Every ticket that stands as a word of its own: `XENG-1` names no `ENG-1`.
    pub fn names<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.0
            .find_iter(text)
            .filter(|hit| {
                !before(text, hit.start()).is_some_and(char::is_alphanumeric)
                    && !behind(text, hit.end()).is_some_and(char::is_alphanumeric)
            })
            .map(|hit| hit.as_str())
    }
}

impl Default for TicketPattern {
    fn default() -> Self {
        Self::literal("[A-Z][A-Z0-9]+-[0-9]+")
    }
}

impl PartialEq for TicketPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for TicketPattern {}

impl TryFrom<String> for TicketPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let regex = RegexBuilder::new(&text)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| error.to_string())?;
        if regex.is_match("") {
            return Err("the pattern matches the empty text, so every change would do".to_owned());
        }
        Ok(Self(regex))
    }
}

impl From<TicketPattern> for String {
    fn from(pattern: TicketPattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

/// Which tickets a policy speaks of: where they are kept, and how they are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketNaming {
    /// Where they are kept.
    pub tracker: Tracker,
    /// How they are named, where that is not the platform's own way.
    pub pattern: TicketPattern,
    /// Full paths of repositories whose issues count beside the change's own.
    pub repositories: Vec<String>,
}

impl TicketNaming {
    /// The names in what is known of a change, each once: links of the platform,
    /// title, description, branch, commit messages.
    pub fn names(
        &self,
        repository: &str,
        identity: Option<&Identity>,
        commits: Option<&[Commit]>,
    ) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(identity) = identity {
            for link in &identity.linked_issues {
                self.add(repository, link, &mut names);
            }
            self.add(repository, &visible(&identity.title), &mut names);
            self.add(repository, &visible(&identity.body), &mut names);
            self.add(repository, &visible(&identity.source_branch), &mut names);
        }
        for commit in commits.unwrap_or_default() {
            self.add(repository, &visible(&commit.message), &mut names);
        }
        names
    }

    /// Whether it is an issue of a repository that does not count.
    pub fn is_elsewhere(&self, name: &str) -> bool {
        match (self.tracker, name.split_once('#')) {
            (Tracker::Issues, Some((home, _))) => {
                !home.is_empty()
                    && !self
                        .repositories
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(home))
            }
            (Tracker::Issues, None) | (Tracker::Jira | Tracker::File, _) => false,
        }
    }

    fn add(&self, repository: &str, text: &str, names: &mut Vec<String>) {
        let mut keep = |name: String| {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                names.push(name);
            }
        };
        match self.tracker {
            Tracker::Issues => {
                for hit in ISSUE.find_iter(text) {
                    let joins = |c: char| c.is_alphanumeric() || "_/&#.-".contains(c);
                    if !before(text, hit.start()).is_some_and(joins)
                        && !behind(text, hit.end()).is_some_and(char::is_alphanumeric)
                    {
                        keep(issue_name(repository, hit.as_str()));
                    }
                }
            }
            Tracker::Jira | Tracker::File => {
                for name in self.pattern.names(text) {
                    keep(name.to_owned());
                }
            }
        }
    }
}

/// An issue's name without the path of the change's own repository.
fn issue_name(repository: &str, reference: &str) -> String {
    match reference.split_once('#') {
        Some((home, number)) if home.eq_ignore_ascii_case(repository) => format!("#{number}"),
        Some(_) | None => reference.to_owned(),
    }
}

/// The character directly before a place.
fn before(text: &str, place: usize) -> Option<char> {
    text.get(..place)?.chars().next_back()
}

/// The character directly behind a place.
fn behind(text: &str, place: usize) -> Option<char> {
    text.get(place..)?.chars().next()
}

/// The text without HTML comments and without what nobody sees; a comment that is
/// never closed hides the rest.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains("<!--") {
        return legible(text);
    }
    let mut seen = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        seen.push_str(before);
        seen.push(' ');
        rest = after.split_once("-->").map_or("", |(_, rest)| rest);
    }
    seen.push_str(rest);
    Cow::Owned(legible(&seen).into_owned())
}

/// The text without characters that take no room: `ENG-7` with such a one and a `5`
/// behind it reads `ENG-75`, and that is what counts.
fn legible(text: &str) -> Cow<'_, str> {
    // Most texts have none, and there may be hundreds.
    let plain = |byte: &u8| (b' '..=b'~').contains(byte) || byte.is_ascii_whitespace();
    let (eights, rest) = text.as_bytes().as_chunks();
    if eights
        .iter()
        .all(|eight| are_printable(*eight) || eight.iter().all(plain))
        && rest.iter().all(plain)
    {
        return Cow::Borrowed(text);
    }
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// Whether each of them is a character of ASCII from space to `~`.
fn are_printable(eight: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    let bytes = u64::from_le_bytes(eight);
    // Of the first that is not, the highest bit is set, or becomes so when a space is taken
    // away or one is added. Those before it neither borrow nor carry.
    let odd = bytes | bytes.wrapping_sub(ONES * 0x20) | bytes.wrapping_add(ONES);
    odd & (ONES * 0x80) == 0
}

/// Characters without width: soft hyphen, joiners, marks of direction, fillers,
/// selectors of variants, tags. Line breaks and tabs part words and stay.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
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
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issues(text: &str) -> Vec<String> {
        let mut names = Vec::new();
        TicketNaming::default().add("acme/app", text, &mut names);
        names
    }

    fn keys(text: &str) -> Vec<String> {
        let naming = TicketNaming {
            tracker: Tracker::Jira,
            ..TicketNaming::default()
        };
        let mut names = Vec::new();
        naming.add("acme/app", text, &mut names);
        names
    }

    #[test]
    fn an_issue_is_named_by_number_or_with_the_path_of_its_repository() {
        assert_eq!(
            issues("Fixes #3, (#4), acme/other#5 and group/sub/app#6"),
            ["#3", "#4", "acme/other#5", "group/sub/app#6"]
        );
        assert_eq!(issues("ACME/App#3 and #3"), ["#3"]);
    }

    #[test]
    fn what_only_looks_like_an_issue_names_none() {
        for text in [
            "a#3",
            "&#39;",
            "##3",
            "#0",
            "#03",
            "#3rd",
            "#",
            "/acme/app#3",
            "acme/app#3x",
            "#12345678901",
            "\u{ff03}3",
            "#\u{0663}",
            "app#3",
        ] {
            assert!(issues(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_key_is_named_once_and_stands_as_a_word_of_its_own() {
        assert_eq!(keys("ENG-1 XENG-2x ENG-1 (INC-3)"), ["ENG-1", "INC-3"]);
        // A Cyrillic letter before it makes another word of it.
        assert!(keys("\u{0415}NG-7").is_empty());
    }

    #[test]
    fn what_takes_no_room_is_as_if_it_were_not_there() {
        assert_eq!(keys(&legible("ENG-7\u{200b}5")), ["ENG-75"]);
        assert_eq!(keys(&legible("EN\u{ad}G-7")), ["ENG-7"]);
        let tags: String = "ENG-7"
            .chars()
            .filter_map(|c| char::from_u32(0xe0000 + u32::from(c)))
            .collect();
        assert!(keys(&legible(&tags)).is_empty());
        assert_eq!(legible("a\tb\nc"), "a\tb\nc");
    }

    #[test]
    fn eight_bytes_are_looked_at_as_each_of_them_is() {
        let all = |eight: [u8; 8]| eight.iter().all(|byte| (b' '..=b'~').contains(byte));
        for byte in 0..=u8::MAX {
            for (place, other) in (0..8).flat_map(|place| [(place, b' '), (place, b'~')]) {
                let mut eight = [other; 8];
                eight[place] = byte;
                assert_eq!(are_printable(eight), all(eight), "{eight:?}");
                eight[7 - place] = u8::MAX - byte;
                assert_eq!(are_printable(eight), all(eight), "{eight:?}");
            }
        }
    }

    #[test]
    fn a_comment_hides_what_is_in_it_and_one_without_an_end_the_rest() {
        assert_eq!(visible("a<!-- ENG-1 -->b"), "a b");
        assert_eq!(visible("a<!-- ENG-1 -->b<!--c"), "a b ");
        assert_eq!(visible("ENG-7<!-- x -->\u{200b}5"), "ENG-7 5");
        // Before a character that takes no room is taken out, it is none.
        assert_eq!(visible("<!\u{200b}-- a"), "<!-- a");
        assert_eq!(visible("a < b"), "a < b");
    }

    #[test]
    fn issues_of_a_repository_that_is_not_listed_are_elsewhere() {
        let naming = TicketNaming {
            repositories: vec!["acme/plans".to_owned()],
            ..TicketNaming::default()
        };
        assert!(!naming.is_elsewhere("#3"));
        assert!(!naming.is_elsewhere("Acme/Plans#3"));
        assert!(naming.is_elsewhere("evil/plans#3"));
    }
}
