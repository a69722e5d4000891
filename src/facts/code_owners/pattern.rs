//! From a pattern of code owners to globs over whole paths. Each platform's
//! rules stand here and nowhere else; who owns anything is not known.

use globset::{Glob, GlobBuilder};

use crate::facts::settings::OwnersDialect;

/// The globs that together match what the pattern matches.
pub(super) fn globs(pattern: &str, dialect: OwnersDialect) -> Result<Vec<Glob>, String> {
    let wanted = match dialect {
        OwnersDialect::Github => github(&literal(pattern, false)),
        OwnersDialect::Gitlab => gitlab(&literal(pattern, true)),
    };
    wanted
        .iter()
        .map(|glob| {
            GlobBuilder::new(glob)
                .literal_separator(true)
                .backslash_escape(true)
                .build()
                .map_err(|error| format!("the pattern cannot be used: {}", error.kind()))
        })
        .collect()
}

/// What neither platform takes for more than a letter, but globs do.
fn literal(pattern: &str, ranges: bool) -> String {
    let mut text = String::with_capacity(pattern.len() + 4);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                text.push('\\');
                // A backslash at the end escapes nothing: it stands for itself.
                text.push(letters.next().unwrap_or('\\'));
            }
            '{' | '}' => {
                text.push('\\');
                text.push(letter);
            }
            '[' | ']' if !ranges => {
                text.push('\\');
                text.push(letter);
            }
            _ => text.push(letter),
        }
    }
    text
}

/// Like `.gitignore`: a slash at the start or in the middle ties the pattern to
/// the root, a name stands for a file or for everything below a folder, and a
/// last part of `*` alone reaches no further down.
fn github(pattern: &str) -> Vec<String> {
    let folder = pattern.ends_with('/');
    let body = pattern.trim_end_matches('/');
    let rooted = body.starts_with('/') || body.trim_start_matches('/').contains('/');
    let body = body.trim_start_matches('/');
    let start = if rooted || body.starts_with("**/") {
        ""
    } else {
        "**/"
    };
    match body {
        "" => return vec!["**".to_owned()],
        "*" if rooted => return vec!["*".to_owned()],
        "*" | "**" => return vec!["**".to_owned()],
        _ => {}
    }
    let below = format!("{start}{body}/**");
    let last = body.rsplit('/').next().unwrap_or(body);
    if last == "**" {
        vec![format!("{start}{body}")]
    } else if folder {
        vec![below]
    } else if last == "*" {
        vec![format!("{start}{body}")]
    } else {
        vec![format!("{start}{body}"), below]
    }
}

/// Ruby's `fnmatch` on whole paths: without a slash at the start the pattern may
/// begin anywhere, a slash at the end takes in everything below, and a name
/// without one stands for a file only.
/// <https://docs.gitlab.com/user/project/codeowners/advanced>
fn gitlab(pattern: &str) -> Vec<String> {
    if pattern == "*" {
        return vec!["**".to_owned()];
    }
    let start = if pattern.starts_with('/') || pattern.starts_with("**/") {
        ""
    } else {
        "**/"
    };
    let body = pattern.trim_start_matches('/');
    let end = if body.is_empty() || body.ends_with('/') {
        "**"
    } else {
        ""
    };
    vec![format!("{start}{body}{end}")]
}
