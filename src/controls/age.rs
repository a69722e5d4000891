//! How many days ago something was. Saturates instead of overflowing: moments
//! come from the platform, and some of them are odd.

use jiff::Timestamp;

use crate::facts::{AccessToken, FactKey, Unknown, Why};

/// Whole days from `moment` to `now`, rounded down; negative if it lies ahead.
pub(super) fn days_since(moment: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(moment).as_secs().div_euclid(86_400)
}

/// Days from when something was made to its end; from now where the making is not
/// told or lies ahead, so that an odd date never makes the time look shorter. Without
/// the making it is the least that it can be: it may prove a life too long, never short.
pub(super) fn whole_life(made: Option<Timestamp>, now: Timestamp, end: Timestamp) -> i64 {
    let left = days_since(now, end);
    made.map_or(left, |made| days_since(made, end).max(left))
}

/// Why nobody can say how long a token holds in all.
pub(super) fn making_not_told(key: FactKey, token: &AccessToken) -> Unknown {
    Unknown::new(
        key.name(),
        Why::NotSupported,
        format!(
            "the platform does not say when the {} `{}` was made, so its whole time is not known",
            token.kind, token.name
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::at;

    #[test]
    fn a_day_counts_when_it_is_over() {
        let now = at("2026-06-01T12:00:00Z");
        assert_eq!(days_since(at("2026-05-31T12:00:01Z"), now), 0);
        assert_eq!(days_since(at("2026-05-31T12:00:00Z"), now), 1);
        assert_eq!(days_since(at("2026-06-01T12:00:01Z"), now), -1);
        assert!(days_since(Timestamp::MIN, Timestamp::MAX) > 0);
    }

    #[test]
    fn a_life_counts_from_its_beginning_and_never_for_less_than_is_left() {
        let (now, end) = (at("2026-06-01T12:00:00Z"), at("2026-06-11T12:00:00Z"));
        assert_eq!(whole_life(Some(at("2026-05-22T12:00:00Z")), now, end), 20);
        assert_eq!(whole_life(None, now, end), 10);
        assert_eq!(whole_life(Some(at("2026-06-10T12:00:00Z")), now, end), 10);
    }
}
