//! Accounts and people: who acted, as far as the platform could tell.

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

/// An account on the platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// The name people write after `@`. Compare with [`Account::is`], never with `==`:
    /// platforms do not tell upper from lower case.
    pub login: String,
    /// What kind of account it is.
    pub kind: AccountKind,
}

impl Account {
    /// A person's account.
    pub fn human(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            kind: AccountKind::Human,
        }
    }

    /// A bot's account.
    pub fn bot(login: impl Into<String>) -> Self {
        Self {
            login: login.into(),
            kind: AccountKind::Bot,
        }
    }

    /// Whether this is the account of that name (a leading `@` is ignored).
    pub fn is(&self, login: &str) -> bool {
        self.login
            .eq_ignore_ascii_case(login.strip_prefix('@').unwrap_or(login))
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
    /// Logins of its members, those of teams inside it too.
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
