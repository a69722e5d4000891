//! The sieve against plain globset: a list with it means what each pattern means alone. The
//! paths are made of the patterns, and made hostile, so that many of them are meant.

use fastrand::Rng;
use globset::{GlobBuilder, GlobMatcher};
use serde_json::{Value, json};

use super::*;
use crate::controls::TABLE;
use crate::controls::path_glob::PathGlobs;

/// What patterns are made of: letters, words, what stands for others, and what hides.
const PIECES: [&str; 24] = [
    "*",
    "*",
    "**",
    "?",
    ".",
    ".",
    "..",
    "a",
    "b",
    "ab",
    "so",
    "tar",
    "id_",
    "x-y",
    "A",
    "É",
    "{a,b}",
    "{so,tar.a}",
    "[ab]",
    "[!a]",
    "\\*",
    "\u{200b}",
    " ",
    "!",
];

/// Paths that are nobody's friends.
const HOSTILE: [&str; 17] = [
    "",
    "/",
    "//",
    ".",
    "a//b",
    "/a/b",
    "a/b/",
    "./a.so",
    "../.env",
    ".env",
    "x/.env.",
    "a\\b.pem",
    "a.pem\\b/c",
    "a\nb/c.so.1",
    "{a,b}",
    "\u{202e}a.pem",
    "É/\u{fe0f}",
];

fn plain(pattern: &str) -> Option<GlobMatcher> {
    let mut builder = GlobBuilder::new(pattern.trim_start_matches('/'));
    let glob = builder.literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

fn list(patterns: &[String]) -> PathGlobs {
    PathGlobs::try_from(patterns.to_vec()).expect("each of them is a pattern")
}

fn pattern(random: &mut Rng) -> String {
    let parts: Vec<String> = (0..random.usize(1..4))
        .map(|_| match random.u8(0..4) {
            0 => "**".to_owned(),
            _ => (0..random.usize(1..4))
                .filter_map(|_| random.choice(PIECES))
                .collect(),
        })
        .collect();
    parts.join("/")
}

/// A path that the pattern is likely to mean.
fn meant(pattern: &str, random: &mut Rng) -> String {
    let parts: Vec<String> = pattern
        .split('/')
        .filter_map(|part| match (part, random.u8(0..3)) {
            ("**", 0) => None,
            ("**", 1) => Some("b".to_owned()),
            ("**", _) => Some("so/a.b".to_owned()),
            (part, _) => Some(filled(part, random)),
        })
        .collect();
    parts.join("/")
}

fn filled(part: &str, random: &mut Rng) -> String {
    let mut text = String::new();
    let mut rest = part;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let until = |end: char| rest.split_once(end).unwrap_or((rest, ""));
        match letter {
            '*' => text.push_str(
                random
                    .choice(["", "a", "x.", ".b", "É"])
                    .unwrap_or_default(),
            ),
            '?' => text.push(random.choice(['a', '.', '-']).unwrap_or('a')),
            '{' => {
                let (inside, after) = until('}');
                let one = random.choice(inside.split(',').collect::<Vec<_>>());
                text.push_str(one.unwrap_or_default());
                rest = after;
            }
            '[' => {
                let (inside, after) = until(']');
                text.push(inside.chars().last().unwrap_or('a'));
                rest = after;
            }
            '\\' => {
                text.extend(rest.chars().next());
                rest = rest.get(1..).unwrap_or_default();
            }
            other => text.push(other),
        }
    }
    text
}

/// The same path, perhaps with something done to it.
fn twisted(mut path: String, random: &mut Rng) -> String {
    let places: Vec<usize> = path.char_indices().map(|(place, _)| place).collect();
    let place = random.choice(places).unwrap_or(0);
    match random.u8(0..16) {
        0 => path.make_ascii_uppercase(),
        1 => path.push('/'),
        2 => path.insert(0, '/'),
        3 => path.insert_str(0, "b/"),
        4 => path.push_str(".a"),
        5 => path.push_str("/a"),
        6 => path.insert(place, '\u{200b}'),
        7 => path.insert(place, '.'),
        8 => path.insert(place, '/'),
        9 if !path.is_empty() => drop(path.remove(place)),
        10 => path.insert(place, '\\'),
        _ => {}
    }
    path
}

fn paths(patterns: &[String], random: &mut Rng) -> Vec<String> {
    let mut paths: Vec<String> = HOSTILE.iter().map(|&path| path.to_owned()).collect();
    for pattern in patterns {
        for _ in 0..8 {
            let path = meant(pattern, random);
            paths.push(twisted(path.clone(), random));
            paths.push(path);
        }
    }
    // No file is called `..`, and sets of globset take it for no name.
    paths.retain(|path| path.rsplit('/').next() != Some(".."));
    paths
}

/// How many of the paths are meant; panics where the list says otherwise than its patterns.
fn agreed(patterns: &[String], paths: &[String]) -> usize {
    let list = list(patterns);
    let alone: Vec<GlobMatcher> = patterns.iter().filter_map(|text| plain(text)).collect();
    let meant = paths.iter().filter(|path| {
        let meant = alone.iter().any(|glob| glob.is_match(path));
        assert_eq!(list.is_match(path), meant, "{patterns:?} {path:?}");
        meant
    });
    meant.count()
}

#[test]
fn with_the_sieve_a_list_means_what_each_of_its_patterns_means() {
    let mut random = Rng::with_seed(4);
    let (mut asked, mut meant) = (0, 0);
    for _ in 0..1_500 {
        let patterns: Vec<String> = (0..random.usize(1..4))
            .map(|_| pattern(&mut random))
            .filter(|text| plain(text).is_some())
            .collect();
        let paths = paths(&patterns, &mut random);
        asked += paths.len();
        meant += agreed(&patterns, &paths);
    }
    assert!(meant * 4 > asked, "{meant} of {asked} were meant at all");
}

/// Every text in the parameters that controls come with: patterns and others alike.
fn defaults() -> Vec<String> {
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(list) => list.iter().for_each(|item| texts(item, found)),
            Value::Object(fields) => fields.values().for_each(|item| texts(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    for entry in TABLE {
        if let Ok(bound) = entry.bind(json!({})) {
            texts(&bound.parameters(), &mut found);
        }
    }
    found.retain(|text| plain(text).is_some());
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn the_patterns_that_controls_come_with_mean_what_they_mean_alone() {
    let mut random = Rng::with_seed(17);
    let patterns = defaults();
    assert!(patterns.iter().any(|text| text == "**/*.so.*"));
    for pattern in &patterns {
        let one = std::slice::from_ref(pattern);
        let paths = paths(one, &mut random);
        assert!(agreed(one, &paths) > 0, "nothing was meant by {pattern}");
    }
    let some: Vec<String> = random.choose_multiple(patterns.iter().cloned(), 60);
    let paths = paths(&some, &mut random);
    assert!(agreed(&some, &paths) > 200);
}

/// Without this the sieve could let everything through, and nobody would feel it.
#[test]
fn what_is_far_from_every_pattern_is_held_back() {
    let sieve = |patterns: &[&str]| Sieve::of(patterns.iter().copied());
    let path = "services/part1/module2/file3.rs";
    for pattern in [
        "**/*.pem",
        "**/*.so.*",
        "**/id_rsa",
        "**/.bandit*",
        "**/migrations/**",
        ".github/workflows/**",
        ".gitlab/*-ruleset.toml",
        "a?c/*",
    ] {
        assert!(!sieve(&[pattern]).lets_through(path), "{pattern}");
    }
    for pattern in ["**", "*", "**/*", "[a-z]*/**", "{a,b}/c", "a\\b", ""] {
        assert!(sieve(&["a", pattern]).lets_through(path), "{pattern}");
    }
    assert!(!sieve(&[]).lets_through(path));
}
