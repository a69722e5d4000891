//! SSH keys that GitHub publishes for signing. They are asked for by login, and a login can be given
//! up and taken by somebody else: whose it is now is asked behind the keys, and compared by number.

use serde::Deserialize;

use crate::facts::{
    Account, AccountRef, Fact, PUBLISHED_KEYS, PublishedKey, PublishedKeys, Source, Unknown, Why,
};
use crate::platform::transport::{Answer, Listing, NoAnswer};
use crate::platform::{access, join};

use super::Session;
use super::permissions::METADATA;
use super::wire::RestUser;

#[derive(Debug, Deserialize)]
struct Key {
    key: Option<String>,
    created_at: Option<String>,
}

pub(super) async fn collect(session: &Session, accounts: &[Account]) -> Vec<PublishedKeys> {
    let path = |account: &Account| format!("/users/{}", access::encode(&account.login));
    session.transport.begin_wave();
    let lists = accounts.iter().map(|account| {
        let list = format!("{}/ssh_signing_keys", path(account));
        async move { session.change.get_all(&list, None).await }
    });
    let lists = join::all(lists).await;
    session.transport.begin_wave();
    let owners = accounts.iter().map(|account| {
        let path = path(account);
        async move { session.change.get(&path).await }
    });
    let owners = join::all(owners).await;
    let answers = lists.iter().zip(&owners);
    let all = accounts.iter().zip(answers);
    all.map(|(account, (list, owner))| PublishedKeys {
        account: AccountRef::from(account),
        keys: keys(account, list, owner).map_or_else(Fact::Unknown, |(keys, sources)| {
            Fact::seen_in(keys, sources)
        }),
    })
    .collect()
}

fn keys(
    account: &Account,
    list: &Result<Listing, NoAnswer>,
    owner: &Result<Answer, NoAnswer>,
) -> Result<(Vec<PublishedKey>, Vec<Source>), Unknown> {
    let refused = |why: &NoAnswer| access::refused(PUBLISHED_KEYS, METADATA, why);
    let list = list.as_ref().map_err(refused)?;
    let owner = owner.as_ref().map_err(refused)?;
    let malformed = |detail: &str| access::malformed(PUBLISHED_KEYS, &list.endpoint, 200, detail);
    let user: RestUser = owner
        .json()
        .map_err(|detail| access::malformed(PUBLISHED_KEYS, &owner.endpoint, 200, &detail))?;
    if user.id.is_none() || user.id != account.id {
        return Err(Unknown::new(
            PUBLISHED_KEYS,
            Why::HiddenOrAbsent,
            format!(
                "the login @{} is not shown to be that of the account that wrote the comment any more",
                account.login
            ),
        )
        .at(&owner.endpoint, Some(200)));
    }
    let mut keys = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let key: Key =
            serde_json::from_value(item.clone()).map_err(|error| malformed(&error.to_string()))?;
        let line = key.key.ok_or_else(|| malformed("a key has no `key`"))?;
        let created_at = key.created_at.and_then(|text| text.parse().ok());
        keys.push(PublishedKey {
            line,
            created_at: match created_at {
                Some(at) => Fact::known_without_source(at),
                None => Fact::Unknown(malformed("a key has no usable `created_at`")),
            },
            // GitHub gives signing keys no end, and lists no others here.
            expires_at: Fact::known_without_source(None),
            signs: Fact::known_without_source(true),
        });
    }
    let mut sources = list.sources.clone();
    sources.push(owner.source.clone());
    Ok((keys, sources))
}
