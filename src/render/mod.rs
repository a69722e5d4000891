//! One format a file. None decides, none reads the network or the ledger.
//! All untrusted text is escaped for its medium.

pub mod catalogue;
mod policy_schema;

pub use policy_schema::policy_schema;
