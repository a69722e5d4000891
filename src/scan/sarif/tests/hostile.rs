//! Reports of people who want to pass, and of tools that broke down.

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;

const SMALL: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe","semanticVersion":"1.0",
"rules":[{"id":"R0","defaultConfiguration":{"level":"error"},"properties":{"security-severity":"9.1"}}]}},
"invocations":[{"executionSuccessful":true,"endTimeUtc":"2026-01-02T03:04:05Z"}],
"results":[{"ruleId":"R0","ruleIndex":0,"message":{"text":"caf\u00e9 é \"x\" 1e5"},"locations":[{"physicalLocation":
{"artifactLocation":{"uri":"a.rs"},"region":{"startLine":12,"x":[-0.5e-3,true,null]}}}]},{"level":"note","suppressions":[]}]}]}"#;

fn content_of(bytes: &[u8]) -> Result<Vec<ScanRun>, ScanFailure> {
    content(bytes, Path::new("/builds/acme"), None).runs
}

fn wrapped(part: &str) -> String {
    format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"p"}}}},"results":[{{{part}}}]}}]}}"#
    )
}

#[test]
fn a_report_that_is_cut_at_any_byte_is_never_read() {
    assert!(content_of(SMALL.as_bytes()).is_ok());
    for end in 0..SMALL.len() {
        let cut = content_of(&SMALL.as_bytes()[..end]);
        assert!(
            matches!(cut, Err(ScanFailure::Unparsable(_))),
            "cut at {end}: {cut:?}"
        );
    }
}

#[test]
fn a_lost_byte_never_ends_in_a_panic() {
    for lost in 0..SMALL.len() {
        let mut bytes = SMALL.as_bytes().to_vec();
        bytes.remove(lost);
        let _ = content_of(&bytes);
    }
}

#[test]
fn the_digest_is_of_all_bytes_also_of_a_refused_file() {
    let garbage = format!("{SMALL} \n");
    let refused = format!("{{\"version\": oops{}", "x".repeat(300_000));
    let marked = format!("\u{feff}{SMALL}");
    for text in [garbage, refused, marked, "{".to_owned(), String::new()] {
        let digest = content(text.as_bytes(), Path::new("."), None).digest;
        assert_eq!(
            digest,
            format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
        );
    }
}

#[test]
fn a_mark_of_utf_8_is_skipped() {
    assert!(runs_of(&format!("\u{feff}{SMALL}")).is_ok());
}

#[test]
fn what_is_no_utf_8_text_is_named() {
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(SMALL.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut latin = SMALL.replace('é', "~").into_bytes();
    let at = latin
        .iter()
        .position(|byte| *byte == b'~')
        .expect("the place");
    latin[at] = 0xe9;
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (&[0x1f, 0x8b, 8, 0, 0], "gzip"),
        (b"PK\x03\x04...", "zip"),
        (&utf16, "UTF-16"),
        (b"<?xml version='1.0'?>", "XML"),
        (&latin, &format!("not UTF-8 at byte {at}")),
    ];
    for (bytes, word) in cases {
        match content_of(bytes) {
            Err(ScanFailure::Unparsable(reason)) => assert!(reason.contains(word), "{reason}"),
            other => panic!("{word}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_refused_in_skipped_parts_too() {
    let mut bytes = wrapped(r#""message":{"text":"~"}"#).into_bytes();
    let at = bytes
        .iter()
        .position(|byte| *byte == b'~')
        .expect("the place");
    bytes[at] = 0xff;
    assert!(content_of(&bytes).is_err());
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for text in [
        format!("{SMALL}{{}}"),
        format!("{SMALL}x"),
        wrapped(r#""rank":NaN"#),
        wrapped(r#""rank":Infinity"#),
        wrapped(r#""a":1,"#),
        wrapped(r#""a":01"#),
        wrapped(r"/* no */"),
        " \n ".to_owned(),
    ] {
        let refusal = refusal_of(&text);
        assert!(refusal.contains(" at byte "), "{refusal}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    for text in [
        wrapped(r#""level":"error","level":"none""#),
        wrapped(r#""level":"error","lev\u0065l":"none""#),
        r#"{"version":"2.1.0","runs":[],"runs":[]}"#.to_owned(),
        r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"p"}},"results":[{}],"results":[]}]}"#
            .to_owned(),
        r#"{"version":"2.1.0","version":"2.1.0","runs":[]}"#.to_owned(),
        wrapped(r#""properties":{"security-severity":"9","security-severity":"1"}"#),
    ] {
        let refusal = refusal_of(&text);
        assert!(refusal.contains("stands twice"), "{refusal}");
    }
}

#[test]
fn depth_is_bounded_in_skipped_parts_too() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| format!("{}0{}", open.repeat(levels), close.repeat(levels));
        let bomb = wrapped(&format!(r#""message":{}"#, nested(100_000)));
        assert!(refusal_of(&bomb).contains("deeper"));
        let deep = wrapped(&format!(r#""message":{}"#, nested(1_001)));
        assert!(refusal_of(&deep).contains("deeper"));
        let allowed = wrapped(&format!(r#""message":{}"#, nested(999)));
        assert!(runs_of(&allowed).is_ok());
        let cut = format!("{{\"version\":\"2.1.0\",\"runs\":{}", open.repeat(100_000));
        assert!(content_of(cut.as_bytes()).is_err());
    }
}

#[test]
fn other_documents_are_not_sarif() {
    for text in [
        "[]",
        "null",
        "7",
        "\"text\"",
        "{}",
        r#"{"version":"2.1.0"}"#,
        r#"{"runs":[]}"#,
    ] {
        let refusal = refusal_of(text);
        assert!(refusal.contains("SARIF"), "{text}: {refusal}");
    }
}

#[test]
fn an_unknown_version_is_refused() {
    for version in ["1.0.0", "2.2.0", "2.1.0x", "2.1", "2.1.0-é", ""] {
        let text = SMALL.replace("2.1.0", version);
        assert!(refusal_of(&text).contains("version"), "{version}");
    }
}

#[test]
fn a_report_without_runs_is_refused() {
    for runs in ["[]", "null", "{}", "[null]", "7"] {
        let text = format!(r#"{{"version":"2.1.0","runs":{runs}}}"#);
        assert!(runs_of(&text).is_err(), "{runs}");
    }
}

#[test]
fn a_run_without_a_named_tool_is_refused() {
    for tool in [
        "null",
        "{}",
        r#"{"driver":{"name":""}}"#,
        r#"{"driver":{"name":"\u200b"}}"#,
    ] {
        let text = format!(r#"{{"version":"2.1.0","runs":[{{"tool":{tool},"results":[]}}]}}"#);
        assert!(refusal_of(&text).contains("tool"), "{tool}");
    }
}

#[test]
fn results_that_stand_elsewhere_are_refused() {
    let run = r#"{"tool":{"driver":{"name":"p"}},"results":[]"#;
    for text in [
        format!(
            r#"{{"version":"2.1.0","runs":[{run},"externalPropertyFileReferences":{{"results":[{{}}]}}}}]}}"#
        ),
        format!(
            r#"{{"version":"2.1.0","inlineExternalProperties":[{{"results":[{{}}]}}],"runs":[{run}}}]}}"#
        ),
    ] {
        assert!(refusal_of(&text).contains("external"));
    }
}

#[test]
fn results_of_another_shape_are_refused() {
    for results in ["{}", "7", "\"none\"", "[null]", "[[]]", "[7]", "false"] {
        let text = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"p"}}}},"results":{results}}}]}}"#
        );
        assert!(runs_of(&text).is_err(), "{results}");
    }
}

#[test]
fn a_result_that_names_two_rules_is_refused() {
    let positions = wrapped(r#""ruleIndex":0,"rule":{"index":1}"#);
    assert!(refusal_of(&positions).contains("positions"));
    let ids = wrapped(r#""ruleId":"a","rule":{"id":"b"}"#);
    assert!(refusal_of(&ids).contains("ids"));
}

#[test]
fn levels_of_an_older_version_are_refused_in_the_newer() {
    assert!(refusal_of(&wrapped(r#""level":"pass""#)).contains("`level`"));
}

#[test]
fn a_message_never_repeats_what_stood_in_the_file() {
    for text in [
        wrapped(r#""suppressions":"hunter2""#),
        wrapped(r#""suppressions":["hunter2, expected hunter3"]"#),
        wrapped(r#""level":"hunter2""#),
        r#""hunter2""#.to_owned(),
        r#"{"version":"hunter2","runs":[]}"#.to_owned(),
    ] {
        let refusal = refusal_of(&text);
        assert!(!refusal.contains("hunter"), "{refusal}");
    }
}

#[test]
fn a_name_has_a_longest_length() {
    let text = wrapped(&format!(r#""ruleId":"{}""#, "x".repeat(2 << 20)));
    assert!(refusal_of(&text).contains("longer"));
    let skipped = wrapped(&format!(r#""message":"{}""#, "x".repeat(2 << 20)));
    assert!(runs_of(&skipped).is_ok());
}

#[test]
fn wrong_rule_positions_do_no_harm() {
    for index in [
        "-1",
        "1e300",
        "18446744073709551615",
        "0.5",
        "99",
        "\"0\"",
        "null",
    ] {
        let text = wrapped(&format!(
            r#""ruleIndex":{index},"rule":{{"toolComponent":{{"index":{index}}}}}"#
        ));
        assert!(runs_of(&text).is_ok(), "{index}");
    }
}

proptest! {
    #[test]
    fn no_bytes_end_in_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(content_of(&bytes).is_err());
    }

    #[test]
    fn no_change_of_a_report_ends_in_a_panic(
        changes in proptest::collection::vec((0..SMALL.len(), any::<u8>()), 1..6),
    ) {
        let mut bytes = SMALL.as_bytes().to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = content_of(&bytes);
    }

    #[test]
    fn no_shuffled_pieces_end_in_a_panic(
        pieces in proptest::collection::vec((0..SMALL.len(), 0..60_usize), 0..12),
    ) {
        let pieces = pieces
            .iter()
            .map(|(start, length)| &SMALL.as_bytes()[*start..(start + length).min(SMALL.len())]);
        let _ = content_of(&pieces.collect::<Vec<_>>().concat());
    }
}
