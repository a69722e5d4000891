//! Keys that both platforms publish, answered on loopback.

use serde_json::{Value, json};

use super::*;
use crate::facts::{Platform, PublishedKey, PublishedKeys};
use crate::platform::Host;
use crate::platform::testing::{change, setup_once, snapshot};
use crate::platform::transport::testing::{Reply, Server};

const LINE: &str = "ssh-ed25519 AAAA";

fn on_github(created: &Value) -> Value {
    json!({"id": 1, "key": LINE, "title": "work", "created_at": created})
}

fn on_gitlab() -> Value {
    json!({"id": 1, "key": LINE, "title": "work", "created_at": "2026-05-01T08:00:00.123Z",
        "expires_at": null, "usage_type": "signing"})
}

/// What is read about @ana, account 7, and what was asked.
async fn read(
    platform: Platform,
    answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> (PublishedKeys, Vec<String>) {
    let server = Server::start(move |_, request| {
        answer(request.line.split(' ').next_back().unwrap_or_default())
    })
    .await;
    let mut host = Host::new(setup_once(platform, &server, change(42))).unwrap();
    let mut snapshot = snapshot(platform, &"f1".repeat(20));
    let ana = Account::human("ana").numbered(Some(7));
    host.collect_published_keys(&mut snapshot, &[ana]).await;
    let mut all = snapshot.published_keys.known().unwrap().clone();
    let asked = server.received().into_iter().map(|one| one.line);
    (all.remove(0), asked.collect())
}

/// On GitHub these keys, and the account that has the login now.
async fn github(keys: Value, owner: Value) -> PublishedKeys {
    let (read, _) = read(Platform::Github, move |path| {
        let keys_wanted = path.contains("/ssh_signing_keys");
        Reply::json(&if keys_wanted { &keys } else { &owner }.to_string())
    })
    .await;
    read
}

async fn gitlab(keys: Value) -> PublishedKeys {
    let (read, _) = read(Platform::Gitlab, move |_| Reply::json(&keys.to_string())).await;
    read
}

fn only(read: &PublishedKeys) -> &PublishedKey {
    let keys = read.keys.known().unwrap();
    assert_eq!(keys.len(), 1);
    &keys[0]
}

#[tokio::test]
async fn keys_are_asked_for_by_login_or_number_and_read_with_their_times() {
    let (read_there, asked) = read(Platform::Github, |path| {
        Reply::json(&if path.contains("/ssh_signing_keys") {
            json!([on_github(&json!("2026-05-01T08:00:00Z"))]).to_string()
        } else {
            json!({"login": "ana", "id": 7, "type": "User"}).to_string()
        })
    })
    .await;
    assert_eq!(
        asked,
        [
            "GET /users/ana/ssh_signing_keys?per_page=100",
            "GET /users/ana"
        ]
    );
    let key = only(&read_there);
    assert_eq!((key.line.as_str(), read_there.account.id), (LINE, Some(7)));
    let since = key.created_at.known().unwrap();
    assert_eq!(since.to_string(), "2026-05-01T08:00:00Z");
    assert_eq!(key.expires_at.known(), Ok(&None));
    assert_eq!(key.signs.known(), Ok(&true));

    let (read_there, asked) = read(Platform::Gitlab, |_| {
        Reply::json(&json!([on_gitlab()]).to_string())
    })
    .await;
    assert_eq!(asked, ["GET /users/7/keys?per_page=100"]);
    let key = only(&read_there);
    assert_eq!(key.expires_at.known(), Ok(&None));
    assert_eq!(key.signs.known(), Ok(&true));
}

#[tokio::test]
async fn a_login_that_is_another_accounts_by_now_has_no_keys_to_give() {
    let keys = json!([on_github(&json!("2026-05-01T08:00:00Z"))]);
    for owner in [
        json!({"login": "ana", "id": 8, "type": "User"}),
        json!({"login": "ana", "type": "User"}),
        json!({}),
    ] {
        let read = github(keys.clone(), owner).await;
        assert!(!read.keys.is_known());
    }
}

#[tokio::test]
async fn what_cannot_be_read_whole_is_unknown() {
    let owner = || json!({"login": "ana", "id": 7, "type": "User"});
    for keys in [json!({}), json!([{"id": 1}]), json!(["ssh-ed25519 AAAA"])] {
        assert!(
            !github(keys.clone(), owner()).await.keys.is_known(),
            "{keys}"
        );
        assert!(!gitlab(keys.clone()).await.keys.is_known(), "{keys}");
    }
    for platform in [Platform::Github, Platform::Gitlab] {
        for status in [401, 403, 404, 500] {
            let (read, _) = read(platform, move |_| Reply::status(status)).await;
            assert!(!read.keys.is_known(), "{status}");
        }
        // The second page is not there.
        let (read, _) = read(platform, |path| {
            if path.contains("page=2") {
                return Reply::status(500);
            }
            let list = json!([on_gitlab()]).to_string();
            match path.contains("keys") {
                true => Reply::json(&list).header("x-next-page", "2").header(
                    "link",
                    "</users/ana/ssh_signing_keys?per_page=100&page=2>; rel=\"next\"",
                ),
                false => Reply::json(&json!({"id": 7}).to_string()),
            }
        })
        .await;
        assert!(!read.keys.is_known());
    }
}

#[tokio::test]
async fn what_a_key_does_not_say_of_itself_is_unknown() {
    let read = github(json!([on_github(&Value::Null)]), json!({"id": 7})).await;
    assert!(!only(&read).created_at.is_known());
    let with = |field: &str, value: Value| {
        let mut key = on_gitlab();
        key[field] = value;
        json!([key])
    };
    let read = gitlab(with("created_at", json!("yesterday"))).await;
    assert!(!only(&read).created_at.is_known());
    for (usage, signs) in [
        (json!("auth_and_signing"), Some(true)),
        (json!("auth"), Some(false)),
        (json!("encryption"), None),
        (Value::Null, None),
    ] {
        let read = gitlab(with("usage_type", usage.clone())).await;
        assert_eq!(only(&read).signs.known().ok().copied(), signs, "{usage}");
    }
    let read = gitlab(with("expires_at", json!("2026-07-01"))).await;
    let end = only(&read).expires_at.known().unwrap();
    assert_eq!(end.unwrap().to_string(), "2026-07-01T00:00:00Z");
    let read = gitlab(with("expires_at", json!("never"))).await;
    assert!(!only(&read).expires_at.is_known());
    let mut silent = on_gitlab();
    silent.as_object_mut().unwrap().remove("expires_at");
    let read = gitlab(json!([silent])).await;
    assert!(!only(&read).expires_at.is_known());
}
