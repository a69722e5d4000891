//! Lists of patterns of names in parameters. A star stands for anything, upper
//! and lower case are one. A pattern that cannot be read is refused when the
//! policy is loaded.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

/// Patterns of names, e.g. `actions/*`, `*_DEPLOY_*`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub(super) struct Names {
    patterns: Vec<String>,
    globs: GlobSet,
}

impl Names {
    /// Patterns that are written in the program itself.
    pub(super) fn literal(patterns: &[&str]) -> Self {
        let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
        Self::try_from(patterns).expect("the patterns of the program are valid")
    }

    /// Whether a pattern means the name.
    pub(super) fn mean(&self, name: &str) -> bool {
        self.globs.is_match(name)
    }

    /// Whether there is no pattern.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns that `base` does not have.
    pub(super) fn beyond(&self, base: &Self) -> Option<String> {
        beyond(&self.patterns, &base.patterns)
    }
}

/// What the list names and `base` does not.
pub(super) fn beyond(list: &[String], base: &[String]) -> Option<String> {
    let more: Vec<&str> = list
        .iter()
        .filter(|name| !is_among(base, name))
        .map(String::as_str)
        .collect();
    (!more.is_empty()).then(|| more.join(", "))
}

/// Whether the list names it, in any case.
pub(super) fn is_among(list: &[String], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl TryFrom<Vec<String>> for Names {
    type Error = String;

    fn try_from(patterns: Vec<String>) -> Result<Self, String> {
        let mut builder = GlobSetBuilder::new();
        for pattern in &patterns {
            let glob = GlobBuilder::new(pattern)
                .case_insensitive(true)
                .build()
                .map_err(|error| format!("`{pattern}` is no pattern of names: {}", error.kind()))?;
            builder.add(glob);
        }
        let globs = builder
            .build()
            .map_err(|error| format!("the patterns are too large together: {error}"))?;
        Ok(Self { patterns, globs })
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.patterns
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.patterns.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_crosses_slashes_and_case_does_not_count() {
        let names = Names::literal(&["acme/*", "*_KEY"]);
        assert!(names.mean("acme/ci/sub") && names.mean("Acme/x") && names.mean("api_key"));
        assert!(!names.mean("acme") && !names.mean("evil/acme/x") && !names.mean("KEYS"));
        assert!(!Names::default().mean("") && Names::default().is_empty());
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_refused() {
        assert!(Names::try_from(vec!["a[".to_owned()]).is_err());
    }

    #[test]
    fn only_what_the_other_list_lacks_is_more() {
        let (short, long) = (Names::literal(&["a"]), Names::literal(&["A", "b"]));
        assert_eq!(long.beyond(&short), Some("b".to_owned()));
        assert_eq!(short.beyond(&long), None);
    }
}
