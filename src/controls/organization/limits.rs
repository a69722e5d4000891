//! Limits that a policy sets: who may do something at most, and in which words
//! one limit is looser than another.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts::Look;
use crate::facts::Who;

/// Who may do something at most. Every member is no limit, and cannot be set.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(super) enum AtMost {
    /// Nobody at all.
    Nobody,
    /// Owners of the organisation or group.
    #[default]
    Owners,
    /// Administrators of a repository, maintainers of a project.
    Administrators,
}

impl AtMost {
    fn who(self) -> Who {
        match self {
            Self::Nobody => Who::Nobody,
            Self::Owners => Who::Owners,
            Self::Administrators => Who::Administrators,
        }
    }

    /// Looks at who may do `what`.
    pub(super) fn look(self, who: &Who, what: &str) -> Look {
        let words = format!("{} may {what}", who.word());
        if *who <= self.who() {
            Look::Fine(words)
        } else {
            Look::Wrong(words)
        }
    }
}

impl Display for AtMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.who().word())
    }
}

/// That a limit was raised, in words; `None` if it was not.
pub(super) fn raised<L: Copy + PartialOrd + Display>(
    name: &str,
    own: L,
    base: L,
) -> Option<String> {
    (own > base).then(|| format!("{name} {base} -> {own}"))
}

/// That a demand was lowered, in words; `None` if it was not.
pub(super) fn lowered<L: Copy + PartialOrd + Display>(
    name: &str,
    own: L,
    base: L,
) -> Option<String> {
    (own < base).then(|| format!("{name} {base} -> {own}"))
}

/// Everything that is looser, in one sentence.
pub(super) fn together(looser: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let looser: Vec<String> = looser.into_iter().flatten().collect();
    (!looser.is_empty()).then(|| looser.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(limit: AtMost, who: &Who) -> bool {
        match limit.look(who, "do it") {
            Look::Fine(_) => true,
            Look::Wrong(_) => false,
        }
    }

    #[test]
    fn a_word_that_is_not_known_is_beyond_every_limit() {
        let later = Who::Other("later".to_owned());
        for limit in [AtMost::Nobody, AtMost::Owners, AtMost::Administrators] {
            assert!(within(limit, &Who::Nobody));
            assert!(!within(limit, &Who::Members) && !within(limit, &later));
        }
        assert!(within(AtMost::Owners, &Who::Owners));
        assert!(!within(AtMost::Owners, &Who::Administrators));
        assert!(!within(AtMost::Nobody, &Who::Owners));
        assert!(within(AtMost::Administrators, &Who::Administrators));
    }

    #[test]
    fn what_is_looser_is_said_in_words_and_what_is_stricter_is_not() {
        let looser = together([
            raised("by", AtMost::Administrators, AtMost::Owners),
            raised("max", 3, 4),
            lowered("strict", false, true),
        ]);
        assert_eq!(
            looser.as_deref(),
            Some("by owners -> administrators, strict true -> false")
        );
        assert_eq!(together([lowered("min", 2, 2), raised("max", 2, 2)]), None);
    }
}
