//! How many days ago something was. Saturates instead of overflowing: moments
//! come from the platform, and some of them are odd.

use jiff::Timestamp;

/// Whole days from `moment` to `now`, rounded down; negative if it lies ahead.
pub(super) fn days_since(moment: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(moment).as_secs().div_euclid(86_400)
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
}
