//! What an override of the kind `gate_unavailable` covers: controls of which the platform did
//! not answer the question, and nothing else. A control that failed is never among them, nor
//! one that is unknown for any other reason, which the change or its author could bring about.

use crate::controls::Meta;
use crate::facts::{Unknown, Why};
use crate::gate::kind::Kind;
use crate::policy::Policy;

use super::control_named;

/// What an override command is about.
#[derive(Clone, Copy)]
pub(super) enum About {
    /// One control.
    Control(&'static Meta),
    /// Whatever the platform did not answer for.
    Outage,
}

impl About {
    /// From the word in the control's place.
    pub(super) fn read(policy: &Policy, word: &str) -> Option<Self> {
        if word == Kind::GateUnavailable.word() {
            return Some(Self::Outage);
        }
        control_named(policy, word).map(Self::Control)
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Control(_) => Kind::BreakGlass,
            Self::Outage => Kind::GateUnavailable,
        }
    }

    /// The control's code, or the word for all that was not answered.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Control(meta) => meta.code,
            Self::Outage => Kind::GateUnavailable.word(),
        }
    }

    /// Why nothing is there that it could cover.
    pub(super) fn not_needed(self) -> String {
        match self {
            Self::Control(meta) => format!(
                "{} needs no override: it is not failing, or a waiver covers it",
                meta.code
            ),
            Self::Outage => {
                "no control that may be overridden is unknown because the platform did not answer"
                    .to_owned()
            }
        }
    }
}

/// Whether the platform itself said that it cannot answer now. A rate limit, an answer that is
/// too large or odd and a list that is cut off are none: a change or a job can cause those.
pub(in crate::gate) fn was_not_answered(unknown: &Unknown) -> bool {
    unknown.why == Why::Failed
        && unknown.endpoint.is_some()
        && matches!(unknown.status, Some(500..=599))
}

#[cfg(test)]
mod tests;
