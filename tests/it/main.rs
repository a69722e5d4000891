//! The commands from outside, and the laws over the whole project.

#[path = "../forge/mod.rs"]
mod forge;

mod architecture;
mod check;
mod contract;
mod doctor;
mod generated;
mod group;
mod ledger;
mod ledger_api;
mod ledger_git;
mod overrides;
mod policy;
mod scan;
mod signed_overrides;
mod snapshot;
mod support;
mod threat_model;
mod tickets;
mod watch;
