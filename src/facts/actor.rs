//! Accounts and people: who acted, as far as the platform could tell, and whether two of
//! them are one. A login can be changed and then be taken by somebody else; the number that
//! the platform gave the account stays.

use serde::{Deserialize, Serialize};

use super::fact::Fact;

/// What kind of account acted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A person's account.
    Human,
    /// A bot, an app's account, a project or group access token's user.
    Bot,
    /// The platform's own account for commits made in its web pages
    /// (it committed on somebody's behalf; it is nobody's second person).
    Platform,
    /// A kind that this version does not know. Never counts as a person.
    Other(String),
}

/// The kind of an account of which the platform did not tell it.
const UNTOLD: &str = "untold";

/// An account on the platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// The name people write after `@`. Compare with [`Account::is`], never with `==`:
    /// platforms do not tell upper from lower case.
    pub login: String,
    /// What kind of account it is.
    pub kind: AccountKind,
    /// The platform's number of the account, which outlives its name. `None`: the answer did
    /// not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
}

/// Whether two are one account, by what is known of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// They have the same number, or the same login where one has no number.
    Same,
    /// They have the same login and different numbers: somebody took over a name, or one of
    /// the numbers is wrong.
    Namesake,
    /// Nothing says that they are one.
    Other,
}

/// Somebody with a login, and with the number of the account where it is told.
pub trait Identified {
    /// The name people write after `@`.
    fn login(&self) -> &str;

    /// The platform's number of the account.
    fn id(&self) -> Option<u64>;

    /// Whether the two are one account.
    fn likeness(&self, other: &impl Identified) -> Likeness {
        let same_login = self.login().eq_ignore_ascii_case(other.login());
        match (self.id(), other.id()) {
            (Some(one), Some(two)) if one == two => Likeness::Same,
            (Some(_), Some(_)) if same_login => Likeness::Namesake,
            (None, _) | (_, None) if same_login => Likeness::Same,
            (Some(_), Some(_)) | (None, _) | (_, None) => Likeness::Other,
        }
    }

    /// Whether the two are not shown to be different people. Where two have to be different,
    /// a name that was taken over is no proof of it.
    fn may_be(&self, other: &impl Identified) -> bool {
        self.likeness(other) != Likeness::Other
    }
}

impl Identified for Account {
    fn login(&self) -> &str {
        &self.login
    }

    fn id(&self) -> Option<u64> {
        self.id
    }
}

/// An account as a record names it. In older records and saved facts a login alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "WrittenRef", into = "WrittenRef")]
pub struct AccountRef {
    /// Its login at that time.
    pub login: String,
    /// The platform's number of the account. `None`: the record does not tell.
    pub id: Option<u64>,
}

/// The two ways in which an account is written down.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenRef {
    Login(String),
    Numbered { login: String, id: Option<u64> },
}

impl From<WrittenRef> for AccountRef {
    fn from(written: WrittenRef) -> Self {
        match written {
            WrittenRef::Login(login) => Self { login, id: None },
            WrittenRef::Numbered { login, id } => Self { login, id },
        }
    }
}

impl From<AccountRef> for WrittenRef {
    fn from(account: AccountRef) -> Self {
        match account.id {
            None => Self::Login(account.login),
            id @ Some(_) => Self::Numbered {
                login: account.login,
                id,
            },
        }
    }
}

impl From<&Account> for AccountRef {
    fn from(account: &Account) -> Self {
        Self {
            login: account.login.clone(),
            id: account.id,
        }
    }
}

impl AccountRef {
    /// An account of which only the login is told.
    pub fn of_login(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            id: None,
        }
    }
}

impl Identified for AccountRef {
    fn login(&self) -> &str {
        &self.login
    }

    fn id(&self) -> Option<u64> {
        self.id
    }
}

impl Account {
    /// A person's account.
    pub fn human(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            kind: AccountKind::Human,
            id: None,
        }
    }

    /// A bot's account.
    pub fn bot(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            kind: AccountKind::Bot,
            id: None,
        }
    }

    /// The same account with the number that the platform gave it.
    #[must_use]
    pub fn numbered(mut self, id: Option<u64>) -> Self {
        self.id = id;
        self
    }

    /// Whether this is the account of that name (a leading `@` is ignored).
    pub fn is(&self, login: &str) -> bool {
        self.login
            .eq_ignore_ascii_case(login.strip_prefix('@').unwrap_or(login))
    }

    /// The same account, where the platform did not tell whether a person or a machine has it.
    #[must_use]
    pub fn untold(mut self) -> Self {
        self.kind = AccountKind::Other(UNTOLD.to_owned());
        self
    }

    /// Whether the platform was to tell whose account it is, a person's or a machine's, and did not.
    pub fn is_untold(&self) -> bool {
        self.kind == AccountKind::Other(UNTOLD.to_owned())
    }

    /// Whether the account is known to be a person's.
    pub fn is_human(&self) -> bool {
        self.kind == AccountKind::Human
    }
}

/// A team or group that the policy names, and who is in it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamMembers {
    /// Its name as the policy writes it, e.g. `@acme/security`.
    pub team: String,
    /// Logins of its members: on GitHub those of teams inside it too, on GitLab the group's
    /// direct ones.
    pub members: Fact<Vec<String>>,
}

/// Somebody named in a commit: a name and an e-mail address are claims, the
/// account is what the platform made of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name as the commit gives it.
    pub name: String,
    /// The e-mail address as the commit gives it.
    pub email: String,
    /// The account that the address belongs to. Known `None`: the platform
    /// says that the address belongs to nobody.
    pub account: Fact<Option<Account>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(login: &str, id: Option<u64>) -> Account {
        Account::human(login).numbered(id)
    }

    #[test]
    fn the_number_decides_who_is_who_where_both_have_one_and_the_login_elsewhere() {
        for (one, other, expected) in [
            (("tom", Some(7)), ("tom-new", Some(7)), Likeness::Same),
            (("tom", Some(7)), ("TOM", Some(9)), Likeness::Namesake),
            (("tom", Some(7)), ("ana", Some(9)), Likeness::Other),
            (("tom", Some(7)), ("Tom", None), Likeness::Same),
            (("tom", None), ("tom", None), Likeness::Same),
            (("tom", None), ("tom-new", Some(7)), Likeness::Other),
        ] {
            let (one, other) = (account(one.0, one.1), account(other.0, other.1));
            assert_eq!(one.likeness(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.likeness(&one), expected, "{one:?} {other:?}");
            assert_eq!(one.may_be(&other), expected != Likeness::Other);
        }
    }

    #[test]
    fn facts_that_were_saved_before_there_were_numbers_are_read_as_they_were() {
        let old: Account = serde_json::from_str(r#"{"login":"tom","kind":"human"}"#).unwrap();
        assert_eq!(old, account("tom", None));
        assert_eq!(
            serde_json::to_string(&old).unwrap(),
            r#"{"login":"tom","kind":"human"}"#
        );
        let old: AccountRef = serde_json::from_str(r#""tom""#).unwrap();
        assert_eq!(old, AccountRef::of_login("tom"));
        assert_eq!(serde_json::to_string(&old).unwrap(), r#""tom""#);
        let new = AccountRef::from(&account("tom", Some(7)));
        let text = serde_json::to_string(&new).unwrap();
        assert_eq!(text, r#"{"login":"tom","id":7}"#);
        assert_eq!(serde_json::from_str::<AccountRef>(&text).unwrap(), new);
    }
}
