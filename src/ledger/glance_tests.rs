//! The quick look against the close one: it may say nothing, it may not say anything else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::leaf::{Leaf, PAYLOAD_TYPE};
use super::super::torture::statement as example;
use super::glance;

const ASKED: [&str; 2] = ["observed_at", "platform_time"];

/// What the close look says of the same things.
fn closely(entry: &[u8]) -> Option<(String, [Option<String>; 2])> {
    let leaf = Leaf::parse(entry).ok()?;
    let member = |name: &str| {
        let value = leaf.statement.pointer(&format!("/predicate/{name}"))?;
        Some(String::from_utf8(serde_json_canonicalizer::to_vec(value).unwrap()).unwrap())
    };
    Some((leaf.path, ASKED.map(member)))
}

/// Whether the quick look said yes; if it did, the close one has to say the same.
fn agrees(entry: &[u8]) -> bool {
    let mut buffer = Vec::new();
    let Some(seen) = glance(entry, &mut buffer, ASKED) else {
        return false;
    };
    let members = seen.members.map(|member| member.map(str::to_owned));
    assert_eq!(
        Some((seen.path(), members)),
        closely(entry),
        "{}",
        String::from_utf8_lossy(entry)
    );
    true
}

fn envelope(payload: &[u8]) -> Vec<u8> {
    format!(
        r#"{{"payload":"{}","payloadType":"{PAYLOAD_TYPE}","signatures":[]}}"#,
        STANDARD.encode(payload)
    )
    .into_bytes()
}

fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap()
}

/// A statement with much in it.
fn rich() -> Value {
    let mut rich = example(7);
    rich["predicate"]["platform_time"] = json!("2026-11-21T08:00:03.25Z");
    rich["predicate"]["more"] = json!({
        "a": [1, -2, 0, true, false, null, [], {}, "", "é\u{1f600}"],
        "b": {"escaped": "\"\\\u{8}\u{c}\n\r\t/", "large": 123_456_789_012_345_i64},
    });
    rich
}

#[test]
fn what_the_gate_writes_is_seen_quickly() {
    for value in [example(1), rich()] {
        assert!(agrees(&envelope(&canonical(&value))), "{value}");
    }
}

#[test]
fn every_byte_of_a_payload_is_changed_in_every_bit_or_left_out_or_doubled() {
    let payload = canonical(&rich());
    for at in 0..payload.len() {
        for bit in 0..8 {
            let mut changed = payload.clone();
            changed[at] ^= 1 << bit;
            agrees(&envelope(&changed));
        }
        for put in [
            &b""[..],
            b" ",
            b",",
            b"\"",
            b"\\",
            b"}",
            b"]",
            b"0",
            b"\\u0041",
            b".5",
            b"e1",
        ] {
            let changed = [&payload[..at], put, &payload[at..]].concat();
            agrees(&envelope(&changed));
            let changed = [&payload[..at], put, &payload[at + 1..]].concat();
            agrees(&envelope(&changed));
        }
        agrees(&envelope(&payload[..at]));
    }
}

#[test]
fn every_byte_of_an_envelope_is_changed_in_every_bit() {
    let entry = envelope(&canonical(&example(3)));
    assert!(agrees(&entry));
    for at in 0..entry.len() {
        for bit in 0..8 {
            let mut changed = entry.clone();
            changed[at] ^= 1 << bit;
            agrees(&changed);
        }
        agrees(&entry[..at]);
    }
}

#[test]
fn what_has_another_spelling_or_is_no_statement_is_left_to_the_close_look() {
    let with = |change: fn(&mut Value)| {
        let mut value = rich();
        change(&mut value);
        agrees(&envelope(&canonical(&value)))
    };
    assert!(with(|_| ()));
    assert!(!with(
        |value| value["_type"] = json!("https://in-toto.io/Statement/v0.1")
    ));
    assert!(!with(|value| value["subject"] = json!([])));
    assert!(!with(|value| value["subject"] = json!({"a": 1})));
    assert!(!with(|value| value["predicate"] = json!([])));
    assert!(!with(|value| value["predicateType"] = json!(null)));
    assert!(!with(
        |value| value["predicateType"] = json!(super::BLOB_REFERENCE_TYPE)
    ));
    for observed_at in [
        json!("2026-02-30T08:00:00Z"),
        json!("2026-12-31T23:00:00-05:00"),
        json!(null),
        json!(["2026-11-21T08:00:00Z"]),
    ] {
        let mut value = rich();
        value["predicate"]["observed_at"] = observed_at;
        assert!(agrees(&envelope(&canonical(&value))), "{value}");
    }
    assert!(!with(|value| {
        value["predicate"]["observed_at"] = json!("2026-11-21T08:00:00Z\n");
    }));
    assert!(!with(|value| value["predicate"]["é"] = json!(1)));
    assert!(!with(|value| value["predicate"]["n"] = json!(1.5)));
    assert!(!with(
        |value| value["predicate"]["n"] = json!(9_007_199_254_740_993_i64)
    ));
    let text = String::from_utf8(canonical(&rich())).unwrap();
    for (from, to) in [
        ("{\"_type\"", "{ \"_type\""),
        ("[1,-2,0", "[1,-2,-0"),
        ("[1,-2,0", "[01,-2,0"),
        ("[1,-2,0", "[1,-2,0.0"),
        ("[1,-2,0", "[1e0,-2,0"),
        ("\\n", "\\u000a"),
        ("\\t/", "\\t\\/"),
        (
            "\"decision\":\"allow\"",
            "\"decision\":\"allow\",\"decision\":\"allow\"",
        ),
        ("\"decision\"", "\"zdecision\""),
        ("\"decision\"", "\"d\\u0065cision\""),
        ("true", "True"),
        ("null", "nul"),
        ("[]", "[,]"),
        ("{}", "{,}"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(!agrees(&envelope(changed.as_bytes())), "{to}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert!(!agrees(&envelope(text.replacen("[]", &deep, 1).as_bytes())));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i64..1000).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z_~é\u{1f600}\u{ffff}]{0,4}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Canonical or as serde_json writes it: what is said quickly is what is so.
    #[test]
    fn whatever_a_predicate_holds_both_looks_agree(more in any_json(), text in "\\PC{0,20}") {
        let mut value = example(5);
        value["predicate"]["more"] = more.clone();
        value["predicate"]["platform_time"] = Value::from(text);
        agrees(&envelope(&canonical(&value)));
        agrees(&envelope(value.to_string().as_bytes()));
        value["predicate"]["observed_at"] = more;
        agrees(&envelope(&canonical(&value)));
    }
}
