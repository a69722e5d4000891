//! What looks like a secret in text that is kept. Names and paths seldom hold one;
//! what people write beside a finding may. It masks too much rather than too little,
//! and it is no finder of secrets: the first guard is that messages and snippets are
//! not read at all.

/// What stands in the place of what was masked.
pub(super) const MASKED: &str = "[masked]";

/// How tokens of well-known makers begin.
const PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glptt-",
    "glcbt-",
    "glsoat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "sk_live_",
    "rk_live_",
    "sk-",
    "npm_",
    "pypi-",
    "dop_v1_",
    "hvs.",
    "SG.",
    "eyJ",
];
/// Fewest characters behind such a beginning.
const LEAST_BEHIND: usize = 12;
/// Fewest characters of a word of letters and digits that may be a secret.
const LEAST_MIXED: usize = 20;
/// What a secret is called before a `:` or `=`.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
];

/// A name or path without tokens of well-known makers and without the password of an address.
pub(super) fn in_name(text: &str) -> String {
    words(text, is_token)
}

/// A sentence that somebody wrote: long words of letters and digits, and whatever is
/// called a secret, are masked as well.
pub(super) fn in_sentence(text: &str) -> String {
    // Whether the word before is what a secret is called, and whether a sign follows it.
    let (mut called, mut named) = (false, false);
    words(text, |word| {
        let name = word.trim_end_matches([':', '=']);
        if name.is_empty() && !word.is_empty() {
            (called, named) = (false, called || named);
            return false;
        }
        let was_named = named;
        called = ends_with_a_name(name);
        named = called && name.len() < word.len();
        let given = word
            .split_once([':', '='])
            .is_some_and(|(name, value)| !value.is_empty() && ends_with_a_name(name));
        was_named || given || is_token(word) || is_mixed(word)
    })
}

fn ends_with_a_name(text: &str) -> bool {
    let text = text.trim_matches(['"', '\'', '`']).to_ascii_lowercase();
    NAMES.iter().any(|known| text.ends_with(known))
}

/// The text with each word replaced of which `is_secret` says so.
fn words(text: &str, mut is_secret: impl FnMut(&str) -> bool) -> String {
    let mut masked = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if is_secret(bare) {
            masked.push_str(MASKED);
            masked.push_str(word.get(bare.len()..).unwrap_or_default());
        } else {
            masked.push_str(word);
        }
    }
    masked
}

/// Whether a part of the word is a token, or the word is an address with a password.
fn is_token(word: &str) -> bool {
    if let Some((_, rest)) = word.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') && authority.contains(':') {
            return true;
        }
    }
    let part = |character: char| character.is_ascii_alphanumeric() || "_-.".contains(character);
    let is_start = |rest: &str| {
        PREFIXES.iter().any(|prefix| {
            rest.strip_prefix(prefix).is_some_and(|behind| {
                behind.chars().take_while(|one| part(*one)).count() >= LEAST_BEHIND
            })
        })
    };
    let mut before = None;
    word.char_indices().any(|(at, one)| {
        let starts = before.is_none_or(|before: char| !before.is_ascii_alphanumeric());
        before = Some(one);
        starts
            && word
                .get(at..)
                .is_some_and(|rest| rest.len() > LEAST_BEHIND && is_start(rest))
    })
}

/// Whether it holds a long run of letters and digits, both of them.
fn is_mixed(word: &str) -> bool {
    let breaks = |one: char| !(one.is_ascii_alphanumeric() || "+/=_-".contains(one));
    word.split(breaks).any(|run| {
        run.len() >= LEAST_MIXED
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token as its maker writes it, put together so that none stands here.
    fn token(prefix: &str) -> String {
        format!("{prefix}{}", "Ab1".repeat(8))
    }

    #[test]
    fn tokens_of_well_known_makers_do_not_stay_in_a_name() {
        for prefix in PREFIXES {
            let token = token(prefix);
            for text in [
                token.clone(),
                format!("src/{token}.py"),
                format!("rule {token} two"),
                format!("'{token}'"),
            ] {
                let masked = in_name(&text);
                assert!(!masked.contains(&token), "{text}: {masked}");
                assert!(masked.contains(MASKED), "{text}: {masked}");
            }
        }
        let address = format!("https://ana:{}@example.org/a", "x".repeat(5));
        assert_eq!(in_name(&address), MASKED);
    }

    #[test]
    fn names_paths_and_ids_stay_as_they_are() {
        for text in [
            "python.lang.security.audit.dangerous-subprocess-use-audit.dangerous-subprocess-use",
            "GHSA-jfh8-c2jp-5v3q",
            "CVE-2021-44228",
            "src/components/task-list/sk-8.ts",
            "@angular/core@17.0.0",
            "node_modules/.pnpm/a@1.0.0_0123456789abcdef0123456789abcdef/index.js",
            "https://example.org/rules/a@b",
        ] {
            assert_eq!(in_name(text), text);
        }
    }

    #[test]
    fn a_sentence_keeps_its_words_and_loses_what_may_be_a_secret() {
        for text in ["accepted in SEC-12, see the ADR", "keys: none are here"] {
            let masked = in_sentence(text);
            assert!(masked.starts_with(text.split(' ').next().expect("a word")));
        }
        assert_eq!(
            in_sentence("accepted in SEC-12, see the ADR"),
            "accepted in SEC-12, see the ADR"
        );
        let long = "a1B2".repeat(6);
        for text in [
            format!("it is only {long} and old"),
            "password=short".to_owned(),
            "the token: short".to_owned(),
            "api_key = short".to_owned(),
            "\"secret\":\"short\"".to_owned(),
        ] {
            let masked = in_sentence(&text);
            assert!(
                !masked.contains("short") && !masked.contains(&long),
                "{masked}"
            );
            assert!(masked.contains(MASKED), "{masked}");
        }
    }
}
