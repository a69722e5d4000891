//! The `s3:` store: a ledger in a bucket, of objects that are created and never replaced or
//! removed, so that it can stand under an object lock. An append is the creation of one object of the
//! sequence; all else follows from the sequence and is finished by whoever comes.

mod connect;
mod copy;
mod note;
mod objects;
mod place;
mod remote;
mod sequence;
mod store;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tamper_tests;
#[cfg(test)]
mod testing;
mod tip;
mod view;

pub(super) use copy::{export, verify};
pub use place::BucketPlace;
pub(super) use store::{BucketStore, keep, signed_note};
