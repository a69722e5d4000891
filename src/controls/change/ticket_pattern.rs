//! How tickets look that a policy accepts. It knows no place where they are named.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// A pattern that has been compiled once, so that a broken one fails with the policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct TicketPattern(Regex);

impl Default for TicketPattern {
    fn default() -> Self {
        Self::literal("[A-Z][A-Z0-9]+-[0-9]+")
    }
}

impl TryFrom<String> for TicketPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let regex = RegexBuilder::new(&text)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| error.to_string())?;
        if regex.is_match("") {
            return Err("the pattern matches the empty text, so every change would do".to_owned());
        }
        Ok(Self(regex))
    }
}

impl From<TicketPattern> for String {
    fn from(pattern: TicketPattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl TicketPattern {
    /// A pattern that is written in the source.
    pub(super) fn literal(text: &str) -> Self {
        Self(Regex::new(text).expect("a literal pattern"))
    }

    /// The pattern as written.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The first ticket that stands as a word of its own: `XENG-1` names no `ENG-1`.
    pub(super) fn ticket<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.0.find_iter(text).find_map(|hit| {
            let before = text[..hit.start()].chars().next_back();
            let after = text[hit.end()..].chars().next();
            let alone = ![before, after]
                .into_iter()
                .flatten()
                .any(char::is_alphanumeric);
            alone.then(|| hit.as_str())
        })
    }
}
