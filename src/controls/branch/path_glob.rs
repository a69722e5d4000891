//! A pattern of paths in the parameters of a control, compiled once, so that a
//! broken one is refused together with the policy.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// A pattern of paths: `*` stays within a folder, `**` does not.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct PathGlob(GlobMatcher);

impl PathGlob {
    /// The pattern as written.
    pub(super) fn text(&self) -> &str {
        self.0.glob().glob()
    }

    /// Whether it means the path.
    pub(super) fn is_match(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

impl TryFrom<String> for PathGlob {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        GlobBuilder::new(text.trim_start_matches('/'))
            .literal_separator(true)
            .build()
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| error.to_string())
    }
}

impl From<PathGlob> for String {
    fn from(glob: PathGlob) -> Self {
        glob.text().to_owned()
    }
}

/// Patterns that are written in the source.
pub(super) fn literal(patterns: &[&str]) -> Vec<PathGlob> {
    patterns
        .iter()
        .map(|&pattern| PathGlob::try_from(pattern.to_owned()).expect("a literal pattern"))
        .collect()
}

/// What `list` does not mean and `base` does, for the question which is weaker.
pub(super) fn left_out(list: &[PathGlob], base: &[PathGlob]) -> Option<String> {
    let missing: Vec<&str> = base
        .iter()
        .map(PathGlob::text)
        .filter(|pattern| !list.iter().any(|glob| glob.text() == *pattern))
        .collect();
    (!missing.is_empty()).then(|| format!("leaves out {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_folder_and_a_broken_pattern_is_refused() {
        let globs = literal(&[".github/*", "/ci/**"]);
        assert!(globs.iter().any(|glob| glob.is_match(".github/CODEOWNERS")));
        assert!(
            !globs
                .iter()
                .any(|glob| glob.is_match(".github/workflows/ci.yml"))
        );
        assert!(globs.iter().any(|glob| glob.is_match("ci/a/b.yml")));
        assert!(PathGlob::try_from("a{".to_owned()).is_err());
    }

    #[test]
    fn a_list_without_a_pattern_of_the_base_is_weaker() {
        let base = literal(&["a", "b"]);
        assert_eq!(left_out(&literal(&["b", "a", "c"]), &base), None);
        assert!(left_out(&literal(&["a"]), &base).is_some());
    }
}
