//! From documents to the policy in force: parse, extend, bind, hold to the floor.

use std::fmt;

use jiff::Timestamp;

use crate::facts::{PolicyFacts, Unknown};

use super::model::Policy;
use super::problem::Problems;

/// Why there is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// There is none: exit 2, never a pass.
    Missing,
    /// It could not be read: exit 3.
    Unreadable(Unknown),
    /// It is wrong: exit 2.
    Invalid(Problems),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "there is no policy: neither the target branch nor the default branch has a `.ccgate.yml` (start with one line: `extends: [soc2-baseline]`)"
            ),
            Self::Unreadable(unknown) => write!(f, "{unknown}"),
            Self::Invalid(problems) => write!(f, "{problems}"),
        }
    }
}

impl std::error::Error for LoadError {}

/// The policy in force at `now`: the target branch's document, tightened to the floor.
///
/// # Errors
/// See [`LoadError`].
pub fn load(_documents: &PolicyFacts, _now: Timestamp) -> Result<Policy, LoadError> {
    Err(LoadError::Missing)
}
