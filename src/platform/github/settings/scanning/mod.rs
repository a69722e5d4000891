//! Scans that GitHub runs itself, as far as they are settings of the repository.

pub(super) mod alerts;
mod off;
pub(super) mod push_protection;
pub(super) mod setup;
