//! SSH keys that GitLab publishes for accounts, asked for by the account's number, which outlives its
//! name. Each says what it is for and until when it holds.

use serde::Deserialize;

use crate::facts::{
    Account, AccountRef, Fact, PUBLISHED_KEYS, PublishedKey, PublishedKeys, Unknown, Why,
};
use crate::platform::join;

use super::Session;
use super::permissions::ACCOUNT;
use super::wire::{Read, day, list, present, time};

#[derive(Debug, Deserialize)]
struct Key {
    key: Option<String>,
    created_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
    usage_type: Option<String>,
}

pub(super) async fn collect(session: &Session, accounts: &[Account]) -> Vec<PublishedKeys> {
    session.transport.begin_wave();
    let all = accounts.iter().map(|account| async move {
        PublishedKeys {
            account: AccountRef::from(account),
            keys: match account.id {
                Some(id) => keys(session, id).await,
                None => Fact::Unknown(Unknown::new(
                    PUBLISHED_KEYS,
                    Why::HiddenOrAbsent,
                    "the account's number is not known",
                )),
            },
        }
    });
    join::all(all).await
}

async fn keys(session: &Session, id: u64) -> Fact<Vec<PublishedKey>> {
    let path = format!("/users/{id}/keys");
    let pages = session.settings.get_all(&path, None).await;
    let read: Read<Vec<Key>> = list(PUBLISHED_KEYS, ACCOUNT, &pages);
    let (keys, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let left_out = |field: &str| super::left_out(PUBLISHED_KEYS, field, &sources);
    let mut published = Vec::with_capacity(keys.len());
    for one in keys {
        let Some(line) = one.key else {
            return Fact::Unknown(left_out("key"));
        };
        published.push(PublishedKey {
            line,
            created_at: match time(one.created_at.as_deref()) {
                Some(at) => Fact::known_without_source(at),
                None => Fact::Unknown(left_out("created_at")),
            },
            expires_at: match one.expires_at {
                Some(None) => Fact::known_without_source(None),
                Some(Some(text)) => match day(Some(&text)) {
                    Some(end) => Fact::known_without_source(Some(end)),
                    None => Fact::Unknown(left_out("expires_at")),
                },
                None => Fact::Unknown(left_out("expires_at")),
            },
            signs: match one.usage_type.as_deref() {
                Some("signing" | "auth_and_signing") => Fact::known_without_source(true),
                Some("auth") => Fact::known_without_source(false),
                Some(_) | None => Fact::Unknown(left_out("usage_type")),
            },
        });
    }
    Fact::seen_in(published, sources)
}
