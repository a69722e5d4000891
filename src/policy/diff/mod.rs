//! What a policy demands less, more or otherwise than another one, part by part.
//! This room says which way each part went; what follows from that is for the
//! caller. A part whose direction cannot be told counts as weaker where it can
//! open the gate, and as changed where it cannot.

mod change;
mod compare;
mod controls;
mod exemptions;
mod findings;
mod scans;
mod sections;

pub use change::{PolicyChange, PolicyPart};
pub use compare::{DiffError, PolicyDiff, diff, merged};
