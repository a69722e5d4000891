//! Broken reports by the thousand, the same ones in every run: nothing panics, and
//! how the bytes arrive changes nothing.

use std::io::{self, Read};

use crate::facts::ScanFormat;

use super::*;

/// Marsaglia's generator: the same numbers everywhere.
struct XorShift(u64);

impl XorShift {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % limit.max(1)
    }
}

const PIECES: [&str; 24] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "<",
    ">",
    "&",
    "/",
    "null",
    "-1",
    "1e999",
    "\u{0}",
    "é",
    "\\ud800",
    "[[",
    "{\"a\":",
    "<![CDATA[",
    "<!--",
    "end_of_record\n",
    "99999999999999999999",
];

fn mutated(text: &str, random: &mut XorShift) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + random.below(24)).min(bytes.len());
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at.max(1)),
            2 => {
                bytes.drain(at..end);
            }
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..end, piece.bytes());
            }
            _ => {
                let from = random.below(bytes.len());
                bytes.swap(at, from);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// A pipe that gives as little as it likes.
struct Trickle<'a>(&'a [u8], XorShift);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (1 + self.1.below(50)).min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn mutated_reports_never_panic_and_read_the_same_in_drops() {
    let mut random = XorShift(0x5eed);
    for sample in SAMPLES {
        for _ in 0..250 {
            let bytes = mutated(sample.text, &mut random);
            let whole = content_of(&bytes);
            let trickle = Trickle(&bytes, XorShift(random.0));
            let drops = content(trickle, Path::new("/builds/acme"), None);
            assert_eq!(whole.runs, drops.runs, "{}", bytes.escape_ascii());
            assert_eq!(whole.digest, drops.digest);
            let (_, said) = ScanFormat::ALL[random.below(ScanFormat::ALL.len())];
            let _ = content(&bytes[..], Path::new("/builds/acme"), Some(said));
        }
    }
}

/// A document that never ends within what a job has.
struct Endless {
    head: &'static [u8],
    filling: u8,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.head.is_empty() {
            return self.head.read(buffer);
        }
        let length = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..length].fill(self.filling);
        self.left -= length as u64;
        Ok(length)
    }
}

/// In the small what two gigabytes of one string are in the large: the window stops
/// growing at its limit, and the rest is only hashed.
#[test]
fn a_string_without_an_end_is_refused_at_its_limit() {
    for (head, filling) in [
        (&br#"{"version":"2.1.0","runs":[{"x":""#[..], b'x'),
        (
            br#"{"version":"2.1.0","runs":[{"results":[{"message":{"text":""#,
            b'x',
        ),
        (
            br#"{"version":"15.0.4","vulnerabilities":[{"message":""#,
            b'\\',
        ),
        (br#"{"version":"2.1.0","runs":[{"results":[{"rank":1"#, b'0'),
        (br#"{"version":"2.1.0",""#, b'k'),
        (b"[", b'['),
        (b"<testsuites a=\"", b'x'),
        (b"<testsuites>", b'<'),
        (b"TN:", b'x'),
    ] {
        let source = Endless {
            head,
            filling,
            left: 9 << 20,
        };
        match content(source, Path::new("."), None).runs {
            // What is no report at all is so everywhere.
            Err(ScanFailure::Unparsable(reason)) => {
                assert!(reason.contains(" at ") || head == b"[", "{reason}");
            }
            other => panic!("{}: {other:?}", head.escape_ascii()),
        }
    }
}
