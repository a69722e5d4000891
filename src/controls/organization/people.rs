//! Accounts as the controls of this folder speak of them: by login, bots apart.

use crate::facts::{Account, AccountKind};

/// Their logins, in the same order.
pub(super) fn logins<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Vec<String> {
    accounts
        .into_iter()
        .map(|account| account.login.clone())
        .collect()
}

/// Whether the account is known to be a bot's. A kind that is not known is none.
pub(super) fn is_bot(account: &Account) -> bool {
    match account.kind {
        AccountKind::Bot => true,
        AccountKind::Human | AccountKind::Platform | AccountKind::Other(_) => false,
    }
}
