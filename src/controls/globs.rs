//! A list of globs in a parameter, compiled once, so that a broken one fails
//! with the policy. Upper and lower case are the same, and `*` crosses `/`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

/// Globs as they are written, and what they match.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub(super) struct Globs {
    written: Vec<String>,
    compiled: GlobSet,
}

impl TryFrom<Vec<String>> for Globs {
    type Error = String;

    fn try_from(written: Vec<String>) -> Result<Self, String> {
        let mut builder = GlobSetBuilder::new();
        for glob in &written {
            let glob = GlobBuilder::new(glob)
                .case_insensitive(true)
                .literal_separator(false)
                .build()
                .map_err(|error| format!("no glob: {error}"))?;
            builder.add(glob);
        }
        let compiled = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { written, compiled })
    }
}

impl From<Globs> for Vec<String> {
    fn from(globs: Globs) -> Self {
        globs.written
    }
}

impl Globs {
    /// Whether one of them matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        // Most lists are empty and are asked about every commit.
        !self.written.is_empty() && self.compiled.is_match(name)
    }

    /// Those that stand here and not in `other`, letter for letter but for case:
    /// which of two globs matches more is not known. `None` if there are none.
    pub(super) fn beyond(&self, other: &Self) -> Option<String> {
        let beyond: Vec<&str> = self
            .written
            .iter()
            .filter(|glob| {
                !other
                    .written
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(glob))
            })
            .map(String::as_str)
            .collect();
        (!beyond.is_empty()).then(|| beyond.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(written: &[&str]) -> Globs {
        let written: Vec<String> = written.iter().map(|&glob| glob.to_owned()).collect();
        Globs::try_from(written).expect("literal globs")
    }

    #[test]
    fn case_does_not_count_and_a_star_crosses_a_slash() {
        assert!(globs(&["prod*"]).matches("Production/EU"));
        assert!(!globs(&["prod*"]).matches("preprod"));
        assert!(!globs(&[]).matches(""));
    }

    #[test]
    fn a_broken_glob_is_refused() {
        let broken = Globs::try_from(vec!["prod[".to_owned()]);
        assert!(broken.is_err());
    }

    #[test]
    fn another_glob_is_beyond_and_another_spelling_is_not() {
        let base = globs(&["prod*", "live"]);
        assert_eq!(globs(&["LIVE"]).beyond(&base), None);
        assert_eq!(globs(&["live*"]).beyond(&base), Some("live*".to_owned()));
    }
}
