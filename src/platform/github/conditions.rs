//! Which refs the conditions of a ruleset mean: shell patterns in which `*` stays
//! within one part of a name, and a few words that begin with `~`. A pattern that
//! cannot be understood for sure is no answer, never a match or a miss.
//! <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/creating-rulesets-for-a-repository#using-fnmatch-syntax>

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

/// Every ref.
pub(super) const ALL: &str = "~ALL";
/// The default branch, whatever its name is.
const DEFAULT_BRANCH: &str = "~DEFAULT_BRANCH";
/// Longer patterns are not looked at: no name of a ref is so long.
const LONGEST_PATTERN: usize = 1024;
/// Memory for one pattern; hostile classes stop here.
const SIZE_LIMIT: usize = 1 << 20;

/// What a ref is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ref<'a> {
    /// `refs/heads/` or `refs/tags/`: what a pattern without it is taken to mean.
    pub(super) prefix: &'static str,
    /// The name without the prefix.
    pub(super) name: &'a str,
    /// Name of the default branch, if it is known.
    pub(super) default_branch: Option<&'a str>,
}

impl<'a> Ref<'a> {
    pub(super) fn branch(name: &'a str, default_branch: Option<&'a str>) -> Self {
        Self {
            prefix: "refs/heads/",
            name,
            default_branch,
        }
    }
}

/// Whether the lists mean the ref; `None` if that cannot be told.
pub(super) fn mean(include: &[String], exclude: &[String], of: Ref<'_>) -> Option<bool> {
    let included = any(include.iter().map(|pattern| means(pattern, of)));
    let excluded = any(exclude.iter().map(|pattern| means(pattern, of)));
    match (included, excluded) {
        (Some(false), _) | (_, Some(true)) => Some(false),
        (Some(true), Some(false)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

fn any(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all_told = true;
    for told in each {
        match told {
            Some(true) => return Some(true),
            Some(false) => {}
            None => all_told = false,
        }
    }
    all_told.then_some(false)
}

/// Whether one pattern means the ref.
fn means(pattern: &str, of: Ref<'_>) -> Option<bool> {
    match pattern {
        ALL => return Some(true),
        DEFAULT_BRANCH if of.prefix == "refs/heads/" => {
            return of.default_branch.map(|default| default == of.name);
        }
        _ if pattern.starts_with('~') || pattern.len() > LONGEST_PATTERN => return None,
        _ => {}
    }
    let full = if pattern.starts_with("refs/") {
        pattern.to_owned()
    } else {
        format!("{}{pattern}", of.prefix)
    };
    let reference = format!("{}{}", of.prefix, of.name);
    // Two stars that are no part of their own are read in two ways by different
    // implementations; only what holds in both is told.
    let narrow = compiled(&full, "[^/]*")?.is_match(&reference);
    let wide = compiled(&full, ".*")?.is_match(&reference);
    (narrow == wide).then_some(narrow)
}

/// The pattern as an expression over the whole ref; `None` if it is not well-formed.
fn compiled(pattern: &str, two_stars: &str) -> Option<Regex> {
    let mut expression = r"\A".to_owned();
    let mut rest: Vec<char> = pattern.chars().rev().collect();
    let mut at_start_of_part = true;
    while let Some(next) = rest.pop() {
        let begins_part = std::mem::replace(&mut at_start_of_part, next == '/');
        match next {
            '*' => {
                let mut stars = 1;
                while rest.last() == Some(&'*') {
                    rest.pop();
                    stars += 1;
                }
                if stars == 1 {
                    expression.push_str("[^/]*");
                } else if stars == 2 && begins_part && rest.last() == Some(&'/') {
                    // A part of its own: any number of parts, none included.
                    rest.pop();
                    expression.push_str("(?:[^/]+/)*");
                    at_start_of_part = true;
                } else {
                    expression.push_str(two_stars);
                }
            }
            '?' => expression.push_str("[^/]"),
            '[' => class(&mut rest, &mut expression)?,
            '\\' => literal(rest.pop()?, &mut expression),
            // Alternatives in some dialects, plain characters in others.
            '{' | '}' => return None,
            plain => literal(plain, &mut expression),
        }
    }
    expression.push_str(r"\z");
    RegexBuilder::new(&expression)
        .dot_matches_new_line(true)
        .size_limit(SIZE_LIMIT)
        .build()
        .ok()
}

fn literal(plain: char, expression: &mut String) {
    let mut buffer = [0; 4];
    expression.push_str(&regex::escape(plain.encode_utf8(&mut buffer)));
}

/// A set in brackets, which never means the slash. `None` if it does not end, is
/// empty or has a range that runs backwards.
fn class(rest: &mut Vec<char>, expression: &mut String) -> Option<()> {
    let negated = matches!(rest.last(), Some('!' | '^'));
    if negated {
        rest.pop();
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let from = match rest.pop()? {
            ']' if ranges.is_empty() => return None,
            ']' => break,
            // Named classes of characters are read in some dialects only.
            '[' if matches!(rest.last(), Some(':' | '.' | '=')) => return None,
            '\\' => rest.pop()?,
            plain => plain,
        };
        let is_range =
            rest.last() == Some(&'-') && rest.len() >= 2 && rest.get(rest.len() - 2) != Some(&']');
        let to = if is_range {
            rest.pop();
            match rest.pop()? {
                '\\' => rest.pop()?,
                plain => plain,
            }
        } else {
            from
        };
        if to < from {
            return None;
        }
        ranges.push((from, to));
    }
    let mut set = String::new();
    for (from, to) in ranges {
        let _ = write!(
            set,
            r"\x{{{:X}}}-\x{{{:X}}}",
            u32::from(from),
            u32::from(to)
        );
    }
    let sign = if negated { "^" } else { "" };
    let _ = write!(expression, "[[{sign}{set}]&&[^/]]");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(pattern: &str, name: &str) -> Option<bool> {
        means(pattern, Ref::branch(name, Some("main")))
    }

    #[test]
    fn patterns_mean_what_the_platform_documents() {
        for (pattern, name, meant) in [
            ("~ALL", "any/thing", Some(true)),
            ("~DEFAULT_BRANCH", "main", Some(true)),
            ("~DEFAULT_BRANCH", "dev", Some(false)),
            ("refs/heads/main", "main", Some(true)),
            ("refs/heads/main", "Main", Some(false)),
            ("refs/heads/main", "main2", Some(false)),
            ("refs/tags/main", "main", Some(false)),
            ("main", "main", Some(true)),
            ("refs/heads/*", "dev", Some(true)),
            ("refs/heads/*", "feat/x", Some(false)),
            ("refs/heads/release/*", "release/1", Some(true)),
            ("refs/heads/release/*", "release/1/2", Some(false)),
            ("refs/heads/release*", "release/1", Some(false)),
            ("refs/heads/**/*", "a/b/c", Some(true)),
            ("refs/heads/**/*", "a", Some(true)),
            ("refs/heads/qa/**/*", "qa/a/b", Some(true)),
            ("refs/heads/qa/**/*", "qa/a", Some(true)),
            ("refs/heads/qa/**/*", "qa", Some(false)),
            ("refs/heads/**/x", "a/b/x", Some(true)),
            ("refs/heads/**/x", "a/bx", Some(false)),
            ("refs/heads/v?", "v1", Some(true)),
            ("refs/heads/v?", "v", Some(false)),
            ("refs/heads/v?x", "v/x", Some(false)),
            ("refs/heads/v[0-9].x", "v1.x", Some(true)),
            ("refs/heads/v[0-9].x", "v1zx", Some(false)),
            ("refs/heads/v[!0-9]", "va", Some(true)),
            ("refs/heads/v[^0-9]", "v1", Some(false)),
            ("refs/heads/v[^0-9]x", "v/x", Some(false)),
            ("refs/heads/v[a-]", "v-", Some(true)),
            (r"refs/heads/v[\]]", "v]", Some(true)),
            (r"refs/heads/a\*b", "a*b", Some(true)),
            (r"refs/heads/a\*b", "axb", Some(false)),
            ("refs/heads/a.b+(c)", "a.b+(c)", Some(true)),
            ("refs/heads/a.b", "axb", Some(false)),
            ("refs/heads/é*", "ete", Some(false)),
            ("refs/heads/é*", "école", Some(true)),
        ] {
            assert_eq!(branch(pattern, name), meant, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_is_not_understood_for_sure_is_no_answer() {
        for (pattern, name) in [
            ("~SOMETHING", "main"),
            ("refs/heads/[a", "a"),
            ("refs/heads/[]", "a"),
            ("refs/heads/[z-a]", "b"),
            ("refs/heads/[[:alpha:]]", "b"),
            ("refs/heads/{a,b}", "a"),
            ("refs/heads/a\\", "a"),
            ("refs/heads/qa/**", "qa/a/b"),
            ("refs/heads/qa**", "qa/a"),
        ] {
            assert_eq!(branch(pattern, name), None, "{pattern} {name}");
        }
        let long = format!("refs/heads/{}", "*a".repeat(2000));
        assert_eq!(branch(&long, "a"), None);
    }

    #[test]
    fn two_stars_are_an_answer_where_every_reading_agrees() {
        assert_eq!(branch("refs/heads/qa/**", "qa/a"), Some(true));
        assert_eq!(branch("refs/heads/qa/**", "main"), Some(false));
        assert_eq!(branch("refs/heads/**", "main"), Some(true));
    }

    #[test]
    fn the_default_branch_has_to_be_known() {
        let of = Ref::branch("main", None);
        assert_eq!(means(DEFAULT_BRANCH, of), None);
        let tag = Ref {
            prefix: "refs/tags/",
            name: "main",
            default_branch: Some("main"),
        };
        assert_eq!(means(DEFAULT_BRANCH, tag), None);
    }

    #[test]
    fn an_exclusion_wins_and_one_that_is_not_understood_leaves_no_answer() {
        let of = Ref::branch("main", Some("main"));
        let list = |patterns: &[&str]| -> Vec<String> {
            patterns.iter().map(|&pattern| pattern.to_owned()).collect()
        };
        let told = |include: &[&str], exclude: &[&str]| mean(&list(include), &list(exclude), of);
        assert_eq!(told(&["~ALL"], &["refs/heads/main"]), Some(false));
        assert_eq!(told(&["~ALL"], &["refs/heads/dev"]), Some(true));
        assert_eq!(told(&["~ALL"], &["refs/heads/{"]), None);
        assert_eq!(told(&["refs/heads/dev"], &["refs/heads/{"]), Some(false));
        assert_eq!(told(&["refs/heads/{", "~ALL"], &[]), Some(true));
        assert_eq!(told(&["refs/heads/{"], &["~ALL"]), Some(false));
        assert_eq!(told(&[], &[]), Some(false));
    }
}
