//! The kinds of what goes around a control. Three leave records of their own; waivers and
//! accepted findings stand in the policy, and every decision that they acted in says so.

/// How something went around a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody asked for one control on one head.
    BreakGlass,
    /// Somebody asked for what could not be seen because the platform did not answer.
    GateUnavailable,
    /// Nobody asked: it stood on the branch already.
    BypassDetected,
    /// The policy exempts from a control until a day.
    Waiver,
    /// The policy accepts a finding until a day.
    FindingAccept,
}

impl Kind {
    /// The word, as it stands in commands, decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::BreakGlass => "break_glass",
            Self::GateUnavailable => "gate_unavailable",
            Self::BypassDetected => "bypass_detected",
            Self::Waiver => "waiver",
            Self::FindingAccept => "finding_accept",
        }
    }
}
