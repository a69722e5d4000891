//! The append-only log of records: leaves, Merkle tiles, signed checkpoints,
//! and stores behind one small interface. This room does not know controls,
//! verdicts or platforms; a record is canonical JSON to it.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, bail};

mod checkpoint;
mod dir;
mod export;
mod files;
mod journal;
mod leaf;
mod merkle;
mod sign;
mod statements;
#[cfg(test)]
mod torture;
mod verify;
mod walk;

pub use checkpoint::Checkpoint;
pub use export::{Export, export};
pub use leaf::{
    BLOB_REFERENCE_TYPE, Leaf, PAYLOAD_TYPE, STATEMENT_TYPE, pre_authentication_encoding,
};
pub use sign::{AllowedSigners, NAMESPACE, SETTINGS_NAMESPACE, Signer};
pub use statements::statements_at;
pub use verify::{Population, State, Verdict, Verification, VerifyOptions, verify};

/// Where a ledger lives. Every store keeps the same leaves and the same checkpoint.
pub trait Store: Send {
    /// Seals the leaves in their order, all or none. A leaf that is already there is not
    /// sealed twice: to repeat an append is safe.
    fn append(&mut self, leaves: &[Leaf]) -> anyhow::Result<Receipt>;
    /// The bytes of the leaves with these numbers.
    fn read(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>>;
    /// The newest checkpoint; `None` while nothing is recorded.
    fn checkpoint(&self) -> anyhow::Result<Option<Checkpoint>>;
    /// What the store promises, and what it cannot.
    fn guarantees(&self) -> Guarantees;
}

/// Proof of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The number of each leaf in the ledger, in the order they were handed in.
    pub indexes: Vec<u64>,
    /// Records in the ledger afterwards.
    pub size: u64,
    /// The root afterwards, in hex.
    pub root: String,
    /// SHA-256 of each leaf's bytes, in hex.
    pub leaf_digests: Vec<String>,
    /// Ids which were there before.
    pub duplicates: Vec<String>,
}

/// Plain sentences for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guarantees {
    pub promises: &'static [&'static str],
    pub administrators_could: &'static [&'static str],
}

/// Opens the ledger that a URL names. `origin` is `ccgate/PLATFORM/REPOSITORY`.
pub fn open(url: &str, origin: &str, signer: Option<Signer>) -> anyhow::Result<Box<dyn Store>> {
    checkpoint::check_origin(origin)?;
    Ok(Box::new(dir::DirStore::new(
        &directory(url)?,
        origin,
        signer,
    )))
}

/// The folder of a `dir:` ledger.
pub fn directory(url: &str) -> anyhow::Result<std::path::PathBuf> {
    if let Some(path) = url.strip_prefix("dir:") {
        if path.is_empty() {
            bail!("the ledger URL `dir:` names no folder; write `dir:PATH`");
        }
        return Ok(Path::new(path).to_owned());
    }
    // The rest of the URL is not repeated: it could hold a password.
    for scheme in ["git+branch:", "git+https:", "s3:", "postgres:"] {
        if url.starts_with(scheme) {
            bail!("ledgers at `{scheme}` are not built in yet; use `dir:PATH`");
        }
    }
    bail!("the ledger URL has an unknown scheme; use `dir:PATH`")
}

/// The checkpoint of the ledger at a URL, whoever owns it.
pub fn checkpoint_at(url: &str) -> anyhow::Result<Checkpoint> {
    let path = directory(url)?;
    let text = dir::checkpoint_text(&path)?;
    let text = text.with_context(|| format!("there is no ledger at `{}`", path.display()))?;
    Checkpoint::parse(&text)
}
