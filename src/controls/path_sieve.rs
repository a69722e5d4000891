//! A first look at a path, before any pattern is tried on it. Nearly all of thousands of
//! files are none that a list of patterns means, and the words of their paths tell so for a
//! fraction of what trying costs. It only ever spares the trial: what it lets through is
//! judged by the patterns themselves, and one that is not plain lets everything through.

use memchr::memrchr;

/// Which paths a list of patterns may mean: of those that it holds back none does.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    /// By the first byte. Each pattern has put a word here that is in every path it means.
    words: Vec<Vec<Word>>,
    /// Whether one of them may stand in a folder, and not only in the name of the file.
    in_folders: bool,
    /// Whether there is a pattern of which no such word can be told.
    open: bool,
}

/// What stands between two of slash, dot, start and end.
#[derive(Clone, Debug)]
struct Word {
    text: Box<[u8]>,
    /// Whether the word is this text, rather than beginning with it.
    whole: bool,
}

impl Sieve {
    /// The sieve of these patterns, in which `*` and `?` stay within a folder.
    pub(super) fn of<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Self {
        let mut sieve = Self {
            words: vec![Vec::new(); 256],
            in_folders: false,
            open: false,
        };
        for pattern in patterns {
            match telling(pattern) {
                Some((place, first, word)) => {
                    sieve.in_folders |= place == Place::Folder;
                    sieve.words[usize::from(first)].push(word);
                }
                None => sieve.open = true,
            }
        }
        sieve
    }

    /// Whether one of the patterns may mean the path.
    pub(super) fn lets_through(&self, path: &str) -> bool {
        // Elsewhere `\` may part folders as well.
        if self.open || (!cfg!(unix) && path.contains('\\')) {
            return true;
        }
        let path = path.as_bytes();
        let looked_at = match memrchr(b'/', path) {
            Some(slash) if !self.in_folders => &path[slash + 1..],
            Some(_) | None => path,
        };
        looked_at
            .split(|byte| matches!(byte, b'/' | b'.'))
            .any(|word| self.knows(word))
    }

    fn knows(&self, word: &[u8]) -> bool {
        let Some(first) = word.first() else {
            return false;
        };
        self.words[usize::from(*first)].iter().any(|known| {
            if known.whole {
                *word == *known.text
            } else {
                word.starts_with(&known.text)
            }
        })
    }
}

/// Where a word stands in a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Folder,
    Name,
}

/// The word that tells most, of those that are in every path that the pattern means: where
/// it is, and its first byte. What stands between two of slash and dot in a pattern does so
/// in the path, and what stands behind the last slash is the name of the file: `*` and `?`
/// stay within a folder, and `**` begins and ends with one.
fn telling(pattern: &str) -> Option<(Place, u8, Word)> {
    if pattern.contains(['[', ']', '{', '}', '\\']) {
        return None;
    }
    let (folders, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let folders = folders.split(['/', '.']).map(|word| (Place::Folder, word));
    let names = name.split('.').map(|word| (Place::Name, word));
    let (whole, place, text) = folders
        .chain(names)
        .map(|(place, word)| {
            // Up to where others may stand in its place.
            let text = word.split(['*', '?']).next().unwrap_or_default();
            (text.len() == word.len(), place, text.as_bytes())
        })
        .filter(|(.., text)| !text.is_empty())
        .max_by_key(|(whole, place, text)| (*whole, *place, text.len()))?;
    let word = Word {
        text: text.into(),
        whole,
    };
    Some((place, *text.first()?, word))
}

#[cfg(test)]
#[path = "path_sieve_tests.rs"]
mod tests;
