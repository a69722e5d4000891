//! What a file of code owners is worth beyond its lines: whether the platform
//! reads it at all, and whether a pattern of paths is owned whole.

use crate::controls::path_glob::PathGlob;
use crate::facts::{OwnersDialect, OwnersFile, OwnersRules};

/// A file of this size or more is not read, where the platform has such a limit.
/// <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-size>
const TOO_LARGE: u64 = 3_000_000;

/// Whether the platform ignores the file because of its size.
pub(super) fn is_ignored(file: &OwnersFile) -> bool {
    match file.dialect {
        OwnersDialect::Github => file.size >= TOO_LARGE,
        OwnersDialect::Gitlab => false,
    }
}

/// The paths that the pattern means, and one that somebody could add: a file may
/// own what stands there today and not the next one beside it.
pub(super) fn meant(glob: &PathGlob, paths: &[String]) -> Vec<String> {
    let mut meant: Vec<String> = paths
        .iter()
        .filter(|path| glob.is_match(path))
        .cloned()
        .collect();
    if !meant.is_empty() {
        meant.extend(newcomer(glob));
    }
    meant.sort_unstable();
    meant.dedup();
    meant
}

/// What the platform reads in the file; `None` where it ignores the file.
pub(super) fn rules(file: &OwnersFile) -> Option<OwnersRules> {
    (!is_ignored(file)).then(|| OwnersRules::parse(&file.text, file.dialect))
}

/// Whether there is an owner for each of the paths.
pub(super) fn owns(rules: Option<&OwnersRules>, paths: &[String]) -> bool {
    rules.is_some_and(|rules| paths.iter().all(|path| rules.is_owned(path)))
}

/// A path that the pattern means and that hardly any line was written for; none
/// where the pattern says more than its stars.
fn newcomer(glob: &PathGlob) -> Option<String> {
    let path = glob
        .text()
        .replace("**", "added/later")
        .replace('*', "added");
    glob.is_match(&path).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::owners_file;
    use crate::controls::path_glob::literal;

    fn paths(list: &[&str]) -> Vec<String> {
        list.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn a_file_that_owns_only_what_is_there_does_not_own_the_pattern() {
        let globs = literal(&[".github/**"]);
        let meant = meant(&globs[0], &paths(&[".github/ci.yml", "src/lib.rs"]));
        assert_eq!(meant, [".github/added/later", ".github/ci.yml"]);
        let one = owners_file("/.github/ci.yml @ana", OwnersDialect::Github);
        let all = owners_file("/.github/ @ana", OwnersDialect::Github);
        let owns = |file| owns(rules(file).as_ref(), &meant);
        assert!(!owns(&one) && owns(&all));
    }

    #[test]
    fn nothing_is_meant_where_nothing_stands() {
        let globs = literal(&["ci/**"]);
        assert!(meant(&globs[0], &paths(&["src/lib.rs"])).is_empty());
    }

    #[test]
    fn a_file_that_is_too_large_owns_nothing_where_there_is_a_limit() {
        let large = |dialect| OwnersFile {
            size: TOO_LARGE,
            ..owners_file("* @ana", dialect)
        };
        let path = paths(&["a"]);
        let owns = |dialect| owns(rules(&large(dialect)).as_ref(), &path);
        assert!(!owns(OwnersDialect::Github));
        assert!(owns(OwnersDialect::Gitlab));
    }
}
