//! Who had a hand in the change. It knows commits, pushes and the opener; it
//! knows nothing of reviews. Somebody who cannot be told is never left out:
//! then nobody can be told apart from them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::head::head;
use crate::controls::tree::{Deed, Doer};
use crate::facts::{
    Account, AccountKind, Commit, FactKey, Person, PushKind, Snapshot, Unknown, Why,
};

/// An account that had a hand in the change.
pub(super) struct Hand<'f> {
    pub(super) account: &'f Account,
    /// What they did, e.g. `wrote a commit`.
    pub(super) how: &'static str,
}

/// Everybody who had a hand in the change, and what hides others.
pub(super) struct Hands<'f> {
    /// Nobody twice who did the same.
    people: Vec<Hand<'f>>,
    /// The first place in `people` of each login, in lower case: a hundred reviewers
    /// are looked up among the hands of hundreds of commits.
    by_login: HashMap<Cow<'f, str>, usize>,
    /// The same by number, which tells somebody who was called otherwise in between.
    by_number: HashMap<u64, usize>,
    /// The login that was looked up last, and its place: one commit after the other is by
    /// the same person.
    last: Option<(&'f str, usize)>,
    nobody: Vec<String>,
    hidden: Vec<Unknown>,
    /// All of it as it was found, where somebody wants to read it.
    deeds: Option<Vec<Deed>>,
}

impl<'f> Hands<'f> {
    pub(super) fn of(facts: &'f Snapshot) -> Self {
        Self::found(facts, None)
    }

    /// The same with everything that was done, for [`into_deeds`](Self::into_deeds).
    pub(super) fn with_deeds(facts: &'f Snapshot) -> Self {
        Self::found(facts, Some(Vec::new()))
    }

    fn found(facts: &'f Snapshot, deeds: Option<Vec<Deed>>) -> Self {
        let mut hands = Self {
            people: Vec::new(),
            by_login: HashMap::new(),
            by_number: HashMap::new(),
            last: None,
            nobody: Vec::new(),
            hidden: Vec::new(),
            deeds,
        };
        match facts.identity.known() {
            Ok(identity) => {
                hands.add_account(identity.author.as_ref(), "opened it", || None);
            }
            Err(unknown) => hands.hide(unknown, "opened it", || None),
        }
        match facts.commits.known() {
            // A head that cannot be told is among the hidden already: so is the opener.
            Ok(commits) => hands.add_commits(commits, head(facts).ok()),
            Err(unknown) => hands.hide(unknown, "wrote commits", || None),
        }
        match facts.pushes.known() {
            Ok(pushes) => {
                for push in pushes {
                    let how = match push.kind {
                        PushKind::ForcePush => "force-pushed it",
                        // What the change was opened with is its opener's.
                        PushKind::Push if push.before.is_none() => continue,
                        PushKind::Push => "pushed to it",
                    };
                    let at = || Some(push.at.to_string());
                    match push.actor.known() {
                        Ok(who) => hands.add_account(who.as_ref(), how, at),
                        Err(unknown) => hands.hide(unknown, how, at),
                    }
                }
            }
            Err(unknown) => hands.hide(unknown, "pushed to it", || None),
        }
        hands
    }

    /// What they did, `None` if they are known to have done nothing.
    ///
    /// # Errors
    /// Why it cannot be told whether they had a hand in it.
    pub(super) fn hand_of(&self, account: &Account) -> Result<Option<&'static str>, Unknown> {
        let by_number = || self.by_number.get(&account.id?);
        let by_login = self.by_login.get(key(account).as_ref());
        match by_login.or_else(by_number) {
            Some(place) => Ok(Some(self.people[*place].how)),
            None => self.in_doubt().map_or(Ok(None), Err),
        }
    }

    /// The accounts that are known.
    pub(super) fn known(&self) -> impl Iterator<Item = &Hand<'f>> {
        self.people.iter()
    }

    /// Why there may be others, or why one of those who are known to belong to no
    /// account may be anybody.
    pub(super) fn in_doubt(&self) -> Option<Unknown> {
        if let Some(unknown) = self.hidden() {
            return Some(unknown.clone());
        }
        self.nobody.first().map(|who| {
            Unknown::new(
                FactKey::ChangeCommits.name(),
                Why::HiddenOrAbsent,
                format!("no account belongs to {who}"),
            )
        })
    }

    /// Why there may be others.
    pub(super) fn hidden(&self) -> Option<&Unknown> {
        self.hidden.first()
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
            .map(|hand| hand.account.login.to_ascii_lowercase())
            .collect();
        names.sort();
        names.dedup();
        names.len()
    }

    /// A list that does not reach the head may lack the very commit that
    /// matters (GitHub lists 250 at most, and a push may have come in between).
    fn add_commits(&mut self, commits: &'f [Commit], head: Option<&str>) {
        if let Some(head) = head
            && !commits.iter().any(|commit| commit.sha == head)
        {
            let unknown = Unknown::new(
                FactKey::ChangeCommits.name(),
                Why::Failed,
                if commits.is_empty() {
                    "the platform lists no commit of this change".to_owned()
                } else {
                    format!("the list of commits does not reach the head {head}")
                },
            );
            self.hide(unknown, "wrote commits", || None);
        }
        for commit in commits {
            self.add_person(&commit.author, "wrote a commit", &commit.sha);
            self.add_person(&commit.committer, "committed", &commit.sha);
            for person in &commit.co_authors {
                self.add_person(person, "is a co-author", &commit.sha);
            }
        }
    }

    /// All that was found, in the order in which it was.
    pub(super) fn into_deeds(self) -> Vec<Deed> {
        self.deeds.unwrap_or_default()
    }

    fn hide(&mut self, unknown: Unknown, how: &'static str, at: impl FnOnce() -> Option<String>) {
        self.deed(|| Doer::Hidden(unknown.clone()), how, at);
        self.hidden.push(unknown);
    }

    fn deed(
        &mut self,
        who: impl FnOnce() -> Doer,
        how: &'static str,
        at: impl FnOnce() -> Option<String>,
    ) {
        if let Some(deeds) = &mut self.deeds {
            deeds.push(Deed {
                who: who(),
                how,
                at: at(),
            });
        }
    }

    fn add_account(
        &mut self,
        account: Option<&'f Account>,
        how: &'static str,
        at: impl FnOnce() -> Option<String>,
    ) {
        match account {
            Some(account) => {
                self.deed(|| Doer::Account(account.clone()), how, at);
                let first = match self.last {
                    Some((login, first)) if login == account.login => first,
                    Some(_) | None => *self
                        .by_login
                        .entry(key(account))
                        .or_insert(self.people.len()),
                };
                self.last = Some((&account.login, first));
                if let Some(id) = account.id {
                    self.by_number.entry(id).or_insert(first);
                }
                let again = self
                    .people
                    .get(first)
                    .is_some_and(|hand| hand.how == how && hand.account == account);
                if !again {
                    self.people.push(Hand { account, how });
                }
            }
            // Whoever they were may have another account by now.
            None => {
                self.deed(|| Doer::Nobody("a deleted account".to_owned()), how, at);
                self.nobody.push(format!("the deleted account that {how}"));
            }
        }
    }

    fn add_person(&mut self, person: &'f Person, how: &'static str, sha: &str) {
        let at = || Some(short(sha).to_owned());
        match person.account.known() {
            Ok(Some(account)) => match account.kind {
                // The platform's own committer stands for somebody else, who is named as author.
                AccountKind::Platform if how == "committed" => {
                    self.deed(|| Doer::Platform(account.clone()), how, at);
                }
                AccountKind::Platform
                | AccountKind::Human
                | AccountKind::Bot
                | AccountKind::Other(_) => self.add_account(Some(account), how, at),
            },
            Ok(None) => {
                self.deed(|| Doer::Nobody(person.name.clone()), how, at);
                self.nobody
                    .push(format!("`{}` in {}", person.name, short(sha)));
            }
            Err(unknown) => self.hide(unknown, how, at),
        }
    }
}

/// By what an account is found: equal for two of which one [is](Account::is) the other.
pub(super) fn key(account: &Account) -> Cow<'_, str> {
    let login = account.login.as_str();
    let login = login.strip_prefix('@').unwrap_or(login);
    if login.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(login.to_ascii_lowercase())
    } else {
        Cow::Borrowed(login)
    }
}

/// The beginning of a commit id, as people write it.
pub(super) fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}
