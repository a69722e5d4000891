//! The same verdict as serde_json, on what is JSON and on what is nearly so.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

/// Where the first value of the bytes ends by serde_json. Nothing: it is none, or it is cut.
fn by_serde(bytes: &[u8]) -> Result<usize, ()> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => Ok(values.byte_offset()),
        Some(Err(_)) | None => Err(()),
    }
}

fn agree(bytes: &[u8]) {
    let ours = value(bytes, 0, 0);
    // Behind a number serde_json wants a place where a value may begin or end.
    match (&ours, by_serde(bytes)) {
        (Ok(end), Ok(other)) => assert_eq!(*end, other, "{}", bytes.escape_ascii()),
        (Err(_), Err(())) => {}
        (Ok(end), Err(())) => assert!(
            by_serde(&bytes[..*end]) == Ok(*end),
            "only we take {}",
            bytes.escape_ascii()
        ),
        (Err(stop), Ok(_)) => panic!("only we refuse {}: {stop:?}", bytes.escape_ascii()),
    }
}

const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\n",
    "\"a\"",
    "\"a\":",
    "1",
    "-",
    "0",
    ".5",
    "e",
    "E+",
    "true",
    "false",
    "null",
    "tru",
    "\\u00e9",
    "\\ud800",
    "\\x",
    "\u{1}",
    "é",
    "\"long text that fills some words\"",
    "        ",
    "\t\t",
    "-0",
    "1e5",
    "{}",
    "[]",
    "\"\"",
    "\"\\\"\"",
    "{\"a\":{\"b\":[",
    "]}}",
    "1.",
    "/",
];

const WHOLE: &str = r#" {"a":[1,-0.5e-3,true,null,{}],"b\u00e9\n":{"c":"text \"quoted\" and longer than eight bytes"},
        "d":[[],[{"e":false}]],"":"","f":12}"#;

#[test]
fn a_value_that_is_cut_anywhere_runs_out() {
    let end = WHOLE.len();
    assert_eq!(value(WHOLE.as_bytes(), 0, 0), Ok(end));
    for cut in 0..end {
        let cut = &WHOLE.as_bytes()[..cut];
        assert_eq!(
            value(cut, 0, 0),
            Err(Stop::RanOut),
            "{}",
            cut.escape_ascii()
        );
    }
}

#[test]
fn what_is_no_json_is_refused_at_its_place() {
    for (text, place) in [
        ("[1,]", 3),
        ("{,}", 1),
        ("{\"a\" 1}", 5),
        ("[1 2]", 3),
        ("[01]", 2),
        ("[1}", 2),
        ("{\"a\":1]", 6),
        ("[NaN]", 1),
        ("[+1]", 1),
        ("[-x]", 2),
        ("[1.e]", 3),
        ("[\"\\q\"]", 3),
        ("[\"\\u00g0\"]", 6),
        ("[\"abcdefgh\nx\"]", 10),
        ("[trux]", 1),
        ("'a'", 0),
    ] {
        match value(text.as_bytes(), 0, 0) {
            Err(Stop::Wrong { at, .. }) => assert_eq!(at, place, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn depth_is_bounded_from_the_outermost_level_on() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(value(nested(DEEPEST).as_bytes(), 0, 0).is_ok());
    assert!(value(nested(DEEPEST + 1).as_bytes(), 0, 0).is_err());
    assert!(value(nested(DEEPEST - 9).as_bytes(), 0, 10).is_err());
    let mixed = "[{\"a\":".repeat(DEEPEST / 2) + "1" + &"}]".repeat(DEEPEST / 2);
    assert_eq!(value(mixed.as_bytes(), 0, 0), Ok(mixed.len()));
}

#[test]
fn each_byte_in_each_place_of_a_word_is_told_apart() {
    for place in 0..20 {
        for byte in 0..=u8::MAX {
            let mut text = [b'x'; 22];
            (text[0], text[21]) = (b'"', b'"');
            text[place + 1] = byte;
            agree(&text);
        }
    }
}

proptest! {
    #[test]
    fn pieces_are_read_as_serde_json_reads_them(
        pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..14),
    ) {
        agree(pieces.concat().as_bytes());
    }

    #[test]
    fn a_changed_value_is_read_as_serde_json_reads_it(
        changes in proptest::collection::vec((0..WHOLE.len(), any::<u8>()), 1..4),
    ) {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        agree(&bytes);
    }
}
