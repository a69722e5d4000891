//! The append-only log of records: leaves, Merkle tiles, signed checkpoints,
//! and stores behind one small interface. This room does not know controls,
//! verdicts or platforms; a record is canonical JSON to it.

use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;

mod accounts;
#[cfg(feature = "s3")]
mod bucket;
mod bundles;
mod checkpoint;
#[cfg(feature = "postgres")]
mod database;
mod dir;
mod export;
mod files;
mod git;
mod glance;
mod guarantees;
mod journal;
mod keep;
mod leaf;
mod levels;
mod merkle;
mod moment;
mod numbering;
mod place;
mod remote;
mod sign;
mod sigstore;
mod stamps;
mod statements;
mod times;
mod timestamp;
#[cfg(test)]
mod torture;
mod verify;
#[cfg(feature = "s3")]
mod waiting;
mod walk;

#[cfg(feature = "s3")]
pub use bucket::BucketPlace;
pub use checkpoint::Checkpoint;
pub use export::Export;
pub use git::{NewCommit, Published, Publisher};
pub use guarantees::{Guarantees, guarantees};
pub use keep::{SignedNote, keep_bundle, keep_token, signed_note};
pub use leaf::{
    BLOB_REFERENCE_TYPE, Leaf, PAYLOAD_TYPE, STATEMENT_TYPE, pre_authentication_encoding,
};
pub use levels::{LedgerCopy, Level, Levels};
#[cfg(feature = "postgres")]
pub use place::DatabasePlace;
pub use place::{Credentials, DEFAULT_BRANCH, GitPlace, Place};
pub use sign::{AllowedSigners, NAMESPACE, SETTINGS_NAMESPACE, Signer};
pub use sigstore::SigstoreTrust;
#[cfg(feature = "sigstore")]
#[cfg(test)]
pub(crate) use sigstore::testing as sigstore_testing;
pub use statements::statements_at;
pub use times::TimePointers;
pub use timestamp::{StampRequest, TsaRoots};
pub use verify::{BranchOf, Population, State, Verdict, Verification, VerifyOptions};

/// The schema of ledgers in a database, for its owner to run.
pub const DATABASE_SCHEMA: &str = include_str!("database/schema.sql");

/// Where a ledger lives. Every store keeps the same leaves and the same checkpoint.
pub trait Store: Send {
    /// Seals the leaves in their order, all or none. A leaf that is already there is not
    /// sealed twice: to repeat an append is safe.
    fn append(&mut self, leaves: &[Leaf]) -> anyhow::Result<Receipt> {
        self.append_after(&mut |_| Ok(leaves.to_vec()))
    }
    /// The same with leaves that depend on what is sealed already: nothing is sealed between
    /// that look and the append. Where somebody else was faster, `make` is asked again.
    fn append_after(&mut self, make: Make<'_>) -> anyhow::Result<Receipt>;
    /// The bytes of the leaves with these numbers.
    fn read(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>>;
    /// The bytes of a blob, as they lie there: [`Leaf::told`] says whether they fit.
    fn read_blob(&self, digest: &str) -> anyhow::Result<Vec<u8>>;
    /// The newest checkpoint; `None` while nothing is recorded.
    fn checkpoint(&self) -> anyhow::Result<Option<Checkpoint>>;
    /// Seals what other writers left behind, if the store lets them leave anything; says how many
    /// records were sealed meanwhile, by whomever.
    fn seal_waiting(&mut self) -> anyhow::Result<u64> {
        Ok(0)
    }
    /// What the store promises, and what it cannot.
    fn guarantees(&self) -> Guarantees;
}

/// What is sealed at one moment.
pub trait Sealed {
    /// How many records.
    fn size(&self) -> anyhow::Result<u64>;
    /// The bytes of the leaves with these numbers.
    fn leaves(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>>;
    /// See [`Store::read_blob`].
    fn blob(&self, digest: &str) -> anyhow::Result<Vec<u8>>;
}

/// Makes leaves from what is sealed already.
pub type Make<'a> = &'a mut dyn FnMut(&dyn Sealed) -> anyhow::Result<Vec<Leaf>>;

impl Sealed for Box<dyn Store> {
    fn size(&self) -> anyhow::Result<u64> {
        Ok(self.checkpoint()?.map_or(0, |checkpoint| checkpoint.size))
    }

    fn leaves(&self, range: Range<u64>) -> anyhow::Result<Vec<Vec<u8>>> {
        self.read(range)
    }

    fn blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        self.read_blob(digest)
    }
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

impl Receipt {
    /// Leaves the first ones, which are these; what was sealed along with them is others'.
    fn keep_only(&mut self, own: &[Leaf]) {
        self.indexes.truncate(own.len());
        self.leaf_digests.truncate(own.len());
        self.duplicates
            .retain(|id| own.iter().any(|leaf| leaf.id == *id));
    }
}

/// Opens the ledger at a place. `origin` is `ccgate/PLATFORM/REPOSITORY`.
pub fn open(place: &Place, origin: &str, signer: Option<Signer>) -> anyhow::Result<Box<dyn Store>> {
    checkpoint::check_origin(origin)?;
    Ok(match place {
        Place::Folder(folder) => Box::new(dir::DirStore::new(folder, origin, signer)),
        Place::Git(place) => Box::new(git::GitStore::new(place, Some(origin), signer)),
        #[cfg(feature = "postgres")]
        Place::Database(place) => {
            Box::new(database::DatabaseStore::new(place, Some(origin), signer))
        }
        #[cfg(feature = "s3")]
        Place::Bucket(place) => Box::new(bucket::BucketStore::new(place, Some(origin), signer)?),
    })
}

/// Opens the ledger at a place for reading, whoever owns it, and gives its checkpoint.
///
/// # Errors
/// If there is none, or if it cannot be read.
pub fn open_any(place: &Place) -> anyhow::Result<(Box<dyn Store>, Checkpoint)> {
    match place {
        Place::Folder(folder) => {
            let text = dir::checkpoint_text(folder)?;
            let text =
                text.with_context(|| format!("there is no ledger at `{}`", folder.display()))?;
            let checkpoint = Checkpoint::parse(&text)?;
            Ok((open(place, &checkpoint.origin, None)?, checkpoint))
        }
        Place::Git(place) => remote::open_any::<git::Mirror>(place),
        #[cfg(feature = "postgres")]
        Place::Database(place) => remote::open_any::<database::Database>(place),
        #[cfg(feature = "s3")]
        Place::Bucket(bucket) => {
            let store = bucket::BucketStore::new(bucket, None, None)?;
            let checkpoint = store
                .checkpoint()?
                .with_context(|| format!("there is no ledger in {bucket}"))?;
            Ok((Box::new(store), checkpoint))
        }
    }
}

/// Verifies the ledger at a place. Whatever lies there, the answer is a verification.
///
/// # Errors
/// If it is somewhere else and cannot be read.
pub fn verify(place: &Place, options: &VerifyOptions<'_>) -> anyhow::Result<Verification> {
    match place {
        Place::Folder(folder) => Ok(verify::verify(folder, options)),
        Place::Git(place) => git::verify(place, options),
        #[cfg(feature = "postgres")]
        Place::Database(place) => database::verify(place, options),
        #[cfg(feature = "s3")]
        Place::Bucket(place) => bucket::verify(place, options),
    }
}

/// Copies the ledger at a place into `pack`, which must not be there yet.
///
/// # Errors
/// If the ledger's integrity does not hold, if an append was interrupted, or if the pack
/// cannot be written. Then there is no pack.
pub fn export(place: &Place, pack: &Path, options: &VerifyOptions<'_>) -> anyhow::Result<Export> {
    match place {
        Place::Folder(folder) => export::export(folder, pack, options),
        Place::Git(place) => git::export(place, pack, options),
        #[cfg(feature = "postgres")]
        Place::Database(place) => database::export(place, pack, options),
        #[cfg(feature = "s3")]
        Place::Bucket(place) => bucket::export(place, pack, options),
    }
}
