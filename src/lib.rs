//! ccgate, the library behind the binary of that name. It is no public API: it
//! exists for the binary, the tests and the example.
//!
//! The flow goes one way. `cli` reads the command line, the environment and the
//! clock. `platform` asks GitHub or GitLab and fills a `facts::Snapshot`; `scan`
//! reads report files into it. `policy` validates the organisation's file and
//! binds `controls` to their parameters. `gate` evaluates, applies waivers and
//! overrides, decides, and writes the record, which `ledger` seals. `render`
//! shows it. ARCHITECTURE.md says what each room must never do.

pub mod criteria;
pub mod facts;
pub mod sshsig;

pub mod controls;
pub mod ledger;
pub mod platform;
pub mod scan;

pub mod policy;

pub mod gate;

pub mod render;

pub mod cli;
