//! For whom the tokens act, as GitLab itself says. A job token may not ask, and
//! GitLab's refusal is then the answer.

use crate::facts::{Account, Fact, Unknown, Why};
use crate::platform::Readers;

use super::client::Client;
use super::people::account;
use super::wire::{User, object};
use super::{Session, permissions};

/// Name of the fact.
const ACCOUNT: &str = "token.account";

impl Session {
    pub(in crate::platform) async fn identity(&mut self) -> Readers {
        self.transport.begin_wave();
        let separate = self.setup.settings_token.is_some();
        let (change, settings) = tokio::join!(asked(&self.change), async {
            if separate {
                Some(asked(&self.settings).await)
            } else {
                None
            }
        });
        Readers { change, settings }
    }
}

async fn asked(client: &Client) -> Fact<Account> {
    match object::<User>(ACCOUNT, permissions::ACCOUNT, &client.get("/user").await) {
        Ok((user, sources)) => match account(&user) {
            Some(account) => Fact::seen_in(account, sources),
            None => Fact::Unknown(Unknown::new(
                ACCOUNT,
                Why::HiddenOrAbsent,
                "the answer does not say for whom the token acts",
            )),
        },
        Err(unknown) => Fact::Unknown(unknown),
    }
}
