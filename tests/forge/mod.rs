//! A small forge on the loopback address with one recorded organisation: what
//! the demonstration shows and what the command tests run against. It answers
//! the questions that ccgate asks GitHub, and those about a merge request that it asks
//! GitLab, from one model with state, and it is never part of the binary.
//!
//! It knows no permissions beyond "may see settings" and no faults; those are
//! tested beside the transport and against a larger double.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the tests and the demonstration each use a part of it"
)]

mod gitlab;
mod graphql;
mod model;
mod server;

pub use model::{Check, Commit, Merge, Organisation, PullRequest};
pub use server::Forge;
