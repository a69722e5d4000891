//! What a change says that it copies or takes back, and what became of that. The
//! references are read out of its own texts, by the words that git and the platforms
//! put there; whether they are true stands in what was asked about each.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::arrivals::ArrivedChange;
use super::fact::{Fact, Unknown, Why};
use super::key::FactKey;
use super::snapshot::Snapshot;

/// References of one change that are looked at.
const MOST_ORIGINALS: usize = 10;

/// What a change says that it copies or takes back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginalReference {
    /// A commit, by its full id.
    Commit(String),
    /// A change of the same repository, by its number.
    Change(u64),
}

impl OriginalReference {
    /// In words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Commit(sha) => format!("commit {}", sha.get(..7).unwrap_or(sha)),
            Self::Change(number) => format!("change {number}"),
        }
    }
}

/// One original, as far as the platform knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// How the change names it.
    pub reference: OriginalReference,
    /// The merged changes that may have brought it. Known and empty: the platform
    /// knows none.
    pub changes: Fact<Vec<ArrivedChange>>,
}

/// `git revert` and `git cherry-pick -x` write these, and GitLab's pages do as well.
static OF_COMMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:reverts commit|cherry[ -]picked from commit) ([0-9a-f]{40})\b")
        .expect("a literal pattern")
});

/// GitHub's "Reverts acme/app#7", GitLab's "reverts merge request !7", and the usual
/// titles of backports.
static OF_CHANGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:reverts|backports?|backport of|cherry[ -]pick(?:ed)?(?: of| from)?)(?: pull request| merge request| pr| mr)?:? ([\w./-]*)[#!]([0-9]{1,9})\b",
    )
    .expect("a literal pattern")
});

impl Original {
    /// An original with those of the changes that have one of these numbers.
    pub fn among(
        reference: OriginalReference,
        numbers: Fact<Vec<u64>>,
        changes: &[ArrivedChange],
    ) -> Self {
        Self {
            reference,
            changes: numbers.map(|numbers| {
                let ours = |change: &&ArrivedChange| numbers.contains(&change.number);
                changes.iter().filter(ours).cloned().collect()
            }),
        }
    }
}

/// The group as it is for a change whose references cannot be told.
fn unknown(why: &Unknown) -> Unknown {
    Unknown {
        fact: FactKey::ChangeOriginals.name().to_owned(),
        ..why.clone()
    }
}

impl Snapshot {
    /// What the change says that it copies or takes back, each once, sorted. A change of
    /// another repository is none: nothing could be asked about it.
    ///
    /// # Errors
    /// Why its texts are not known, or that it names more than [`MOST_ORIGINALS`].
    pub fn original_references(&self) -> Result<Vec<OriginalReference>, Unknown> {
        let identity = self.identity.known().map_err(|why| unknown(&why))?;
        let commits = self.commits.known().map_err(|why| unknown(&why))?;
        let own = [identity.title.as_str(), identity.body.as_str()];
        let messages = commits.iter().map(|commit| commit.message.as_str());
        let named = named_in(
            own.into_iter().chain(messages),
            &self.subject.repository,
            identity.number,
        );
        if named.len() > MOST_ORIGINALS {
            let detail = format!(
                "the change names {} originals, of which at most {MOST_ORIGINALS} are looked at",
                named.len()
            );
            return Err(Unknown::new(
                FactKey::ChangeOriginals.name(),
                Why::NotSupported,
                detail,
            ));
        }
        Ok(named)
    }
}

/// Every reference that stands in one of the texts.
fn named_in<'t>(
    texts: impl IntoIterator<Item = &'t str>,
    repository: &str,
    own_number: u64,
) -> Vec<OriginalReference> {
    let mut found = Vec::new();
    for text in texts {
        found.extend(
            OF_COMMIT
                .captures_iter(text)
                .map(|hit| OriginalReference::Commit(hit[1].to_ascii_lowercase())),
        );
        found.extend(OF_CHANGE.captures_iter(text).filter_map(|hit| {
            let here = hit[1].is_empty() || hit[1].eq_ignore_ascii_case(repository);
            let number = hit[2].parse().ok().filter(|number| *number != own_number)?;
            here.then_some(OriginalReference::Change(number))
        }));
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn named(title: &str, body: &str, message: &str) -> Vec<OriginalReference> {
        named_in([title, body, message], "acme/app", 7)
    }

    #[test]
    fn the_words_of_git_and_of_both_platforms_are_understood() {
        let commit = || vec![OriginalReference::Commit(SHA.to_owned())];
        let change = || vec![OriginalReference::Change(12)];
        for (title, body, message, expected) in [
            (
                "",
                "",
                format!("Revert \"x\"\n\nThis reverts commit {SHA}."),
                commit(),
            ),
            (
                "",
                "",
                format!("x\n\n(cherry picked from commit {SHA})"),
                commit(),
            ),
            (
                "Revert \"x\"",
                "Reverts acme/app#12",
                String::new(),
                change(),
            ),
            (
                "x",
                "This reverts merge request !12",
                String::new(),
                change(),
            ),
            ("[1.2] x (backport #12)", "", String::new(), change()),
            ("x", "Backport of #12 to 1.2", String::new(), change()),
            ("x", "Cherry-pick of #12", String::new(), change()),
        ] {
            assert_eq!(
                named(title, body, &message),
                expected,
                "{title} {body} {message}"
            );
        }
    }

    #[test]
    fn other_repositories_short_ids_and_the_change_itself_are_no_original() {
        for (title, body, message) in [
            ("x", "Reverts other/app#12", ""),
            ("x", "This reverts commit 0123456", ""),
            ("x", "Backport of #7", ""),
            ("x", "Fixes #12", ""),
            ("x", "", "See #12"),
        ] {
            assert_eq!(named(title, body, message), Vec::new(), "{body}");
        }
    }

    #[test]
    fn one_that_is_named_twice_counts_once() {
        let text = format!("This reverts commit {SHA}.");
        let upper = format!("This reverts commit {}.", SHA.to_uppercase());
        assert_eq!(named("x", &text, &upper).len(), 1);
    }
}
