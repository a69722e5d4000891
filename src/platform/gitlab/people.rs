//! From GitLab's users, e-mail addresses and notes to accounts. Pure; knows
//! how bots are named and how private commit addresses are built, and does
//! not know whose vote counts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::{Account, AccountKind, Fact, Person, Source, Unknown, Why};

use super::wire::{Member, Note, User, time};

/// The account of a user; `None` for GitLab's stand-in for deleted accounts
/// and for an answer without a name.
pub(super) fn account(user: &User) -> Option<Account> {
    let login = user.username.as_deref().filter(|name| !name.is_empty())?;
    if login == "ghost" {
        return None;
    }
    let kind = if user.bot == Some(true) || named_like_a_bot(login) {
        AccountKind::Bot
    } else {
        AccountKind::Human
    };
    Some(Account {
        login: login.to_owned(),
        kind,
        id: user.id,
    })
}

/// `project_N_bot…`, `group_N_bot…`, service accounts and GitLab's own bots.
/// The `bot` flag is not on users inside other answers, the name is; but a service account may be
/// given any name, so that no name shows a person ([`Kinds`]).
fn named_like_a_bot(login: &str) -> bool {
    let login = login.to_ascii_lowercase();
    let token_user = ["project_", "group_"].iter().any(|prefix| {
        login.strip_prefix(prefix).is_some_and(|rest| {
            let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            digits.len() < rest.len() && (digits == "_bot" || digits.starts_with("_bot"))
        })
    });
    token_user
        || login.starts_with("service_account_")
        || [
            "support-bot",
            "alert-bot",
            "security-bot",
            "duo-code-review-bot",
            "gitlabduo",
        ]
        .contains(&login.as_str())
}

/// The accounts of which GitLab told whether they are bots': token users and service accounts are.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds(Vec<Account>);

impl Kinds {
    /// Takes in the users of an answer that carries the flag. Without flag or number it tells nothing.
    pub(super) fn learn(&mut self, users: impl IntoIterator<Item = User>) {
        let told = users
            .into_iter()
            .filter(|user| user.bot.is_some() && user.id.is_some());
        self.0.extend(told.filter_map(|user| account(&user)));
    }

    /// The account with the kind that was told of its number. What looks like a person's and was not
    /// told to be one is no person's.
    pub(super) fn of(&self, looks: Account) -> Account {
        if looks.kind != AccountKind::Human {
            return looks;
        }
        let told = self
            .0
            .iter()
            .find(|told| looks.id.is_some() && told.id == looks.id);
        match told {
            Some(told) => Account {
                kind: told.kind.clone(),
                ..looks
            },
            None => looks.untold(),
        }
    }
}

/// What is known about e-mail addresses: GitLab's own resolution of the
/// author of each commit, and the host behind private commit addresses.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    /// Lower-case address to the account that GitLab names for it.
    pub(super) by_email: BTreeMap<String, Option<Account>>,
    /// Why GitLab's resolution is missing, if it is.
    pub(super) refused: Option<Unknown>,
    /// Members by number, to follow a private address over a rename.
    pub(super) members: BTreeMap<u64, String>,
    /// Host of the instance, e.g. `gitlab.com`.
    pub(super) host: String,
    /// Where the resolution was read.
    pub(super) sources: Vec<Source>,
    /// Whether those who approved the change are people, asked for in the same question.
    pub(super) approvers: Kinds,
}

impl Directory {
    /// Somebody named in a commit.
    pub(super) fn person(&self, name: &str, email: &str) -> Person {
        Person {
            name: name.to_owned(),
            email: email.to_owned(),
            account: self.account_of(email),
        }
    }

    /// Whose address it is. An address that GitLab did not resolve for us is
    /// unknown, never nobody's: otherwise its owner could approve the change.
    fn account_of(&self, email: &str) -> Fact<Option<Account>> {
        let email = email.trim().to_ascii_lowercase();
        if let Some(account) = self.by_email.get(&email) {
            return Fact::seen_in(account.clone(), self.sources.clone());
        }
        if let Some((id, login)) = self.private_address(&email) {
            return Fact::known_without_source(account(&User {
                id: Some(id),
                username: Some(login),
                ..User::default()
            }));
        }
        if email == format!("noreply@{}", self.host) {
            // Committer of commits made in GitLab's web pages. Whoever pushed
            // and whoever authored it are looked at on their own.
            return Fact::known_without_source(Some(Account {
                login: "gitlab".to_owned(),
                kind: AccountKind::Platform,
                id: None,
            }));
        }
        Fact::Unknown(match &self.refused {
            Some(refused) => refused.clone(),
            None => Unknown::new(
                "change.commits",
                Why::NotSupported,
                "GitLab names the account of a commit's author only, \
                 not of this committer's or co-author's e-mail address",
            ),
        })
    }

    /// `ID-username@users.noreply.HOST` belongs to that user. The number
    /// outlives a rename, so a member of that number is preferred.
    fn private_address(&self, email: &str) -> Option<(u64, String)> {
        let (local, domain) = email.rsplit_once('@')?;
        if domain != format!("users.noreply.{}", self.host) {
            return None;
        }
        let (id, login) = local.split_once('-')?;
        let id: u64 = id.parse().ok()?;
        let known = self.members.get(&id).cloned();
        Some((id, known.unwrap_or_else(|| login.to_owned())))
    }
}

/// The numbers and names of members.
pub(super) fn names(members: &[Member]) -> BTreeMap<u64, String> {
    members
        .iter()
        .filter_map(|member| Some((member.id?, member.username.clone()?)))
        .collect()
}

/// Names and addresses in `Co-authored-by` trailers, wherever they stand in
/// the message: a misplaced trailer still names somebody.
pub(super) fn co_authors(message: &str) -> Vec<(String, String)> {
    message
        .lines()
        .filter_map(|line| {
            let (key, value) = line.trim().split_once(':')?;
            if !key.trim().eq_ignore_ascii_case("co-authored-by") {
                return None;
            }
            let value = value.trim();
            match value.rsplit_once('<') {
                Some((name, rest)) => Some((
                    name.trim().to_owned(),
                    rest.split('>').next().unwrap_or(rest).trim().to_owned(),
                )),
                None => Some((value.to_owned(), String::new())),
            }
        })
        .collect()
}

/// Who added commits, by GitLab's own notes, with the time of each.
pub(super) fn pushers(notes: &[Note]) -> Vec<(Timestamp, Option<Account>)> {
    notes
        .iter()
        .filter(|note| note.system == Some(true) && tells_of_a_push(note))
        .filter_map(|note| {
            let at = time(note.created_at.as_deref())?;
            Some((at, note.author.as_ref().and_then(account)))
        })
        .collect()
}

/// `added 3 commits` and what follows.
pub(super) fn tells_of_a_push(note: &Note) -> bool {
    let body = note.body.as_deref().unwrap_or_default();
    let mut words = body.split_whitespace();
    words.next() == Some("added")
        && words
            .next()
            .is_some_and(|count| count.chars().all(|c| c.is_ascii_digit()))
        && words.next().is_some_and(|word| word.starts_with("commit"))
}

/// Who pushed at that moment: the one note of a push within a minute of it.
/// Two notes by different people near it settle nothing.
pub(super) fn pusher_at(
    at: Timestamp,
    pushers: &[(Timestamp, Option<Account>)],
) -> Option<Option<Account>> {
    let mut near = pushers
        .iter()
        .filter(|(noted, _)| noted.as_second().abs_diff(at.as_second()) <= 60)
        .map(|(_, who)| who);
    let first = near.next()?;
    near.all(|other| other == first).then(|| first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        Directory {
            by_email: BTreeMap::from([
                ("paul@acme.example".to_owned(), Some(Account::human("paul"))),
                ("gone@acme.example".to_owned(), None),
            ]),
            refused: None,
            members: BTreeMap::from([(7, "paula-new".to_owned())]),
            host: "gitlab.acme.example".to_owned(),
            sources: Vec::new(),
            approvers: Kinds::default(),
        }
    }

    #[test]
    fn an_account_is_a_persons_only_where_gitlab_told_so_of_its_number() {
        let user = |id: Option<u64>, login: &str, bot: Option<bool>| User {
            id,
            username: Some(login.to_owned()),
            bot,
        };
        let mut kinds = Kinds::default();
        kinds.learn([
            user(Some(1), "rita", Some(false)),
            user(Some(2), "release-helper", Some(true)),
            user(Some(3), "flagless", None),
            user(None, "numberless", Some(false)),
            user(Some(5), "project_5_bot_ab", Some(false)),
        ]);
        let of = |id: Option<u64>, login: &str| kinds.of(Account::human(login).numbered(id));
        assert!(of(Some(1), "rita").is_human());
        assert!(of(Some(1), "rita-renamed").is_human());
        assert_eq!(of(Some(2), "release-helper").kind, AccountKind::Bot);
        assert_eq!(of(Some(5), "called-otherwise").kind, AccountKind::Bot);
        for (id, login) in [
            (Some(3), "flagless"),
            (None, "numberless"),
            (Some(9), "rita"),
            (None, "rita"),
            (Some(4), "nobody-asked"),
        ] {
            assert!(of(id, login).is_untold(), "{login}");
        }
        assert_eq!(kinds.of(Account::bot("b")).kind, AccountKind::Bot);
    }

    #[test]
    fn a_token_user_is_a_bot_by_its_name_and_a_person_with_such_a_prefix_is_not() {
        let kind = |login: &str| {
            account(&User {
                username: Some(login.to_owned()),
                ..User::default()
            })
            .map(|a| a.kind)
        };
        assert_eq!(kind("project_12_bot_ab12"), Some(AccountKind::Bot));
        assert_eq!(kind("group_3_bot"), Some(AccountKind::Bot));
        assert_eq!(kind("project_manager"), Some(AccountKind::Human));
        assert_eq!(kind("ghost"), None);
    }

    #[test]
    fn f20_an_address_that_gitlab_did_not_resolve_is_unknown() {
        assert!(
            !directory()
                .person("x", "else@acme.example")
                .account
                .is_known()
        );
        assert_eq!(
            directory().person("x", "GONE@acme.example").account.known(),
            Ok(&None)
        );
    }

    #[test]
    fn a_private_address_belongs_to_its_user_even_after_a_rename() {
        let of = |email: &str| directory().person("x", email).account;
        assert_eq!(
            of("7-paula@users.noreply.gitlab.acme.example").known(),
            Ok(&Some(Account::human("paula-new").numbered(Some(7))))
        );
        assert!(!of("7-paula@users.noreply.elsewhere.example").is_known());
    }

    #[test]
    fn co_authors_are_found_in_any_spelling() {
        let found =
            co_authors("Fix\n\nCo-Authored-By: Rita R <rita@acme.example>\nco-authored-by: x");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1, "rita@acme.example");
    }

    #[test]
    fn a_comment_that_reads_like_a_push_note_tells_no_pusher() {
        let note = Note {
            body: Some("added 1 commit".to_owned()),
            system: Some(false),
            created_at: Some("2026-05-30T09:05:00Z".to_owned()),
            ..Note::default()
        };
        assert!(pushers(&[note]).is_empty());
    }
}
