//! Which times lie in the future, between clocks that need not agree.

use jiff::{SignedDuration, Timestamp};

/// How far the clocks of runner, platform and whoever signs may differ.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Whether it lies later than that, by more than clocks may differ.
pub(super) fn is_later(time: Timestamp, than: Timestamp) -> bool {
    time.duration_since(than) > TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::testing::at;

    #[test]
    fn only_what_lies_more_than_fifteen_minutes_ahead_is_later() {
        let now = at("2026-06-01T12:00:00Z");
        for (time, later) in [
            ("2026-06-01T12:15:00.000000001Z", true),
            ("2026-06-01T12:15:00Z", false),
            ("2026-06-01T11:59:59Z", false),
            ("2026-05-01T12:00:00Z", false),
        ] {
            assert_eq!(is_later(at(time), now), later, "{time}");
        }
    }

    /// A platform may say any time.
    #[test]
    fn the_first_and_the_last_time_that_can_be_written_are_told_apart() {
        assert!(is_later(Timestamp::MAX, Timestamp::MIN));
        assert!(!is_later(Timestamp::MIN, Timestamp::MAX));
        assert!(!is_later(Timestamp::MAX, Timestamp::MAX));
    }
}
