//! Reports in GitLab's own formats.

pub(super) mod quality;
pub(super) mod security;
