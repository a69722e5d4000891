//! Who had a hand in the change. It knows commits, pushes and the opener; it
//! knows nothing of reviews. Somebody who cannot be told is never left out:
//! then nobody can be told apart from them.

use super::head::head;
use crate::facts::{
    Account, AccountKind, Commit, FactKey, Person, PushKind, Snapshot, Unknown, Why,
};

/// Everybody who had a hand in the change, and what hides others.
pub(super) struct Hands {
    people: Vec<(String, &'static str)>,
    nobody: Vec<String>,
    hidden: Vec<Unknown>,
}

impl Hands {
    pub(super) fn of(facts: &Snapshot) -> Self {
        let mut hands = Self {
            people: Vec::new(),
            nobody: Vec::new(),
            hidden: Vec::new(),
        };
        match facts.identity.known() {
            Ok(identity) => {
                hands.add_account(identity.author.as_ref(), "opened it");
            }
            Err(unknown) => hands.hidden.push(unknown),
        }
        match facts.commits.known() {
            // A head that cannot be told is among the hidden already: so is the opener.
            Ok(commits) => hands.add_commits(commits, head(facts).ok()),
            Err(unknown) => hands.hidden.push(unknown),
        }
        match facts.pushes.known() {
            Ok(pushes) => {
                for push in pushes
                    .iter()
                    .filter(|push| push.kind == PushKind::ForcePush)
                {
                    match push.actor.known() {
                        Ok(who) => {
                            hands.add_account(who.as_ref(), "force-pushed it");
                        }
                        Err(unknown) => hands.hidden.push(unknown),
                    }
                }
            }
            Err(unknown) => hands.hidden.push(unknown),
        }
        hands
    }

    /// What they did, `None` if they are known to have done nothing.
    ///
    /// # Errors
    /// Why it cannot be told whether they had a hand in it.
    pub(super) fn hand_of(&self, account: &Account) -> Result<Option<&'static str>, Unknown> {
        if let Some((_, how)) = self.people.iter().find(|(name, _)| account.is(name)) {
            return Ok(Some(how));
        }
        if let Some(unknown) = self.hidden.first() {
            return Err(unknown.clone());
        }
        match self.nobody.first() {
            Some(who) => Err(Unknown::new(
                FactKey::ChangeCommits.name(),
                Why::HiddenOrAbsent,
                format!("no account belongs to {who}"),
            )),
            None => Ok(None),
        }
    }

    /// Those who are known to belong to no account.
    pub(super) fn nobody(&self) -> &[String] {
        &self.nobody
    }

    /// How many different people are known.
    pub(super) fn count(&self) -> usize {
        let mut names: Vec<String> = self
            .people
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect();
        names.sort();
        names.dedup();
        names.len()
    }

    /// A list that does not reach the head may lack the very commit that
    /// matters (GitHub lists 250 at most, and a push may have come in between).
    fn add_commits(&mut self, commits: &[Commit], head: Option<&str>) {
        if let Some(head) = head
            && !commits.iter().any(|commit| commit.sha == head)
        {
            self.hidden.push(Unknown::new(
                FactKey::ChangeCommits.name(),
                Why::Failed,
                if commits.is_empty() {
                    "the platform lists no commit of this change".to_owned()
                } else {
                    format!("the list of commits does not reach the head {head}")
                },
            ));
        }
        for commit in commits {
            self.add_person(&commit.author, "wrote a commit", &commit.sha);
            self.add_person(&commit.committer, "committed", &commit.sha);
            for person in &commit.co_authors {
                self.add_person(person, "is a co-author", &commit.sha);
            }
        }
    }

    fn add_account(&mut self, account: Option<&Account>, how: &'static str) {
        match account {
            Some(account) => self.people.push((account.login.clone(), how)),
            // Whoever they were may have another account by now.
            None => self.nobody.push(format!("the deleted account that {how}")),
        }
    }

    fn add_person(&mut self, person: &Person, how: &'static str, sha: &str) {
        match person.account.known() {
            Ok(Some(account)) => match account.kind {
                // The platform's own committer stands for somebody else, who is named as author.
                AccountKind::Platform if how == "committed" => {}
                AccountKind::Platform
                | AccountKind::Human
                | AccountKind::Bot
                | AccountKind::Other(_) => self.people.push((account.login.clone(), how)),
            },
            Ok(None) => self
                .nobody
                .push(format!("`{}` in {}", person.name, short(sha))),
            Err(unknown) => self.hidden.push(unknown),
        }
    }
}

/// The beginning of a commit id, as people write it.
pub(super) fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}
