//! Scans that GitHub runs itself. Which answers mean that a service is switched off,
//! and which only that the token may not ask, is told here for all of them.

pub(super) mod alerts;
mod off;
pub(super) mod push_protection;
pub(super) mod setup;
