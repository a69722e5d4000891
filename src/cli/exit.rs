//! Exit codes: stable, documented, and a function of the decision alone.

use std::fmt;

use crate::gate::{Decision, Outcome};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: passed, overridden, advisory, or pending while the platform holds the merge back.
    Allow,
    /// 1: a control failed.
    Block,
    /// 2: wrong usage or invalid policy.
    Usage,
    /// 3: a needed fact is unknown, or the platform could not be read.
    Undecided,
    /// 4: pending, and nothing but this gate would stop the merge.
    Pending,
    /// 5: the ledger refused.
    Ledger,
}

impl ExitStatus {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Block => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
            Self::Pending => 4,
            Self::Ledger => 5,
        }
    }

    /// The status of a decision.
    pub fn of(decision: &Decision) -> Self {
        match decision.outcome {
            Outcome::Allow => Self::Allow,
            Outcome::Block => Self::Block,
            Outcome::Undecided => Self::Undecided,
            Outcome::Pending if decision.held_by_platform => Self::Allow,
            Outcome::Pending => Self::Pending,
        }
    }
}

/// A command that could not do its work.
#[derive(Debug)]
pub(super) struct CommandError {
    status: ExitStatus,
    error: anyhow::Error,
}

impl CommandError {
    /// Wrong usage, invalid policy, a file that cannot be read or written: 2.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            status: ExitStatus::Usage,
            error: error.into(),
        }
    }

    /// The platform could not be asked: 3.
    pub(super) fn undecided(error: impl Into<anyhow::Error>) -> Self {
        Self {
            status: ExitStatus::Undecided,
            error: error.into(),
        }
    }

    /// The ledger refused: 5.
    pub(super) fn ledger(error: impl Into<anyhow::Error>) -> Self {
        Self {
            status: ExitStatus::Ledger,
            error: error.into(),
        }
    }

    /// The exit status.
    pub(super) fn status(&self) -> ExitStatus {
        self.status
    }

    /// The whole story, outermost first.
    pub(super) fn message(&self) -> String {
        format!("{:#}", self.error)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// What a command gives back.
pub(super) type CommandResult = Result<ExitStatus, CommandError>;
