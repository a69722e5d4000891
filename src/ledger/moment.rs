//! Times as records write them (RFC 3339). A verification reads two in each record, and nearly all
//! are in UTC and whole seconds: those are read without the general reader, which takes longer over
//! them than a record takes otherwise.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The moment that a text names, as jiff reads it.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    in_whole_seconds(text).or_else(|| text.parse().ok())
}

/// `2026-11-21T08:00:00Z` in this form and in no other.
fn in_whole_seconds(text: &str) -> Option<Timestamp> {
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b'Z',
    ] = text.as_bytes()
    else {
        return None;
    };
    let two = |tens: u8, ones: u8| {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| (byte - b'0').cast_signed());
        Some(digit(tens)? * 10 + digit(ones)?)
    };
    let year = i16::from(two(y1, y2)?) * 100 + i16::from(two(y3, y4)?);
    let time = DateTime::new(
        year,
        two(m1, m2)?,
        two(d1, d2)?,
        two(h1, h2)?,
        two(n1, n2)?,
        two(s1, s2)?,
        0,
    );
    Offset::UTC.to_timestamp(time.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a text is read quickly; what it names has to be what jiff says.
    fn quickly(text: &str) -> bool {
        let quick = in_whole_seconds(text);
        if quick.is_some() {
            assert_eq!(quick, text.parse().ok(), "{text}");
        }
        assert_eq!(read(text), text.parse().ok(), "{text}");
        quick.is_some()
    }

    #[test]
    fn what_records_write_is_read_quickly_and_everything_else_as_jiff_reads_it() {
        for text in [
            "2026-11-21T08:00:00Z",
            "2024-02-29T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "9999-12-30T21:59:59Z",
        ] {
            assert!(quickly(text), "{text}");
        }
        for text in [
            "",
            "2026-02-29T08:00:00Z",
            "2026-13-01T08:00:00Z",
            "2026-00-01T08:00:00Z",
            "2026-01-00T08:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T08:60:00Z",
            "2026-01-01T08:00:60Z",
            "9999-12-31T23:59:59Z",
            "2026-11-21T08:00:00.5Z",
            "2026-11-21T08:00:00z",
            "2026-11-21 08:00:00Z",
            "2026-11-21T08:00:00+01",
            "2026-11-21T08:00:00+01:00",
            "2026-11-21T08:00:00Z ",
        ] {
            assert!(!quickly(text), "{text}");
        }
    }

    #[test]
    fn every_byte_of_a_time_may_be_another() {
        let time = b"2026-11-21T08:00:00Z";
        for at in 0..time.len() {
            for byte in 0..=0x7f {
                let mut changed = *time;
                changed[at] = byte;
                quickly(std::str::from_utf8(&changed).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn any_digits_are_read_as_jiff_reads_them(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z") {
            quickly(&text);
        }
    }
}
