//! Deploy keys of the repository.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{DeployKey, Fact, FactKey};
use crate::platform::transport::{Listing, NoAnswer};

use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::AccessDeployKeys;

#[derive(Debug, Deserialize)]
struct Wire {
    title: Option<String>,
    read_only: Option<bool>,
    created_at: Option<Timestamp>,
    last_used: Option<Timestamp>,
}

/// Asks for the keys.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<Vec<DeployKey>> {
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(KEY, "deploy keys"));
    }
    keys(asker.shared.deploy_keys().await)
}

fn keys(list: &Result<Listing, NoAnswer>) -> Fact<Vec<DeployKey>> {
    reading::list_of(
        KEY,
        list,
        |wire: &Wire| {
            Some(DeployKey {
                title: wire.title.clone()?,
                can_write: !wire.read_only?,
                created_at: wire.created_at,
                last_used: wire.last_used,
                // The platform's deploy keys never end.
                expires_at: None,
            })
        },
        "a deploy key does not say its title or whether it only reads",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;
    use crate::facts::Why;

    #[test]
    fn a_key_writes_unless_it_says_that_it_only_reads() {
        let seen = keys(&listing(&json!([
            {"title": "b", "read_only": false, "created_at": "2025-01-01T00:00:00Z", "last_used": null},
            {"title": "a", "read_only": true, "created_at": "2025-01-01T00:00:00Z"},
        ])));
        let seen = seen.known().unwrap();
        assert!(!seen[0].can_write && seen[1].can_write);
        assert!(!keys(&listing(&json!([{"title": "c"}]))).is_known());
    }

    #[test]
    fn hidden_keys_are_not_no_keys() {
        let unknown = keys(&no_listing(404, "Not Found")).known().unwrap_err();
        assert_eq!(unknown.why, Why::HiddenOrAbsent);
    }
}
