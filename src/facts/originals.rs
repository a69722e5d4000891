//! What a change says that it copies or takes back, and what became of that. The
//! references are read out of its own texts, by the words that git and the platforms
//! put there; whether they are true stands in what was asked about each.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::arrivals::ArrivedChange;
use super::fact::{Fact, Unknown, Why};
use super::key::FactKey;
use super::snapshot::{Platform, Snapshot, Subject};

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
        r"(?i)\b(?:reverts|backports?|backport of|cherry[ -]pick(?:ed)?(?: of| from)?)(?: pull request| merge request| pr| mr)?:? ([\w./-]*)([#!])([0-9]{1,9})\b",
    )
    .expect("a literal pattern")
});

impl Original {
    /// Every number that is known, each once: what has to be asked about.
    pub fn numbers(named: &[(OriginalReference, Fact<Vec<u64>>)]) -> Vec<u64> {
        let known = named.iter().filter_map(|(_, numbers)| numbers.known().ok());
        let mut all: Vec<u64> = known.flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The originals with those of the changes that each names. One that went to
    /// another branch than `branches` is no original, however it is named: nothing
    /// says that anybody guards that branch.
    pub fn among(
        named: Vec<(OriginalReference, Fact<Vec<u64>>)>,
        changes: &[ArrivedChange],
        branches: &[Option<&str>],
    ) -> Vec<Self> {
        let elsewhere = |change: &ArrivedChange| {
            let identity = change.identity.known();
            identity.is_ok_and(|known| !branches.contains(&Some(&known.target_branch)))
        };
        named
            .into_iter()
            .map(|(reference, numbers)| Self {
                reference,
                changes: numbers.map(|numbers| {
                    changes
                        .iter()
                        .filter(|change| numbers.contains(&change.number) && !elsewhere(change))
                        .cloned()
                        .collect()
                }),
            })
            .collect()
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
            &self.subject,
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
    subject: &Subject,
    own_number: u64,
) -> Vec<OriginalReference> {
    // On GitLab `#7` is an issue.
    let sign = match subject.platform {
        Platform::Github => "#",
        Platform::Gitlab => "!",
    };
    let mut found = Vec::new();
    for text in texts {
        found.extend(
            OF_COMMIT
                .captures_iter(text)
                .map(|hit| OriginalReference::Commit(hit[1].to_ascii_lowercase())),
        );
        found.extend(OF_CHANGE.captures_iter(text).filter_map(|hit| {
            let home = &hit[1];
            let here = home.is_empty() || home.eq_ignore_ascii_case(&subject.repository);
            let here = here && &hit[2] == sign;
            let number = hit[3].parse().ok().filter(|number| *number != own_number)?;
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

    fn named_on(platform: Platform, texts: [&str; 3]) -> Vec<OriginalReference> {
        let subject = Subject {
            platform,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: String::new(),
            target: "main".to_owned(),
        };
        named_in(texts, &subject, 7)
    }

    fn named(title: &str, body: &str, message: &str) -> Vec<OriginalReference> {
        named_on(Platform::Github, [title, body, message])
    }

    #[test]
    fn the_words_of_git_and_of_backports_are_understood() {
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
    fn a_revert_of_a_revert_names_the_revert_that_it_takes_back() {
        let message = format!("Reapply \"x\"\n\nThis reverts commit {SHA}.");
        let commit = OriginalReference::Commit(SHA.to_owned());
        assert_eq!(named("Reapply \"x\"", "", &message), [commit]);
        let twice = named("Revert \"Revert \"x\"\"", "Reverts acme/app#12", "");
        assert_eq!(twice, [OriginalReference::Change(12)]);
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

    /// The cheat: an issue whose number is that of an approved change.
    #[test]
    fn a_change_is_named_by_the_sign_of_its_platform() {
        let change = vec![OriginalReference::Change(12)];
        for (platform, text, expected) in [
            (Platform::Github, "Backport of #12", &change),
            (Platform::Github, "Backport of !12", &Vec::new()),
            (Platform::Gitlab, "This reverts merge request !12", &change),
            (Platform::Gitlab, "Backport of #12", &Vec::new()),
        ] {
            assert_eq!(&named_on(platform, [text, "", ""]), expected, "{text}");
        }
    }

    #[test]
    fn one_that_is_named_twice_counts_once() {
        let text = format!("This reverts commit {SHA}.");
        let upper = format!("This reverts commit {}.", SHA.to_uppercase());
        assert_eq!(named("x", &text, &upper).len(), 1);
    }
}
