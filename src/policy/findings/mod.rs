//! What a policy says about single findings of scans: how severe some of them are here,
//! which were there before, which it accepts until when, and which vulnerabilities
//! count as exploited. Whether a finding is one of them is decided in the gate.

mod accepted;
pub(super) mod floor;
mod lists;
pub(super) mod read;
mod severity_map;

pub use accepted::{AcceptedFinding, Binding, VexJustification, VexStatus};
pub use lists::{ExploitedList, StoredBaseline};
pub(super) use severity_map::lowers;
pub(crate) use severity_map::worst;
pub use severity_map::{RatedAs, SeverityMap};
