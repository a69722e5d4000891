//! The table of controls. Each stands in its own file and knows only facts.
//!
//! To add one: write its file, add its `mod` line and its line in [`TABLE`],
//! regenerate the documents (see CONTRIBUTING.md).

mod branch;
mod change;
mod control;
mod scan;
#[cfg(test)]
pub(crate) mod testing;

use control::entry;
pub use control::{
    Awaiting, Bound, Control, Entry, Evidence, FailReason, Failure, Meta, Observation, Scope,
    Verdict,
};

/// Every control, sorted by code.
pub static TABLE: &[Entry] = &[
    entry::<branch::force_push_blocked::ForcePushBlocked>(), // BR-18
];

/// The control of that id (`force-push-blocked`) or code (`BR-18`).
pub fn find(id_or_code: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| {
        entry.meta.id == id_or_code || entry.meta.code.eq_ignore_ascii_case(id_or_code)
    })
}
