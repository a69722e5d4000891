//! Patterns of names against each other: whether one covers all that another
//! means, and whether two may mean the same name. What cannot be proven is
//! answered to the strict side. `*` stays between slashes here, `**` does not.

use std::iter::once;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `*`.
    Star,
    /// `**`.
    Deep,
}

/// Patterns that cover every name.
const EVERYTHING: [&str; 3] = ["~ALL", "**", "**/*"];

/// What more than a star may stand in a pattern; its meaning differs by platform.
const SPECIAL: &[char] = &['?', '[', ']', '{', '}', '\\', '!'];

/// Whether `wide` is sure to cover every name that `narrow` means.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow || EVERYTHING.contains(&wide) {
        return true;
    }
    if wide.contains(SPECIAL) || narrow.contains(SPECIAL) {
        return false;
    }
    let narrow = tokens(narrow);
    // Which beginnings of `narrow` the tokens of `wide` so far cover.
    let mut reached: Vec<bool> = once(true).chain(narrow.iter().map(|_| false)).collect();
    for token in tokens(wide) {
        reached = match token {
            Token::Letter(_) => once(false)
                .chain(
                    reached
                        .iter()
                        .zip(&narrow)
                        .map(|(here, next)| *here && *next == token),
                )
                .collect(),
            Token::Star | Token::Deep => {
                let mut going = false;
                once(None)
                    .chain(narrow.iter().map(Some))
                    .zip(&reached)
                    .map(|(before, here)| {
                        going = *here || (going && before.is_some_and(|it| swallows(token, *it)));
                        going
                    })
                    .collect()
            }
        };
    }
    reached.last() == Some(&true)
}

/// Whether a star may stand for this part of a narrower pattern.
fn swallows(star: Token, part: Token) -> bool {
    star == Token::Deep || !matches!(part, Token::Letter('/') | Token::Deep)
}

/// Whether there may be a name that both mean. Errs towards yes.
pub(super) fn may_meet(one: &str, other: &str) -> bool {
    if EVERYTHING.contains(&one) || EVERYTHING.contains(&other) {
        return true;
    }
    let other = tokens(&loosened(other));
    let star = |token: &Token| matches!(token, Token::Star | Token::Deep);
    // For which beginnings of `other` the tokens of `one` so far have a common name.
    let mut reached = vec![true];
    let mut going = true;
    for token in &other {
        going = going && star(token);
        reached.push(going);
    }
    for token in tokens(&loosened(one)) {
        let wild = star(&token);
        let mut next = Vec::with_capacity(reached.len());
        let mut left = false;
        let mut above_left = false;
        for (before, above) in once(None).chain(other.iter().map(Some)).zip(&reached) {
            let here = match before {
                None => wild && *above,
                Some(part) if wild => *above || left || (star(part) && above_left),
                Some(part) if star(part) => *above || left || above_left,
                Some(part) => above_left && *part == token,
            };
            next.push(here);
            left = here;
            above_left = *above;
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

/// The pattern up to the first sign whose meaning is not sure, and then anything.
fn loosened(pattern: &str) -> String {
    match pattern.find(SPECIAL) {
        Some(at) => format!("{}*", pattern.get(..at).unwrap_or_default()),
        None => pattern.to_owned(),
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for letter in pattern.chars() {
        match (letter, found.last()) {
            ('*', Some(Token::Star | Token::Deep)) => {
                found.pop();
                found.push(Token::Deep);
            }
            ('*', _) => found.push(Token::Star),
            (letter, _) => found.push(Token::Letter(letter)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_is_sure_to_cover() {
        for (wide, narrow, expected) in [
            ("v*", "v*", true),
            ("*", "v*", true),
            ("~ALL", "v*", true),
            ("**/*", "v*", true),
            ("v*", "v1.*", true),
            ("v*", "v1", true),
            ("*.*", "v*.*", true),
            ("v1*", "v*", false),
            ("v[0-9]*", "v*", false),
            ("v?*", "v*", false),
            ("?*", "v*", false),
            ("*", "release/*", false),
            ("**", "release/*", true),
            ("release/**", "release/*", true),
            (".github/**", ".github/workflows/**", true),
            (".github/*", ".github/**", false),
            (".github/workflows/**", ".github/**", false),
            ("V*", "v*", false),
            ("*b]", "[ab]", false),
            ("", "", true),
            ("", "v*", false),
            ("v*", "", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "`{wide}` over `{narrow}`");
        }
    }

    #[test]
    fn patterns_meet_unless_that_is_ruled_out() {
        for (one, other, expected) in [
            ("v*", "v*-rc*", true),
            ("v*", "nightly-*", false),
            ("v*", "nightly-[0-9]", false),
            ("v*", "v[0-9]", true),
            ("v*", "?1", true),
            ("v*", "*", true),
            ("v*", "v", true),
            ("v1", "v2", false),
            ("*a", "b*", true),
            ("a*b", "a*c", false),
            ("~ALL", "x", true),
            ("", "", true),
            ("", "v", false),
        ] {
            assert_eq!(may_meet(one, other), expected, "`{one}` and `{other}`");
            assert_eq!(may_meet(other, one), expected, "`{other}` and `{one}`");
        }
    }
}
