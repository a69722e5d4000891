//! A pattern of paths in the parameters of a control, compiled once, so that a
//! broken one is refused together with the policy.

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet};
use serde::{Deserialize, Serialize, Serializer};

use super::path_sieve::Sieve;

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
        glob(&text).map(|glob| Self(glob.compile_matcher()))
    }
}

fn glob(text: &str) -> Result<Glob, String> {
    GlobBuilder::new(text.trim_start_matches('/'))
        .literal_separator(true)
        .build()
        .map_err(|error| error.to_string())
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

/// Patterns of paths that are asked together, as of thousands of files: most of those
/// fall through a sieve before a pattern is tried.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(super) struct PathGlobs {
    written: Vec<String>,
    sieve: Sieve,
    set: GlobSet,
}

impl PathGlobs {
    /// Patterns that are written in the source.
    pub(super) fn literal(patterns: &[&str]) -> Self {
        let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
        Self::try_from(patterns).expect("literal patterns")
    }

    /// Patterns that mean these paths and no others. A backslash escapes in a pattern and
    /// stands for itself between brackets.
    pub(super) fn exactly(paths: &[&str]) -> Self {
        let written: Vec<String> = paths
            .iter()
            .map(|path| globset::escape(path).replace('\\', r"[\]"))
            .collect();
        Self::try_from(written).expect("an escaped path is a pattern")
    }

    /// Whether one of them means the path.
    pub(super) fn is_match(&self, path: &str) -> bool {
        self.sieve.lets_through(path) && self.set.is_match(path)
    }

    /// As they are written, for a sentence.
    pub(super) fn in_words(&self) -> String {
        self.written.join(", ")
    }

    /// What these do not mean and `base` does, letter for letter.
    pub(super) fn left_out(&self, base: &Self) -> Option<String> {
        let missing: Vec<&str> = base
            .written
            .iter()
            .filter(|pattern| !self.written.contains(pattern))
            .map(String::as_str)
            .collect();
        (!missing.is_empty()).then(|| format!("leaves out {}", missing.join(", ")))
    }
}

impl TryFrom<Vec<String>> for PathGlobs {
    type Error = String;

    fn try_from(written: Vec<String>) -> Result<Self, String> {
        let globs = written
            .iter()
            .flat_map(|text| alternatives(text))
            .map(|text| glob(&text))
            .collect::<Result<Vec<_>, _>>()?;
        let set = GlobSet::new(&globs).map_err(|error| error.to_string())?;
        let sieve = Sieve::of(globs.iter().map(Glob::glob));
        Ok(Self {
            written,
            sieve,
            set,
        })
    }
}

/// The patterns that one with a plain `{a,b}` stands for: a name or an ending alone is looked
/// up, where a choice of them has to be searched for.
fn alternatives(pattern: &str) -> Vec<String> {
    let whole = || vec![pattern.to_owned()];
    let Some((before, (choice, after))) = pattern
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return whole();
    };
    let odd = |part: &str| part.contains(['{', '}', '[', ']', '\\']);
    if odd(before) || odd(choice) || odd(after) || choice.split(',').any(str::is_empty) {
        return whole();
    }
    choice
        .split(',')
        .map(|part| format!("{before}{part}{after}"))
        .collect()
}

impl Serialize for PathGlobs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
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
    fn several_patterns_mean_what_each_of_them_means() {
        let globs = PathGlobs::literal(&["/ci/**", "*.tf", "**/auth/**"]);
        for path in ["ci/a/b.yml", "main.tf", "auth/a.rs", "src/auth/b.rs"] {
            assert!(globs.is_match(path), "{path}");
        }
        for path in ["infra/main.tf", "ci", "author/a.rs"] {
            assert!(!globs.is_match(path), "{path}");
        }
        assert!(PathGlobs::try_from(vec!["a{".to_owned()]).is_err());
        assert!(!PathGlobs::literal(&[]).is_match("a"));
        let fewer = PathGlobs::literal(&["*.tf"]);
        assert!(fewer.left_out(&globs).is_some());
        assert_eq!(globs.left_out(&fewer), None);
    }

    /// Whether a pattern is taken apart or not, it means the same paths.
    #[test]
    fn a_choice_that_is_taken_apart_means_what_it_meant() {
        let paths = [
            "a.pem",
            "x/a.key",
            "a.pemkey",
            "a.",
            "{pem,key}",
            "a.{pem,key}",
            "id_rsa",
            "x/id_dsa",
            "id_",
            "b/c",
            "ac",
            "abc",
        ];
        for pattern in [
            "**/*.{pem,key}",
            "**/id_{rsa,dsa}",
            "*.{pem}",
            "{a,b}{c,/c}",
            "a{,b}c",
            "[{]pem,key}",
            "\\{pem,key}",
            "{a,{b,c}}*",
        ] {
            let whole = glob(pattern).map(|glob| glob.compile_matcher());
            let apart = PathGlobs::try_from(vec![pattern.to_owned()]);
            match (whole, apart) {
                (Ok(whole), Ok(apart)) => {
                    for path in paths {
                        assert_eq!(
                            apart.is_match(path),
                            whole.is_match(path),
                            "{pattern} {path}"
                        );
                    }
                }
                (whole, apart) => assert!(whole.is_err() && apart.is_err(), "{pattern}"),
            }
        }
    }

    #[test]
    fn a_path_taken_exactly_means_itself_however_it_is_called() {
        for path in ["ci/a[1]*.yml", "{a,b}?", "!x", "a\\b", "ci.yml"] {
            let globs = PathGlobs::exactly(&[path]);
            assert!(globs.is_match(path), "{path}");
            assert!(
                !globs.is_match("ci/a1z.yml") && !globs.is_match("a"),
                "{path}"
            );
        }
    }

    #[test]
    fn a_list_without_a_pattern_of_the_base_is_weaker() {
        let base = literal(&["a", "b"]);
        assert_eq!(left_out(&literal(&["b", "a", "c"]), &base), None);
        assert!(left_out(&literal(&["a"]), &base).is_some());
    }
}
