//! BR: what protects the branch that a change goes to.

pub(super) mod force_push_blocked;
