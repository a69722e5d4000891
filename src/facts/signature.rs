//! Signatures of commits, as far as the platform verified them.

use serde::{Deserialize, Serialize};

use super::actor::Account;
use super::fact::Fact;

/// What the platform says of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// There is none.
    Unsigned,
    /// It is valid, and its key belongs to an account.
    Verified,
    /// It is there and not verified; why, in the platform's word.
    Unverified(String),
}

/// The signature of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSignature {
    /// The commit's full id.
    pub sha: String,
    /// What the platform says of it.
    pub state: SignatureState,
    /// Whose key it is. Known `None`: nobody's that the platform names.
    pub signer: Fact<Option<Account>>,
    /// Whether the platform signed it itself, with its own key. That proves where
    /// the commit was made, not who wrote it.
    pub by_platform: Fact<bool>,
}
