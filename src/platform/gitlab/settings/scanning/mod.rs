//! Scans that GitLab keeps the findings of, policies that make scans run, and the
//! protection of pushes. All of it is sold with the highest tier alone.

mod answered;
mod findings;
mod policies;
pub(super) mod push_protection;
pub(super) mod question;
