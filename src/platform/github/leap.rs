//! Cursors that can be foretold. Where the cursor behind a page is visibly the
//! position in the list, the pages behind the next one can be asked for at the same
//! time. Nothing is trusted: a page counts only if the page before it ends with the
//! very cursor that it was asked with. Makes no request.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Entries of a full page.
const FULL: usize = 100;

fn engine(padded: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
}

fn decoded(cursor: &str) -> Option<String> {
    String::from_utf8(engine(false).decode(cursor).ok()?).ok()
}

/// Whether two cursors mean the same place. They may be padded differently.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || decoded(one).is_some_and(|text| decoded(other) == Some(text))
}

/// The cursors behind `cursor`, which stands behind the first `so_far` entries of
/// `total`; empty where it does not show its position.
pub(super) fn behind(cursor: &str, so_far: usize, total: u64) -> Vec<String> {
    let position = so_far.to_string();
    let Some(text) = decoded(cursor) else {
        return Vec::new();
    };
    let Some(before) = text
        .strip_suffix(&position)
        .filter(|before| !before.ends_with(|last: char| last.is_ascii_digit()))
    else {
        return Vec::new();
    };
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    let engine = engine(cursor.ends_with('='));
    (1..)
        .map(|page| so_far.saturating_add(FULL.saturating_mul(page)))
        .take_while(|position| *position < total)
        .take(FULL)
        .map(|position| engine.encode(format!("{before}{position}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_shows_its_position_foretells_the_others() {
        // `100`, then `200` and `300`; as long as something stands behind them.
        assert_eq!(behind("MTAw", 100, 301), ["MjAw", "MzAw"]);
        assert_eq!(behind("MTAw", 100, 300), ["MjAw"]);
        assert!(behind("MTAw", 100, 200).is_empty());
        // `cursor:v2:100`, padded as the platform pads it.
        assert_eq!(
            behind("Y3Vyc29yOnYyOjEwMA==", 100, 201),
            ["Y3Vyc29yOnYyOjIwMA=="]
        );
    }

    #[test]
    fn a_cursor_that_shows_no_position_or_another_one_foretells_nothing() {
        // `1100` and `50` are not `100`; the next is no text, the last no base64.
        for cursor in ["MTEwMA", "NTA", "//79", "?", ""] {
            assert!(behind(cursor, 100, 1000).is_empty(), "{cursor}");
        }
    }

    #[test]
    fn padding_does_not_make_another_place() {
        assert!(same("MTAwMA", "MTAwMA=="));
        assert!(same("?", "?") && !same("?", "!"));
        assert!(!same("MTAw", "MjAw"));
    }

    #[test]
    fn a_total_beyond_reason_foretells_no_endless_list() {
        assert_eq!(behind("MTAw", 100, u64::MAX).len(), FULL);
    }
}
