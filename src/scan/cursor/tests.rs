//! The same values as serde_json's, or none where that gives none.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
struct Filled {
    text: Option<String>,
    number: Option<i64>,
    score: Option<f64>,
    #[serde(default)]
    list: Vec<Value>,
    inner: Option<Box<Self>>,
}

const WHOLE: &str = r#"{"text":"caf\u00e9 \"x\" é","number":-12,"score":1.5e3,"other":[{"a":[]},null,"]"],
    "list":[1,18446744073709551615,-1,0.1,true,null,{"b":"c"},[]],"inner":{"text":null,"list":[ ]}}"#;

fn ours<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(T, usize), (String, bool)> {
    let mut cursor = Cursor::new(bytes);
    match T::deserialize(&mut cursor) {
        Ok(value) => Ok((value, cursor.at())),
        Err(error) => Err((error.to_string(), cursor.ran_out())),
    }
}

fn agree<'de, T: Deserialize<'de> + PartialEq + std::fmt::Debug>(bytes: &'de [u8]) {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
    let by_serde = values.next().and_then(Result::ok);
    match (ours::<T>(bytes), by_serde) {
        (Ok((ours, end)), Some(other)) => {
            assert_eq!((ours, end), (other, values.byte_offset()));
        }
        (Ok((ours, end)), None) => {
            // It wants a place behind a number where a value may begin or end.
            let alone: T = serde_json::from_slice(&bytes[..end]).expect("the value alone");
            assert_eq!(ours, alone);
        }
        (Err(why), Some(other)) => panic!("{}: {why:?}, not {other:?}", bytes.escape_ascii()),
        (Err(_), None) => {}
    }
}

#[test]
fn fields_are_filled_as_serde_json_fills_them() {
    agree::<Filled>(WHOLE.as_bytes());
    agree::<Value>(WHOLE.as_bytes());
    let (filled, end) = ours::<Filled>(WHOLE.as_bytes()).expect("a value");
    assert_eq!((filled.number, end), (Some(-12), WHOLE.len()));
    assert_eq!(filled.text.as_deref(), Some("café \"x\" é"));
}

#[test]
fn a_value_that_is_cut_anywhere_runs_out_and_is_never_taken() {
    for cut in 0..WHOLE.len() {
        let (_, ran_out) = ours::<Filled>(&WHOLE.as_bytes()[..cut]).expect_err("it is cut");
        assert!(ran_out, "cut at {cut}");
    }
}

#[test]
fn what_is_filled_has_a_deepest_level() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for levels in [100, 127, 128, 129, 5_000] {
        let text = nested(levels);
        assert_eq!(
            ours::<Value>(text.as_bytes()).is_ok(),
            levels <= 128,
            "{levels}"
        );
    }
}

#[test]
fn an_error_stands_at_its_byte_and_is_no_lack_of_bytes() {
    for (text, place) in [
        (r#"{"number":"x"}"#, 13),
        (r#"{"text":"a",}"#, 12),
        (r#"{"text" "a"}"#, 8),
        (r#"{"x":[1,,2]}"#, 8),
        (r#"{"list":[1 2]}"#, 11),
        (r#"{"score":1e999}"#, 9),
        ("{\"text\":\"\u{1}\"}", 9),
    ] {
        let mut cursor = Cursor::new(text.as_bytes());
        assert!(Filled::deserialize(&mut cursor).is_err(), "{text}");
        assert!(!cursor.ran_out(), "{text}");
        assert_eq!(cursor.at(), place, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_are_asked_for() {
    assert!(ours::<Filled>(b"{\"text\":\"\xff\"}").is_err());
    assert!(ours::<Filled>(b"{\"text\":\"\\n\xff\"}").is_err());
}

proptest! {
    #[test]
    fn a_changed_document_is_read_as_serde_json_reads_it(
        changes in proptest::collection::vec((0..WHOLE.len(), 0..0x80_u8), 1..4),
    ) {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        // Other bytes never come here.
        prop_assume!(std::str::from_utf8(&bytes).is_ok());
        agree::<Filled>(&bytes);
        agree::<Value>(&bytes);
    }
}
