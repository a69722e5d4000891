//! SSH keys that the platform publishes for accounts. Asked for only where an override command is
//! signed with a key that the policy does not list, and the policy lets such keys count.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::AccountRef;
use super::fact::Fact;

/// Name of the fact. No control sees it: it is about who signed an override.
pub const PUBLISHED_KEYS: &str = "override.published_keys";

/// What the platform publishes for one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedKeys {
    /// Whose keys they are, with the number that was asked for.
    pub account: AccountRef,
    /// All of them, of every kind.
    pub keys: Fact<Vec<PublishedKey>>,
}

/// One key that the platform publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedKey {
    /// As the platform writes it, `ssh-ed25519 AAAA… comment`. Hostile text.
    pub line: String,
    /// Since when it is published, by the platform's clock.
    pub created_at: Fact<Timestamp>,
    /// From when on it does not count any more. Known `None`: it has no end.
    pub expires_at: Fact<Option<Timestamp>>,
    /// Whether it is published as a key that signs.
    pub signs: Fact<bool>,
}
