//! What GitHub's own scans answer, for the settings and for the change alike: which
//! sentences mean that a service is off, and what an alert or an analysis of code says.

pub(super) mod analyses;
pub(super) mod code;
pub(super) mod refusal;
